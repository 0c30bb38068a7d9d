//! The business-environment monitor (营商环境监督): who watches how a district treats its enterprises, and what comes of it.
//!
//! **Nouns** (`model`): unified social credit code (统一社会信用代码); issue (问题) with its rounds, clocks and level of supervision
//! (督办等级), transition; role (聘任角色), batch (批次), nomination (提名) and appointment (聘任) with its certificate (聘任证书),
//! composition report; observation (走访, 体验: visit, experience); item of market information (市场信息); transfer (移送) with its
//! sealed content and its receiver (移送对象), confidential report (机密举报); symposium (座谈会); duty (履职).
//!
//! **Invariants**: a code that stands is one whose both check digits are right. Each change of an issue is exactly one
//! transition, and replaying them gives the same deadlines; the table `model::issue::arcs` says who may do what from which state; what
//! nobody decides in time is accepted; a deadline moves only by an extension, or a pause, and by a pause's working time alone;
//! a monitor neither handles nor verifies what they raised. An appointment lasts whole days, both ends included, no longer than its role's
//! term; a renewal names what it renews and begins the day after it ends; a certificate is valid while its appointment is active.
//! The sum over the states of items is how many were collected; items and issues are many to many and counted apart; merges make no
//! circle, and all who collected what is behind an issue raise it.
//! What is sealed for a receiver comes and goes sealed: the service has nothing to open it with; two people sign a transfer, and
//! whom a confidential report is about learns nothing of it.
//!
//! **Who calls**: the gateway for front ends, internal systems directly. It calls nobody: its database is all it needs.
//!
//! `model` is pure: no I/O, no clock, no randomness; `store` is the only SQL; `api` has the handlers, `api::wire` translates;
//! `sweep` keeps the clocks.

pub mod api;
pub mod config;
pub mod error;
pub mod model;
pub mod store;
pub mod sweep;

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
pub struct Monitor {
    bound: Bound,
    sweep: sweep::Sweep,
    rules: config::Rules,
    stop: CancellationToken,
    /// What calls need besides: it runs until the last one has ended.
    _beside: DropGuard,
}

impl Monitor {
    /// Connects to the database, whose schema must be up to date, and listens.
    ///
    /// # Errors
    /// The database, the keys or the address cannot be had.
    pub async fn bind(
        config: Config,
        clock: Clock,
        stop: CancellationToken,
    ) -> Result<Self, Box<dyn StdError + Send + Sync>> {
        let Config { listen, database, keys, limits, rules } = config;
        let pool = database.connect().await?;
        let keys = Keys::load(keys, clock.clone()).await?;
        let ended = CancellationToken::new();
        tokio::spawn({
            let (keys, ended) = (keys.clone(), ended.clone());
            async move { ended.run_until_cancelled(keys.keep_fresh()).await }
        });
        let feed = Feed::start(pool.clone(), ended.clone());
        let core =
            api::Core { calendars: api::Calendars::new(pool.clone()), pool: pool.clone(), clock, feed };
        let server = Server::new(error::DOMAIN, limits, keys).database(pool);
        let bound = api::register(server, &core).bind(listen)?;
        let sweep = sweep::Sweep(core);
        Ok(Self { bound, sweep, rules, stop, _beside: ended.drop_guard() })
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
        let served = self.bound.run(self.stop.clone()).await;
        self.stop.cancel();
        sweeping.await?;
        Ok(served?)
    }
}
