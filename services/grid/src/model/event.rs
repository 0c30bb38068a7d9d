//! Event: something in the grid that has to be dealt with, and all that is known of it.
use jingwei_work_calendar::Limit;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::serde::rfc3339;
use uuid::Uuid;

use super::area::AreaCode;
use super::clock::{Clock, HandlingClock};
use super::position::Point;
use super::transition::Hash;
use super::unit::Unit;

/// Where an event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "STATES says what each is called")]
pub enum State {
    Verifying,
    Reported,
    Accepted,
    Registered,
    Dispatched,
    Handling,
    Resolved,
    Suspended,
    Closed,
    Rejected,
    Voided,
    Merged,
}

/// Every state in the order of the variants: code, Chinese, English.
const STATES: [(State, &str, &str, &str); 12] = [
    (State::Verifying, "VERIFYING", "待核实", "reported by the public, to be verified"),
    (State::Reported, "REPORTED", "已上报", "reported"),
    (State::Accepted, "ACCEPTED", "已受理", "accepted"),
    (State::Registered, "REGISTERED", "已立案", "registered"),
    (State::Dispatched, "DISPATCHED", "已派遣", "dispatched"),
    (State::Handling, "HANDLING", "处置中", "being handled"),
    (State::Resolved, "RESOLVED", "已处置待核查", "resolved, to be verified"),
    (State::Suspended, "SUSPENDED", "挂账", "suspended with approval until a date"),
    (State::Closed, "CLOSED", "已结案", "closed"),
    (State::Rejected, "REJECTED", "不予受理", "not accepted"),
    (State::Voided, "VOIDED", "作废", "void"),
    (State::Merged, "MERGED", "已并案", "merged into another event"),
];

impl State {
    /// Every state, once.
    pub fn all() -> impl Iterator<Item = State> {
        STATES.iter().map(|row| row.0)
    }

    /// Its code, e.g. `REPORTED`.
    pub fn code(self) -> &'static str {
        STATES[self as usize].1
    }

    /// In Chinese, e.g. 已上报.
    pub fn chinese(self) -> &'static str {
        STATES[self as usize].2
    }

    /// In English, e.g. `reported`.
    pub fn english(self) -> &'static str {
        STATES[self as usize].3
    }

    /// Whether somebody still has to do something: neither closed, rejected, void nor merged.
    pub fn is_open(self) -> bool {
        !matches!(self, State::Closed | State::Rejected | State::Voided | State::Merged)
    }

    /// Whether a handler has it.
    pub fn is_with_handler(self) -> bool {
        matches!(self, State::Dispatched | State::Handling | State::Suspended)
    }
}

/// What came of an event; apart from the state, since closed is not solved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Outcome {
    /// Solved 已解决.
    Solved,
    /// Partly solved 部分解决.
    PartlySolved,
    /// Unsolved 未解决.
    Unsolved,
    /// Nothing was found 不属实.
    Unfounded,
    /// Not the government's duty 非职责范围.
    NotOurDuty,
    /// It settled itself 已自行解决.
    SelfResolved,
}

/// Where it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// The deepest area that it lies in, as of the report.
    pub area: AreaCode,
    /// The area's version as of the report.
    pub area_version: i64,
    /// The point, WGS-84.
    pub point: Option<Point>,
    /// In words; may be empty.
    pub address: String,
}

/// Who reports events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReporterKind {
    /// Somebody at work in the grid 工作人员.
    Worker,
    /// A resident 居民.
    Resident,
    /// An enterprise 企业.
    Enterprise,
    /// Nobody is to know 匿名.
    Anonymous,
}

/// Who reported it. Personal: never in transitions, logs or errors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reporter {
    /// What kind.
    pub kind: ReporterKind,
    /// The subject of a worker's token.
    pub subject: Option<String>,
    /// The person's or enterprise's name.
    pub name: Option<String>,
    /// The last digits of the telephone number; the number itself is kept apart, encrypted.
    #[serde(default)]
    pub phone_tail: Option<String>,
}

/// What the reporter says of the result 评价: closed is not solved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Whether it is solved.
    pub solved: bool,
    /// How content the reporter is, 1 to 5 满意度; `None` where not told.
    pub rating: Option<u8>,
    /// When.
    #[serde(with = "rfc3339")]
    pub at: OffsetDateTime,
}

/// A piece of evidence 证据: a text, a file, or a file with a text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The text; may be empty where there is a file.
    pub text: String,
    /// The file's address; empty where there is none.
    pub uri: String,
    /// The file's SHA-256 in hexadecimal, where known.
    pub sha256: Option<String>,
}

/// A unit that handles an event together with the lead 会办.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoHandler {
    /// The unit.
    pub unit: Unit,
    /// When its part was done.
    #[serde(with = "rfc3339::option")]
    pub done_at: Option<OffsetDateTime>,
}

/// What a handler can ask the desk for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Wish {
    /// To give it back 退回.
    Return,
    /// More time 延期.
    Extension {
        /// How much.
        by: Limit,
    },
    /// To let it rest 挂账.
    Suspension {
        /// Until when.
        #[serde(with = "rfc3339")]
        resume_at: OffsetDateTime,
    },
}

/// A handler's request that the desk has not decided yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingRequest {
    /// For what.
    pub wish: Wish,
    /// Why: a code of `ReturnReason` for a return, else words.
    pub reason: String,
    /// More words; may be empty.
    pub note: String,
    /// When it was made.
    #[serde(with = "rfc3339")]
    pub asked_at: OffsetDateTime,
}

