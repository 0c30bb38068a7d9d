//! What the caller is told of rows: faults with their columns and shortened values, never names or telephone numbers.

use jingwei_kit::status::{Violation, Violations};
use jingwei_proto::grid::v1::{self as pb, import_rows_response::News};

use crate::ledger::heading::{Column, Heading};
use crate::ledger::{Fault, MAX_ROW, Row};

/// The characters of a value that are told.
const SHOWN: usize = 40;

/// Notes what could not be read of a row; whether the rest of it is of use.
pub(super) fn faults(heading: &Heading, row: &Row, violations: &mut Violations) -> bool {
    for (place, fault) in &row.faults {
        let (zh, en) = text(*fault);
        let column = place.and_then(|place| heading.of_place(place));
        violations.add(column.map_or("", |column| column.en), "unreadable", zh, en);
    }
    if heading.is_overfull(row) {
        let zh = "有内容不在任何一列之下；请检查引号与分隔符";
        violations.add(
            "",
            "columns",
            zh,
            "has more cells than the header: check quotation marks and delimiters",
        );
    }
    violations.is_empty()
}

fn text(fault: Fault) -> (String, String) {
    match fault {
        Fault::OpenQuote => ("引号没有结束".into(), "a quotation mark is not closed".into()),
        Fault::TooLong => (format!("一行最多 {MAX_ROW} 字节"), format!("a row has at most {MAX_ROW} bytes")),
        Fault::Characters => (
            "含有无法识别的字符；文件须为 UTF-8 或 GB18030 编码".into(),
            "has characters that do not read: the file must be in UTF-8 or GB18030".into(),
        ),
        Fault::LostDigits => (
            "Excel 的数字只保留 15 位；请将此列设为文本格式后重新填写".into(),
            "Excel keeps 15 digits of a number: make the column text and enter it again".into(),
        ),
        Fault::FormulaError => ("公式出错".into(), "a formula failed".into()),
    }
}

/// A row that cannot be written.
pub(super) fn bad_row(heading: &Heading, row: &Row, violations: Violations) -> pb::ImportRowsResponse {
    let mut faults: Vec<pb::RowFault> = Vec::new();
    for violation in violations.into_vec() {
        // A column is told once: what does not read at all also breaks other rules.
        let fault = fault(heading, row, violation);
        if faults.iter().all(|told| told.column != fault.column) {
            faults.push(fault);
        }
    }
    news(News::BadRow(pb::BadRow { row: number(row.number), faults }))
}

fn fault(heading: &Heading, row: &Row, violation: Violation) -> pb::RowFault {
    let Violation { field, zh: reason_zh, en: reason_en, .. } = violation;
    let found = heading.of_path(&field);
    let value = |(column, place): (&Column, Option<usize>)| {
        let cell = place.and_then(|place| row.cells.get(place)).filter(|_| !column.private)?;
        Some(shortened(cell))
    };
    let name = |(column, place): (&'static Column, Option<usize>)| {
        place.map_or(column.zh, |place| heading.name(place)).to_owned()
    };
    pb::RowFault {
        column: found.map(name).unwrap_or_default(),
        value: found.and_then(value).unwrap_or_default(),
        reason_zh,
        reason_en,
    }
}

fn shortened(cell: &str) -> String {
    match cell.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &cell[..end]),
        None => cell.to_owned(),
    }
}

/// How far it is.
pub(super) fn progress(summary: &pb::ImportSummary) -> pb::ImportRowsResponse {
    let (rows, bad_rows) = (summary.rows, summary.bad_rows);
    news(News::Progress(pb::ImportProgress { rows, good_rows: rows - bad_rows, bad_rows }))
}

/// The end.
pub(super) fn summary(summary: pb::ImportSummary) -> pb::ImportRowsResponse {
    news(News::Summary(summary))
}

fn news(news: News) -> pb::ImportRowsResponse {
    pb::ImportRowsResponse { news: Some(news) }
}

fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
