//! Issue (问题): what hinders enterprises in a district, from its submission to a closed, rated case.

use jingwei_work_calendar::Segments;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::serde::rfc3339;
use uuid::Uuid;

use super::actor::Role;
use super::social_credit::SocialCreditCode;

pub mod apply;
pub mod arcs;
mod change;
pub mod clock;
pub mod command;
pub mod rules;
pub mod sight;
pub mod tally;
pub mod transition;

use clock::{Clock, Level};
use rules::Class;

/// Where an issue stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "STATES says what each is called")]
pub enum State {
    Submitted,
    Registered,
    Accepted,
    Classified,
    Assigned,
    InHandling,
    Paused,
    Replied,
    Verified,
    Closed,
    NotAccepted,
    Transferred,
    Terminated,
}

/// Every state in the order of the variants: code, Chinese, English.
const STATES: [(State, &str, &str, &str); 13] = [
    (State::Submitted, "SUBMITTED", "已提交", "submitted"),
    (State::Registered, "REGISTERED", "已登记", "registered"),
    (State::Accepted, "ACCEPTED", "已受理", "accepted"),
    (State::Classified, "CLASSIFIED", "已分类", "classified"),
    (State::Assigned, "ASSIGNED", "已交办", "assigned to a department"),
    (State::InHandling, "IN_HANDLING", "办理中", "being handled"),
    (State::Paused, "PAUSED", "暂停", "paused with approval until a date"),
    (State::Replied, "REPLIED", "已答复", "replied, to be verified"),
    (State::Verified, "VERIFIED", "已核实", "verified by the submitter or a call-back"),
    (State::Closed, "CLOSED", "已办结", "closed"),
    (State::NotAccepted, "NOT_ACCEPTED", "不予受理", "not accepted"),
    (State::Transferred, "TRANSFERRED", "已移送", "transferred to another authority"),
    (State::Terminated, "TERMINATED", "已终止", "terminated with a reason"),
];

impl State {
    /// Every state, once.
    pub fn all() -> impl Iterator<Item = State> {
        STATES.iter().map(|row| row.0)
    }

    /// Its code, e.g. `IN_HANDLING`.
    #[must_use]
    pub fn code(self) -> &'static str {
        STATES[self as usize].1
    }

    /// In Chinese, e.g. 办理中.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        STATES[self as usize].2
    }

    /// In English, e.g. `being handled`.
    #[must_use]
    pub fn english(self) -> &'static str {
        STATES[self as usize].3
    }

    /// Whether somebody still has to do something.
    #[must_use]
    pub fn is_open(self) -> bool {
        !matches!(self, State::Closed | State::NotAccepted | State::Transferred | State::Terminated)
    }

    /// Whether nobody has decided yet if it is accepted.
    #[must_use]
    pub fn is_undecided(self) -> bool {
        matches!(self, State::Submitted | State::Registered)
    }
}

/// What is submitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    /// Its id.
    pub id: Uuid,
    /// Its district, e.g. 410183.
    pub district: i32,
    /// What it is about, in a line.
    pub title: String,
    /// What happened.
    pub description: String,
    /// The enterprise that it is about.
    pub enterprise: Option<SocialCreditCode>,
    /// Which of the year's ten tasks 十大工作任务 it touches, 1 to 10.
    pub tasks: Vec<u8>,
    /// Which of the 18 indicators 指标 it touches, 1 to 18.
    pub indicators: Vec<u8>,
    /// Whether whoever submits it works for a competitor of the enterprise: a fact of the register.
    pub about_competitor: bool,
    /// What that person says of it; required then.
    pub disclosure: Option<String>,
}

/// Who submitted it. Personal: never in errors or logs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submitter {
    /// The subject of the token.
    pub subject: String,
    /// A monitor, or somebody for an enterprise.
    pub role: Role,
}

/// How it was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    /// When; where deemed, the end of the time for the decision, however late the system noticed.
    #[serde(with = "rfc3339")]
    pub at: OffsetDateTime,
    /// Whether nobody had decided in time 视为受理.
    pub deemed: bool,
}

/// A proposal not to accept it, which somebody else has to approve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// The subject who proposes it.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// What a department can ask the office for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// More time 延期.
    Extension {
        /// How much.
        working_days: u32,
    },
    /// To let it rest 暂停.
    Pause {
        /// Until when.
        #[serde(with = "rfc3339")]
        until: OffsetDateTime,
    },
}

/// What a department replied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The subject.
    pub by: String,
    /// What was done.
    pub text: String,
    /// When.
    #[serde(with = "rfc3339")]
    pub at: OffsetDateTime,
}

/// What the submitter, or a call-back, says of the reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// Whether it was the office's call-back 回访, not the submitter.
    pub call_back: bool,
    /// Whether it is solved.
    pub solved: bool,
    /// When.
    #[serde(with = "rfc3339")]
    pub at: OffsetDateTime,
}

