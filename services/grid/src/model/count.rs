//! What each transition adds to the numbers of its area: all numbers are folds over transitions and nothing else.

use jingwei_work_calendar::CHINA_STANDARD_TIME;
use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime};

use super::action::ActionKind;
use super::clock::Stage;
use super::event::{Event, State};

time::serde::format_description!(iso_date, Date, "[year]-[month]-[day]");

/// What is counted. The numbers are stored: never reuse one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metric {
    /// Reported 上报.
    Reported = 1,
    /// Accepted 受理.
    Accepted = 2,
    /// Not accepted 不予受理.
    Rejected = 3,
    /// Registered 立案.
    Registered = 4,
    /// Void 作废.
    Voided = 5,
    /// Dispatched for the first time 派遣.
    Dispatched = 6,
    /// Returns approved 退回.
    Returned = 7,
    /// Closed 结案; one less when reopened.
    Closed = 8,
    /// Settled on the spot 自处理.
    SelfSettled = 9,
    /// Verification failed 返工.
    Reworked = 10,
    /// Reopened 重开.
    Reopened = 11,
    /// Merged 并案; one less when un-merged.
    Merged = 12,
    /// A deadline passed 超时.
    Overdue = 13,
    /// Accepted within the limit 按时受理.
    AcceptedInTime = 14,
    /// Results verified, passed or not 核查.
    Verified = 15,
    /// Extended for the first time 延期.
    Extended = 16,
    /// The handling deadline falls on the day 应结案.
    Due = 17,
    /// Of these, closed 结案, in time or not.
    DueClosed = 18,
    /// Of these, closed in time 按时结案.
    DueOnTime = 19,
    /// Answered by the reporter 参评.
    Answered = 20,
    /// Solved, as the reporter answers 已解决.
    AnsweredSolved = 21,
    /// Rated by the reporter 评分.
    Rated = 22,
    /// Rated 4 or 5 of 5 满意.
    Satisfied = 23,
    /// From the report to acceptance 受理用时.
    AcceptanceTime = 31,
    /// From the round's first dispatch to the last resolution of a closed event 处置用时.
    HandlingTime = 32,
    /// From the report to closing 全程用时.
    TotalTime = 33,
}

impl Metric {
    /// The stored number, from 1.
    pub fn code(self) -> i32 {
        self as i32
    }
}

/// One more (or, with a negative amount, less) of something, on a local day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contribution {
    /// The code of a `Metric`.
    pub metric: i32,
    /// The local day that it counts on; of a deadline the day that it falls on.
    #[serde(with = "iso_date")]
    pub day: Date,
    /// How many, as a rule 1 or -1.
    pub amount: i32,
    /// The sub-category's code.
    pub category: String,
    /// The unit that leads the handling, as `Unit` writes it; none before dispatch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lead: Option<String>,
    /// The depth of the level that accepted; none before acceptance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<u8>,
    /// Of times only: the minutes, a started one counted as a whole one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minutes: Option<i64>,
}

/// What a change at a moment adds to the numbers.
pub fn contributions(
    action: ActionKind,
    before: Option<&Event>,
    after: &Event,
    at: OffsetDateTime,
) -> Vec<Contribution> {
    // Who led when it happened: a return counts for who gave it back, a dispatch for who got it.
    let lead = before.and_then(|b| b.lead.as_ref()).or(after.lead.as_ref()).map(ToString::to_string);
    let now = |metric: Metric, amount: i32| Contribution {
        amount,
        lead: lead.clone(),
        ..contribution(metric, at, after)
    };
    let mut all: Vec<_> =
        happened(action, before, after, at).into_iter().map(|(metric, by)| now(metric, by)).collect();
    if matches!(action, ActionKind::Accept | ActionKind::Settle) {
        let minutes = Some(minutes(after.times.reported, at));
        all.push(Contribution { minutes, ..now(Metric::AcceptanceTime, 1) });
    }
    let (old, new) = (before.map(standing).unwrap_or_default(), standing(after));
    let gone = old.iter().filter(|fact| !new.contains(fact));
    all.extend(gone.map(|fact| Contribution { amount: -1, ..fact.clone() }));
    all.extend(new.iter().filter(|fact| !old.contains(fact)).cloned());
    all
}

