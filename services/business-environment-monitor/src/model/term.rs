//! Terms: how long something may take or lasts, in working days or by the months of the calendar.

use jingwei_work_calendar::{CHINA_STANDARD_TIME, Calendar, Limit, NoCalendar, TimeUnit, due};
use serde::{Deserialize, Serialize};
use time::{Date, Duration, Month, OffsetDateTime};

/// How long something may take. In both the day of the start does not count, and the last day ends with its last shift
/// (Civil Code 民法典, articles 201 to 203).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Term {
    /// So many working days 工作日.
    WorkingDays(u32),
    /// Up to the corresponding day so many months later, the month's last where it has none; to the next working day
    /// where that is a day off.
    Months(u32),
}

impl Term {
    /// When a term that starts at `start` ends.
    ///
    /// # Errors
    /// The calendar has no data for a year of it.
    pub fn end(self, calendar: &Calendar, start: OffsetDateTime) -> Result<OffsetDateTime, NoCalendar> {
        let working_days =
            |start, amount| due(calendar, start, Limit { unit: TimeUnit::WorkingDays, amount });
        match self {
            Term::WorkingDays(amount) => working_days(start, amount),
            Term::Months(months) => {
                let date = start.to_offset(CHINA_STANDARD_TIME).date();
                let (year, month) = months_after(date, months);
                let day = date.day().min(month.length(year));
                let last = Date::from_calendar_date(year, month, day).map_err(|_| NoCalendar { year })?;
                // Its first working day counted from the day before: itself, where it is one.
                let before = last - Duration::DAY;
                working_days(before.midnight().assume_offset(CHINA_STANDARD_TIME), 1)
            }
        }
    }
}

/// The last day of something that lasts so many months and whose first day counts: the day before the corresponding
/// one, so that what follows on that joins without a gap; the month's last where there is none. `None` beyond the
/// year 9999.
#[must_use]
pub fn last_day(first: Date, months: u32) -> Option<Date> {
    let (year, month) = months_after(first, months);
    if first.day() > month.length(year) {
        return Date::from_calendar_date(year, month, month.length(year)).ok();
    }
    Date::from_calendar_date(year, month, first.day()).ok()?.previous_day()
}

fn months_after(date: Date, months: u32) -> (i32, Month) {
    let passed = u32::from(u8::from(date.month())) - 1 + months;
    let month = u8::try_from(passed % 12 + 1).expect("1 to 12");
    let years = i32::try_from(passed / 12).unwrap_or(i32::MAX);
    (date.year().saturating_add(years), Month::try_from(month).expect("1 to 12"))
}

#[cfg(test)]
mod tests {
    use time::macros::{date, datetime};

    use super::*;
    use crate::model::issue::tests::CALENDAR;

    #[test]
    fn two_years_from_15_march_2024_end_on_14_march_2026() {
        assert_eq!(last_day(date!(2024 - 03 - 15), 24), Some(date!(2026 - 03 - 14)));
        assert_eq!(last_day(date!(2024 - 01 - 01), 12), Some(date!(2024 - 12 - 31)));
        assert_eq!(last_day(date!(2024 - 02 - 29), 24), Some(date!(2026 - 02 - 28)));
        assert_eq!(last_day(date!(2024 - 02 - 29), 48), Some(date!(2028 - 02 - 28)));
        assert_eq!(last_day(date!(2024 - 03 - 01), 12), Some(date!(2025 - 02 - 28)));
        assert_eq!(last_day(date!(2023 - 08 - 31), 6), Some(date!(2024 - 02 - 29)));
        assert_eq!(last_day(date!(9999 - 01 - 01), 24), None);
    }

    #[test]
    fn a_term_that_follows_on_joins_without_a_gap() {
        let mut first = date!(2023 - 12 - 25);
        for _ in 0..400 {
            for months in [1, 6, 12, 24] {
                let last = last_day(first, months).unwrap();
                let next = last.next_day().unwrap();
                assert!(
                    next.day() == first.day() || (next.day() == 1 && first.day() > last.day()),
                    "{first}"
                );
            }
            first = first.next_day().unwrap();
        }
    }

    #[test]
    fn a_month_ends_on_the_corresponding_day_or_the_next_that_is_worked() {
        let end = |start| Term::Months(1).end(&CALENDAR, start);
        assert_eq!(end(datetime!(2026-03-02 9:00 +8)), Ok(datetime!(2026-04-02 17:30 +8)));
        // 4 to 6 April 2026 are off: Tomb Sweeping Day 清明节.
        assert_eq!(end(datetime!(2026-03-04 9:00 +8)), Ok(datetime!(2026-04-07 17:30 +8)));
        // February has no 31st; the 28th, a Saturday, is made up for the Spring Festival.
        assert_eq!(end(datetime!(2026-01-31 9:00 +8)), Ok(datetime!(2026-02-28 17:30 +8)));
        // The local day: still the 31st in UTC, the 1st in China.
        assert_eq!(end(datetime!(2026-03-31 16:30 UTC)), Ok(datetime!(2026-05-06 17:30 +8)));
        assert_eq!(end(datetime!(2026-12-15 9:00 +8)), Err(NoCalendar { year: 2027 }));
        assert_eq!(
            Term::WorkingDays(3).end(&CALENDAR, datetime!(2026-02-13 9:00 +8)),
            Ok(datetime!(2026-02-25 17:30 +8))
        );
    }
}
