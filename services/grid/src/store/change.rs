//! Changes of events, written with all that goes with them: one statement for any number of one district.

use jingwei_kit::idempotency::Key;
use sqlx::PgConnection;
use sqlx::types::Json;
use time::Date;
use uuid::Uuid;

use super::contact::Sealed;
use super::group::{Entry, nth};
use super::transition::{number, role_number};
use crate::model::count::Contribution;
use crate::model::event::Event;
use crate::model::spot;
use crate::model::transition::Transition;

/// One change of an event, ready to be written.
#[derive(Debug)]
pub struct Change {
    /// The event after it.
    pub event: Event,
    /// Its record.
    pub transition: Transition,
    /// What it adds to the numbers.
    pub contributions: Vec<Contribution>,
    /// The change feed's entry: an encoded `EventTransition`.
    pub payload: Vec<u8>,
    /// The event's resource name, under which the feed has it.
    pub resource: String,
    /// The answer to keep for a repeat of the request.
    pub answer: Option<Answer>,
    /// Attachments that it refers to.
    pub attachments: Vec<Uuid>,
}

/// A new event, ready to be written.
#[derive(Debug)]
pub struct New {
    /// The report. Its kept answer gets the case number appended as field 2 of `Event`: encoded messages may be joined,
    /// the later part counts, and the number is known to the database only.
    pub change: Change,
    /// How to reach the reporter.
    pub contact: Contact,
    /// The day whose numbers the case number is of.
    pub day: Date,
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
#[derive(Debug)]
pub struct Answer {
    /// Which request.
    pub key: Key,
    /// The encoded response.
    pub response: Vec<u8>,
}

impl Entry for New {
    type Answer = String;

    fn district(&self) -> i32 {
        self.change.event.district
    }

    /// Answers with the case number.
    ///
    /// Errors: `event_pkey` for an id in use, `idempotency_pkey` for a request answered at the same moment.
    async fn run(connection: &mut PgConnection, entries: &[Self]) -> sqlx::Result<Vec<String>> {
        insert(connection, entries).await
    }
}

impl Entry for Change {
    type Answer = bool;

    fn district(&self) -> i32 {
        self.event.district
    }

