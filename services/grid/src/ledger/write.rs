//! Writing a ledger: CSV in pieces, or a workbook that is put together in a temporary file.

use std::fs::File;
use std::io::{self, Seek};

use rust_xlsxwriter::{Format, Workbook, XlsxError};

/// What makes Excel take a CSV cell for a formula: such cells get an apostrophe before them.
pub const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// The rows of an Excel sheet below its header.
const SHEET_ROWS: u32 = 1_048_575;
/// The characters of an Excel cell.
const CELL_CHARS: usize = 32_767;

/// A cell to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// A text; in a workbook a text however much it looks like a number or a formula.
    Text(String),
    /// A number.
    Number(i64),
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// A CSV file under way: UTF-8 with a mark, by which Excel knows the encoding, lines ended as RFC 4180 has it.
#[derive(Debug)]
pub struct Csv {
    bytes: Vec<u8>,
}

impl Csv {
    /// A file with this header.
    pub fn new(header: &[&str]) -> Self {
        let mut csv = Self { bytes: b"\xEF\xBB\xBF".to_vec() };
        csv.row(&header.iter().map(|name| Cell::from(*name)).collect::<Vec<_>>());
        csv
    }

    /// Adds a row.
    pub fn row(&mut self, cells: &[Cell]) {
        for (place, cell) in cells.iter().enumerate() {
            if place > 0 {
                self.bytes.push(b',');
            }
            match cell {
                Cell::Number(number) => self.bytes.extend_from_slice(number.to_string().as_bytes()),
                Cell::Text(text) => self.text(text),
            }
        }
        self.bytes.extend_from_slice(b"\r\n");
    }

    fn text(&mut self, text: &str) {
        let guard = if text.starts_with(FORMULA) { "'" } else { "" };
        if text.contains([',', '"', '\r', '\n', '\t']) || text != text.trim() {
            self.bytes.extend_from_slice(format!("\"{guard}{}\"", text.replace('"', "\"\"")).as_bytes());
        } else {
            self.bytes.extend_from_slice(guard.as_bytes());
            self.bytes.extend_from_slice(text.as_bytes());
        }
    }

    /// How many bytes were written and not taken.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether all that was written was taken.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Takes what was written since the last time.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }
}

/// A workbook under way: its rows go to temporary files, not to memory; another sheet begins where one is full.
pub struct Xlsx {
    book: Workbook,
    header: Vec<String>,
    name: String,
    sheets: usize,
    rows: u32,
}

impl Xlsx {
    /// A workbook whose sheets have this name and header.
    ///
    /// # Errors
    /// Temporary files cannot be made.
    pub fn new(name: &str, header: &[&str]) -> Result<Self, XlsxError> {
        let header = header.iter().map(|name| (*name).to_owned()).collect();
        let mut made = Self { book: Workbook::new(), header, name: name.to_owned(), sheets: 0, rows: 0 };
        made.sheet()?;
        Ok(made)
    }

    fn sheet(&mut self) -> Result<(), XlsxError> {
        self.sheets += 1;
        self.rows = 0;
        let sheet = self.book.add_worksheet_with_constant_memory()?;
        sheet.set_name(match self.sheets {
            1 => self.name.clone(),
            number => format!("{} {number}", self.name),
        })?;
        sheet.set_freeze_panes(1, 0)?;
        let bold = Format::new().set_bold();
        for (column, name) in (0..).zip(&self.header) {
            sheet.set_column_width(column, 18)?;
            sheet.write_string_with_format(0, column, name, &bold)?;
        }
        Ok(())
    }

    /// Adds a row. A text longer than a cell of Excel holds is cut.
    ///
    /// # Errors
    /// Temporary files cannot be written.
    pub fn row(&mut self, cells: &[Cell]) -> Result<(), XlsxError> {
        if self.rows == SHEET_ROWS {
            self.sheet()?;
        }
        self.rows += 1;
        let sheet = self.book.worksheet_from_index(self.sheets - 1)?;
        for (column, cell) in (0..).zip(cells) {
            match cell {
                Cell::Number(number) => sheet.write_number(self.rows, column, *number as f64)?,
                Cell::Text(text) if text.is_empty() => continue,
                Cell::Text(text) => match text.char_indices().nth(CELL_CHARS) {
                    Some((end, _)) => sheet.write_string(self.rows, column, &text[..end])?,
                    None => sheet.write_string(self.rows, column, text)?,
                },
            };
        }
        Ok(())
    }

    /// The finished workbook in a file without a name, to be read from its start.
    ///
    /// # Errors
    /// Temporary files cannot be written.
    pub fn finish(mut self) -> Result<File, XlsxError> {
        let mut file = tempfile::tempfile()?;
        self.book.save_to_writer(&mut file)?;
        file.rewind()?;
        Ok(file)
    }
}

/// Why a file could not be written.
pub type WriteError = XlsxError;

/// A file in memory: for what is small.
///
/// # Errors
/// As `Xlsx::finish`.
pub fn bytes(mut file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut file, &mut bytes)?;
    Ok(bytes)
}
