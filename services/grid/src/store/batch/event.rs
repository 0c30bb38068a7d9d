//! Many events at once.

use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::model::event::Event;

/// Those of these events that exist.
pub async fn known(conn: &mut PgConnection, district: i32, ids: &[Uuid]) -> sqlx::Result<Vec<Event>> {
    let rows = sqlx::query!(
        r#"select case_number, body as "body: Json<Event>" from event where district = $1 and id = any($2)"#,
        district,
        ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| Event { case_number: r.case_number, ..r.body.0 }).collect())
}
