//! Apply: one action on one event, by the table. Pure: time and all facts from elsewhere are arguments.
use jingwei_work_calendar::{Calendar, NoCalendar};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::action::{Action, Command};
use super::actor::Actor;
use super::arcs::{Arc, ClockEffect, Field, Next};
use super::clock::{Clock, HandlingClock, StepLimits};
use super::event::{Event, State, Supervision};
use super::refusal::Refusal;
use super::relation::allowed_actions;
use super::transition::Transition;
use super::{alarm, answer, desk, merge, record, requests, routing};

/// How long after its closing an event can be reopened, unless the district says otherwise.
pub const REOPEN_WINDOW: Duration = Duration::hours(72);
/// How long after its closing the reporter can answer, where nothing else is set.
pub const ANSWER_WINDOW: Duration = Duration::days(15);

/// What an action needs to know besides the event.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The time, to the microsecond, as the database keeps it.
    pub now: OffsetDateTime,
    /// The district's calendar.
    pub calendar: &'a Calendar,
    /// The limits of this case.
    pub limits: StepLimits,
    /// How long after its closing an event can be reopened.
    pub reopen_window: Duration,
    /// How long after the closing the reporter can answer.
    pub answer_window: Duration,
    /// For a merge: the event to merge into, as read, and for the answer to a merged event the one it goes with; `None`
    /// where there is none.
    pub merge_root: Option<MergeRoot>,
    /// For a merge: whether other events are merged into this one.
    pub has_merged_events: bool,
}

/// What a merge needs to know of the event to merge into.
#[derive(Clone, Copy, Debug)]
pub struct MergeRoot {
    /// Its id.
    pub id: Uuid,
    /// Its district.
    pub district: i32,
    /// Its state.
    pub state: State,
    /// When it was closed.
    pub closed: Option<OffsetDateTime>,
}

impl MergeRoot {
    /// What counts of the event.
    pub fn of(event: &Event) -> MergeRoot {
        MergeRoot { id: event.id, district: event.district, state: event.state, closed: event.times.closed }
    }
}

/// Does the action: the event after it, with the one transition that records it.
///
/// `grants` are all that the caller has in the event's district; the first that the table allows is the one used. The
/// caller of this function has made sure that the grants let the event be read (`may_read`): a refusal tells its state.
///
/// # Errors
/// In this order: `NotAllowed` for the role, `WrongState`, `NotAllowed` for its reach, `Missing`, the action's own.
pub fn apply(
    event: &Event,
    command: &Command,
    grants: &[Actor],
    ctx: &Context<'_>,
) -> Result<(Event, Transition), Refusal> {
    let arc = command.action.kind().arc();
    let actor = authorize(arc, event, grants)?;
    require(arc, command)?;

    let mut next = event.clone();
    change(&mut next, command, actor, ctx)?;
    next.state = match arc.to {
        Next::To(state) => state,
        Next::Restored => event.merged.as_ref().map_or(event.state, |merged| merged.state),
        Next::Keep | Next::Reported => event.state,
    };
    run_clocks(&mut next, arc.clock, ctx)?;
    next.version += 1;

    let transition = record::of_command(event, &mut next, command, actor, ctx.now);
    Ok((next, transition))
}

fn authorize<'a>(arc: &Arc, event: &Event, grants: &'a [Actor]) -> Result<&'a Actor, Refusal> {
    let not_allowed = || Refusal::NotAllowed { action: arc.action };
    if !grants.iter().any(|actor| arc.is_for(actor.role)) {
        return Err(not_allowed());
    }
    if !arc.from.contains(&event.state) {
        let allowed = allowed_actions(event, grants);
        return Err(Refusal::WrongState { state: event.state, action: arc.action, allowed });
    }
    arc.granted(event, grants).ok_or_else(not_allowed)
}

/// Checks what a command can lack. Targets, amounts, dates and the like cannot be left out of an `Action`.
pub(super) fn require(arc: &Arc, command: &Command) -> Result<(), Refusal> {
    let lacks = |field: &Field| match field {
        Field::Reason => command.reason().trim().is_empty(),
        Field::Note => command.note.trim().is_empty(),
        Field::Evidence => command.evidence.is_empty(),
        _ => false,
    };
    let fields: Vec<Field> = arc.requires.iter().copied().filter(lacks).collect();
    if fields.is_empty() { Ok(()) } else { Err(Refusal::Missing { fields }) }
}

