//! Excel workbooks (.xlsx): the first sheet's cells as text, row by row, after a look at how large its parts are unpacked.

use std::fs::File;
use std::io::{BufReader, Read, Seek};

use calamine::{DataRef, Reader, Xlsx};
use zip::ZipArchive;

use super::read::Sink;
use super::{Fault, MAX_COLUMNS, Refusal, Row};

/// The largest a sheet may be unpacked, in bytes: a million rows of ten short cells and more.
const MAX_SHEET: u64 = 1 << 30;
/// The largest any other part may be: the shared strings are held in memory.
const MAX_PART: u64 = 64 << 20;
/// The most parts.
const MAX_PARTS: usize = 1000;
/// The longest text between two tags: Excel's cells have 32,767 characters.
const MAX_RUN: usize = 1 << 18;
/// From here on not every whole number has a double of its own to Excel, which keeps 15 digits.
const FIRST_ROUNDED: f64 = 1e15;

/// Gives the rows of the first sheet to `sink`.
pub(super) fn read(file: File, sink: Sink<'_>) -> Result<(), Refusal> {
    let mut file = BufReader::new(file);
    check_parts(&mut file)?;
    file.rewind()?;
    let mut workbook = Xlsx::new(file).map_err(|_| Refusal::Unreadable)?;
    let sheet = workbook.sheet_names().into_iter().next().ok_or(Refusal::Empty)?;
    let mut cells = workbook.worksheet_cells_reader(&sheet).map_err(|_| Refusal::Unreadable)?;
    let mut row = Row::default();
    while let Some(cell) = cells.next_cell().map_err(|_| Refusal::Unreadable)? {
        let (line, column) = cell.get_position();
        let number = u64::from(line) + 1;
        let place = usize::try_from(column).unwrap_or(usize::MAX);
        if number != row.number {
            if number < row.number {
                return Err(Refusal::Unreadable);
            }
            let next = Row { number, ..Row::default() };
            if row.number > 0 && sink(finished(std::mem::replace(&mut row, next.clone()))).is_break() {
                return Ok(());
            }
            row = next;
        }
        put(&mut row, place, cell.get_value())?;
    }
    if row.number > 0 {
        let _ = sink(finished(row));
    }
    Ok(())
}

fn put(row: &mut Row, place: usize, value: &DataRef<'_>) -> Result<(), Refusal> {
    let text = match value {
        DataRef::Empty => return Ok(()),
        DataRef::String(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(true) => "是".to_owned(),
        DataRef::Bool(false) => "否".to_owned(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => {
            if number.abs() >= FIRST_ROUNDED {
                row.faults.push((Some(place), Fault::LostDigits));
            }
            number.to_string()
        }
        DataRef::DateTime(at) => {
            let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
        }
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::Error(_) => {
            row.faults.push((Some(place), Fault::FormulaError));
            String::new()
        }
    };
    if place >= MAX_COLUMNS {
        return if text.trim().is_empty() { Ok(()) } else { Err(Refusal::TooLarge) };
    }
    if row.cells.len() <= place {
        row.cells.resize(place + 1, String::new());
    }
    row.cells[place] = text;
    Ok(())
}

fn finished(row: Row) -> Row {
    let mut made = Row::of(row.number, row.cells);
    made.faults.extend(row.faults);
    made
}

/// Unpacks every part once into nothing. What a zip says about its sizes is not believed: a small file may unpack to
/// more than the memory holds.
fn check_parts(file: &mut (impl Read + Seek)) -> Result<(), Refusal> {
    let mut archive = ZipArchive::new(file).map_err(|_| Refusal::Unreadable)?;
    if archive.len() > MAX_PARTS {
        return Err(Refusal::TooLarge);
    }
    let mut left = MAX_SHEET + MAX_PART;
    let mut chunk = vec![0; 1 << 16];
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).map_err(|_| Refusal::Unreadable)?;
        let name = part.name().map_err(|_| Refusal::Unreadable)?.into_owned();
        let is_xml = [".xml", ".rels", ".vml"].iter().any(|end| name.ends_with(end));
        let most = if name.contains("worksheets/") { MAX_SHEET } else { MAX_PART }.min(left);
        let mut runs = Runs::default();
        let mut size = 0;
        loop {
            let read = part.read(&mut chunk).map_err(|_| Refusal::Unreadable)?;
            if read == 0 {
                break;
            }
            size += read as u64;
            if size > most || (is_xml && !runs.take(&chunk[..read])) {
                return Err(Refusal::TooLarge);
            }
        }
        left -= size;
    }
    Ok(())
}

/// How far apart the tags of a part are: what an XML reader holds at once.
#[derive(Default)]
struct Runs {
    length: usize,
    before: u8,
}

impl Runs {
    /// False where a run is too long, or where a comment or the like begins, which may hide tags: Excel writes none.
    fn take(&mut self, bytes: &[u8]) -> bool {
        for &byte in bytes {
            if self.before == b'<' && byte == b'!' {
                return false;
            }
            self.length = if byte == b'<' { 0 } else { self.length + 1 };
            self.before = byte;
            if self.length > MAX_RUN {
                return false;
            }
        }
        true
    }
}
