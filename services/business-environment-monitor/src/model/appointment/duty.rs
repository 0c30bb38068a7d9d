//! Duty (履职): which periods of a year somebody owes items for, and which of them are fulfilled.

use time::{Date, Duration, Month};

use super::Tenure;
use super::role::DutyPeriod;

/// Days in a row, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    /// The first.
    pub first: Date,
    /// The last.
    pub last: Date,
}

impl Days {
    /// Whether a day is one of them.
    #[must_use]
    pub fn contains(&self, day: Date) -> bool {
        (self.first..=self.last).contains(&day)
    }
}

/// What interrupts a term, or lets it go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Suspended, dismissed or resigned on that day.
    Stops(Date),
    /// Reinstated on that day.
    GoesOn(Date),
}

/// The days on which somebody was in office from morning to night: those of a turn are not. `turns` are in their order.
#[must_use]
pub fn in_office(tenure: Tenure, turns: &[Turn]) -> Vec<Days> {
    let (mut spans, mut since) = (Vec::new(), Some(tenure.first));
    for turn in turns {
        match turn {
            Turn::Stops(day) => {
                let last = (*day - Duration::DAY).min(tenure.last);
                spans.extend(since.take().filter(|first| *first <= last).map(|first| Days { first, last }));
            }
            Turn::GoesOn(day) => since = Some((*day + Duration::DAY).max(tenure.first)),
        }
    }
    let last = tenure.last;
    spans.extend(since.filter(|first| *first <= last).map(|first| Days { first, last }));
    spans
}

/// The periods of a year for which items are owed: over by `today`, and entirely in one of the spans. `None` beyond the years
/// that have dates.
#[must_use]
pub fn owed(period: DutyPeriod, year: i32, spans: &[Days], today: Date) -> Option<Vec<Days>> {
    let step = match period {
        DutyPeriod::Month => 1,
        DutyPeriod::Quarter => 3,
    };
    let mut periods = Vec::new();
    for first in (1..=12).step_by(step) {
        let end = Month::try_from(first + u8::try_from(step).ok()? - 1).ok()?;
        let first = Date::from_calendar_date(year, Month::try_from(first).ok()?, 1).ok()?;
        let last = Date::from_calendar_date(year, end, end.length(year)).ok()?;
        let whole = spans.iter().any(|span| span.contains(first) && span.contains(last));
        if last < today && whole {
            periods.push(Days { first, last });
        }
    }
    Some(periods)
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    const TENURE: Tenure = Tenure { first: date!(2026 - 01 - 15), last: date!(2026 - 11 - 30) };

    fn months(turns: &[Turn], today: Date) -> Vec<u8> {
        let owed = owed(DutyPeriod::Month, 2026, &in_office(TENURE, turns), today).unwrap();
        owed.iter().map(|days| u8::from(days.first.month())).collect()
    }

    #[test]
    fn whole_months_of_the_term_that_are_over_are_owed() {
        assert_eq!(months(&[], date!(2026 - 04 - 30)), [2, 3]);
        assert_eq!(months(&[], date!(2026 - 05 - 01)), [2, 3, 4]);
        assert_eq!(months(&[], date!(2027 - 01 - 01)), [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    }

    #[test]
    fn a_month_with_a_day_of_suspension_is_not_owed() {
        let turns = [Turn::Stops(date!(2026 - 03 - 31)), Turn::GoesOn(date!(2026 - 05 - 31))];
        assert_eq!(months(&turns, date!(2026 - 08 - 01)), [2, 6, 7]);
        let dismissed = [turns[0], turns[1], Turn::Stops(date!(2026 - 07 - 31))];
        assert_eq!(months(&dismissed, date!(2027 - 01 - 01)), [2, 6]);
    }

    #[test]
    fn who_resigns_before_the_first_day_owes_nothing() {
        assert!(in_office(TENURE, &[Turn::Stops(date!(2026 - 01 - 10))]).is_empty());
        assert!(months(&[Turn::Stops(TENURE.first)], date!(2027 - 01 - 01)).is_empty());
    }

    #[test]
    fn quarters_are_whole_or_not_owed() {
        let spans = in_office(TENURE, &[]);
        let owed = owed(DutyPeriod::Quarter, 2026, &spans, date!(2027 - 01 - 01)).unwrap();
        assert_eq!(
            owed,
            [
                Days { first: date!(2026 - 04 - 01), last: date!(2026 - 06 - 30) },
                Days { first: date!(2026 - 07 - 01), last: date!(2026 - 09 - 30) },
            ]
        );
    }
}
