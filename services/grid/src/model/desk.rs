//! The way of an event from acceptance to closing, and its reopening: what each step changes besides state and clocks.
use time::OffsetDateTime;

use super::actor::Actor;
use super::apply::Context;
use super::event::{CoHandler, Event, Outcome};
use super::refusal::Refusal;
use super::routing;
use super::unit::Unit;

/// The level that accepts becomes the desk, and is counted.
pub(super) fn accept(next: &mut Event, actor: &Actor) -> Result<(), Refusal> {
    if let Some(area) = actor.area(next.place.area) {
        next.desk = area;
        next.accepted_depth = Some(area.depth());
    }
    Ok(())
}

pub(super) fn reject(next: &mut Event, outcome: Outcome) -> Result<(), Refusal> {
    next.outcome = Some(outcome);
    Ok(())
}

/// The dispatch time stays that of the round's first, like the handling clock: a return buys no time.
pub(super) fn dispatch(
    next: &mut Event,
    lead: &Unit,
    co_handlers: &[Unit],
    now: OffsetDateTime,
) -> Result<(), Refusal> {
    let units = || std::iter::once(lead).chain(co_handlers);
    let twice =
        units().enumerate().find(|(index, unit)| units().take(*index).any(|earlier| earlier == *unit));
    let out_of_reach = units().find(|unit| !routing::can_give_to(next.desk, unit));
    if let Some(target) = out_of_reach.or(twice.map(|(_, unit)| unit)) {
        return Err(Refusal::TargetNotAllowed { target: target.clone() });
    }
    next.lead = Some(lead.clone());
    next.co_handlers =
        co_handlers.iter().map(|unit| CoHandler { unit: unit.clone(), done_at: None }).collect();
    next.times.dispatched.get_or_insert(now);
    next.counts.dispatches += 1;
    Ok(())
}

/// Marks the actor's own unit as done, or else the first open one that the actor covers.
pub(super) fn co_handle(next: &mut Event, actor: &Actor, now: OffsetDateTime) -> Result<(), Refusal> {
    let own = actor.unit(next.place.area);
    let open = || next.co_handlers.iter().enumerate().filter(|(_, handler)| handler.done_at.is_none());
    let mine = open().find(|(_, handler)| handler.unit == own);
    let covered = mine.or_else(|| open().find(|(_, handler)| actor.scope.covers(&handler.unit)));
    if let Some(index) = covered.map(|(index, _)| index) {
        next.co_handlers[index].done_at = Some(now);
    }
    Ok(())
}

pub(super) fn resolve(
    next: &mut Event,
    outcome: Outcome,
    actor: &Actor,
    now: OffsetDateTime,
) -> Result<(), Refusal> {
    next.refuse_while_pending()?;
    let units: Vec<Unit> = next.open_co_handlers().map(|handler| handler.unit.clone()).collect();
    if !units.is_empty() {
        return Err(Refusal::CoHandlersOpen { units });
    }
    next.outcome = Some(outcome);
    next.resolved_by = Some(actor.subject.clone());
    next.times.resolved = Some(now);
    Ok(())
}

pub(super) fn pass(next: &mut Event, actor: &Actor, now: OffsetDateTime) -> Result<(), Refusal> {
    verified_by_another(next, actor)?;
    next.times.closed = Some(now);
    Ok(())
}

/// The lead gets it back; what was said to have come of it no longer holds.
pub(super) fn fail(next: &mut Event, actor: &Actor) -> Result<(), Refusal> {
    verified_by_another(next, actor)?;
    next.counts.rework += 1;
    next.outcome = None;
    Ok(())
}

fn verified_by_another(event: &Event, actor: &Actor) -> Result<(), Refusal> {
    if event.resolved_by.as_ref() == Some(&actor.subject) { Err(Refusal::SamePersonVerifies) } else { Ok(()) }
}

/// Settling on the spot counts as acceptance by the actor's level.
pub(super) fn settle(
    next: &mut Event,
    outcome: Outcome,
    actor: &Actor,
    now: OffsetDateTime,
) -> Result<(), Refusal> {
    accept(next, actor)?;
    next.outcome = Some(outcome);
    next.self_settled = true;
    next.resolved_by = Some(actor.subject.clone());
    next.times.resolved = Some(now);
    next.times.closed = Some(now);
    Ok(())
}

/// A new round, within the window or where a review is asked for: nobody leads, no ruling binds, and the next dispatch starts a new handling clock.
pub(super) fn reopen(next: &mut Event, ctx: &Context<'_>) -> Result<(), Refusal> {
    if let Some(until) = next.times.closed.map(|closed| closed + ctx.reopen_window)
        && ctx.now > until
        && next.review_since.is_none()
    {
        return Err(Refusal::ReopenWindowOver { until });
    }
    next.counts.rounds += 1;
    next.answer = None;
    next.review_since = None;
    next.outcome = None;
    next.self_settled = false;
    next.lead = None;
    next.co_handlers.clear();
    next.final_ruling = false;
    next.handling_clock = None;
    next.times.dispatched = None;
    next.times.closed = None;
    Ok(())
}
