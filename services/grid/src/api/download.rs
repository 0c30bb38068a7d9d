//! Downloads: the kinds of files, and what they are called.

use jingwei_proto::grid::v1 as pb;
use tonic::metadata::MetadataMap;

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    /// Its content type.
    pub content_type: &'static str,
    /// What its name ends with.
    pub extension: &'static str,
}

/// CSV.
pub const CSV: Form = Form { content_type: "text/csv; charset=utf-8", extension: "csv" };
/// An Excel workbook.
pub const XLSX: Form = Form {
    content_type: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    extension: "xlsx",
};
/// GeoJSON.
pub const GEOJSON: Form = Form { content_type: "application/geo+json", extension: "geojson" };

/// What a ledger is called.
pub fn title(kind: pb::LedgerKind) -> &'static str {
    match kind {
        pb::LedgerKind::Unspecified => "台账",
        pb::LedgerKind::Areas => "区域",
        pb::LedgerKind::Boundaries => "边界",
        pb::LedgerKind::Staff => "人员与派驻",
        pb::LedgerKind::Departments => "部门",
        pb::LedgerKind::Categories => "事件类别",
        pb::LedgerKind::Events => "事件台账",
    }
}

/// Says under which name a browser keeps the file (RFC 6266, RFC 8187).
pub fn name(metadata: &mut MetadataMap, name: &str, form: Form) {
    let quoted = name.bytes().fold(String::new(), |mut quoted, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_') {
            quoted.push(char::from(byte));
        } else {
            quoted.push_str(&format!("%{byte:02X}"));
        }
        quoted
    });
    let value = format!("attachment; filename*=UTF-8''{quoted}.{}", form.extension);
    metadata.insert("content-disposition", value.parse().expect("percent-encoded text is ASCII"));
}
