//! How to reach reporters: sealed numbers and hashed tracking codes, apart from their events.

use sqlx::types::Json;
use sqlx::{PgPool, query, query_scalar};
use time::OffsetDateTime;
use uuid::Uuid;

use super::event::Stored;
use crate::model::contact::{MOST_ATTEMPTS, PAUSE};
use crate::model::event::Event;

/// A number sealed with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The key's id.
    pub key_id: String,
    /// What was sealed.
    pub bytes: Vec<u8>,
}

/// An event with what its reporter can show.
pub struct Case {
    /// The event.
    pub stored: Stored,
    /// The hash of the tracking code.
    pub code_hash: Option<Vec<u8>>,
    /// The Chinese name of the category.
    pub category_display_name: String,
}

/// The event of a case number.
pub async fn case(pool: &PgPool, district: i32, case_number: &str) -> sqlx::Result<Option<Case>> {
    let row = query!(
        r#"select e.case_number, e.body as "body: Json<Event>", e.merged_count, c.code_hash as "code_hash?", k.display_name
           from event e join category k on k.district = e.district and k.code = e.category
           left join event_contact c on c.district = e.district and c.event_id = e.id
           where e.district = $1 and e.case_number = $2"#,
        district,
        case_number,
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|r| Case {
        stored: Stored {
            event: Event { case_number: r.case_number, ..r.body.0 },
            has_merged_events: r.merged_count > 0,
        },
        code_hash: r.code_hash,
        category_display_name: r.display_name,
    }))
}

/// Notes that a secret is tried for a case, before it is looked at; false where no more may be tried for now.
pub async fn try_secret(
    pool: &PgPool,
    district: i32,
    event: Uuid,
    now: OffsetDateTime,
) -> sqlx::Result<bool> {
    let done = query!(
        "insert into event_contact as c (district, event_id, attempts, attempts_since) values ($1, $2, 1, $3)
         on conflict (district, event_id) do update set
           attempts = case when c.attempts_since > $4 then c.attempts + 1 else 1 end,
           attempts_since = case when c.attempts_since > $4 then c.attempts_since else $3 end
         where c.attempts < $5 or c.attempts_since <= $4",
        district,
        event,
        now,
        now - PAUSE,
        MOST_ATTEMPTS,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Forgets the attempts, one having been right.
pub async fn forget_attempts(pool: &PgPool, district: i32, event: Uuid) -> sqlx::Result<()> {
    query!("update event_contact set attempts = 0 where district = $1 and event_id = $2", district, event)
        .execute(pool)
        .await
        .map(|_| ())
}

/// The sealed number of an event's reporter.
pub async fn sealed(pool: &PgPool, district: i32, event: Uuid) -> sqlx::Result<Option<Sealed>> {
    let row = query!(
        r#"select key_id as "key_id!", sealed as "sealed!" from event_contact
           where district = $1 and event_id = $2 and key_id is not null"#,
        district,
        event,
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|r| Sealed { key_id: r.key_id, bytes: r.sealed }))
}

/// The districts in which something is sealed with another key than this one.
pub async fn districts_with_old_keys(pool: &PgPool, key_id: &str) -> sqlx::Result<Vec<i32>> {
    query_scalar!(
        "select h.district from feed_head h
         where exists (select from event_contact c where c.district = h.district and c.key_id < $1)
           or exists (select from event_contact c where c.district = h.district and c.key_id > $1) order by 1",
        key_id,
    )
    .fetch_all(pool)
    .await
}

/// Up to `limit` numbers of a district that are sealed with another key than this one.
pub async fn with_old_keys(
    pool: &PgPool,
    district: i32,
    key_id: &str,
    limit: i64,
) -> sqlx::Result<Vec<(Uuid, Sealed)>> {
    let rows = query!(
        r#"select event_id, key_id as "key_id!", sealed as "sealed!" from event_contact
           where district = $1 and key_id <> $2 limit $3"#,
        district,
        key_id,
        limit,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|r| (r.event_id, Sealed { key_id: r.key_id, bytes: r.sealed })).collect())
}

/// Puts numbers that were sealed again in the place of the old ones.
pub async fn replace(pool: &PgPool, district: i32, sealed: &[(Uuid, Sealed)]) -> sqlx::Result<()> {
    let events: Vec<Uuid> = sealed.iter().map(|(event, _)| *event).collect();
    let keys: Vec<String> = sealed.iter().map(|(_, s)| s.key_id.clone()).collect();
    let bytes: Vec<Vec<u8>> = sealed.iter().map(|(_, s)| s.bytes.clone()).collect();
    query!(
        "update event_contact c set key_id = n.key_id, sealed = n.sealed
         from unnest($2::uuid[], $3::text[], $4::bytea[]) as n(event_id, key_id, sealed)
         where c.district = $1 and c.event_id = n.event_id",
        district,
        &events,
        &keys,
        &bytes,
    )
    .execute(pool)
    .await
    .map(|_| ())
}
