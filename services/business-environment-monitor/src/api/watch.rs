//! The live feed of issues: what the caller may see of a district's changes, in the order of their commits.

use std::pin::Pin;

use futures::{Stream, StreamExt};
use jingwei_kit::caller::Caller;
use jingwei_kit::outbox::{self, Change, Feed};
use jingwei_kit::status::Problem;
use jingwei_proto::business_environment_monitor::v1 as pb;
use prost::Message;
use tonic::Status;

use super::actors;
use super::wire::name;
use crate::error::{DOMAIN, Error};
use crate::model::actor::{Actor, Role};

/// The answer of WatchIssues.
pub type IssueStream = Pin<Box<dyn Stream<Item = Result<pb::WatchIssuesResponse, Status>> + Send>>;

/// Follows a district's issues from the resume token on, or from now.
///
/// # Errors
/// A name or token that does not read; those of the database.
pub async fn watch(
    feed: &Feed,
    caller: &Caller,
    request: &pb::WatchIssuesRequest,
) -> Result<IssueStream, Error> {
    let district = name::read_district("parent", &request.parent)?;
    let after = match request.resume_token.as_str() {
        "" => feed.head(district).await?,
        token => outbox::place("resume_token", token, district)?,
    };
    let grants = actors::of(caller, district);
    let changes = feed.stream(district, after).filter_map(move |change| {
        let shown = change.map(|change| visible(&change, &grants)).transpose();
        std::future::ready(shown.map(|c| c.map_err(|problem: Problem| problem.status(DOMAIN))))
    });
    Ok(Box::pin(changes))
}

/// The change as the caller sees it; `None` where it is of something else or not the caller's to see.
fn visible(change: &Change, grants: &[Actor]) -> Option<pb::WatchIssuesResponse> {
    let (district, _) = name::read_issue(&change.resource).ok()?;
    let mut shown = pb::WatchIssuesResponse::decode(change.payload.as_slice()).ok()?;
    let handles = |code: &String| name::department(district, code) == shown.department;
    let covered = |grant: &Actor| grant.role == Role::Office || grant.unit.as_ref().is_some_and(handles);
    grants.iter().any(covered).then(|| {
        shown.resume_token = change.token();
        shown
    })
}
