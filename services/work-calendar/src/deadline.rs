//! Deadlines (时限): limits in three units of time, and how far a clock has run in each.
//!
//! Working time is exact to the nanosecond, as wall time is: a start at 11:59:40 leaves 20 seconds of that
//! shift. Only [`measure`] rounds, and says how; what must not lose a second uses [`measure_exact`] with
//! [`advance_by`].

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::calendar::{Calendar, NoCalendar};

/// What a limit is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeUnit {
    /// Emergency hours (紧急工作时): the clock on the wall.
    EmergencyHours,
    /// Working hours (工作时): inside the shifts of working days.
    WorkingHours,
    /// Working days (工作日): the day of the start does not count, and the last one ends with its last shift
    /// (Civil Code 民法典, articles 201 and 203). Between two moments, its time is that inside the shifts.
    WorkingDays,
}

/// How long something may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Limit {
    /// The unit.
    pub unit: TimeUnit,
    /// Minutes for the hour units, days for working days.
    pub amount: u32,
}

/// When a limit that starts at `start` ends; at once if it is of nothing.
///
/// A limit of working hours that ends with a shift ends there, not when the next one starts.
///
/// # Errors
/// The calendar has no data for a year of the counted days. Emergency hours need none.
pub fn due(cal: &Calendar, start: OffsetDateTime, limit: Limit) -> Result<OffsetDateTime, NoCalendar> {
    match limit.unit {
        TimeUnit::WorkingDays if limit.amount > 0 => cal.end_of_day(start, limit.amount),
        unit => advance(cal, unit, start, limit.amount.into()),
    }
}

/// The minutes of a unit's time from one moment to another: wall minutes, or minutes inside shifts for both
/// working units; negative if `to` is earlier. A started minute counts as a whole one, so 0 means that there
/// is no time of the unit between, and moving a deadline by it never takes time away.
///
/// # Errors
/// The calendar has no data for one of the years from that of `from` to that of `to`. Emergency hours need
/// none.
pub fn measure(
    cal: &Calendar,
    unit: TimeUnit,
    from: OffsetDateTime,
    to: OffsetDateTime,
) -> Result<i64, NoCalendar> {
    let exact = measure_exact(cal, unit, from, to)?;
    let rest = exact - Duration::minutes(exact.whole_minutes());
    Ok(exact.whole_minutes() + i64::from(rest.is_positive()) - i64::from(rest.is_negative()))
}

/// As [`measure`], not rounded.
///
/// # Errors
/// As [`measure`].
pub fn measure_exact(
    cal: &Calendar,
    unit: TimeUnit,
    from: OffsetDateTime,
    to: OffsetDateTime,
) -> Result<Duration, NoCalendar> {
    match unit {
        TimeUnit::EmergencyHours => Ok(to - from),
        TimeUnit::WorkingHours | TimeUnit::WorkingDays => cal.worked(from, to),
    }
}

/// The moment that lies so many minutes of a unit's time after `from`, or before it if they are negative:
/// wall minutes, or minutes inside shifts for both working units. Where several moments do, as at noon
/// between two shifts, the nearest to `from`.
///
/// # Errors
/// The calendar has no data for one of the years from that of `from` to that of the answer. Emergency hours
/// need none.
pub fn advance(
    cal: &Calendar,
    unit: TimeUnit,
    from: OffsetDateTime,
    minutes: i64,
) -> Result<OffsetDateTime, NoCalendar> {
    advance_by(cal, unit, from, Duration::seconds(minutes.saturating_mul(60)))
}

/// As [`advance`], by an exact time.
///
/// # Errors
/// As [`advance`].
pub fn advance_by(
    cal: &Calendar,
    unit: TimeUnit,
    from: OffsetDateTime,
    by: Duration,
) -> Result<OffsetDateTime, NoCalendar> {
    match unit {
        // The years 9999 and -9999 are as far as a moment goes.
        TimeUnit::EmergencyHours => Ok(from.saturating_add(by)),
        TimeUnit::WorkingHours | TimeUnit::WorkingDays => cal.moved(from, by),
    }
}

#[cfg(test)]
mod tests;
