//! Clock: the deadline of one step of an issue, and the level of supervision that it drives.

use jingwei_work_calendar::{Calendar, NoCalendar, TimeUnit, advance_by, due_after_pause, measure};
use serde::{Deserialize, Serialize};
use time::serde::rfc3339;
use time::{Duration, OffsetDateTime};

use crate::model::term::Term;

/// What moves a deadline, and what an alarm is counted in, whatever the term: the working time inside the shifts.
const UNIT: TimeUnit = TimeUnit::WorkingDays;

/// A step that may take only so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Step {
    /// From submission to registration 登记.
    Register,
    /// From submission to the decision whether it is accepted 受理.
    Decide,
    /// From acceptance to the class 分类.
    Classify,
    /// From acceptance, or a reopening, to closing 办理.
    Handle,
    /// From the reply to its verification and closing 核实.
    Verify,
}

/// How much whoever has to act is pressed 督办等级.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Level {
    /// Not: in time.
    None,
    /// Amber 黄灯: 80 % of the time is used.
    Amber,
    /// Red 红灯: the deadline has passed.
    Red,
}

/// A deadline with its two alarms; each is given once for a deadline, in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// What has to be done.
    pub step: Step,
    /// From when the time counts.
    #[serde(with = "rfc3339")]
    pub started: OffsetDateTime,
    /// When it is over.
    #[serde(with = "rfc3339")]
    pub due: OffsetDateTime,
    /// The time allowed, extensions included: minutes inside shifts.
    pub allowed_minutes: i64,
    /// When 20 % of that is left.
    #[serde(with = "rfc3339")]
    pub amber_at: OffsetDateTime,
    /// The last alarm given.
    pub level: Level,
}

impl Clock {
    /// A clock whose time counts from `started`.
    ///
    /// # Errors
    /// The calendar has no data for a year of it.
    pub fn start(
        step: Step,
        started: OffsetDateTime,
        term: Term,
        calendar: &Calendar,
    ) -> Result<Clock, NoCalendar> {
        let due = term.end(calendar, started)?;
        let allowed_minutes = measure(calendar, UNIT, started, due)?;
        let mut clock = Clock { step, started, due, allowed_minutes, amber_at: due, level: Level::None };
        clock.set_alarm(calendar)?;
        Ok(clock)
    }

    /// When the next alarm is to be given; `None` after the last.
    #[must_use]
    pub fn next_alarm(&self) -> Option<OffsetDateTime> {
        match self.level {
            Level::None => Some(self.amber_at),
            Level::Amber => Some(self.due),
            Level::Red => None,
        }
    }

    /// Gives the next alarm.
    pub(super) fn raise(&mut self) {
        self.level = if self.level == Level::None { Level::Amber } else { Level::Red };
    }

    /// Moves the deadline by an extension; an alarm that the new deadline has not reached can be given again.
    pub(super) fn extend(
        &mut self,
        working_days: u32,
        now: OffsetDateTime,
        calendar: &Calendar,
    ) -> Result<(), NoCalendar> {
        let due = Term::WorkingDays(working_days).end(calendar, self.due)?;
        self.allowed_minutes += measure(calendar, UNIT, self.due, due)?;
        self.due = due;
        self.set_alarm(calendar)?;
        self.level = self.level.min(match now {
            _ if now < self.amber_at => Level::None,
            _ if now < self.due => Level::Amber,
            _ => Level::Red,
        });
        Ok(())
    }

    /// Moves the deadline by the working time of a pause, if it had not passed before.
    pub(super) fn after_pause(
        &mut self,
        paused: OffsetDateTime,
        now: OffsetDateTime,
        calendar: &Calendar,
    ) -> Result<(), NoCalendar> {
        let due = due_after_pause(calendar, UNIT, self.due, paused, now)?;
        if due != self.due {
            self.due = due;
            self.set_alarm(calendar)?;
        }
        Ok(())
    }

    fn set_alarm(&mut self, calendar: &Calendar) -> Result<(), NoCalendar> {
        let left: Duration = Duration::minutes(self.allowed_minutes) / 5;
        self.amber_at = advance_by(calendar, UNIT, self.due, -left)?;
        Ok(())
    }
}
