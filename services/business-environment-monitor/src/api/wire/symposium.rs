//! Symposiums: model ↔ wire. States and kinds are numbered from 1 in the order of the model's.

use std::collections::HashMap;

use jingwei_kit::etag;
use jingwei_kit::status::Problem;
use jingwei_proto::business_environment_monitor::v1 as pb;
use uuid::Uuid;

use super::{name, time as moment};
use crate::model::actor::{Actor, Role};
use crate::model::symposium::{Invitee, InviteeKind, Outcome, State, Suggestion, Symposium};

/// The states of issues by their ids, numbered as in the proto.
pub type IssueStates = HashMap<Uuid, i16>;

/// A symposium on the wire, as the owner of the grants sees it; without its suggestions where `states` is `None`.
pub fn write(symposium: &Symposium, grants: &[Actor], states: Option<&IssueStates>) -> pb::Symposium {
    let office = grants.iter().any(|actor| actor.role == Role::Office);
    let told = office || matches!(symposium.state, State::MinutesPublished | State::FollowUpPublished);
    let suggestion = |(number, suggestion): (i32, &Suggestion), states: &IssueStates| pb::Suggestion {
        invitee: Some(write_invitee(&suggestion.invitee)),
        ..write_suggestion(symposium.district, number, suggestion, states)
    };
    let suggestions = states.filter(|_| told).map(|states| {
        (1..).zip(&symposium.suggestions).map(|numbered| suggestion(numbered, states)).collect()
    });
    let people = |people: &[Invitee]| match office {
        true => people.iter().map(write_invitee).collect(),
        false => Vec::new(),
    };
    pb::Symposium {
        name: name::symposium(symposium.district, symposium.id),
        title: symposium.title.clone(),
        place: symposium.place.clone(),
        start_time: Some(moment::write(symposium.start)),
        state: symposium.state as i32 + 1,
        invited_count: count(&symposium.invitees),
        present_count: count(&symposium.present),
        invitees: people(&symposium.invitees),
        present: people(&symposium.present),
        suggestions: suggestions.unwrap_or_default(),
        minutes: symposium.minutes.clone(),
        follow_up: symposium.follow_up.clone(),
        cancel_reason: symposium.cancel_reason.clone(),
        etag: etag::of(symposium.version),
    }
}

/// What anybody may read of it: nobody by name, and what became of suggestions without the names of issues and items.
pub fn write_published(symposium: &Symposium, states: Option<&IssueStates>) -> pb::PublishedSymposium {
    let suggestion = |(number, suggestion): (i32, &Suggestion), states: &IssueStates| pb::Suggestion {
        issue: String::new(),
        info_item: String::new(),
        ..write_suggestion(symposium.district, number, suggestion, states)
    };
    let suggestions = states.map(|states| {
        (1..).zip(&symposium.suggestions).map(|numbered| suggestion(numbered, states)).collect()
    });
    pb::PublishedSymposium {
        name: name::published_symposium(symposium.district, symposium.id),
        title: symposium.title.clone(),
        start_time: Some(moment::write(symposium.start)),
        invited_count: count(&symposium.invitees),
        present_count: count(&symposium.present),
        suggestions: suggestions.unwrap_or_default(),
        follow_up: symposium.follow_up.clone(),
    }
}

fn write_suggestion(
    district: i32,
    number: i32,
    suggestion: &Suggestion,
    states: &IssueStates,
) -> pb::Suggestion {
    let mut written = pb::Suggestion { number, text: suggestion.text.clone(), ..Default::default() };
    match &suggestion.outcome {
        Some(Outcome::Issue(id)) => {
            written.issue = name::issue(district, *id);
            written.issue_state = states.get(id).copied().map_or(0, i32::from);
        }
        Some(Outcome::InfoItem(id)) => written.info_item = name::info_item(district, *id),
        Some(Outcome::Answer(text)) => written.answer.clone_from(text),
        None => {}
    }
    written
}

fn write_invitee(invitee: &Invitee) -> pb::Invitee {
    pb::Invitee { kind: invitee.kind as i32 + 1, code: invitee.code.clone() }
}

/// Somebody who is invited; the kind was checked.
///
/// # Errors
/// A kind that is none.
pub fn read_invitee(field: &str, invitee: &pb::Invitee) -> Result<Invitee, Problem> {
    let kind = match invitee.kind() {
        pb::InviteeKind::Unspecified => return Err(name::wrong(field, "MONITOR, ENTERPRISE, DEPARTMENT")),
        pb::InviteeKind::Monitor => InviteeKind::Monitor,
        pb::InviteeKind::Enterprise => InviteeKind::Enterprise,
        pb::InviteeKind::Department => InviteeKind::Department,
    };
    Ok(Invitee { kind, code: invitee.code.clone() })
}

/// The same for each of a list.
///
/// # Errors
/// Likewise.
pub fn read_invitees(field: &str, invitees: &[pb::Invitee]) -> Result<Vec<Invitee>, Problem> {
    invitees.iter().map(|invitee| read_invitee(field, invitee)).collect()
}

fn count(people: &[Invitee]) -> i32 {
    i32::try_from(people.len()).unwrap_or(i32::MAX)
}
