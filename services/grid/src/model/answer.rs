//! The reporter's answer 评价, the review 复核 that "still not solved" opens, and who may see how to reach the reporter.
use time::OffsetDateTime;

use super::action::ActionKind;
use super::actor::Actor;
use super::apply::Context;
use super::event::{Answer, Event, State};
use super::refusal::Refusal;

/// Keeps the answer, one for each closing. A merged event is answered once its root is closed; the review is then the root's.
pub(super) fn answer(
    next: &mut Event,
    solved: bool,
    rating: Option<u8>,
    ctx: &Context<'_>,
) -> Result<(), Refusal> {
    let Some(closed) = closing(next, ctx)? else { return Ok(()) };
    let until = closed + ctx.answer_window;
    if next.answer.as_ref().is_some_and(|answer| answer.at >= closed) {
        return Err(Refusal::AlreadyAnswered);
    }
    if ctx.now > until {
        return Err(Refusal::AnswerWindowOver { until });
    }
    next.answer = Some(Answer { solved, rating, at: ctx.now });
    if !solved && next.state == State::Closed {
        ask_review(next, ctx.now);
    }
    Ok(())
}

/// When the result that the answer is about was given.
fn closing(event: &Event, ctx: &Context<'_>) -> Result<Option<OffsetDateTime>, Refusal> {
    match ctx.merge_root {
        Some(root) if event.state == State::Merged && root.state != State::Closed => {
            Err(Refusal::RootOpen { state: root.state })
        }
        Some(root) if event.state == State::Merged => Ok(root.closed),
        _ => Ok(event.times.closed),
    }
}

pub(super) fn ask_review(next: &mut Event, now: OffsetDateTime) {
    next.review_since.get_or_insert(now);
}

/// The review finds that the closing stands; who resolved the event does not decide it.
pub(super) fn uphold(next: &mut Event, actor: &Actor) -> Result<(), Refusal> {
    if next.resolved_by.as_ref() == Some(&actor.subject) {
        return Err(Refusal::SamePersonVerifies);
    }
    next.review_since.take().map(|_| ()).ok_or(Refusal::NoReviewOpen)
}

pub(super) fn reveal(event: &Event) -> Result<(), Refusal> {
    event.reporter.phone_tail.as_ref().map(|_| ()).ok_or(Refusal::NoContact)
}

/// Whether the owner of the grants sees the tail of the reporter's number: who could be told the whole of it.
pub fn sees_contact(event: &Event, grants: &[Actor]) -> bool {
    ActionKind::Reveal.arc().granted(event, grants).is_some()
}
