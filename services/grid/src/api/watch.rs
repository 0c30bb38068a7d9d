//! The live feed of events: what the caller may see of a district's changes, in the order of their commits.

use std::pin::Pin;

use futures::{Stream, StreamExt};
use jingwei_kit::caller::Caller;
use jingwei_kit::outbox::{self, Change, Feed};
use jingwei_kit::status::{Problem, Violations};
use jingwei_proto::grid::v1 as pb;
use prost::Message;
use tonic::Status;

use super::actors;
use super::wire::{name, unit};
use crate::error::{DOMAIN, Error};
use crate::model::actor::Actor;
use crate::model::area::AreaCode;

/// The answer of WatchEvents.
pub type EventStream = Pin<Box<dyn Stream<Item = Result<pb::WatchEventsResponse, Status>> + Send>>;

/// Follows a district's events from the resume token on, or from now.
pub async fn watch(
    feed: &Feed,
    caller: &Caller,
    request: &pb::WatchEventsRequest,
) -> Result<EventStream, Error> {
    let district = name::read_district(&request.parent)?;
    let mut violations = Violations::new();
    let area = name::read_area_in("area", &request.area, district, &mut violations);
    violations.finish()?;
    let after = match request.resume_token.as_str() {
        "" => feed.head(district).await?,
        token => outbox::place("resume_token", token, district)?,
    };
    let grants = actors::of(caller, district);
    let changes = feed.stream(district, after).filter_map(move |change| {
        let shown = change.map(|change| visible(&change, &grants, area)).transpose();
        std::future::ready(shown.map(|c| c.map_err(|problem: Problem| problem.status(DOMAIN))))
    });
    Ok(Box::pin(changes))
}

/// The change as the caller sees it; `None` where it is of something else or not the caller's to see.
fn visible(change: &Change, grants: &[Actor], area: Option<AreaCode>) -> Option<pb::WatchEventsResponse> {
    name::read_event(&change.resource).ok()?;
    let mut shown = pb::WatchEventsResponse::decode(change.payload.as_slice()).ok()?;
    let place: AreaCode = shown.transition.as_ref()?.area.rsplit('/').next()?.parse().ok()?;
    if area.is_some_and(|area| !area.contains(&place)) {
        return None;
    }
    let mut violations = Violations::new();
    let units: Vec<_> =
        shown.units.iter().filter_map(|u| unit::read("units", Some(u), &mut violations)).collect();
    let covered =
        |grant: &Actor| grant.scope.covers_area(place) || units.iter().any(|u| grant.scope.covers(u));
    grants.iter().any(covered).then(|| {
        shown.resume_token = change.token();
        shown
    })
}
