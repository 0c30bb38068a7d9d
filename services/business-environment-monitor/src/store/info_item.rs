//! Items of market information: each change with its record and its counts.

use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor, PgPool, Postgres, QueryBuilder};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::transition::number;
use crate::model::info_item::{InfoItem, Record, State};

/// Where a page begins: after the item with this time and id.
pub type Cursor = (OffsetDateTime, Uuid);

/// An item as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// The item.
    pub item: InfoItem,
    /// Where following its merges ends: itself unless merged.
    pub root: Uuid,
    /// The subjects of all who collected it or what is merged into it, in their order; empty of a merged one.
    pub collectors: Vec<String>,
}

/// Which items of a district, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The district.
    pub district: i32,
    /// Only in this state.
    pub state: Option<State>,
    /// Only those that the monitor with this subject collected.
    pub collector: Option<String>,
    /// Only of the enterprise with this code.
    pub enterprise: Option<String>,
}

/// What a stored item is read from, as `i`.
const COLUMNS: &str = "select i.body, i.root, array(select distinct m.collector from info_item m
    where m.district = i.district and m.root = i.id order by m.collector) from info_item i where i.district = ";

fn stored((body, root, collectors): (Json<InfoItem>, Uuid, Vec<String>)) -> Stored {
    Stored { item: body.0, root, collectors }
}

/// One item.
pub async fn get(executor: impl PgExecutor<'_>, district: i32, id: Uuid) -> sqlx::Result<Option<Stored>> {
    let row = sqlx::query!(
        r#"select i.body as "body: Json<InfoItem>", i.root,
             array(select distinct m.collector from info_item m
               where m.district = $1 and m.root = $2 order by m.collector) as "collectors!"
           from info_item i where i.district = $1 and i.id = $2"#,
        district,
        id,
    );
    Ok(row.fetch_optional(executor).await?.map(|row| stored((row.body, row.root, row.collectors))))
}

/// Until the end of the transaction nobody else decides on an item of the district: merges and links of one item are facts of others
/// too.
pub async fn lock_decisions(conn: &mut PgConnection, district: i32) -> sqlx::Result<()> {
    // 13 is this lock's kind.
    sqlx::query!("select pg_advisory_xact_lock(13, $1)", district).execute(conn).await.map(|_| ())
}

/// A page of items after `after`, at most `limit`.
pub async fn list(
    pool: &PgPool,
    filter: &Filter,
    after: Option<Cursor>,
    limit: i64,
) -> sqlx::Result<Vec<Stored>> {
    let mut query = QueryBuilder::<Postgres>::new(COLUMNS);
    query.push_bind(filter.district);
    for (column, wanted) in [("collector", &filter.collector), ("enterprise", &filter.enterprise)] {
        if let Some(wanted) = wanted {
            query.push(" and i.").push(column).push(" = ").push_bind(wanted);
        }
    }
    if let Some(state) = filter.state {
        query.push(" and i.state = ").push_bind(number(state as i16));
    }
    if let Some((time, id)) = after {
        query.push(" and (i.collect_time, i.id) < (").push_bind(time).push(", ").push_bind(id).push(")");
    }
    query.push(" order by i.collect_time desc, i.id desc limit ").push_bind(limit);
    Ok(query.build_query_as().fetch_all(pool).await?.into_iter().map(stored).collect())
}

/// The items behind an issue, those merged into them too, after the id `after`.
pub async fn behind(
    pool: &PgPool,
    district: i32,
    issue: Uuid,
    after: Uuid,
    limit: i64,
) -> sqlx::Result<Vec<Stored>> {
    let mut query = QueryBuilder::<Postgres>::new(COLUMNS);
    query.push_bind(district);
    query
        .push(" and i.root in (select l.item from info_item_issue l where l.district = ")
        .push_bind(district);
    query.push(" and l.issue = ").push_bind(issue).push(") and i.id > ").push_bind(after);
    query.push(" order by i.id limit ").push_bind(limit);
    Ok(query.build_query_as().fetch_all(pool).await?.into_iter().map(stored).collect())
}

/// Adds an item, counted in the month that begins on the day `month`.
///
/// # Errors
/// `info_item_of_enterprise` where the register does not have the enterprise.
pub async fn insert(
    conn: &mut PgConnection,
    item: &InfoItem,
    record: &Record,
    month: Date,
) -> sqlx::Result<()> {
    let content = &item.content;
    let insert = sqlx::query!(
        "with noted as (
           insert into info_item_record (district, item, version, action, to_state, subject, text, create_time)
           values ($1, $2, 1, $3, $4, $5, $6, $7)),
         counted as (
           insert into info_item_count as c (district, month, kind, count) values ($1, $8, $4, 1)
           on conflict (district, month, kind) do update set count = c.count + 1)
         insert into info_item (district, id, collector, collect_time, month, enterprise, observation, state, root, behind, version, body)
         values ($1, $2, $5, $7, $8, $9, $10, $4, $2, false, 1, $11)",
        item.district,
        item.id,
        number(record.action as i16),
        number(item.state as i16),
        item.collector,
        record.text,
        item.collected,
        month,
        content.enterprise.as_ref().map(|code| code.as_str()),
        content.source.map(|source| source.id),
        Json(item) as _,
    );
    insert.execute(conn).await.map(|_| ())
}

/// Changes an item; decisions of the district are locked. False where it is no longer the version before.
pub async fn update(conn: &mut PgConnection, item: &InfoItem, record: &Record) -> sqlx::Result<bool> {
    let update = sqlx::query_scalar!(
        r#"with changed as (
             update info_item set state = $4, merged_into = $5, version = $3, body = $6
             where district = $1 and id = $2 and version = $3::bigint - 1 returning month),
           noted as (
             insert into info_item_record (district, item, version, action, from_state, to_state, subject, text, other, create_time)
             select $1, $2, $3, $7, $8, $4, $9, $10, $11, $12 from changed),
           counted as (
             insert into info_item_count as c (district, month, kind, count)
             select $1, month, kind, change from changed
               cross join (values ($8::smallint, -1), ($4::smallint, 1)) as moved (kind, change)
             where $8 <> $4::smallint order by kind
             on conflict (district, month, kind) do update set count = c.count + excluded.count)
           select 1 as "done!" from changed"#,
        item.district,
        item.id,
        item.version,
        number(item.state as i16),
        item.merged_into,
        Json(item) as _,
        number(record.action as i16),
        record.from.map(|state| number(state as i16)),
        record.subject,
        record.text,
        record.other,
        record.at,
    );
    Ok(update.fetch_optional(conn).await?.is_some())
}

/// What was done with an item after a version, oldest first.
pub async fn records(
    pool: &PgPool,
    district: i32,
    item: Uuid,
    after: i64,
    limit: i64,
) -> sqlx::Result<Vec<Recorded>> {
    sqlx::query_as!(
        Recorded,
        "select version, action, from_state, to_state, subject, text, other, create_time from info_item_record
         where district = $1 and item = $2 and version > $3 order by version limit $4",
        district,
        item,
        after,
        limit,
    )
    .fetch_all(pool)
    .await
}

/// A record as stored; states and actions by their numbers, as in the proto.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in model::info_item::Record")]
pub struct Recorded {
    pub version: i64,
    pub action: i16,
    pub from_state: Option<i16>,
    pub to_state: i16,
    pub subject: String,
    pub text: String,
    pub other: Option<Uuid>,
    pub create_time: OffsetDateTime,
}
