//! Transitions: the timeline's rows, model → wire.

use jingwei_proto::business_environment_monitor::v1 as pb;

use super::issue::{write_level, write_state};
use super::{name, time};
use crate::model::actor::{Actor, Role};
use crate::model::issue::Issue;
use crate::model::issue::transition::Transition;

/// A row of an issue's timeline, as the owner of the grants sees it.
pub fn write(issue: &Issue, transition: &Transition, grants: &[Actor]) -> pb::IssueTransition {
    let district = issue.submission.district;
    let submitter = matches!(transition.actor.role, Role::Monitor | Role::Enterprise);
    let hidden = submitter && !grants.iter().any(|actor| issue.shows_submitter_to(actor));
    pb::IssueTransition {
        name: format!("{}/transitions/{}", name::issue(district, transition.issue), transition.version),
        version: transition.version,
        action: transition.action as i32 + 1,
        action_display_name: transition.action.chinese().to_owned(),
        action_display_name_en: transition.action.english().to_owned(),
        from_state: transition.from.map(write_state).unwrap_or_default().into(),
        to_state: write_state(transition.to).into(),
        actor: if hidden { String::new() } else { transition.actor.subject.clone() },
        role: role(transition.actor.role).to_owned(),
        unit: transition.actor.unit.clone().unwrap_or_default(),
        create_time: Some(time::write(transition.at)),
        text: transition.command.said().to_owned(),
        due_time: time::write_option(transition.due),
        supervision: write_level(transition.level).into(),
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Monitor => "monitor",
        Role::Enterprise => "enterprise",
        Role::Office => "office",
        Role::Liaison => "liaison",
        Role::Department => "department",
        Role::Receiver => "receiver",
        Role::System => "system",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::issue::arcs::ActionKind;

    #[test]
    fn actions_are_numbered_as_on_the_wire() {
        for action in ActionKind::all() {
            let wire = pb::IssueAction::try_from(action as i32 + 1).expect("in the enum");
            assert_eq!(wire.as_str_name().trim_start_matches("ISSUE_ACTION_"), action.code());
        }
    }
}
