//! Need (需求): what an enterprise asks for, and the facts (事实) that meet it. A fact counts only once the enterprise has
//! confirmed it, and never for more than was asked.

use serde::{Deserialize, Serialize};
use time::serde::rfc3339;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::actor::{Actor, Role};
use super::social_credit::SocialCreditCode;

/// What is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Kind {
    /// Money 融资, in fen.
    Finance,
    /// Workers 用工, in heads.
    Labour,
    /// A step of approval 许可.
    Permit,
    /// A problem to be solved 难题.
    Problem,
}

impl Kind {
    /// Every kind, once, in the order of the variants.
    pub const ALL: [Kind; 4] = [Kind::Finance, Kind::Labour, Kind::Permit, Kind::Problem];

    /// Whether there can be more than one of it.
    #[must_use]
    pub fn is_measured(self) -> bool {
        matches!(self, Kind::Finance | Kind::Labour)
    }
}

/// Where a need stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not met in full.
    Open,
    /// Confirmed facts make up all of it.
    Met,
    /// Closed before that.
    Closed,
}

impl State {
    /// Every state, once, in the order of the variants.
    pub const ALL: [State; 3] = [State::Open, State::Met, State::Closed];
}

/// Where a fact stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactState {
    /// The enterprise has not decided.
    Recorded,
    /// It counts.
    Confirmed,
    /// It never counts.
    Disputed,
}

/// What the enterprise said of a fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// When.
    #[serde(with = "rfc3339")]
    pub at: OffsetDateTime,
    /// Why it is not true; `None` where it is.
    pub dispute: Option<String>,
}

/// Something that happened for a need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// Its id.
    pub id: Uuid,
    /// How much, in the kind's unit; at least 1.
    pub amount: i64,
    /// The local day on which it happened.
    pub day: Date,
    /// The number under which the bank, or whoever else, has it 凭证号.
    pub reference: Option<String>,
    /// What is said of it.
    pub note: String,
    /// The subject who recorded it.
    pub recorder: String,
    /// What the enterprise said.
    pub decision: Option<Decision>,
}

impl Fact {
    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> FactState {
        match &self.decision {
            None => FactState::Recorded,
            Some(Decision { dispute: None, .. }) => FactState::Confirmed,
            Some(_) => FactState::Disputed,
        }
    }
}

/// A need. Changed by `apply` only; the fields are open so that a store can write and read them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    /// Its id.
    pub id: Uuid,
    /// Its district, e.g. 410183.
    pub district: i32,
    /// Whose it is.
    pub enterprise: SocialCreditCode,
    /// What is needed.
    pub kind: Kind,
    /// How much, in the kind's unit; at least 1.
    pub amount: i64,
    /// What for.
    pub description: String,
    /// The subject who raised it.
    pub raiser: String,
    /// When.
    #[serde(with = "rfc3339")]
    pub raised: OffsetDateTime,
    /// Why it was closed.
    pub closed: Option<String>,
    /// What was recorded, oldest first.
    pub facts: Vec<Fact>,
    /// The number of changes, the raising being the first.
    pub version: i64,
}

/// What somebody wants to do with a need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// To record a fact 登记事实.
    Record(Fact),
    /// To confirm one 确认.
    Confirm {
        /// Which.
        fact: Uuid,
    },
    /// To say that one is not true 提出异议.
    Dispute {
        /// Which.
        fact: Uuid,
        /// Why.
        reason: String,
    },
    /// To close it 终止.
    Close {
        /// Why.
        reason: String,
    },
}

/// Why it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No grant of the caller's may.
    NotAllowed,
    /// It is met or closed.
    NotOpen,
    /// A text that must not be blank is.
    Missing {
        /// Its field.
        field: &'static str,
    },
    /// A permit or a problem is one.
    NotOne,
    /// More than is open.
    MoreThanNeeded {
        /// How much is: the amount less what is confirmed or may yet be.
        left: i64,
    },
    /// The day is still to come.
    InFuture,
    /// It has no such fact.
    NoFact {
        /// The id.
        fact: Uuid,
    },
    /// The enterprise has decided.
    FactDecided,
    /// The enterprise has to decide first.
    FactUndecided,
    /// Who recorded it does not confirm it.
    SamePerson,
}

