//! Deliberation (议事协商): a matter talked over and decided by residents and units, and all that is known of it.

use jingwei_work_calendar::CHINA_STANDARD_TIME;
use serde::{Deserialize, Serialize};
use time::serde::rfc3339;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::actor::{Actor, Role};
use super::area::AreaCode;
use super::event::Evidence;
use super::unit::Unit;

pub mod apply;
pub mod arcs;
pub mod command;
pub mod tally;

time::serde::format_description!(iso_date, Date, "[year]-[month]-[day]");

use tally::{Choice, Mode, Outcome, Quorum};

/// Where a deliberation stands. Stored as its place in this order, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "STATES says what each is called")]
pub enum State {
    Draft,
    Convened,
    NotQuorate,
    Held,
    Resolved,
    Publicised,
    FollowUp,
    Completed,
    Cancelled,
}

/// Every state in the order of the variants: code, Chinese.
const STATES: [(State, &str, &str); 9] = [
    (State::Draft, "DRAFT", "拟议"),
    (State::Convened, "CONVENED", "已召集"),
    (State::NotQuorate, "NOT_QUORATE", "未达法定人数"),
    (State::Held, "HELD", "已召开"),
    (State::Resolved, "RESOLVED", "已形成决议"),
    (State::Publicised, "PUBLICISED", "公示中"),
    (State::FollowUp, "FOLLOW_UP", "落实中"),
    (State::Completed, "COMPLETED", "已落实"),
    (State::Cancelled, "CANCELLED", "已取消"),
];

impl State {
    /// Every state, once.
    pub fn all() -> impl Iterator<Item = State> {
        STATES.iter().map(|row| row.0)
    }

    /// Its code, e.g. `DRAFT`.
    pub fn code(self) -> &'static str {
        STATES[self as usize].1
    }

    /// In Chinese, e.g. 拟议.
    pub fn chinese(self) -> &'static str {
        STATES[self as usize].2
    }

    /// The stored number.
    pub fn number(self) -> i16 {
        self as i16 + 1
    }

    /// The state of a stored number.
    pub fn of_number(number: i16) -> Option<Self> {
        Self::all().find(|state| state.number() == number)
    }
}

/// For whom somebody takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParticipantKind {
    /// A resident 居民.
    Resident,
    /// The property owners' committee 业委会.
    OwnersCommittee,
    /// The property company 物业.
    PropertyCompany,
    /// An enterprise 企业.
    Enterprise,
    /// A department or another unit 单位.
    Unit,
    /// A deputy 代表.
    Deputy,
    /// Somebody else.
    Other,
}

/// Somebody who is invited or came. Personal: never in errors, logs or the change feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// The name.
    pub name: String,
    /// For whom.
    pub kind: ParticipantKind,
    /// Household or unit; may be empty.
    pub household: String,
    /// Has no vote and does not count for the quorum 列席.
    pub non_voting: bool,
    /// Came without an invitation.
    pub walk_in: bool,
    /// Came.
    pub present: bool,
    /// The vote.
    pub vote: Option<Choice>,
}

/// What is to be talked over, by whom and how it is decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// What it is about.
    pub title: String,
    /// What led to it; may be empty.
    pub background: String,
    /// The events that it is about.
    pub events: Vec<Uuid>,
    /// What can be chosen; options are numbered from 1.
    pub options: Vec<String>,
    /// Who is invited, then who came besides; numbered from 1.
    pub participants: Vec<Participant>,
    /// How many have to come.
    pub quorum: Quorum,
    /// How it is decided.
    pub mode: Mode,
}

/// When and where people meet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meeting {
    /// When.
    #[serde(with = "rfc3339")]
    pub at: OffsetDateTime,
    /// Where.
    pub place: String,
    /// The words of the invitation.
    pub notice: String,
}

/// The time in which a resolution is publicised 公示期.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publicity {
    /// Its start.
    #[serde(with = "rfc3339")]
    pub start: OffsetDateTime,
    /// Its end.
    #[serde(with = "rfc3339")]
    pub end: OffsetDateTime,
}

/// An objection to what is publicised 异议.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Objection {
    /// What was said.
    pub text: String,
    /// Who said it; may be empty. Personal.
    pub raised_by: String,
    /// When it was recorded.
    #[serde(with = "rfc3339")]
    pub at: OffsetDateTime,
}

/// How an action item ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settlement {
    /// Done 已落实.
    Done {
        /// What shows it.
        evidence: Vec<Evidence>,
    },
    /// Given up 不再落实.
    GivenUp {
        /// Why.
        reason: String,
    },
}

