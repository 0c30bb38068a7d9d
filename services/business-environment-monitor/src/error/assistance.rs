//! Why a need's rules refuse: their part of the table.

use jingwei_kit::status::{Problem, invalid};
use tonic::Code;

use super::failed;
use crate::model::need::Refusal;

/// The row of each refusal of a need's rules.
pub(super) fn refused(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::NotAllowed => {
            let (zh, en) = ("您的授权不能办理此项需求", "none of your grants may do this to the need");
            Problem::new(Code::PermissionDenied, "PERMISSION_DENIED", zh, en)
        }
        Refusal::NotOpen => failed("NEED_CLOSED", "需求已满足或已终止", "the need is met or closed"),
        Refusal::Missing { field } => invalid(field, "required", "不能为空白", "must not be blank"),
        Refusal::NotOne => {
            let (zh, en) = ("许可和难题的数量须为 1", "must be 1 for a permit or a problem");
            invalid("amount", "amount", zh, en)
        }
        Refusal::MoreThanNeeded { left } => failed(
            "MORE_THAN_NEEDED",
            format!("超出需求：还可登记 {left}"),
            format!("more than is needed: {left} is still open"),
        )
        .with("left", left),
        Refusal::InFuture => invalid("date", "past", "不能晚于今天", "must not be after today"),
        Refusal::NoFact { fact } => {
            let (zh, en) = (format!("此需求没有事实 {fact}"), format!("the need has no fact {fact}"));
            Problem::new(Code::NotFound, "NOT_FOUND", zh, en).with("fact_id", fact)
        }
        Refusal::FactDecided => {
            failed("FACT_DECIDED", "企业已确认或已提出异议", "the enterprise has decided on the fact")
        }
        Refusal::FactUndecided => failed(
            "FACT_UNDECIDED",
            "有事实待企业确认，暂不能终止",
            "the enterprise has to decide on a fact first",
        ),
        Refusal::SamePerson => {
            failed("SAME_PERSON", "登记者不能自行确认", "who recorded a fact does not confirm it")
        }
    }
}
