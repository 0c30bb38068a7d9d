//! Clock: a deadline of one step with its alarms, and the handling clock that can stand still.
use jingwei_work_calendar::{
    Calendar, Limit, NoCalendar, Segments, TimeUnit, advance_by, due, due_after_pause, measure,
};
use serde::{Deserialize, Serialize};
use time::serde::rfc3339;
use time::{Duration, OffsetDateTime};

use super::area::AreaCode;

/// A step that has a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Step {
    /// From the report to acceptance 受理.
    Accept,
    /// From acceptance to registration 立案.
    Register,
    /// From registration to dispatch 派遣.
    Dispatch,
    /// From dispatch to closing 处置.
    Handle,
    /// From resolution to verification 核查.
    Verify,
}

/// The limits of one case, each step's resolved from category, condition and the district's defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named like the steps")]
pub struct StepLimits {
    pub accept: Limit,
    pub register: Limit,
    pub dispatch: Limit,
    pub handle: Limit,
    pub verify: Limit,
}

impl StepLimits {
    /// The limit of a step.
    pub fn of(&self, step: Step) -> Limit {
        match step {
            Step::Accept => self.accept,
            Step::Register => self.register,
            Step::Dispatch => self.dispatch,
            Step::Handle => self.handle,
            Step::Verify => self.verify,
        }
    }
}

/// The last alarm that a clock has given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Stage {
    /// None: in time.
    InTime,
    /// Amber 黄灯: 80 % of the time is used.
    Amber,
    /// Red 红灯: the deadline has passed.
    Red,
    /// Critical 严重超时: 150 % of the time is used.
    Critical,
}

/// A deadline with its three alarms; each is given once for a deadline, in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// What has to be done.
    pub step: Step,
    /// When it started.
    #[serde(with = "rfc3339")]
    pub started: OffsetDateTime,
    /// When the time is over.
    #[serde(with = "rfc3339")]
    pub due: OffsetDateTime,
    /// The limit it was started with, extensions not counted.
    pub limit: Limit,
    /// The time allowed, extensions included: minutes of the limit's unit.
    pub allowed_minutes: i64,
    /// When 20 % of the time allowed is left.
    #[serde(with = "rfc3339")]
    pub amber_at: OffsetDateTime,
    /// When half as much again as was allowed has passed.
    #[serde(with = "rfc3339")]
    pub critical_at: OffsetDateTime,
    /// The last alarm given.
    pub stage: Stage,
    /// The highest area told that it is overdue.
    pub escalated_to: Option<AreaCode>,
}

impl Clock {
    /// A clock that starts now.
    ///
    /// # Errors
    /// `NoCalendar` where the deadline or an alarm falls into a year without calendar data.
    pub fn start(
        step: Step,
        now: OffsetDateTime,
        limit: Limit,
        calendar: &Calendar,
    ) -> Result<Clock, NoCalendar> {
        let due = due(calendar, now, limit)?;
        let allowed_minutes = measure(calendar, limit.unit, now, due)?;
        let (amber_at, critical_at) = (due, due);
        let (stage, escalated_to) = (Stage::InTime, None);
        let mut clock = Clock {
            step,
            started: now,
            due,
            limit,
            allowed_minutes,
            amber_at,
            critical_at,
            stage,
            escalated_to,
        };
        clock.set_alarms(calendar)?;
        Ok(clock)
    }

    /// When the next alarm is to be given; `None` after the last.
    pub fn next_alarm(&self) -> Option<OffsetDateTime> {
        match self.stage {
            Stage::InTime => Some(self.amber_at),
            Stage::Amber => Some(self.due),
            Stage::Red => Some(self.critical_at),
            Stage::Critical => None,
        }
    }

    /// Moves the deadline by an extension; alarms that the new deadline has not reached can be given again.
    pub(super) fn extend(
        &mut self,
        by: Limit,
        now: OffsetDateTime,
        calendar: &Calendar,
    ) -> Result<(), NoCalendar> {
        let due = due(calendar, self.due, by)?;
        self.allowed_minutes += measure(calendar, self.unit(), self.due, due)?;
        self.due = due;
        self.set_alarms(calendar)?;
        self.stage = self.stage.min(self.stage_at(now));
        if self.stage < Stage::Red {
            self.escalated_to = None;
        }
        Ok(())
    }

    fn unit(&self) -> TimeUnit {
        self.limit.unit
    }

    fn stage_at(&self, now: OffsetDateTime) -> Stage {
        match now {
            _ if now < self.amber_at => Stage::InTime,
            _ if now < self.due => Stage::Amber,
            _ if now < self.critical_at => Stage::Red,
            _ => Stage::Critical,
        }
    }

    fn set_alarms(&mut self, calendar: &Calendar) -> Result<(), NoCalendar> {
        let allowed = Duration::minutes(self.allowed_minutes);
        self.amber_at = advance_by(calendar, self.unit(), self.due, -allowed / 5)?;
        self.critical_at = advance_by(calendar, self.unit(), self.due, allowed / 2)?;
        Ok(())
    }
}

/// The clock of handling: starts at the first dispatch of a round, runs until the event ends, whoever holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandlingClock {
    /// The deadline.
    pub clock: Clock,
    /// When it ran and when it stood still, since the dispatch.
    pub segments: Segments,
}

impl HandlingClock {
    /// A handling clock that starts now.
    ///
    /// # Errors
    /// As `Clock::start`.
    pub fn start(
        now: OffsetDateTime,
        limit: Limit,
        calendar: &Calendar,
    ) -> Result<HandlingClock, NoCalendar> {
        let clock = Clock::start(Step::Handle, now, limit, calendar)?;
        Ok(HandlingClock { clock, segments: Segments::start(now) })
    }

    /// Whether it stands still.
    pub fn paused(&self) -> bool {
        self.segments.paused_since().is_some()
    }

    /// Whether it has ended with the event.
    pub fn ended(&self) -> bool {
        self.segments.ended()
    }

    /// Runs on: what was left when it was paused is left now. A deadline that had passed before stays.
    pub(super) fn resume(&mut self, now: OffsetDateTime, calendar: &Calendar) -> Result<(), NoCalendar> {
        if let Some(paused) = self.segments.paused_since() {
            let due = due_after_pause(calendar, self.clock.unit(), self.clock.due, paused, now)?;
            if due != self.clock.due {
                self.clock.due = due;
                self.clock.set_alarms(calendar)?;
            }
        }
        self.segments.resume(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
