//! Batches, and the numbers of their certificates.

use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::model::appointment::batch::Batch;

/// One batch.
pub async fn get(executor: impl PgExecutor<'_>, district: i32, id: Uuid) -> sqlx::Result<Option<Batch>> {
    let body = sqlx::query_scalar!(
        r#"select body as "body: Json<Batch>" from batch where district = $1 and id = $2"#,
        district,
        id,
    );
    Ok(body.fetch_optional(executor).await?.map(|body| body.0))
}

/// One batch, locked: until the end of the transaction nobody else changes it or its appointments.
pub async fn lock(conn: &mut PgConnection, district: i32, id: Uuid) -> sqlx::Result<Option<Batch>> {
    let body = sqlx::query_scalar!(
        r#"select body as "body: Json<Batch>" from batch where district = $1 and id = $2 for update"#,
        district,
        id,
    );
    Ok(body.fetch_optional(conn).await?.map(|body| body.0))
}

/// Batches before `before`, newest first.
pub async fn list(
    executor: impl PgExecutor<'_>,
    district: i32,
    before: Uuid,
    limit: i64,
) -> sqlx::Result<Vec<Batch>> {
    let bodies = sqlx::query_scalar!(
        r#"select body as "body: Json<Batch>" from batch where district = $1 and id < $2 order by id desc limit $3"#,
        district,
        before,
        limit,
    );
    Ok(bodies.fetch_all(executor).await?.into_iter().map(|body| body.0).collect())
}

/// Adds a batch.
pub async fn insert(conn: &mut PgConnection, batch: &Batch) -> sqlx::Result<()> {
    let insert = sqlx::query!(
        "insert into batch (district, id, version, body) values ($1, $2, $3, $4)",
        batch.district,
        batch.id,
        batch.version,
        Json(batch) as _,
    );
    insert.execute(conn).await.map(|_| ())
}

/// Changes a batch that is locked.
pub async fn update(conn: &mut PgConnection, batch: &Batch) -> sqlx::Result<()> {
    let update = sqlx::query!(
        "update batch set version = $3, body = $4 where district = $1 and id = $2",
        batch.district,
        batch.id,
        batch.version,
        Json(batch) as _,
    );
    update.execute(conn).await.map(|_| ())
}

/// Until the end of the transaction nobody else in the district gives certificates: of two that give the same person the same
/// role, the later sees what the earlier wrote.
pub async fn lock_certificates(conn: &mut PgConnection, district: i32) -> sqlx::Result<()> {
    // 7 is this lock's kind.
    sqlx::query!("select pg_advisory_xact_lock(7, $1)", district).execute(conn).await.map(|_| ())
}

/// Takes so many numbers of a year; answers with the first.
pub async fn take_numbers(
    conn: &mut PgConnection,
    district: i32,
    year: i32,
    count: i32,
) -> sqlx::Result<i32> {
    let taken = sqlx::query_scalar!(
        r#"insert into certificate_year as y (district, year, last) values ($1, $2, $3)
           on conflict (district, year) do update set last = y.last + $3 returning last - $3 + 1 as "first!""#,
        district,
        year,
        count,
    );
    taken.fetch_one(conn).await
}
