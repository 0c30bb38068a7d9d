//! Files as offices have them, files that are broken, and random bytes.

use std::io::{Seek, Write};

use encoding_rs::{GB18030, UTF_16LE};
use proptest::prelude::*;

use super::*;
use crate::ledger::write::{Cell, Csv, Xlsx};
use crate::ledger::{Fault, MAX_ROW};

fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    file
}

fn rows(bytes: &[u8]) -> Result<Vec<Row>, Refusal> {
    let mut rows = Vec::new();
    table(file(bytes), &mut |row| {
        rows.push(row);
        ControlFlow::Continue(())
    })?;
    Ok(rows)
}

fn cells(bytes: &[u8]) -> Vec<(u64, Vec<String>)> {
    rows(bytes).unwrap().into_iter().map(|row| (row.number, row.cells)).collect()
}

fn row(number: u64, cells: &[&str]) -> (u64, Vec<String>) {
    (number, cells.iter().map(|cell| (*cell).to_owned()).collect())
}

#[test]
fn every_encoding_of_a_chinese_office_is_read() {
    let text = "代码,名称\r\n410182002,京城路街道\r\n";
    let expected = [row(1, &["代码", "名称"]), row(2, &["410182002", "京城路街道"])];
    let (gb, _, _) = GB18030.encode(text);
    let utf_16: Vec<u8> = "\u{FEFF}"
        .chars()
        .chain(text.chars())
        .flat_map(|c| {
            let mut units = [0; 2];
            c.encode_utf16(&mut units).iter().flat_map(|unit| unit.to_le_bytes()).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(UTF_16LE.decode(&utf_16).0, text);
    for bytes in [
        text.as_bytes(),
        format!("\u{FEFF}{text}").as_bytes(),
        &gb,
        &utf_16,
        text.replace(',', "\t").as_bytes(),
    ] {
        assert_eq!(cells(bytes), expected);
    }
}

#[test]
fn rows_are_numbered_as_excel_shows_them() {
    let text = "a,b\n\n1,\"two\nlines\"\n,,\n2,\"with \"\"marks\"\"\"\r\n3, x \n4";
    let expected = [
        row(1, &["a", "b"]),
        row(3, &["1", "two\nlines"]),
        row(5, &["2", "with \"marks\""]),
        row(6, &["3", "x"]),
        row(7, &["4"]),
    ];
    assert_eq!(cells(text.as_bytes()), expected);
    // A file whose last rows come with the second read.
    let long = format!("{}{}", "\n".repeat(3), "中,\"x\"\r\n".repeat(20_000));
    let found = cells(long.as_bytes());
    assert_eq!((found.len(), found[0].0, found[19_999].0), (20_000, 4, 20_003));
    assert!(found.iter().all(|(_, cells)| *cells == ["中", "x"]));
}

#[test]
fn a_mark_that_is_not_closed_costs_its_line_only() {
    let text = format!("a,b\n1,\"open\n2,fine\n{}", "3,fine\n".repeat(30_000));
    let found = rows(text.as_bytes()).unwrap();
    assert_eq!((found[1].number, found[1].faults.as_slice()), (2, &[(None, Fault::OpenQuote)][..]));
    assert_eq!(found[2].cells, ["2", "fine"]);
    assert_eq!(found.len(), 30_003);
    let at_the_end = rows(b"a\n\"x").unwrap();
    assert_eq!(at_the_end[1].faults, [(None, Fault::OpenQuote)]);
    let endless = [b"a\n".as_slice(), &vec![b'x'; 5 * MAX_ROW], b"\nlast"].concat();
    let found = rows(&endless).unwrap();
    assert_eq!(found[1].faults, [(None, Fault::TooLong)]);
    assert_eq!((found[2].number, found[2].cells.as_slice()), (3, &["last".to_owned()][..]));
}

#[test]
fn what_is_no_text_is_told() {
    let (gb, _, _) = GB18030.encode("名称\n永安街");
    let broken = [&gb, b"\n\xFF\xFFx".as_slice()].concat();
    assert_eq!(rows(&broken).unwrap()[2].faults, [(Some(0), Fault::Characters)]);
    assert_eq!(rows(b"a\nx\0y").unwrap()[1].faults, [(Some(0), Fault::Characters)]);
    assert_eq!(rows(b"").unwrap_err(), Refusal::Empty);
    assert_eq!(rows(b"\r\n \n,,\n").unwrap_err(), Refusal::Empty);
    assert_eq!(rows(b"PK\x03\x04 is no zip").unwrap_err(), Refusal::Unreadable);
}

fn workbook(rows: &[Vec<Cell>]) -> Vec<u8> {
    let mut book = Xlsx::new("台账", &["代码", "名称"]).unwrap();
    for row in rows {
        book.row(row).unwrap();
    }
    crate::ledger::write::bytes(book.finish().unwrap()).unwrap()
}

#[test]
fn workbooks_are_read_as_they_are_written() {
    let bytes = workbook(&[
        vec!["410182002001001".into(), "=1+1".into()],
        vec![Cell::Number(410_182_002), "  ".into()],
        vec![],
        vec!["".into(), "后".into()],
    ]);
    let expected = [
        row(1, &["代码", "名称"]),
        row(2, &["410182002001001", "=1+1"]),
        row(3, &["410182002"]),
        row(5, &["", "后"]),
    ];
    assert_eq!(cells(&bytes), expected);
    let rounded = workbook(&[vec![Cell::Number(410_182_002_001_001_001)]]);
    assert_eq!(rows(&rounded).unwrap()[1].faults, [(Some(0), Fault::LostDigits)]);
}

/// A workbook whose parts are replaced by others.
fn forged(name: &str, content: &[u8]) -> Vec<u8> {
    let original = workbook(&[vec!["1".into()]]);
    let mut archive = zip::ZipArchive::new(io::Cursor::new(original)).unwrap();
    let mut writer = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).unwrap();
        let own = part.name().unwrap().into_owned();
        writer.start_file(own.as_str(), options).unwrap();
        if own == name {
            writer.write_all(content).unwrap();
        } else {
            io::copy(&mut part, &mut writer).unwrap();
        }
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn a_zip_bomb_is_not_unpacked() {
    let strings = forged("xl/styles.xml", "<a/>".repeat(20 << 20).as_bytes());
    assert!(strings.len() < 1 << 20, "{}", strings.len());
    assert_eq!(rows(&strings).unwrap_err(), Refusal::TooLarge);
    let sheet = "xl/worksheets/sheet1.xml";
    let one_text = format!("<worksheet><sheetData>{}</sheetData></worksheet>", "x".repeat(1 << 20));
    assert_eq!(rows(&forged(sheet, one_text.as_bytes())).unwrap_err(), Refusal::TooLarge);
    let hidden = format!("<worksheet><!--{}--></worksheet>", "<".repeat(1000));
    assert_eq!(rows(&forged(sheet, hidden.as_bytes())).unwrap_err(), Refusal::TooLarge);
    let far = r#"<worksheet><sheetData><row r="1"><c r="XFD1"><v>1</v></c></row></sheetData></worksheet>"#;
    assert_eq!(rows(&forged(sheet, far.as_bytes())).unwrap_err(), Refusal::TooLarge);
    let back = r#"<worksheet><sheetData><row r="2"><c r="A2"><v>1</v></c></row><row r="1"><c r="A1"><v>1</v></c></row></sheetData></worksheet>"#;
    assert_eq!(rows(&forged(sheet, back.as_bytes())).unwrap_err(), Refusal::Unreadable);
}

fn features(bytes: &[u8]) -> Result<Vec<Row>, Refusal> {
    let mut rows = Vec::new();
    boundaries(file(bytes), &mut |row| {
        rows.push(row);
        ControlFlow::Continue(())
    })?;
    Ok(rows)
}

#[test]
fn features_are_rows() {
    let text = r#"{"bbox": [1, 2, 3, 4], "features": [
        {"type": "Feature", "properties": {"code": "410182"}, "geometry": {"type": "Point", "coordinates": [1, 2]}},
        {"id": 410182002, "properties": null, "geometry": null}], "type": "FeatureCollection"}"#;
    let found = features(text.as_bytes()).unwrap();
    let found: Vec<_> = found.into_iter().map(|row| (row.number, row.cells)).collect();
    let point = r#"{"coordinates":[1,2],"type":"Point"}"#;
    assert_eq!(
        found,
        [row(0, &["code", "boundary"]), row(1, &["410182", point]), row(2, &["410182002", ""])]
    );
    for wrong in ["", "[]", "{}", r#"{"features": 1}"#, r#"{"features": [{}, 1]}"#, r#"{"features": [{}"#] {
        assert_eq!(features(wrong.as_bytes()).unwrap_err(), Refusal::Unreadable, "{wrong}");
    }
    let huge = format!(r#"{{"features": [{{"id": "{}"}}]}}"#, "x".repeat(5 << 20));
    assert_eq!(features(huge.as_bytes()).unwrap_err(), Refusal::TooLarge);
}

/// Texts that have what CSV trips over.
fn messy() -> impl Strategy<Value = String> {
    proptest::collection::vec(prop_oneof!["[\",\r\n\t' =中x]{0,6}", "\\PC{0,8}"], 0..40)
        .prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn no_bytes_cause_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000), zip in any::<bool>()) {
        let bytes = if zip { [b"PK\x03\x04".as_slice(), &bytes].concat() } else { bytes };
        let _ = rows(&bytes);
        let _ = features(&bytes);
    }

    #[test]
    fn no_workbook_with_a_damaged_part_causes_a_panic(at in 0_usize..2000, bytes in proptest::collection::vec(any::<u8>(), 1..20)) {
        let sheet = r#"<worksheet><dimension ref="A1:ZZ99999999"/><sheetData><row r="1"><c r="A1" t="s"><v>7</v></c></row><row r="2"><c r="B2" t="inlineStr"><is><t>x</t></is></c></row></sheetData></worksheet>"#;
        let mut sheet = sheet.as_bytes().to_vec();
        let at = at % sheet.len();
        let end = (at + bytes.len()).min(sheet.len());
        sheet[at..end].copy_from_slice(&bytes[..end - at]);
        let _ = rows(&forged("xl/worksheets/sheet1.xml", &sheet));
    }

    #[test]
    fn broken_csv_gives_rows_in_order(text in messy()) {
        if let Ok(rows) = rows(text.as_bytes()) {
            prop_assert!(rows.is_sorted_by(|a, b| a.number < b.number));
        }
    }

    #[test]
    fn what_is_written_is_read(table in proptest::collection::vec(proptest::collection::vec("[\",\n\t =+@中x-]{0,6}x", 1..5), 1..10)) {
        let mut csv = Csv::new(&["first"]);
        for line in &table {
            csv.row(&line.iter().map(|cell| Cell::from(cell.as_str())).collect::<Vec<_>>());
        }
        let trimmed = |line: &Vec<String>| line.iter().map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
        let read: Vec<_> = rows(&csv.take()).unwrap().into_iter().skip(1).map(|row| row.cells).collect();
        prop_assert_eq!(read, table.iter().map(trimmed).collect::<Vec<_>>());
    }
}