    /// False where the event has been changed meanwhile: then nothing of the change is written.
    ///
    /// Errors: `idempotency_pkey` for a request answered at the same moment.
    async fn run(connection: &mut PgConnection, entries: &[Self]) -> sqlx::Result<Vec<bool>> {
        update(connection, entries).await
    }
}

async fn insert(connection: &mut PgConnection, entries: &[New]) -> sqlx::Result<Vec<String>> {
    let Some(first) = entries.first() else { return Ok(Vec::new()) };
    let attachments = attachments(entries.iter().map(|n| &n.change));
    sqlx::query_scalar!(
        r#"with asked as (
             select * from unnest((select $2::date[]), $3::uuid[], $4::text[], $5::text[], $6::bigint[], $7::timestamptz[], $8::smallint[],
               $9::text[], $10::timestamptz[], $11::timestamptz[], $12::jsonb[], $13::smallint[], $14::text[], $15::smallint[],
               $16::text[], $17::text[], $18::jsonb[], $19::bytea[], $20::jsonb[], $21::text[], $22::bytea[], $23::text[],
               $24::uuid[], $25::text[], $26::bytea[], $27::bytea[], $28::bigint[], $29::double precision[],
               $30::double precision[], $31::text[], $32::bytea[], $33::bytea[]) with ordinality
             as asked (day, id, category, area, area_version, report_time, state, holder, due_time, alarm_time, body, action, actor,
               role, unit, note, details, hash, contributions, resource, payload, subject, request_id, method, fingerprint,
               response, cell, latitude, longitude, key_id, sealed, code_hash, place)),
           number as (
             insert into case_day as c (district, day, last) select $1, day, count(*) from asked group by day
             on conflict (district, day) do update set last = c.last + excluded.last
             returning day, last),
           numbered as (
             select asked.*, n.last - count(*) over of_day + row_number() over (of_day order by place) as nth
             from asked join number n using (day) window of_day as (partition by day)),
           made as (
             insert into event (district, id, case_number, category, area, area_version, report_time, state, holder, lead,
               alarm, due_time, alarm_time, version, body)
             select $1, id, format('%s-%s-%s', $1::integer, to_char(day, 'YYYYMMDD'), lpad(nth::text, greatest(length(nth::text), 6), '0')),
               category, area, area_version, report_time, state, holder, null, 0, due_time, alarm_time, 1, body from numbered
             returning id, case_number),
           places as (
             insert into event_place (district, area, report_time, event_id)
             select $1, left(area, l.length), report_time, id
             from asked cross join (values (6), (9), (12), (15), (18)) as l(length) where length(area) >= l.length),
           spot as (
             insert into event_spot (district, cell, category, report_time, event_id, area, latitude, longitude)
             select $1, cell, category, report_time, id, area, latitude, longitude from asked),
           contact as (
             insert into event_contact (district, event_id, key_id, sealed, code_hash)
             select $1, id, key_id, sealed, code_hash from asked where key_id is not null or code_hash is not null),
           used as (update attachment set linked = true where district = $1 and id = any($34::uuid[]) and not linked),
           linked as (
             insert into attachment_link (district, attachment_id, resource)
             select distinct $1::integer, named.id, asked.resource
             from unnest($34::uuid[], $35::bigint[]) as named (id, place) join asked using (place)),
           head as (
             insert into feed_head as h (district, seq) select $1, count(*) from asked
             on conflict (district) do update set seq = h.seq + excluded.seq returning seq - (select count(*) from asked) as before),
           moved as (
             insert into event_transition (district, event_id, version, seq, action, to_state, actor, role, unit, area, area_version,
               create_time, reason, note, details, previous_hash, hash, contributions)
             select $1, id, 1, before + place, action, state, actor, role, unit, area, area_version, report_time, '', note, details,
               '', hash, contributions from asked cross join head),
           told as (
             insert into outbox (district, seq, resource, payload, create_time)
             select $1, before + place, resource, payload, report_time from asked cross join head),
           kept as (
             insert into idempotency (district, subject, request_id, method, fingerprint, response, create_time)
             select $1, subject, request_id, method, fingerprint,
               response || '\x12'::bytea || set_byte('\x00', 0, length(case_number)) || convert_to(case_number, 'UTF8'), report_time
             from asked join made using (id) where request_id is not null)
           select case_number as "case_number!" from asked join made using (id) order by place"#,
        first.district(),
        &each(entries, |n| n.day),
        &each(entries, |n| n.change.event.id),
        &each(entries, |n| n.change.event.category.as_str()) as _,
        &each(entries, |n| n.change.event.place.area.to_string()),
        &each(entries, |n| n.change.event.place.area_version),
        &each(entries, |n| n.change.event.times.reported),
        &each(entries, |n| number(n.change.event.state as i16)),
        &each(entries, |n| n.change.event.holder().to_string()),
        &each(entries, |n| n.change.event.active_clock().map(|c| c.due)) as _,
        &each(entries, |n| n.change.event.alarm_at()) as _,
        &each(entries, |n| Json(&n.change.event)) as _,
        &each(entries, |n| number(n.change.transition.action as i16)),
        &each(entries, |n| n.change.transition.subject.as_str()) as _,
        &each(entries, |n| role_number(n.change.transition.role)),
        &each(entries, |n| n.change.transition.unit.to_string()),
        &each(entries, |n| n.change.transition.note.as_str()) as _,
        &each(entries, |n| &n.change.transition.details) as _,
        &each(entries, |n| &n.change.transition.hash[..]) as _,
        &each(entries, |n| Json(&n.change.contributions)) as _,
        &each(entries, |n| n.change.resource.as_str()) as _,
        &each(entries, |n| n.change.payload.as_slice()) as _,
        &each(entries, |n| n.change.answer.as_ref().map(|a| a.key.subject.as_str())) as _,
        &each(entries, |n| n.change.answer.as_ref().map(|a| a.key.request_id)) as _,
        &each(entries, |n| n.change.answer.as_ref().map(|a| a.key.method)) as _,
        &each(entries, |n| n.change.answer.as_ref().map(|a| &a.key.fingerprint[..])) as _,
        &each(entries, |n| n.change.answer.as_ref().map(|a| a.response.as_slice())) as _,
        &each(entries, |n| spot::cell(n.change.event.place.point, n.change.event.place.area)),
        &each(entries, |n| n.change.event.place.point.map(|p| p.latitude())) as _,
        &each(entries, |n| n.change.event.place.point.map(|p| p.longitude())) as _,
        &each(entries, |n| n.contact.phone.as_ref().map(|p| p.key_id.as_str())) as _,
        &each(entries, |n| n.contact.phone.as_ref().map(|p| p.bytes.as_slice())) as _,
        &each(entries, |n| n.contact.code_hash.as_deref()) as _,
        &attachments.ids,
        &attachments.places,
    )
    .fetch_all(connection)
    .await
}

