//! Events: read for an action with all that decides it, written with their transition in one statement.

use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::category::{self, Basis};
use super::contact::Sealed;
use super::transition::{number, role_number};
use crate::model::category::{Condition, PartialLimits};
use crate::model::count::Contribution;
use crate::model::event::{Event, State};
use crate::model::spot;
use crate::model::transition::Transition;

/// What an event, as stored, stands beside.
pub struct Stored {
    /// The event.
    pub event: Event,
    /// Whether other events are merged into it.
    pub has_merged_events: bool,
}

/// One change of an event, ready to be written.
pub struct Change<'a> {
    /// The event after it.
    pub event: &'a Event,
    /// Its record.
    pub transition: &'a Transition,
    /// What it adds to the numbers.
    pub contributions: &'a [Contribution],
    /// The change feed's entry: an encoded `EventTransition`.
    pub payload: &'a [u8],
    /// The event's resource name, under which the feed has it.
    pub resource: &'a str,
    /// The answer to keep for a repeat of the request.
    pub answer: Option<Answer<'a>>,
    /// Attachments that it refers to.
    pub attachments: &'a [Uuid],
}

/// How to reach a new event's reporter, sealed.
#[derive(Debug, Clone, Default)]
pub struct Contact {
    /// The number, and the id of the key that it is sealed with.
    pub phone: Option<Sealed>,
    /// The hash of the tracking code.
    pub code_hash: Option<Vec<u8>>,
}

/// The answer to a request, kept beside what it changed.
pub struct Answer<'a> {
    /// Which request.
    pub key: &'a jingwei_kit::idempotency::Key,
    /// The encoded response.
    pub response: Vec<u8>,
}

/// The event of that id.
pub async fn get(pool: &PgPool, district: i32, id: Uuid) -> sqlx::Result<Option<Stored>> {
    let row = sqlx::query!(
        r#"select case_number, body as "body: Json<Event>", merged_count from event where district = $1 and id = $2"#,
        district,
        id,
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|r| Stored {
        event: Event { case_number: r.case_number, ..r.body.0 },
        has_merged_events: r.merged_count > 0,
    }))
}

/// The event of that id, with what its deadlines are made of: what an action needs, in one round trip.
pub async fn get_with_basis(pool: &PgPool, district: i32, id: Uuid) -> sqlx::Result<Option<(Stored, Basis)>> {
    let row = sqlx::query!(
        r#"select e.case_number, e.body as "body: Json<Event>", e.merged_count,
             c.code, c.parent, c.display_name, c.limits as "limits: Json<PartialLimits>",
             c.conditions as "conditions: Json<Vec<Condition>>", c.verify_public_reports, c.retired,
             c.version as category_version, p.limits as "main?: Json<PartialLimits>",
             (select w.version from work_calendar w where w.district = $1) as calendar_version
           from event e join category c on c.district = e.district and c.code = e.category
             left join category p on p.district = c.district and p.code = c.parent
           where e.district = $1 and e.id = $2"#,
        district,
        id,
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|r| {
        let category = category::Row {
            code: r.code,
            parent: r.parent,
            display_name: r.display_name,
            limits: r.limits,
            conditions: r.conditions,
            verify_public_reports: r.verify_public_reports,
            retired: r.retired,
            version: r.category_version,
        };
        let basis = Basis::of(district, category, r.main, r.calendar_version);
        let event = Event { case_number: r.case_number, ..r.body.0 };
        (Stored { event, has_merged_events: r.merged_count > 0 }, basis)
    }))
}

