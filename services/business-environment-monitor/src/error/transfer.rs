//! Why the rules of transfers and confidential reports refuse: their part of the table.

use jingwei_kit::status::{Problem, invalid};
use tonic::Code;

use super::failed;
use crate::model::{report, transfer};

/// The row of each refusal of a transfer's rules.
pub(super) fn refused(refusal: transfer::Refusal) -> Problem {
    use transfer::Refusal as R;
    match refusal {
        R::NotAllowed => denied(),
        R::WrongState { state } => wrong_state(state.code(), state.chinese()),
        R::SamePerson => failed(
            "SAME_PERSON",
            "须由两人签署：第二签署人不得是拟稿人或第一签署人",
            "two people sign: the second is neither the first nor who drafted it",
        ),
        R::WrongDigest => failed(
            "DIGEST_MISMATCH",
            "签署的摘要与移送函及其密封内容不符",
            "what is signed is not this letter with this content",
        ),
    }
}

/// The row of each refusal of a report's rules.
pub(super) fn report_refused(refusal: report::Refusal) -> Problem {
    use report::Refusal as R;
    match refusal {
        R::NotAllowed => denied(),
        R::WrongState { state } => wrong_state(state.code(), state.chinese()),
        R::AboutReceiver => {
            let en = "must not be a key of whom the report is about: choose another receiver";
            invalid("key", "receiver", "不得发给被举报单位，请另选接收机关", en)
        }
    }
}

fn wrong_state(state: &str, chinese: &str) -> Problem {
    let (zh, en) = (format!("此件{chinese}，不能这样办理"), format!("it is {state}: this is not possible"));
    failed("WRONG_STATE", zh, en).with("state", state)
}

fn denied() -> Problem {
    let (zh, en) = ("您的授权不能办理此件", "none of your grants may do this");
    Problem::new(Code::PermissionDenied, "PERMISSION_DENIED", zh, en)
}
