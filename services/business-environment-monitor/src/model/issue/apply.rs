//! Apply: one action on one issue, by the table. Pure: time and all facts from elsewhere are arguments.

use jingwei_work_calendar::Calendar;
use time::OffsetDateTime;

use super::arcs::{ActionKind, Next};
use super::change::change;
use super::clock::{Clock, Step};
use super::command::{Command, Refusal};
use super::rules::Rules;
use super::transition::Transition;
use super::{Issue, State, Submission, Submitter};
use crate::model::actor::Actor;

/// What an action needs to know besides the issue.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The time, to the microsecond, as the database keeps it.
    pub now: OffsetDateTime,
    /// The district's calendar.
    pub calendar: &'a Calendar,
    /// The district's rules.
    pub rules: &'a Rules,
    /// The monitors who collected what is behind the issue: they raise it as its submitter does.
    pub raisers: &'a [String],
}

/// A new issue, with its first transition.
///
/// # Errors
/// In this order: `NoCalendar`, `NotAllowed`, `Missing`, `Tags`, `DisclosureMissing`.
pub fn submit(
    submission: &Submission,
    actor: &Actor,
    context: &Context<'_>,
) -> Result<(Issue, Transition), Refusal> {
    let Context { now, calendar, rules, .. } = *context;
    let command = Command::Submit(Box::new(submission.clone()));
    let issue = Issue {
        submission: submission.clone(),
        submitter: Submitter { subject: actor.subject.clone(), role: actor.role },
        submitted: now,
        state: State::Submitted,
        decide_by: rules.decide.end(calendar, now)?,
        step_clock: Some(Clock::start(Step::Register, now, rules.register, calendar)?),
        proposal: None,
        acceptance: None,
        rounds: Vec::new(),
        pending: None,
        resume_at: None,
        version: 1,
    };
    let action = ActionKind::Submit;
    if !action.arc().allows(&issue, actor) {
        return Err(Refusal::NotAllowed { action });
    }
    require(&command)?;
    check_tags("tasks", &submission.tasks, 10)?;
    check_tags("indicators", &submission.indicators, 18)?;
    if submission.about_competitor && submission.disclosure.as_ref().is_none_or(|text| text.trim().is_empty())
    {
        return Err(Refusal::DisclosureMissing);
    }
    let transition = Transition::record(None, &issue, &command, actor, now);
    Ok((issue, transition))
}

/// The issue after a command, with the one transition that records it.
///
/// # Errors
/// In this order: `NotAllowed`, `WrongState`, `OwnIssue`, `DeemedAccepted`, `Missing`, the action's own.
pub fn apply(
    issue: &Issue,
    command: &Command,
    actor: &Actor,
    context: &Context<'_>,
) -> Result<(Issue, Transition), Refusal> {
    let action = command.kind();
    let arc = action.arc();
    if !arc.allows(issue, actor) {
        return Err(Refusal::NotAllowed { action });
    }
    if !arc.from.contains(&issue.state) {
        return Err(Refusal::WrongState { state: issue.state, action });
    }
    if arc.apart && issue.is_raised_by(actor, context.raisers) {
        return Err(Refusal::OwnIssue);
    }
    if issue.state.is_undecided() && action != ActionKind::DeemAccepted && context.now >= issue.decide_by {
        return Err(Refusal::DeemedAccepted { since: issue.decide_by });
    }
    require(command)?;

    let mut after = issue.clone();
    change(&mut after, command, actor, context)?;
    after.state = match arc.to {
        Next::To(state) => state,
        Next::KeepOrPause if after.resume_at.is_some() => State::Paused,
        Next::Keep | Next::KeepOrPause => issue.state,
    };
    after.version += 1;
    let transition = Transition::record(Some(issue.state), &after, command, actor, context.now);
    Ok((after, transition))
}

impl Issue {
    /// What the system has to do at `now`, one command at a time: repeat until `None`.
    #[must_use]
    pub fn due_command(&self, now: OffsetDateTime) -> Option<Command> {
        self.alarm_at().filter(|at| *at <= now)?;
        Some(match self.state {
            State::Paused => Command::Resume,
            state if state.is_undecided() && self.decide_by <= now => Command::DeemAccepted,
            _ => Command::Warn,
        })
    }
}

fn require(command: &Command) -> Result<(), Refusal> {
    let blank = command.texts().into_iter().filter(|(_, text)| text.trim().is_empty());
    let fields: Vec<_> = blank.map(|(field, _)| field).collect();
    if fields.is_empty() { Ok(()) } else { Err(Refusal::Missing { fields }) }
}

fn check_tags(field: &'static str, tags: &[u8], most: u8) -> Result<(), Refusal> {
    let right = |(place, tag): (usize, &u8)| (1..=most).contains(tag) && !tags[..place].contains(tag);
    if tags.iter().enumerate().all(right) { Ok(()) } else { Err(Refusal::Tags { field }) }
}