/// How good the handling was 好差评.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Stars(u8);

impl Stars {
    /// 1 very dissatisfied 非常不满意 to 5 very satisfied 非常满意; `None` beyond.
    #[must_use]
    pub fn new(stars: u8) -> Option<Stars> {
        (1..=5).contains(&stars).then_some(Stars(stars))
    }

    /// Its place among the five, from 0.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0 - 1)
    }

    /// Whether whoever gave it has to be called back: 1 and 2.
    #[must_use]
    pub fn is_bad(self) -> bool {
        self.0 <= 2
    }
}

impl TryFrom<u8> for Stars {
    type Error = &'static str;

    fn try_from(stars: u8) -> Result<Stars, Self::Error> {
        Stars::new(stars).ok_or("a rating is 1 to 5")
    }
}

impl From<Stars> for u8 {
    fn from(stars: Stars) -> u8 {
        stars.0
    }
}

/// A rating, and the call-back that a bad one leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rating {
    /// How good.
    pub stars: Stars,
    /// When it was given.
    #[serde(with = "rfc3339")]
    pub at: OffsetDateTime,
    /// What the call-back found; `None` where there was none yet.
    pub called_back: Option<String>,
}

/// One way of an issue through a department: the first, and one more after each reopening.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// How long it may take.
    pub class: Class,
    /// Who handles it; `None` until assigned.
    pub department: Option<String>,
    /// The deadline.
    pub clock: Clock,
    /// When the clock ran and when it stood still.
    pub segments: Segments,
    /// How often more time was given.
    pub extensions: u32,
    /// How often it was returned after a verification 退回重办.
    pub returns: u32,
    /// What was last replied.
    pub reply: Option<Reply>,
    /// What was last verified.
    pub verification: Option<Verification>,
    /// What the submitter thinks of it.
    pub rating: Option<Rating>,
}

/// An issue. Changed by `apply` only; the fields are open so that a store can write and read them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    /// What was submitted.
    pub submission: Submission,
    /// Who submitted it.
    pub submitter: Submitter,
    /// When.
    #[serde(with = "rfc3339")]
    pub submitted: OffsetDateTime,
    /// Where it stands.
    pub state: State,
    /// The end of the time for a decision: what is undecided then is accepted.
    #[serde(with = "rfc3339")]
    pub decide_by: OffsetDateTime,
    /// The clock of what the office has to do.
    pub step_clock: Option<Clock>,
    /// The proposal not to accept it.
    pub proposal: Option<Proposal>,
    /// How it was accepted.
    pub acceptance: Option<Acceptance>,
    /// The rounds, oldest first: none before it is classified, the last is the current one. Those before keep their clocks.
    pub rounds: Vec<Round>,
    /// What the department asks for.
    pub pending: Option<Wish>,
    /// When a pause is over; `None` unless paused.
    #[serde(with = "rfc3339::option")]
    pub resume_at: Option<OffsetDateTime>,
    /// The number of changes, the submission being the first.
    pub version: i64,
}

impl Issue {
    /// The current round; `None` before it is classified.
    #[must_use]
    pub fn round(&self) -> Option<&Round> {
        self.rounds.last()
    }

    /// The clock that counts now: the office's step, else the handling unless it stands still or has ended.
    #[must_use]
    pub fn active_clock(&self) -> Option<&Clock> {
        let running =
            self.round().filter(|round| !round.segments.ended() && round.segments.paused_since().is_none());
        self.step_clock.as_ref().or(running.map(|round| &round.clock))
    }

    fn active_clock_mut(&mut self) -> Option<&mut Clock> {
        let running = self
            .rounds
            .last_mut()
            .filter(|round| !round.segments.ended() && round.segments.paused_since().is_none());
        self.step_clock.as_mut().or(running.map(|round| &mut round.clock))
    }

    /// How much it is pressed, by the clock 督办等级.
    #[must_use]
    pub fn level(&self) -> Level {
        self.active_clock().map_or(Level::None, |clock| clock.level)
    }

    /// When the system next has something to do; `None` while there is nothing.
    #[must_use]
    pub fn alarm_at(&self) -> Option<OffsetDateTime> {
        if self.state == State::Paused {
            return self.resume_at;
        }
        let alarm = self.active_clock().and_then(Clock::next_alarm);
        let decision = self.state.is_undecided().then_some(self.decide_by);
        alarm.into_iter().chain(decision).min()
    }

    /// Whether somebody who rated it badly has to be called back.
    #[must_use]
    pub fn call_back_due(&self) -> bool {
        self.rounds.iter().any(Round::call_back_due)
    }
}

impl Round {
    fn call_back_due(&self) -> bool {
        self.rating.as_ref().is_some_and(|rating| rating.stars.is_bad() && rating.called_back.is_none())
    }
}

#[cfg(test)]
pub(crate) mod tests;
