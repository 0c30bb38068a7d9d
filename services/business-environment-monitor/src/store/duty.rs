//! What monitors delivered in a period, and how their duties were assessed (履职考核).

use jingwei_work_calendar::CHINA_STANDARD_TIME;
use sqlx::types::Json;
use sqlx::{PgExecutor, PgPool};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use crate::model::appointment::Appointment;
use crate::model::appointment::duty::Turn;
use crate::model::local_day;

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

/// The appointments of a district with a term that has a day from one to another, after `after`, in the order of the nominations; of
/// one person where given.
pub async fn appointments(
    pool: &PgPool,
    district: i32,
    person: Option<&str>,
    (from, to): (Date, Date),
    (after, limit): (Uuid, i64),
) -> sqlx::Result<Vec<Appointment>> {
    let bodies = sqlx::query_scalar!(
        r#"select body as "body: Json<Appointment>" from appointment
           where district = $1 and ($2::text is null or person = $2) and first_date <= $4 and last_date >= $3 and id > $5
           order by id limit $6"#,
        district,
        person,
        from,
        to,
        after,
        limit,
    );
    Ok(bodies.fetch_all(pool).await?.into_iter().map(|body| body.0).collect())
}

/// On which local days the persons collected items from one day to another, both included, and how many.
pub async fn items(
    executor: impl PgExecutor<'_>,
    district: i32,
    persons: &[String],
    from: Date,
    to: Date,
) -> sqlx::Result<Vec<(String, Date, i64)>> {
    let begin = |day: Date| day.midnight().assume_offset(CHINA_STANDARD_TIME);
    let rows = sqlx::query!(
        r#"select collector, (collect_time at time zone interval '8 hours')::date as "day!", count(*) as "count!"
           from info_item where district = $1 and collector = any($2) and collect_time >= $3 and collect_time < $4
           group by 1, 2"#,
        district,
        persons,
        begin(from),
        begin(to.next_day().unwrap_or(to)),
    );
    Ok(rows.fetch_all(executor).await?.into_iter().map(|row| (row.collector, row.day, row.count)).collect())
}

/// What stopped the terms of appointments, or let them go on, each in its order.
pub async fn turns(
    executor: impl PgExecutor<'_>,
    district: i32,
    appointments: &[Uuid],
) -> sqlx::Result<Vec<(Uuid, Turn)>> {
    let rows = sqlx::query!(
        "select appointment, action, create_time from appointment_record
         where district = $1 and appointment = any($2) and action in ('SUSPEND', 'REINSTATE', 'DISMISS', 'RESIGN')
         order by appointment, version",
        district,
        appointments,
    );
    let turn = |action: &str, day| if action == "REINSTATE" { Turn::GoesOn(day) } else { Turn::Stops(day) };
    let rows = rows.fetch_all(executor).await?.into_iter();
    Ok(rows.map(|row| (row.appointment, turn(&row.action, local_day(row.create_time)))).collect())
}

/// An assessment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// The appointment.
    pub appointment: Uuid,
    /// The grade, numbered as in the proto.
    pub grade: i16,
    /// What the office says of it.
    pub comment: String,
    /// Who assessed.
    pub assessor: String,
    /// When.
    pub create_time: OffsetDateTime,
    /// How many periods were owed then.
    pub owed_periods: i32,
    /// How many of them were fulfilled then.
    pub fulfilled_periods: i32,
}

/// The assessments of appointments in a year.
pub async fn assessments(
    executor: impl PgExecutor<'_>,
    district: i32,
    appointments: &[Uuid],
    year: i32,
) -> sqlx::Result<Vec<Assessment>> {
    sqlx::query_as!(
        Assessment,
        "select appointment, grade, comment, assessor, create_time, owed_periods, fulfilled_periods from duty_assessment
         where district = $1 and appointment = any($2) and year = $3",
        district,
        appointments,
        year,
    )
    .fetch_all(executor)
    .await
}

/// Records an assessment.
///
/// # Errors
/// `duty_assessment_pkey` where the year is assessed.
pub async fn assess(
    executor: impl PgExecutor<'_>,
    district: i32,
    year: i32,
    assessment: &Assessment,
) -> sqlx::Result<()> {
    let insert = sqlx::query!(
        "insert into duty_assessment
           (district, appointment, year, grade, comment, assessor, create_time, owed_periods, fulfilled_periods)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        district,
        assessment.appointment,
        year,
        assessment.grade,
        assessment.comment,
        assessment.assessor,
        assessment.create_time,
        assessment.owed_periods,
        assessment.fulfilled_periods,
    );
    insert.execute(executor).await.map(|_| ())
}
