//! The sweep: gives every alarm whose time has come and ends suspensions, by any number of replicas and each once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use jingwei_kit::clock::Clock;
use jingwei_kit::idempotency;
use jingwei_kit::outbox::{self, Feed};
use jingwei_kit::pg::bounded;
use sqlx::PgPool;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::api::deadlines::{Deadlines, Reference};
use crate::api::write;
use crate::config::Rules;
use crate::error::Error;
use crate::model::action::Command;
use crate::model::actor::Actor;
use crate::model::apply::apply;
use crate::model::event::Event;
use crate::store;

/// How many events one transaction takes.
const BATCH: i64 = 100;
/// How long one sweep may take: what it has not come to by then is for the next one.
const LONGEST: Duration = Duration::from_secs(60);
/// How many transitions one transaction adds to the counts.
const ROLL_UP: i64 = 5000;
/// Counters are brought up to date once so many changes are missing in them, or so much time has passed: a thousand cost
/// hardly more than ten, and what is missing is added by whoever reads.
const MANY: i64 = 1000;
const ROLL_UP_INTERVAL: Duration = Duration::from_secs(10);

/// The time and id of an event that was looked at.
type Place = (OffsetDateTime, Uuid);

/// What the sweep works with.
#[derive(Clone)]
pub struct Sweep {
    /// The database.
    pub pool: PgPool,
    /// The time.
    pub clock: Clock,
    /// Where readers of changes are woken.
    pub feed: Feed,
    /// Calendars and limits.
    pub deadlines: Deadlines,
}

impl Sweep {
    /// Sweeps at the interval of the rules until `stop`. A fault is logged and tried again with the next sweep.
    pub async fn run(self, rules: Rules, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(rules.sweep_interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut all_counted = tokio::time::Instant::now();
        while let Some(now) = stop.run_until_cancelled(ticks.tick()).await {
            let all = now - all_counted >= ROLL_UP_INTERVAL;
            if all {
                all_counted = now;
            }
            let done = async {
                self.once().await?;
                self.roll_up_where(if all { 1 } else { MANY }).await?;
                self.expire(rules.answers_kept, rules.feed_kept).await
            };
            match bounded(LONGEST, done).await.map_err(Error::from).flatten() {
                Ok(()) => metrics::gauge!("grid_sweep_last_success_timestamp_seconds")
                    .set(self.clock.now().unix_timestamp() as f64),
                Err(error) => tracing::warn!(?error, "the sweep failed; the next one tries again"),
            }
        }
    }

    /// Forgets the answers to requests that are older than `answers`, and the feed's oldest changes that are older than
    /// `feed`: of each district only so many, since the next sweep goes on.
    pub async fn expire(&self, answers: Duration, feed: Duration) -> Result<(), Error> {
        let now = self.clock.now();
        for district in store::event::districts(&self.pool).await? {
            idempotency::expire(&self.pool, district, now - answers).await?;
            outbox::trim(&self.pool, district, now - feed).await?;
        }
        Ok(())
    }

    /// Does everything that is due now, in every district; answers with how many alarms it gave.
    pub async fn once(&self) -> Result<usize, Error> {
        let now = self.clock.now();
        let mut given = 0;
        for district in store::event::due_districts(&self.pool, now).await? {
            // Goes on behind what was looked at: an alarm that cannot be given does not come up again before the next sweep.
            let mut after = Some((OffsetDateTime::UNIX_EPOCH, Uuid::nil()));
            while let Some(place) = after {
                let (batch, last) = self.batch(district, place).await?;
                given += batch;
                after = last;
                self.feed.wake(district);
            }
        }
        metrics::counter!("grid_sweep_alarms_total").increment(given as u64);
        Ok(given)
    }

    /// Adds what happened since the last time to the counts of every district.
    pub async fn roll_up(&self) -> Result<(), Error> {
        self.roll_up_where(1).await
    }

    /// As `roll_up`, where at least so many changes are missing.
    async fn roll_up_where(&self, missing: i64) -> Result<(), Error> {
        for district in store::count::behind(&self.pool, missing).await? {
            loop {
                let mut transaction = self.pool.begin().await?;
                let added = store::count::roll_up(&mut transaction, district, ROLL_UP).await?;
                transaction.commit().await?;
                if added < ROLL_UP {
                    break;
                }
            }
        }
        Ok(())
    }

    /// One transaction: locks what no other replica is at, gives the alarms, writes. Answers with how many it gave and
    /// where to go on; `None` where nothing is left.
    async fn batch(&self, district: i32, after: Place) -> Result<(usize, Option<Place>), Error> {
        let now = self.clock.now();
        let mut transaction = self.pool.begin().await?;
        let due = store::event::lock_due(&mut transaction, district, now, after, BATCH).await?;
        let last = due.last().and_then(|event| Some((event.alarm_at()?, event.id)));
        // Read before the first write, from which on all of the district's writers wait for this transaction: with every
        // connection in their hands there would be none left to read with.
        let mut references = HashMap::new();
        for event in &due {
            if let Entry::Vacant(missing) = references.entry(basis(event)) {
                missing.insert(self.deadlines.of_event(event).await?);
            }
        }
        let mut given = 0;
        for event in due {
            let reference = &references[&basis(&event)];
            given += alarms(&mut transaction, event, reference, now).await?;
        }
        transaction.commit().await?;
        Ok((given, last))
    }
}

/// What the limits of an event go by.
fn basis(event: &Event) -> (String, String) {
    (event.category.clone(), event.condition.clone())
}

/// Every alarm of one event that is due: amber, red and critical may all be, after a standstill.
async fn alarms(
    transaction: &mut sqlx::PgConnection,
    mut event: Event,
    reference: &Reference,
    now: OffsetDateTime,
) -> Result<usize, Error> {
    let mut given = 0;
    let system = [Actor::system(event.district)];
    while let Some(action) = event.due_action(now) {
        let (after, transition) =
            match apply(&event, &Command::from(action), &system, &reference.context(now)) {
                Ok(done) => done,
                // A year without a calendar, say: the others are not to wait for it.
                Err(refusal) => {
                    tracing::warn!(event = %event.id, ?refusal, "an alarm cannot be given");
                    break;
                }
            };
        if !write::update(transaction, &event, &after, transition).await? {
            break;
        }
        event = after;
        given += 1;
    }
    Ok(given)
}
