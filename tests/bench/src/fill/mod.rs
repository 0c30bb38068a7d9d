//! Fills a database with the work of years: the rows that the API would have written, made by the service's own code and sent by COPY.
//!
//! What happens is drawn at random (`life`), put in the order of time (`history`) and decided by the service's rules (`step`); nothing
//! here knows what an action does. Indexes and foreign keys are taken away before and made again after (`catalogue`).

pub mod catalogue;
pub mod copy;
pub mod days;
pub mod fold;
pub mod history;
pub mod life;
pub mod reference;
pub mod rows;
pub mod step;
mod texts;

use std::sync::Mutex;
use std::time::Instant;

use jingwei_grid::config::Rules;
use jingwei_grid::model::refusal::Refusal;
use jingwei_grid::seal::Keyring;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use time::{Duration, OffsetDateTime};

use days::Days;
use history::{History, Left};
use life::Midwife;
use reference::District;
use rows::{Kept, Rows, days_back};

/// How many districts are lived through at a time.
const WORKERS: usize = 2;
/// Of the events of the last days, how many stand still half-way: with that, one in fifty of a year's is open.
const STUCK: f64 = 0.4;

/// What to fill a database with.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many events, over all districts.
    pub events: u64,
    /// The districts to fill; every one that has areas, categories, departments and a calendar where empty.
    pub districts: Vec<i32>,
    /// The present: nothing happens after it.
    pub now: OffsetDateTime,
    /// Over how many days up to now the reports are spread, at least 1.
    pub days: u32,
    /// What chance begins with: the same gives the same rows, but for what reporters' numbers are sealed with.
    pub seed: u64,
    /// What the service that will run on the database seals numbers with.
    pub data_keys: Keyring,
}

/// What a database was filled with.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filled {
    /// Events.
    pub events: u64,
    /// Their transitions.
    pub transitions: u64,
    /// Entries of the change feed that would still be there.
    pub feed: u64,
    /// Answers to requests that would still be there.
    pub answers: u64,
    /// Counters.
    pub counters: u64,
    /// How long it took, with indexes and statistics for the planner.
    pub seconds: f64,
}

