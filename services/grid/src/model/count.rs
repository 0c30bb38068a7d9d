//! What each transition adds to the counts of its area: the counts are folds over transitions and nothing else.

use super::action::ActionKind;
use super::clock::Stage;
use super::event::Event;

/// What is counted. The numbers are stored: never reuse one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Reported 上报.
    Reported,
    /// Accepted 受理.
    Accepted,
    /// Accepted by a level of this depth, 0 district to 4 micro-grid.
    AcceptedAt(u8),
    /// Not accepted 不予受理.
    Rejected,
    /// Registered 立案.
    Registered,
    /// Void 作废.
    Voided,
    /// Dispatched for the first time 派遣.
    Dispatched,
    /// Returns approved 退回.
    Returned,
    /// Closed 结案; one less when reopened.
    Closed,
    /// Settled on the spot 自处理.
    SelfSettled,
    /// Verification failed 返工.
    Reworked,
    /// Reopened 重开.
    Reopened,
    /// Merged 并案; one less when un-merged.
    Merged,
    /// A deadline passed 超时.
    Overdue,
}

impl Metric {
    /// The stored number, from 1.
    pub fn code(self) -> i32 {
        match self {
            Metric::Reported => 1,
            Metric::Accepted => 2,
            Metric::Rejected => 3,
            Metric::Registered => 4,
            Metric::Voided => 5,
            Metric::Dispatched => 6,
            Metric::Returned => 7,
            Metric::Closed => 8,
            Metric::SelfSettled => 9,
            Metric::Reworked => 10,
            Metric::Reopened => 11,
            Metric::Merged => 12,
            Metric::Overdue => 13,
            Metric::AcceptedAt(depth) => 100 + i32::from(depth),
        }
    }
}

/// The codes that a change adds to the counts, negative for one less.
pub fn counts(action: ActionKind, before: Option<&Event>, after: &Event) -> Vec<i32> {
    let one = |metric: Metric| vec![metric.code()];
    match action {
        ActionKind::Report => one(Metric::Reported),
        ActionKind::Accept => accepted(after),
        ActionKind::Settle => {
            let closed = [Metric::Closed.code(), Metric::SelfSettled.code()];
            accepted(after).into_iter().chain(closed).collect()
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
        ActionKind::Pass => one(Metric::Closed),
        ActionKind::Fail => one(Metric::Reworked),
        ActionKind::Reopen => vec![Metric::Reopened.code(), -Metric::Closed.code()],
        ActionKind::Merge => one(Metric::Merged),
        ActionKind::Unmerge => vec![-Metric::Merged.code()],
        ActionKind::Overdue if after.alarm() == Stage::Red => one(Metric::Overdue),
        _ => Vec::new(),
    }
}

fn accepted(after: &Event) -> Vec<i32> {
    let level = after.accepted_depth.map(|depth| Metric::AcceptedAt(depth).code());
    [Metric::Accepted.code()].into_iter().chain(level).collect()
}
