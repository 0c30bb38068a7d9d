//! What is measured: the suite's processes with all districts of Zhengzhou, filled with events, and sessions of the people in them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jingwei_bench::fill;
use jingwei_grid::seal::Keyring;
use jingwei_kit::clock::Clock;
use jingwei_kit::config::Secret;
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1::event_service_client::EventServiceClient;
use jingwei_tests::{DATA_KEYS, District, Error, Options, Processes, Session, session};
use sqlx::PgPool;
use tonic::transport::{Channel, Endpoint};
use uuid::Uuid;

/// How many HTTP/2 connections the callers share: one would make one task of each side do all the framing.
const CHANNELS: usize = 4;
/// How many events are known by name, for reads.
const SAMPLE: f64 = 20_000.0;

/// What chance begins with.
const SEED: u64 = 2024;

/// What the database is to hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    /// At least so many events.
    pub(crate) events: u64,
    /// Over how many days they are spread.
    pub(crate) days: u32,
    /// In how many of the districts people are at work, and have been where the database is yet to be filled.
    pub(crate) districts: usize,
}

/// The suite, filled.
pub(crate) struct Site {
    pub(crate) processes: Processes,
    pub(crate) districts: Vec<District>,
    /// Names of some events of each district, in no order.
    pub(crate) events: Vec<Arc<Vec<String>>>,
    pub(crate) pool: PgPool,
    folder: PathBuf,
    channels: Vec<Channel>,
    turn: AtomicUsize,
}

/// Somebody: a role and where it holds.
pub(crate) struct Person {
    /// The token.
    pub(crate) token: String,
    /// The token over a channel of the service.
    pub(crate) events: EventServiceClient<Session>,
}

impl Site {
    /// Starts the processes in the folder, and fills the database up to so many events where it has fewer.
    pub(crate) async fn start(folder: &Path, connections: usize, wanted: &Wanted) -> Result<Self, Error> {
        std::fs::create_dir_all(folder)?;
        let setting = |name: &str, value: String| (name.to_owned(), value);
        // Where the defaults are for a machine of 2003; what is durable stays durable.
        let postgres = [("shared_buffers", "2GB"), ("max_wal_size", "3GB"), ("checkpoint_timeout", "15min")];
        let options = Options {
            postgres: postgres.map(|(name, value)| setting(name, value.to_owned())).to_vec(),
            grid: vec![setting("DATABASE_CONNECTIONS", connections.to_string())],
            ..Options::new(folder)
        };
        let processes = Processes::start(options).await?;
        let (districts, pool) = (District::all(), PgPool::connect(&processes.database()).await?);
        if !folder.join("districts-made").exists() {
            for district in &districts {
                processes.set_up(district).await?;
            }
            std::fs::write(folder.join("districts-made"), "")?;
        }
        let address = format!("http://{}", processes.grids[0].address());
        let channels = (0..CHANNELS).map(|_| Ok(Endpoint::from_shared(address.clone())?.connect_lazy()));
        let channels = channels.collect::<Result<_, Error>>()?;
        let mut site = Self {
            processes,
            districts,
            events: Vec::new(),
            pool,
            folder: folder.to_owned(),
            channels,
            turn: AtomicUsize::new(0),
        };
        site.fill(wanted).await?;
        site.districts.truncate(wanted.districts);
        site.sample().await?;
        Ok(site)
    }

    /// Fills an empty database by the loader, while no service runs, so that no sweep meets half of it.
    async fn fill(&mut self, wanted: &Wanted) -> Result<(), Error> {
        let have = self.count().await?;
        if have >= wanted.events {
            return Ok(());
        }
        if have > 0 {
            let folder = self.folder.display();
            return Err(format!(
                "{folder} has {have} events already: give another folder for {}",
                wanted.events
            )
            .into());
        }
        for grid in &mut self.processes.grids {
            grid.stop().await?;
        }
        let options = fill::Options {
            events: wanted.events,
            districts: self.districts.iter().take(wanted.districts).map(|district| district.code).collect(),
            now: Clock::system().now(),
            days: wanted.days,
            seed: SEED,
            data_keys: Keyring::parse(&Secret::new(DATA_KEYS)).ok_or("the data keys are wrong")?,
        };
        eprintln!("{:?}", fill::fill(&self.processes.database(), &options).await?);
        for grid in &mut self.processes.grids {
            grid.start().await?;
        }
        self.processes.gateway.ready().await
    }

    /// Takes some events of each district, to read.
    async fn sample(&mut self) -> Result<(), Error> {
        let share = 100.0 * SAMPLE / (self.count().await? as f64).max(SAMPLE);
        let sql = "select id from event tablesample bernoulli ($1) where district = $2 order by random()";
        for district in &self.districts {
            let ids: Vec<Uuid> =
                sqlx::query_scalar(sql).bind(share).bind(district.code).fetch_all(&self.pool).await?;
            let names = ids.into_iter().map(|id| district.resource("events", &id.to_string()));
            self.events.push(Arc::new(names.collect()));
        }
        Ok(())
    }

    /// Where its data are.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// How many events there are.
    pub(crate) async fn count(&self) -> Result<u64, Error> {
        let count: i64 = sqlx::query_scalar("select coalesce(sum(last), 0)::bigint from case_day")
            .fetch_one(&self.pool)
            .await?;
        Ok(count.try_into()?)
    }

    /// Somebody at work, whose calls go through one of the channels.
    pub(crate) fn person(&self, role: Role, scope: &str) -> Result<Person, Error> {
        let subject = format!("{}-{scope}", role.as_str_name().to_lowercase());
        let token = self.processes.token(&subject, role, scope)?;
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let channel = &self.channels[turn % CHANNELS];
        Ok(Person { events: EventServiceClient::new(session(channel, &token)?), token })
    }

    /// A channel of the service, for other services than that of events.
    pub(crate) fn channel(&self) -> &Channel {
        &self.channels[0]
    }

    /// The machine, and what the database holds.
    pub(crate) async fn describe(&self) -> Result<String, Error> {
        let size: String = sqlx::query_scalar("select pg_size_pretty(pg_database_size(current_database()))")
            .fetch_one(&self.pool)
            .await?;
        let version: String =
            sqlx::query_scalar("select current_setting('server_version')").fetch_one(&self.pool).await?;
        let cores = std::thread::available_parallelism()?;
        Ok(format!("{} events, {size}; PostgreSQL {version}; {cores} cores", self.count().await?))
    }
}
