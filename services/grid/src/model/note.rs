//! Casual notes (随手记): what a worker writes down on the way, which becomes an event at most once.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::area::AreaCode;
use super::event::Evidence;
use super::position::Point;

/// For how long after it came in its author can change a note's text.
pub const CHANGEABLE_FOR: Duration = Duration::hours(24);

/// How far a device's clock may be ahead of ours: then it is taken as now.
pub const FAST_CLOCK: Duration = Duration::minutes(5);

/// A note.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// The district.
    pub district: i32,
    /// The id.
    pub id: Uuid,
    /// The deepest area known.
    pub area: AreaCode,
    /// Where exactly, in WGS-84.
    pub point: Option<Point>,
    /// What was seen.
    pub text: String,
    /// What shows it.
    pub evidence: Vec<Evidence>,
    /// The subject of who took it.
    pub author: String,
    /// The patrol on which it was taken.
    pub patrol: Option<Uuid>,
    /// When it was taken, by the author's clock.
    pub taken: OffsetDateTime,
    /// When it came in.
    pub created: OffsetDateTime,
    /// The id of the event that it may become: fixed, so that it becomes one event however often it is reported.
    pub report_id: Uuid,
    /// Whether it became that event.
    pub reported: bool,
    /// The number of changes, from 1.
    pub version: i64,
}

/// Why a note cannot be changed or reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It became an event.
    Reported {
        /// The district of both.
        district: i32,
        /// The event's id.
        event: Uuid,
    },
    /// The time to change it was over.
    Fixed {
        /// Since when.
        since: OffsetDateTime,
    },
    /// Somebody else took it.
    NotAuthor,
}

impl Note {
    /// Its text after a change by `subject` at `now`.
    ///
    /// # Errors
    /// `NotAuthor`, `Reported`, `Fixed` after [`CHANGEABLE_FOR`].
    pub fn rewritten(&self, text: String, subject: &str, now: OffsetDateTime) -> Result<Self, Refusal> {
        if self.author != subject {
            return Err(Refusal::NotAuthor);
        }
        if self.reported {
            return Err(Refusal::Reported { district: self.district, event: self.report_id });
        }
        let since = self.created + CHANGEABLE_FOR;
        if now > since {
            return Err(Refusal::Fixed { since });
        }
        Ok(Self { text, version: self.version + 1, ..self.clone() })
    }
}

/// When something was done, as a device says; `None` where that is in the future.
pub fn device_time(said: Option<OffsetDateTime>, now: OffsetDateTime) -> Option<OffsetDateTime> {
    let said = said.unwrap_or(now);
    (said <= now + FAST_CLOCK).then(|| said.min(now))
}

/// The deepest area known: the one that holds the point, unless that contradicts the one given.
pub fn deepest(given: Option<AreaCode>, located: Option<AreaCode>) -> Option<AreaCode> {
    match (given, located) {
        (Some(given), Some(located)) if !given.contains(&located) => Some(given),
        (given, located) => located.or(given),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-03-02 09:00 +8);

    fn note() -> Note {
        Note {
            district: 410_182,
            id: Uuid::nil(),
            area: "410182002".parse().unwrap(),
            point: None,
            text: "路灯不亮".into(),
            evidence: Vec::new(),
            author: "zhang".into(),
            patrol: None,
            taken: NOW,
            created: NOW,
            report_id: Uuid::max(),
            reported: false,
            version: 1,
        }
    }

    #[test]
    fn its_author_changes_it_for_a_day_while_it_is_a_note() {
        let change = |note: &Note, subject, now| note.rewritten("灯亮了".into(), subject, now);
        let changed = change(&note(), "zhang", NOW + CHANGEABLE_FOR).unwrap();
        assert_eq!((changed.text.as_str(), changed.version), ("灯亮了", 2));
        assert_eq!(change(&note(), "li", NOW), Err(Refusal::NotAuthor));
        let late = NOW + CHANGEABLE_FOR + Duration::SECOND;
        assert_eq!(change(&note(), "zhang", late), Err(Refusal::Fixed { since: NOW + CHANGEABLE_FOR }));
        let reported = Note { reported: true, ..note() };
        let refusal = Refusal::Reported { district: 410_182, event: Uuid::max() };
        assert_eq!(change(&reported, "zhang", NOW), Err(refusal));
    }

    #[test]
    fn a_fast_clock_is_not_the_future() {
        assert_eq!(device_time(None, NOW), Some(NOW));
        assert_eq!(device_time(Some(NOW - Duration::DAY), NOW), Some(NOW - Duration::DAY));
        assert_eq!(device_time(Some(NOW + FAST_CLOCK), NOW), Some(NOW));
        assert_eq!(device_time(Some(NOW + FAST_CLOCK + Duration::SECOND), NOW), None);
    }

    #[test]
    fn a_point_says_more_than_an_area_that_holds_it() {
        let area = |text: &str| Some(text.parse::<AreaCode>().unwrap());
        let (street, grid) = (area("410182002"), area("410182002011001"));
        assert_eq!(deepest(street, grid), grid);
        assert_eq!(deepest(None, grid), grid);
        assert_eq!(deepest(street, None), street);
        assert_eq!(deepest(grid, area("410182003")), grid);
        assert_eq!(deepest(None, None), None);
    }
}
