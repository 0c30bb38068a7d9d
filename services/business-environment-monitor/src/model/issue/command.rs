//! What can be asked of an issue, and why it is refused.

use jingwei_work_calendar::NoCalendar;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::arcs::ActionKind;
use super::rules::Class;
use super::{Stars, State, Submission, Wish};
use crate::model::receiver::Receiver;

/// What somebody wants to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the arcs say what each does, the fields are those of an issue")]
pub enum Command {
    Submit(Box<Submission>),
    Register,
    Accept,
    DeemAccepted,
    ProposeRefusal { reason: String },
    Refuse,
    Transfer { to: Receiver },
    Classify { class: Class },
    Assign { department: String },
    Start,
    Ask { wish: Wish, reason: String },
    Grant,
    Deny { reason: String },
    Resume,
    Reply { text: String },
    Verify { solved: bool },
    Close,
    Return { reason: String },
    Reopen { reason: String },
    Terminate { reason: String },
    Rate { stars: Stars },
    CallBack { finding: String },
    Warn,
}

impl Command {
    /// The action that it is.
    #[must_use]
    pub fn kind(&self) -> ActionKind {
        match self {
            Command::Submit(_) => ActionKind::Submit,
            Command::Register => ActionKind::Register,
            Command::Accept => ActionKind::Accept,
            Command::DeemAccepted => ActionKind::DeemAccepted,
            Command::ProposeRefusal { .. } => ActionKind::ProposeRefusal,
            Command::Refuse => ActionKind::Refuse,
            Command::Transfer { .. } => ActionKind::Transfer,
            Command::Classify { .. } => ActionKind::Classify,
            Command::Assign { .. } => ActionKind::Assign,
            Command::Start => ActionKind::Start,
            Command::Ask { .. } => ActionKind::Ask,
            Command::Grant => ActionKind::Grant,
            Command::Deny { .. } => ActionKind::Deny,
            Command::Resume => ActionKind::Resume,
            Command::Reply { .. } => ActionKind::Reply,
            Command::Verify { .. } => ActionKind::Verify,
            Command::Close => ActionKind::Close,
            Command::Return { .. } => ActionKind::Return,
            Command::Reopen { .. } => ActionKind::Reopen,
            Command::Terminate { .. } => ActionKind::Terminate,
            Command::Rate { .. } => ActionKind::Rate,
            Command::CallBack { .. } => ActionKind::CallBack,
            Command::Warn => ActionKind::Warn,
        }
    }

    /// What was said with it: a reason, a reply, a finding, to what kind of authority; empty where nothing is.
    #[must_use]
    pub fn said(&self) -> &str {
        match self {
            Command::Submit(_) | Command::Assign { .. } => "",
            Command::Transfer { to } => to.chinese(),
            _ => self.texts().last().map_or("", |(_, text)| text),
        }
    }

    /// The texts that must not be blank, with their names.
    pub(super) fn texts(&self) -> Vec<(&'static str, &str)> {
        match self {
            Command::Submit(submission) => {
                vec![("title", &submission.title), ("description", &submission.description)]
            }
            Command::Assign { department } => vec![("department", department)],
            Command::Reply { text } => vec![("text", text)],
            Command::CallBack { finding } => vec![("finding", finding)],
            Command::ProposeRefusal { reason }
            | Command::Ask { reason, .. }
            | Command::Deny { reason }
            | Command::Return { reason }
            | Command::Reopen { reason }
            | Command::Terminate { reason } => vec![("reason", reason)],
            _ => Vec::new(),
        }
    }
}

/// Why an action is not possible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The grant may not do it: its role, district, department, or not the submitter.
    NotAllowed {
        /// What was asked for.
        action: ActionKind,
    },
    /// The state does not allow it.
    WrongState {
        /// The state.
        state: State,
        /// What was asked for.
        action: ActionKind,
    },
    /// A monitor neither handles nor verifies an issue they raised.
    OwnIssue,
    /// These texts are blank.
    Missing {
        /// The fields of the command.
        fields: Vec<&'static str>,
    },
    /// A tag is not 1 to 10 of the year's tasks, or 1 to 18 of the indicators, or occurs twice.
    Tags {
        /// The field of the submission.
        field: &'static str,
    },
    /// Whoever works for a competitor says so before raising an issue.
    DisclosureMissing,
    /// The time for the decision is over: the issue is accepted.
    DeemedAccepted {
        /// Since when.
        since: OffsetDateTime,
    },
    /// Nobody has proposed to refuse it.
    NoProposal,
    /// Two people do this: who proposed does not approve, who replied does not verify.
    SamePerson,
    /// Another request is undecided.
    RequestPending,
    /// There is no request to decide.
    NoRequestPending,
    /// As many extensions as can be were given in this round.
    TooManyExtensions {
        /// How many that is.
        limit: u32,
    },
    /// An extension is of at least one working day and at most this many.
    ExtensionTooLong {
        /// In working days.
        at_most: u32,
    },
    /// An extension must be asked for before the deadline.
    DeadlinePassed {
        /// The deadline.
        due: OffsetDateTime,
    },
    /// A pause must end in the future.
    PauseNotInFuture {
        /// Its end.
        until: OffsetDateTime,
    },
    /// What is not solved is not closed.
    NotSolved,
    /// What is solved is not returned.
    Solved,
    /// The round has been rated.
    AlreadyRated,
    /// Nobody has to be called back.
    NoCallBackDue,
    /// The system has nothing to do yet.
    NotDue,
    /// The work calendar has no data for a year that a deadline needs.
    NoCalendar {
        /// The year.
        year: i32,
    },
}

impl From<NoCalendar> for Refusal {
    fn from(NoCalendar { year }: NoCalendar) -> Refusal {
        Refusal::NoCalendar { year }
    }
}
