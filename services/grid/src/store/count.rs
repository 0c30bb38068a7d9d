//! Numbers of events by area: the rolled-up past plus the transitions since, in one statement and so exact at any moment.
//! Migration 0010 says how they are folded.

use sqlx::{PgConnection, PgPool};

use crate::model::numbers::{Count, Member, Spread, Times};
use crate::model::period::Piece;

/// What to read: areas of one depth, each with all below it; members, crossed with the areas; periods.
pub struct Asked<'a> {
    /// The district.
    pub district: i32,
    /// The areas' codes, equally long.
    pub areas: &'a [String],
    /// The members.
    pub members: &'a [Member],
    /// The pieces of each period.
    pub periods: &'a [Vec<Piece>],
}

/// The dimension, as view `statistic_contribution` numbers it, and the member.
fn columns(member: &Member) -> (i16, String) {
    match member {
        Member::All => (0, String::new()),
        Member::Lead(unit) => (1, unit.to_string()),
        Member::MainCategory(code) => (2, code.clone()),
        Member::Category(code) => (3, code.clone()),
        Member::Level(depth) => (4, depth.to_string()),
    }
}

/// The columns of what is asked, as the statements take them.
struct Columns {
    length: i32,
    dimensions: Vec<i16>,
    members: Vec<String>,
    periods: Vec<i32>,
    spans: Vec<i16>,
    firsts: Vec<time::Date>,
    lasts: Vec<time::Date>,
}

impl Columns {
    fn of(asked: &Asked<'_>) -> Self {
        let (dimensions, members) = asked.members.iter().map(columns).unzip();
        let pieces = || (0..).zip(asked.periods).flat_map(|(number, ps)| ps.iter().map(move |p| (number, p)));
        Self {
            length: asked.areas.first().map_or(0, String::len) as i32,
            dimensions,
            members,
            periods: pieces().map(|(number, _)| number).collect(),
            spans: pieces().map(|(_, piece)| piece.span as i16).collect(),
            firsts: pieces().map(|(_, piece)| piece.first).collect(),
            lasts: pieces().map(|(_, piece)| piece.last).collect(),
        }
    }
}

/// How often things happened; what never did is left out. The offset keeps the planner from reading all days of a member to
/// join them with the pieces; the upper bound, which nothing is above, tells it that the tail is short: of one bound alone it takes a
/// third of all transitions to be above it, and reads them all.
pub async fn read(conn: &mut PgConnection, asked: &Asked<'_>) -> sqlx::Result<Vec<Count>> {
    let columns = Columns::of(asked);
    let rows = sqlx::query!(
        r#"with member as materialized (select * from unnest($4::smallint[], $5::text[]) with ordinality as m(dimension, member, place)),
           piece as materialized (select * from unnest($6::integer[], $7::smallint[], $8::date[], $9::date[]) as p(period, span, first, last)),
           rolled as (
             select c.area, m.place, p.period, c.metric, c.count
             from member m cross join piece p cross join lateral (
               select * from statistic_count c
               where c.district = $1 and c.dimension = m.dimension and c.area = any($2) and c.member = m.member
                 and c.span = p.span and c.day between p.first and p.last offset 0) as c),
           tail as (
             select left(t.area, $3) as area, m.place, p.period, t.metric, t.amount as count
             from statistic_contribution t
               join member m on m.dimension = t.dimension and m.member = t.member
               join piece p on t.day between p.first and p.last
             where t.district = $1 and t.minutes is null
               and t.seq > coalesce((select seq from statistic_head where district = $1), 0)
               and t.seq <= (select seq from feed_head where district = $1)
               and left(t.area, $3) = any($2))
           select area as "area!", place as "place!", period as "period!", metric as "metric!",
             sum(count)::bigint as "count!"
           from (select * from rolled union all select * from tail) as both_parts
           group by 1, 2, 3, 4"#,
        asked.district,
        asked.areas,
        columns.length,
        &columns.dimensions,
        &columns.members,
        &columns.periods,
        &columns.spans,
        &columns.firsts,
        &columns.lasts,
    )
    .fetch_all(conn)
    .await?;
    let count = rows.into_iter().map(|r| Count {
        area: r.area,
        member: r.place as usize - 1,
        period: r.period as usize,
        metric: r.metric,
        count: r.count,
    });
    Ok(count.collect())
}

