//! Patrols, their tracks, and the counts of what was covered.

use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor, PgPool, QueryBuilder};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::model::area::AreaCode;
use crate::model::patrol::{Patrol, TrackPoint};
use crate::model::period::Period;
use crate::model::position::{CoordinateSystem, Point};

/// Where a page begins: after the patrol with this time and id.
pub type Cursor = (OffsetDateTime, Uuid);

/// What a change of a patrol adds to the counts of its area and all above, on the day on which it is due.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Added {
    /// Patrols.
    pub patrols: i64,
    /// Patrols walked to their end.
    pub done_patrols: i64,
    /// Checkpoints.
    pub due: i64,
    /// Checkpoints passed.
    pub done: i64,
}

/// What was covered in an area and all below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// The area's code.
    pub area: String,
    /// Patrols that were due, cancelled ones left out.
    pub patrols: i64,
    /// Those of them that were walked to their end.
    pub done_patrols: i64,
    /// Their checkpoints.
    pub due: i64,
    /// Those of them that were passed.
    pub done: i64,
}

/// A patrol with the subject of who walks it.
pub async fn get(
    executor: impl PgExecutor<'_>,
    district: i32,
    id: Uuid,
) -> sqlx::Result<Option<(Patrol, Option<String>)>> {
    let row = sqlx::query!(
        r#"select p.body as "body: Json<Patrol>", s.subject from patrol p
           join staff_member s on s.district = p.district and s.id = p.assignee
           where p.district = $1 and p.id = $2"#,
        district,
        id,
    )
    .fetch_optional(executor)
    .await?;
    Ok(row.map(|r| (r.body.0, r.subject)))
}

/// A patrol, until the end of the transaction nobody else's to change.
pub async fn lock(conn: &mut PgConnection, district: i32, id: Uuid) -> sqlx::Result<Option<Patrol>> {
    let row = sqlx::query_scalar!(
        r#"select body as "body: Json<Patrol>" from patrol where district = $1 and id = $2 for update"#,
        district,
        id,
    );
    Ok(row.fetch_optional(conn).await?.map(|body| body.0))
}

/// A page of patrols in an area and below it, of one assignee or all, those due last first.
pub async fn list(
    pool: &PgPool,
    area: AreaCode,
    assignee: Option<Uuid>,
    after: Option<Cursor>,
    limit: i64,
) -> sqlx::Result<Vec<Patrol>> {
    let mut query = QueryBuilder::new("select p.body from ");
    let (time, id) = if let Some(assignee) = assignee {
        query.push("patrol p where p.district = ").push_bind(area.district());
        query.push(" and p.assignee = ").push_bind(assignee);
        // All codes that begin with the area's: digits sort before the colon.
        query.push(" and p.area >= ").push_bind(area.to_string());
        query.push(" and p.area < ").push_bind(format!("{area}:"));
        ("p.due_time", "p.id")
    } else {
        query.push("patrol_place l join patrol p on p.district = l.district and p.id = l.patrol_id where l.district = ");
        query.push_bind(area.district()).push(" and l.area = ").push_bind(area.to_string());
        ("l.due_time", "l.patrol_id")
    };
    if let Some((after, last)) = after {
        query.push(format!(" and ({time}, {id}) < (")).push_bind(after).push(", ").push_bind(last).push(")");
    }
    query.push(format!(" order by {time} desc, {id} desc limit ")).push_bind(limit);
    let rows = query.build_query_scalar::<Json<Patrol>>().fetch_all(pool).await?;
    Ok(rows.into_iter().map(|body| body.0).collect())
}

/// Adds a patrol. Errors: `patrol_pkey`, `patrol_area`, `patrol_assignee`.
pub async fn insert(conn: &mut PgConnection, patrol: &Patrol, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        "with made as (
           insert into patrol (district, id, area, assignee, state, due_time, create_time, version, body)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9))
         insert into patrol_place (district, area, due_time, patrol_id)
         select $1, left($3, l.length), $6, $2 from (values (6), (9), (12), (15), (18)) as l(length) where length($3) >= l.length",
        patrol.district,
        patrol.id,
        patrol.area.to_string(),
        patrol.assignee,
        patrol.state.number(),
        patrol.due,
        now,
        patrol.version,
        Json(patrol) as _,
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// Changes a patrol of the version before this one; false where it has another. Errors: `patrol_ongoing`.
pub async fn update(conn: &mut PgConnection, patrol: &Patrol) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update patrol set state = $3, version = $4, body = $5 where district = $1 and id = $2 and version = $4::bigint - 1",
        patrol.district,
        patrol.id,
        patrol.state.number(),
        patrol.version,
        Json(patrol) as _,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Adds to the counts of a patrol's area and all above it, late in the transaction of what is counted.
