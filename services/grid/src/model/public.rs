//! What the reporter of a case is told of its history: each step that concerns them, no internal remarks, nobody's name.
use super::action::ActionKind;
use super::transition::Transition;

/// What the unit has to say to the reporter at a step; `None` where the step is not the reporter's to see.
pub fn reply(transition: &Transition) -> Option<&str> {
    use ActionKind::*;
    match transition.action {
        Report | Confirm | Accept | Register | Dispatch | SignFor | Pass | Fail | ApproveExtension
        | ApproveSuspension | Resume | Reopen | Merge | Unmerge | Answer => Some(""),
        Reject | Void | Uphold => Some(&transition.reason),
        Resolve | Settle => Some(&transition.note),
        CoHandle | RequestReturn | ApproveReturn | RuleOnReturn | RequestExtension | RequestSuspension
        | DenyRequest | WithdrawRequest | Escalate | Delegate | Transfer | Urge | Supervise | Comment
        | Warn | Overdue | AskReview | Reveal => None,
    }
}
