//! Requests: what a handler asks the desk for (退回, 延期, 挂账: return, extension, suspension), and how it is decided.
use jingwei_work_calendar::Limit;
use time::OffsetDateTime;

use super::action::{Command, RequestKind, ReturnReason};
use super::apply::Context;
use super::arcs::Field;
use super::event::{Event, PendingRequest, Wish};
use super::refusal::Refusal;
use super::routing;
use super::unit::Unit;

/// How many extensions an event can be given over all rounds.
pub(super) const MAX_EXTENSIONS: u32 = 2;

/// How many returns of an event the desks can approve over all rounds; what follows needs the district's final ruling
/// 终审.
pub(super) const MAX_RETURNS: u32 = 2;

impl Event {
    /// For what cannot go on while the desk has a request to decide; the holder can withdraw it.
    pub(super) fn refuse_while_pending(&self) -> Result<(), Refusal> {
        match &self.pending {
            Some(pending) => Err(Refusal::RequestPending { kind: pending.wish.kind() }),
            None => Ok(()),
        }
    }
}

fn ask(next: &mut Event, wish: Wish, command: &Command, now: OffsetDateTime) -> Result<(), Refusal> {
    next.refuse_while_pending()?;
    let (reason, note) = (command.reason().to_owned(), command.note.clone());
    next.pending = Some(PendingRequest { wish, reason, note, asked_at: now });
    Ok(())
}

/// Ends the pending request, which must be of the kind.
fn take(next: &mut Event, kind: RequestKind) -> Result<Wish, Refusal> {
    let pending = next.pending.take_if(|pending| pending.wish.kind() == kind);
    pending.map(|pending| pending.wish).ok_or(Refusal::NoRequestPending { kind: Some(kind) })
}

pub(super) fn ask_return(
    next: &mut Event,
    reason: ReturnReason,
    command: &Command,
    now: OffsetDateTime,
) -> Result<(), Refusal> {
    if next.final_ruling {
        return Err(Refusal::RuledFinal);
    }
    if reason == ReturnReason::Other && command.note.trim().is_empty() {
        return Err(Refusal::Missing { fields: vec![Field::Note] });
    }
    ask(next, Wish::Return, command, now)
}

/// Asked for before the deadline, in the limit's own unit, at most as much again as was given.
pub(super) fn ask_extension(
    next: &mut Event,
    by: Limit,
    command: &Command,
    now: OffsetDateTime,
) -> Result<(), Refusal> {
    if next.counts.extensions >= MAX_EXTENSIONS {
        return Err(Refusal::TooManyExtensions { limit: MAX_EXTENSIONS });
    }
    if let Some(handling) = &next.handling_clock {
        let (due, at_most) = (handling.clock.due, handling.clock.limit);
        if now >= due {
            return Err(Refusal::DeadlinePassed { due });
        }
        if by.unit != at_most.unit || !(1..=at_most.amount).contains(&by.amount) {
            return Err(Refusal::ExtensionTooLong { at_most });
        }
    }
    ask(next, Wish::Extension { by }, command, now)
}

pub(super) fn ask_suspension(
    next: &mut Event,
    resume_at: OffsetDateTime,
    command: &Command,
    now: OffsetDateTime,
) -> Result<(), Refusal> {
    refuse_past(resume_at, now)?;
    ask(next, Wish::Suspension { resume_at }, command, now)
}

fn refuse_past(resume_at: OffsetDateTime, now: OffsetDateTime) -> Result<(), Refusal> {
    if resume_at <= now { Err(Refusal::ResumeNotInFuture { resume_at }) } else { Ok(()) }
}

pub(super) fn approve_return(next: &mut Event) -> Result<(), Refusal> {
    take(next, RequestKind::Return)?;
    let returns = next.counts.returns;
    if returns >= MAX_RETURNS {
        return Err(Refusal::ReturnNeedsRuling { returns });
    }
    next.counts.returns += 1;
    next.lead = None;
    next.co_handlers.clear();
    Ok(())
}

/// Names who handles it for good. A return counts where that is somebody else.
pub(super) fn rule_on_return(next: &mut Event, lead: &Unit) -> Result<(), Refusal> {
    take(next, RequestKind::Return)?;
    let returns = next.counts.returns;
    if returns < MAX_RETURNS {
        return Err(Refusal::RulingTooEarly { returns });
    }
    if lead.area().is_some_and(|area| area.district() != next.district) {
        return Err(Refusal::TargetNotAllowed { target: lead.clone() });
    }
    if next.lead.as_ref() != Some(lead) {
        next.counts.returns += 1;
    }
    routing::lead_by(next, lead.clone());
    next.final_ruling = true;
    Ok(())
}

/// The clock moves here, where the amount is known.
pub(super) fn approve_extension(next: &mut Event, ctx: &Context<'_>) -> Result<(), Refusal> {
    let wish = take(next, RequestKind::Extension)?;
    if let (Wish::Extension { by }, Some(handling)) = (wish, &mut next.handling_clock) {
        handling.clock.extend(by, ctx.now, ctx.calendar)?;
    }
    next.counts.extensions += 1;
    Ok(())
}

pub(super) fn approve_suspension(next: &mut Event, now: OffsetDateTime) -> Result<(), Refusal> {
    if let Wish::Suspension { resume_at } = take(next, RequestKind::Suspension)? {
        refuse_past(resume_at, now)?;
        next.resume_at = Some(resume_at);
    }
    Ok(())
}

/// Denied or withdrawn.
pub(super) fn drop_request(next: &mut Event) -> Result<(), Refusal> {
    next.pending.take().map(drop).ok_or(Refusal::NoRequestPending { kind: None })
}
