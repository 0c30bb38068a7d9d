//! Hand-overs, and what is open when a posting ends.

use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor, QueryBuilder, Row};
use uuid::Uuid;

use super::area::code;
use crate::model::area::AreaCode;
use crate::model::hand_over::{HandOver, NAMED, Open, OpenWork};
use crate::model::staff::{Posting, PostingRole};
use crate::model::unit::Unit;

/// Which hand-overs of a district.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only in this area and those below it.
    pub area: Option<AreaCode>,
    /// Only those that this person takes over.
    pub successor: Option<Uuid>,
    /// Only that of this posting.
    pub posting: Option<Uuid>,
    /// Only those that were not confirmed.
    pub unconfirmed: bool,
}

const COLUMNS: &str =
    "select id, posting_id, area, predecessor, successor, open, create_time, confirm_time, note, version
  from hand_over where district = ";

fn read(district: i32, row: &PgRow) -> sqlx::Result<HandOver> {
    Ok(HandOver {
        district,
        id: row.try_get("id")?,
        posting: row.try_get("posting_id")?,
        area: code(row.try_get("area")?)?,
        predecessor: row.try_get("predecessor")?,
        successor: row.try_get("successor")?,
        open: row.try_get::<Json<Open>, _>("open")?.0,
        created: row.try_get("create_time")?,
        confirmed: row.try_get("confirm_time")?,
        note: row.try_get("note")?,
        version: row.try_get("version")?,
    })
}

/// One hand-over.
pub async fn get(executor: impl PgExecutor<'_>, district: i32, id: Uuid) -> sqlx::Result<Option<HandOver>> {
    let mut query = QueryBuilder::new(COLUMNS);
    query.push_bind(district).push(" and id = ").push_bind(id);
    let row = query.build().fetch_optional(executor).await?;
    row.map(|row| read(district, &row)).transpose()
}

/// A page of hand-overs, the newest first.
pub async fn list(
    executor: impl PgExecutor<'_>,
    district: i32,
    filter: &Filter,
    after: Option<Uuid>,
    limit: i64,
) -> sqlx::Result<Vec<HandOver>> {
    let mut query = QueryBuilder::new(COLUMNS);
    query.push_bind(district);
    if let Some(area) = filter.area.filter(|area| area.depth() > 0) {
        query.push(" and area >= ").push_bind(area.to_string());
        query.push(" and area < ").push_bind(format!("{area}:"));
    }
    if let Some(successor) = filter.successor {
        query.push(" and successor = ").push_bind(successor);
    }
    if let Some(posting) = filter.posting {
        query.push(" and posting_id = ").push_bind(posting);
    }
    if filter.unconfirmed {
        query.push(" and confirm_time is null");
    }
    if let Some(after) = after {
        query.push(" and id < ").push_bind(after);
    }
    query.push(" order by id desc limit ").push_bind(limit);
    let rows = query.build().fetch_all(executor).await?;
    rows.iter().map(|row| read(district, row)).collect()
}

/// Adds a hand-over. Errors: `hand_over_posting`.
pub async fn insert(conn: &mut PgConnection, new: &HandOver) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into hand_over (district, id, posting_id, area, predecessor, successor, open, create_time, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        new.district,
        new.id,
        new.posting,
        new.area.to_string(),
        new.predecessor,
        new.successor,
        Json(&new.open) as _,
        new.created,
        new.version,
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// Confirms a hand-over that was not confirmed; false where it was.
pub async fn confirm(conn: &mut PgConnection, hand_over: &HandOver) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update hand_over set confirm_time = $3, note = $4, version = $5 where district = $1 and id = $2 and confirm_time is null",
        hand_over.district,
        hand_over.id,
        hand_over.confirmed,
        hand_over.note,
        hand_over.version,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Who can take over from the posting: the person named, who must be posted to the area, or its chief where nobody is; never the
/// person who leaves. The posting found stays until the transaction ends.
pub async fn successor(
    conn: &mut PgConnection,
    ended: &Posting,
    named: Option<Uuid>,
) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar!(
        "select staff_id from posting where district = $1 and area = $2 and end_time is null and staff_id <> $3
           and (staff_id = $4 or ($4::uuid is null and role = $5)) order by id limit 1 for share",
        ended.district,
        ended.area.to_string(),
        ended.staff_id,
        named,
        PostingRole::GridChief.number(),
    )
    .fetch_optional(conn)
    .await
}

/// What is open in the area of a posting and of its person.
pub async fn open_work(conn: &mut PgConnection, posting: &Posting) -> sqlx::Result<Open> {
    let holder = Unit::Area(posting.area).to_string();
    let events = sqlx::query!(
        r#"select count(*) as "count!", (array_agg(id order by report_time, id))[:$3::integer] as "ids?" from event
           where district = $1 and holder = $2 and state <= 8"#,
        posting.district,
        holder,
        i32::try_from(NAMED).unwrap_or(i32::MAX),
    )
    .fetch_one(&mut *conn)
    .await?;
    let deliberations = sqlx::query!(
        r#"select count(*) as "count!", (array_agg(id order by id))[:$3::integer] as "ids?" from deliberation
           where district = $1 and area = $2 and open"#,
        posting.district,
        posting.area.to_string(),
        i32::try_from(NAMED).unwrap_or(i32::MAX),
    )
    .fetch_one(&mut *conn)
    .await?;
    let records = sqlx::query!(
        r#"select count(*) as "count!", (array_agg(id order by day, id))[:$3::integer] as "ids?" from work_record
           where district = $1 and posting_id = $2 and review is null"#,
        posting.district,
        posting.id,
        i32::try_from(NAMED).unwrap_or(i32::MAX),
    )
    .fetch_one(&mut *conn)
    .await?;
    let patrols = sqlx::query!(
        r#"select count(*) as "count!", (array_agg(id order by due_time, id))[:$3::integer] as "ids?" from patrol
           where district = $1 and assignee = $2 and state in (1, 2) and area >= $4 and area < $4 || ':'"#,
        posting.district,
        posting.staff_id,
        i32::try_from(NAMED).unwrap_or(i32::MAX),
        posting.area.to_string(),
    )
    .fetch_one(conn)
    .await?;
    let work = |count, ids: Option<Vec<Uuid>>| OpenWork { count, ids: ids.unwrap_or_default() };
    Ok(Open {
        events: work(events.count, events.ids),
        deliberations: work(deliberations.count, deliberations.ids),
        work_records: work(records.count, records.ids),
        patrols: work(patrols.count, patrols.ids),
    })
}

/// Gives the planned patrols of who leaves to who takes over, in the area and below it. One under way is walked to its end by who began it.
pub async fn hand_patrols_over(conn: &mut PgConnection, new: &HandOver) -> sqlx::Result<()> {
    sqlx::query!(
        "update patrol set assignee = $3, version = version + 1,
           body = body || jsonb_build_object('assignee', $3::uuid, 'version', version + 1)
         where district = $1 and assignee = $2 and state = 1 and area >= $4 and area < $4 || ':'",
        new.district,
        new.predecessor,
        new.successor,
        new.area.to_string(),
    )
    .execute(conn)
    .await
    .map(|_| ())
}