async fn update(connection: &mut PgConnection, entries: &[Change]) -> sqlx::Result<Vec<bool>> {
    let Some(first) = entries.first() else { return Ok(Vec::new()) };
    let attachments = attachments(entries.iter());
    let written = sqlx::query_scalar!(
        r#"with asked as (
             select * from unnest((select $2::uuid[]), $3::bigint[], $4::smallint[], $5::text[], $6::text[], $7::smallint[], $8::timestamptz[],
               $9::timestamptz[], $10::uuid[], $11::jsonb[], $12::smallint[], $13::smallint[], $14::text[], $15::smallint[],
               $16::text[], $17::text[], $18::bigint[], $19::timestamptz[], $20::text[], $21::text[], $22::jsonb[], $23::bytea[],
               $24::bytea[], $25::jsonb[], $26::text[], $27::bytea[], $28::text[], $29::uuid[], $30::text[], $31::bytea[],
               $32::bytea[], $33::timestamptz[]) with ordinality
             as asked (id, version, state, holder, lead, alarm, due_time, alarm_time, merged_into, body, action, from_state, actor,
               role, unit, area, area_version, create_time, reason, note, details, previous_hash, hash, contributions, resource,
               payload, subject, request_id, method, fingerprint, response, review_time, place)),
           changed as (
             update event e set state = a.state, holder = a.holder, lead = a.lead, alarm = a.alarm, due_time = a.due_time,
               alarm_time = a.alarm_time, merged_into = a.merged_into, review_time = a.review_time, version = a.version, body = a.body
             from asked a
             where e.district = $1 and e.id = a.id and e.version = a.version - 1 and (a.merged_into is null or e.merged_count = 0)
             returning a.place),
           head as (
             insert into feed_head as h (district, seq) select $1, count(*) from changed having count(*) > 0
             on conflict (district) do update set seq = h.seq + excluded.seq
             returning seq - (select count(*) from changed) as before),
           done as (
             select a.*, before + row_number() over (order by a.place) as seq
             from changed join asked a using (place) cross join head),
           moved as (
             insert into event_transition (district, event_id, version, seq, action, from_state, to_state, actor, role, unit, area,
               area_version, create_time, reason, note, details, previous_hash, hash, contributions)
             select $1, id, version, seq, action, from_state, state, actor, role, unit, area, area_version, create_time, reason, note,
               details, previous_hash, hash, contributions from done),
           told as (
             insert into outbox (district, seq, resource, payload, create_time)
             select $1, seq, resource, payload, create_time from done),
           named as (
             select distinct named.id, done.resource
             from unnest($34::uuid[], $35::bigint[]) as named (id, place) join done using (place)),
           used as (
             update attachment a set linked = true from named
             where a.district = $1 and a.id = any($34::uuid[]) and a.id = named.id and not a.linked),
           linked as (
             insert into attachment_link (district, attachment_id, resource)
             select $1, id, resource from named on conflict do nothing),
           kept as (
             insert into idempotency (district, subject, request_id, method, fingerprint, response, create_time)
             select $1, subject, request_id, method, fingerprint, response, create_time from done where request_id is not null)
           select place as "place!" from done"#,
        first.event.district,
        &each(entries, |c| c.event.id),
        &each(entries, |c| c.event.version),
        &each(entries, |c| number(c.event.state as i16)),
        &each(entries, |c| c.event.holder().to_string()),
        &each(entries, |c| c.event.lead.as_ref().map(ToString::to_string)) as _,
        &each(entries, |c| c.event.alarm() as i16),
        &each(entries, |c| c.event.active_clock().map(|c| c.due)) as _,
        &each(entries, |c| c.event.alarm_at()) as _,
        &each(entries, |c| c.event.merged.as_ref().map(|m| m.into)) as _,
        &each(entries, |c| Json(&c.event)) as _,
        &each(entries, |c| number(c.transition.action as i16)),
        &each(entries, |c| c.transition.from.map(|s| number(s as i16))) as _,
        &each(entries, |c| c.transition.subject.as_str()) as _,
        &each(entries, |c| role_number(c.transition.role)),
        &each(entries, |c| c.transition.unit.to_string()),
        &each(entries, |c| c.transition.area.to_string()),
        &each(entries, |c| c.transition.area_version),
        &each(entries, |c| c.transition.at),
        &each(entries, |c| c.transition.reason.as_str()) as _,
        &each(entries, |c| c.transition.note.as_str()) as _,
        &each(entries, |c| &c.transition.details) as _,
        &each(entries, |c| c.transition.previous_hash.as_ref().map_or(&[][..], |h| &h[..])) as _,
        &each(entries, |c| &c.transition.hash[..]) as _,
        &each(entries, |c| Json(&c.contributions)) as _,
        &each(entries, |c| c.resource.as_str()) as _,
        &each(entries, |c| c.payload.as_slice()) as _,
        &each(entries, |c| c.answer.as_ref().map(|a| a.key.subject.as_str())) as _,
        &each(entries, |c| c.answer.as_ref().map(|a| a.key.request_id)) as _,
        &each(entries, |c| c.answer.as_ref().map(|a| a.key.method)) as _,
        &each(entries, |c| c.answer.as_ref().map(|a| &a.key.fingerprint[..])) as _,
        &each(entries, |c| c.answer.as_ref().map(|a| a.response.as_slice())) as _,
        &each(entries, |c| c.event.review_since) as _,
        &attachments.ids,
        &attachments.places,
    )
    .fetch_all(connection)
    .await?;
    let mut done = vec![false; entries.len()];
    written.into_iter().for_each(|place| done[nth(place)] = true);
    Ok(done)
}

/// A column of the entries, as `unnest` takes it.
fn each<'a, E, T>(entries: &'a [E], column: impl Fn(&'a E) -> T) -> Vec<T> {
    entries.iter().map(column).collect()
}

/// The attachments of several changes, each with the place, from 1, of the change that refers to it.
#[derive(Default)]
struct Attachments {
    ids: Vec<Uuid>,
    places: Vec<i64>,
}

fn attachments<'a>(changes: impl Iterator<Item = &'a Change>) -> Attachments {
    let mut all = Attachments::default();
    for (place, change) in (1..).zip(changes) {
        all.ids.extend(&change.attachments);
        all.places.resize(all.ids.len(), place);
    }
    all
}