impl Need {
    /// Whether somebody may raise it: for an enterprise its own people, else the office and liaison officers.
    ///
    /// # Errors
    /// `NotAllowed`, `Missing`, `NotOne`.
    pub fn check(&self, actor: &Actor) -> Result<(), Refusal> {
        if !self.is_readable_by(actor) {
            return Err(Refusal::NotAllowed);
        }
        require("description", &self.description)?;
        if self.amount != 1 && !self.kind.is_measured() { Err(Refusal::NotOne) } else { Ok(()) }
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> State {
        match &self.closed {
            Some(_) => State::Closed,
            None if self.confirmed() == self.amount => State::Met,
            None => State::Open,
        }
    }

    /// How much of it confirmed facts make up.
    #[must_use]
    pub fn confirmed(&self) -> i64 {
        self.sum(|state| state == FactState::Confirmed)
    }

    fn sum(&self, counts: impl Fn(FactState) -> bool) -> i64 {
        self.facts.iter().filter(|fact| counts(fact.state())).map(|fact| fact.amount).sum()
    }

    /// Whether the actor may read it.
    #[must_use]
    pub fn is_readable_by(&self, actor: &Actor) -> bool {
        let theirs = match actor.role {
            Role::Office | Role::Liaison => true,
            Role::Enterprise => self.is_of(actor),
            Role::Monitor | Role::Department | Role::Receiver | Role::System => false,
        };
        theirs && actor.district == self.district
    }

    fn is_of(&self, actor: &Actor) -> bool {
        actor.role == Role::Enterprise && actor.unit.as_deref() == Some(self.enterprise.as_str())
    }

    fn allows(&self, command: &Command, actor: &Actor) -> bool {
        let own = self.is_of(actor);
        actor.district == self.district
            && match command {
                Command::Record(_) => matches!(actor.role, Role::Office | Role::Liaison),
                Command::Confirm { .. } | Command::Dispute { .. } => own,
                Command::Close { .. } => own || actor.role == Role::Office,
            }
    }

    /// The need after a command; `today` is the local day of `now`.
    ///
    /// # Errors
    /// `NotAllowed`, then what the command's rules refuse.
    pub fn apply(
        &self,
        command: &Command,
        actor: &Actor,
        now: OffsetDateTime,
        today: Date,
    ) -> Result<Need, Refusal> {
        if !self.allows(command, actor) {
            return Err(Refusal::NotAllowed);
        }
        let mut after = self.clone();
        match command {
            Command::Record(fact) => after.record(fact, today)?,
            Command::Confirm { fact } => after.decide(*fact, actor, now, None)?,
            Command::Dispute { fact, reason } => {
                require("reason", reason)?;
                after.decide(*fact, actor, now, Some(reason.clone()))?;
            }
            Command::Close { reason } => {
                require("reason", reason)?;
                after.close(reason)?;
            }
        }
        after.version += 1;
        Ok(after)
    }

    fn record(&mut self, fact: &Fact, today: Date) -> Result<(), Refusal> {
        if self.state() != State::Open {
            return Err(Refusal::NotOpen);
        }
        let blank = fact.reference.as_ref().is_none_or(|reference| reference.trim().is_empty());
        if self.kind == Kind::Finance && blank {
            return Err(Refusal::Missing { field: "reference" });
        }
        if fact.day > today {
            return Err(Refusal::InFuture);
        }
        let left = self.amount - self.sum(|state| state != FactState::Disputed);
        if fact.amount > left {
            return Err(Refusal::MoreThanNeeded { left });
        }
        self.facts.push(fact.clone());
        Ok(())
    }

    fn decide(
        &mut self,
        id: Uuid,
        actor: &Actor,
        at: OffsetDateTime,
        dispute: Option<String>,
    ) -> Result<(), Refusal> {
        let fact = self.facts.iter_mut().find(|fact| fact.id == id).ok_or(Refusal::NoFact { fact: id })?;
        if fact.decision.is_some() {
            return Err(Refusal::FactDecided);
        }
        if dispute.is_none() && fact.recorder == actor.subject {
            return Err(Refusal::SamePerson);
        }
        fact.decision = Some(Decision { at, dispute });
        Ok(())
    }

    fn close(&mut self, reason: &str) -> Result<(), Refusal> {
        if self.state() != State::Open {
            return Err(Refusal::NotOpen);
        }
        if self.facts.iter().any(|fact| fact.decision.is_none()) {
            return Err(Refusal::FactUndecided);
        }
        self.closed = Some(reason.to_owned());
        Ok(())
    }
}

fn require(field: &'static str, text: &str) -> Result<(), Refusal> {
    if text.trim().is_empty() { Err(Refusal::Missing { field }) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
