//! Action: what can be done with an event, and the command that asks for it.
use jingwei_work_calendar::Limit;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::serde::rfc3339;
use uuid::Uuid;

use super::area::AreaCode;
use super::event::{Evidence, Outcome, SupervisionLevel, Wish};
use super::unit::Unit;

/// What can be done, without its data: a row of the table, an entry of a timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "NAMES says what each is called")]
pub enum ActionKind {
    Report,
    Confirm,
    Accept,
    Reject,
    Register,
    Void,
    Dispatch,
    SignFor,
    CoHandle,
    Resolve,
    Pass,
    Fail,
    RequestReturn,
    ApproveReturn,
    RuleOnReturn,
    RequestExtension,
    ApproveExtension,
    RequestSuspension,
    ApproveSuspension,
    DenyRequest,
    WithdrawRequest,
    Resume,
    Escalate,
    Delegate,
    Transfer,
    Settle,
    Reopen,
    Merge,
    Unmerge,
    Urge,
    Supervise,
    Comment,
    Warn,
    Overdue,
    Answer,
    AskReview,
    Uphold,
    Reveal,
}

use ActionKind as Kind;

/// Every action in the order of the variants: its code, in Chinese, in English.
const NAMES: [(ActionKind, &str, &str, &str); 38] = [
    (Kind::Report, "REPORT", "上报", "reported"),
    (Kind::Confirm, "CONFIRM", "核实", "report confirmed"),
    (Kind::Accept, "ACCEPT", "受理", "accepted"),
    (Kind::Reject, "REJECT", "不予受理", "not accepted"),
    (Kind::Register, "REGISTER", "立案", "registered"),
    (Kind::Void, "VOID", "作废", "declared void"),
    (Kind::Dispatch, "DISPATCH", "派遣", "dispatched"),
    (Kind::SignFor, "SIGN_FOR", "签收", "signed for"),
    (Kind::CoHandle, "CO_HANDLE", "会办完成", "co-handler's part done"),
    (Kind::Resolve, "RESOLVE", "处置完成", "handled"),
    (Kind::Pass, "PASS", "核查通过", "verified and closed"),
    (Kind::Fail, "FAIL", "核查不通过", "verification failed"),
    (Kind::RequestReturn, "REQUEST_RETURN", "申请退回", "return requested"),
    (Kind::ApproveReturn, "APPROVE_RETURN", "同意退回", "return approved"),
    (Kind::RuleOnReturn, "RULE_ON_RETURN", "终审", "final ruling"),
    (Kind::RequestExtension, "REQUEST_EXTENSION", "申请延期", "more time requested"),
    (Kind::ApproveExtension, "APPROVE_EXTENSION", "同意延期", "more time given"),
    (Kind::RequestSuspension, "REQUEST_SUSPENSION", "申请挂账", "suspension requested"),
    (Kind::ApproveSuspension, "APPROVE_SUSPENSION", "同意挂账", "suspended"),
    (Kind::DenyRequest, "DENY_REQUEST", "驳回申请", "request refused"),
    (Kind::WithdrawRequest, "WITHDRAW_REQUEST", "撤回申请", "request withdrawn"),
    (Kind::Resume, "RESUME", "恢复处置", "resumed"),
    (Kind::Escalate, "ESCALATE", "上报上级", "given one level up"),
    (Kind::Delegate, "DELEGATE", "下派", "given one level down"),
    (Kind::Transfer, "TRANSFER", "转办", "given across"),
    (Kind::Settle, "SETTLE", "自处理", "settled on the spot"),
    (Kind::Reopen, "REOPEN", "重开", "reopened"),
    (Kind::Merge, "MERGE", "并案", "merged"),
    (Kind::Unmerge, "UNMERGE", "撤销并案", "merge undone"),
    (Kind::Urge, "URGE", "催办", "urged"),
    (Kind::Supervise, "SUPERVISE", "督办", "put under supervision"),
    (Kind::Comment, "COMMENT", "备注", "remark"),
    (Kind::Warn, "WARN", "预警", "warning"),
    (Kind::Overdue, "OVERDUE", "超时升级", "overdue"),
    (Kind::Answer, "ANSWER", "评价", "reporter's answer"),
    (Kind::AskReview, "ASK_REVIEW", "申请复核", "review asked for"),
    (Kind::Uphold, "UPHOLD", "维持结案", "closing upheld"),
    (Kind::Reveal, "REVEAL", "查看联系方式", "contact revealed"),
];

impl ActionKind {
    /// Every action, once.
    pub fn all() -> impl Iterator<Item = ActionKind> {
        NAMES.iter().map(|name| name.0)
    }

    /// Its code, e.g. `SIGN_FOR`.
    pub fn code(self) -> &'static str {
        NAMES[self as usize].1
    }

    /// In Chinese, e.g. 签收.
    pub fn chinese(self) -> &'static str {
        NAMES[self as usize].2
    }

    /// In English, as an entry of a timeline, e.g. `signed for`.
    pub fn english(self) -> &'static str {
        NAMES[self as usize].3
    }
}

/// Why a handler gives an event back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReturnReason {
    /// Not our duty 非本单位职责.
    NotOurDuty,
    /// The place is wrong 地点有误.
    WrongPlace,
    /// Reported already 重复上报.
    Duplicate,
    /// A higher level must do it 需上级处置.
    NeedsHigherLevel,
    /// Something else, told in the note 其他.
    Other,
}

