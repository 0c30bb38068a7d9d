//! Transfers, each change with its record; the sealed content beside them.

use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::model::receiver::Receiver;
use crate::model::transfer::{Record, State, Transfer};

/// One transfer.
pub async fn get(executor: impl PgExecutor<'_>, district: i32, id: Uuid) -> sqlx::Result<Option<Transfer>> {
    let body = sqlx::query_scalar!(
        r#"select body as "body: Json<Transfer>" from transfer where district = $1 and id = $2"#,
        district,
        id,
    );
    Ok(body.fetch_optional(executor).await?.map(|body| body.0))
}

/// One transfer, locked until the end of the transaction.
pub async fn lock(conn: &mut PgConnection, district: i32, id: Uuid) -> sqlx::Result<Option<Transfer>> {
    let body = sqlx::query_scalar!(
        r#"select body as "body: Json<Transfer>" from transfer where district = $1 and id = $2 for update"#,
        district,
        id,
    );
    Ok(body.fetch_optional(conn).await?.map(|body| body.0))
}

/// One transfer with its sealed content; `None` where there is none any more, too.
pub async fn with_content(
    executor: impl PgExecutor<'_>,
    district: i32,
    id: Uuid,
) -> sqlx::Result<Option<(Transfer, Vec<u8>)>> {
    let row = sqlx::query!(
        r#"select body as "body: Json<Transfer>", sealed as "sealed!" from transfer
           where district = $1 and id = $2 and sealed is not null"#,
        district,
        id,
    );
    Ok(row.fetch_optional(executor).await?.map(|row| (row.body.0, row.sealed)))
}

/// Transfers of a district before `before`, newest first.
pub async fn list(
    executor: impl PgExecutor<'_>,
    district: i32,
    before: Uuid,
    limit: i64,
) -> sqlx::Result<Vec<Transfer>> {
    let bodies = sqlx::query_scalar!(
        r#"select body as "body: Json<Transfer>" from transfer where district = $1 and id < $2 order by id desc limit $3"#,
        district,
        before,
        limit,
    );
    Ok(bodies.fetch_all(executor).await?.into_iter().map(|body| body.0).collect())
}

/// Likewise, of one issue.
pub async fn list_of_issue(
    executor: impl PgExecutor<'_>,
    district: i32,
    issue: Uuid,
    before: Uuid,
    limit: i64,
) -> sqlx::Result<Vec<Transfer>> {
    let bodies = sqlx::query_scalar!(
        r#"select body as "body: Json<Transfer>" from transfer
           where district = $1 and issue = $2 and id < $3 order by id desc limit $4"#,
        district,
        issue,
        before,
        limit,
    );
    Ok(bodies.fetch_all(executor).await?.into_iter().map(|body| body.0).collect())
}

/// Likewise those sent to a receiver; of one issue where it is given.
pub async fn list_sent_to(
    executor: impl PgExecutor<'_>,
    district: i32,
    receiver: Receiver,
    issue: Option<Uuid>,
    before: Uuid,
    limit: i64,
) -> sqlx::Result<Vec<Transfer>> {
    let bodies = sqlx::query_scalar!(
        r#"select body as "body: Json<Transfer>" from transfer
           where district = $1 and receiver = $2 and state in ('SENT', 'ACKNOWLEDGED', 'RETURNED')
             and ($3::uuid is null or issue = $3) and id < $4 order by id desc limit $5"#,
        district,
        receiver.code(),
        issue,
        before,
        limit,
    );
    Ok(bodies.fetch_all(executor).await?.into_iter().map(|body| body.0).collect())
}

/// Takes the next register number of a year.
pub async fn take_number(conn: &mut PgConnection, district: i32, year: i32) -> sqlx::Result<i32> {
    let taken = sqlx::query_scalar!(
        "insert into transfer_year as y (district, year, last) values ($1, $2, 1)
         on conflict (district, year) do update set last = y.last + 1 returning last",
        district,
        year,
    );
    taken.fetch_one(conn).await
}

/// Adds a transfer with its sealed content.
///
/// # Errors
/// `transfer_pkey` for an id in use, `transfer_live` where the issue is in another transfer.
pub async fn insert(
    conn: &mut PgConnection,
    transfer: &Transfer,
    record: &Record,
    sealed: &[u8],
) -> sqlx::Result<()> {
    let insert = sqlx::query!(
        "insert into transfer (district, id, issue, receiver, register_number, state, version, body, sealed)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        transfer.district,
        transfer.id,
        transfer.issue,
        transfer.receiver.code(),
        transfer.register_number,
        transfer.state.code(),
        transfer.version,
        Json(transfer) as _,
        sealed,
    );
    insert.execute(&mut *conn).await?;
    note(conn, transfer, record).await
}

/// Changes a transfer that is locked; withdrawn, its content is gone.
pub async fn update(conn: &mut PgConnection, transfer: &Transfer, record: &Record) -> sqlx::Result<()> {
    let update = sqlx::query!(
        "update transfer set state = $3, version = $4, body = $5, sealed = case when $6 then null else sealed end
         where district = $1 and id = $2",
        transfer.district,
        transfer.id,
        transfer.state.code(),
        transfer.version,
        Json(transfer) as _,
        transfer.state == State::Withdrawn,
    );
    update.execute(&mut *conn).await?;
    note(conn, transfer, record).await
}

async fn note(conn: &mut PgConnection, transfer: &Transfer, record: &Record) -> sqlx::Result<()> {
    let insert = sqlx::query!(
        "insert into transfer_record (district, transfer, version, action, from_state, to_state, subject, create_time)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        transfer.district,
        transfer.id,
        record.version,
        record.action,
        record.from.map(State::code),
        record.to.code(),
        record.by,
        record.at,
    );
    insert.execute(conn).await.map(|_| ())
}
