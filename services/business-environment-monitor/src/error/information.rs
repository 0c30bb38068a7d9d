//! Why the rules of observations and of items of market information refuse: their part of the table.

use jingwei_kit::status::{Problem, invalid};
use tonic::Code;

use super::failed;
use crate::api::wire::name;
use crate::model::info_item::apply::Refusal;
use crate::model::observation;

/// The row of each refusal of an observation's rules.
pub(super) fn observation_refused(refusal: observation::Refusal) -> Problem {
    match refusal {
        observation::Refusal::NotAllowed => {
            let (zh, en) = ("仅监督员可以登记", "none of your grants is a monitor's");
            Problem::new(Code::PermissionDenied, "PERMISSION_DENIED", zh, en)
        }
        observation::Refusal::Missing { field } => missing(field),
        observation::Refusal::InFuture => invalid("date", "past", "不能晚于今天", "must not be after today"),
        observation::Refusal::NotActive => not_active(),
    }
}

/// The row of each refusal of an item's rules.
pub(super) fn refused(refusal: &Refusal) -> Problem {
    match *refusal {
        Refusal::NotAllowed { action } => {
            let zh = format!("您的角色不能对此信息执行“{}”", action.chinese());
            let en = format!("none of your grants may {} this item", action.code());
            Problem::new(Code::PermissionDenied, "PERMISSION_DENIED", zh, en).with("action", action.code())
        }
        Refusal::WrongState { state, action } => failed(
            "WRONG_STATE",
            format!("信息{}，不能{}", state.chinese(), action.chinese()),
            format!("the item is {}: {} is not possible", state.code(), action.code()),
        )
        .with("state", state.code())
        .with("action", action.code()),
        Refusal::OwnItem => {
            failed("OWN_ITEM", "采集人不得处置本人采集的信息", "who collected an item does not decide on it")
        }
        Refusal::Missing { field } => missing(field),
        Refusal::DisclosureMissing => failed(
            "DISCLOSURE_MISSING",
            "为竞争对手工作的，提交前须作说明",
            "who works for a competitor has to say so first",
        ),
        Refusal::NotActive => not_active(),
        Refusal::IntoItself => {
            invalid("into", "other", "不能合并到自身", "must be another item than the one to be merged")
        }
        Refusal::TargetMerged { district, root } => {
            let target = name::info_item(district, root);
            let zh = format!("目标信息已合并，请合并到 {target}");
            let en = format!("the other item is merged itself: merge into {target}");
            failed("ITEM_MERGED", zh, en).with("target", target)
        }
        Refusal::Linked => failed("ISSUE_LINKED", "已关联此问题", "the issue is linked already"),
        Refusal::NotLinked => failed("ISSUE_NOT_LINKED", "未关联此问题", "the issue is not linked"),
        Refusal::LastIssue => {
            failed("LAST_ISSUE", "已转问题的信息至少关联一个问题", "a promoted item has an issue")
        }
        Refusal::TooManyIssues { limit } => failed(
            "TOO_MANY_ISSUES",
            format!("一条信息最多关联 {limit} 个问题"),
            format!("issues of one item: at most {limit}"),
        )
        .with("limit", limit),
    }
}

fn missing(field: &'static str) -> Problem {
    invalid(field, "required", "不能为空白", "must not be blank")
}

fn not_active() -> Problem {
    failed(
        "NOT_ACTIVE_MONITOR",
        "须在聘：当日和今天均须有有效聘任",
        "it takes an active appointment, on the day that it is about and today",
    )
}
