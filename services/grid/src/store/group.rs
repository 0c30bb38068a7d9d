//! Group commit: writes of one district that wait anyway are written together, by one statement and one commit.
//!
//! All writers of a district wait for one row, the head of its change feed, until the commit before is on disk. Whoever has
//! the turn therefore takes along what came meanwhile. A write that comes alone does not wait for company.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use jingwei_kit::pg::{Failure, classify};
use sqlx::{PgConnection, PgPool};
use tokio::sync::{Mutex as Turn, OwnedMutexGuard, oneshot};

/// How many writes one statement takes at most.
const MOST: usize = 64;

/// What can be written together with others of its kind and district.
pub trait Entry: Send + Sync + Sized + 'static {
    /// What its writer learns.
    type Written: Send;

    /// Its district.
    fn district(&self) -> i32;

    /// Writes all or none, by one statement; answers in the order of the entries.
    fn write(
        connection: &mut PgConnection,
        entries: &[Self],
    ) -> impl Future<Output = sqlx::Result<Vec<Self::Written>>> + Send;
}

/// What all writers of a group are told when it fails as one.
pub type Shared<T> = Result<T, Arc<sqlx::Error>>;

/// The writers of one kind of entry.
pub struct Group<E: Entry> {
    pool: PgPool,
    lanes: Arc<Mutex<HashMap<i32, Arc<Lane<E>>>>>,
}

/// The writers of one district.
struct Lane<E: Entry> {
    turn: Arc<Turn<()>>,
    waiting: Mutex<Vec<Waiting<E>>>,
}

struct Waiting<E: Entry> {
    entry: E,
    writer: oneshot::Sender<Shared<E::Written>>,
}

impl<E: Entry> Group<E> {
    /// Writers to this database.
    pub fn new(pool: PgPool) -> Self {
        Self { pool, lanes: Arc::default() }
    }

    /// Writes an entry, alone or with others: what one of them is refused for does not touch the others. Once its turn has
    /// come it is written even where the caller is gone.
    ///
    /// # Errors
    /// Those of the statement; that the database cannot be reached is told to all who were written together.
    pub async fn write(&self, entry: E) -> Shared<E::Written> {
        let lane = self.lane(entry.district());
        let (writer, mut written) = oneshot::channel();
        lane.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(Waiting { entry, writer });
        tokio::select! {
            biased;
            done = &mut written => return done.unwrap_or_else(lost),
            turn = lane.turn.clone().lock_owned() => tokio::spawn(take_turn(self.pool.clone(), lane, turn)),
        };
        written.await.unwrap_or_else(lost)
    }

    fn lane(&self, district: i32) -> Arc<Lane<E>> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.entry(district).or_default().clone()
    }
}

/// Writes what waits, in a task of its own: a caller that goes away leaves the others their write.
async fn take_turn<E: Entry>(pool: PgPool, lane: Arc<Lane<E>>, _turn: OwnedMutexGuard<()>) {
    let (entries, writers): (Vec<E>, Vec<_>) = lane.take().into_iter().map(|w| (w.entry, w.writer)).unzip();
    match write(&pool, &entries).await {
        Ok(written) => {
            for (writer, written) in writers.into_iter().zip(written) {
                let _ = writer.send(Ok(written));
            }
        }
        // One of them may be at fault, so each gets an answer of its own.
        Err(error) if entries.len() > 1 && classify(&error) != Failure::Unavailable => {
            for (writer, entry) in writers.into_iter().zip(entries.chunks(1)) {
                let written = write(&pool, entry).await.map(|mut written| written.remove(0));
                let _ = writer.send(written.map_err(Arc::new));
            }
        }
        Err(error) => {
            let error = Arc::new(error);
            for writer in writers {
                let _ = writer.send(Err(error.clone()));
            }
        }
    }
}

async fn write<E: Entry>(pool: &PgPool, entries: &[E]) -> sqlx::Result<Vec<E::Written>> {
    E::write(&mut *pool.acquire().await?, entries).await
}

/// The task that had the entry ended without a word: it panicked.
fn lost<T>(_: oneshot::error::RecvError) -> Shared<T> {
    Err(Arc::new(sqlx::Error::WorkerCrashed))
}

impl<E: Entry> Lane<E> {
    /// The oldest that wait, but for those whose callers are gone.
    fn take(&self) -> Vec<Waiting<E>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|w| !w.writer.is_closed());
        let count = waiting.len().min(MOST);
        waiting.drain(..count).collect()
    }
}

impl<E: Entry> Default for Lane<E> {
    fn default() -> Self {
        Self { turn: Arc::default(), waiting: Mutex::default() }
    }
}

impl<E: Entry> Clone for Group<E> {
    fn clone(&self) -> Self {
        Self { pool: self.pool.clone(), lanes: self.lanes.clone() }
    }
}