/// Why a database was not filled. It is then of no use: make a new one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The service would not take what was to happen.
    #[error("the service would refuse it: {0}")]
    Refused(String),
    /// Something is not what it has to be.
    #[error("{0} does not read")]
    Corrupt(&'static str),
    /// There are events already.
    #[error("the database has events already: fill an empty one")]
    NotEmpty,
    /// There is no district that could have events.
    #[error("no district has areas, categories, departments and a calendar")]
    NoDistrict,
    /// A part of the work came to an end that it should not have.
    #[error("a task failed: {0}")]
    Task(#[from] tokio::task::JoinError),
}

impl From<jingwei_grid::error::Error> for Error {
    fn from(error: jingwei_grid::error::Error) -> Self {
        Self::Refused(format!("{error:?}"))
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(format!("{refusal:?}"))
    }
}

/// Fills a database that has the schema and reference data, and no event.
///
/// # Errors
/// There is nothing to fill, the database fails, or a rule does not allow what was drawn: the database is then half-filled and
/// without its indexes.
pub async fn fill(database_url: &str, options: &Options) -> Result<Filled, Error> {
    let start = Instant::now();
    let pool = connect(database_url).await?;
    let exists: bool = sqlx::query_scalar("select exists (select from event)").fetch_one(&pool).await?;
    if exists {
        return Err(Error::NotEmpty);
    }
    let districts = prepare(&pool, options).await?;
    tell(start, "reference data read");
    let taken = catalogue::take_away(&pool).await?;
    let mut filled = write_all(&pool, options, districts).await?;
    tell(start, "rows written");
    taken.bring_back(&pool).await?;
    tell(start, "indexes and foreign keys made");
    catalogue::settle(&pool).await?;
    filled.seconds = start.elapsed().as_secs_f64();
    tell(start, "vacuumed and analyzed");
    Ok(filled)
}

/// Says how far it is: a fill takes minutes.
fn tell(start: Instant, what: &str) {
    println!("fill: {:>6.1} s {what}", start.elapsed().as_secs_f64());
}

async fn connect(database_url: &str) -> Result<PgPool, Error> {
    let options: PgConnectOptions = database_url.parse()?;
    let options = options.options([
        ("statement_timeout", "0"),
        ("synchronous_commit", "off"),
        ("maintenance_work_mem", "512MB"),
        ("max_parallel_maintenance_workers", "1"),
        ("work_mem", "256MB"),
    ]);
    let connections = (WORKERS * rows::TABLES.len() + 4) as u32;
    Ok(PgPoolOptions::new().max_connections(connections).connect_with(options).await?)
}

/// The districts to fill, with reference data older than the first event.
///
/// # Errors
/// There is none, or the database fails.
pub async fn prepare(pool: &PgPool, options: &Options) -> Result<Vec<District>, Error> {
    let start = days_back(options.now, options.days).0.midnight().assume_utc() - Duration::days(2);
    let wanted = |code: &i32| options.districts.is_empty() || options.districts.contains(code);
    let codes: Vec<i32> = sqlx::query_scalar("select district from work_calendar").fetch_all(pool).await?;
    let codes: Vec<i32> = codes.into_iter().filter(wanted).collect();
    reference::age(pool, &codes, start).await?;
    let mut districts = reference::read(pool, options.now, options.seed).await?;
    districts.retain(|district| wanted(&district.code));
    if districts.is_empty() { Err(Error::NoDistrict) } else { Ok(districts) }
}

impl Options {
    /// From when on the service would still keep changes and answers, with its default settings.
    #[must_use]
    pub fn kept(&self) -> Kept {
        let rules = Rules::default();
        Kept { feed_since: self.now - rules.feed_kept, answers_since: self.now - rules.answers_kept }
    }

    /// The history of one of these districts, with its share of the events.
    #[must_use]
    pub fn history<'a>(&'a self, district: &'a District, events: u64) -> History<'a> {
        let seed = self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(district.code.unsigned_abs());
        let midwife = Midwife {
            district,
            random: fastrand::Rng::with_seed(seed),
            ids_since: self.kept().answers_since - Duration::HOUR,
            stuck_since: self.now - Duration::days(self.days.into()) / 25,
            stuck: STUCK,
        };
        let first = days_back(self.now, self.days.saturating_sub(1)).0;
        History::new(district, &self.data_keys, midwife, Days::new(first, self.now, events), self.now)
    }
}

/// How many events each of so many districts gets: the first one about three times as many as the last.
#[must_use]
pub fn shares(events: u64, districts: usize) -> Vec<u64> {
    let weight = |place: usize| 1.0 / (1.0 + 2.0 * place as f64 / districts as f64);
    let all: f64 = (0..districts).map(weight).sum();
    let mut given = 0;
    let mut upto = 0.0;
    let share = |place| {
        upto += weight(place) / all;
        let share = (events as f64 * upto).round() as u64 - given;
        given += share;
        share
    };
    (0..districts).map(share).collect()
}

/// Lives through the districts, a few at a time, each worker with its own streams into the tables.
async fn write_all(pool: &PgPool, options: &Options, districts: Vec<District>) -> Result<Filled, Error> {
    let shares = shares(options.events, districts.len());
    // The biggest last: it is taken first.
    let queue: Vec<(District, u64)> = districts.into_iter().zip(shares).rev().collect();
    let queue = std::sync::Arc::new(Mutex::new(queue));
    let mut workers = Vec::new();
    let mut arrivals = Vec::new();
    for _ in 0..WORKERS {
        let (rows, tasks) = Rows::into_tables(pool, options.kept());
        arrivals.extend(tasks);
        let (queue, options) = (queue.clone(), options.clone());
        workers.push(tokio::task::spawn_blocking(move || live(&queue, &options, rows)));
    }
    let mut filled = Filled::default();
    let mut all = Vec::new();
    for worker in workers {
        let (told, left) = worker.await??;
        filled.add(&told);
        all.extend(left);
    }
    for arrival in arrivals {
        arrival.await??;
    }
    for (district, left) in all {
        write_left(pool, district, left).await?;
    }
    Ok(filled)
}

/// Lives through districts until there are no more.
fn live(
    queue: &Mutex<Vec<(District, u64)>>,
    options: &Options,
    mut rows: Rows,
) -> Result<(Filled, Vec<(i32, Left)>), Error> {
    let mut all = Vec::new();
    let next = || queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop();
    while let Some((district, events)) = next() {
        let mut history = options.history(&district, events);
        while history.step(&mut rows)?.is_some() {}
        all.push((district.code, history.finish(&mut rows)));
    }
    Ok((rows.told(), all))
}

async fn write_left(pool: &PgPool, district: i32, left: Left) -> Result<(), Error> {
    let (days, last): (Vec<_>, Vec<_>) = left.case_days.into_iter().unzip();
    let days_sql =
        "insert into case_day (district, day, last) select $1, * from unnest($2::date[], $3::integer[])";
    sqlx::query(days_sql).bind(district).bind(days).bind(last).execute(pool).await?;
    for head in [
        "insert into feed_head as h (district, seq) values ($1, $2) on conflict (district) do update set seq = excluded.seq",
        "insert into statistic_head as h (district, seq) values ($1, $2) on conflict (district) do update set seq = excluded.seq",
    ] {
        sqlx::query(head).bind(district).bind(left.seq).execute(pool).await?;
    }
    Ok(())
}

impl Filled {
    fn add(&mut self, other: &Filled) {
        self.events += other.events;
        self.transitions += other.transitions;
        self.feed += other.feed;
        self.answers += other.answers;
        self.counters += other.counters;
    }
}
