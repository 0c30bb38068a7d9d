//! Transition: the one record of a change, from which the issue can be made again.

use jingwei_work_calendar::Calendar;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::serde::rfc3339;
use uuid::Uuid;

use super::apply::{Context, apply, submit};
use super::arcs::ActionKind;
use super::clock::Level;
use super::command::Command;
use super::rules::Rules;
use super::{Issue, State};
use crate::model::actor::Actor;

/// What was changed, by whom and when. Times count to the microsecond, as the database keeps them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// The issue.
    pub issue: Uuid,
    /// The issue's version after it, from 1.
    pub version: i64,
    /// What was done.
    pub action: ActionKind,
    /// The state before; `None` for the submission.
    pub from: Option<State>,
    /// The state after.
    pub to: State,
    /// Who did it.
    pub actor: Actor,
    /// When.
    #[serde(with = "rfc3339")]
    pub at: OffsetDateTime,
    /// All that was given.
    pub command: Command,
    /// The deadline that counts after it.
    #[serde(with = "rfc3339::option")]
    pub due: Option<OffsetDateTime>,
    /// How much it is pressed after it.
    pub level: Level,
}

/// The first transition of a history that does not follow from those before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the history breaks at version {version}")]
pub struct Broken {
    /// The version that the transition should have.
    pub version: i64,
}

impl Transition {
    pub(super) fn record(
        from: Option<State>,
        after: &Issue,
        command: &Command,
        actor: &Actor,
        at: OffsetDateTime,
    ) -> Transition {
        Transition {
            issue: after.submission.id,
            version: after.version,
            action: command.kind(),
            from,
            to: after.state,
            actor: actor.clone(),
            at,
            command: command.clone(),
            due: after.active_clock().map(|clock| clock.due),
            level: after.level(),
        }
    }
}

/// The issue that a whole history, oldest first, leads to: every step is taken again, and must come out as it was recorded, its
/// deadline too.
///
/// # Errors
/// Names the first transition that is altered, missing, out of order or of another issue.
pub fn replay(history: &[Transition], calendar: &Calendar, rules: &Rules) -> Result<Issue, Broken> {
    let mut issue: Option<Issue> = None;
    for (recorded, version) in history.iter().zip(1..) {
        // Whom the rule kept apart then is not in the history: what was done was allowed.
        let context = Context { now: recorded.at, calendar, rules, raisers: &[] };
        let done = match (&issue, &recorded.command) {
            (None, Command::Submit(submission)) => submit(submission, &recorded.actor, &context),
            (None, _) => return Err(Broken { version }),
            (Some(before), command) => apply(before, command, &recorded.actor, &context),
        };
        match done {
            Ok((after, transition)) if transition == *recorded => issue = Some(after),
            _ => return Err(Broken { version }),
        }
    }
    issue.ok_or(Broken { version: 1 })
}
