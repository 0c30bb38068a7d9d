//! The change feed: changes are written with what they change, and streamed in the order of their commits.
//!
//! Tables (repeated in each service's first migration):
//!
//! ```sql
//! create table feed_head (district integer primary key, seq bigint not null);
//! create table outbox (
//!   district integer not null, seq bigint not null, resource text not null, payload bytea not null,
//!   create_time timestamptz not null, primary key (district, seq)
//! );
//! ```
//!
//! A district's numbers are dense: 1, 2, 3 … A number is taken by locking the district's row in `feed_head` until the
//! commit, so a later number cannot commit before an earlier one, and one that is rolled back is given out again.
//! That lock is why [`append`] comes last in a transaction.
//!
//! [`trim`] forgets old changes, the first ones first and never the last one: so a reader who is too far behind finds a
//! gap instead of silence, and is told.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use futures::Stream;
use sqlx::{PgExecutor, PgPool, postgres::PgListener};
use time::OffsetDateTime;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tonic::Code;

use crate::pg::{SILENCE, bounded};
use crate::status::{Problem, invalid, reason};

/// The statement of [`append`], for a service that puts it into a CTE of its own: $1 district, $2 resource, $3 payload, $4 time.
pub const APPEND: &str = "with head as (
  insert into feed_head as h (district, seq) values ($1, 1) on conflict (district) do update set seq = h.seq + 1 returning seq
) insert into outbox (district, seq, resource, payload, create_time) select $1, seq, $2, $3, $4 from head returning seq";

/// How many changes one call of [`trim`] forgets at most.
pub const TRIMMED: u64 = 1000;

/// Looks at the first row only, where that is to be kept. `for update` in the order of the key: two at the same time wait
/// for each other instead of locking crosswise.
const TRIM: &str = "with oldest as materialized (
  select seq, create_time from outbox
  where district = $1 and seq < (select seq from feed_head where district = $1)
    and (select create_time from outbox where district = $1 order by seq limit 1) < $2
  order by seq limit 1000 for update
), kept as (select min(seq) as seq from oldest where create_time >= $2)
delete from outbox where district = $1
  and seq = any(array(select o.seq from oldest o cross join kept k where o.seq < k.seq or k.seq is null))";

const CHANNEL: &str = "jingwei_feed";
const BATCH: i64 = 100;
/// How often a stream looks by itself, should a wake-up be lost.
const POLL: Duration = Duration::from_secs(1);

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Change {
    /// The district.
    pub district: i32,
    /// Its place in the district's order, from 1, without gaps.
    pub seq: i64,
    /// The name of what changed.
    pub resource: String,
    /// An encoded message of the service.
    pub payload: Vec<u8>,
    /// When.
    pub create_time: OffsetDateTime,
}

impl Change {
    /// The token that a stream resumes with after this change.
    pub fn token(&self) -> String {
        token(self.district, self.seq)
    }
}

/// Adds a change to the feed, as late in the transaction as possible; returns its number. Call [`Feed::wake`] after the commit.
pub async fn append(
    connection: impl PgExecutor<'_>,
    district: i32,
    resource: &str,
    payload: &[u8],
    now: OffsetDateTime,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(APPEND)
        .bind(district)
        .bind(resource)
        .bind(payload)
        .bind(now)
        .fetch_one(connection)
        .await
}

/// Forgets the district's changes from before `before`, at most [`TRIMMED`] of them; returns how many. What came after one
/// that is kept is kept, and the district's last change always is.
pub async fn trim(
    connection: impl PgExecutor<'_>,
    district: i32,
    before: OffsetDateTime,
) -> Result<u64, sqlx::Error> {
    Ok(sqlx::query(TRIM).bind(district).bind(before).execute(connection).await?.rows_affected())
}

/// The token of a place in a district's order.
pub fn token(district: i32, seq: i64) -> String {
    BASE64_URL_SAFE_NO_PAD.encode([&district.to_be_bytes()[..], &seq.to_be_bytes()].concat())
}

/// The place that `text` names. Errors: INVALID_ARGUMENT naming `field` where it is no token of this district.
pub fn place(field: &str, text: &str, district: i32) -> Result<i64, Problem> {
    let seq = || {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let (own, seq) = bytes.split_first_chunk::<4>()?;
        let seq = i64::from_be_bytes(seq.try_into().ok()?);
        (i32::from_be_bytes(*own) == district && seq >= 0).then_some(seq)
    };
    seq().ok_or_else(|| {
        invalid(field, "resume_token", "不是该区县的续传标记", "is not a resume token of this district")
    })
}

/// The feed of one service. Clones share one LISTEN connection per process.
#[derive(Clone)]
pub struct Feed {
    pool: PgPool,
    wakes: mpsc::UnboundedSender<i32>,
    districts: Arc<Mutex<HashMap<i32, watch::Sender<()>>>>,
}

impl Feed {
    /// Starts listening, and telling every process of wake-ups, until `stop`.
    pub fn start(pool: PgPool, stop: CancellationToken) -> Self {
        let (wakes, woken) = mpsc::unbounded_channel();
        let feed = Self { pool, wakes, districts: Arc::default() };
        let (listener, notifier) = (feed.clone(), feed.pool.clone());
        let stopped = stop.clone();
        tokio::spawn(async move { stopped.run_until_cancelled(listener.listen()).await });
        tokio::spawn(async move { stop.run_until_cancelled(notify(notifier, woken)).await });
        feed
    }

