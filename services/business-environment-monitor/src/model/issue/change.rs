//! Change: what each action does to an issue besides its state.

use jingwei_work_calendar::{NoCalendar, Segments};
use time::OffsetDateTime;

use super::apply::Context;
use super::clock::{Clock, Step};
use super::command::{Command, Refusal};
use super::rules::Class;
use super::{Acceptance, Issue, Proposal, Rating, Reply, Round, Stars, Verification, Wish};
use crate::model::actor::{Actor, Role};
use crate::model::term::Term;

/// Makes the change. `next` is still in the state before.
pub(super) fn change(
    next: &mut Issue,
    command: &Command,
    actor: &Actor,
    context: &Context<'_>,
) -> Result<(), Refusal> {
    let now = context.now;
    match command {
        Command::Register => start(next, Step::Decide, next.submitted, context.rules.decide, context)?,
        Command::Accept => accept(next, Acceptance { at: now, deemed: false }, context)?,
        Command::DeemAccepted if now < next.decide_by => return Err(Refusal::NotDue),
        Command::DeemAccepted => accept(next, Acceptance { at: next.decide_by, deemed: true }, context)?,
        Command::ProposeRefusal { reason } => {
            next.proposal = Some(Proposal { by: actor.subject.clone(), reason: reason.clone() });
        }
        Command::Refuse => refuse(next, actor)?,
        Command::Transfer { .. } => next.step_clock = None,
        Command::Classify { class } => {
            let since = next.acceptance.map_or(now, |acceptance| acceptance.at);
            new_round(next, *class, since, context)?;
        }
        Command::Assign { department } => round(next)?.department = Some(department.clone()),
        Command::Start => {}
        Command::Ask { wish, .. } => ask(next, *wish, context)?,
        Command::Grant => grant(next, context)?,
        Command::Deny { .. } => drop(next.pending.take().ok_or(Refusal::NoRequestPending)?),
        Command::Resume => resume(next, actor, context)?,
        Command::Reply { text } => {
            next.refuse_while_pending()?;
            let reply = Reply { by: actor.subject.clone(), text: text.clone(), at: now };
            round(next)?.reply = Some(reply);
            start(next, Step::Verify, now, context.rules.verify, context)?;
        }
        Command::Verify { solved } => verify(next, *solved, actor, now)?,
        Command::Close if !next.is_solved() => return Err(Refusal::NotSolved),
        Command::Close | Command::Terminate { .. } => end(next, now),
        Command::Return { .. } => give_back(next)?,
        Command::Reopen { .. } => {
            let class = round(next)?.class;
            new_round(next, class, now, context)?;
        }
        Command::Rate { stars } => rate(next, *stars, now)?,
        Command::CallBack { finding } => call_back(next, finding)?,
        Command::Warn => warn(next, now)?,
        Command::Submit(_) => unreachable!("no state allows it"),
    }
    Ok(())
}

impl Issue {
    fn is_solved(&self) -> bool {
        let verified = self.round().and_then(|round| round.verification);
        verified.is_some_and(|verification| verification.solved)
    }

    /// For what cannot go on while the office has a request to decide.
    fn refuse_while_pending(&self) -> Result<(), Refusal> {
        if self.pending.is_some() { Err(Refusal::RequestPending) } else { Ok(()) }
    }
}

/// The current round, which every state after the classification has.
fn round(next: &mut Issue) -> Result<&mut Round, Refusal> {
    Ok(next.rounds.last_mut().expect("classified before"))
}

fn start(
    next: &mut Issue,
    step: Step,
    since: OffsetDateTime,
    term: Term,
    context: &Context<'_>,
) -> Result<(), NoCalendar> {
    next.step_clock = Some(Clock::start(step, since, term, context.calendar)?);
    Ok(())
}

fn accept(next: &mut Issue, acceptance: Acceptance, context: &Context<'_>) -> Result<(), NoCalendar> {
    next.acceptance = Some(acceptance);
    next.proposal = None;
    start(next, Step::Classify, acceptance.at, context.rules.classify, context)
}

/// Somebody else than who proposed it approves.
fn refuse(next: &mut Issue, actor: &Actor) -> Result<(), Refusal> {
    let proposal = next.proposal.as_ref().ok_or(Refusal::NoProposal)?;
    if proposal.by == actor.subject {
        return Err(Refusal::SamePerson);
    }
    next.step_clock = None;
    Ok(())
}

