//! The state table: one row for each action says from which states, to which, who, with what, and what the clocks do.
//! `apply` consults it; docs/state-table.md is printed from it.
use super::action::ActionKind::{self, *};
use super::actor::Role;
use super::clock::Step;
use super::event::State::{self, *};
use super::relation::Relation;

/// What a command has to carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// A reason.
    Reason,
    /// A note.
    Note,
    /// At least one piece of evidence.
    Evidence,
    /// What came of it.
    Outcome,
    /// Who gets it.
    Target,
    /// How much time.
    Amount,
    /// The date of resumption.
    ResumeDate,
    /// The event to merge into.
    Root,
    /// The level of supervision.
    Level,
}

/// The state after an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// This one.
    To(State),
    /// The one before.
    Keep,
    /// `REPORTED`, or `VERIFYING` where the public reports and the category asks for it.
    Reported,
    /// The one before the merge.
    Restored,
}

/// What an action does to the clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockEffect {
    /// Nothing.
    Keep,
    /// Ends the desk's clock and starts the one of this step. A handling clock runs on.
    StartStep(Step),
    /// Ends the desk's clock; starts the handling clock unless this round has one.
    StartHandling,
    /// Ends the desk's clock. A handling clock runs on.
    EndStep,
    /// Ends every clock.
    EndAll,
    /// Moves the handling deadline by the extension.
    Extend,
    /// The handling clock stands still.
    Pause,
    /// The handling clock runs on, its deadline moved by the time it stood still.
    Resume,
    /// Takes every clock away until the merge is undone.
    SetAside,
    /// Puts every clock back as it was.
    Restore,
    /// Gives the next alarm of the running clock.
    Alarm,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Arc {
    /// What is done.
    pub action: ActionKind,
    /// In which states it can be done.
    pub from: &'static [State],
    /// The state after.
    pub to: Next,
    /// Who may: one of the roles, standing to the event as told.
    pub who: &'static [(&'static [Role], Relation)],
    /// What the command has to carry.
    pub requires: &'static [Field],
    /// What the clocks do.
    pub clock: ClockEffect,
}

const DESK: &[Role] = &[Role::GridChief, Role::Community, Role::Street, Role::Dispatcher];
const OFFICES: &[Role] = &[Role::Community, Role::Street, Role::Dispatcher];
const GRID: &[Role] = &[Role::GridWorker, Role::GridChief, Role::Community, Role::Street, Role::Dispatcher];
const HANDLERS: &[Role] =
    &[Role::GridWorker, Role::GridChief, Role::Community, Role::Street, Role::Dispatcher, Role::Department];
const SETTLERS: &[Role] = &[Role::GridWorker, Role::GridChief, Role::Community, Role::Street];
const OVERSEERS: &[Role] =
    &[Role::GridChief, Role::Community, Role::Street, Role::Dispatcher, Role::Supervisor];
const SUPERVISORS: &[Role] = &[Role::Street, Role::Dispatcher, Role::Supervisor];
const REVIEWERS: &[Role] = &[Role::Community, Role::Street, Role::Dispatcher, Role::Supervisor];
/// Whoever may read an event at all.
pub(super) const READERS: &[Role] = &[
    Role::GridWorker,
    Role::GridChief,
    Role::Community,
    Role::Street,
    Role::Dispatcher,
    Role::Department,
    Role::Supervisor,
];

const OPEN: &[State] =
    &[Verifying, Reported, Accepted, Registered, Dispatched, Handling, Resolved, Suspended];
const CLOCKED: &[State] = &[Verifying, Reported, Accepted, Registered, Dispatched, Handling, Resolved];
const MOVABLE: &[State] = &[Reported, Accepted, Registered, Dispatched, Handling];
const MERGEABLE: &[State] = &[Verifying, Reported, Accepted, Registered, Dispatched, Handling];
const WITH_HANDLER: &[State] = &[Dispatched, Handling];
const ALL: &[State] = &[
    Verifying, Reported, Accepted, Registered, Dispatched, Handling, Resolved, Suspended, Closed, Rejected,
    Voided, Merged,
];

const AT_DESK: &[(&[Role], Relation)] = &[(DESK, Relation::Desk)];
const BY_HOLDER: &[(&[Role], Relation)] = &[(HANDLERS, Relation::Holder)];
const BY_ANYBODY: &[(&[Role], Relation)] = &[(HANDLERS, Relation::Area), (&[Role::Public], Relation::Area)];
const BY_REPORTER: &[(&[Role], Relation)] = &[(&[Role::Public], Relation::Reporter)];
const IN_AREA: &[(&[Role], Relation)] = &[(OFFICES, Relation::Area)];
const BY_SYSTEM: &[(&[Role], Relation)] = &[(&[Role::System], Relation::System)];
const TO_RESUME: &[(&[Role], Relation)] =
    &[(DESK, Relation::Desk), (HANDLERS, Relation::Holder), (&[Role::System], Relation::System)];

use ClockEffect as Clock;
use Field as Needs;
use Next::{Keep, To};

