//! Appointments, each change with its record.

use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor};
use time::Date;
use uuid::Uuid;

use crate::model::appointment::{Appointment, Record};

/// One appointment.
pub async fn get(
    executor: impl PgExecutor<'_>,
    district: i32,
    id: Uuid,
) -> sqlx::Result<Option<Appointment>> {
    let body = sqlx::query_scalar!(
        r#"select body as "body: Json<Appointment>" from appointment where district = $1 and id = $2"#,
        district,
        id,
    );
    Ok(body.fetch_optional(executor).await?.map(|body| body.0))
}

/// The appointment that a certificate is of.
pub async fn certified(
    executor: impl PgExecutor<'_>,
    district: i32,
    certificate: &str,
) -> sqlx::Result<Option<Appointment>> {
    let body = sqlx::query_scalar!(
        r#"select body as "body: Json<Appointment>" from appointment where district = $1 and certificate = $2"#,
        district,
        certificate,
    );
    Ok(body.fetch_optional(executor).await?.map(|body| body.0))
}

/// A person's last appointment to a role, those declined left out.
pub async fn last(
    executor: impl PgExecutor<'_>,
    district: i32,
    person: &str,
    role: &str,
) -> sqlx::Result<Option<Appointment>> {
    let body = sqlx::query_scalar!(
        r#"select body as "body: Json<Appointment>" from appointment
           where district = $1 and person = $2 and role = $3 and state <> 'DECLINED' order by id desc limit 1"#,
        district,
        person,
        role,
    );
    Ok(body.fetch_optional(executor).await?.map(|body| body.0))
}

/// Appointments of a batch after `after`, in the order of the nominations.
pub async fn list(
    executor: impl PgExecutor<'_>,
    district: i32,
    batch: Uuid,
    after: Uuid,
    limit: i64,
) -> sqlx::Result<Vec<Appointment>> {
    let bodies = sqlx::query_scalar!(
        r#"select body as "body: Json<Appointment>" from appointment
           where district = $1 and batch = $2 and id > $3 order by id limit $4"#,
        district,
        batch,
        after,
        limit,
    );
    Ok(bodies.fetch_all(executor).await?.into_iter().map(|body| body.0).collect())
}

/// The batches, each with its district, that have an appointment whose term is over on a day.
pub async fn ending(executor: impl PgExecutor<'_>, today: Date) -> sqlx::Result<Vec<(i32, Uuid)>> {
    let rows = sqlx::query!(
        "select distinct a.district, a.batch from feed_head h join appointment a on a.district = h.district
         where a.state in ('ACTIVE', 'SUSPENDED') and a.last_date < $1",
        today,
    );
    Ok(rows.fetch_all(executor).await?.into_iter().map(|row| (row.district, row.batch)).collect())
}

/// Likewise those that have an appointment whose term has begun and that is not active yet.
pub async fn beginning(executor: impl PgExecutor<'_>, today: Date) -> sqlx::Result<Vec<(i32, Uuid)>> {
    let rows = sqlx::query!(
        "select distinct a.district, a.batch from feed_head h join appointment a on a.district = h.district
         where a.state = 'APPROVED' and a.first_date <= $1",
        today,
    );
    Ok(rows.fetch_all(executor).await?.into_iter().map(|row| (row.district, row.batch)).collect())
}

/// Whether the person has the role by another appointment on a day of this one's term.
pub async fn overlaps(conn: &mut PgConnection, appointment: &Appointment) -> sqlx::Result<bool> {
    let found = sqlx::query_scalar!(
        r#"select exists (select from appointment where district = $1 and person = $2 and role = $3 and id <> $4
             and state in ('APPROVED', 'ACTIVE', 'SUSPENDED') and first_date <= $6 and last_date >= $5) as "found!""#,
        appointment.district,
        appointment.nomination.person,
        appointment.nomination.role,
        appointment.id,
        appointment.tenure.map(|tenure| tenure.first),
        appointment.tenure.map(|tenure| tenure.last),
    );
    found.fetch_one(conn).await
}

/// Adds an appointment.
pub async fn insert(conn: &mut PgConnection, appointment: &Appointment, record: &Record) -> sqlx::Result<()> {
    let insert = sqlx::query!(
        "insert into appointment (district, id, batch, person, role, state, version, body)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        appointment.district,
        appointment.id,
        appointment.batch,
        appointment.nomination.person,
        appointment.nomination.role,
        appointment.state.code(),
        appointment.version,
        Json(appointment) as _,
    );
    insert.execute(&mut *conn).await?;
    note(conn, appointment.district, record).await
}

/// Changes an appointment whose batch is locked.
pub async fn update(conn: &mut PgConnection, appointment: &Appointment, record: &Record) -> sqlx::Result<()> {
    let update = sqlx::query!(
        "update appointment set state = $3, first_date = $4, last_date = $5, certificate = $6, version = $7, body = $8
         where district = $1 and id = $2",
        appointment.district,
        appointment.id,
        appointment.state.code(),
        appointment.tenure.map(|tenure| tenure.first),
        appointment.tenure.map(|tenure| tenure.last),
        appointment.certificate,
        appointment.version,
        Json(appointment) as _,
    );
    update.execute(&mut *conn).await?;
    note(conn, appointment.district, record).await
}

async fn note(conn: &mut PgConnection, district: i32, record: &Record) -> sqlx::Result<()> {
    let insert = sqlx::query!(
        "insert into appointment_record (district, appointment, version, action, from_state, to_state, subject, reason, create_time)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        district,
        record.appointment,
        record.version,
        record.action.code(),
        record.from.map(|state| state.code()),
        record.to.code(),
        record.actor.subject,
        record.reason,
        record.at,
    );
    insert.execute(conn).await.map(|_| ())
}
