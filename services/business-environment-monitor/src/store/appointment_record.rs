//! What was done with an appointment: its records, as they are read.

use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::model::appointment::State;
use crate::model::appointment::arcs::ActionKind;

/// A record that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The appointment's version after it.
    pub version: i64,
    /// What was done.
    pub action: ActionKind,
    /// The state before; `None` for the nomination.
    pub from: Option<State>,
    /// The state after.
    pub to: State,
    /// Who did it.
    pub subject: String,
    /// Why; may be empty.
    pub reason: String,
    /// When.
    pub at: OffsetDateTime,
}

/// The records of an appointment after a version, oldest first.
pub async fn list(
    pool: &PgPool,
    district: i32,
    appointment: Uuid,
    after: i64,
    limit: i64,
) -> sqlx::Result<Vec<Entry>> {
    let rows = sqlx::query!(
        "select version, action, from_state, to_state, subject, reason, create_time from appointment_record
         where district = $1 and appointment = $2 and version > $3 order by version limit $4",
        district,
        appointment,
        after,
        limit,
    );
    let rows = rows.fetch_all(pool).await?.into_iter();
    rows.map(|row| {
        Ok(Entry {
            version: row.version,
            action: known(&row.action, ActionKind::of_code)?,
            from: row.from_state.map(|code| known(&code, State::of_code)).transpose()?,
            to: known(&row.to_state, State::of_code)?,
            subject: row.subject,
            reason: row.reason,
            at: row.create_time,
        })
    })
    .collect()
}

fn known<T>(code: &str, read: impl Fn(&str) -> Option<T>) -> sqlx::Result<T> {
    read(code).ok_or_else(|| sqlx::Error::Decode(format!("no such code: {code}").into()))
}
