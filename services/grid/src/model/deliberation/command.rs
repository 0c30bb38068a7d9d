//! What can be asked of a deliberation, and why it is refused.

use jingwei_work_calendar::NoCalendar;
use serde::Serialize;
use time::{Date, OffsetDateTime};

use super::arcs::ActionKind;
use super::tally::Choice;
use super::{Content, Meeting, Participant, State, iso_date};
use crate::model::event::Evidence;
use crate::model::unit::Unit;

/// What somebody wants to do.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the arcs say what each does, the fields are those of a deliberation")]
pub enum Command {
    Update(Content),
    Convene(Meeting),
    Hold {
        present: Vec<u32>,
        walk_ins: Vec<Participant>,
    },
    Vote(Vec<(u32, Choice)>),
    Resolve {
        resolution: String,
    },
    AddItem {
        text: String,
        owner: Unit,
        #[serde(with = "iso_date")]
        due: Date,
    },
    Publicise {
        working_days: u32,
    },
    Object {
        text: String,
        raised_by: String,
    },
    EndPublicity {
        note: String,
    },
    CompleteItem {
        number: u32,
        evidence: Vec<Evidence>,
    },
    GiveUpItem {
        number: u32,
        reason: String,
    },
    Complete {
        note: String,
    },
    Cancel {
        reason: String,
    },
}

impl Command {
    /// The action that it is.
    pub fn kind(&self) -> ActionKind {
        match self {
            Command::Update(_) => ActionKind::Update,
            Command::Convene(_) => ActionKind::Convene,
            Command::Hold { .. } => ActionKind::Hold,
            Command::Vote(_) => ActionKind::Vote,
            Command::Resolve { .. } => ActionKind::Resolve,
            Command::AddItem { .. } => ActionKind::AddItem,
            Command::Publicise { .. } => ActionKind::Publicise,
            Command::Object { .. } => ActionKind::Object,
            Command::EndPublicity { .. } => ActionKind::EndPublicity,
            Command::CompleteItem { .. } => ActionKind::CompleteItem,
            Command::GiveUpItem { .. } => ActionKind::GiveUpItem,
            Command::Complete { .. } => ActionKind::Complete,
            Command::Cancel { .. } => ActionKind::Cancel,
        }
    }

    /// The number of the item that it is about.
    pub(super) fn item(&self) -> Option<u32> {
        match self {
            Command::CompleteItem { number, .. } | Command::GiveUpItem { number, .. } => Some(*number),
            _ => None,
        }
    }

    /// The words that came with it.
    pub(super) fn note(&self) -> String {
        match self {
            Command::Convene(meeting) => meeting.notice.clone(),
            Command::Resolve { resolution } => resolution.clone(),
            Command::AddItem { text, .. } | Command::Object { text, .. } => text.clone(),
            Command::EndPublicity { note } | Command::Complete { note } => note.clone(),
            Command::CompleteItem { evidence, .. } => evidence
                .iter()
                .map(|e| e.text.as_str())
                .filter(|t| !t.is_empty())
                .collect::<Vec<_>>()
                .join("\n"),
            Command::GiveUpItem { reason, .. } | Command::Cancel { reason } => reason.clone(),
            Command::Update(_) | Command::Hold { .. } | Command::Vote(_) | Command::Publicise { .. } => {
                String::new()
            }
        }
    }
}

/// Why an action is not possible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// None of the caller's grants may do it.
    NotAllowed {
        /// What was asked for.
        action: ActionKind,
    },
    /// The state does not allow it.
    WrongState {
        /// The state.
        state: State,
        /// What was asked for.
        action: ActionKind,
    },
    /// The meeting has not begun.
    MeetingNotYet {
        /// When it begins.
        at: OffsetDateTime,
    },
    /// Meetings, and dates of action items, lie in the future.
    NotInFuture {
        /// The field of the request.
        field: &'static str,
    },
    /// There is no participant, item or option of this number.
    NoSuchNumber {
        /// The field of the request.
        field: String,
    },
    /// The participant has voted.
    AlreadyVoted {
        /// The participant's number.
        participant: u32,
    },
    /// The participant did not come or has no vote.
    CannotVote {
        /// The participant's number.
        participant: u32,
    },
    /// Votes are missing.
    VotesMissing {
        /// How many.
        count: u32,
    },
    /// No plan was adopted.
    NotAdopted,
    /// The work calendar has no data for a year of the publicity.
    NoCalendar {
        /// The year.
        year: i32,
    },
    /// The publicity is not over.
    PublicityRunning {
        /// Its end.
        end: OffsetDateTime,
    },
    /// Objections are to be answered in the note.
    ObjectionsUnanswered,
    /// The item is done or given up.
    ItemSettled {
        /// Its number.
        number: u32,
    },
    /// Action items are open.
    ItemsOpen {
        /// Their numbers.
        numbers: Vec<u32>,
    },
}

impl From<NoCalendar> for Refusal {
    fn from(NoCalendar { year }: NoCalendar) -> Self {
        Self::NoCalendar { year }
    }
}
