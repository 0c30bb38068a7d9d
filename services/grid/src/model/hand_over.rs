//! Hand-over (工作交接): what was open when a posting ended, and who takes it over.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::actor::Role;
use super::area::AreaCode;

/// How many of a kind are named.
pub const NAMED: i64 = 100;

/// Open work of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenWork {
    /// How much there was.
    pub count: i64,
    /// The first of it, `NAMED` at most.
    pub ids: Vec<Uuid>,
}

/// Open work of every kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// Events that the area holds.
    pub events: OpenWork,
    /// Deliberations that the area convened.
    pub deliberations: OpenWork,
    /// Work records of the posting that were not reviewed.
    pub work_records: OpenWork,
    /// Patrols of the person, planned or under way.
    pub patrols: OpenWork,
}

impl Open {
    /// Whether nothing is open.
    pub fn is_empty(&self) -> bool {
        [&self.events, &self.deliberations, &self.work_records, &self.patrols]
            .iter()
            .all(|work| work.count == 0)
    }
}

/// A hand-over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandOver {
    /// The district.
    pub district: i32,
    /// The id.
    pub id: Uuid,
    /// The posting that ended.
    pub posting: Uuid,
    /// Its area.
    pub area: AreaCode,
    /// Who handed over.
    pub predecessor: Uuid,
    /// Who takes over.
    pub successor: Uuid,
    /// What was open.
    pub open: Open,
    /// When.
    pub created: OffsetDateTime,
    /// When the successor confirmed.
    pub confirmed: Option<OffsetDateTime>,
    /// What the successor said; may be empty.
    pub note: String,
    /// The number of changes, from 1.
    pub version: i64,
}

/// Why something is not possible with a hand-over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody is there to take open work over.
    SuccessorNeeded {
        /// The area of the posting.
        area: AreaCode,
        /// Whether the request named somebody.
        named: bool,
    },
    /// It was confirmed.
    Confirmed,
}

/// The roles that see the hand-overs of their areas.
pub const OVERSEERS: &[Role] = &[
    Role::GridChief,
    Role::Community,
    Role::Street,
    Role::Dispatcher,
    Role::Supervisor,
    Role::Administrator,
];
