//! Reading a ledger: what kind of file it is, and its rows one after the other.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::ops::ControlFlow;

use super::{Refusal, Row, csv, geojson, xlsx};

/// Takes the rows of a file; may stop the reading.
pub type Sink<'a> = &'a mut dyn FnMut(Row) -> ControlFlow<()>;

impl From<io::Error> for Refusal {
    fn from(_: io::Error) -> Self {
        Self::Unreadable
    }
}

/// Gives the rows of a CSV or Excel file to `sink`, the header first; rows in which nothing stands are left out.
///
/// # Errors
/// The file is no such table. What is wrong with one row is told in the row.
pub fn table(mut file: File, sink: Sink<'_>) -> Result<(), Refusal> {
    let mut start = [0; 4];
    let length = file.read(&mut start)?;
    file.rewind()?;
    let mut rows = 0_u64;
    let mut counted = |row: Row| {
        if row.is_blank() {
            return ControlFlow::Continue(());
        }
        rows += 1;
        sink(row)
    };
    if &start[..length] == b"PK\x03\x04" {
        xlsx::read(file, &mut counted)?;
    } else {
        csv::read(file, &mut counted)?;
    }
    if rows == 0 { Err(Refusal::Empty) } else { Ok(()) }
}

/// Gives the features of a GeoJSON FeatureCollection to `sink`, as rows with the columns `code` and `boundary`.
///
/// # Errors
/// The file is no such collection.
pub fn boundaries(file: File, sink: Sink<'_>) -> Result<(), Refusal> {
    geojson::read(file, sink)
}

#[cfg(test)]
mod tests;
