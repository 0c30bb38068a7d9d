//! Issues: read for an action with all that decides it, and found when their time has come.

use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::model::issue::Issue;

/// An issue as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// Its number for people.
    pub case_number: String,
    /// The issue.
    pub issue: Issue,
}

/// An issue with all that decides an action on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The issue.
    pub stored: Stored,
    /// The version of the district's calendar; `None` where it has no calendar.
    pub calendar_version: Option<i64>,
    /// The subjects of the monitors who collected what is behind it, merged items included.
    pub raisers: Vec<String>,
}

/// The issue of that id.
pub async fn get(executor: impl PgExecutor<'_>, district: i32, id: Uuid) -> sqlx::Result<Option<Found>> {
    let row = sqlx::query!(
        r#"select case_number, body as "body: Json<Issue>",
             (select w.version from work_calendar w where w.district = $1) as calendar_version,
             array(select distinct m.collector from info_item_issue l
               join info_item m on m.district = l.district and m.root = l.item
               where l.district = $1 and l.issue = $2) as "raisers!"
           from issue where district = $1 and id = $2"#,
        district,
        id,
    )
    .fetch_optional(executor)
    .await?;
    Ok(row.map(|r| Found {
        stored: Stored { case_number: r.case_number, issue: r.body.0 },
        calendar_version: r.calendar_version,
        raisers: r.raisers,
    }))
}

/// Every district that anything was written to.
pub async fn districts(pool: &PgPool) -> sqlx::Result<Vec<i32>> {
    sqlx::query_scalar!("select district from feed_head order by district").fetch_all(pool).await
}

/// The districts that have something for the sweep to do at `now`.
pub async fn due_districts(pool: &PgPool, now: OffsetDateTime) -> sqlx::Result<Vec<i32>> {
    sqlx::query_scalar!(
        "select h.district from feed_head h
         where (select min(i.alarm_time) from issue i where i.district = h.district) <= $1 order by h.district",
        now,
    )
    .fetch_all(pool)
    .await
}

/// Locks up to `limit` issues of a district whose time has come and that no other replica is at, in the order of their
/// times, after the one with this time and id.
pub async fn lock_due(
    conn: &mut PgConnection,
    district: i32,
    now: OffsetDateTime,
    after: (OffsetDateTime, Uuid),
    limit: i64,
) -> sqlx::Result<Vec<Stored>> {
    let rows = sqlx::query!(
        r#"select case_number, body as "body: Json<Issue>" from issue
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
    Ok(rows.into_iter().map(|r| Stored { case_number: r.case_number, issue: r.body.0 }).collect())
}