/// Writes a new event with its case number, the report's transition, its places, its contact, the feed's entry and the answer.
/// Answers with the case number.
///
/// The kept answer gets the case number appended as field 2 of `Event`: encoded messages may be joined, the later part
/// counts, and the number is known to the database only.
///
/// Errors: `event_pkey` for an id in use, `idempotency_pkey` for a request answered at the same moment.
pub async fn insert(
    executor: impl PgExecutor<'_>,
    change: &Change<'_>,
    contact: &Contact,
    day: time::Date,
) -> sqlx::Result<String> {
    let (event, transition) = (change.event, change.transition);
    let (place, phone) = (&event.place, contact.phone.as_ref());
    let answer = AnswerColumns::of(change.answer.as_ref());
    sqlx::query_scalar!(
        r#"with number as (
             insert into case_day as c (district, day, last) values ($1, $2, 1)
             on conflict (district, day) do update set last = c.last + 1
             returning format('%s-%s-%s', $1::integer, to_char($2::date, 'YYYYMMDD'), lpad(last::text, greatest(length(last::text), 6), '0')) as case_number),
           made as (
             insert into event (district, id, case_number, category, area, area_version, report_time, state, holder, lead,
               alarm, due_time, alarm_time, version, body)
             select $1, $3, case_number, $4, $5, $6, $7, $8, $9, null, 0, $10, $11, 1, $12 from number
             returning case_number),
           places as (
             insert into event_place (district, area, report_time, event_id)
             select $1, left($5, l.length), $7, $3 from made cross join (values (6), (9), (12), (15), (18)) as l(length)
             where length($5) >= l.length),
           spot as (
             insert into event_spot (district, cell, category, report_time, event_id, area, latitude, longitude)
             select $1, $28, $4, $7, $3, $5, $29, $30 from made),
           contact as (
             insert into event_contact (district, event_id, key_id, sealed, code_hash)
             select $1, $3, $31, $32, $33 from made where $31::text is not null or $33::bytea is not null),
           used as (update attachment set linked = true where district = $1 and id = any($34::uuid[]) and not linked),
           linked as (
             insert into attachment_link (district, attachment_id, resource)
             select distinct $1::integer, asked.id, $21::text from made cross join unnest($34::uuid[]) as asked(id)),
           head as (
             insert into feed_head as h (district, seq) select $1, 1 from made
             on conflict (district) do update set seq = h.seq + 1 returning seq),
           moved as (
             insert into event_transition (district, event_id, version, seq, action, to_state, actor, role, unit, area, area_version,
               create_time, reason, note, details, previous_hash, hash, contributions)
             select $1, $3, 1, seq, $13, $8, $14, $15, $16, $5, $6, $7, '', $17, $18, '', $19, $20 from head),
           told as (
             insert into outbox (district, seq, resource, payload, create_time) select $1, seq, $21, $22, $7 from head),
           kept as (
             insert into idempotency (district, subject, request_id, method, fingerprint, response, create_time)
             select $1, $23, $24, $25, $26,
               $27 || '\x12'::bytea || set_byte('\x00', 0, length(case_number)) || convert_to(case_number, 'UTF8'), $7
             from made where $24::uuid is not null)
           select case_number as "case_number!" from made cross join head"#,
        event.district,
        day,
        event.id,
        event.category,
        event.place.area.to_string(),
        event.place.area_version,
        event.times.reported,
        number(event.state as i16),
        event.holder().to_string(),
        event.active_clock().map(|c| c.due),
        event.alarm_at(),
        Json(event) as _,
        number(transition.action as i16),
        transition.subject,
        role_number(transition.role),
        transition.unit.to_string(),
        transition.note,
        transition.details,
        &transition.hash[..],
        Json(change.contributions) as _,
        change.resource,
        change.payload,
        answer.subject,
        answer.request_id,
        answer.method,
        answer.fingerprint,
        answer.response,
        spot::cell(place.point, place.area),
        place.point.map(|p| p.latitude()),
        place.point.map(|p| p.longitude()),
        phone.map(|p| p.key_id.as_str()),
        phone.map(|p| p.bytes.as_slice()),
        contact.code_hash.as_deref(),
        change.attachments,
    )
    .fetch_one(executor)
    .await
}

