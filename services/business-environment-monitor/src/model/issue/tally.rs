//! Tally: what one transition adds to the numbers of its district. Every figure is a sum of these.

use time::Date;

use super::command::Command;
use super::rules::Class;
use super::transition::Transition;
use super::{Issue, Level, Round, State};
use crate::model::local_day;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the proto's IssueFigures says what each is")]
pub enum Measure {
    Submitted,
    Accepted,
    DeemedAccepted,
    NotAccepted,
    Transferred,
    ClosedInTime,
    ClosedLate,
    Returned,
    Reopened,
    Terminated,
    OneStar,
    TwoStars,
    ThreeStars,
    FourStars,
    FiveStars,
    CalledBack,
    Amber,
    Red,
}
use Measure::*;

impl Measure {
    /// Every measure, in the order of the variants.
    pub const ALL: [Measure; 18] = [
        Submitted,
        Accepted,
        DeemedAccepted,
        NotAccepted,
        Transferred,
        ClosedInTime,
        ClosedLate,
        Returned,
        Reopened,
        Terminated,
        OneStar,
        TwoStars,
        ThreeStars,
        FourStars,
        FiveStars,
        CalledBack,
        Amber,
        Red,
    ];
}

/// What an issue touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tag {
    /// One of the 18 indicators.
    Indicator(u8),
    /// One of the year's ten tasks.
    Task(u8),
}

/// Something that happened to an issue, counted once for the issue and once for each of its tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// The local day.
    pub day: Date,
    /// What.
    pub measures: Vec<Measure>,
    /// The department of the round that it concerns.
    pub department: Option<String>,
    /// The class of that round.
    pub class: Option<Class>,
    /// What the issue touches.
    pub tags: Vec<Tag>,
}

/// Where an issue stood and stands: what leaves the one number and joins the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The department of its current round.
    pub department: Option<String>,
    /// Its state.
    pub state: State,
}

impl Place {
    /// Where an issue stands.
    #[must_use]
    pub fn of(issue: &Issue) -> Place {
        Place { department: issue.round().and_then(|round| round.department.clone()), state: issue.state }
    }
}

/// What a transition counts for; `before` is `None` for the submission.
#[must_use]
pub fn tally(before: Option<&Issue>, after: &Issue, transition: &Transition) -> Tally {
    let round = concerned(before, after);
    let deemed = after.acceptance.filter(|_| transition.command == Command::DeemAccepted);
    let submission = &after.submission;
    let indicators = submission.indicators.iter().map(|number| Tag::Indicator(*number));
    let tasks = submission.tasks.iter().map(|number| Tag::Task(*number));
    Tally {
        // However late the system noticed.
        day: local_day(deemed.map_or(transition.at, |acceptance| acceptance.at)),
        measures: measures(round, transition),
        department: round.and_then(|round| round.department.clone()),
        class: round.map(|round| round.class),
        tags: indicators.chain(tasks).collect(),
    }
}

/// The round that changed, of those that were there before: a reopening and a call-back concern an earlier one than the last.
fn concerned<'a>(before: Option<&'a Issue>, after: &'a Issue) -> Option<&'a Round> {
    let before = before.map_or(&[][..], |issue| &issue.rounds);
    let changed = before.iter().zip(&after.rounds).find(|(old, new)| old != new).map(|(_, new)| new);
    changed.or(before.last()).or(after.rounds.last())
}

fn measures(round: Option<&Round>, transition: &Transition) -> Vec<Measure> {
    let one = match &transition.command {
        Command::DeemAccepted => return vec![Accepted, DeemedAccepted],
        Command::Submit(_) => Submitted,
        Command::Accept => Accepted,
        Command::Refuse => NotAccepted,
        Command::Transfer { .. } => Transferred,
        Command::Close if round.is_some_and(replied_late) => ClosedLate,
        Command::Close => ClosedInTime,
        Command::Return { .. } => Returned,
        Command::Reopen { .. } => Reopened,
        Command::Terminate { .. } => Terminated,
        Command::Rate { stars } => [OneStar, TwoStars, ThreeStars, FourStars, FiveStars][stars.index()],
        Command::CallBack { .. } => CalledBack,
        Command::Warn if transition.level == Level::Red => Red,
        Command::Warn => Amber,
        _ => return Vec::new(),
    };
    vec![one]
}

fn replied_late(round: &Round) -> bool {
    round.reply.as_ref().is_some_and(|reply| reply.at > round.clock.due)
}