    /// Says that a change of `district` was committed: streams of this process and of the others look now instead of at
    /// their next poll. Outside the transaction, because NOTIFY in one makes all commits of the database queue up.
    pub fn wake(&self, district: i32) {
        // Closed only when the process is stopping; streams of others poll.
        self.wakes.send(district).ok();
    }

    /// The number of the district's last change; 0 where there is none.
    pub async fn head(&self, district: i32) -> Result<i64, sqlx::Error> {
        let head = sqlx::query_scalar("select seq from feed_head where district = $1").bind(district);
        Ok(head.fetch_optional(&self.pool).await?.unwrap_or(0))
    }

    /// The changes after number `after`, in order and without gaps, for as long as the stream is read.
    ///
    /// Errors end it: those of the database, and OUT_OF_RANGE where the feed does not reach back to `after`, or not yet up to it.
    pub fn stream(
        &self,
        district: i32,
        after: i64,
    ) -> impl Stream<Item = Result<Change, Problem>> + Send + 'static {
        let reader = Reader {
            feed: self.clone(),
            woken: self.watch(district),
            district,
            after,
            batch: Vec::new().into_iter(),
            begun: false,
        };
        futures::stream::try_unfold(reader, async |mut reader| Ok(Some((reader.next().await?, reader))))
    }

    fn watch(&self, district: i32) -> watch::Receiver<()> {
        let mut districts = self.districts.lock().unwrap_or_else(PoisonError::into_inner);
        districts.entry(district).or_default().subscribe()
    }

    fn look(&self, district: i32) {
        if let Some(streams) = self.districts.lock().unwrap_or_else(PoisonError::into_inner).get(&district) {
            streams.send_replace(());
        }
    }

    async fn listen(self) {
        loop {
            if let Err(error) = self.hear().await {
                tracing::warn!(error = %error, "lost the feed's wake-ups; streams poll meanwhile");
            }
            tokio::time::sleep(POLL).await;
        }
    }

    async fn hear(&self) -> Result<(), sqlx::Error> {
        let mut listener = PgListener::connect_with(&self.pool).await?;
        listener.listen(CHANNEL).await?;
        loop {
            // Where none comes for long, that may be because the connection is silent for ever.
            let Ok(wake) = tokio::time::timeout(SILENCE, listener.recv()).await else {
                bounded(SILENCE, sqlx::query("select 1").execute(&mut listener)).await??;
                continue;
            };
            if let Ok(district) = wake?.payload().parse() {
                self.look(district);
            }
        }
    }
}

/// Tells every process, one statement for all districts that were woken meanwhile.
async fn notify(pool: PgPool, mut woken: mpsc::UnboundedReceiver<i32>) {
    let mut districts = Vec::new();
    while woken.recv_many(&mut districts, 1000).await > 0 {
        districts.sort_unstable();
        districts.dedup();
        let sql = "select pg_notify($1, district::text) from unnest($2::integer[]) as district";
        let told = bounded(SILENCE, sqlx::query(sql).bind(CHANNEL).bind(&districts).execute(&pool));
        if let Err(error) = told.await.flatten() {
            tracing::warn!(error = %error, "cannot wake the streams; they poll");
        }
        districts.clear();
    }
}

/// One stream's place in the feed.
struct Reader {
    feed: Feed,
    woken: watch::Receiver<()>,
    district: i32,
    after: i64,
    batch: std::vec::IntoIter<Change>,
    begun: bool,
}

impl Reader {
    async fn next(&mut self) -> Result<Change, Problem> {
        if !self.begun {
            let head = self.feed.head(self.district).await?;
            if self.after > head {
                return Err(out_of_range(self.after, head));
            }
            self.begun = true;
        }
        loop {
            if let Some(change) = self.batch.next() {
                if change.seq != self.after + 1 {
                    return Err(out_of_range(self.after, change.seq));
                }
                self.after = change.seq;
                return Ok(change);
            }
            // Seen before the read: a wake-up during the read makes the wait below return at once.
            self.woken.borrow_and_update();
            self.batch = self.read().await?.into_iter();
            if self.batch.len() == 0 {
                // Woken or not: look.
                tokio::time::timeout(POLL, self.woken.changed()).await.ok();
            }
        }
    }

    async fn read(&self) -> Result<Vec<Change>, sqlx::Error> {
        let sql = "select district, seq, resource, payload, create_time from outbox where district = $1 and seq > $2 order by seq limit $3";
        let query = sqlx::query_as(sql).bind(self.district).bind(self.after).bind(BATCH);
        bounded(SILENCE, query.fetch_all(&self.feed.pool)).await?
    }
}

fn out_of_range(after: i64, found: i64) -> Problem {
    let (zh, en) = (
        "续传标记已失效，请重新读取后从头接收",
        "the resume token no longer holds: read everything again and start anew",
    );
    Problem::new(Code::OutOfRange, reason::FEED_TOKEN_EXPIRED, zh, en)
        .with("after", after)
        .with("found", found)
}
