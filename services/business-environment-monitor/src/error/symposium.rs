//! Why the rules of symposiums refuse: their part of the table.

use jingwei_kit::status::{Problem, invalid};
use tonic::Code;

use super::failed;
use crate::model::symposium::Refusal as R;

/// The row of each refusal.
pub(super) fn refused(refusal: R) -> Problem {
    match refusal {
        R::NotAllowed => {
            let (zh, en) = ("您的授权不能办理座谈会", "none of your grants may do this to the symposium");
            Problem::new(Code::PermissionDenied, "PERMISSION_DENIED", zh, en)
        }
        R::WrongState { state } => {
            let (state, chinese) = (state.code(), state.chinese());
            let (zh, en) = (
                format!("座谈会{chinese}，不能这样办理"),
                format!("the symposium is {state}: this is not possible"),
            );
            failed("WRONG_STATE", zh, en).with("state", state)
        }
        R::Missing { field } => invalid(field, "required", "不能为空白", "must not be blank"),
        R::NamedTwice { field } => invalid(field, "unique", "同一人或单位只能列一次", "must name each once"),
        R::TooMany { field, limit } => {
            invalid(field, "max_items", format!("最多 {limit} 项"), format!("at most {limit} in all"))
        }
        R::NotInvited => invalid("present", "invited", "到会者须在邀请名单中", "must be of those invited"),
        R::NotPresent => invalid("invitee", "present", "建议人须在到会名单中", "must be of those present"),
        R::NoSuchSuggestion => {
            invalid("number", "suggestion", "没有此序号的建议", "there is no suggestion of this number")
        }
        R::Suggested => failed(
            "SUGGESTED",
            "已提出建议的人不能从到会名单中去掉",
            "who has suggested something cannot be left out of those present",
        ),
        R::SuggestionsOpen => failed(
            "SUGGESTIONS_OPEN",
            "还有建议没有落实去向",
            "a suggestion leads to nothing yet: to an issue, an item or an answer",
        ),
    }
}
