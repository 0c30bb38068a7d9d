//! Work calendars, as the data that they were entered as.

use jingwei_work_calendar::{Calendar, CalendarDay, Shift};
use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor};

/// A district's calendar with its version; `None` where it has none.
pub async fn get(executor: impl PgExecutor<'_>, district: i32) -> sqlx::Result<Option<(i64, Calendar)>> {
    let row = sqlx::query!(
        r#"select version, shifts as "shifts: Json<Vec<Shift>>", days as "days: Json<Vec<CalendarDay>>", years
           from work_calendar where district = $1"#,
        district,
    )
    .fetch_optional(executor)
    .await?;
    row.map(|r| {
        let calendar = Calendar::new(r.shifts.0, r.days.0, r.years);
        calendar.map(|c| (r.version, c)).map_err(|faults| sqlx::Error::Decode(format!("{faults:?}").into()))
    })
    .transpose()
}

/// Replaces the calendar of the version before this one (0 = there is none); false where it has another.
pub async fn put(
    conn: &mut PgConnection,
    district: i32,
    version: i64,
    calendar: &Calendar,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "insert into work_calendar as w (district, version, shifts, days, years)
         select $1, $2::bigint, $3, $4, $5 where $2 = 1 or exists (select from work_calendar where district = $1)
         on conflict (district) do update set version = $2, shifts = $3, days = $4, years = $5 where w.version = $2::bigint - 1",
        district,
        version,
        Json(calendar.shifts()) as _,
        Json(calendar.days()) as _,
        calendar.years(),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
