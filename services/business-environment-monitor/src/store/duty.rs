//! What monitors delivered in a period: facts for the assessment of their duties (履职考核).

use jingwei_work_calendar::CHINA_STANDARD_TIME;
use sqlx::PgExecutor;
use time::Date;

/// What one person delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// The subject of the person.
    pub person: String,
    /// Items of market information collected in the period, whatever became of them.
    pub items: i64,
    /// Visits of days of the period.
    pub visits: i64,
    /// Experiences of days of the period.
    pub experiences: i64,
    /// Of the items those that are now behind an issue, by themselves or merged into one that is.
    pub promoted: i64,
}

/// What everybody of a district delivered from one local day to another, both included, in the order of the subjects; nobody who
/// delivered nothing. Reads index entries of the period only.
pub async fn delivered(
    executor: impl PgExecutor<'_>,
    district: i32,
    from: Date,
    to: Date,
) -> sqlx::Result<Vec<Delivered>> {
    let begin = |day: Date| day.midnight().assume_offset(CHINA_STANDARD_TIME);
    sqlx::query_as!(
        Delivered,
        r#"select person as "person!", sum(items)::bigint as "items!", sum(visits)::bigint as "visits!",
             sum(experiences)::bigint as "experiences!", sum(promoted)::bigint as "promoted!"
           from (
             select collector as person, count(*) as items, 0 as visits, 0 as experiences, count(*) filter (where behind) as promoted
             from info_item where district = $1 and collect_time >= $2 and collect_time < $3 group by collector
             union all
             select person, 0, count(*), 0, 0 from observation
             where district = $1 and not experience and day between $4 and $5 group by person
             union all
             select person, 0, 0, count(*), 0 from observation
             where district = $1 and experience and day between $4 and $5 group by person) as parts
           group by person order by person"#,
        district,
        begin(from),
        begin(to.next_day().unwrap_or(to)),
        from,
        to,
    )
    .fetch_all(executor)
    .await
}