pub async fn count(conn: &mut PgConnection, patrol: &Patrol, added: Added) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into patrol_count as c (district, area, day, patrols, done_patrols, due, done)
         select $1, left($2, l.length), d.day, $4, $5, $6, $7
         from (values (6), (9), (12), (15), (18)) as l(length) cross join
           (values (($3::timestamptz at time zone interval '8 hours')::date), ('0001-01-01')) as d(day)
         where length($2) >= l.length order by 2, 3
         on conflict (district, area, day) do update set patrols = c.patrols + excluded.patrols,
           done_patrols = c.done_patrols + excluded.done_patrols, due = c.due + excluded.due, done = c.done + excluded.done",
        patrol.district,
        patrol.area.to_string(),
        patrol.due,
        added.patrols,
        added.done_patrols,
        added.due,
        added.done,
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// Adds points to a track; answers how many it did not have.
pub async fn append(conn: &mut PgConnection, patrol: &Patrol, track: &[TrackPoint]) -> sqlx::Result<u64> {
    let times: Vec<OffsetDateTime> = track.iter().map(|p| p.time).collect();
    let latitudes: Vec<f64> = track.iter().map(|p| p.point.latitude()).collect();
    let longitudes: Vec<f64> = track.iter().map(|p| p.point.longitude()).collect();
    let accuracies: Vec<f64> = track.iter().map(|p| p.accuracy).collect();
    let done = sqlx::query!(
        "insert into patrol_point (district, patrol_id, time, latitude, longitude, accuracy)
         select $1, $2, g.* from unnest($3::timestamptz[], $4::double precision[], $5::double precision[], $6::double precision[]) as g
         on conflict (district, patrol_id, time) do nothing",
        patrol.district,
        patrol.id,
        &times,
        &latitudes,
        &longitudes,
        &accuracies,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Points of a track after a moment, in the order of their times.
pub async fn track(
    executor: impl PgExecutor<'_>,
    district: i32,
    patrol: Uuid,
    after: OffsetDateTime,
    limit: i64,
) -> sqlx::Result<Vec<TrackPoint>> {
    let rows = sqlx::query!(
        "select time, latitude, longitude, accuracy from patrol_point
         where district = $1 and patrol_id = $2 and time > $3 order by time limit $4",
        district,
        patrol,
        after,
        limit,
    )
    .fetch_all(executor)
    .await?;
    let point = |latitude, longitude| {
        Point::new(latitude, longitude, CoordinateSystem::Wgs84).map_err(|e| sqlx::Error::Decode(e.into()))
    };
    let rows = rows.into_iter();
    rows.map(|r| {
        Ok(TrackPoint { time: r.time, point: point(r.latitude, r.longitude)?, accuracy: r.accuracy })
    })
    .collect()
}

/// Of an area, and of those one level below it that have any, after `after`: what was covered of what was due in the period,
/// in the order of their codes.
pub async fn coverage(
    executor: impl PgExecutor<'_>,
    area: AreaCode,
    period: Period,
    after: &str,
    limit: i64,
) -> sqlx::Result<Vec<Coverage>> {
    sqlx::query_as!(
        Coverage,
        r#"select area, sum(patrols)::bigint as "patrols!", sum(done_patrols)::bigint as "done_patrols!",
             sum(due)::bigint as "due!", sum(done)::bigint as "done!"
           from patrol_count
           where district = $1 and area >= $2 and area < $2 || ':' and area > $3 and length(area) <= length($2) + 3
             and case when $4::boolean then day = '0001-01-01'
                 else day between coalesce($5::date, '0001-01-02') and coalesce($6::date, '9999-12-31') end
           group by area order by area limit $7"#,
        area.district(),
        area.to_string(),
        after,
        period == Period::default(),
        period.from,
        period.to,
        limit,
    )
    .fetch_all(executor)
    .await
}
