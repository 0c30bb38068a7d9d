//! What the service's statements write for a change (its `store::event`), as rows of tables.

use jingwei_grid::api::wire::name;
use jingwei_grid::api::write::payload;
use jingwei_grid::model::area::AreaCode;
use jingwei_grid::model::count::{Contribution, local_day};
use jingwei_grid::model::event::Event;
use jingwei_grid::model::spot;
use jingwei_grid::model::transition::Transition;
use jingwei_grid::store::change::Contact;
use jingwei_kit::idempotency::Key;
use sqlx::PgPool;
use time::{Date, Duration, OffsetDateTime};
use tokio::task::JoinHandle;

use super::copy::Stream;
use super::{Error, Filled};

/// A table that is filled, with its columns in the order in which they are written here.
pub struct Table {
    /// Its name.
    pub name: &'static str,
    columns: &'static str,
}

const fn table(name: &'static str, columns: &'static str) -> Table {
    Table { name, columns }
}

/// Every table that is filled, in the order of the fields of `Rows`; `feed_head`, `case_day` and `statistic_head` are not big.
pub const TABLES: [Table; 9] = [
    table(
        "event",
        "district, id, case_number, category, area, area_version, report_time, state, holder, lead, alarm, due_time, alarm_time,
         version, body, review_time",
    ),
    table(
        "event_transition",
        "district, event_id, version, seq, action, from_state, to_state, actor, role, unit, area, area_version, create_time,
         reason, note, details, previous_hash, hash, contributions",
    ),
    table("event_place", "district, area, report_time, event_id"),
    table("event_spot", "district, cell, category, report_time, event_id, area, latitude, longitude"),
    table("event_contact", "district, event_id, key_id, sealed, code_hash, attempts, attempts_since"),
    table("outbox", "district, seq, resource, payload, create_time"),
    table("idempotency", "district, subject, request_id, method, fingerprint, response, create_time"),
    table("statistic_count", "district, dimension, area, member, span, day, metric, count"),
    table("statistic_minutes", "district, dimension, area, member, span, day, metric, minutes, count"),
];

/// From when on the change feed and the answers to requests are still there.
#[derive(Clone, Copy, Debug)]
pub struct Kept {
    /// The change feed.
    pub feed_since: OffsetDateTime,
    /// The answers.
    pub answers_since: OffsetDateTime,
}

/// One change, as the service's own code made it.
pub struct Change<'a> {
    /// The event after it; of a report still without its number, as the service writes it.
    pub event: &'a Event,
    /// Its record.
    pub transition: &'a Transition,
    /// What it adds to the numbers.
    pub contributions: &'a [Contribution],
    /// Its place in the district's change feed.
    pub seq: i64,
}

/// The answer that is kept for a repeat of a request.
pub struct Answer {
    /// The request.
    pub key: Key,
    /// The encoded response.
    pub response: Vec<u8>,
}

/// Rows on their way into every table.
pub struct Rows {
    kept: Kept,
    event: Stream,
    transition: Stream,
    place: Stream,
    spot: Stream,
    contact: Stream,
    outbox: Stream,
    answer: Stream,
    count: Stream,
    minutes: Stream,
}

/// The tasks that bring rows into their tables, each until all rows have come.
pub type Tasks = Vec<JoinHandle<Result<u64, Error>>>;

impl Rows {
    /// Rows that go nowhere: for who wants to see what happens and nothing else.
    pub fn nowhere(kept: Kept) -> Self {
        Self::of(kept, TABLES.map(|_| Stream::nowhere(0)))
    }

    /// Rows that go into the tables of a database, one connection each.
    pub fn into_tables(pool: &PgPool, kept: Kept) -> (Self, Tasks) {
        let mut tasks = Vec::new();
        let streams = TABLES.map(|table| {
            let (stream, task) = Stream::into_table(pool, table.name, table.columns);
            tasks.push(task);
            stream
        });
        (Self::of(kept, streams), tasks)
    }

    fn of(kept: Kept, streams: [Stream; TABLES.len()]) -> Self {
        let [event, transition, place, spot, contact, outbox, answer, count, minutes] = streams;
        Self { kept, event, transition, place, spot, contact, outbox, answer, count, minutes }
    }

    /// How many there were of what is told.
    pub fn told(&self) -> Filled {
        let (events, transitions) = (self.event.rows, self.transition.rows);
        let (feed, answers) = (self.outbox.rows, self.answer.rows);
        Filled {
            events,
            transitions,
            feed,
            answers,
            counters: self.count.rows + self.minutes.rows,
            seconds: 0.0,
        }
    }

    /// Whether the answer to a request of that moment is still kept.
    pub fn keeps_answers_of(&self, at: OffsetDateTime) -> bool {
        at >= self.kept.answers_since
    }

    /// Where a new event lies.
    pub fn reported(&mut self, event: &Event) {
        let (place, at) = (&event.place, event.times.reported);
        for area in std::iter::once(place.area).chain(place.area.ancestors()) {
            let row = &mut self.place;
            row.row();
            row.int4(event.district);
            row.text(&area.to_string());
            row.moment(at);
            row.uuid(event.id);
        }
        let row = &mut self.spot;
        row.row();
        row.int4(event.district);
        row.int8(spot::cell(place.point, place.area));
        row.text(&event.category);
        row.moment(at);
        row.uuid(event.id);
        row.text(&place.area.to_string());
        row.option(place.point, |row, point| row.double(point.latitude()));
        row.option(place.point, |row, point| row.double(point.longitude()));
    }