/// What a unit has to do 落实事项; numbered from 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// What.
    pub text: String,
    /// Who.
    pub owner: Unit,
    /// By when.
    #[serde(with = "iso_date")]
    pub due: Date,
    /// How it ended, and when; `None` while open.
    pub settled: Option<(Settlement, Stamp)>,
}

/// A moment in JSON as RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp(#[serde(with = "rfc3339")] pub OffsetDateTime);

impl Item {
    /// Whether it is open after its date.
    pub fn is_overdue(&self, now: OffsetDateTime) -> bool {
        self.settled.is_none() && self.due < local_date(now)
    }
}

/// The local day of a moment.
pub fn local_date(at: OffsetDateTime) -> Date {
    at.to_offset(CHINA_STANDARD_TIME).date()
}

/// A deliberation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deliberation {
    /// The district.
    pub district: i32,
    /// The id.
    pub id: Uuid,
    /// Who convenes it.
    pub area: AreaCode,
    /// What it is about.
    pub content: Content,
    /// Where it stands as written; see `state_at`.
    pub state: State,
    /// When and where people meet.
    pub meeting: Option<Meeting>,
    /// The resolution; may be empty.
    pub resolution: String,
    /// What came of it.
    pub outcome: Option<Outcome>,
    /// The time of publicity.
    pub publicity: Option<Publicity>,
    /// Objections, oldest first.
    pub objections: Vec<Objection>,
    /// What has to be done.
    pub items: Vec<Item>,
    /// When it was drafted.
    #[serde(with = "rfc3339")]
    pub created: OffsetDateTime,
    /// The number of changes, from 1.
    pub version: i64,
}

impl Deliberation {
    /// Where it stands at a moment: a publicity that is over has led to the follow-up.
    pub fn state_at(&self, now: OffsetDateTime) -> State {
        match self.publicity {
            Some(publicity) if self.state == State::Publicised && publicity.end <= now => State::FollowUp,
            _ => self.state,
        }
    }

    /// Whether a plan was adopted.
    pub fn is_adopted(&self) -> bool {
        matches!(self.outcome, Some(Outcome::Adopted { .. }))
    }

    /// Whether somebody still has to do something: neither completed, cancelled, nor resolved without a plan.
    pub fn is_open(&self) -> bool {
        match self.state {
            State::Completed | State::Cancelled => false,
            State::Resolved => self.is_adopted(),
            _ => true,
        }
    }

    /// The item of a number from 1.
    pub fn item(&self, number: u32) -> Option<&Item> {
        self.items.get(place(number)?)
    }

    /// Whom it concerns: the area that convenes it, the owners of its items, and every area above these.
    pub fn concerns(&self) -> Vec<Unit> {
        let convener = Unit::Area(self.area);
        let own = std::iter::once(&convener).chain(self.items.iter().map(|item| &item.owner));
        let mut units: Vec<Unit> = own
            .flat_map(|unit| {
                let above = unit.area().into_iter().flat_map(|area| area.ancestors()).map(Unit::Area);
                std::iter::once(unit.clone()).chain(above)
            })
            .collect();
        units.sort();
        units.dedup();
        units
    }
}

/// The place in a list of a number from 1.
fn place(number: u32) -> Option<usize> {
    usize::try_from(number).ok()?.checked_sub(1)
}

/// How much of a deliberation one may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// All of it.
    Whole,
    /// Not who takes part: for the owner of an action item.
    WithoutPeople,
}

/// How much the owner of the grants, all of the deliberation's district, may read; `None` where nothing.
pub fn view(deliberation: &Deliberation, grants: &[Actor]) -> Option<View> {
    let readers = || grants.iter().filter(|grant| arcs::READERS.contains(&grant.role));
    if readers().any(|grant| grant.scope.covers_area(deliberation.area)) {
        return Some(View::Whole);
    }
    let owns = |grant: &Actor| deliberation.items.iter().any(|item| grant.scope.covers(&item.owner));
    readers().any(owns).then_some(View::WithoutPeople)
}

/// One change of a deliberation.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The version after it.
    pub version: i64,
    /// What was done.
    pub action: arcs::ActionKind,
    /// The state before; `None` for the draft.
    pub from: Option<State>,
    /// The state after.
    pub to: State,
    /// Who did it.
    pub subject: String,
    /// In which role.
    pub role: Role,
    /// For which unit.
    pub unit: Unit,
    /// When.
    pub at: OffsetDateTime,
    /// The words that came with it; may be empty.
    pub note: String,
    /// Participants or the item that it is about.
    pub numbers: Vec<i32>,
    /// All that was given, for who has to prove it.
    pub details: serde_json::Value,
}

#[cfg(test)]
mod tests;
