//! An import under way: rows from the file into batches, batches into the database, news to the caller.
//!
//! A file is read as often as it is gone through, by a thread of its own; never more than a batch of it is in memory.

use jingwei_kit::caller::Caller;
use jingwei_kit::etag;
use jingwei_kit::idempotency::{Key, answered, once};
use jingwei_kit::status::Violations;
use jingwei_proto::grid::v1 as pb;
use sqlx::PgConnection;
use tempfile::NamedTempFile;
use tokio::sync::mpsc;
use tonic::Status;
use uuid::Uuid;

use super::News;
use super::source::Source;
use super::table::{Done, Line, Table};
use super::told;
use crate::api::Core;
use crate::api::wire::name;
use crate::error::Error;
use crate::ledger::heading::Heading;
use crate::store::batch::{self, Entries};

/// The most rows of a batch, and about how many bytes of text.
const BATCH_ROWS: usize = 1000;
const BATCH_BYTES: usize = 4 << 20;
/// News that may wait for a caller who reads slowly.
const WAITING: usize = 64;
/// Entries of the change feed that are moved at once.
const MOVED: i64 = 20_000;

/// One import.
pub(super) struct Run {
    core: Core,
    district: i32,
    mode: pb::ImportMode,
    dry: bool,
    key: Key,
    /// Whether the caller gave the key's id.
    keyed: bool,
    file: NamedTempFile,
}

/// How a file is gone through in one transaction.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// To be rolled back.
    Trial,
    /// To be committed, after a trial without a bad row.
    Whole,
}

impl Run {
    pub(super) fn new(
        core: Core,
        caller: &Caller,
        district: i32,
        request: &pb::ImportRowsRequest,
        file: NamedTempFile,
    ) -> Result<Self, Error> {
        let keyed = !request.request_id.is_empty();
        let id = if keyed { name::read_uuid("request_id", &request.request_id)? } else { core.clock.id() };
        let key = Key::of(district, &caller.subject, id, "ImportRows", request);
        Ok(Self { core, district, mode: request.mode(), dry: request.dry_run, key, keyed, file })
    }

    /// Reads the header, and goes on in a task of its own.
    pub(super) async fn start<T: Table>(self, table: T) -> Result<News, Error> {
        let (sender, receiver) = mpsc::channel(WAITING);
        if self.keyed
            && let Some(summary) = answered::<pb::ImportSummary>(&self.core.pool, &self.key).await?
        {
            let _ = sender.try_send(Ok(told::summary(summary)));
            return Ok(News::new(receiver));
        }
        self.open::<T>().await?;
        tokio::spawn(async move {
            let mut out = Out { sender, summary: pb::ImportSummary::default() };
            let done = self.whole(&table, &mut out).await;
            let last = done.map(told::summary).map_err(Status::from);
            // Nobody hears it where the caller is gone.
            let _ = out.sender.send(last).await;
        });
        Ok(News::new(receiver))
    }

    async fn open<T: Table>(&self) -> Result<(Heading, Source), Error> {
        let file = self.file.reopen().map_err(|error| jingwei_kit::status::internal(&error))?;
        Source::open(file, T::COLUMNS, T::GEOJSON).await
    }

    async fn whole<T: Table>(&self, table: &T, out: &mut Out) -> Result<pb::ImportSummary, Error> {
        if self.dry {
            return self.trial(table, out).await;
        }
        if self.mode == pb::ImportMode::SkipBadRows {
            self.batches(table, out).await?;
            let summary = pb::ImportSummary { written: true, ..out.summary };
            if self.keyed {
                let now = self.core.clock.now();
                return once(&self.core.pool, &self.key, now, async |_: &mut PgConnection| {
                    Ok::<_, Error>(summary)
                })
                .await;
            }
            return Ok(summary);
        }
        let tried = self.trial(table, out).await?;
        if tried.bad_rows > 0 {
            return Ok(tried);
        }
        out.summary = pb::ImportSummary::default();
        let summary =
            once(&self.core.pool, &self.key, self.core.clock.now(), async |conn: &mut PgConnection| {
                self.pass(table, Pass::Whole, conn, out).await?;
                Ok::<_, Error>(pb::ImportSummary { written: true, ..out.summary })
            });
        let summary = summary.await?;
        self.core.feed.wake(self.district);
        Ok(summary)
    }

    async fn trial<T: Table>(&self, table: &T, out: &mut Out) -> Result<pb::ImportSummary, Error> {
        let mut transaction = self.core.pool.begin().await?;
        self.pass(table, Pass::Trial, &mut transaction, out).await?;
        transaction.rollback().await?;
        Ok(out.summary)
    }

