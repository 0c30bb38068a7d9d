//! Events: read for an action with all that decides it, and found when their time has come.

use sqlx::types::Json;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::category::{self, Basis};
use super::group::{Entry, nth};
use super::transition::number;
use crate::model::category::{Condition, PartialLimits};
use crate::model::event::{Event, State};

/// What an event, as stored, stands beside.
pub struct Stored {
    /// The event.
    pub event: Event,
    /// Whether other events are merged into it.
    pub has_merged_events: bool,
}

/// The event of that id.
pub async fn get(pool: &PgPool, district: i32, id: Uuid) -> sqlx::Result<Option<Stored>> {
    let row = sqlx::query!(
        r#"select case_number, body as "body: Json<Event>", merged_count from event where district = $1 and id = $2"#,
        district,
        id,
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|r| Stored {
        event: Event { case_number: r.case_number, ..r.body.0 },
        has_merged_events: r.merged_count > 0,
    }))
}

/// An event to be read with what its deadlines are made of: all that an action on it needs.
#[derive(Debug)]
pub struct Sought {
    /// Its district.
    pub district: i32,
    /// Its id.
    pub id: Uuid,
}

impl Entry for Sought {
    type Answer = Option<(Stored, Basis)>;

    fn district(&self) -> i32 {
        self.district
    }

    async fn run(connection: &mut PgConnection, entries: &[Self]) -> sqlx::Result<Vec<Self::Answer>> {
        let Some(first) = entries.first() else { return Ok(Vec::new()) };
        let ids: Vec<Uuid> = entries.iter().map(|sought| sought.id).collect();
        let rows = sqlx::query!(
            r#"select asked.place as "place!", e.case_number, e.body as "body: Json<Event>", e.merged_count,
                 c.code, c.parent, c.display_name, c.limits as "limits: Json<PartialLimits>",
                 c.conditions as "conditions: Json<Vec<Condition>>", c.verify_public_reports, c.retired,
                 c.version as category_version, p.limits as "main?: Json<PartialLimits>",
                 (select w.version from work_calendar w where w.district = $1) as calendar_version
               from unnest((select $2::uuid[])) with ordinality as asked (id, place)
                 join event e on e.id = asked.id
                 join category c on c.district = e.district and c.code = e.category
                 left join category p on p.district = c.district and p.code = c.parent
               where e.district = $1"#,
            first.district,
            &ids,
        )
        .fetch_all(connection)
        .await?;
        let mut found: Vec<_> = entries.iter().map(|_| None).collect();
        for r in rows {
            let category = category::Row {
                code: r.code,
                parent: r.parent,
                display_name: r.display_name,
                limits: r.limits,
                conditions: r.conditions,
                verify_public_reports: r.verify_public_reports,
                retired: r.retired,
                version: r.category_version,
            };
            let basis = Basis::of(first.district, category, r.main, r.calendar_version);
            let event = Event { case_number: r.case_number, ..r.body.0 };
            found[nth(r.place)] = Some((Stored { event, has_merged_events: r.merged_count > 0 }, basis));
        }
        Ok(found)
    }
}

/// Notes on an open event that one more event (or, with -1, one less) is merged into it; false where it is not open.
pub async fn count_merged(conn: &mut PgConnection, district: i32, root: Uuid, by: i32) -> sqlx::Result<bool> {
    let last_open = number(State::Suspended as i16);
    let done = sqlx::query!(
        "update event set merged_count = merged_count + $3 where district = $1 and id = $2 and ($3 < 0 or state <= $4)",
        district,
        root,
        by,
        last_open,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Every district that anything was written to.
pub async fn districts(pool: &PgPool) -> sqlx::Result<Vec<i32>> {
    sqlx::query_scalar!("select district from feed_head order by district").fetch_all(pool).await
}

/// The districts that have something for the sweep to do at `now`.
pub async fn due_districts(pool: &PgPool, now: OffsetDateTime) -> sqlx::Result<Vec<i32>> {
    sqlx::query_scalar!(
        "select h.district from feed_head h
         where (select min(e.alarm_time) from event e where e.district = h.district) <= $1 order by h.district",
        now,
    )
    .fetch_all(pool)
    .await
}

/// Locks up to `limit` events of a district whose time has come and that no other replica is at, in the order of their
/// times, after the one with this time and id.
pub async fn lock_due(
    conn: &mut PgConnection,
    district: i32,
    now: OffsetDateTime,
    after: (OffsetDateTime, Uuid),
    limit: i64,
) -> sqlx::Result<Vec<Event>> {
    let rows = sqlx::query!(
        r#"select case_number, body as "body: Json<Event>" from event
           where district = $1 and alarm_time <= $2 and (alarm_time, id) > ($3, $4)
           order by alarm_time, id limit $5 for update skip locked"#,
        district,
        now,
        after.0,
        after.1,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| Event { case_number: r.case_number, ..r.body.0 }).collect())
}
