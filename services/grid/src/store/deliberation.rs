//! Deliberations: the whole in a body, beside it what lists look for, and one record for each change.

use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use crate::model::actor::Role;
use crate::model::deliberation::arcs::ActionKind;
use crate::model::deliberation::{Deliberation, Item, Record, State};
use crate::model::unit::Unit;

/// Where a page of deliberations begins: after the one with this time and id.
pub type Cursor = (OffsetDateTime, Uuid);
/// Where a page of action items begins: after the one with this date, deliberation and number.
pub type ItemCursor = (Date, Uuid, i32);

/// Which deliberations of a district.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Those that concern this unit.
    pub unit: Unit,
    /// Only in these states.
    pub states: Vec<State>,
    /// The time at which states are read.
    pub now: OffsetDateTime,
}

/// One deliberation.
pub async fn get(
    executor: impl PgExecutor<'_>,
    district: i32,
    id: Uuid,
) -> sqlx::Result<Option<Deliberation>> {
    let row = sqlx::query_scalar!(
        r#"select body as "body: Json<Deliberation>" from deliberation where district = $1 and id = $2"#,
        district,
        id,
    );
    Ok(row.fetch_optional(executor).await?.map(|body| body.0))
}

/// A new deliberation with its record. Errors: `deliberation_pkey`, `deliberation_area`, `deliberation_event_event`.
pub async fn insert(conn: &mut PgConnection, new: &Deliberation, record: &Record) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into deliberation (district, id, area, state, open, publicity_end, create_time, version, body)
         values ($1, $2, $3, $4, $5, null, $6, $7, $8)",
        new.district,
        new.id,
        new.area.to_string(),
        new.state.number(),
        new.is_open(),
        new.created,
        new.version,
        Json(new) as _,
    )
    .execute(&mut *conn)
    .await?;
    relate(conn, new, record).await
}

/// The deliberation after a change, with its record; false where it has another version than the one before.
/// Errors: `deliberation_event_event`.
pub async fn update(conn: &mut PgConnection, after: &Deliberation, record: &Record) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update deliberation set state = $3, open = $4, publicity_end = $5, version = $6, body = $7
         where district = $1 and id = $2 and version = $6::bigint - 1",
        after.district,
        after.id,
        after.state.number(),
        after.is_open(),
        after.publicity.map(|p| p.end),
        after.version,
        Json(after) as _,
    )
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    relate(conn, after, record).await?;
    Ok(true)
}

/// Writes the record and, anew, whatever lists look for.
async fn relate(conn: &mut PgConnection, d: &Deliberation, record: &Record) -> sqlx::Result<()> {
    write_record(conn, d, record).await?;
    for sql in [
        "delete from deliberation_concern where district = $1 and deliberation_id = $2",
        "delete from deliberation_event where district = $1 and deliberation_id = $2",
        "delete from deliberation_item where district = $1 and deliberation_id = $2",
    ] {
        sqlx::query(sql).bind(d.district).bind(d.id).execute(&mut *conn).await?;
    }
    let units: Vec<String> = d.concerns().iter().map(ToString::to_string).collect();
    sqlx::query!(
        "insert into deliberation_concern (district, unit, deliberation_id, state, create_time)
         select $1, unit, $2, $3, $4 from unnest($5::text[]) as unit",
        d.district,
        d.id,
        d.state.number(),
        d.created,
        &units,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "insert into deliberation_event (district, event_id, deliberation_id) select $1, event, $2 from unnest($3::uuid[]) as event",
        d.district,
        d.id,
        &d.content.events,
    )
    .execute(&mut *conn)
    .await?;
    write_items(conn, d).await
}

async fn write_items(conn: &mut PgConnection, d: &Deliberation) -> sqlx::Result<()> {
    let open = || (1_i32..).zip(&d.items).filter(|(_, item)| d.is_open() && item.settled.is_none());
    let numbers: Vec<i32> = open().map(|(number, _)| number).collect();
    let units: Vec<String> = open().map(|(_, item)| item.owner.to_string()).collect();
    let dates: Vec<Date> = open().map(|(_, item)| item.due).collect();
    sqlx::query!(
        "insert into deliberation_item (district, unit, due_date, deliberation_id, number)
         select $1, unit, due, $2, number from unnest($3::text[], $4::date[], $5::integer[]) as i(unit, due, number)",
        d.district,
        d.id,
        &units,
        &dates,
        &numbers,
    )
    .execute(conn)
    .await
    .map(|_| ())
}

async fn write_record(conn: &mut PgConnection, d: &Deliberation, record: &Record) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into deliberation_record (district, deliberation_id, version, action, from_state, to_state, actor, role, unit,
           create_time, note, numbers, details) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        d.district,
        d.id,
        record.version,
        record.action.number(),
        record.from.map(State::number),
        record.to.number(),
        record.subject,
        record.role.code(),
        record.unit.to_string(),
        record.at,
        record.note,
        &record.numbers,
        record.details,
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// A page of deliberations, the newest first.
pub async fn list(
    executor: impl PgExecutor<'_>,
    district: i32,
    filter: &Filter,
    after: Option<Cursor>,
    limit: i64,
) -> sqlx::Result<Vec<Deliberation>> {
    let (time, id) = after.unzip();
    // A publicity (state 6) that is over reads as follow-up (7).
    let wanted = |state: State| filter.states.contains(&state);
    let mut stored: Vec<i16> = filter.states.iter().map(|state| state.number()).collect();
    if wanted(State::FollowUp) && !wanted(State::Publicised) {
        stored.push(State::Publicised.number());
    }
    // An index gives the order of one state, not of several: a page of each, and of those a page.
    let rows = sqlx::query_scalar!(
        r#"select page.body as "body!: Json<Deliberation>" from unnest($3::smallint[]) as s(state) cross join lateral (
             select c.create_time, c.deliberation_id, d.body
             from deliberation_concern c join deliberation d on d.district = c.district and d.id = c.deliberation_id
             where c.district = $1 and c.unit = $2 and c.state = s.state
               and ($4::timestamptz is null or (c.create_time, c.deliberation_id) < ($4, $5))
               and (c.state <> 6 or ($6 and d.publicity_end > $8) or ($7 and d.publicity_end <= $8))
             order by c.create_time desc, c.deliberation_id desc limit $9) as page
           order by page.create_time desc, page.deliberation_id desc limit $9"#,
        district,
        filter.unit.to_string(),
        &stored,
        time,
        id,
        wanted(State::Publicised),
        wanted(State::FollowUp),
        filter.now,
        limit,
    );
    Ok(rows.fetch_all(executor).await?.into_iter().map(|body| body.0).collect())
}

