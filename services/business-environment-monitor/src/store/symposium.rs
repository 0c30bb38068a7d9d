//! Symposiums, each change with its record.

use std::collections::HashMap;

use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor, PgPool};
use uuid::Uuid;

use super::transition::number;
use crate::model::symposium::{Invitee, InviteeKind, Record, State, Symposium};

/// One symposium.
pub async fn get(executor: impl PgExecutor<'_>, district: i32, id: Uuid) -> sqlx::Result<Option<Symposium>> {
    let body = sqlx::query_scalar!(
        r#"select body as "body: Json<Symposium>" from symposium where district = $1 and id = $2"#,
        district,
        id,
    );
    Ok(body.fetch_optional(executor).await?.map(|body| body.0))
}

/// The same, locked until the end of the transaction.
pub async fn lock(executor: impl PgExecutor<'_>, district: i32, id: Uuid) -> sqlx::Result<Option<Symposium>> {
    let body = sqlx::query_scalar!(
        r#"select body as "body: Json<Symposium>" from symposium where district = $1 and id = $2 for update"#,
        district,
        id,
    );
    Ok(body.fetch_optional(executor).await?.map(|body| body.0))
}

/// Symposiums of a district before `before`, newest first.
pub async fn list(pool: &PgPool, district: i32, before: Uuid, limit: i64) -> sqlx::Result<Vec<Symposium>> {
    let bodies = sqlx::query_scalar!(
        r#"select body as "body: Json<Symposium>" from symposium
           where district = $1 and id < $2 order by id desc limit $3"#,
        district,
        before,
        limit,
    );
    Ok(bodies.fetch_all(pool).await?.into_iter().map(|body| body.0).collect())
}

/// Likewise those whose follow-up is published.
pub async fn list_published(
    pool: &PgPool,
    district: i32,
    before: Uuid,
    limit: i64,
) -> sqlx::Result<Vec<Symposium>> {
    let bodies = sqlx::query_scalar!(
        r#"select body as "body: Json<Symposium>" from symposium
           where district = $1 and state = 'FOLLOW_UP_PUBLISHED' and id < $2 order by id desc limit $3"#,
        district,
        before,
        limit,
    );
    Ok(bodies.fetch_all(pool).await?.into_iter().map(|body| body.0).collect())
}

/// Likewise those that somebody is invited to.
pub async fn list_of(
    pool: &PgPool,
    district: i32,
    invitee: &Invitee,
    before: Uuid,
    limit: i64,
) -> sqlx::Result<Vec<Symposium>> {
    let bodies = sqlx::query_scalar!(
        r#"select s.body as "body: Json<Symposium>" from symposium_invitee i
             join symposium s on s.district = i.district and s.id = i.symposium
           where i.district = $1 and i.kind = $2 and i.code = $3 and i.symposium < $4
           order by i.symposium desc limit $5"#,
        district,
        kind(invitee.kind),
        invitee.code,
        before,
        limit,
    );
    Ok(bodies.fetch_all(pool).await?.into_iter().map(|body| body.0).collect())
}

/// The state of each of these issues that exists, numbered as in the proto.
pub async fn issue_states(
    executor: impl PgExecutor<'_>,
    district: i32,
    issues: &[Uuid],
) -> sqlx::Result<HashMap<Uuid, i16>> {
    let rows =
        sqlx::query!("select id, state from issue where district = $1 and id = any($2)", district, issues,);
    Ok(rows.fetch_all(executor).await?.into_iter().map(|row| (row.id, row.state)).collect())
}

/// Adds a symposium with those invited.
pub async fn insert(conn: &mut PgConnection, symposium: &Symposium, record: &Record) -> sqlx::Result<()> {
    let insert = sqlx::query!(
        "insert into symposium (district, id, state, version, body) values ($1, $2, $3, $4, $5)",
        symposium.district,
        symposium.id,
        symposium.state.code(),
        symposium.version,
        Json(symposium) as _,
    );
    insert.execute(&mut *conn).await?;
    note(conn, symposium, record).await
}

/// Changes a symposium that is locked.
pub async fn update(conn: &mut PgConnection, symposium: &Symposium, record: &Record) -> sqlx::Result<()> {
    let update = sqlx::query!(
        "update symposium set state = $3, version = $4, body = $5 where district = $1 and id = $2",
        symposium.district,
        symposium.id,
        symposium.state.code(),
        symposium.version,
        Json(symposium) as _,
    );
    update.execute(&mut *conn).await?;
    note(conn, symposium, record).await
}

/// The record of a change, and whom it invites besides.
async fn note(conn: &mut PgConnection, symposium: &Symposium, record: &Record) -> sqlx::Result<()> {
    let invitees = || symposium.invitees.iter();
    let (kinds, codes): (Vec<_>, Vec<_>) =
        invitees().map(|invitee| (kind(invitee.kind), invitee.code.clone())).unzip();
    let insert = sqlx::query!(
        "with invited as (
           insert into symposium_invitee (district, symposium, kind, code)
           select $1, $2, i.kind, i.code from unnest($3::smallint[], $4::text[]) as i(kind, code) on conflict do nothing)
         insert into symposium_record (district, symposium, version, action, from_state, to_state, subject, create_time)
         values ($1, $2, $5, $6, $7, $8, $9, $10)",
        symposium.district,
        symposium.id,
        &kinds,
        &codes,
        record.version,
        record.action,
        record.from.map(State::code),
        record.to.code(),
        record.by,
        record.at,
    );
    insert.execute(conn).await.map(|_| ())
}

fn kind(kind: InviteeKind) -> i16 {
    number(kind as i16)
}