impl ReturnReason {
    /// Its code, e.g. `WRONG_PLACE`: the reason of the transition.
    pub fn code(self) -> &'static str {
        match self {
            ReturnReason::NotOurDuty => "NOT_OUR_DUTY",
            ReturnReason::WrongPlace => "WRONG_PLACE",
            ReturnReason::Duplicate => "DUPLICATE",
            ReturnReason::NeedsHigherLevel => "NEEDS_HIGHER_LEVEL",
            ReturnReason::Other => "OTHER",
        }
    }
}

/// What a handler can ask for, without its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestKind {
    /// To give it back 退回.
    Return,
    /// More time 延期.
    Extension,
    /// To let it rest 挂账.
    Suspension,
}

impl Wish {
    /// The wish without its data.
    pub fn kind(&self) -> RequestKind {
        match self {
            Wish::Return => RequestKind::Return,
            Wish::Extension { .. } => RequestKind::Extension,
            Wish::Suspension { .. } => RequestKind::Suspension,
        }
    }
}

/// An action with its own data; the data is recorded in the transition's details under the names used here.
/// A report is not among them: it makes an event (`report`), the others change one (`apply`).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "ARCS says what each does")]
pub enum Action {
    Confirm,
    Accept,
    Reject {
        outcome: Outcome,
    },
    Register,
    Void,
    Dispatch {
        lead: Unit,
        co_handlers: Vec<Unit>,
    },
    SignFor,
    CoHandle,
    Resolve {
        outcome: Outcome,
    },
    Pass,
    Fail,
    RequestReturn {
        reason: ReturnReason,
    },
    ApproveReturn,
    RuleOnReturn {
        lead: Unit,
    },
    RequestExtension {
        by: Limit,
    },
    ApproveExtension,
    RequestSuspension {
        #[serde(with = "rfc3339")]
        resume_at: OffsetDateTime,
    },
    ApproveSuspension,
    DenyRequest,
    WithdrawRequest,
    Resume,
    Escalate,
    Delegate {
        target: AreaCode,
    },
    Transfer {
        target: Unit,
    },
    Settle {
        outcome: Outcome,
    },
    Reopen,
    Merge {
        root: Uuid,
    },
    Unmerge,
    Urge,
    Supervise {
        level: SupervisionLevel,
    },
    Comment,
    Warn,
    Overdue,
    Answer {
        solved: bool,
        rating: Option<u8>,
    },
    AskReview {
        case: Uuid,
    },
    Uphold,
    Reveal,
}

impl Action {
    /// The action without its data.
    pub fn kind(&self) -> ActionKind {
        match self {
            Action::Confirm => Kind::Confirm,
            Action::Accept => Kind::Accept,
            Action::Reject { .. } => Kind::Reject,
            Action::Register => Kind::Register,
            Action::Void => Kind::Void,
            Action::Dispatch { .. } => Kind::Dispatch,
            Action::SignFor => Kind::SignFor,
            Action::CoHandle => Kind::CoHandle,
            Action::Resolve { .. } => Kind::Resolve,
            Action::Pass => Kind::Pass,
            Action::Fail => Kind::Fail,
            Action::RequestReturn { .. } => Kind::RequestReturn,
            Action::ApproveReturn => Kind::ApproveReturn,
            Action::RuleOnReturn { .. } => Kind::RuleOnReturn,
            Action::RequestExtension { .. } => Kind::RequestExtension,
            Action::ApproveExtension => Kind::ApproveExtension,
            Action::RequestSuspension { .. } => Kind::RequestSuspension,
            Action::ApproveSuspension => Kind::ApproveSuspension,
            Action::DenyRequest => Kind::DenyRequest,
            Action::WithdrawRequest => Kind::WithdrawRequest,
            Action::Resume => Kind::Resume,
            Action::Escalate => Kind::Escalate,
            Action::Delegate { .. } => Kind::Delegate,
            Action::Transfer { .. } => Kind::Transfer,
            Action::Settle { .. } => Kind::Settle,
            Action::Reopen => Kind::Reopen,
            Action::Merge { .. } => Kind::Merge,
            Action::Unmerge => Kind::Unmerge,
            Action::Urge => Kind::Urge,
            Action::Supervise { .. } => Kind::Supervise,
            Action::Comment => Kind::Comment,
            Action::Warn => Kind::Warn,
            Action::Overdue => Kind::Overdue,
            Action::Answer { .. } => Kind::Answer,
            Action::AskReview { .. } => Kind::AskReview,
            Action::Uphold => Kind::Uphold,
            Action::Reveal => Kind::Reveal,
        }
    }
}

/// An action with what any action may carry; the table says what it must.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// What to do.
    pub action: Action,
    /// Why, in words; may be empty where the table does not ask for it.
    pub reason: String,
    /// More words; likewise.
    pub note: String,
    /// What shows it; likewise.
    pub evidence: Vec<Evidence>,
}

impl From<Action> for Command {
    fn from(action: Action) -> Command {
        Command { action, reason: String::new(), note: String::new(), evidence: Vec::new() }
    }
}

impl Command {
    /// Why: the code for a return, else the words.
    pub fn reason(&self) -> &str {
        match &self.action {
            Action::RequestReturn { reason } => reason.code(),
            _ => &self.reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_action_has_its_row_and_serialises_as_its_code() {
        for (index, kind) in ActionKind::all().enumerate() {
            assert_eq!(kind as usize, index);
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.code());
        }
    }

    #[test]
    fn a_return_is_recorded_under_its_code() {
        let reasons = [
            ReturnReason::NotOurDuty,
            ReturnReason::WrongPlace,
            ReturnReason::Duplicate,
            ReturnReason::NeedsHigherLevel,
            ReturnReason::Other,
        ];
        for reason in reasons {
            assert_eq!(Command::from(Action::RequestReturn { reason }).reason(), reason.code());
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.code());
        }
    }
}
