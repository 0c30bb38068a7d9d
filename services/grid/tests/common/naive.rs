//! The numbers, computed the slow way: from every transition and every event as they are, by the comments of the proto.

use std::collections::{BTreeMap, HashMap, HashSet};

use jingwei_grid::model::event::{Event, State};
use jingwei_grid::model::unit::Unit;
use jingwei_proto::grid::v1 as pb;
use sqlx::PgPool;
use sqlx::types::Json;
use time::format_description::well_known::Rfc3339;
use time::macros::offset;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

/// A transition as it is stored.
#[derive(sqlx::FromRow)]
struct Row {
    event_id: Uuid,
    seq: i64,
    action: i16,
    create_time: OffsetDateTime,
    details: serde_json::Value,
}

/// A transition with who led and which level had accepted when it was made.
struct Happening {
    row: Row,
    before: Option<Event>,
    after: Event,
}

/// All that happened, and all events as they are.
#[derive(Default)]
pub(crate) struct Naive {
    happenings: Vec<Happening>,
    events: HashMap<Uuid, Event>,
    seq: i64,
}

/// What to count.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) area: String,
    pub(crate) member: Wanting,
    pub(crate) from: Option<Date>,
    pub(crate) to: Option<Date>,
}

/// One member of a dimension.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Wanting {
    All,
    Lead(Unit),
    Category(String),
    Level(u8),
}

impl Naive {
    /// Takes in what happened since the last time: events must be looked at before a change and after it.
    pub(crate) async fn look(&mut self, pool: &PgPool) {
        let sql = "select event_id, seq, action, create_time, details from event_transition where seq > $1 order by seq";
        let rows: Vec<Row> = sqlx::query_as(sql).bind(self.seq).fetch_all(pool).await.expect("readable");
        let ids: Vec<Uuid> = rows.iter().map(|row| row.event_id).collect();
        let sql = "select body from event where id = any($1)";
        let bodies: Vec<(Json<Event>,)> =
            sqlx::query_as(sql).bind(ids).fetch_all(pool).await.expect("readable");
        let bodies: HashMap<Uuid, Event> = bodies.into_iter().map(|row| (row.0.0.id, row.0.0)).collect();
        for row in rows {
            self.seq = row.seq;
            let before = self.events.get(&row.event_id).cloned();
            let after = bodies[&row.event_id].clone();
            self.happenings.push(Happening { row, before, after });
        }
        self.events.extend(bodies);
    }

    /// The days on which anything happened.
    pub(crate) fn days(&self) -> Vec<Date> {
        let mut days: Vec<Date> = self.happenings.iter().map(|h| day(h.row.create_time)).collect();
        days.dedup();
        days
    }

