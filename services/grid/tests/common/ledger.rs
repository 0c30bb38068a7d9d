//! Ledgers in tests: uploads them, imports them, downloads them, and writes workbooks.

use futures::TryStreamExt;
use jingwei_grid::ledger::write::{self, Cell, Xlsx};
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::export_service_client::ExportServiceClient;
use jingwei_proto::grid::v1::import_rows_response::News;
use jingwei_proto::grid::v1::import_service_client::ImportServiceClient;
use jingwei_proto::grid::v1::upload_service_client::UploadServiceClient;
use tonic::Status;

use super::upload::upload;
use super::{DISTRICT, Session};

/// What an import told.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Told {
    pub(crate) bad_rows: Vec<pb::BadRow>,
    pub(crate) progress: Vec<pb::ImportProgress>,
    pub(crate) summary: pb::ImportSummary,
}

impl Told {
    /// Of each bad row its number and what is wrong: column, value and the English reason.
    pub(crate) fn faults(&self) -> Vec<String> {
        let of = |row: &pb::BadRow| {
            let faults = row.faults.iter().map(|f| format!("{} [{}] {}", f.column, f.value, f.reason_en));
            format!("{}: {}", row.row, faults.collect::<Vec<_>>().join("; "))
        };
        self.bad_rows.iter().map(of).collect()
    }

    /// Created, changed, unchanged, bad; and whether it is written.
    pub(crate) fn counts(&self) -> (i64, i64, i64, i64, bool) {
        let s = self.summary;
        assert_eq!(s.rows, s.created_rows + s.changed_rows + s.unchanged_rows + s.bad_rows);
        assert_eq!(s.bad_rows as usize, self.bad_rows.len());
        (s.created_rows, s.changed_rows, s.unchanged_rows, s.bad_rows, s.written)
    }
}

/// A request that skips bad rows.
pub(crate) fn import_of(kind: pb::LedgerKind) -> pb::ImportRowsRequest {
    pb::ImportRowsRequest {
        parent: DISTRICT.into(),
        kind: kind.into(),
        mode: pb::ImportMode::SkipBadRows.into(),
        ..Default::default()
    }
}

/// Uploads a file and imports it.
pub(crate) async fn import(
    session: &Session,
    request: pb::ImportRowsRequest,
    file: &[u8],
) -> Result<Told, Status> {
    let district = request.parent.clone();
    let mut uploads = UploadServiceClient::new(session.clone());
    assert_eq!(district, DISTRICT, "uploads of the tests are of one district");
    let name = upload(&mut uploads, file, pb::UploadPurpose::Import, 1 << 20).await?.name;
    run(session, pb::ImportRowsRequest { upload: name, ..request }).await
}

/// Imports an upload.
pub(crate) async fn run(session: &Session, request: pb::ImportRowsRequest) -> Result<Told, Status> {
    let mut imports = ImportServiceClient::new(session.clone());
    let news = imports.import_rows(request).await?.into_inner();
    let mut told = Told::default();
    let mut ended = false;
    let mut news = std::pin::pin!(news);
    while let Some(one) = news.try_next().await? {
        assert!(!ended, "nothing comes after the summary");
        match one.news.expect("each answer is something") {
            News::BadRow(row) => told.bad_rows.push(row),
            News::Progress(progress) => told.progress.push(progress),
            News::Summary(summary) => {
                told.summary = summary;
                ended = true;
            }
        }
    }
    assert!(ended, "a finished import has a summary");
    Ok(told)
}

/// A workbook of these texts, the first row being the header.
pub(crate) fn workbook(rows: &[&[&str]]) -> Vec<u8> {
    let mut book = Xlsx::new("台账", rows[0]).expect("temporary files");
    for row in &rows[1..] {
        book.row(&row.iter().map(|text| Cell::from(*text)).collect::<Vec<_>>()).expect("temporary files");
    }
    write::bytes(book.finish().expect("temporary files")).expect("it is there")
}

/// A file that was exported: its content type, its name as the header has it, its bytes.
pub(crate) async fn export(
    session: &Session,
    request: pb::ExportRowsRequest,
) -> Result<(String, String, Vec<u8>), Status> {
    let mut exports = ExportServiceClient::new(session.clone());
    let answer = exports.export_rows(request).await?;
    let name =
        answer.metadata().get("content-disposition").expect("a name").to_str().expect("ASCII").to_owned();
    let pieces: Vec<_> = answer.into_inner().try_collect().await?;
    let content_type = pieces.first().map(|piece| piece.content_type.clone()).unwrap_or_default();
    Ok((content_type, name, pieces.into_iter().flat_map(|piece| piece.data).collect()))
}
