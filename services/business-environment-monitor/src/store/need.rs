//! Needs and their facts. Each fact is a row of its own too, for what must be unique and for sums.

use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor, PgPool, Postgres, QueryBuilder};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use crate::model::need::{Fact, Kind, Need, State};

/// Where a page begins: after the need with this time and id.
pub type Cursor = (OffsetDateTime, Uuid);

/// Which needs of a district, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The district.
    pub district: i32,
    /// Only of the enterprise with this code.
    pub enterprise: Option<String>,
    /// Only in this state.
    pub state: Option<State>,
}

/// What enterprises got of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// The kind's number.
    pub kind: i16,
    /// How many confirmed facts.
    pub facts: i64,
    /// The sum of their amounts.
    pub amount: i64,
}

/// The number of a kind or state, or of what a fact is: its place from 1, as in the proto's enums.
fn number(place: i16) -> i16 {
    place + 1
}

/// One need.
pub async fn get(executor: impl PgExecutor<'_>, district: i32, id: Uuid) -> sqlx::Result<Option<Need>> {
    let body = sqlx::query_scalar!(
        r#"select body as "body: Json<Need>" from need where district = $1 and id = $2"#,
        district,
        id,
    );
    Ok(body.fetch_optional(executor).await?.map(|body| body.0))
}

/// As `get`; others who want to change it wait until the transaction ends.
pub async fn lock(conn: &mut PgConnection, district: i32, id: Uuid) -> sqlx::Result<Option<Need>> {
    let body = sqlx::query_scalar!(
        r#"select body as "body: Json<Need>" from need where district = $1 and id = $2 for update"#,
        district,
        id,
    );
    Ok(body.fetch_optional(conn).await?.map(|body| body.0))
}

/// A page of needs after `after`, at most `limit`.
pub async fn list(
    pool: &PgPool,
    filter: &Filter,
    after: Option<Cursor>,
    limit: i64,
) -> sqlx::Result<Vec<Need>> {
    let mut query = QueryBuilder::<Postgres>::new("select body from need where district = ");
    query.push_bind(filter.district);
    if let Some(code) = &filter.enterprise {
        query.push(" and enterprise = ").push_bind(code);
    }
    if let Some(state) = filter.state {
        query.push(" and state = ").push_bind(number(state as i16));
    }
    if let Some((time, id)) = after {
        query.push(" and (raise_time, id) < (").push_bind(time).push(", ").push_bind(id).push(")");
    }
    query.push(" order by raise_time desc, id desc limit ").push_bind(limit);
    let rows: Vec<(Json<Need>,)> = query.build_query_as().fetch_all(pool).await?;
    Ok(rows.into_iter().map(|(body,)| body.0).collect())
}

/// Writes a new need.
///
/// # Errors
/// `need_pkey` for an id in use, `need_of_enterprise` where the register does not have the enterprise.
pub async fn insert(conn: &mut PgConnection, need: &Need) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into need (district, id, enterprise, raise_time, state, version, body) values ($1, $2, $3, $4, $5, $6, $7)",
        need.district,
        need.id,
        need.enterprise.as_str(),
        need.raised,
        number(need.state() as i16),
        need.version,
        Json(need) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes a locked need that was changed.
pub async fn update(conn: &mut PgConnection, need: &Need) -> sqlx::Result<()> {
    sqlx::query!(
        "update need set state = $3, version = $4, body = $5 where district = $1 and id = $2",
        need.district,
        need.id,
        number(need.state() as i16),
        need.version,
        Json(need) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes a fact of a need, new or decided; `day` is the local day of its decision.
///
/// # Errors
/// `fact_reference` where the kind has an undisputed fact with the same reference.
pub async fn put_fact(
    conn: &mut PgConnection,
    need: &Need,
    fact: &Fact,
    day: Option<Date>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into fact (district, id, need_id, kind, amount, reference, state, decide_day) values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (district, id) do update set state = excluded.state, decide_day = excluded.decide_day",
        need.district,
        fact.id,
        need.id,
        number(need.kind as i16),
        fact.amount,
        fact.reference,
        number(fact.state() as i16),
        day,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What enterprises of a district got by confirmations from one day to another, both included.
pub async fn counts(pool: &PgPool, district: i32, from: Date, to: Date) -> sqlx::Result<Vec<Count>> {
    sqlx::query_as!(
        Count,
        r#"select kind, count(*) as "facts!", sum(amount)::bigint as "amount!" from fact
           where district = $1 and state = 2 and decide_day between $2 and $3 group by kind"#,
        district,
        from,
        to,
    )
    .fetch_all(pool)
    .await
}

/// The number of a kind, as `Count` has it.
pub fn number_of(kind: Kind) -> i16 {
    number(kind as i16)
}
