//! Ledgers 台账: tables in files, as offices keep them. Reading and writing them row by row; no SQL, no wire, no rules.
//!
//! A file may be of any size: what is held in memory is a row, a buffer, and of a workbook its shared strings.

mod csv;
mod geojson;
pub mod heading;
pub mod read;
pub mod write;
mod xlsx;

/// One row of a table in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// Its number as Excel shows it, from 1; of a GeoJSON feature its place, from 1.
    pub number: u64,
    /// Its cells as text, without spaces around them; fewer than the header has where the last ones are empty.
    pub cells: Vec<String>,
    /// What could not be read: of a cell (its place, from 0) or of the row as a whole.
    pub faults: Vec<(Option<usize>, Fault)>,
}

/// Why a cell or a row of a file cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A quotation mark opens a cell and none closes it.
    OpenQuote,
    /// The row is longer than `MAX_ROW` bytes.
    TooLong,
    /// Characters that are none in the file's encoding, or control characters.
    Characters,
    /// A number of so many digits that Excel has rounded it: it should have been a text.
    LostDigits,
    /// A formula of Excel that failed.
    FormulaError,
}

/// Why a file is not a table that can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is none of CSV, Excel (.xlsx) and GeoJSON, or a damaged one.
    #[error("the file cannot be read as a table")]
    Unreadable,
    /// It has no row.
    #[error("the file has no rows")]
    Empty,
    /// It, a part of it when unpacked, or one of its rows is larger than is read.
    #[error("the file or a part of it is too large")]
    TooLarge,
    /// Its header is not that of the table asked for.
    #[error("the header does not fit")]
    Columns {
        /// Names in it that are none of the table's, shortened; of one with digits, which may be a telephone number in a file
        /// without a header, its place instead.
        unknown: Vec<String>,
        /// Columns that the table must have and that are not in it, in Chinese and English.
        missing: Vec<(&'static str, &'static str)>,
        /// Columns that are in it more than once.
        twice: Vec<(&'static str, &'static str)>,
    },
}

/// The longest row of a CSV file, in bytes.
pub const MAX_ROW: usize = 1 << 16;

/// The most columns of a table.
pub const MAX_COLUMNS: usize = 256;

impl Row {
    /// A row of cells as they stand in the file.
    fn of(number: u64, cells: Vec<String>) -> Self {
        let mut row = Self { number, cells, faults: Vec::new() };
        for (place, cell) in row.cells.iter_mut().enumerate() {
            if cell.chars().any(|c| c == '\u{FFFD}' || (c.is_control() && !matches!(c, '\n' | '\r' | '\t'))) {
                row.faults.push((Some(place), Fault::Characters));
            }
            let trimmed = cell.trim();
            if trimmed.len() < cell.len() {
                *cell = trimmed.to_owned();
            }
        }
        while row.cells.last().is_some_and(String::is_empty) {
            row.cells.pop();
        }
        row
    }

    /// A row that could not be taken apart.
    fn broken(number: u64, fault: Fault) -> Self {
        Self { number, cells: Vec::new(), faults: vec![(None, fault)] }
    }

    /// Whether nothing stands in it.
    pub fn is_blank(&self) -> bool {
        self.cells.is_empty() && self.faults.is_empty()
    }
}
