//! What can be asked of a batch, and why it is refused.

use jingwei_work_calendar::NoCalendar;
use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::State;
use crate::model::appointment::apply;

/// What somebody wants to do with a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Opens the nominations.
    Open,
    /// Ends the nominations.
    StartVetting,
    /// Publicises who was vetted.
    Publicise {
        /// For so many working days, from 1.
        working_days: u32,
    },
    /// Records an objection: back to vetting.
    Object {
        /// What was said.
        text: String,
        /// Against which appointments, at least one.
        against: Vec<Uuid>,
    },
    /// Answers an objection.
    Answer {
        /// Its place in the list, from 1.
        number: usize,
        /// What came of it.
        text: String,
    },
    /// Approves who was publicised.
    Approve,
    /// Gives certificates.
    Certify {
        /// The first day of the terms.
        #[serde(with = "crate::model::appointment::iso_date")]
        first: Date,
        /// The number that the first certificate of the district's year gets; the others follow.
        sequence: u32,
    },
    /// Closes it.
    Close,
}

/// Why an action is not possible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The grant may not do it.
    NotAllowed,
    /// The state does not allow it.
    WrongState {
        /// The state.
        state: State,
    },
    /// Nobody is nominated, or nobody was vetted.
    NobodyLeft,
    /// These are neither vetted nor declined.
    Unvetted {
        /// Their ids.
        appointments: Vec<Uuid>,
    },
    /// A publicity of no days.
    NoPublicity,
    /// The publicity is not over.
    PublicityRunning {
        /// Its end.
        end: OffsetDateTime,
    },
    /// An objection names nobody, says nothing, or somebody who is not publicised.
    Objection,
    /// There is no such objection, it has an answer already, or the answer is blank.
    NoSuchObjection,
    /// Objections without an answer.
    ObjectionsOpen,
    /// The term is longer than the role's.
    TermTooLong {
        /// The role.
        role: String,
        /// Its longest term, in months.
        at_most: u32,
    },
    /// The role is not one of the district's.
    UnknownRole {
        /// Its code.
        role: String,
    },
    /// The work calendar has no data for a year of the publicity.
    NoCalendar {
        /// The year.
        year: i32,
    },
    /// One of the appointments cannot follow.
    Member {
        /// Which.
        appointment: Uuid,
        /// Why.
        refusal: apply::Refusal,
    },
}

impl From<NoCalendar> for Refusal {
    fn from(NoCalendar { year }: NoCalendar) -> Refusal {
        Refusal::NoCalendar { year }
    }
}
