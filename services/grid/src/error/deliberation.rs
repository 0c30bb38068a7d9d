//! Why a deliberation's rules refuse: their part of the table.

use jingwei_kit::status::{Problem, invalid};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tonic::Code;

use super::Error;
use crate::model::deliberation::command::Refusal;
use crate::model::refusal::Refusal as EventRefusal;

/// The row of each refusal.
pub(super) fn refused(refusal: Refusal) -> Problem {
    let failed = |reason, zh: String, en: String| Problem::new(Code::FailedPrecondition, reason, zh, en);
    match refusal {
        Refusal::NotAllowed { action } => {
            let zh = format!("您的岗位或管辖范围不能对此协商执行“{}”", action.chinese());
            let en = format!("none of your grants may {} this deliberation", action.code());
            Problem::new(Code::PermissionDenied, "PERMISSION_DENIED", zh, en).with("action", action.code())
        }
        Refusal::WrongState { state, action } => failed(
            "WRONG_STATE",
            format!("协商{}，不能{}", state.chinese(), action.chinese()),
            format!("the deliberation is {}: {} is not possible", state.code(), action.code()),
        )
        .with("state", state.code())
        .with("action", action.code()),
        Refusal::MeetingNotYet { at } => failed(
            "MEETING_NOT_YET",
            format!("会议 {} 才开始，不能登记到会", text(at)),
            format!("the meeting begins at {}: too early to record who came", text(at)),
        )
        .with("meeting_time", text(at)),
        Refusal::NotInFuture { field } => invalid(field, "future", "须为将来的时间", "must be in the future"),
        Refusal::NoSuchNumber { field } => invalid(
            &field,
            "number",
            "没有这个编号，或不适用于此协商",
            "is no number, or no choice, of this deliberation",
        ),
        Refusal::AlreadyVoted { participant } => failed(
            "ALREADY_VOTED",
            format!("第 {participant} 号参会人已经表决，每人一票"),
            format!("participant {participant} has voted: everyone has one vote"),
        )
        .with("participant", participant),
        Refusal::CannotVote { participant } => failed(
            "CANNOT_VOTE",
            format!("第 {participant} 号参会人未到会或为列席，没有表决权"),
            format!("participant {participant} did not come or has no vote"),
        )
        .with("participant", participant),
        Refusal::VotesMissing { count } => failed(
            "VOTES_MISSING",
            format!("还缺 {count} 票才能形成决议"),
            format!("{count} votes are missing before it can be resolved"),
        )
        .with("count", count),
        Refusal::NotAdopted => failed("NOT_ADOPTED", "未通过任何方案".into(), "no plan was adopted".into()),
        Refusal::NoCalendar { year } => Error::Refused(EventRefusal::NoCalendar { year }).into(),
        Refusal::PublicityRunning { end } => failed(
            "PUBLICITY_RUNNING",
            format!("公示期至 {} 才结束", text(end)),
            format!("the publicity runs until {}", text(end)),
        )
        .with("publicity_end_time", text(end)),
        Refusal::ObjectionsUnanswered => {
            invalid("note", "required", "有异议，须说明如何答复", "must say how the objections were answered")
        }
        Refusal::ItemSettled { number } => failed(
            "WRONG_STATE",
            format!("第 {number} 项落实事项已经了结"),
            format!("action item {number} is settled already"),
        )
        .with("number", number),
        Refusal::ItemsOpen { numbers } => {
            let numbers = numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            failed(
                "ACTION_ITEMS_OPEN",
                format!("落实事项 {numbers} 尚未落实或放弃"),
                format!("action items {numbers} are neither done nor given up"),
            )
            .with("numbers", numbers)
        }
    }
}

fn text(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}
