//! One change of an event, made ready for the store: what it adds to the numbers, its entry in the change feed, the answer to keep.

use jingwei_kit::idempotency::Key;
use jingwei_proto::grid::v1 as pb;
use jingwei_work_calendar::CHINA_STANDARD_TIME;
use prost::Message;
use sqlx::PgConnection;
use uuid::Uuid;

use super::wire::{event, name, transition as wire_transition, unit};
use crate::model::actor::Actor;
use crate::model::count::contributions;
use crate::model::event::Event;
use crate::model::transition::Transition;
use crate::model::unit::Unit;
use crate::store::change::{Answer, Change, Contact, New};
use crate::store::group::Entry as _;

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

/// A new event with its first transition.
pub fn new(made: &Event, transition: Transition, contact: Contact, beside: Beside<'_>) -> New {
    let day = made.times.reported.to_offset(CHINA_STANDARD_TIME).date();
    New { change: change(None, made, transition, beside), contact, day }
}

/// The change of `before` to `after`.
pub fn change(before: Option<&Event>, after: &Event, transition: Transition, beside: Beside<'_>) -> Change {
    let resource = name::event(after.district, after.id);
    let answer =
        |key: &Key| Answer { key: key.clone(), response: event::write(after, beside.grants).encode_to_vec() };
    Change {
        event: after.clone(),
        contributions: contributions(transition.action, before, after, transition.at),
        payload: payload(after, &transition, &resource),
        transition,
        resource,
        answer: beside.key.map(answer),
        attachments: beside.attachments.to_vec(),
    }
}

/// Writes a change within a transaction; false where `before` was no longer the event's last version.
pub async fn update(
    conn: &mut PgConnection,
    before: &Event,
    after: &Event,
    transition: Transition,
) -> sqlx::Result<bool> {
    alone(conn, change(Some(before), after, transition, Beside::default())).await
}

/// Writes one change within a transaction; false where it was not of the event's last version.
pub async fn alone(conn: &mut PgConnection, change: Change) -> sqlx::Result<bool> {
    Ok(Change::run(conn, &[change]).await? == [true])
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