/// How often things happened to an event, over all its rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Dispatched 派遣.
    pub dispatches: u32,
    /// Dispatched to the wrong unit 退回.
    pub returns: u32,
    /// Failed verification 返工.
    pub rework: u32,
    /// Extended 延期; at most `MAX_EXTENSIONS`.
    pub extensions: u32,
    /// Urged 催办.
    pub urges: u32,
    /// Rounds: 1, and one more with each reopening 重开.
    pub rounds: u32,
    /// Told to the next level for being overdue 超时升级.
    pub escalations: u32,
}

/// When the main things happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// Reported.
    #[serde(with = "rfc3339")]
    pub reported: OffsetDateTime,
    /// First dispatched in this round.
    #[serde(with = "rfc3339::option")]
    pub dispatched: Option<OffsetDateTime>,
    /// Last resolved.
    #[serde(with = "rfc3339::option")]
    pub resolved: Option<OffsetDateTime>,
    /// Closed; `None` again after a reopening.
    #[serde(with = "rfc3339::option")]
    pub closed: Option<OffsetDateTime>,
}

/// Who has put an event under supervision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SupervisionLevel {
    /// The district 区县级督办.
    District,
    /// The city 市级督办.
    City,
    /// The province 省级督办.
    Province,
}

/// A supervision record 督办.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supervision {
    /// At which level.
    pub level: SupervisionLevel,
    /// What is demanded.
    pub note: String,
    /// The subject who recorded it.
    pub subject: String,
    /// When.
    #[serde(with = "rfc3339")]
    pub at: OffsetDateTime,
}

/// What a merge set aside, to be put back by an un-merge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merged {
    /// The event it was merged into.
    pub into: Uuid,
    /// The state before.
    pub state: State,
    /// The step clock before.
    pub step_clock: Option<Clock>,
    /// The handling clock before.
    pub handling_clock: Option<HandlingClock>,
}

/// An event 事件. Changed by `apply` only; the fields are open so that a store can write and read them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its id.
    pub id: Uuid,
    /// Its district, e.g. 410182.
    pub district: i32,
    /// The number that people use, e.g. `410182-20261122-000017`.
    pub case_number: String,
    /// The code of its sub-category 小类.
    pub category: String,
    /// The code of the condition 立案条件; may be empty.
    pub condition: String,
    /// Where.
    pub place: Place,
    /// What happened.
    pub description: String,
    /// Who reported it.
    pub reporter: Reporter,
    /// What the reporter added.
    pub evidence: Vec<Evidence>,
    /// Where it stands.
    pub state: State,
    /// What came of it; `None` until resolved, settled or rejected.
    pub outcome: Option<Outcome>,
    /// Who accepts, registers, dispatches and verifies.
    pub desk: AreaCode,
    /// Who leads the handling; `None` until dispatched and after a return.
    pub lead: Option<Unit>,
    /// Who handles it with the lead.
    pub co_handlers: Vec<CoHandler>,
    /// The depth of the level that accepted it; `None` until then.
    pub accepted_depth: Option<u8>,
    /// Whether it was closed on the spot 自处理.
    pub self_settled: bool,
    /// The clock of the desk's step.
    pub step_clock: Option<Clock>,
    /// The clock of handling in this round; kept, ended, after the event has ended.
    pub handling_clock: Option<HandlingClock>,
    /// When a suspension is over; `None` unless suspended.
    #[serde(with = "rfc3339::option")]
    pub resume_at: Option<OffsetDateTime>,
    /// What the handler has asked for.
    pub pending: Option<PendingRequest>,
    /// How often things happened.
    pub counts: Counts,
    /// Whether a final ruling 终审 binds the lead.
    pub final_ruling: bool,
    /// The merge it is in.
    pub merged: Option<Merged>,
    /// The subject who last resolved it.
    pub resolved_by: Option<String>,
    /// When things happened.
    pub times: Times,
    /// Who has put it under supervision, oldest first.
    pub supervisions: Vec<Supervision>,
    /// What the reporter last said of the result of this round.
    #[serde(default)]
    pub answer: Option<Answer>,
    /// Since when a review 复核 is asked for, a reporter having said that it is not solved; `None` where none is.
    #[serde(default, with = "rfc3339::option")]
    pub review_since: Option<OffsetDateTime>,
    /// The number of changes, the report being the first.
    pub version: i64,
    /// The hash of the last transition.
    #[serde(with = "super::transition::hex")]
    pub last_hash: Hash,
}

impl Event {
    /// Who must act now: the lead from dispatch to resolution, the desk otherwise.
    pub fn holder(&self) -> Unit {
        match &self.lead {
            Some(lead) if self.state.is_with_handler() => lead.clone(),
            _ => Unit::Area(self.desk),
        }
    }

    /// The co-handlers that have not finished.
    pub(super) fn open_co_handlers(&self) -> impl Iterator<Item = &CoHandler> {
        self.co_handlers.iter().filter(|handler| handler.done_at.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_has_its_row_and_serialises_as_its_code() {
        for (index, state) in State::all().enumerate() {
            assert_eq!(state as usize, index);
            assert_eq!(serde_json::to_value(state).unwrap(), state.code());
        }
    }
}
