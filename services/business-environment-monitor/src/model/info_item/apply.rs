//! Apply: one action on one item, by the table. Pure: time and all facts from elsewhere are arguments.

use time::OffsetDateTime;
use uuid::Uuid;

use super::arcs::{ActionKind, TARGETS};
use super::{Content, InfoItem, Record, State};
use crate::model::actor::Actor;

/// The most issues that one item is linked to.
pub const MAX_ISSUES: usize = 50;

/// What somebody wants to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the arcs say what each does")]
pub enum Command {
    Triage { text: String },
    Note { text: String },
    Reject { reason: String },
    Merge { into: Target },
    Unmerge { reason: String },
    Promote { issue: Uuid },
    Link { issue: Uuid },
    Unlink { issue: Uuid, reason: String },
}

/// The item that another is to be merged into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its id.
    pub id: Uuid,
    /// Where it stands.
    pub state: State,
    /// Where following its merges ends: itself unless merged.
    pub root: Uuid,
}

impl Command {
    /// The action that it is.
    #[must_use]
    pub fn kind(&self) -> ActionKind {
        match self {
            Command::Triage { .. } => ActionKind::Triage,
            Command::Note { .. } => ActionKind::Note,
            Command::Reject { .. } => ActionKind::Reject,
            Command::Merge { .. } => ActionKind::Merge,
            Command::Unmerge { .. } => ActionKind::Unmerge,
            Command::Promote { .. } => ActionKind::Promote,
            Command::Link { .. } => ActionKind::Link,
            Command::Unlink { .. } => ActionKind::Unlink,
        }
    }

    /// What is said with it; empty where nothing is.
    fn text(&self) -> &str {
        match self {
            Command::Triage { text } | Command::Note { text } => text,
            Command::Reject { reason } | Command::Unmerge { reason } | Command::Unlink { reason, .. } => {
                reason
            }
            Command::Merge { .. } | Command::Promote { .. } | Command::Link { .. } => "",
        }
    }

    /// Whether what is said with it must not be blank.
    fn is_reasoned(&self) -> bool {
        matches!(self, Command::Reject { .. } | Command::Unmerge { .. } | Command::Unlink { .. })
    }
}

/// Why an action is not possible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The grant may not do it.
    NotAllowed {
        /// What was asked for.
        action: ActionKind,
    },
    /// The state does not allow it: the item's, or that of the item that it is to be merged into.
    WrongState {
        /// The state.
        state: State,
        /// What was asked for.
        action: ActionKind,
    },
    /// Who collected it does not decide on it.
    OwnItem,
    /// A text that must not be blank is.
    Missing {
        /// Its field.
        field: &'static str,
    },
    /// Whoever works for a competitor says so.
    DisclosureMissing,
    /// It takes an active appointment.
    NotActive,
    /// Nothing is merged into itself.
    IntoItself,
    /// What it is to be merged into is merged itself.
    TargetMerged {
        /// The district.
        district: i32,
        /// Where following the merges ends.
        root: Uuid,
    },
    /// The issue is linked already.
    Linked,
    /// The issue is not linked.
    NotLinked,
    /// A promoted item has an issue.
    LastIssue,
    /// It is linked to as many issues as can be.
    TooManyIssues {
        /// How many that is.
        limit: usize,
    },
}

/// A new item, with its first record; `active` says whether an appointment of the actor's is active today.
///
/// # Errors
/// In this order: `NotAllowed`, `Missing`, `DisclosureMissing`, `NotActive`.
pub fn collect(
    id: Uuid,
    content: &Content,
    actor: &Actor,
    active: bool,
    now: OffsetDateTime,
) -> Result<(InfoItem, Record), Refusal> {
    let item = InfoItem {
        id,
        district: actor.district,
        collector: actor.subject.clone(),
        content: content.clone(),
        collected: now,
        state: State::Collected,
        decision: String::new(),
        merged_into: None,
        issues: Vec::new(),
        version: 1,
    };
    let action = ActionKind::Collect;
    if !action.arc().allows(&item, actor) {
        return Err(Refusal::NotAllowed { action });
    }
    for (field, text) in [("title", &content.title), ("text", &content.text)] {
        if text.trim().is_empty() {
            return Err(Refusal::Missing { field });
        }
    }
    if content.about_competitor && content.disclosure.as_ref().is_none_or(|text| text.trim().is_empty()) {
        return Err(Refusal::DisclosureMissing);
    }
    if !active {
        return Err(Refusal::NotActive);
    }
    let subject = actor.subject.clone();
    let (to, text) = (item.state, String::new());
    Ok((item, Record { version: 1, action, from: None, to, subject, text, other: None, at: now }))
}

/// The item after a command, with the one record of it.
///
/// # Errors
/// In this order: `NotAllowed`, `WrongState`, `OwnItem`, `Missing`, the action's own.
pub fn apply(
    before: &InfoItem,
    command: &Command,
    actor: &Actor,
    now: OffsetDateTime,
) -> Result<(InfoItem, Record), Refusal> {
    let action = command.kind();
    let arc = action.arc();
    if !arc.allows(before, actor) {
        return Err(Refusal::NotAllowed { action });
    }
    if !arc.from.contains(&before.state) {
        return Err(Refusal::WrongState { state: before.state, action });
    }
    if actor.subject == before.collector {
        return Err(Refusal::OwnItem);
    }
    if command.is_reasoned() && command.text().trim().is_empty() {
        return Err(Refusal::Missing { field: "reason" });
    }
    let mut after = before.clone();
    let other = change(&mut after, command)?;
    after.state = arc.to;
    after.version += 1;
    let record = Record {
        version: after.version,
        action,
        from: Some(before.state),
        to: after.state,
        subject: actor.subject.clone(),
        text: command.text().to_owned(),
        other,
        at: now,
    };
    Ok((after, record))
}

/// Makes the change; answers with the other item or the issue that it is about.
fn change(item: &mut InfoItem, command: &Command) -> Result<Option<Uuid>, Refusal> {
    match command {
        Command::Triage { .. } => Ok(None),
        Command::Note { text } | Command::Reject { reason: text } => {
            item.decision.clone_from(text);
            Ok(None)
        }
        Command::Merge { into } => {
            check_target(item, *into)?;
            item.merged_into = Some(into.id);
            Ok(item.merged_into)
        }
        Command::Unmerge { .. } => Ok(item.merged_into.take()),
        Command::Promote { issue } | Command::Link { issue } => {
            if item.issues.contains(issue) {
                return Err(Refusal::Linked);
            }
            if item.issues.len() >= MAX_ISSUES {
                return Err(Refusal::TooManyIssues { limit: MAX_ISSUES });
            }
            item.issues.push(*issue);
            Ok(Some(*issue))
        }
        Command::Unlink { issue, .. } => {
            if !item.issues.contains(issue) {
                return Err(Refusal::NotLinked);
            }
            if item.issues.len() == 1 {
                return Err(Refusal::LastIssue);
            }
            item.issues.retain(|linked| linked != issue);
            Ok(Some(*issue))
        }
    }
}

/// What is merged is no target: so merges never lead back to where they began.
fn check_target(item: &InfoItem, into: Target) -> Result<(), Refusal> {
    if into.id == item.id {
        return Err(Refusal::IntoItself);
    }
    if into.state == State::Merged {
        return Err(Refusal::TargetMerged { district: item.district, root: into.root });
    }
    if !TARGETS.contains(&into.state) {
        return Err(Refusal::WrongState { state: into.state, action: ActionKind::Merge });
    }
    Ok(())
}
