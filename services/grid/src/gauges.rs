//! Gauges: how far the service's own work is behind, and what it fills. Looked at apart from what does the work, so that a
//! standstill shows; what is of the database is told alike by every replica.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jingwei_kit::clock::Clock;
use jingwei_kit::pg::bounded;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::store::backlog::{self, Backlog};

/// How often.
const INTERVAL: Duration = Duration::from_secs(10);

/// What is looked at.
#[derive(Clone)]
pub struct Gauges {
    /// The database.
    pub pool: PgPool,
    /// The time.
    pub clock: Clock,
    /// Where files are, where that is a folder.
    pub folder: Option<PathBuf>,
    /// How long the change feed is kept.
    pub feed_kept: Duration,
}

impl Gauges {
    /// Looks every ten seconds until `stop`. What cannot be read keeps the value that it had.
    pub async fn run(self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            if let Err(error) = bounded(INTERVAL, self.once()).await.map_err(Error::from).flatten() {
                tracing::debug!(?error, "the backlog cannot be read");
            }
        }
    }

    /// Looks once.
    ///
    /// # Errors
    /// The database fails.
    pub async fn once(&self) -> Result<(), Error> {
        if let Some(folder) = &self.folder {
            room(folder);
        }
        metrics::gauge!("grid_feed_kept_seconds").set(self.feed_kept);
        let now = self.clock.now();
        let seconds = |backlog: &Backlog| backlog.oldest.map_or(0.0, |t| (now - t).as_seconds_f64().max(0.0));
        let due = backlog::due(&self.pool, now).await?;
        metrics::gauge!("grid_sweep_due_events").set(due.rows as f64);
        metrics::gauge!("grid_sweep_lag_seconds").set(seconds(&due));
        let uncounted = backlog::uncounted(&self.pool).await?;
        metrics::gauge!("grid_rollup_behind_transitions").set(uncounted.rows as f64);
        metrics::gauge!("grid_rollup_lag_seconds").set(seconds(&uncounted));
        let feed = backlog::feed(&self.pool).await?;
        metrics::gauge!("grid_feed_rows").set(feed.rows as f64);
        metrics::gauge!("grid_feed_oldest_seconds").set(seconds(&feed));
        metrics::gauge!("grid_database_bytes").set(backlog::bytes(&self.pool).await? as f64);
        Ok(())
    }
}

/// Tells how much room the file system of a folder has.
fn room(folder: &Path) {
    if let Ok(found) = rustix::fs::statvfs(folder) {
        metrics::gauge!("grid_files_free_bytes").set((found.f_bavail * found.f_frsize) as f64);
        metrics::gauge!("grid_files_size_bytes").set((found.f_blocks * found.f_frsize) as f64);
    }
}