/// The time counts from the acceptance: a late class takes nothing away from it.
fn new_round(
    next: &mut Issue,
    class: Class,
    since: OffsetDateTime,
    context: &Context<'_>,
) -> Result<(), NoCalendar> {
    let clock = Clock::start(Step::Handle, since, context.rules.of(class).term, context.calendar)?;
    next.step_clock = None;
    next.rounds.push(Round {
        class,
        department: None,
        clock,
        segments: Segments::start(since),
        extensions: 0,
        returns: 0,
        reply: None,
        verification: None,
        rating: None,
    });
    Ok(())
}

fn ask(next: &mut Issue, wish: Wish, context: &Context<'_>) -> Result<(), Refusal> {
    next.refuse_while_pending()?;
    let (now, rules) = (context.now, context.rules);
    let round = round(next)?;
    match wish {
        Wish::Extension { working_days } => {
            let (due, at_most) = (round.clock.due, rules.of(round.class).longest_extension);
            if round.extensions >= rules.max_extensions {
                return Err(Refusal::TooManyExtensions { limit: rules.max_extensions });
            }
            if now >= due {
                return Err(Refusal::DeadlinePassed { due });
            }
            if !(1..=at_most).contains(&working_days) {
                return Err(Refusal::ExtensionTooLong { at_most });
            }
        }
        Wish::Pause { until } => refuse_past(until, now)?,
    }
    next.pending = Some(wish);
    Ok(())
}

fn refuse_past(until: OffsetDateTime, now: OffsetDateTime) -> Result<(), Refusal> {
    if until <= now { Err(Refusal::PauseNotInFuture { until }) } else { Ok(()) }
}

fn grant(next: &mut Issue, context: &Context<'_>) -> Result<(), Refusal> {
    let now = context.now;
    match next.pending.take().ok_or(Refusal::NoRequestPending)? {
        Wish::Extension { working_days } => {
            let round = round(next)?;
            round.clock.extend(working_days, now, context.calendar)?;
            round.extensions += 1;
        }
        Wish::Pause { until } => {
            refuse_past(until, now)?;
            round(next)?.segments.pause(now);
            next.resume_at = Some(until);
        }
    }
    Ok(())
}

/// People may resume at any time, the system on the date; whoever comes later, the pause was over then.
fn resume(next: &mut Issue, actor: &Actor, context: &Context<'_>) -> Result<(), Refusal> {
    let now = context.now;
    let until = next.resume_at.take().unwrap_or(now);
    if actor.role == Role::System && now < until {
        return Err(Refusal::NotDue);
    }
    let over = until.min(now);
    let round = round(next)?;
    if let Some(paused) = round.segments.paused_since() {
        round.clock.after_pause(paused, over, context.calendar)?;
    }
    round.segments.resume(over);
    Ok(())
}

/// Who replied does not verify.
fn verify(next: &mut Issue, solved: bool, actor: &Actor, at: OffsetDateTime) -> Result<(), Refusal> {
    let round = round(next)?;
    if round.reply.as_ref().is_some_and(|reply| reply.by == actor.subject) {
        return Err(Refusal::SamePerson);
    }
    round.verification = Some(Verification { call_back: actor.role == Role::Office, solved, at });
    Ok(())
}

/// The clock of handling has run on since the reply.
fn give_back(next: &mut Issue) -> Result<(), Refusal> {
    if next.is_solved() {
        return Err(Refusal::Solved);
    }
    round(next)?.returns += 1;
    next.step_clock = None;
    Ok(())
}

fn end(next: &mut Issue, now: OffsetDateTime) {
    next.step_clock = None;
    (next.pending, next.resume_at) = (None, None);
    if let Some(round) = next.rounds.last_mut() {
        round.segments.end(now);
    }
}

fn rate(next: &mut Issue, stars: Stars, at: OffsetDateTime) -> Result<(), Refusal> {
    let round = round(next)?;
    if round.rating.is_some() {
        return Err(Refusal::AlreadyRated);
    }
    round.rating = Some(Rating { stars, at, called_back: None });
    Ok(())
}

/// For the oldest round that waits for it: a reopening does not make a bad rating forgotten.
fn call_back(next: &mut Issue, finding: &str) -> Result<(), Refusal> {
    let round = next.rounds.iter_mut().find(|round| round.call_back_due()).ok_or(Refusal::NoCallBackDue)?;
    if let Some(rating) = &mut round.rating {
        rating.called_back = Some(finding.to_owned());
    }
    Ok(())
}

fn warn(next: &mut Issue, now: OffsetDateTime) -> Result<(), Refusal> {
    if next.due_command(now) != Some(Command::Warn) {
        return Err(Refusal::NotDue);
    }
    next.active_clock_mut().ok_or(Refusal::NotDue)?.raise();
    Ok(())
}
