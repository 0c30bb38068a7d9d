//! Where reports lie: what could be the same as a new one, and where reports pile up.

use sqlx::types::Json;
use sqlx::{PgPool, query, query_scalar};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::model::area::AreaCode;
use crate::model::event::{Event, State};

/// A place with many reports of one sub-category.
#[derive(Debug, Clone, PartialEq)]
pub struct HotSpot {
    /// The sub-category's code.
    pub category: String,
    /// The middle of the points; `None` where only an area is known.
    pub centre: Option<(f64, f64)>,
    /// How many reports.
    pub reports: i64,
    /// How many of them are open.
    pub open: i64,
    /// The latest report.
    pub latest: OffsetDateTime,
    /// The latest events, at most ten.
    pub events: Vec<Uuid>,
}

/// Events of a sub-category in these cells, reported since, the latest first.
pub async fn near(
    pool: &PgPool,
    district: i32,
    category: &str,
    cells: &[i64],
    since: OffsetDateTime,
    limit: i64,
) -> sqlx::Result<Vec<Event>> {
    let rows = query!(
        r#"select e.case_number, e.body as "body: Json<Event>"
           from event_spot s join event e on e.district = s.district and e.id = s.event_id
           where s.district = $1 and s.cell = any($2) and s.category = $3 and s.report_time >= $4
           order by s.report_time desc limit $5"#,
        district,
        cells,
        category,
        since,
        limit,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|r| Event { case_number: r.case_number, ..r.body.0 }).collect())
}

/// How many reports of a sub-category there are in these cells since then.
pub async fn count_near(
    pool: &PgPool,
    district: i32,
    category: &str,
    cells: &[i64],
    since: OffsetDateTime,
) -> sqlx::Result<i64> {
    query_scalar!(
        r#"select count(*) as "count!" from event_spot
           where district = $1 and cell = any($2) and category = $3 and report_time >= $4"#,
        district,
        cells,
        category,
        since,
    )
    .fetch_one(pool)
    .await
}

/// The cells of an area with at least `least` reports of one sub-category since then, the most first.
pub async fn hot(
    pool: &PgPool,
    area: AreaCode,
    category: Option<&str>,
    since: OffsetDateTime,
    least: i64,
    limit: i64,
) -> sqlx::Result<Vec<HotSpot>> {
    let first_ended = State::Closed as i16 + 1;
    let rows = query!(
        r#"with hot as (
             select category, cell, count(*) as reports, avg(latitude) as latitude, avg(longitude) as longitude,
               max(report_time) as latest, (array_agg(event_id order by report_time desc))[1:10] as events
             from event_spot
             where district = $1 and report_time >= $2 and area >= $3 and area < $3 || ':'
               and ($4::text is null or category = $4)
             group by category, cell having count(*) >= $5
             order by reports desc, latest desc limit $6)
           select h.category, h.latitude, h.longitude, h.reports as "reports!", h.latest as "latest!", h.events as "events!",
             o.open as "open!"
           from hot h cross join lateral (
             select count(*) as open from event_spot s join event e on e.district = s.district and e.id = s.event_id
             where s.district = $1 and s.cell = h.cell and s.category = h.category and s.report_time >= $2
               and s.area >= $3 and s.area < $3 || ':' and e.state < $7) as o
           order by h.reports desc, h.latest desc"#,
        area.district(),
        since,
        area.to_string(),
        category,
        least,
        limit,
        first_ended,
    )
    .fetch_all(pool)
    .await?;
    let hot_spots = rows.into_iter().map(|r| HotSpot {
        category: r.category,
        centre: r.latitude.zip(r.longitude),
        reports: r.reports,
        open: r.open,
        latest: r.latest,
        events: r.events,
    });
    Ok(hot_spots.collect())
}
