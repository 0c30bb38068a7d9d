//! The work calendar (工作日历): when a district works, from shifts, holidays and make-up days.

use std::{collections::HashSet, ops::RangeInclusive};

use serde::{Deserialize, Serialize};
use time::{Date, Duration, OffsetDateTime, UtcOffset, macros::offset};

use table::Table;

mod csv;
mod table;

pub use csv::{CsvError, CsvProblem, covered_years, parse_days, parse_shifts};

/// China Standard Time (北京时间), which the whole country keeps all year: a local day is a day of it.
pub const CHINA_STANDARD_TIME: UtcOffset = offset!(+8);

/// The years that a calendar may speak about.
const YEARS: RangeInclusive<i32> = 1950..=2200;
const MINUTES_OF_A_DAY: u16 = 24 * 60;

time::serde::format_description!(iso_date, Date, "[year]-[month]-[day]");

/// A stretch of working time on a weekday (班次).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shift {
    /// 1 Monday to 7 Sunday.
    pub weekday: u8,
    /// First minute of the local day, 0 to 1439; 510 = 08:30.
    pub start_minute: u16,
    /// Minute of the local day at which it ends, itself not worked, 1 to 1440.
    pub end_minute: u16,
}

/// How a day differs from its weekday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayKind {
    /// A day off (休息日).
    Off,
    /// A make-up working day (调休上班): works the shifts of the first weekday that has any, as a rule Monday's.
    Work,
}

/// A day that differs from its weekday.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarDay {
    /// The local date; in JSON `YYYY-MM-DD`.
    #[serde(with = "iso_date")]
    pub date: Date,
    /// Off or working.
    pub kind: DayKind,
    /// Why, e.g. 春节; may be empty.
    pub display_name: String,
}

/// The calendar has no data for a year that an answer depends on: said, never guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the work calendar has no data for {year}")]
pub struct NoCalendar {
    /// The first such year, seen from where the computation starts.
    pub year: i32,
}

/// Why data do not make a calendar. An `index` counts from 0 in the list that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CalendarFault {
    /// There is no shift: nobody would ever work.
    #[error("a calendar has at least one shift")]
    NoShifts,
    /// A shift's weekday is not 1 to 7.
    #[error("shift {index}: a weekday is 1 (Monday) to 7 (Sunday)")]
    Weekday {
        /// Which shift.
        index: usize,
    },
    /// A shift does not end after its start, or ends after midnight.
    #[error("shift {index}: it must end after its start and by 24:00")]
    ShiftEnd {
        /// Which shift.
        index: usize,
    },
    /// Two shifts of a weekday share a minute.
    #[error("shift {index} overlaps shift {other}")]
    ShiftOverlap {
        /// Which shift.
        index: usize,
        /// The first one before it in the list that it overlaps.
        other: usize,
    },
    /// A date is given twice.
    #[error("day {index}: {date} is given twice")]
    DayTwice {
        /// The later one in the list.
        index: usize,
        /// Its date.
        date: Date,
    },
    /// A year is not 1950 to 2200.
    #[error("year {index}: {year} is not 1950 to 2200")]
    Year {
        /// Which of the years.
        index: usize,
        /// Its value.
        year: i32,
    },
}

/// When a district works. Made once from data, then asked often: each answer is a look-up in sums over the
/// days.
#[derive(Debug, Clone, PartialEq)]
pub struct Calendar {
    shifts: Vec<Shift>,
    days: Vec<CalendarDay>,
    years: Vec<i32>,
    table: Table,
}

impl Calendar {
    /// A calendar of weekly `shifts` (several a day, in any order), the `days` that differ from their
    /// weekday, and the `years` that `days` is complete for. A day outside of these years is kept and has no
    /// effect.
    ///
    /// # Errors
    /// All that is wrong with the data, at once.
    pub fn new(
        shifts: Vec<Shift>,
        days: Vec<CalendarDay>,
        mut years: Vec<i32>,
    ) -> Result<Self, Vec<CalendarFault>> {
        let faults = faults(&shifts, &days, &years);
        if !faults.is_empty() {
            return Err(faults);
        }
        years.sort_unstable();
        years.dedup();
        let table = Table::new(&shifts, &days, &years);
        Ok(Self { shifts, days, years, table })
    }