/// What counts on the day of the transition, and keeps counting there.
fn happened(
    action: ActionKind,
    before: Option<&Event>,
    after: &Event,
    at: OffsetDateTime,
) -> Vec<(Metric, i32)> {
    let one = |metric: Metric| vec![(metric, 1)];
    match action {
        ActionKind::Report => one(Metric::Reported),
        ActionKind::Accept => accepted(before, at),
        ActionKind::Settle => {
            let closed = [(Metric::Closed, 1), (Metric::SelfSettled, 1)];
            accepted(before, at).into_iter().chain(closed).collect()
        }
        ActionKind::Reject => one(Metric::Rejected),
        ActionKind::Register => one(Metric::Registered),
        ActionKind::Void => one(Metric::Voided),
        // Dispatched again after a return or in a later round, it is not another event dispatched.
        ActionKind::Dispatch if after.counts.dispatches == 1 => one(Metric::Dispatched),
        ActionKind::ApproveReturn => one(Metric::Returned),
        ActionKind::RuleOnReturn if before.is_some_and(|b| b.counts.returns < after.counts.returns) => {
            one(Metric::Returned)
        }
        ActionKind::ApproveExtension if after.counts.extensions == 1 => one(Metric::Extended),
        ActionKind::Pass => vec![(Metric::Verified, 1), (Metric::Closed, 1)],
        ActionKind::Fail => vec![(Metric::Verified, 1), (Metric::Reworked, 1)],
        ActionKind::Reopen => vec![(Metric::Reopened, 1), (Metric::Closed, -1)],
        ActionKind::Merge => one(Metric::Merged),
        ActionKind::Unmerge => vec![(Metric::Merged, -1)],
        ActionKind::Overdue if after.alarm() == Stage::Red => one(Metric::Overdue),
        _ => Vec::new(),
    }
}

fn accepted(before: Option<&Event>, at: OffsetDateTime) -> Vec<(Metric, i32)> {
    let clock = before.and_then(|event| event.step_clock.as_ref());
    let in_time = clock.is_some_and(|clock| at <= clock.due).then_some((Metric::AcceptedInTime, 1));
    [(Metric::Accepted, 1)].into_iter().chain(in_time).collect()
}

/// What holds of an event as it stands, on the days it holds for: where a change makes it hold no longer, it is taken back
/// there, and a deadline that moves moves from one day to another.
fn standing(event: &Event) -> Vec<Contribution> {
    let lead = event.lead.as_ref().map(ToString::to_string);
    let fact = |metric, at| Contribution { lead: lead.clone(), ..contribution(metric, at, event) };
    let closed = event.times.closed.filter(|_| event.state == State::Closed);
    let mut facts = Vec::new();
    if let Some(due) = due(event) {
        facts.push(fact(Metric::Due, due));
        facts.extend(closed.map(|_| fact(Metric::DueClosed, due)));
        facts.extend(closed.filter(|at| *at <= due).map(|_| fact(Metric::DueOnTime, due)));
    }
    // What reporters of merged events answer is kept with these, and not counted: only the root was closed.
    if let Some(answer) = event.answer.as_ref().filter(|_| closed.is_some()) {
        let answered = |metric| fact(metric, answer.at);
        facts.push(answered(Metric::Answered));
        facts.extend(answer.solved.then(|| answered(Metric::AnsweredSolved)));
        facts.extend(answer.rating.map(|_| answered(Metric::Rated)));
        facts.extend(answer.rating.filter(|rating| *rating >= 4).map(|_| answered(Metric::Satisfied)));
    }
    if let Some(closed) = closed {
        let took =
            |metric, from, to| Contribution { minutes: Some(minutes(from, to)), ..fact(metric, closed) };
        facts.push(took(Metric::TotalTime, event.times.reported, closed));
        let handled = event.times.dispatched.zip(event.times.resolved);
        facts.extend(handled.map(|(from, to)| took(Metric::HandlingTime, from, to)));
    }
    facts
}

/// When the event is to be closed by. What was settled on the spot was due just then. What is suspended is not due as long
/// as it rests, unless it was late before; what is void or merged is never due.
fn due(event: &Event) -> Option<OffsetDateTime> {
    if matches!(event.state, State::Rejected | State::Voided | State::Merged) {
        return None;
    }
    if event.self_settled {
        return event.times.closed;
    }
    let handling = event.handling_clock.as_ref()?;
    let rests = handling.segments.paused_since().is_some_and(|since| since < handling.clock.due);
    (!rests).then_some(handling.clock.due)
}

fn contribution(metric: Metric, at: OffsetDateTime, event: &Event) -> Contribution {
    Contribution {
        metric: metric.code(),
        day: local_day(at),
        amount: 1,
        category: event.category.clone(),
        lead: None,
        level: event.accepted_depth,
        minutes: None,
    }
}

/// The local day of a moment.
pub fn local_day(at: OffsetDateTime) -> Date {
    at.to_offset(CHINA_STANDARD_TIME).date()
}

/// Minutes between two moments, a started one counted as a whole one.
fn minutes(from: OffsetDateTime, to: OffsetDateTime) -> i64 {
    let seconds = (to - from).whole_nanoseconds();
    i64::try_from((seconds + 59_999_999_999).div_euclid(60_000_000_000)).unwrap_or(i64::MAX).max(0)
}
