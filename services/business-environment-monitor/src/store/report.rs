//! Confidential reports, each change with its record; the sealed content beside them. Nothing of them is in the feed.

use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::model::receiver::Receiver;
use crate::model::report::{About, Report};

/// Whom a report is about, as stored.
#[must_use]
pub fn about(about: &About) -> String {
    match about {
        About::Office => "office".to_owned(),
        About::Department(code) => format!("departments/{code}"),
    }
}

/// One report with its sealed content.
pub async fn get(
    executor: impl PgExecutor<'_>,
    district: i32,
    id: Uuid,
) -> sqlx::Result<Option<(Report, Vec<u8>)>> {
    let row = sqlx::query!(
        r#"select body as "body: Json<Report>", sealed from confidential_report where district = $1 and id = $2"#,
        district,
        id,
    );
    Ok(row.fetch_optional(executor).await?.map(|row| (row.body.0, row.sealed)))
}

/// One report, locked until the end of the transaction.
pub async fn lock(conn: &mut PgConnection, district: i32, id: Uuid) -> sqlx::Result<Option<Report>> {
    let body = sqlx::query_scalar!(
        r#"select body as "body: Json<Report>" from confidential_report where district = $1 and id = $2 for update"#,
        district,
        id,
    );
    Ok(body.fetch_optional(conn).await?.map(|body| body.0))
}

/// A person's own reports before `before`, newest first.
pub async fn list_by(
    executor: impl PgExecutor<'_>,
    district: i32,
    reporter: &str,
    before: Uuid,
    limit: i64,
) -> sqlx::Result<Vec<Report>> {
    let bodies = sqlx::query_scalar!(
        r#"select body as "body: Json<Report>" from confidential_report
           where district = $1 and reporter = $2 and id < $3 order by id desc limit $4"#,
        district,
        reporter,
        before,
        limit,
    );
    Ok(bodies.fetch_all(executor).await?.into_iter().map(|body| body.0).collect())
}

/// Likewise those to a receiver, but for those about `hidden`.
pub async fn list_to(
    executor: impl PgExecutor<'_>,
    district: i32,
    receiver: Receiver,
    hidden: &[String],
    before: Uuid,
    limit: i64,
) -> sqlx::Result<Vec<Report>> {
    let bodies = sqlx::query_scalar!(
        r#"select body as "body: Json<Report>" from confidential_report
           where district = $1 and receiver = $2 and about <> all($3) and id < $4 order by id desc limit $5"#,
        district,
        receiver.code(),
        hidden,
        before,
        limit,
    );
    Ok(bodies.fetch_all(executor).await?.into_iter().map(|body| body.0).collect())
}

/// Adds a report with its sealed content.
///
/// # Errors
/// `confidential_report_pkey` for an id in use.
pub async fn insert(conn: &mut PgConnection, report: &Report, sealed: &[u8]) -> sqlx::Result<()> {
    let insert = sqlx::query!(
        "insert into confidential_report (district, id, reporter, receiver, about, version, body, sealed)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        report.district,
        report.id,
        report.reporter,
        report.receiver.code(),
        about(&report.about),
        report.version,
        Json(report) as _,
        sealed,
    );
    insert.execute(&mut *conn).await?;
    note(conn, report, "SUBMIT", &report.reporter, report.submitted).await
}

/// Changes a report that is locked.
pub async fn update(
    conn: &mut PgConnection,
    report: &Report,
    action: &str,
    by: &str,
    now: OffsetDateTime,
) -> sqlx::Result<()> {
    let update = sqlx::query!(
        "update confidential_report set version = $3, body = $4 where district = $1 and id = $2",
        report.district,
        report.id,
        report.version,
        Json(report) as _,
    );
    update.execute(&mut *conn).await?;
    note(conn, report, action, by, now).await
}

async fn note(
    conn: &mut PgConnection,
    report: &Report,
    action: &str,
    by: &str,
    now: OffsetDateTime,
) -> sqlx::Result<()> {
    let insert = sqlx::query!(
        "insert into confidential_report_record (district, report, version, action, to_state, subject, create_time)
         values ($1, $2, $3, $4, $5, $6, $7)",
        report.district,
        report.id,
        report.version,
        action,
        report.state.code(),
        by,
        now,
    );
    insert.execute(conn).await.map(|_| ())
}