    /// Goes through the file in the caller's transaction.
    async fn pass<T: Table>(
        &self,
        table: &T,
        pass: Pass,
        conn: &mut PgConnection,
        out: &mut Out,
    ) -> Result<(), Error> {
        batch::lock(conn, self.district).await?;
        let (heading, mut source) = self.open::<T>().await?;
        let (import, mut kept) = (self.core.clock.id(), 0);
        loop {
            let mut lines = next(table, &heading, &mut source).await?;
            if lines.is_empty() {
                break;
            }
            table.load(conn, &heading, &mut lines).await?;
            if pass == Pass::Whole {
                // What the trial found good is bad now: somebody else has changed something.
                if lines.iter().any(|line| !line.is_good()) {
                    return Err(etag::mismatch(1).into());
                }
                kept += self.keep(conn, import, kept, &mut lines).await?;
            }
            out.tell(&heading, lines).await?;
        }
        let mut told = 0;
        while told < kept {
            told += batch::tell_kept(conn, self.district, import, told, MOVED, self.core.clock.now()).await?;
        }
        Ok(())
    }

    async fn keep<R>(
        &self,
        conn: &mut PgConnection,
        import: Uuid,
        before: i64,
        lines: &mut [Line<R>],
    ) -> Result<i64, Error> {
        let entries = entries(lines);
        batch::keep(conn, self.district, import, before, &entries).await?;
        Ok(i64::try_from(entries.resources.len()).unwrap_or(i64::MAX))
    }

    async fn batches<T: Table>(&self, table: &T, out: &mut Out) -> Result<(), Error> {
        let (heading, mut source) = self.open::<T>().await?;
        loop {
            let mut lines = next(table, &heading, &mut source).await?;
            if lines.is_empty() {
                return Ok(());
            }
            let mut transaction = self.core.pool.begin().await?;
            batch::lock(&mut transaction, self.district).await?;
            table.load(&mut transaction, &heading, &mut lines).await?;
            let entries = entries(&mut lines);
            batch::tell(&mut transaction, self.district, &entries, self.core.clock.now()).await?;
            transaction.commit().await?;
            self.core.feed.wake(self.district);
            out.tell(&heading, lines).await?;
        }
    }
}

/// The next rows of the file, read.
async fn next<T: Table>(
    table: &T,
    heading: &Heading,
    source: &mut Source,
) -> Result<Vec<Line<T::Record>>, Error> {
    let (mut lines, mut bytes) = (Vec::new(), 0);
    while lines.len() < BATCH_ROWS && bytes < BATCH_BYTES {
        let Some(row) = source.next().await? else { break };
        bytes += row.cells.iter().map(String::len).sum::<usize>();
        let mut violations = Violations::new();
        let readable = told::faults(heading, &row, &mut violations);
        let record = if readable { table.read(heading, &row, &mut violations)? } else { None };
        lines.push(Line { row, record, violations, done: Done::Unchanged, entries: Vec::new() });
        if lines.len() % 32 == 0 {
            // Rules take a while: others may have the thread in between.
            tokio::task::yield_now().await;
        }
    }
    Ok(lines)
}

/// Takes what the change feed tells of a batch.
fn entries<R>(lines: &mut [Line<R>]) -> Entries {
    let mut entries = Entries::default();
    for (resource, payload) in lines.iter_mut().flat_map(|line| line.entries.drain(..)) {
        entries.resources.push(resource);
        entries.payloads.push(payload);
    }
    entries
}

/// Where news goes.
struct Out {
    sender: mpsc::Sender<Result<pb::ImportRowsResponse, Status>>,
    summary: pb::ImportSummary,
}

impl Out {
    /// Tells of a batch: each bad row, then how far it is.
    async fn tell<R>(&mut self, heading: &Heading, lines: Vec<Line<R>>) -> Result<(), Error> {
        for line in lines {
            self.summary.rows += 1;
            match line.done {
                _ if !line.violations.is_empty() => {
                    self.summary.bad_rows += 1;
                    self.send(told::bad_row(heading, &line.row, line.violations)).await?;
                }
                Done::Unchanged => self.summary.unchanged_rows += 1,
                Done::Created => self.summary.created_rows += 1,
                Done::Changed => self.summary.changed_rows += 1,
            }
        }
        self.send(told::progress(&self.summary)).await
    }

    /// Errors: nobody listens any more; there is no use in going on, nor anybody to tell.
    async fn send(&self, news: pb::ImportRowsResponse) -> Result<(), Error> {
        let gone = |_| {
            jingwei_kit::status::Problem::new(
                tonic::Code::Cancelled,
                "DEADLINE_EXCEEDED",
                "调用已取消",
                "the call was cancelled",
            )
        };
        self.sender.send(Ok(news)).await.map_err(|error| gone(error).into())
    }
}
