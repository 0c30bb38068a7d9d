//! Transfer (移送): a letter with a sealed content to another authority, signed by two, and what the receiver does with it.

use serde::{Deserialize, Serialize};
use time::serde::rfc3339;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::actor::{Actor, Role};
use super::receiver::{Receiver, ReturnReason};
use super::sealed::sha256;

time::serde::format_description!(iso_date, Date, "[year]-[month]-[day]");

/// Where a transfer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// Drafted 已拟稿: nobody has signed.
    Drafted,
    /// Signed by one 已一人签署.
    Signed,
    /// Signed by two and sent 已移送.
    Sent,
    /// Acknowledged by the receiver 已签收.
    Acknowledged,
    /// Returned by the receiver 已退回.
    Returned,
    /// Withdrawn before it was sent 已撤回.
    Withdrawn,
}

impl State {
    /// Every state, once.
    pub const ALL: [State; 6] =
        [State::Drafted, State::Signed, State::Sent, State::Acknowledged, State::Returned, State::Withdrawn];

    /// Its code, e.g. `SENT`.
    #[must_use]
    pub fn code(self) -> &'static str {
        ["DRAFTED", "SIGNED", "SENT", "ACKNOWLEDGED", "RETURNED", "WITHDRAWN"][self as usize]
    }

    /// In Chinese, e.g. 已移送.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        ["已拟稿", "已一人签署", "已移送", "已签收", "已退回", "已撤回"][self as usize]
    }

    /// Whether it has left the office, and so is the receiver's to see and nobody's to change but the receiver's.
    #[must_use]
    pub fn is_sent(self) -> bool {
        matches!(self, State::Sent | State::Acknowledged | State::Returned)
    }
}

/// What somebody wants to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Sign 签署.
    Sign {
        /// What is signed, as whoever signs computed it.
        digest: String,
    },
    /// Withdraw 撤回.
    Withdraw,
    /// Acknowledge 签收.
    Acknowledge,
    /// Give back 退回.
    Return {
        /// Why.
        reason: ReturnReason,
    },
}

impl Command {
    /// Its code, e.g. `SIGN`; that of the first record is `DRAFT`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Command::Sign { .. } => "SIGN",
            Command::Withdraw => "WITHDRAW",
            Command::Acknowledge => "ACKNOWLEDGE",
            Command::Return { .. } => "RETURN",
        }
    }

    /// Whether the office does it; else the receiver.
    fn is_of_the_office(&self) -> bool {
        matches!(self, Command::Sign { .. } | Command::Withdraw)
    }

    /// The table: the state after, where the state allows it.
    fn next(&self, state: State) -> Option<State> {
        match (self, state) {
            (Command::Sign { .. }, State::Drafted) => Some(State::Signed),
            (Command::Sign { .. }, State::Signed) => Some(State::Sent),
            (Command::Withdraw, State::Drafted | State::Signed) => Some(State::Withdrawn),
            (Command::Acknowledge, State::Sent) => Some(State::Acknowledged),
            (Command::Return { .. }, State::Sent | State::Acknowledged) => Some(State::Returned),
            _ => None,
        }
    }
}

/// Why an action is not possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The grant may not do it.
    NotAllowed,
    /// The state does not allow it.
    WrongState {
        /// The state.
        state: State,
    },
    /// Two people sign; the second is neither the first nor who drafted it.
    SamePerson,
    /// What is signed is not this letter with this content.
    WrongDigest,
}

/// A signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// The subject who signed.
    pub by: String,
    /// When.
    #[serde(with = "rfc3339")]
    pub at: OffsetDateTime,
}

/// A transfer without its content. Changed by `apply` only; the fields are open so that a store can write and read them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// Its id.
    pub id: Uuid,
    /// Its district.
    pub district: i32,
    /// The issue.
    pub issue: Uuid,
    /// To whom.
    pub receiver: Receiver,
    /// The number in the register, e.g. `410183-T-2026-000017`.
    pub register_number: String,
    /// The day of the letter.
    #[serde(with = "iso_date")]
    pub letter_date: Date,
    /// The receiver's key that the content is sealed to.
    pub key: Uuid,
    /// SHA-256 of the sealed content, in hexadecimal.
    pub content_hash: String,
    /// The subject who drafted it.
    pub drafter: String,
    /// Where it stands.
    pub state: State,
    /// The signatures, in their order.
    pub signatures: Vec<Signature>,
    /// When the receiver acknowledged it.
    #[serde(with = "rfc3339::option")]
    pub acknowledged: Option<OffsetDateTime>,
    /// When the receiver returned it.
    #[serde(with = "rfc3339::option")]
    pub returned: Option<OffsetDateTime>,
    /// Why.
    pub return_reason: Option<ReturnReason>,
    /// The number of changes, the draft being the first.
    pub version: i64,
}

