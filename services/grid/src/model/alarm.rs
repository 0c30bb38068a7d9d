//! What the system does by the clock: alarms, and the end of a suspension.
use time::OffsetDateTime;

use super::action::Action;
use super::actor::{Actor, Role};
use super::clock::{Clock, Stage};
use super::event::{Event, State};
use super::refusal::Refusal;

impl Event {
    /// The clock whose alarms count now: of the desk's step, else of handling unless that stands still or has ended.
    pub fn active_clock(&self) -> Option<&Clock> {
        let handling =
            self.handling_clock.as_ref().filter(|handling| !handling.paused() && !handling.ended());
        self.step_clock.as_ref().or(handling.map(|handling| &handling.clock))
    }

    pub(super) fn active_clock_mut(&mut self) -> Option<&mut Clock> {
        let handling =
            self.handling_clock.as_mut().filter(|handling| !handling.paused() && !handling.ended());
        self.step_clock.as_mut().or(handling.map(|handling| &mut handling.clock))
    }

    /// How late it is, by the alarms given so far.
    pub fn alarm(&self) -> Stage {
        self.active_clock().map_or(Stage::InTime, |clock| clock.stage)
    }

    /// When the system next has something to do: an alarm, or the end of a suspension. `None` while there is nothing.
    pub fn alarm_at(&self) -> Option<OffsetDateTime> {
        if self.state == State::Suspended { self.resume_at } else { self.active_clock()?.next_alarm() }
    }

    /// What the system has to do at `now`, one action at a time: repeat until `None`.
    pub fn due_action(&self, now: OffsetDateTime) -> Option<Action> {
        self.alarm_at().filter(|at| *at <= now)?;
        Some(match self.alarm() {
            _ if self.state == State::Suspended => Action::Resume,
            Stage::InTime => Action::Warn,
            _ => Action::Overdue,
        })
    }
}

/// Gives the next alarm. Red and critical are told one level higher each; the holder keeps the work, since being late
/// rids nobody of it.
pub(super) fn ring(next: &mut Event, action: &Action, now: OffsetDateTime) -> Result<(), Refusal> {
    if next.due_action(now).as_ref() != Some(action) {
        return Err(Refusal::NotDue);
    }
    let above = next.active_clock().and_then(|clock| clock.escalated_to).or(next.holder().area());
    // A department has no level above it: the first to be told is the desk that gave it the work.
    let told = above.map_or(next.desk, |area| area.parent().unwrap_or(area));
    let Some(clock) = next.active_clock_mut() else { return Err(Refusal::NotDue) };
    clock.stage = match clock.stage {
        Stage::InTime => Stage::Amber,
        Stage::Amber => Stage::Red,
        Stage::Red | Stage::Critical => Stage::Critical,
    };
    if clock.stage > Stage::Amber {
        clock.escalated_to = Some(told);
        next.counts.escalations += 1;
    }
    Ok(())
}

/// People may resume at any time, the system only on the date.
pub(super) fn resume(next: &mut Event, actor: &Actor, now: OffsetDateTime) -> Result<(), Refusal> {
    if actor.role == Role::System && next.resume_at.is_none_or(|at| at > now) {
        return Err(Refusal::NotDue);
    }
    next.resume_at = None;
    Ok(())
}
