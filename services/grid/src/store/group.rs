//! Group commit: calls of one district that wait anyway go to the database together, as one statement with one commit.
//!
//! All writers of a district wait for one row, the head of its change feed, until the commit before is on disk. Whoever has
//! the turn therefore takes along what came meanwhile; so do the readers on whose heels they follow. A call that comes alone
//! does not wait for company.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use jingwei_kit::pg::{Failure, SILENCE, bounded, classify};
use sqlx::{PgConnection, PgPool};
use tokio::sync::{Mutex as Turn, OwnedMutexGuard, oneshot};

/// How many calls one statement takes at most.
const MOST: usize = 64;

/// What can go to the database together with others of its kind and district.
pub trait Entry: Send + Sync + Sized + 'static {
    /// What its caller learns.
    type Answer: Send;

    /// Its district.
    fn district(&self) -> i32;

    /// Does all or none, by one statement; answers in the order of the entries. Of the arrays that it unnests one comes from a
    /// sub-select: its length, which differs with each call, would else make PostgreSQL plan each call anew.
    fn run(
        connection: &mut PgConnection,
        entries: &[Self],
    ) -> impl Future<Output = sqlx::Result<Vec<Self::Answer>>> + Send;
}

/// An answer; what failed as one is told to all.
pub type Shared<T> = Result<T, Arc<sqlx::Error>>;

/// The calls with one kind of entry.
pub struct Group<E: Entry> {
    pool: PgPool,
    lanes: Arc<Mutex<HashMap<i32, Arc<Lane<E>>>>>,
}

/// The calls of one district.
struct Lane<E: Entry> {
    turn: Arc<Turn<()>>,
    waiting: Mutex<Vec<Waiting<E>>>,
}

struct Waiting<E: Entry> {
    entry: E,
    caller: oneshot::Sender<Shared<E::Answer>>,
}

impl<E: Entry> Group<E> {
    /// Calls to this database.
    pub fn new(pool: PgPool) -> Self {
        Self { pool, lanes: Arc::default() }
    }

    /// Carries out an entry, alone or with others: what one of them is refused for does not touch the others. Once its turn has
    /// come it is carried out even where the caller is gone.
    ///
    /// # Errors
    /// Those of the statement; that the database cannot be reached is told to all whose turn it was.
    pub async fn run(&self, entry: E) -> Shared<E::Answer> {
        let lane = self.lane(entry.district());
        let (caller, mut answer) = oneshot::channel();
        lane.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(Waiting { entry, caller });
        tokio::select! {
            biased;
            done = &mut answer => return done.unwrap_or_else(lost),
            turn = lane.turn.clone().lock_owned() => tokio::spawn(take_turn(self.pool.clone(), lane, turn)),
        };
        answer.await.unwrap_or_else(lost)
    }

    fn lane(&self, district: i32) -> Arc<Lane<E>> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.entry(district).or_default().clone()
    }
}

/// Carries out what waits, in a task of its own: a caller that goes away leaves the others their answers.
async fn take_turn<E: Entry>(pool: PgPool, lane: Arc<Lane<E>>, _turn: OwnedMutexGuard<()>) {
    let (entries, callers): (Vec<E>, Vec<_>) = lane.take().into_iter().map(|w| (w.entry, w.caller)).unzip();
    match run(&pool, &entries).await {
        Ok(answers) => {
            for (caller, answer) in callers.into_iter().zip(answers) {
                let _ = caller.send(Ok(answer));
            }
        }
        // One of them may be at fault, so each gets an answer of its own.
        Err(error) if entries.len() > 1 && classify(&error) != Failure::Unavailable => {
            for (caller, entry) in callers.into_iter().zip(entries.chunks(1)) {
                let answer = run(&pool, entry).await.map(|mut answers| answers.remove(0));
                let _ = caller.send(answer.map_err(Arc::new));
            }
        }
        Err(error) => {
            let error = Arc::new(error);
            for caller in callers {
                let _ = caller.send(Err(error.clone()));
            }
        }
    }
}

async fn run<E: Entry>(pool: &PgPool, entries: &[E]) -> sqlx::Result<Vec<E::Answer>> {
    let mut connection = pool.acquire().await?;
    // The rest of the district waits behind it.
    bounded(SILENCE, E::run(&mut connection, entries)).await?
}

/// The index of the entry in the `place`th row, as `unnest … with ordinality` counts them: from 1.
///
/// # Panics
/// Where `place` is no such number.
pub(super) fn nth(place: i64) -> usize {
    usize::try_from(place - 1).expect("ordinality counts from 1")
}

/// The task that had the entry ended without a word: it panicked.
fn lost<T>(_: oneshot::error::RecvError) -> Shared<T> {
    Err(Arc::new(sqlx::Error::WorkerCrashed))
}

impl<E: Entry> Lane<E> {
    /// The oldest that wait, but for those whose callers are gone.
    fn take(&self) -> Vec<Waiting<E>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|w| !w.caller.is_closed());
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