/// Writes a change, unless the event has been changed meanwhile: then nothing is written and the answer is false.
///
/// Errors: `idempotency_pkey` for a request answered at the same moment.
pub async fn update(conn: &mut PgConnection, change: &Change<'_>) -> sqlx::Result<bool> {
    let (event, transition) = (change.event, change.transition);
    let answer = AnswerColumns::of(change.answer.as_ref());
    let seq = sqlx::query_scalar!(
        r#"with changed as (
             update event set state = $4, holder = $5, lead = $6, alarm = $7, due_time = $8, alarm_time = $9, merged_into = $10,
               review_time = $34, version = $3, body = $11
             where district = $1 and id = $2 and version = $3::bigint - 1 and ($10::uuid is null or merged_count = 0)
             returning id),
           head as (
             insert into feed_head as h (district, seq) select $1, 1 from changed
             on conflict (district) do update set seq = h.seq + 1 returning seq),
           moved as (
             insert into event_transition (district, event_id, version, seq, action, from_state, to_state, actor, role, unit, area,
               area_version, create_time, reason, note, details, previous_hash, hash, contributions)
             select $1, $2, $3, seq, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26 from head),
           told as (
             insert into outbox (district, seq, resource, payload, create_time) select $1, seq, $27, $28, $20 from head),
           used as (
             update attachment set linked = true
             where district = $1 and id = any($35::uuid[]) and not linked and exists (select from changed)),
           linked as (
             insert into attachment_link (district, attachment_id, resource)
             select distinct $1::integer, asked.id, $27::text from changed cross join unnest($35::uuid[]) as asked(id)
             on conflict do nothing),
           kept as (
             insert into idempotency (district, subject, request_id, method, fingerprint, response, create_time)
             select $1, $29, $30, $31, $32, $33, $20 from head where $30::uuid is not null)
           select seq as "seq!" from head"#,
        event.district,
        event.id,
        event.version,
        number(event.state as i16),
        event.holder().to_string(),
        event.lead.as_ref().map(ToString::to_string),
        event.alarm() as i16,
        event.active_clock().map(|c| c.due),
        event.alarm_at(),
        event.merged.as_ref().map(|m| m.into),
        Json(event) as _,
        number(transition.action as i16),
        transition.from.map(|s| number(s as i16)),
        number(transition.to as i16),
        transition.subject,
        role_number(transition.role),
        transition.unit.to_string(),
        transition.area.to_string(),
        transition.area_version,
        transition.at,
        transition.reason,
        transition.note,
        transition.details,
        transition.previous_hash.as_ref().map_or(&[][..], |h| &h[..]),
        &transition.hash[..],
        Json(change.contributions) as _,
        change.resource,
        change.payload,
        answer.subject,
        answer.request_id,
        answer.method,
        answer.fingerprint,
        answer.response,
        event.review_since,
        change.attachments,
    )
    .fetch_optional(conn)
    .await?;
    Ok(seq.is_some())
}

/// Notes on an open event that one more event (or, with -1, one less) is merged into it; false where it is not open.
pub async fn count_merged(conn: &mut PgConnection, district: i32, root: Uuid, by: i32) -> sqlx::Result<bool> {
    let last_open = number(State::Suspended as i16);
    let done = sqlx::query!(
        "update event set merged_count = merged_count + $3 where district = $1 and id = $2 and ($3 < 0 or state <= $4)",
        district,
        root,
        by,
        last_open,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The columns of a kept answer; all null where there is no request id.
#[derive(Default)]
struct AnswerColumns<'a> {
    subject: Option<&'a str>,
    request_id: Option<Uuid>,
    method: Option<&'a str>,
    fingerprint: Option<&'a [u8]>,
    response: Option<&'a [u8]>,
}

impl<'a> AnswerColumns<'a> {
    fn of(answer: Option<&'a Answer<'a>>) -> Self {
        answer.map_or_else(Self::default, |a| Self {
            subject: Some(&a.key.subject),
            request_id: Some(a.key.request_id),
            method: Some(a.key.method),
            fingerprint: Some(&a.key.fingerprint),
            response: Some(&a.response),
        })
    }
}

/// Every district that anything was written to.
pub async fn districts(pool: &PgPool) -> sqlx::Result<Vec<i32>> {
    sqlx::query_scalar!("select district from feed_head order by district").fetch_all(pool).await
}

/// The districts that have something for the sweep to do at `now`.
pub async fn due_districts(pool: &PgPool, now: OffsetDateTime) -> sqlx::Result<Vec<i32>> {
    sqlx::query_scalar!(
        "select h.district from feed_head h
         where (select min(e.alarm_time) from event e where e.district = h.district) <= $1 order by h.district",
        now,
    )
    .fetch_all(pool)
    .await
}

/// Locks up to `limit` events of a district whose time has come and that no other replica is at, in the order of their
/// times, after the one with this time and id.
pub async fn lock_due(
    conn: &mut PgConnection,
    district: i32,
    now: OffsetDateTime,
    after: (OffsetDateTime, Uuid),
    limit: i64,
) -> sqlx::Result<Vec<Event>> {
    let rows = sqlx::query!(
        r#"select case_number, body as "body: Json<Event>" from event
           where district = $1 and alarm_time <= $2 and (alarm_time, id) > ($3, $4)
           order by alarm_time, id limit $5 for update skip locked"#,
        district,
        now,
        after.0,
        after.1,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| Event { case_number: r.case_number, ..r.body.0 }).collect())
}