    /// The counts and the times of what is wanted, today being the last day of any period.
    pub(crate) fn count(&self, wanted: &Wanted, today: Date) -> (pb::StatisticCounts, pb::Durations) {
        let to = wanted.to.map_or(today, |to| to.min(today));
        let inside = |day: Date| wanted.from.is_none_or(|from| from <= day) && day <= to;
        let is_of = |event: &Event, lead: Option<&Unit>| {
            let fits = match &wanted.member {
                Wanting::All => true,
                Wanting::Lead(unit) => lead == Some(unit),
                Wanting::Category(code) => event.category == *code || code == "trees",
                Wanting::Level(depth) => event.accepted_depth == Some(*depth),
            };
            fits && event.place.area.to_string().starts_with(&wanted.area)
        };
        let mut counts = pb::StatisticCounts::default();
        let mut times: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
        let (mut dispatched, mut extended) = (HashSet::new(), HashSet::new());
        for Happening { row, before, after } in &self.happenings {
            let lead = before.as_ref().and_then(|b| b.lead.as_ref()).or(after.lead.as_ref());
            let first_dispatch = row.action == 7 && dispatched.insert(row.event_id);
            let first_extension = row.action == 17 && extended.insert(row.event_id);
            let accepts = row.action == 3 || row.action == 26;
            // A level is known from acceptance on.
            let known = accepts || before.as_ref().is_some_and(|b| b.accepted_depth.is_some());
            if !is_of(after, lead)
                || !inside(day(row.create_time))
                || (!known && matches!(wanted.member, Wanting::Level(_)))
            {
                continue;
            }
            if accepts {
                let due = row.details["step_due"]["from"].as_str().expect("the limit of acceptance");
                let due = OffsetDateTime::parse(due, &Rfc3339).expect("a time");
                counts.accepted_in_time += i64::from(row.create_time <= due);
                times.entry("acceptance").or_default().push(minutes(after.times.reported, row.create_time));
            }
            let moved = before.as_ref().is_some_and(|before| before.lead != after.lead);
            let red = row.details["alarm"] == "RED";
            match row.action {
                1 => counts.reported += 1,
                3 => counts.accepted += 1,
                4 => counts.rejected += 1,
                5 => counts.registered += 1,
                6 => counts.voided += 1,
                7 if first_dispatch => counts.dispatched += 1,
                11 => (counts.closed, counts.verified) = (counts.closed + 1, counts.verified + 1),
                12 => (counts.reworked, counts.verified) = (counts.reworked + 1, counts.verified + 1),
                14 => counts.returned += 1,
                15 if moved => counts.returned += 1,
                17 if first_extension => counts.extended += 1,
                26 => {
                    counts.accepted += 1;
                    counts.closed += 1;
                    counts.self_settled += 1;
                }
                27 => (counts.closed, counts.reopened) = (counts.closed - 1, counts.reopened + 1),
                28 => counts.merged += 1,
                29 => counts.merged -= 1,
                34 if red => counts.overdue += 1,
                _ => (),
            }
        }
        for event in self.events.values().filter(|event| is_of(event, event.lead.as_ref())) {
            let closed = event.times.closed.filter(|_| event.state == State::Closed);
            if let Some(due) = due(event).filter(|due| inside(day(*due))) {
                counts.due += 1;
                counts.due_closed += i64::from(closed.is_some());
                counts.due_on_time += i64::from(closed.is_some_and(|closed| closed <= due));
            }
            if let Some(closed) = closed.filter(|closed| inside(day(*closed))) {
                times.entry("total").or_default().push(minutes(event.times.reported, closed));
                let handling = event.times.dispatched.zip(event.times.resolved);
                times.entry("handling").or_default().extend(handling.map(|(from, to)| minutes(from, to)));
            }
        }
        if matches!(wanted.member, Wanting::All | Wanting::Category(_)) {
            counts.open = counts.reported - counts.closed - counts.rejected - counts.voided - counts.merged;
        }
        let mut duration = |name| Some(duration(times.remove(name).unwrap_or_default()));
        let durations = pb::Durations {
            acceptance: duration("acceptance"),
            handling: duration("handling"),
            total: duration("total"),
        };
        (counts, durations)
    }
}

fn day(at: OffsetDateTime) -> Date {
    at.to_offset(offset!(+8)).date()
}

fn minutes(from: OffsetDateTime, to: OffsetDateTime) -> i64 {
    ((to - from).as_seconds_f64() / 60.0).ceil() as i64
}

fn due(event: &Event) -> Option<OffsetDateTime> {
    match event.state {
        State::Rejected | State::Voided | State::Merged => None,
        State::Closed if event.self_settled => event.times.closed,
        State::Suspended => {
            let handling = event.handling_clock.as_ref()?;
            let since = handling.segments.last()?.from;
            (handling.clock.due <= since).then_some(handling.clock.due)
        }
        _ => event.handling_clock.as_ref().map(|handling| handling.clock.due),
    }
}

/// By the definition: the value in the place that half, or nine tenths, of all reach, counted up.
fn duration(mut minutes: Vec<i64>) -> pb::Duration {
    minutes.sort_unstable();
    let at = |tenths: usize| {
        let place = (minutes.len() * tenths).div_ceil(10);
        place.checked_sub(1).map_or(0, |place| minutes[place])
    };
    pb::Duration { count: minutes.len() as i64, median_minutes: at(5), p90_minutes: at(9) }
}
