//! Symposium (座谈会): who was invited and came, what was suggested, and what each suggestion leads to.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::serde::rfc3339;
use uuid::Uuid;

use super::actor::{Actor, Role};

/// Where a symposium stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// Planned 筹备中.
    Planned,
    /// Held 已召开.
    Held,
    /// Its minutes are given to those invited 纪要已发.
    MinutesPublished,
    /// What became of the suggestions is public 落实情况已公开.
    FollowUpPublished,
    /// Cancelled 已取消.
    Cancelled,
}

impl State {
    /// Every state, in the order of the variants.
    pub const ALL: [State; 5] =
        [State::Planned, State::Held, State::MinutesPublished, State::FollowUpPublished, State::Cancelled];

    /// Its code, e.g. `MINUTES_PUBLISHED`.
    #[must_use]
    pub fn code(self) -> &'static str {
        ["PLANNED", "HELD", "MINUTES_PUBLISHED", "FOLLOW_UP_PUBLISHED", "CANCELLED"][self as usize]
    }

    /// In Chinese, e.g. 已召开.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        ["筹备中", "已召开", "纪要已发", "落实情况已公开", "已取消"][self as usize]
    }
}

/// What somebody is invited as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InviteeKind {
    /// A monitor, by the subject.
    Monitor,
    /// An enterprise, by its unified social credit code.
    Enterprise,
    /// A department, by its code.
    Department,
}

/// Somebody who is invited.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Invitee {
    /// As what.
    pub kind: InviteeKind,
    /// Who.
    pub code: String,
}

impl Invitee {
    /// As whom an actor could be invited; `None` for roles that are not.
    #[must_use]
    pub fn of(actor: &Actor) -> Option<Invitee> {
        let (kind, code) = match actor.role {
            Role::Monitor => (InviteeKind::Monitor, actor.subject.clone()),
            Role::Enterprise => (InviteeKind::Enterprise, actor.unit.clone()?),
            Role::Department => (InviteeKind::Department, actor.unit.clone()?),
            Role::Office | Role::Liaison | Role::Receiver | Role::System => return None,
        };
        Some(Invitee { kind, code })
    }
}

/// What a suggestion leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// An issue.
    Issue(Uuid),
    /// An item of market information.
    InfoItem(Uuid),
    /// An answer 答复.
    Answer(String),
}

/// What somebody suggested 建议.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestion {
    /// Who, of those present.
    pub invitee: Invitee,
    /// What.
    pub text: String,
    /// What it leads to; `None` while it leads to nothing.
    pub outcome: Option<Outcome>,
}

/// A symposium. Changed by `apply` only; the fields are open so that a store can write and read them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Symposium {
    /// Its id.
    pub id: Uuid,
    /// Its district.
    pub district: i32,
    /// What it is about.
    pub title: String,
    /// Where it is.
    pub place: String,
    /// When it begins.
    #[serde(with = "rfc3339")]
    pub start: OffsetDateTime,
    /// Where it stands.
    pub state: State,
    /// Who is invited, each once.
    pub invitees: Vec<Invitee>,
    /// Who of them came, each once.
    pub present: Vec<Invitee>,
    /// What was suggested, in that order.
    pub suggestions: Vec<Suggestion>,
    /// The minutes 会议纪要; empty before.
    pub minutes: String,
    /// What became of it 落实情况; empty before.
    pub follow_up: String,
    /// Why it was cancelled; empty unless it was.
    pub cancel_reason: String,
    /// The number of changes, the plan being the first.
    pub version: i64,
}

impl Symposium {
    /// Whether the actor may read it: the office its district's, others those that they are invited to.
    #[must_use]
    pub fn is_readable_by(&self, actor: &Actor) -> bool {
        let invited = || Invitee::of(actor).is_some_and(|invitee| self.invitees.contains(&invitee));
        actor.district == self.district && (actor.role == Role::Office || invited())
    }
}

/// What the office can do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table says what each does")]
pub enum Command {
    Invite(Vec<Invitee>),
    Hold(Vec<Invitee>),
    Suggest { invitee: Invitee, text: String },
    Follow { number: usize, outcome: Outcome },
    PublishMinutes(String),
    PublishFollowUp(String),
    Cancel(String),
}

impl Command {
    /// Its row of the table: the code of the action, in which states it can be done, and the state after; `None` for the one before.
    #[must_use]
    pub fn arc(&self) -> (&'static str, &'static [State], Option<State>) {
        use State::*;
        match self {
            Command::Invite(_) => ("INVITE", &[Planned], None),
            // While it is held, the list of those present can be corrected.
            Command::Hold(_) => ("HOLD", &[Planned, Held], Some(Held)),
            Command::Suggest { .. } => ("SUGGEST", &[Held], None),
            Command::Follow { .. } => ("FOLLOW", &[Held, MinutesPublished], None),
            Command::PublishMinutes(_) => ("PUBLISH_MINUTES", &[Held], Some(MinutesPublished)),
            Command::PublishFollowUp(_) => {
                ("PUBLISH_FOLLOW_UP", &[MinutesPublished], Some(FollowUpPublished))
            }
            Command::Cancel(_) => ("CANCEL", &[Planned], Some(Cancelled)),
        }
    }
}

/// Why something is not possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The grant is not the office's of the district.
    NotAllowed,
    /// The state does not allow it.
    WrongState {
        /// The state.
        state: State,
    },
    /// A text is blank.
    Missing {
        /// The field.
        field: &'static str,
    },
    /// Somebody is named twice.
    NamedTwice {
        /// The field.
        field: &'static str,
    },
    /// More are invited, or more is suggested, than can be.
    TooMany {
        /// The field.
        field: &'static str,
        /// The most.
        limit: usize,
    },
    /// Somebody who came was not invited.
    NotInvited,
    /// Who suggests was not present.
    NotPresent,
    /// There is no suggestion of that number.
    NoSuchSuggestion,
    /// Who is to be no longer among those present has suggested something.
    Suggested,
    /// A suggestion leads to nothing yet.
    SuggestionsOpen,
}

/// One change of a symposium.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The symposium's version after it.
    pub version: i64,
    /// The code of what was done.
    pub action: &'static str,
    /// The state before; `None` for the plan.
    pub from: Option<State>,
    /// The state after.
    pub to: State,
    /// Who did it.
    pub by: String,
    /// When.
    pub at: OffsetDateTime,
}

mod apply;
pub use apply::{apply, plan};

#[cfg(test)]
mod tests;