    /// A change: its record, the change feed's entry, the answer.
    pub fn changed(&mut self, change: &Change<'_>, answer: Option<Answer>) {
        let district = change.event.district;
        self.moved(district, change);
        let at = change.transition.at;
        if at >= self.kept.feed_since {
            let resource = name::event(district, change.event.id);
            let row = &mut self.outbox;
            row.row();
            row.int4(district);
            row.int8(change.seq);
            row.text(&resource);
            row.raw(&payload(change.event, change.transition, &resource));
            row.moment(at);
        }
        if let Some(Answer { key, response }) = answer {
            let row = &mut self.answer;
            row.row();
            row.int4(district);
            row.text(&key.subject);
            row.uuid(key.request_id);
            row.text(key.method);
            row.raw(&key.fingerprint);
            row.raw(&response);
            row.moment(at);
        }
    }

    fn moved(&mut self, district: i32, change: &Change<'_>) {
        let (transition, row) = (change.transition, &mut self.transition);
        row.row();
        row.int4(district);
        row.uuid(transition.event);
        row.int8(transition.version);
        row.int8(change.seq);
        row.int2(number(transition.action as i16));
        row.option(transition.from, |row, state| row.int2(number(state as i16)));
        row.int2(number(transition.to as i16));
        row.text(&transition.subject);
        row.int2(number(transition.role as i16));
        row.text(&transition.unit.to_string());
        row.text(&transition.area.to_string());
        row.int8(transition.area_version);
        row.moment(transition.at);
        row.text(&transition.reason);
        row.text(&transition.note);
        row.json(&transition.details);
        row.raw(transition.previous_hash.as_ref().map_or(&[][..], |hash| &hash[..]));
        row.raw(&transition.hash);
        row.json(&change.contributions);
    }

    /// An event as it stands in the end; its body as its last change wrote it. `number` is its case number.
    pub fn stands(&mut self, event: &Event, number: &str, contact: &Contact, tried: Option<OffsetDateTime>) {
        let row = &mut self.event;
        row.row();
        row.int4(event.district);
        row.uuid(event.id);
        row.text(number);
        row.text(&event.category);
        row.text(&event.place.area.to_string());
        row.int8(event.place.area_version);
        row.moment(event.times.reported);
        row.int2(self::number(event.state as i16));
        row.text(&event.holder().to_string());
        row.option(event.lead.as_ref(), |row, lead| row.text(&lead.to_string()));
        row.int2(event.alarm() as i16);
        row.option(event.active_clock(), |row, clock| row.moment(clock.due));
        row.option(event.alarm_at(), Stream::moment);
        row.int8(event.version);
        row.json(event);
        row.option(event.review_since, Stream::moment);
        self.reached_by(event, contact, tried);
    }

    /// `tried` is when the reporter's secret was last looked at, all of them having been right.
    fn reached_by(&mut self, event: &Event, contact: &Contact, tried: Option<OffsetDateTime>) {
        if contact.phone.is_none() && contact.code_hash.is_none() {
            return;
        }
        let row = &mut self.contact;
        row.row();
        row.int4(event.district);
        row.uuid(event.id);
        row.option(contact.phone.as_ref(), |row, phone| row.text(&phone.key_id));
        row.option(contact.phone.as_ref(), |row, phone| row.raw(&phone.bytes));
        row.option(contact.code_hash.as_ref(), |row, hash| row.raw(hash));
        row.int2(0);
        row.option(tried, Stream::moment);
    }

    /// A counter of an area, a member and a span.
    pub fn counted(&mut self, district: i32, area: AreaCode, counter: &Counter<'_>) {
        let row = if counter.minutes.is_some() { &mut self.minutes } else { &mut self.count };
        row.row();
        row.int4(district);
        row.int2(counter.dimension);
        row.text(&area.to_string());
        row.text(counter.member);
        row.int2(counter.span);
        row.date(counter.day);
        row.int4(counter.metric);
        if let Some(minutes) = counter.minutes {
            row.int4(minutes);
        }
        row.int8(counter.count);
    }
}

/// A row of `statistic_count`, or with minutes of `statistic_minutes`.
pub struct Counter<'a> {
    /// 0 all, 1 lead, 2 main category, 3 sub-category, 4 level.
    pub dimension: i16,
    /// The member of the dimension.
    pub member: &'a str,
    /// 1 day, 2 month, 3 year.
    pub span: i16,
    /// The span's first day.
    pub day: Date,
    /// The code of a metric.
    pub metric: i32,
    /// The minutes, of times only.
    pub minutes: Option<i32>,
    /// How often.
    pub count: i64,
}

/// The stored number of a state, an action or a role: its place in the model's order, from 1.
fn number(place: i16) -> i16 {
    place + 1
}

/// The first and the last local day of a span of days back from a moment.
pub fn days_back(now: OffsetDateTime, days: u32) -> (Date, Date) {
    (local_day(now - Duration::days(days.into())), local_day(now))
}