/// One change of a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its version after it.
    pub version: i64,
    /// What was done.
    pub action: &'static str,
    /// The state before; `None` for the draft.
    pub from: Option<State>,
    /// The state after.
    pub to: State,
    /// The subject who did it.
    pub by: String,
    /// When.
    pub at: OffsetDateTime,
}

impl Transfer {
    /// What is signed: SHA-256, in hexadecimal, of the cover and the hash of the sealed content, a line each. docs/sealed-content.md says
    /// the same for whoever computes it.
    #[must_use]
    pub fn digest(&self) -> String {
        let Transfer { district, id, issue, receiver, key, .. } = self;
        let receiver = receiver.code();
        let lines = [
            "jingwei transfer 1".to_owned(),
            format!("districts/{district}/transfers/{id}"),
            self.register_number.clone(),
            self.letter_date.to_string(),
            format!("districts/{district}/issues/{issue}"),
            format!("districts/{district}/receivers/{receiver}/keys/{key}"),
            self.content_hash.clone(),
        ];
        sha256(lines.join("\n").as_bytes())
    }

    /// Whether the actor may know of it: the office, and the receiver once it was sent.
    #[must_use]
    pub fn is_readable_by(&self, actor: &Actor) -> bool {
        let theirs = match actor.role {
            Role::Office | Role::System => true,
            Role::Receiver => self.is_receiver(actor) && self.state.is_sent(),
            Role::Monitor | Role::Enterprise | Role::Liaison | Role::Department => false,
        };
        theirs && actor.district == self.district
    }

    /// Whether the actor may have the sealed content: the receiver, once it was sent.
    #[must_use]
    pub fn gives_content_to(&self, actor: &Actor) -> bool {
        actor.role == Role::Receiver && self.is_readable_by(actor)
    }

    /// Whether the actor is of the authority that it goes to.
    fn is_receiver(&self, actor: &Actor) -> bool {
        actor.unit.as_deref() == Some(self.receiver.code())
    }

    /// The record of the draft.
    #[must_use]
    pub fn drafted(&self, at: OffsetDateTime) -> Record {
        Record { version: 1, action: "DRAFT", from: None, to: self.state, by: self.drafter.clone(), at }
    }
}

/// The transfer after a command, with the record of the change.
///
/// # Errors
/// In this order: `NotAllowed`, `WrongState`, `SamePerson`, `WrongDigest`.
pub fn apply(
    before: &Transfer,
    command: &Command,
    actor: &Actor,
    now: OffsetDateTime,
) -> Result<(Transfer, Record), Refusal> {
    let role = if command.is_of_the_office() { Role::Office } else { Role::Receiver };
    if actor.role != role || !before.is_readable_by(actor) {
        return Err(Refusal::NotAllowed);
    }
    let state = command.next(before.state).ok_or(Refusal::WrongState { state: before.state })?;
    let mut after = before.clone();
    match command {
        Command::Sign { digest } => sign(&mut after, digest, actor, now)?,
        Command::Withdraw => {}
        Command::Acknowledge => after.acknowledged = Some(now),
        Command::Return { reason } => {
            (after.returned, after.return_reason) = (Some(now), Some(*reason));
        }
    }
    (after.state, after.version) = (state, before.version + 1);
    let record = Record {
        version: after.version,
        action: command.code(),
        from: Some(before.state),
        to: state,
        by: actor.subject.clone(),
        at: now,
    };
    Ok((after, record))
}

/// Who drafted it may sign first, as anybody of the office may; the second signature is by somebody with no part in it before.
fn sign(after: &mut Transfer, digest: &str, actor: &Actor, at: OffsetDateTime) -> Result<(), Refusal> {
    if let Some(first) = after.signatures.first()
        && [&first.by, &after.drafter].contains(&&actor.subject)
    {
        return Err(Refusal::SamePerson);
    }
    if digest != after.digest() {
        return Err(Refusal::WrongDigest);
    }
    after.signatures.push(Signature { by: actor.subject.clone(), at });
    Ok(())
}

#[cfg(test)]
mod tests;