/// The table, in the order of `ActionKind`.
#[rustfmt::skip] // a row is a line
pub const ARCS: [Arc; 38] = [
    arc(Report, &[], Next::Reported, BY_ANYBODY, &[], Clock::StartStep(Step::Accept)),
    arc(Confirm, &[Verifying], To(Reported), &[(GRID, Relation::Desk)], &[], Clock::Keep),
    arc(Accept, &[Reported], To(Accepted), AT_DESK, &[], Clock::StartStep(Step::Register)),
    arc(Reject, &[Reported, Verifying], To(Rejected), AT_DESK, &[Needs::Reason, Needs::Outcome], Clock::EndAll),
    arc(Register, &[Accepted], To(Registered), AT_DESK, &[], Clock::StartStep(Step::Dispatch)),
    arc(Void, &[Accepted, Registered], To(Voided), &[(OFFICES, Relation::Desk)], &[Needs::Reason], Clock::EndAll),
    arc(Dispatch, &[Registered], To(Dispatched), AT_DESK, &[Needs::Target], Clock::StartHandling),
    arc(SignFor, &[Dispatched], To(Handling), BY_HOLDER, &[], Clock::Keep),
    arc(CoHandle, WITH_HANDLER, Keep, &[(HANDLERS, Relation::CoHandler)], &[Needs::Note], Clock::Keep),
    arc(Resolve, &[Handling], To(Resolved), BY_HOLDER, &[Needs::Outcome, Needs::Note, Needs::Evidence], Clock::StartStep(Step::Verify)),
    arc(Pass, &[Resolved], To(Closed), AT_DESK, &[], Clock::EndAll),
    arc(Fail, &[Resolved], To(Handling), AT_DESK, &[Needs::Reason], Clock::EndStep),
    arc(RequestReturn, WITH_HANDLER, Keep, BY_HOLDER, &[Needs::Reason, Needs::Evidence], Clock::Keep),
    arc(ApproveReturn, WITH_HANDLER, To(Registered), AT_DESK, &[], Clock::StartStep(Step::Dispatch)),
    arc(RuleOnReturn, WITH_HANDLER, To(Dispatched), &[(&[Role::Dispatcher], Relation::District)], &[Needs::Target, Needs::Reason], Clock::Keep),
    arc(RequestExtension, WITH_HANDLER, Keep, BY_HOLDER, &[Needs::Amount, Needs::Reason], Clock::Keep),
    arc(ApproveExtension, WITH_HANDLER, Keep, AT_DESK, &[], Clock::Extend),
    arc(RequestSuspension, &[Handling], Keep, BY_HOLDER, &[Needs::ResumeDate, Needs::Reason], Clock::Keep),
    arc(ApproveSuspension, &[Handling], To(Suspended), AT_DESK, &[], Clock::Pause),
    arc(DenyRequest, WITH_HANDLER, Keep, AT_DESK, &[Needs::Reason], Clock::Keep),
    arc(WithdrawRequest, WITH_HANDLER, Keep, BY_HOLDER, &[], Clock::Keep),
    arc(Resume, &[Suspended], To(Handling), TO_RESUME, &[], Clock::Resume),
    arc(Escalate, MOVABLE, Keep, &[(GRID, Relation::Holder)], &[Needs::Reason], Clock::Keep),
    arc(Delegate, MOVABLE, Keep, &[(DESK, Relation::Holder)], &[Needs::Target], Clock::Keep),
    arc(Transfer, MOVABLE, Keep, BY_HOLDER, &[Needs::Target, Needs::Reason], Clock::Keep),
    arc(Settle, &[Reported], To(Closed), &[(SETTLERS, Relation::Desk)], &[Needs::Outcome, Needs::Note, Needs::Evidence], Clock::EndAll),
    arc(Reopen, &[Closed], To(Registered), &[(OVERSEERS, Relation::Area)], &[Needs::Reason], Clock::StartStep(Step::Dispatch)),
    arc(Merge, MERGEABLE, To(Merged), IN_AREA, &[Needs::Root], Clock::SetAside),
    arc(Unmerge, &[Merged], Next::Restored, IN_AREA, &[Needs::Reason], Clock::Restore),
    arc(Urge, OPEN, Keep, &[(OVERSEERS, Relation::Area)], &[Needs::Note], Clock::Keep),
    arc(Supervise, OPEN, Keep, &[(SUPERVISORS, Relation::Area)], &[Needs::Level, Needs::Note], Clock::Keep),
    arc(Comment, ALL, Keep, &[(READERS, Relation::Reader)], &[Needs::Note], Clock::Keep),
    arc(Warn, CLOCKED, Keep, BY_SYSTEM, &[], Clock::Alarm),
    arc(Overdue, CLOCKED, Keep, BY_SYSTEM, &[], Clock::Alarm),
    arc(Answer, &[Closed, Merged], Keep, BY_REPORTER, &[], Clock::Keep),
    arc(AskReview, &[Closed], Keep, BY_SYSTEM, &[], Clock::Keep),
    arc(Uphold, &[Closed], Keep, &[(REVIEWERS, Relation::Area)], &[Needs::Reason], Clock::Keep),
    arc(Reveal, ALL, Keep, &[(DESK, Relation::Desk), (HANDLERS, Relation::Holder)], &[Needs::Reason], Clock::Keep),
];

const fn arc(
    action: ActionKind,
    from: &'static [State],
    to: Next,
    who: &'static [(&'static [Role], Relation)],
    requires: &'static [Field],
    clock: ClockEffect,
) -> Arc {
    Arc { action, from, to, who, requires, clock }
}

impl ActionKind {
    /// The action's row of the table.
    pub fn arc(self) -> &'static Arc {
        &ARCS[self as usize]
    }
}

impl Arc {
    /// Whether some relation would let the role do it.
    pub fn is_for(&self, role: Role) -> bool {
        self.who.iter().any(|(roles, _)| roles.contains(&role))
    }
}

#[cfg(test)]
mod docs;
