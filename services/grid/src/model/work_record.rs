//! Work record (历练纪实): what somebody who is posted to an area did on a day, and how it was judged.

use serde::{Deserialize, Serialize};
use time::serde::rfc3339;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::actor::{Actor, Role};
use super::area::AreaCode;
use super::deliberation::local_date;
use super::event::Evidence;
use super::staff::Posting;

/// A kind of work. Stored as its place in this order, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// A visit 走访.
    Visit,
    /// Making policies known 宣传.
    Outreach,
    /// Help with an event 事件协办.
    EventHelp,
    /// A patrol 巡查.
    Patrol,
    /// A deliberation 议事协商.
    Deliberation,
    /// Something else.
    Other,
}

impl Category {
    /// Every category in its order.
    pub const ALL: [Category; 6] =
        [Self::Visit, Self::Outreach, Self::EventHelp, Self::Patrol, Self::Deliberation, Self::Other];

    /// The stored number.
    pub fn number(self) -> i16 {
        self as i16 + 1
    }

    /// The category of a stored number.
    pub fn of_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.number() == number)
    }
}

/// A grade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// Excellent 优秀.
    Excellent,
    /// Good 良好.
    Good,
    /// Adequate 合格.
    Adequate,
    /// Inadequate 不合格.
    Inadequate,
}

/// How a record was judged 点评.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// The grade.
    pub grade: Grade,
    /// In words; may be empty.
    pub comment: String,
    /// The subject who judged.
    pub reviewer: String,
    /// When.
    #[serde(with = "rfc3339")]
    pub at: OffsetDateTime,
}

/// What somebody did on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkRecord {
    /// The district.
    pub district: i32,
    /// The id.
    pub id: Uuid,
    /// In which posting.
    pub posting: Uuid,
    /// Who.
    pub staff: Uuid,
    /// Whom that person signs in as; `None` for one who never does.
    pub subject: Option<String>,
    /// The posting's area.
    pub area: AreaCode,
    /// On which local day.
    pub day: Date,
    /// What kind of work.
    pub category: Category,
    /// What was done.
    pub text: String,
    /// Resource names of events, notes and deliberations.
    pub links: Vec<String>,
    /// Photos and files.
    pub evidence: Vec<Evidence>,
    /// How it was judged; nothing changes after that.
    pub review: Option<Review>,
    /// When it was written.
    pub created: OffsetDateTime,
    /// The number of changes, from 1.
    pub version: i64,
}

/// Why something is not possible with a work record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The day lies outside the posting's term or in the future.
    OutsideTerm,
    /// It was reviewed.
    Reviewed,
}

/// The roles that see the records of their areas.
pub const OVERSEERS: &[Role] =
    &[Role::GridChief, Role::Community, Role::Street, Role::Dispatcher, Role::Supervisor];
/// The roles that judge the records of their areas.
pub const REVIEWERS: &[Role] = &[Role::GridChief, Role::Community, Role::Street];

/// Whether one of the grants has one of the roles and covers the area.
pub fn covers(grants: &[Actor], roles: &[Role], area: AreaCode) -> bool {
    grants.iter().any(|grant| roles.contains(&grant.role) && grant.scope.covers_area(area))
}

impl WorkRecord {
    /// Whether it is this subject's own.
    pub fn is_of(&self, subject: &str) -> bool {
        self.subject.as_deref() == Some(subject)
    }
}

/// Whether a day lies in the term of a posting, from its first day to its last, and not in the future.
pub fn in_term(posting: &Posting, day: Date, now: OffsetDateTime) -> bool {
    let last = posting.end_time.map_or(now, |end| end.min(now));
    (local_date(posting.start_time)..=local_date(last)).contains(&day)
}

#[cfg(test)]
mod tests {
    use time::macros::{date, datetime};

    use super::*;
    use crate::model::staff::PostingRole;

    #[test]
    fn a_day_is_in_the_term_by_the_local_calendar() {
        let posting = |end_time| Posting {
            district: 410_182,
            id: Uuid::nil(),
            staff_id: Uuid::nil(),
            staff_name: String::new(),
            area: "410182002".parse().expect("a code"),
            role: PostingRole::PostedCadre,
            // 2 March in China.
            start_time: datetime!(2026-03-01 23:00 UTC),
            planned_end_time: None,
            end_time,
            end_reason: String::new(),
            hand_over: None,
            version: 1,
        };
        let now = datetime!(2026-03-05 09:00 +08:00);
        let days = |end| {
            let all = [
                date!(2026 - 03 - 01),
                date!(2026 - 03 - 02),
                date!(2026 - 03 - 04),
                date!(2026 - 03 - 05),
                date!(2026 - 03 - 06),
            ];
            all.map(|day| in_term(&posting(end), day, now))
        };
        assert_eq!(days(None), [false, true, true, true, false]);
        assert_eq!(days(Some(datetime!(2026-03-04 18:00 +08:00))), [false, true, true, false, false]);
        assert_eq!(days(Some(datetime!(2026-04-01 18:00 +08:00))), [false, true, true, true, false]);
    }

    #[test]
    fn categories_are_numbered_in_order() {
        for (place, category) in Category::ALL.into_iter().enumerate() {
            assert_eq!((category as usize, Category::of_number(category.number())), (place, Some(category)));
        }
    }
}