/// What the action changes besides the state and the clocks. `next` is still in the state before.
fn change(next: &mut Event, command: &Command, actor: &Actor, ctx: &Context<'_>) -> Result<(), Refusal> {
    match &command.action {
        Action::Confirm | Action::Register | Action::Void | Action::SignFor | Action::Comment => Ok(()),
        Action::Accept => desk::accept(next, actor),
        Action::Reject { outcome } => desk::reject(next, *outcome),
        Action::Dispatch { lead, co_handlers } => desk::dispatch(next, lead, co_handlers, ctx.now),
        Action::CoHandle => desk::co_handle(next, actor, ctx.now),
        Action::Resolve { outcome } => desk::resolve(next, *outcome, actor, ctx.now),
        Action::Pass => desk::pass(next, actor, ctx.now),
        Action::Fail => desk::fail(next, actor),
        Action::Settle { outcome } => desk::settle(next, *outcome, actor, ctx.now),
        Action::Reopen => desk::reopen(next, ctx),
        Action::Merge { root } => merge::merge(next, *root, ctx),
        Action::Unmerge => merge::unmerge(next),
        Action::RequestReturn { reason } => requests::ask_return(next, *reason, command, ctx.now),
        Action::RequestExtension { by } => requests::ask_extension(next, *by, command, ctx.now),
        Action::RequestSuspension { resume_at } => {
            requests::ask_suspension(next, *resume_at, command, ctx.now)
        }
        Action::ApproveReturn => requests::approve_return(next),
        Action::RuleOnReturn { lead } => requests::rule_on_return(next, lead),
        Action::ApproveExtension => requests::approve_extension(next, ctx),
        Action::ApproveSuspension => requests::approve_suspension(next, ctx.now),
        Action::DenyRequest | Action::WithdrawRequest => requests::drop_request(next),
        Action::Resume => alarm::resume(next, actor, ctx.now),
        Action::Escalate => routing::escalate(next),
        Action::Delegate { target } => routing::delegate(next, *target),
        Action::Transfer { target } => routing::transfer(next, target),
        Action::Urge => {
            next.counts.urges += 1;
            Ok(())
        }
        Action::Supervise { level } => {
            let (note, subject) = (command.note.clone(), actor.subject.clone());
            next.supervisions.push(Supervision { level: *level, note, subject, at: ctx.now });
            Ok(())
        }
        Action::Warn | Action::Overdue => alarm::ring(next, &command.action, ctx.now),
        Action::Answer { solved, rating } => answer::answer(next, *solved, *rating, ctx),
        Action::AskReview { .. } => {
            answer::ask_review(next, ctx.now);
            Ok(())
        }
        Action::Uphold => answer::uphold(next, actor),
        Action::Reveal => answer::reveal(next),
    }
}

/// Does to the clocks what the table says. What moves with data of its own (`Extend`, `SetAside`, `Restore`, `Alarm`)
/// was moved with that data by `change`.
pub(super) fn run_clocks(next: &mut Event, effect: ClockEffect, ctx: &Context<'_>) -> Result<(), NoCalendar> {
    match effect {
        ClockEffect::Keep => {}
        ClockEffect::StartStep(step) => {
            next.step_clock = Some(Clock::start(step, ctx.now, ctx.limits.of(step), ctx.calendar)?);
        }
        ClockEffect::StartHandling => {
            next.step_clock = None;
            if next.handling_clock.is_none() {
                next.handling_clock = Some(HandlingClock::start(ctx.now, ctx.limits.handle, ctx.calendar)?);
            }
        }
        ClockEffect::EndStep => next.step_clock = None,
        ClockEffect::EndAll => {
            next.step_clock = None;
            next.handling_clock.iter_mut().for_each(|handling| handling.segments.end(ctx.now));
        }
        ClockEffect::Pause => {
            next.handling_clock.iter_mut().for_each(|handling| handling.segments.pause(ctx.now));
        }
        ClockEffect::Resume => {
            if let Some(handling) = &mut next.handling_clock {
                handling.resume(ctx.now, ctx.calendar)?;
            }
        }
        ClockEffect::Extend | ClockEffect::SetAside | ClockEffect::Restore | ClockEffect::Alarm => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests;
