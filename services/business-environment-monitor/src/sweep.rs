//! The sweep: accepts what nobody decided, raises the level of supervision, ends pauses, begins and ends appointments on their
//! days; by any number of replicas, each once.

mod appointments;

use std::time::Duration;

use jingwei_kit::idempotency;
use jingwei_kit::outbox;
use jingwei_kit::pg::bounded;
use jingwei_work_calendar::Calendar;
use sqlx::PgConnection;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::api::Core;
use crate::api::write;
use crate::config::Rules;
use crate::error::Error;
use crate::model::actor::Actor;
use crate::model::issue::apply::{Context, apply};
use crate::model::issue::rules::Rules as IssueRules;
use crate::store;
use crate::store::issue::Stored;

/// How many issues one transaction takes.
const BATCH: i64 = 100;
/// How long one sweep may take: what it has not come to by then is for the next one.
const LONGEST: Duration = Duration::from_secs(60);

/// The time and id of an issue that was looked at.
type Place = (OffsetDateTime, Uuid);

/// What keeps the clocks.
#[derive(Clone)]
pub struct Sweep(pub Core);

impl Sweep {
    /// Sweeps at the interval of the rules until `stop`. A fault is logged and tried again with the next sweep.
    pub async fn run(self, rules: Rules, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(rules.sweep_interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            let done = async {
                self.once().await?;
                self.expire(rules.answers_kept, rules.feed_kept).await
            };
            match bounded(LONGEST, done).await.map_err(Error::from).flatten() {
                Ok(()) => {
                    metrics::gauge!("business_environment_monitor_sweep_last_success_timestamp_seconds")
                        .set(self.0.clock.now().unix_timestamp() as f64);
                }
                Err(error) => tracing::warn!(?error, "the sweep failed; the next one tries again"),
            }
        }
    }

    /// Forgets the answers to requests that are older than `answers`, and the feed's oldest changes that are older than
    /// `feed`: of each district only so many, since the next sweep goes on.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn expire(&self, answers: Duration, feed: Duration) -> Result<(), Error> {
        let (pool, now) = (&self.0.pool, self.0.clock.now());
        for district in store::issue::districts(pool).await? {
            idempotency::expire(pool, district, now - answers).await?;
            outbox::trim(pool, district, now - feed).await?;
        }
        Ok(())
    }

    /// Does everything that is due now, in every district; answers with how many changes it made.
    ///
    /// # Errors
    /// Those of the database; what was committed before stays.
    pub async fn once(&self) -> Result<usize, Error> {
        let now = self.0.clock.now();
        let mut done = 0;
        for district in store::issue::due_districts(&self.0.pool, now).await? {
            // Goes on behind what was looked at: what cannot be done does not come up again before the next sweep.
            let mut after = Some((OffsetDateTime::UNIX_EPOCH, Uuid::nil()));
            while let Some(place) = after {
                let (batch, last) = self.batch(district, now, place).await?;
                done += batch;
                after = last;
                self.0.feed.wake(district);
            }
        }
        done += self.appointments(now).await?;
        metrics::counter!("business_environment_monitor_sweep_changes_total").increment(done as u64);
        Ok(done)
    }

    /// One transaction: locks what no other replica is at, makes the changes, writes. Answers with how many it made and
    /// where to go on; `None` where nothing is left.
    async fn batch(
        &self,
        district: i32,
        now: OffsetDateTime,
        after: Place,
    ) -> Result<(usize, Option<Place>), Error> {
        // Read before the first lock: with every connection in the hands of writers there would be none left to read with.
        let calendar = self.0.calendars.latest(district).await?;
        let mut transaction = self.0.pool.begin().await?;
        let due = store::issue::lock_due(&mut transaction, district, now, after, BATCH).await?;
        let last = due.last().and_then(|stored| Some((stored.issue.alarm_at()?, stored.issue.submission.id)));
        let mut done = 0;
        for stored in due {
            done += changes(&mut transaction, stored, &calendar, now).await?;
        }
        transaction.commit().await?;
        Ok((done, last))
    }
}

/// Everything that is due of one issue: after a standstill it may be several changes.
async fn changes(
    connection: &mut PgConnection,
    mut stored: Stored,
    calendar: &Calendar,
    now: OffsetDateTime,
) -> Result<usize, Error> {
    let (rules, system) = (IssueRules::default(), Actor::system(stored.issue.submission.district));
    let mut done = 0;
    while let Some(command) = stored.issue.due_command(now) {
        let (issue, transition) = match apply(
            &stored.issue,
            &command,
            &system,
            &Context { now, calendar, rules: &rules, raisers: &[] },
        ) {
            Ok(applied) => applied,
            // A year without a calendar, say: the others are not to wait for it.
            Err(refusal) => {
                tracing::warn!(issue = %stored.issue.submission.id, ?refusal, "what is due cannot be done");
                break;
            }
        };
        let before = std::mem::replace(&mut stored.issue, issue);
        if !write::update(&mut *connection, &before, &stored, &transition, None).await? {
            break;
        }
        done += 1;
    }
    Ok(done)
}
