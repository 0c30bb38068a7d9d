//! Why the rules of batches and appointments refuse: their part of the table.

use jingwei_kit::status::{Problem, invalid};
use time::format_description::well_known::Rfc3339;
use tonic::Code;

use super::failed;
use crate::model::appointment::apply::Refusal;
use crate::model::appointment::batch::{self, State};

/// The row of each refusal of a batch's rules.
pub(super) fn batch_refused(refusal: batch::Refusal) -> Problem {
    use batch::Refusal as R;
    match refusal {
        R::NotAllowed => denied(),
        R::WrongState { state } => wrong_state(batch_code(state)),
        R::NobodyLeft => failed("NOBODY_LEFT", "批次中没有可继续的人选", "nobody of the batch is left"),
        R::Unvetted { appointments } => {
            let zh = format!("还有 {} 人未审核", appointments.len());
            let en = format!("not yet vetted or declined: {}", appointments.len());
            failed("NOT_VETTED", zh, en).with("count", appointments.len())
        }
        R::NoPublicity => invalid("working_days", "required", "须至少 1 个工作日", "must be 1 or more"),
        R::PublicityRunning { end } => {
            let end = end.format(&Rfc3339).unwrap_or_default();
            let (zh, en) = (format!("公示至 {end}，尚未期满"), format!("the publicity runs until {end}"));
            failed("PUBLICITY_RUNNING", zh, en).with("end", end)
        }
        R::Objection => {
            let en = "must say something against people who are publicised";
            invalid("appointments", "publicised", "须为公示中的人选，并说明内容", en)
        }
        R::NoSuchObjection => {
            let en = "is no objection that waits for an answer";
            invalid("number", "objection", "没有这条待答复的异议", en)
        }
        R::ObjectionsOpen => failed("OBJECTIONS_OPEN", "还有异议未答复", "an objection has no answer"),
        R::TermTooLong { role, at_most } => {
            let zh = format!("角色 {role} 的聘期最长 {at_most} 个月");
            let en = format!("a term of {role} lasts {at_most} months at most");
            invalid("term_months", "term", zh, en)
        }
        R::UnknownRole { role } => {
            invalid("roles", "role", format!("没有角色 {role}"), format!("there is no role {role}"))
        }
        R::NoCalendar { year } => failed(
            "NO_CALENDAR",
            format!("工作日历没有 {year} 年的数据；请管理员先导入"),
            format!("the work calendar has no data for {year}: an administrator has to enter it first"),
        )
        .with("year", year),
        R::Member { appointment, refusal } => refused(&refusal).with("appointment", appointment),
    }
}

/// The row of each refusal of an appointment's rules.
pub(super) fn refused(refusal: &Refusal) -> Problem {
    match *refusal {
        Refusal::NotAllowed { .. } => denied(),
        Refusal::WrongState { state, .. } => wrong_state(state.code()),
        Refusal::BatchState { state, .. } => wrong_state(batch_code(state)),
        Refusal::NotDue => failed("WRONG_STATE", "时限未到", "nothing is due"),
        Refusal::ReasonMissing => invalid("reason", "required", "不能为空白", "must not be blank"),
        Refusal::RoleNotInBatch => invalid("role", "role", "批次不含此角色", "is no role of the batch"),
        Refusal::UnitMissing => {
            invalid("nominated_by", "required", "须写明推荐单位", "must name the unit that nominates")
        }
        Refusal::ExceptionReasonMissing => {
            let en = "is required for somebody from outside of the role's main groups";
            invalid("exception_reason", "required", "不属主要来源的，须说明理由", en)
        }
        Refusal::NominatedTwice => {
            let en = "the person is nominated for the role in this batch already";
            failed("NOMINATED_TWICE", "此人在本批次已被提名担任该角色", en)
        }
        Refusal::NotRenewable => {
            let en = "this is not the person's last appointment to the role, or cannot be renewed";
            failed("NOT_RENEWABLE", "不是此人该角色的最近一次聘任，或不能续聘", en)
        }
        Refusal::RenewalMissing { appointment } => {
            let zh = format!("此人在聘或离任不满一年，须注明续聘 {appointment}");
            let en = format!("the person holds the role or did less than a year ago: name {appointment}");
            failed("RENEWAL_MISSING", zh, en).with("appointment", appointment)
        }
        Refusal::TooManyTerms { limit } => {
            let (zh, en) = (format!("连续任期最多 {limit} 届"), format!("terms in a row: at most {limit}"));
            failed("TOO_MANY_TERMS", zh, en).with("limit", limit)
        }
        Refusal::TermOutOfRange => {
            invalid("first_date", "range", "聘期超出日历范围", "makes a term beyond the calendar")
        }
    }
}

fn batch_code(state: State) -> String {
    format!("{state:?}").to_uppercase()
}

fn wrong_state(state: impl Into<String>) -> Problem {
    let state = state.into();
    let (zh, en) = (format!("当前状态 {state} 不能这样办理"), format!("it is {state}: this is not possible"));
    failed("WRONG_STATE", zh, en).with("state", state)
}

fn denied() -> Problem {
    let (zh, en) = ("您的授权不能办理此项聘任", "none of your grants may do this to the appointment");
    Problem::new(Code::PermissionDenied, "PERMISSION_DENIED", zh, en)
}
