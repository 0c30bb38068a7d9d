//! Counts of events by area: the rolled-up past plus the transitions since, in one statement and so exact at any moment.

use sqlx::{PgConnection, PgPool};
use time::Date;

/// How often something happened in an area and all below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// The area's code.
    pub area: String,
    /// The code of a `model::count::Metric`.
    pub metric: i32,
    /// How often.
    pub count: i64,
}

/// The local days to count, first and last included; an open end reaches as far as there is anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Period {
    /// The first day.
    pub from: Option<Date>,
    /// The last day.
    pub to: Option<Date>,
}

/// The counts of each of `areas`, which are of one depth (their codes are equally long).
///
/// Without a period the sums over all days are read, which the roll-up keeps beside the days: 0001-01-01.
pub async fn read(
    conn: &mut PgConnection,
    district: i32,
    areas: &[String],
    period: Period,
) -> sqlx::Result<Vec<Count>> {
    let length = areas.first().map_or(0, String::len) as i32;
    let all_days = period == Period::default();
    sqlx::query_as!(
        Count,
        r#"with rolled as (
             select area, metric, count from event_count
             where district = $1 and area = any($2)
               and case when $4::boolean then day = '0001-01-01'
                   else day between coalesce($5::date, '0001-01-02') and coalesce($6::date, '9999-12-31') end),
           tail as (
             select left(t.area, $3) as area, abs(c.code) as metric, sign(c.code)::bigint as count
             from event_transition t cross join unnest(t.counts) as c(code)
             where t.district = $1
               and t.seq > coalesce((select seq from count_head where district = $1), 0)
               and left(t.area, $3) = any($2)
               and ($4 or (t.create_time at time zone interval '8 hours')::date
                   between coalesce($5::date, '0001-01-02') and coalesce($6::date, '9999-12-31')))
           select area as "area!", metric as "metric!", sum(count)::bigint as "count!"
           from (select area, metric, count from rolled union all select area, metric, count from tail) as both_parts
           group by area, metric"#,
        district,
        areas,
        length,
        all_days,
        period.from,
        period.to,
    )
    .fetch_all(conn)
    .await
}

/// The districts with changes that the counts do not have yet.
pub async fn behind(pool: &PgPool) -> sqlx::Result<Vec<i32>> {
    sqlx::query_scalar!(
        "select h.district from feed_head h left join count_head c on c.district = h.district
         where exists (select from event_transition t where t.district = h.district and t.seq > coalesce(c.seq, 0))
         order by h.district",
    )
    .fetch_all(pool)
    .await
}

/// Adds up to `limit` transitions of a district to the counts of their areas and those above, in the caller's
/// transaction. Answers how many it added; several replicas may call it at once: the head's row lock orders them.
pub async fn roll_up(conn: &mut PgConnection, district: i32, limit: i64) -> sqlx::Result<i64> {
    let from = sqlx::query_scalar!(
        "insert into count_head (district, seq) values ($1, 0)
         on conflict (district) do update set seq = count_head.seq returning seq",
        district,
    )
    .fetch_one(&mut *conn)
    .await?;
    sqlx::query_scalar!(
        r#"with batch as materialized (
             select t.seq, t.area, (t.create_time at time zone interval '8 hours')::date as day, t.counts
             from event_transition t where t.district = $1 and t.seq > $2
             order by t.seq limit $3),
           added as (
             insert into event_count (district, area, day, metric, count)
             select $1, left(b.area, l.length), d.day, abs(c.code), sum(sign(c.code))::bigint
             from batch b cross join unnest(b.counts) as c(code)
               cross join (values (6), (9), (12), (15), (18)) as l(length)
               cross join lateral (values (b.day), ('0001-01-01'::date)) as d(day)
             where length(b.area) >= l.length
             group by 2, 3, 4 order by 2, 3, 4
             on conflict (district, area, day, metric) do update set count = event_count.count + excluded.count),
           moved as (
             update count_head set seq = (select max(seq) from batch)
             where district = $1 and exists (select from batch))
           select count(*) as "count!" from batch"#,
        district,
        from,
        limit,
    )
    .fetch_one(conn)
    .await
}
