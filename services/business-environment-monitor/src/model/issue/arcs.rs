//! The state table of issues: one row for each action says from which states, to which, and who may. The table is the code.

use serde::{Deserialize, Serialize};

use super::State::{self, *};
use super::{Issue, Round};
use crate::model::actor::{Actor, Role};

/// What can be done with an issue, without its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "NAMES says what each is called")]
pub enum ActionKind {
    Submit,
    Register,
    Accept,
    DeemAccepted,
    ProposeRefusal,
    Refuse,
    Transfer,
    Classify,
    Assign,
    Start,
    Ask,
    Grant,
    Deny,
    Resume,
    Reply,
    Verify,
    Close,
    Return,
    Reopen,
    Terminate,
    Rate,
    CallBack,
    Warn,
}
use ActionKind::*;

/// Every action in the order of the variants: code, Chinese, English.
const NAMES: [(ActionKind, &str, &str, &str); 23] = [
    (Submit, "SUBMIT", "提交", "submitted"),
    (Register, "REGISTER", "登记", "registered"),
    (Accept, "ACCEPT", "受理", "accepted"),
    (DeemAccepted, "DEEM_ACCEPTED", "视为受理", "accepted, nobody having decided in time"),
    (ProposeRefusal, "PROPOSE_REFUSAL", "拟不予受理", "refusal proposed"),
    (Refuse, "REFUSE", "不予受理", "not accepted"),
    (Transfer, "TRANSFER", "移送", "transferred to another authority"),
    (Classify, "CLASSIFY", "分类", "classified"),
    (Assign, "ASSIGN", "交办", "assigned"),
    (Start, "START", "签收", "signed for"),
    (Ask, "ASK", "申请延期或暂停", "more time or a pause requested"),
    (Grant, "GRANT", "同意申请", "request approved"),
    (Deny, "DENY", "驳回申请", "request refused"),
    (Resume, "RESUME", "恢复办理", "resumed"),
    (Reply, "REPLY", "答复", "replied"),
    (Verify, "VERIFY", "核实", "verified"),
    (Close, "CLOSE", "办结", "closed"),
    (Return, "RETURN", "退回重办", "returned"),
    (Reopen, "REOPEN", "重开", "reopened"),
    (Terminate, "TERMINATE", "终止", "terminated"),
    (Rate, "RATE", "好差评", "rated"),
    (CallBack, "CALL_BACK", "差评回访", "called back for a bad rating"),
    (Warn, "WARN", "督办升级", "supervision level raised"),
];

/// How a grant has to stand to an issue, in its district.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// It is of the district.
    District,
    /// It is of the department that handles the current round.
    Handler,
    /// Its owner submitted the issue.
    Submitter,
}

/// The state after an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// This one.
    To(State),
    /// The one before.
    Keep,
    /// The one before, or `Paused` where a pause is granted.
    KeepOrPause,
}
use Next::{Keep, To};

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Arc {
    /// What is done.
    pub action: ActionKind,
    /// In which states it can be done.
    pub from: &'static [State],
    /// The state after.
    pub to: Next,
    /// Who may.
    pub who: &'static [(Role, Relation)],
    /// Whether a monitor who submitted the issue is kept from it, in whatever role: no monitor handles or verifies
    /// what they raised.
    pub apart: bool,
}

const BY_OFFICE: &[(Role, Relation)] = &[(Role::Office, Relation::District)];
const BY_HANDLER: &[(Role, Relation)] = &[(Role::Department, Relation::Handler)];
const BY_SYSTEM: &[(Role, Relation)] = &[(Role::System, Relation::District)];
const BY_SUBMITTER: &[(Role, Relation)] =
    &[(Role::Monitor, Relation::Submitter), (Role::Enterprise, Relation::Submitter)];
const TO_VERIFY: &[(Role, Relation)] =
    &[(Role::Enterprise, Relation::Submitter), (Role::Office, Relation::District)];
const TO_REOPEN: &[(Role, Relation)] = &[
    (Role::Monitor, Relation::Submitter),
    (Role::Enterprise, Relation::Submitter),
    (Role::Office, Relation::District),
];
const TO_RESUME: &[(Role, Relation)] = &[
    (Role::Office, Relation::District),
    (Role::Department, Relation::Handler),
    (Role::System, Relation::District),
];

