//! One change of an issue, made ready for the store: its entry in the change feed, and the answer to keep.

use jingwei_kit::idempotency::Key;
use jingwei_proto::business_environment_monitor::v1 as pb;
use prost::Message;
use sqlx::PgExecutor;

use super::wire::{issue as wire, name, transition as wire_transition};
use crate::model::actor::Actor;
use crate::model::issue::Issue;
use crate::model::issue::tally::{Place, tally};
use crate::model::issue::transition::Transition;
use crate::model::local_day;
use crate::store::issue::Stored;
use crate::store::issue_change::{self, Answer, Change};

/// The request whose answer is kept, and what its caller may see.
pub type Asked<'a> = (&'a Key, &'a [Actor]);

/// Writes a new issue; answers with it as the database numbered it.
///
/// # Errors
/// Those of the database.
pub async fn insert(
    executor: impl PgExecutor<'_>,
    issue: Issue,
    transition: &Transition,
    asked: Option<Asked<'_>>,
) -> sqlx::Result<Stored> {
    let day = local_day(issue.submitted);
    let mut stored = Stored { case_number: String::new(), issue };
    let (resource, payload) = told(&stored.issue, transition);
    let change = change(None, &stored, transition, (&resource, &payload), asked);
    let case_number = issue_change::insert(executor, &change, day).await?;
    stored.case_number = case_number;
    Ok(stored)
}

/// Writes a change; false where the version before it was no longer the issue's last.
///
/// # Errors
/// Those of the database.
pub async fn update(
    executor: impl PgExecutor<'_>,
    before: &Issue,
    after: &Stored,
    transition: &Transition,
    asked: Option<Asked<'_>>,
) -> sqlx::Result<bool> {
    let (resource, payload) = told(&after.issue, transition);
    let change = change(Some(before), after, transition, (&resource, &payload), asked);
    issue_change::update(executor, &change).await
}

fn change<'a>(
    before: Option<&Issue>,
    stored: &'a Stored,
    transition: &'a Transition,
    (resource, payload): (&'a str, &'a [u8]),
    asked: Option<Asked<'a>>,
) -> Change<'a> {
    let answer =
        asked.map(|(key, grants)| Answer { key, response: wire::write(stored, grants).encode_to_vec() });
    let issue = &stored.issue;
    let (from, to) = (before.map(Place::of), Place::of(issue));
    Change { issue, transition, resource, from, to, tally: tally(before, issue, transition), payload, answer }
}

/// Under which name readers of the change feed get what: the transition, without the name of a submitter.
fn told(issue: &Issue, transition: &Transition) -> (String, Vec<u8>) {
    let district = issue.submission.district;
    let resource = name::issue(district, issue.submission.id);
    let department = issue.round().and_then(|round| round.department.as_ref());
    let change = pb::WatchIssuesResponse {
        issue: resource.clone(),
        transition: Some(wire_transition::write(issue, transition, &[])),
        department: department.map(|code| name::department(district, code)).unwrap_or_default(),
        // Known once it is committed.
        resume_token: String::new(),
    };
    (resource, change.encode_to_vec())
}
