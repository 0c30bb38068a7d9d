//! Why an issue's rules refuse: their part of the table.

use jingwei_kit::status::{Problem, Violations, invalid};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tonic::Code;

use super::failed;
use crate::model::issue::command::Refusal;

/// The row of each refusal of an issue's rules.
pub(super) fn refused(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::NotAllowed { action } => {
            let zh = format!("您的角色不能对此问题执行“{}”", action.chinese());
            let en = format!("none of your grants may {} this issue", action.code());
            Problem::new(Code::PermissionDenied, "PERMISSION_DENIED", zh, en).with("action", action.code())
        }
        Refusal::WrongState { state, action } => failed(
            "WRONG_STATE",
            format!("问题{}，不能{}", state.chinese(), action.chinese()),
            format!("the issue is {}: {} is not possible", state.code(), action.code()),
        )
        .with("state", state.code())
        .with("action", action.code()),
        Refusal::NotDue => failed("WRONG_STATE", "时限未到", "nothing is due"),
        Refusal::OwnIssue => failed(
            "OWN_ISSUE",
            "监督员不得办理或核实本人提交的问题",
            "a monitor neither handles nor verifies an issue they raised",
        ),
        Refusal::SamePerson => failed(
            "SAME_PERSON",
            "须由另一人办理：提出者不批准，答复者不核实",
            "somebody else has to: who proposed does not approve, who replied does not verify",
        ),
        Refusal::DeemedAccepted { since } => {
            let since = moment(since);
            let zh = format!("受理时限已于 {since} 届满，视为受理");
            let en = format!("the time for the decision was over at {since}: it is accepted");
            failed("DEEMED_ACCEPTED", zh, en).with("since", since)
        }
        Refusal::NoProposal => {
            failed("NO_PROPOSAL", "尚无不予受理的拟办意见", "nobody has proposed not to accept it")
        }
        Refusal::NotSolved => {
            failed("NOT_SOLVED", "核实为未解决，不能办结", "what is not solved is not closed")
        }
        Refusal::Solved => failed("SOLVED", "核实为已解决，不能退回", "what is solved is not returned"),
        Refusal::AlreadyRated => failed("ALREADY_RATED", "本轮已评价", "the round has been rated"),
        Refusal::NoCallBackDue => {
            failed("NO_CALL_BACK_DUE", "没有待回访的差评", "nobody has to be called back")
        }
        Refusal::NoCalendar { year } => failed(
            "NO_CALENDAR",
            format!("工作日历没有 {year} 年的数据；请管理员先导入"),
            format!("the work calendar has no data for {year}: an administrator has to enter it first"),
        )
        .with("year", year),
        Refusal::RequestPending => {
            failed("REQUEST_PENDING", "已有申请待审批", "another request is undecided")
        }
        Refusal::TooManyExtensions { limit } => failed(
            "TOO_MANY_EXTENSIONS",
            format!("每轮最多延期 {limit} 次，已用完"),
            format!("extensions in a round: at most {limit}, and they are used up"),
        )
        .with("limit", limit),
        Refusal::DeadlinePassed { due } => {
            let due = moment(due);
            let zh = format!("时限 {due} 已过，不能再申请延期");
            let en = format!("the deadline {due} has passed: too late to ask for more time");
            failed("DEADLINE_PASSED", zh, en).with("due", due)
        }
        Refusal::NoRequestPending => {
            failed("NO_REQUEST_PENDING", "没有待审批的申请", "there is no request to decide")
        }
        Refusal::DisclosureMissing => failed(
            "DISCLOSURE_MISSING",
            "为竞争对手工作的，提交前须作说明",
            "who works for a competitor has to say so first",
        ),
        Refusal::Missing { fields } => missing(&fields),
        Refusal::Tags { field } => invalid(
            field,
            "tags",
            "没有这个编号，或编号重复",
            "has a number that does not exist, or one twice",
        ),
        Refusal::ExtensionTooLong { at_most } => invalid(
            "working_days",
            "extension",
            format!("须为 1 至 {at_most} 个工作日"),
            format!("must be 1 to {at_most} working days"),
        ),
        Refusal::PauseNotInFuture { .. } => {
            invalid("resume_time", "future", "须为将来的时间", "must be in the future")
        }
    }
}

fn missing(fields: &[&'static str]) -> Problem {
    let mut violations = Violations::new();
    for field in fields {
        violations.add(*field, "required", "不能为空白", "must not be blank");
    }
    violations.finish().expect_err("a refusal names a field at least")
}

fn moment(time: OffsetDateTime) -> String {
    time.format(&Rfc3339).unwrap_or_default()
}