/// Undecided or with a clock that runs.
const CLOCKED: &[State] =
    &[Submitted, Registered, Accepted, Classified, Assigned, InHandling, Replied, Verified];
/// Accepted and not ended.
const ON_THE_WAY: &[State] = &[Accepted, Classified, Assigned, InHandling, Paused, Replied, Verified];
/// A round may have been closed before, and rated.
const ROUNDS: &[State] = &[Classified, Assigned, InHandling, Paused, Replied, Verified, Closed, Terminated];

/// The table, in the order of `ActionKind`. A returned issue is in handling again; an extended one still is.
#[rustfmt::skip] // a row is a line
pub const ARCS: [Arc; 23] = [
    arc(Submit, &[], To(Submitted), BY_SUBMITTER, false),
    arc(Register, &[Submitted], To(Registered), BY_OFFICE, true),
    arc(Accept, &[Registered], To(Accepted), BY_OFFICE, true),
    arc(DeemAccepted, &[Submitted, Registered], To(Accepted), BY_SYSTEM, false),
    arc(ProposeRefusal, &[Registered], Keep, BY_OFFICE, true),
    arc(Refuse, &[Registered], To(NotAccepted), BY_OFFICE, true),
    arc(Transfer, &[Registered, Transferred], To(Transferred), BY_OFFICE, true),
    arc(Classify, &[Accepted], To(Classified), BY_OFFICE, true),
    arc(Assign, &[Classified, Assigned], To(Assigned), BY_OFFICE, true),
    arc(Start, &[Assigned], To(InHandling), BY_HANDLER, true),
    arc(Ask, &[InHandling], Keep, BY_HANDLER, true),
    arc(Grant, &[InHandling], Next::KeepOrPause, BY_OFFICE, true),
    arc(Deny, &[InHandling], Keep, BY_OFFICE, true),
    arc(Resume, &[Paused], To(InHandling), TO_RESUME, true),
    arc(Reply, &[InHandling], To(Replied), BY_HANDLER, true),
    arc(Verify, &[Replied], To(Verified), TO_VERIFY, true),
    arc(Close, &[Verified], To(Closed), BY_OFFICE, true),
    arc(Return, &[Verified], To(InHandling), BY_OFFICE, true),
    arc(Reopen, &[Closed], To(Classified), TO_REOPEN, false),
    arc(Terminate, ON_THE_WAY, To(Terminated), BY_OFFICE, true),
    arc(Rate, &[Closed], Keep, BY_SUBMITTER, false),
    arc(CallBack, ROUNDS, Keep, BY_OFFICE, true),
    arc(Warn, CLOCKED, Keep, BY_SYSTEM, false),
];

const fn arc(
    action: ActionKind,
    from: &'static [State],
    to: Next,
    who: &'static [(Role, Relation)],
    apart: bool,
) -> Arc {
    Arc { action, from, to, who, apart }
}

impl ActionKind {
    /// Every action, once.
    pub fn all() -> impl Iterator<Item = ActionKind> {
        NAMES.iter().map(|row| row.0)
    }

    /// Its code, e.g. `CALL_BACK`.
    #[must_use]
    pub fn code(self) -> &'static str {
        NAMES[self as usize].1
    }

    /// In Chinese, e.g. 差评回访.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        NAMES[self as usize].2
    }

    /// In English, as an entry of a timeline.
    #[must_use]
    pub fn english(self) -> &'static str {
        NAMES[self as usize].3
    }

    /// The action's row of the table.
    #[must_use]
    pub fn arc(self) -> &'static Arc {
        &ARCS[self as usize]
    }
}

impl Arc {
    /// Whether the actor may do it to the issue, whatever its state.
    #[must_use]
    pub fn allows(&self, issue: &Issue, actor: &Actor) -> bool {
        let holds = |relation| match relation {
            Relation::District => true,
            Relation::Handler => {
                let department = issue.round().and_then(|round: &Round| round.department.as_ref());
                department.is_some() && department == actor.unit.as_ref()
            }
            Relation::Submitter => {
                (actor.role, &actor.subject) == (issue.submitter.role, &issue.submitter.subject)
            }
        };
        actor.district == issue.submission.district
            && self.who.iter().any(|(role, relation)| *role == actor.role && holds(*relation))
    }
}

#[cfg(test)]
mod docs;
