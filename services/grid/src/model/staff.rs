//! Staff members and their postings (派驻).

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::area::AreaCode;

/// A person who works in the grid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaffMember {
    /// The district.
    pub district: i32,
    /// The id.
    pub id: Uuid,
    /// The name.
    pub display_name: String,
    /// The telephone of the duty, not a private one.
    pub duty_phone: String,
    /// Whom the person signs in as; `None` for one who never does.
    pub subject: Option<String>,
    /// The unit that sent the person; may be empty.
    pub home_unit: String,
    /// The number of changes, from 1.
    pub version: i64,
}

/// What a person is posted as. Stored as its place in this order, from 1; contact cards list people in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostingRole {
    /// Grid chief 网格长; an area has one.
    GridChief,
    /// Grid member 网格员.
    GridMember,
    /// Community police officer 社区民警.
    PoliceOfficer,
    /// Community doctor 社区医生.
    Doctor,
    /// Posted cadre 下沉年轻干部.
    PostedCadre,
}

impl PostingRole {
    /// Every role in its order.
    pub const ALL: [PostingRole; 5] =
        [Self::GridChief, Self::GridMember, Self::PoliceOfficer, Self::Doctor, Self::PostedCadre];

    /// The stored number.
    pub fn number(self) -> i16 {
        self as i16 + 1
    }

    /// The role of a stored number.
    pub fn of_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.number() == number)
    }
}

/// A person's duty in an area for a term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    /// The district.
    pub district: i32,
    /// The id.
    pub id: Uuid,
    /// Who.
    pub staff_id: Uuid,
    /// The person's name, as it is now.
    pub staff_name: String,
    /// Where.
    pub area: AreaCode,
    /// As what.
    pub role: PostingRole,
    /// From when.
    pub start_time: OffsetDateTime,
    /// Until when as planned; `None` = open.
    pub planned_end_time: Option<OffsetDateTime>,
    /// When it was ended; `None` while active.
    pub end_time: Option<OffsetDateTime>,
    /// Why.
    pub end_reason: String,
    /// The hand-over of its open work, where there was one.
    pub hand_over: Option<Uuid>,
    /// The number of changes, from 1.
    pub version: i64,
}