/// How long things took; what never happened is left out.
pub async fn read_times(conn: &mut PgConnection, asked: &Asked<'_>) -> sqlx::Result<Vec<Times>> {
    let columns = Columns::of(asked);
    let rows = sqlx::query!(
        r#"with member as materialized (select * from unnest($4::smallint[], $5::text[]) with ordinality as m(dimension, member, place)),
           piece as materialized (select * from unnest($6::integer[], $7::smallint[], $8::date[], $9::date[]) as p(period, span, first, last)),
           rolled as (
             select c.area, m.place, p.period, c.metric, c.minutes, c.count
             from member m cross join piece p cross join lateral (
               select * from statistic_minutes c
               where c.district = $1 and c.dimension = m.dimension and c.area = any($2) and c.member = m.member
                 and c.span = p.span and c.day between p.first and p.last offset 0) as c),
           tail as (
             select left(t.area, $3) as area, m.place, p.period, t.metric, t.minutes, t.amount as count
             from statistic_contribution t
               join member m on m.dimension = t.dimension and m.member = t.member
               join piece p on t.day between p.first and p.last
             where t.district = $1 and t.minutes is not null
               and t.seq > coalesce((select seq from statistic_head where district = $1), 0)
               and t.seq <= (select seq from feed_head where district = $1)
               and left(t.area, $3) = any($2))
           select area as "area!", place as "place!", period as "period!", metric as "metric!",
             array_agg(minutes) as "minutes!", array_agg(count) as "counts!"
           from (select * from rolled union all select * from tail) as both_parts
           group by 1, 2, 3, 4"#,
        asked.district,
        asked.areas,
        columns.length,
        &columns.dimensions,
        &columns.members,
        &columns.periods,
        &columns.spans,
        &columns.firsts,
        &columns.lasts,
    )
    .fetch_all(conn)
    .await?;
    let times = rows.into_iter().filter_map(|r| {
        let spread = Spread::of(r.minutes.into_iter().zip(r.counts).collect())?;
        Some(Times {
            area: r.area,
            member: r.place as usize - 1,
            period: r.period as usize,
            metric: r.metric,
            spread,
        })
    });
    Ok(times.collect())
}

/// The districts with transitions that the counters do not have yet, among at least so many changes of any kind.
pub async fn behind(pool: &PgPool, changes: i64) -> sqlx::Result<Vec<i32>> {
    sqlx::query_scalar!(
        "select h.district from feed_head h left join statistic_head c on c.district = h.district
         where h.seq - coalesce(c.seq, 0) >= $1
           and exists (select from event_transition t where t.district = h.district and t.seq > coalesce(c.seq, 0))
         order by h.district",
        changes,
    )
    .fetch_all(pool)
    .await
}

/// The sequence number up to which a district's transitions are in its counters, locked until the transaction ends: roll-ups
/// and repairs wait for each other, and writers for none of them.
pub async fn lock_head(conn: &mut PgConnection, district: i32) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        "insert into statistic_head (district, seq) values ($1, 0)
         on conflict (district) do update set seq = statistic_head.seq returning seq",
        district,
    )
    .fetch_one(conn)
    .await
}

/// Adds up to `limit` transitions of a district to the counters, in the caller's transaction. Answers how many it added;
/// several replicas may call it at once: the head's row lock orders them.
pub async fn roll_up(conn: &mut PgConnection, district: i32, limit: i64) -> sqlx::Result<i64> {
    let from = lock_head(&mut *conn, district).await?;
    let batch = sqlx::query!(
        r#"select count(*) as "count!", max(seq) as upto
           from (select seq from event_transition where district = $1 and seq > $2 order by seq limit $3) as batch"#,
        district,
        from,
        limit,
    )
    .fetch_one(&mut *conn)
    .await?;
    let Some(upto) = batch.upto else { return Ok(0) };
    sqlx::query!(
        "with folded as materialized (select * from statistic_fold($1, $2, $3)),
           counted as (
             insert into statistic_count as c (district, dimension, area, member, span, day, metric, count)
             select $1, dimension, area, member, span, day, metric, count from folded where minutes is null
             on conflict (district, dimension, area, member, span, day, metric)
             do update set count = c.count + excluded.count),
           timed as (
             insert into statistic_minutes as c (district, dimension, area, member, span, day, metric, minutes, count)
             select $1, dimension, area, member, span, day, metric, minutes, count from folded where minutes is not null
             on conflict (district, dimension, area, member, span, day, metric, minutes)
             do update set count = c.count + excluded.count)
         update statistic_head set seq = $3 where district = $1",
        district,
        from,
        upto,
    )
    .execute(conn)
    .await?;
    Ok(batch.count)
}
