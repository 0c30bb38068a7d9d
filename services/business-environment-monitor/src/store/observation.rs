//! Visits and experiences, and whether their monitor may have made them.

use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor, PgPool, Postgres, QueryBuilder};
use time::Date;
use uuid::Uuid;

use crate::model::observation::{Observation, Standing};

/// Where a page begins: after the one of this day and id.
pub type Cursor = (Date, Uuid);

/// Which visits or experiences of a district, the latest days first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The district.
    pub district: i32,
    /// Experiences, not visits.
    pub experience: bool,
    /// Only of the monitor with this subject.
    pub person: Option<String>,
    /// Only of the enterprise with this code.
    pub enterprise: Option<String>,
    /// Only on this day or later.
    pub from: Option<Date>,
    /// Only on this day or earlier.
    pub to: Option<Date>,
}

/// What the appointments of a person to any role say of today and of another day.
pub async fn standing(
    executor: impl PgExecutor<'_>,
    district: i32,
    person: &str,
    day: Date,
    today: Date,
) -> sqlx::Result<Standing> {
    // One whose first day has come is active, whether or not the sweep has been there; one that expired was.
    sqlx::query_as!(
        Standing,
        r#"select
             coalesce(bool_or(state in ('APPROVED', 'ACTIVE') and $4 between first_date and last_date), false) as "now!",
             coalesce(bool_or($3 between first_date and last_date), false) as "then!"
           from appointment
           where district = $1 and person = $2 and state in ('APPROVED', 'ACTIVE', 'EXPIRED')"#,
        district,
        person,
        day,
        today,
    )
    .fetch_one(executor)
    .await
}

/// One visit or experience.
pub async fn get(
    executor: impl PgExecutor<'_>,
    district: i32,
    id: Uuid,
    experience: bool,
) -> sqlx::Result<Option<Observation>> {
    let body = sqlx::query_scalar!(
        r#"select body as "body: Json<Observation>" from observation
           where district = $1 and id = $2 and experience = $3"#,
        district,
        id,
        experience,
    );
    Ok(body.fetch_optional(executor).await?.map(|body| body.0))
}

/// A page after `after`, at most `limit`.
pub async fn list(
    pool: &PgPool,
    filter: &Filter,
    after: Option<Cursor>,
    limit: i64,
) -> sqlx::Result<Vec<Observation>> {
    let mut query = QueryBuilder::<Postgres>::new("select body from observation where district = ");
    query.push_bind(filter.district).push(" and experience = ").push_bind(filter.experience);
    for (column, wanted) in [("person", &filter.person), ("enterprise", &filter.enterprise)] {
        if let Some(wanted) = wanted {
            query.push(" and ").push(column).push(" = ").push_bind(wanted);
        }
    }
    for (condition, day) in [(" and day >= ", filter.from), (" and day <= ", filter.to)] {
        if let Some(day) = day {
            query.push(condition).push_bind(day);
        }
    }
    if let Some((day, id)) = after {
        query.push(" and (day, id) < (").push_bind(day).push(", ").push_bind(id).push(")");
    }
    query.push(" order by day desc, id desc limit ").push_bind(limit);
    let rows: Vec<(Json<Observation>,)> = query.build_query_as().fetch_all(pool).await?;
    Ok(rows.into_iter().map(|(body,)| body.0).collect())
}

/// Writes a visit or an experience.
///
/// # Errors
/// `observation_of_enterprise` where the register does not have the enterprise.
pub async fn insert(conn: &mut PgConnection, observation: &Observation) -> sqlx::Result<()> {
    let insert = sqlx::query!(
        "insert into observation (district, id, experience, person, enterprise, day, body)
         values ($1, $2, $3, $4, $5, $6, $7)",
        observation.district,
        observation.id,
        observation.is_experience(),
        observation.person,
        observation.enterprise.as_ref().map(|code| code.as_str()),
        observation.day,
        Json(observation) as _,
    );
    insert.execute(conn).await.map(|_| ())
}
