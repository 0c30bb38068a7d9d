//! The rows of a file, read by a thread of its own a little ahead of who takes them.

use std::fs::File;
use std::ops::ControlFlow;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::error::Error;
use crate::ledger::heading::{Column, Heading};
use crate::ledger::{Refusal, Row, read};

/// Rows that are read ahead.
const AHEAD: usize = 256;

/// A file whose header was read.
pub(super) struct Source {
    rows: mpsc::Receiver<Row>,
    reading: Option<JoinHandle<Result<(), Refusal>>>,
}

impl Source {
    /// Begins to read a table, or a GeoJSON collection.
    ///
    /// # Errors
    /// The file is no such table.
    pub(super) async fn open(
        file: File,
        columns: &'static [Column],
        geojson: bool,
    ) -> Result<(Heading, Self), Error> {
        let (sender, rows) = mpsc::channel(AHEAD);
        let reading = tokio::task::spawn_blocking(move || {
            let mut sink = |row| match sender.blocking_send(row) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            };
            if geojson { read::boundaries(file, &mut sink) } else { read::table(file, &mut sink) }
        });
        let mut source = Self { rows, reading: Some(reading) };
        let header = source.next().await?.ok_or(Refusal::Empty)?;
        Ok((Heading::read(columns, &header)?, source))
    }

    /// The next row; `None` after the last one.
    ///
    /// # Errors
    /// The file is damaged.
    pub(super) async fn next(&mut self) -> Result<Option<Row>, Error> {
        if let Some(row) = self.rows.recv().await {
            return Ok(Some(row));
        }
        let Some(reading) = self.reading.take() else { return Ok(None) };
        match reading.await {
            Ok(done) => done.map(|()| None).map_err(Error::from),
            // A reader that panics has met what its authors have not: a damaged file.
            Err(_) => Err(Refusal::Unreadable.into()),
        }
    }
}
