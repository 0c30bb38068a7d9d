//! Refusal: why an action is not possible, with what a text about it needs. The texts are the API's.
use jingwei_work_calendar::{Limit, NoCalendar};
use time::OffsetDateTime;
use uuid::Uuid;

use super::action::{ActionKind, RequestKind};
use super::arcs::Field;
use super::event::State;
use super::unit::Unit;

/// Why an action is not possible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// None of the caller's grants may do it: the role or its reach is wrong.
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
        /// What this caller could do in this state.
        allowed: Vec<ActionKind>,
    },
    /// Something that the table asks for is missing: all of it at once.
    Missing {
        /// What is missing.
        fields: Vec<Field>,
    },
    /// As many extensions as can be were approved already.
    TooManyExtensions {
        /// How many that is.
        limit: u32,
    },
    /// An extension must be asked for before the deadline.
    DeadlinePassed {
        /// The deadline.
        due: OffsetDateTime,
    },
    /// An extension is counted in the unit of the limit, at most as much again.
    ExtensionTooLong {
        /// The most that can be asked for.
        at_most: Limit,
    },
    /// The resume date of a suspension is not in the future.
    ResumeNotInFuture {
        /// The date.
        resume_at: OffsetDateTime,
    },
    /// Another request is undecided.
    RequestPending {
        /// For what.
        kind: RequestKind,
    },
    /// There is no such request to decide.
    NoRequestPending {
        /// For what; `None` = for anything.
        kind: Option<RequestKind>,
    },
    /// The third return needs the district's final ruling 终审.
    ReturnNeedsRuling {
        /// How many were approved.
        returns: u32,
    },
    /// A ruling is for the third return only.
    RulingTooEarly {
        /// How many were approved.
        returns: u32,
    },
    /// A final ruling binds the handler: no return, no passing on up or across.
    RuledFinal,
    /// There is no level above the district.
    NoLevelAbove,
    /// The unit cannot take the event from this desk or holder.
    TargetNotAllowed {
        /// The unit.
        target: Unit,
    },
    /// Co-handlers have not finished.
    CoHandlersOpen {
        /// Which.
        units: Vec<Unit>,
    },
    /// Who resolved an event does not verify it.
    SamePersonVerifies,
    /// The time in which a closed event can be reopened is over.
    ReopenWindowOver {
        /// When it was over.
        until: OffsetDateTime,
    },
    /// Events were merged into it.
    HasMergedEvents,
    /// An event cannot be merged into this one: itself, of another district, or not open.
    MergeTarget {
        /// The event.
        root: Uuid,
    },
    /// The reporter has answered already since it was closed.
    AlreadyAnswered,
    /// The event that a merged one goes with is still open: nothing to answer to yet.
    RootOpen {
        /// Its state.
        state: State,
    },
    /// The time in which the reporter can answer is over.
    AnswerWindowOver {
        /// When it was over.
        until: OffsetDateTime,
    },
    /// No review is asked for.
    NoReviewOpen,
    /// The reporter left no telephone number.
    NoContact,
    /// The system has nothing to do yet.
    NotDue,
    /// The work calendar has no data for a year that a deadline needs.
    NoCalendar {
        /// The year.
        year: i32,
    },
}

impl From<NoCalendar> for Refusal {
    fn from(NoCalendar { year }: NoCalendar) -> Refusal {
        Refusal::NoCalendar { year }
    }
}
