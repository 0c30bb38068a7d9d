//! Confidential report (机密举报): about a department or the office, under seal to a receiver; whom it is about does not learn of it.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::serde::rfc3339;
use uuid::Uuid;

use super::actor::{Actor, Role};
use super::receiver::{Receiver, ReturnReason};

/// Whom a report is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// The business-environment office.
    Office,
    /// A department, by its code; a receiver is one, too.
    Department(String),
}

impl About {
    /// Whether the actor is one of them.
    #[must_use]
    pub fn is(&self, actor: &Actor) -> bool {
        match (self, actor.role) {
            (About::Office, role) => role == Role::Office,
            (About::Department(code), Role::Department | Role::Receiver) => actor.unit.as_ref() == Some(code),
            _ => false,
        }
    }
}

/// Where a report stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// Submitted 已提交.
    Submitted,
    /// Acknowledged by the receiver 已签收.
    Acknowledged,
    /// Returned by the receiver 已退回.
    Returned,
}

impl State {
    /// Every state, once.
    pub const ALL: [State; 3] = [State::Submitted, State::Acknowledged, State::Returned];

    /// Its code, e.g. `SUBMITTED`.
    #[must_use]
    pub fn code(self) -> &'static str {
        ["SUBMITTED", "ACKNOWLEDGED", "RETURNED"][self as usize]
    }

    /// In Chinese, e.g. 已提交.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        ["已提交", "已签收", "已退回"][self as usize]
    }
}

/// What the receiver does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Acknowledge 签收.
    Acknowledge,
    /// Give back 退回.
    Return {
        /// Why.
        reason: ReturnReason,
    },
}

impl Command {
    /// Its code, e.g. `RETURN`; that of the first record is `SUBMIT`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Command::Acknowledge => "ACKNOWLEDGE",
            Command::Return { .. } => "RETURN",
        }
    }
}

/// Why something is not possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The grant may not do it.
    NotAllowed,
    /// The state does not allow it.
    WrongState {
        /// The state.
        state: State,
    },
    /// Nobody is sent a report about themselves.
    AboutReceiver,
}

/// A report without its content. Changed by `apply` only; the fields are open so that a store can write and read them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Its id.
    pub id: Uuid,
    /// Its district.
    pub district: i32,
    /// The subject who made it. Told to nobody else.
    pub reporter: String,
    /// Whom it is about.
    pub about: About,
    /// To whom.
    pub receiver: Receiver,
    /// The receiver's key that the content is sealed to.
    pub key: Uuid,
    /// SHA-256 of the sealed content, in hexadecimal.
    pub content_hash: String,
    /// When it was submitted.
    #[serde(with = "rfc3339")]
    pub submitted: OffsetDateTime,
    /// Where it stands.
    pub state: State,
    /// When the receiver acknowledged it.
    #[serde(with = "rfc3339::option")]
    pub acknowledged: Option<OffsetDateTime>,
    /// When the receiver returned it.
    #[serde(with = "rfc3339::option")]
    pub returned: Option<OffsetDateTime>,
    /// Why.
    pub return_reason: Option<ReturnReason>,
    /// The number of changes, the submission being the first.
    pub version: i64,
}

/// Who asks: the grants that let the call in, and all that the person has.
#[derive(Clone, Copy, Debug)]
pub struct Person<'a> {
    /// The subject.
    pub subject: &'a str,
    /// The grants that let the call in.
    pub admitted: &'a [Actor],
    /// All of the person's grants in the district: one of them may keep the person out.
    pub grants: &'a [Actor],
}

impl Report {
    /// Whether it can be submitted by the owner of these grants.
    ///
    /// # Errors
    /// `NotAllowed`, `AboutReceiver`.
    pub fn check(&self, admitted: &[Actor]) -> Result<(), Refusal> {
        let may = |actor: &Actor| matches!(actor.role, Role::Monitor | Role::Enterprise);
        if !admitted.iter().any(may) {
            return Err(Refusal::NotAllowed);
        }
        let to_itself = self.about == About::Department(self.receiver.code().to_owned());
        if to_itself { Err(Refusal::AboutReceiver) } else { Ok(()) }
    }

    /// Whether the person made it.
    #[must_use]
    pub fn is_by(&self, person: Person<'_>) -> bool {
        self.reporter == person.subject
    }

    /// Whether the person is of the receiver, and with no grant of whom it is about.
    #[must_use]
    pub fn is_received_by(&self, person: Person<'_>) -> bool {
        let receives = |actor: &Actor| {
            let of = actor.role == Role::Receiver && actor.unit.as_deref() == Some(self.receiver.code());
            of && actor.district == self.district
        };
        person.admitted.iter().any(receives) && !person.grants.iter().any(|actor| self.about.is(actor))
    }

    /// Whether the person may know that there is such a report.
    #[must_use]
    pub fn is_readable_by(&self, person: Person<'_>) -> bool {
        self.is_by(person) || self.is_received_by(person)
    }
}

/// The report after a command.
///
/// # Errors
/// In this order: `NotAllowed`, `WrongState`.
pub fn apply(
    before: &Report,
    command: Command,
    person: Person<'_>,
    now: OffsetDateTime,
) -> Result<Report, Refusal> {
    if !before.is_received_by(person) {
        return Err(Refusal::NotAllowed);
    }
    let mut after = Report { version: before.version + 1, ..before.clone() };
    match (command, before.state) {
        (Command::Acknowledge, State::Submitted) => {
            (after.state, after.acknowledged) = (State::Acknowledged, Some(now));
        }
        (Command::Return { reason }, State::Submitted | State::Acknowledged) => {
            (after.state, after.returned) = (State::Returned, Some(now));
            after.return_reason = Some(reason);
        }
        (_, state) => return Err(Refusal::WrongState { state }),
    }
    Ok(after)
}

#[cfg(test)]
mod tests;
