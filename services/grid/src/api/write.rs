//! One change of an event, made ready for the store: what it adds to the numbers, its entry in the change feed, the answer to keep.

use jingwei_kit::idempotency::Key;
use jingwei_proto::grid::v1 as pb;
use prost::Message;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::wire::{event, name, transition as wire_transition, unit};
use crate::model::actor::Actor;
use crate::model::calendar::CHINA_STANDARD_TIME;
use crate::model::count::contributions;
use crate::model::event::Event;
use crate::model::transition::Transition;
use crate::model::unit::Unit;
use crate::store::event::{Answer, Change, Contact, insert as store_insert, update as store_update};

/// What is written beside a change: the answer to keep where the request has an id, and which attachments it refers to.
#[derive(Clone, Copy, Default)]
pub struct Beside<'a> {
    /// The request.
    pub key: Option<&'a Key>,
    /// What its caller may see.
    pub grants: &'a [Actor],
    /// Attachments that its evidence names.
    pub attachments: &'a [Uuid],
}

impl<'a> Beside<'a> {
    fn answer(&self, event: &Event) -> Option<Answer<'a>> {
        self.key.map(|key| Answer { key, response: event::write(event, self.grants).encode_to_vec() })
    }
}

/// Writes a new event; answers with it as the database numbered it.
pub async fn insert(
    executor: impl PgExecutor<'_>,
    made: Event,
    transition: &Transition,
    contact: &Contact,
    beside: Beside<'_>,
) -> sqlx::Result<Event> {
    let resource = name::event(made.district, made.id);
    let payload = payload(&made, transition, &resource);
    let answer = beside.answer(&made);
    let contributions = contributions(transition.action, None, &made, transition.at);
    let change = Change {
        event: &made,
        transition,
        contributions: &contributions,
        payload: &payload,
        resource: &resource,
        answer,
        attachments: beside.attachments,
    };
    let day = made.times.reported.to_offset(CHINA_STANDARD_TIME).date();
    let case_number = store_insert(executor, &change, contact, day).await?;
    Ok(Event { case_number, ..made })
}

/// Writes a change of `before` to `after`; false where `before` was no longer the event's last version.
pub async fn update(
    conn: &mut PgConnection,
    before: &Event,
    after: &Event,
    transition: &Transition,
    beside: Beside<'_>,
) -> sqlx::Result<bool> {
    let resource = name::event(after.district, after.id);
    let payload = payload(after, transition, &resource);
    let answer = beside.answer(after);
    let contributions = contributions(transition.action, Some(before), after, transition.at);
    let change = Change {
        event: after,
        transition,
        contributions: &contributions,
        payload: &payload,
        resource: &resource,
        answer,
        attachments: beside.attachments,
    };
    store_update(conn, &change).await
}

/// What readers of the change feed get.
pub fn payload(event: &Event, transition: &Transition, resource: &str) -> Vec<u8> {
    let desk = Unit::Area(event.desk);
    let units = [&desk].into_iter().chain(&event.lead).chain(event.co_handlers.iter().map(|c| &c.unit));
    let change = pb::WatchEventsResponse {
        event: resource.to_owned(),
        transition: Some(wire_transition::write(event.district, transition)),
        units: units.map(|u| unit::write(event.district, u)).collect(),
        resume_token: String::new(),
    };
    change.encode_to_vec()
}