    /// The shifts, as given.
    #[must_use]
    pub fn shifts(&self) -> &[Shift] {
        &self.shifts
    }

    /// The days that differ from their weekday, as given.
    #[must_use]
    pub fn days(&self) -> &[CalendarDay] {
        &self.days
    }

    /// The years that it has data for, in order.
    #[must_use]
    pub fn years(&self) -> &[i32] {
        &self.years
    }

    /// How many days of a year are worked.
    ///
    /// # Errors
    /// It has no data for the year.
    pub fn working_days(&self, year: i32) -> Result<u32, NoCalendar> {
        self.require(year, year)?;
        Ok(self.table.working_days(year))
    }

    /// Checks that all years from one to another have data, in this order.
    pub(crate) fn require(&self, from: i32, to: i32) -> Result<(), NoCalendar> {
        let missing = |year: &i32| self.years.binary_search(year).is_err();
        let gap = if from <= to { (from..=to).find(missing) } else { (to..=from).rev().find(missing) };
        gap.map_or(Ok(()), |year| Err(NoCalendar { year }))
    }

    /// The working time from one moment to another, negative if the other is earlier.
    pub(crate) fn worked(&self, from: OffsetDateTime, to: OffsetDateTime) -> Result<Duration, NoCalendar> {
        let (from, to) = (local(from)?, local(to)?);
        self.require(from.year(), to.year())?;
        Ok(self.table.worked_until(to) - self.table.worked_until(from))
    }

    /// The moment nearest to `from` between which and `from` lies the working time `by`: before it if that is
    /// negative.
    pub(crate) fn moved(&self, from: OffsetDateTime, by: Duration) -> Result<OffsetDateTime, NoCalendar> {
        let start = local(from)?;
        self.require(start.year(), start.year())?;
        if by.is_zero() {
            return Ok(from);
        }
        let target = self.table.worked_until(start).saturating_add(by);
        let end = if by.is_positive() { self.table.reaching(target) } else { self.table.leaving(target) };
        self.require(start.year(), end.date.year())?;
        Ok(end.moment())
    }

    /// The end of the last shift of the `count`-th working day (from 1) after the day of `start`.
    pub(crate) fn end_of_day(&self, start: OffsetDateTime, count: u32) -> Result<OffsetDateTime, NoCalendar> {
        let start = local(start)?.date();
        let next = start.next_day().ok_or(NoCalendar { year: start.year() })?;
        self.require(next.year(), next.year())?;
        let end = self.table.end_of_day(next, count);
        self.require(next.year(), end.date.year())?;
        Ok(end.moment())
    }
}

/// A moment as the local clock shows it.
fn local(at: OffsetDateTime) -> Result<OffsetDateTime, NoCalendar> {
    at.checked_to_offset(CHINA_STANDARD_TIME).ok_or(NoCalendar { year: at.year() })
}

/// All that is wrong with the data of a calendar.
fn faults(shifts: &[Shift], days: &[CalendarDay], years: &[i32]) -> Vec<CalendarFault> {
    let mut faults = Vec::new();
    if shifts.is_empty() {
        faults.push(CalendarFault::NoShifts);
    }
    for (index, shift) in shifts.iter().enumerate() {
        if !(1..=7).contains(&shift.weekday) {
            faults.push(CalendarFault::Weekday { index });
        }
        if shift.end_minute <= shift.start_minute || shift.end_minute > MINUTES_OF_A_DAY {
            faults.push(CalendarFault::ShiftEnd { index });
        }
        let overlaps = |other: &Shift| {
            other.weekday == shift.weekday
                && other.start_minute < shift.end_minute
                && shift.start_minute < other.end_minute
        };
        if let Some(other) = shifts[..index].iter().position(overlaps) {
            faults.push(CalendarFault::ShiftOverlap { index, other });
        }
    }
    let mut seen = HashSet::new();
    for (index, day) in days.iter().enumerate() {
        if !seen.insert(day.date) {
            faults.push(CalendarFault::DayTwice { index, date: day.date });
        }
    }
    let outside = years.iter().enumerate().filter(|(_, year)| !YEARS.contains(year));
    faults.extend(outside.map(|(index, &year)| CalendarFault::Year { index, year }));
    faults
}

#[cfg(test)]
mod tests;
