//! What a kind of ledger is: its columns, how a row reads, how a batch of rows is checked and written.

use std::future::Future;

use jingwei_kit::status::{Problem, Violations};
use prost::Message;
use sqlx::PgConnection;

use crate::error::Error;
use crate::ledger::Row;
use crate::ledger::heading::{Column, Heading};

/// A kind of ledger.
pub(super) trait Table: Send + Sync + 'static {
    /// What a row says.
    type Record: Send;

    /// Its columns.
    const COLUMNS: &'static [Column];

    /// Whether its files are GeoJSON instead of tables.
    const GEOJSON: bool = false;

    /// What a row says, with violations for what is wrong with it by itself; `None` where it is not even known of what it
    /// speaks.
    ///
    /// # Errors
    /// A fault of ours.
    fn read(
        &self,
        heading: &Heading,
        row: &Row,
        violations: &mut Violations,
    ) -> Result<Option<Self::Record>, Problem>;

    /// Compares a batch with what is there, notes what is wrong with its rows, and writes those with nothing wrong. Later
    /// rows count over earlier ones of the same key.
    fn load(
        &self,
        conn: &mut PgConnection,
        heading: &Heading,
        lines: &mut [Line<Self::Record>],
    ) -> impl Future<Output = Result<(), Error>> + Send;
}

/// A row on its way through a batch.
pub(super) struct Line<R> {
    /// As it stands in the file.
    pub(super) row: Row,
    /// What it says.
    pub(super) record: Option<R>,
    /// What is wrong with it.
    pub(super) violations: Violations,
    /// What came of it where nothing is.
    pub(super) done: Done,
    /// What the change feed tells of it: resource names and encoded messages.
    pub(super) entries: Vec<(String, Vec<u8>)>,
}

/// What came of a good row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    /// It said what was there already.
    Unchanged,
    /// It made something.
    Created,
    /// It changed something.
    Changed,
}

impl<R> Line<R> {
    /// Whether nothing is wrong with it so far.
    pub(super) fn is_good(&self) -> bool {
        self.violations.is_empty() && self.record.is_some()
    }

    /// Notes why the single call would be refused.
    pub(super) fn refuse(&mut self, path: &str, error: Error) {
        refuse(&mut self.violations, path, error);
    }

    /// Notes what came of it, with the resource for the change feed.
    pub(super) fn wrote(&mut self, done: Done, name: String, message: &impl Message) {
        if self.done != Done::Created {
            self.done = done;
        }
        self.entries.push((name, message.encode_to_vec()));
    }
}

/// Notes why the single call would be refused: the same texts, at a column.
pub(super) fn refuse(violations: &mut Violations, path: &str, error: Error) {
    let problem = Problem::from(error);
    if problem.violations.is_empty() {
        violations.add(path, problem.reason, problem.zh, problem.en);
    }
    for violation in problem.violations {
        violations.add(violation.field, violation.rule, violation.zh, violation.en);
    }
}

/// The records of a batch that are of use, each with its line.
pub(super) fn records<R>(lines: &[Line<R>]) -> impl Iterator<Item = &R> {
    lines.iter().filter_map(|line| line.record.as_ref())
}
