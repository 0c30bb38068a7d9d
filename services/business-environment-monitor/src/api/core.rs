//! What every handler works with, and the one way in which reference data is changed.

use jingwei_kit::caller::Caller;
use jingwei_kit::clock::Clock;
use jingwei_kit::idempotency::{Key, once};
use jingwei_kit::outbox::{self, Feed};
use prost::Message;
use sqlx::{PgConnection, PgPool};

use super::calendars::Calendars;
use super::wire::name;
use crate::error::Error;

/// The database, the time, the readers of changes, the calendars.
#[derive(Clone)]
pub struct Core {
    /// The database.
    pub pool: PgPool,
    /// The time, and ids.
    pub clock: Clock,
    /// Where readers of changes are woken.
    pub feed: Feed,
    /// What deadlines run on.
    pub calendars: Calendars,
}

/// Who asks for what: what a request id is bound to.
pub struct Asked<'a, Q> {
    /// Who.
    pub caller: &'a Caller,
    /// Whose data are changed.
    pub district: i32,
    /// The RPC.
    pub method: &'static str,
    /// The request.
    pub request: &'a Q,
    /// Its id; may be empty.
    pub request_id: &'a str,
}

impl Core {
    /// Runs a change once, in a transaction with its entry in the feed: the answer under the name that `run` gives beside it.
    ///
    /// # Errors
    /// Those of `run`, of the database, and REQUEST_ID_REUSED.
    pub async fn change<Q, R>(
        &self,
        asked: Asked<'_, Q>,
        run: impl AsyncFnOnce(&mut PgConnection) -> Result<(String, R), Error>,
    ) -> Result<R, Error>
    where
        Q: Message,
        R: Message + Default,
    {
        let now = self.clock.now();
        // Without an id of the caller's, one that no other call has.
        let id = match asked.request_id {
            "" => self.clock.id(),
            text => name::read_uuid("request_id", text)?,
        };
        let key = Key::of(asked.district, &asked.caller.subject, id, asked.method, asked.request);
        let answer = once(&self.pool, &key, now, async |conn: &mut PgConnection| {
            let (name, answer) = run(conn).await?;
            outbox::append(&mut *conn, asked.district, &name, &answer.encode_to_vec(), now).await?;
            Ok::<R, Error>(answer)
        });
        let answer = answer.await?;
        self.feed.wake(asked.district);
        Ok(answer)
    }
}
