//! Counts of notes by area: kept by the statements that change notes, and recomputed from the notes to see that they are right.

use sqlx::PgConnection;
use time::Date;

use crate::model::period::Period;

/// A count that is not what the notes say: `(notes, those of them that became events)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The area's code.
    pub area: String,
    /// The local day; 0001-01-01 = all days.
    pub day: Date,
    /// What the counters say; 0 where there are none.
    pub counted: (i64, i64),
    /// What the notes say.
    pub folded: (i64, i64),
}

/// Of each of `areas` with all below it that has any: the notes that came in in the period, and how many of those became
/// events since. Costs the days of the period; without one, a row for each area.
pub async fn counts(
    conn: &mut PgConnection,
    district: i32,
    areas: &[String],
    period: Period,
) -> sqlx::Result<Vec<(String, i64, i64)>> {
    let rows = sqlx::query!(
        r#"select area, sum(notes)::bigint as "notes!", sum(became_events)::bigint as "became_events!" from note_count
           where district = $1 and area = any($2)
             and case when $3::boolean then day = '0001-01-01'
                 else day between coalesce($4::date, '0001-01-02') and coalesce($5::date, '9999-12-31') end
           group by area"#,
        district,
        areas,
        period == Period::default(),
        period.from,
        period.to,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| (r.area, r.notes, r.became_events)).collect())
}

/// The differences between a district's counters and its notes, by area and day; with `repair`, the counters are set right.
///
/// One statement sees both as of one moment, and a repair adds what is missing: people may write meanwhile.
pub async fn recount(conn: &mut PgConnection, district: i32, repair: bool) -> sqlx::Result<Vec<Difference>> {
    let rows = sqlx::query!(
        r#"with sides as (
             select left(n.area, l.length) as area, d.day, count(*) as folded, count(*) filter (where n.reported) as folded_events,
               0::bigint as counted, 0::bigint as counted_events
             from note n join (values (6), (9), (12), (15), (18)) as l(length) on length(n.area) >= l.length
               cross join lateral (values ((n.create_time at time zone interval '8 hours')::date), ('0001-01-01')) as d(day)
             where n.district = $1 group by 1, 2
             union all
             select area, day, 0, 0, notes, became_events from note_count where district = $1),
           different as materialized (
             select area, day, sum(folded)::bigint as folded, sum(folded_events)::bigint as folded_events,
               sum(counted)::bigint as counted, sum(counted_events)::bigint as counted_events
             from sides group by area, day
             having sum(folded) <> sum(counted) or sum(folded_events) <> sum(counted_events)),
           missing as (
             insert into note_count (district, area, day, notes, became_events)
             select $1, area, day, 0, 0 from different where $2 order by area, day
             on conflict (district, area, day) do nothing returning 1)
           select area as "area!", day as "day!", folded as "folded!", folded_events as "folded_events!",
             counted as "counted!", counted_events as "counted_events!"
           from different cross join (select count(*) from missing) as m order by area, day"#,
        district,
        repair,
    )
    .fetch_all(&mut *conn)
    .await?;
    let differences: Vec<_> = rows
        .into_iter()
        .map(|r| Difference {
            area: r.area,
            day: r.day,
            counted: (r.counted, r.counted_events),
            folded: (r.folded, r.folded_events),
        })
        .collect();
    if repair {
        add(conn, district, &differences).await?;
    }
    Ok(differences)
}

async fn add(conn: &mut PgConnection, district: i32, differences: &[Difference]) -> sqlx::Result<()> {
    let areas: Vec<String> = differences.iter().map(|d| d.area.clone()).collect();
    let days: Vec<Date> = differences.iter().map(|d| d.day).collect();
    let notes: Vec<i64> = differences.iter().map(|d| d.folded.0 - d.counted.0).collect();
    let events: Vec<i64> = differences.iter().map(|d| d.folded.1 - d.counted.1).collect();
    sqlx::query!(
        "update note_count c set notes = c.notes + d.notes, became_events = c.became_events + d.became_events
         from unnest($2::text[], $3::date[], $4::bigint[], $5::bigint[]) as d(area, day, notes, became_events)
         where c.district = $1 and c.area = d.area and c.day = d.day",
        district,
        &areas,
        &days,
        &notes,
        &events,
    )
    .execute(conn)
    .await
    .map(|_| ())
}
