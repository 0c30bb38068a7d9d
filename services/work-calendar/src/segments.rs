//! Segments: when a clock ran and when it stood still, and where a deadline lies after a pause.

use std::ops::Deref;

use serde::{Deserialize, Serialize};
use time::serde::rfc3339;
use time::{Duration, OffsetDateTime};

use crate::calendar::{Calendar, NoCalendar};
use crate::deadline::{TimeUnit, advance_by, measure_exact};

/// Whether a clock ran or stood still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Pace {
    /// It ran.
    Running,
    /// It stood still.
    Paused,
}

/// A stretch of time in which a clock ran or stood still.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Which of the two.
    pub pace: Pace,
    /// From when.
    #[serde(with = "rfc3339")]
    pub from: OffsetDateTime,
    /// Until when; `None` while it lasts.
    #[serde(with = "rfc3339::option")]
    pub to: Option<OffsetDateTime>,
}

/// When a clock ran and when it stood still: without a gap since its start, never empty, only the last one may
/// last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Segments(Vec<Segment>);

impl Segments {
    /// Those of a clock that starts now.
    #[must_use]
    pub fn start(now: OffsetDateTime) -> Self {
        Self(vec![Segment { pace: Pace::Running, from: now, to: None }])
    }

    /// Since when it stands still; `None` where it runs or has ended.
    #[must_use]
    pub fn paused_since(&self) -> Option<OffsetDateTime> {
        self.last().filter(|last| last.pace == Pace::Paused && last.to.is_none()).map(|last| last.from)
    }

    /// Whether the clock has ended.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.last().is_some_and(|last| last.to.is_some())
    }

    /// Stands still from now.
    pub fn pause(&mut self, now: OffsetDateTime) {
        self.turn(Pace::Paused, now);
    }

    /// Runs on from now.
    pub fn resume(&mut self, now: OffsetDateTime) {
        self.turn(Pace::Running, now);
    }

    /// Ends the clock, unless it has ended before.
    pub fn end(&mut self, now: OffsetDateTime) {
        if let Some(last) = self.0.last_mut().filter(|last| last.to.is_none()) {
            last.to = Some(now);
        }
    }

    /// A unit's time that passed at one pace, up to `now` where the last segment lasts.
    ///
    /// # Errors
    /// As [`measure_exact`].
    pub fn passed(
        &self,
        pace: Pace,
        calendar: &Calendar,
        unit: TimeUnit,
        now: OffsetDateTime,
    ) -> Result<Duration, NoCalendar> {
        self.iter()
            .filter(|segment| segment.pace == pace)
            .map(|segment| measure_exact(calendar, unit, segment.from, segment.to.unwrap_or(now)))
            .sum()
    }

    fn turn(&mut self, pace: Pace, now: OffsetDateTime) {
        self.end(now);
        self.0.push(Segment { pace, from: now, to: None });
    }
}

impl Deref for Segments {
    type Target = [Segment];

    fn deref(&self) -> &[Segment] {
        &self.0
    }
}

/// Where a deadline lies once a pause from `paused` to `now` is over: what was left of the unit's time then is left now.
/// A deadline that had passed before the pause stays.
///
/// # Errors
/// As [`measure_exact`] and [`advance_by`].
pub fn due_after_pause(
    calendar: &Calendar,
    unit: TimeUnit,
    due: OffsetDateTime,
    paused: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<OffsetDateTime, NoCalendar> {
    if due <= paused {
        return Ok(due);
    }
    advance_by(calendar, unit, now, measure_exact(calendar, unit, paused, due)?)
}

#[cfg(test)]
mod tests;
