//! The tasks of a year.

use sqlx::{PgConnection, PgExecutor};

/// A district's tasks of a year, with their version; `None` where it has none.
pub async fn get(
    executor: impl PgExecutor<'_>,
    district: i32,
    year: i32,
) -> sqlx::Result<Option<(i64, Vec<String>)>> {
    let row = sqlx::query!(
        "select version, tasks from year_tasks where district = $1 and year = $2",
        district,
        year,
    );
    Ok(row.fetch_optional(executor).await?.map(|row| (row.version, row.tasks)))
}

/// Replaces the tasks of the version before this one (0 = there are none); false where they have another.
pub async fn put(
    conn: &mut PgConnection,
    (district, year): (i32, i32),
    version: i64,
    tasks: &[String],
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "insert into year_tasks as y (district, year, version, tasks)
         select $1, $2, $3::bigint, $4
         where $3 = 1 or exists (select from year_tasks where district = $1 and year = $2)
         on conflict (district, year) do update set version = $3, tasks = $4 where y.version = $3::bigint - 1",
        district,
        year,
        version,
        tasks,
    );
    Ok(done.execute(conn).await?.rows_affected() == 1)
}
