//! Transitions: the timeline of an event, and the small numbers that states, actions and roles are stored as.

use sqlx::PgPool;
use uuid::Uuid;

use crate::model::action::ActionKind;
use crate::model::actor::Role;
use crate::model::event::State;
use crate::model::transition::{Hash, Transition};

/// The stored number of a state or action: its place in the model's order, from 1, as in the proto's enums.
pub(super) fn number(place: i16) -> i16 {
    place + 1
}

/// The stored number of a role.
pub(super) fn role_number(role: Role) -> i16 {
    number(role as i16)
}

/// A row that does not read back: a fault of ours or of whoever wrote to the database by hand.
#[derive(Debug, thiserror::Error)]
#[error("event_transition: {0} does not read back")]
struct Corrupt(&'static str);

/// The transitions of an event after a version, oldest first.
pub async fn list(
    pool: &PgPool,
    district: i32,
    event: Uuid,
    after: i64,
    limit: i64,
) -> sqlx::Result<Vec<Transition>> {
    let rows = sqlx::query!(
        "select version, action, from_state, to_state, actor, role, unit, area, area_version, create_time, reason, note,
           details, previous_hash, hash
         from event_transition where district = $1 and event_id = $2 and version > $3 order by version limit $4",
        district,
        event,
        after,
        limit,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|r| {
            Ok(Transition {
                event,
                version: r.version,
                action: read(ActionKind::all(), r.action, "action")?,
                from: r.from_state.map(|s| read(State::all(), s, "from_state")).transpose()?,
                to: read(State::all(), r.to_state, "to_state")?,
                subject: r.actor,
                role: read(Role::all(), r.role, "role")?,
                unit: r.unit.parse().map_err(|_| corrupt("unit"))?,
                area: r.area.parse().map_err(|_| corrupt("area"))?,
                area_version: r.area_version,
                at: r.create_time,
                reason: r.reason,
                note: r.note,
                details: r.details,
                previous_hash: if r.previous_hash.is_empty() { None } else { Some(hash(&r.previous_hash)?) },
                hash: hash(&r.hash)?,
            })
        })
        .collect()
}

fn read<T>(mut all: impl Iterator<Item = T>, stored: i16, column: &'static str) -> sqlx::Result<T> {
    usize::try_from(stored - 1).ok().and_then(|place| all.nth(place)).ok_or_else(|| corrupt(column))
}

fn hash(bytes: &[u8]) -> sqlx::Result<Hash> {
    bytes.try_into().map_err(|_| corrupt("hash"))
}

fn corrupt(column: &'static str) -> sqlx::Error {
    sqlx::Error::Decode(Corrupt(column).into())
}