/// A page of the deliberations about an event that concern a unit, the newest first.
pub async fn list_of_event(
    executor: impl PgExecutor<'_>,
    district: i32,
    filter: &Filter,
    event: Uuid,
    after: Option<Cursor>,
    limit: i64,
) -> sqlx::Result<Vec<Deliberation>> {
    let (time, id) = after.unzip();
    let rows = sqlx::query_scalar!(
        r#"select d.body as "body!: Json<Deliberation>" from deliberation_event e
           join deliberation_concern c on c.district = e.district and c.unit = $2 and c.deliberation_id = e.deliberation_id
           join deliberation d on d.district = e.district and d.id = e.deliberation_id
           where e.district = $1 and e.event_id = $3
             and ($4::timestamptz is null or (c.create_time, c.deliberation_id) < ($4, $5))
             and (case when d.state = 6 and d.publicity_end <= $7 then 7 else d.state end) = any($6::smallint[])
           order by c.create_time desc, c.deliberation_id desc limit $8"#,
        district,
        filter.unit.to_string(),
        event,
        time,
        id,
        &filter.states.iter().map(|state| state.number()).collect::<Vec<_>>(),
        filter.now,
        limit,
    );
    Ok(rows.fetch_all(executor).await?.into_iter().map(|body| body.0).collect())
}

/// An open action item as a list has it.
pub struct OpenItem {
    /// Its number in the deliberation.
    pub number: i32,
    /// The item.
    pub item: Item,
    /// The deliberation.
    pub of: Deliberation,
}

/// A page of a unit's open action items, the one due first at the top.
pub async fn list_items(
    executor: impl PgExecutor<'_>,
    district: i32,
    unit: &Unit,
    after: Option<ItemCursor>,
    limit: i64,
) -> sqlx::Result<Vec<OpenItem>> {
    let (date, id, number) = after.map_or((None, None, None), |(d, i, n)| (Some(d), Some(i), Some(n)));
    let rows = sqlx::query!(
        r#"select i.number, d.body as "body: Json<Deliberation>" from deliberation_item i
           join deliberation d on d.district = i.district and d.id = i.deliberation_id
           where i.district = $1 and i.unit = $2
             and ($3::date is null or (i.due_date, i.deliberation_id, i.number) > ($3, $4, $5))
           order by i.due_date, i.deliberation_id, i.number limit $6"#,
        district,
        unit.to_string(),
        date,
        id,
        number,
        limit,
    );
    let rows = rows.fetch_all(executor).await?.into_iter().map(|r| (r.number, r.body.0));
    rows.map(|(number, of)| {
        let item = u32::try_from(number).ok().and_then(|number| of.item(number)).cloned();
        let item = item.ok_or_else(|| sqlx::Error::Decode("deliberation_item: not in the body".into()))?;
        Ok(OpenItem { number, item, of })
    })
    .collect()
}

/// The records after a version, oldest first.
pub async fn list_records(
    executor: impl PgExecutor<'_>,
    district: i32,
    id: Uuid,
    after: i64,
    limit: i64,
) -> sqlx::Result<Vec<Record>> {
    let rows = sqlx::query!(
        "select version, action, from_state, to_state, actor, role, unit, create_time, note, numbers, details
         from deliberation_record where district = $1 and deliberation_id = $2 and version > $3 order by version limit $4",
        district,
        id,
        after,
        limit,
    );
    let corrupt = || sqlx::Error::Decode("deliberation_record: does not read back".into());
    let rows = rows.fetch_all(executor).await?.into_iter();
    rows.map(|r| {
        Ok(Record {
            version: r.version,
            action: ActionKind::of_number(r.action).ok_or_else(corrupt)?,
            from: r.from_state.map(|s| State::of_number(s).ok_or_else(corrupt)).transpose()?,
            to: State::of_number(r.to_state).ok_or_else(corrupt)?,
            subject: r.actor,
            role: Role::from_code(&r.role).ok_or_else(corrupt)?,
            unit: r.unit.parse().map_err(|_| corrupt())?,
            at: r.create_time,
            note: r.note,
            numbers: r.numbers,
            details: r.details,
        })
    })
    .collect()
}

/// Whether an area or department exists in the district.
pub async fn unit_exists(executor: impl PgExecutor<'_>, district: i32, unit: &Unit) -> sqlx::Result<bool> {
    let (area, department) = match unit {
        Unit::Area(code) => (Some(code.to_string()), None),
        Unit::Department(code) => (None, Some(code.clone())),
    };
    let found = sqlx::query_scalar!(
        r#"select exists (select from area where district = $1 and code = $2)
             or exists (select from department where district = $1 and code = $3) as "found!""#,
        district,
        area,
        department,
    );
    found.fetch_one(executor).await
}
