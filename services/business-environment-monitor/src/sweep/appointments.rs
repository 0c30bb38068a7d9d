//! Appointments whose day has come, a batch at a time: its lock keeps off everybody else who changes them.

use time::OffsetDateTime;
use uuid::Uuid;

use super::Sweep;
use crate::api::batch;
use crate::error::Error;
use crate::model::actor::Actor;
use crate::model::appointment::apply::{Command, apply};
use crate::model::local_day;
use crate::store::appointment as store;

impl Sweep {
    /// Ends what is over, then begins what has come, so that a renewal begins when nothing goes on before it. Answers with the
    /// number of changes.
    pub(super) async fn appointments(&self, now: OffsetDateTime) -> Result<usize, Error> {
        let (pool, today) = (&self.0.pool, local_day(now));
        let mut done = 0;
        for place in store::ending(pool, today).await? {
            done += self.members(place, &Command::Expire, now).await?;
        }
        for place in store::beginning(pool, today).await? {
            done += self.members(place, &Command::Begin, now).await?;
        }
        Ok(done)
    }

    async fn members(
        &self,
        (district, id): (i32, Uuid),
        command: &Command,
        now: OffsetDateTime,
    ) -> Result<usize, Error> {
        let (mut done, system) = (0, Actor::system(district));
        let mut transaction = self.0.pool.begin().await?;
        let batch = batch::lock(&mut transaction, district, id).await?;
        for before in batch::members(&mut transaction, &batch).await? {
            if before.due_command(now).as_ref() != Some(command) {
                continue;
            }
            match apply(&before, command, &system, batch.state, now) {
                Ok((after, record)) => {
                    batch::write(&mut transaction, &after, &record, now).await?;
                    done += 1;
                }
                Err(refusal) => {
                    tracing::warn!(appointment = %before.id, ?refusal, "what is due cannot be done");
                }
            }
        }
        transaction.commit().await?;
        self.0.feed.wake(district);
        Ok(done)
    }
}
