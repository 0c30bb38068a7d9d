//! Transitions: the timeline of an issue, and the small numbers that states, actions and classes are stored as.

use sqlx::PgPool;
use sqlx::types::Json;
use uuid::Uuid;

use crate::model::issue::transition::Transition;

/// The stored number of a state, action or class: its place in the model's order, from 1, as in the proto's enums.
pub(super) fn number(place: i16) -> i16 {
    place + 1
}

/// The transitions of an issue after a version, oldest first.
pub async fn list(
    pool: &PgPool,
    district: i32,
    issue: Uuid,
    after: i64,
    limit: i64,
) -> sqlx::Result<Vec<Transition>> {
    let rows = sqlx::query_scalar!(
        r#"select body as "body: Json<Transition>" from issue_transition
           where district = $1 and issue_id = $2 and version > $3 order by version limit $4"#,
        district,
        issue,
        after,
        limit,
    );
    Ok(rows.fetch_all(pool).await?.into_iter().map(|body| body.0).collect())
}
