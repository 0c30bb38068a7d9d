//! Grid governance (网格化治理): areas, the people in them, and events from a report to a closed case.
//!
//! **Nouns** (`model`): area (区域) and its versions, department (职能部门), staff member and posting (派驻), contact card
//! (连心卡), category (事件类别) with limits, event (事件), transition, upload (上传) and attachment
//! (附件). The work calendar (工作日历) and its arithmetic are `jingwei_work_calendar`'s.
//!
//! **Invariants**: each change of an event is exactly one transition, chained by hashes; the table `model::arcs` says who may do
//! what from which state; a deadline moves only by an extension or a suspension; of two changes of one version one is
//! written; counts are folds over transitions; whatever is committed appears in the change feed, in the order of commits.
//!
//! **Who calls**: the gateway for front ends, internal systems directly. It calls nobody: its database is all it needs.
//!
//! `model` is pure; `store` is the only SQL; `api` has the handlers, `api::wire` translates; `files` has their bytes; `ledger`
//! reads and writes files of tables; `sweep` keeps the clocks; `gauges` tells how far behind they are; `seal` keeps telephone
//! numbers from whoever reads the database.

pub mod api;
pub mod config;
pub mod error;
pub mod files;
pub mod gauges;
pub mod ledger;
pub mod model;
pub mod recount;
pub mod seal;
pub mod store;
pub mod sweep;
pub mod tidy;

use std::error::Error as StdError;
use std::net::SocketAddr;

use jingwei_kit::clock::Clock;
use jingwei_kit::keys::Keys;
use jingwei_kit::outbox::Feed;
use jingwei_kit::pg::Database;
use jingwei_kit::serve::{Bound, Server};
use sqlx::migrate::Migrator;
use tokio_util::sync::{CancellationToken, DropGuard};

use config::Config;

/// The schema's history.
pub static MIGRATIONS: Migrator = sqlx::migrate!();

/// Brings the schema of a database up to date; of several at once one does it and the others wait.
///
/// # Errors
/// The database cannot be reached, or a migration failed.
pub async fn migrate(database: &Database) -> Result<(), sqlx::Error> {
    database.migrate(&MIGRATIONS).await
}

/// A service that listens, and answers once it runs.
pub struct Grid {
    bound: Bound,
    sweep: sweep::Sweep,
    tidy: tidy::Tidy,
    gauges: gauges::Gauges,
    rules: config::Rules,
    stop: CancellationToken,
    /// What calls need besides: it runs until the last one has ended.
    _beside: DropGuard,
}

impl Grid {
    /// Connects to the database, whose schema must be up to date, and listens.
    ///
    /// # Errors
    /// The database, the keys or the address cannot be had.
    pub async fn bind(
        config: Config,
        clock: Clock,
        stop: CancellationToken,
    ) -> Result<Self, Box<dyn StdError + Send + Sync>> {
        let Config { listen, database, keys, data_keys, limits, rules, files } = config;
        let pool = database.connect().await?;
        let folder = files.folder();
        let files = files::Files::open(&files)?;
        let keys = Keys::load(keys, clock.clone()).await?;
        let ended = CancellationToken::new();
        tokio::spawn({
            let (keys, ended) = (keys.clone(), ended.clone());
            async move { ended.run_until_cancelled(keys.keep_fresh()).await }
        });
        let feed = Feed::start(pool.clone(), ended.clone());
        let deadlines = api::deadlines::Deadlines::new(pool.clone());
        let sweep = sweep::Sweep {
            pool: pool.clone(),
            clock: clock.clone(),
            feed: feed.clone(),
            deadlines: deadlines.clone(),
        };
        let tidy = tidy::Tidy { pool: pool.clone(), clock: clock.clone(), files: files.clone() };
        let gauges =
            gauges::Gauges { pool: pool.clone(), clock: clock.clone(), folder, feed_kept: rules.feed_kept };
        let server = Server::new(error::DOMAIN, limits, keys).database(pool.clone());
        let core = api::Core { pool, clock, feed };
        let parts = api::Parts { deadlines, data_keys, files };
        let bound = api::register(server, &core, parts, &rules).bind(listen)?;
        Ok(Self { bound, sweep, tidy, gauges, rules, stop, _beside: ended.drop_guard() })
    }

    /// The address, with its port.
    pub fn address(&self) -> SocketAddr {
        self.bound.address()
    }

    /// Serves and sweeps until told to stop, then drains.
    ///
    /// # Errors
    /// The transport failed.
    pub async fn run(self) -> Result<(), Box<dyn StdError + Send + Sync>> {
        let sweeping = tokio::spawn(self.sweep.run(self.rules, self.stop.clone()));
        let tidying = tokio::spawn(self.tidy.run(self.stop.clone()));
        let measuring = tokio::spawn(self.gauges.run(self.stop.clone()));
        let served = self.bound.run(self.stop.clone()).await;
        self.stop.cancel();
        sweeping.await?;
        tidying.await?;
        measuring.await?;
        Ok(served?)
    }
}
