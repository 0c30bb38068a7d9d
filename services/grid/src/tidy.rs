//! Tidying: files that nobody needs any more are removed, by any number of replicas.

use jingwei_kit::clock::Clock;
use jingwei_kit::pg::bounded;
use sqlx::PgPool;
use time::Duration;
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::files::Files;
use crate::store::{attachment, content, upload};

/// How often.
const INTERVAL: std::time::Duration = std::time::Duration::from_secs(60);
/// How long it may take once: what is left by then is for the next time.
const LONGEST: std::time::Duration = std::time::Duration::from_secs(600);
/// An upload to which nothing comes for so long is given up.
const UNFINISHED_KEPT: Duration = Duration::hours(24);
/// So long a file is kept that nothing refers to.
const UNUSED_KEPT: Duration = Duration::days(7);
/// Longer than anybody takes between saying that content is needed and referring to it.
const CLAIM_KEPT: Duration = Duration::hours(1);
/// How many are removed after one look.
const BATCH: i64 = 100;

/// What tidying works with.
#[derive(Clone)]
pub struct Tidy {
    /// The database.
    pub pool: PgPool,
    /// The time.
    pub clock: Clock,
    /// Where the bytes are.
    pub files: Files,
}

impl Tidy {
    /// Tidies every minute until `stop`. A fault is logged, and what is left is removed later.
    pub async fn run(self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            if let Err(error) = bounded(LONGEST, self.once()).await.map_err(Error::from).flatten() {
                tracing::warn!(?error, "tidying files failed; the next time tries again");
            }
        }
    }

    /// Removes all that is not needed now, in every district.
    ///
    /// # Errors
    /// The database or the storage fails.
    pub async fn once(&self) -> Result<(), Error> {
        for district in upload::districts(&self.pool).await? {
            self.unfinished(district).await?;
            let unused = self.clock.now() - UNUSED_KEPT;
            upload::forget_finished(&self.pool, district, unused).await?;
            attachment::forget_unused(&self.pool, district, unused).await?;
            self.content(district).await?;
        }
        Ok(())
    }

    async fn unfinished(&self, district: i32) -> Result<(), Error> {
        loop {
            let before = self.clock.now() - UNFINISHED_KEPT;
            let given_up = upload::give_up(&self.pool, district, before, BATCH).await?;
            for id in &given_up {
                self.files.remove_chunks(district, *id).await?;
                upload::forget(&self.pool, district, *id).await?;
            }
            if given_up.len() < BATCH as usize {
                return Ok(());
            }
        }
    }

    async fn content(&self, district: i32) -> Result<(), Error> {
        loop {
            let now = self.clock.now();
            let doomed = content::doom(&self.pool, district, now - CLAIM_KEPT, now, BATCH).await?;
            for sha256 in &doomed {
                self.files.remove(district, sha256).await?;
                content::forget(&self.pool, district, sha256).await?;
            }
            if doomed.len() < BATCH as usize {
                return Ok(());
            }
        }
    }
}
