//! Why an event's rules refuse: their part of the table.

use jingwei_kit::status::Problem;
use time::format_description::well_known::Rfc3339;
use tonic::Code;

use crate::model::action::{ActionKind, RequestKind};
use crate::model::arcs::Field;
use crate::model::refusal::Refusal;

/// The row of each refusal.
pub(super) fn refused(refusal: Refusal) -> Problem {
    let failed = |reason, zh: String, en: String| Problem::new(Code::FailedPrecondition, reason, zh, en);
    match refusal {
        Refusal::NotAllowed { action } => {
            let zh = format!("您的岗位或管辖范围不能对此事件执行“{}”", action.chinese());
            let en = format!("none of your grants may {} this event", action.code());
            Problem::new(Code::PermissionDenied, "PERMISSION_DENIED", zh, en).with("action", action.code())
        }
        Refusal::WrongState { state, action, allowed } => {
            let zh = format!(
                "事件{}，不能{}；此时您可以：{}",
                state.chinese(),
                action.chinese(),
                list(&allowed, ActionKind::chinese, "、", "无")
            );
            let codes = list(&allowed, ActionKind::code, ", ", "nothing");
            let en =
                format!("the event is {}: {} is not possible, only {codes}", state.code(), action.code());
            failed("WRONG_STATE", zh, en)
                .with("state", state.code())
                .with("action", action.code())
                .with("allowed", codes)
        }
        Refusal::Missing { fields } => missing(&fields),
        Refusal::TooManyExtensions { limit } => failed(
            "TOO_MANY_EXTENSIONS",
            format!("最多延期 {limit} 次，已用完"),
            format!("at most {limit} extensions, and they are used up"),
        )
        .with("limit", limit),
        Refusal::DeadlinePassed { due } => {
            let due = due.format(&Rfc3339).unwrap_or_default();
            failed(
                "DEADLINE_PASSED",
                format!("时限 {due} 已过，不能再申请延期"),
                format!("the deadline {due} has passed: too late to ask for more time"),
            )
            .with("due", due)
        }
        Refusal::ExtensionTooLong { at_most } => jingwei_kit::status::invalid(
            "extension",
            "extension",
            format!("须与原时限同一单位，且不超过 {}", at_most.amount),
            format!("must be in the unit of the limit and at most {}", at_most.amount),
        ),
        Refusal::ResumeNotInFuture { .. } => {
            jingwei_kit::status::invalid("resume_time", "future", "须为将来的时间", "must be in the future")
        }
        Refusal::RequestPending { kind } => failed(
            "REQUEST_PENDING",
            format!("已有{}申请待审批", request(kind).0),
            format!("a request for {} is undecided", request(kind).1),
        ),
        Refusal::NoRequestPending { kind } => {
            let (zh, en) = kind.map_or(("", "a decision"), request);
            failed(
                "NO_REQUEST_PENDING",
                format!("没有待审批的{zh}申请"),
                format!("there is no undecided request for {en}"),
            )
        }
        Refusal::ReturnNeedsRuling { returns } => failed(
            "RETURN_NEEDS_RULING",
            format!("已退回 {returns} 次，须由区县终审"),
            format!("returned {returns} times: the district has to rule"),
        )
        .with("returns", returns),
        Refusal::RulingTooEarly { returns } => failed(
            "NO_REQUEST_PENDING",
            format!("仅退回 {returns} 次，第三次退回申请才由区县终审"),
            format!("returned {returns} times only: the third request is ruled on"),
        )
        .with("returns", returns),
        Refusal::RuledFinal => failed(
            "RULED_FINAL",
            "已经终审，不能退回或转出".into(),
            "a final ruling binds the handler: no return and no passing on".into(),
        ),
        Refusal::NoLevelAbove => {
            failed("NO_LEVEL_ABOVE", "上面没有更高一级".into(), "there is no level above".into())
        }
        Refusal::TargetNotAllowed { target } => failed(
            "TARGET_NOT_ALLOWED",
            format!("不能从当前单位交给 {target}"),
            format!("{target} cannot take the event from here"),
        )
        .with("target", target),
        Refusal::CoHandlersOpen { units } => {
            let units = units.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            failed(
                "CO_HANDLERS_OPEN",
                format!("会办单位尚未完成：{units}"),
                format!("co-handlers have not finished: {units}"),
            )
            .with("units", units)
        }
        Refusal::SamePersonVerifies => failed(
            "SAME_PERSON_VERIFIES",
            "处置人不能核查自己的处置结果".into(),
            "who resolved an event does not verify it".into(),
        ),
        Refusal::ReopenWindowOver { until } => {
            let until = until.format(&Rfc3339).unwrap_or_default();
            failed(
                "REOPEN_WINDOW_OVER",
                format!("重开期限 {until} 已过"),
                format!("the time to reopen it was over at {until}"),
            )
            .with("until", until)
        }
        Refusal::HasMergedEvents => failed(
            "HAS_MERGED_EVENTS",
            "已有事件并入此事件，不能再并入其他事件".into(),
            "events were merged into it: it cannot be merged itself".into(),
        ),
        Refusal::MergeTarget { root } => failed(
            "MERGE_TARGET",
            format!("不能并入 {root}：须为同一区县另一未结且未并案的事件"),
            format!("cannot be merged into {root}: that must be another open event of the district"),
        )
        .with("root", root),
        Refusal::AlreadyAnswered => failed(
            "ALREADY_ANSWERED",
            "本次办理结果已评价过".into(),
            "the result was answered already".into(),
        ),
        Refusal::RootOpen { state } => failed(
            "WRONG_STATE",
            format!("合并办理的事件{}，结案后才能评价", state.chinese()),
            format!(
                "the event it was merged into is {}: it can be answered once that is closed",
                state.code()
            ),
        )
        .with("state", state.code()),
        Refusal::AnswerWindowOver { until } => {
            let until = until.format(&Rfc3339).unwrap_or_default();
            failed(
                "ANSWER_WINDOW_OVER",
                format!("评价期限 {until} 已过；如仍未解决，请重新上报"),
                format!("the time to answer was over at {until}: if it is still not solved, report it again"),
            )
            .with("until", until)
        }
        Refusal::NoReviewOpen => {
            failed("NO_REVIEW_OPEN", "没有待处理的复核".into(), "no review is asked for".into())
        }
        Refusal::NoContact => failed(
            "NO_CONTACT",
            "报事人没有留联系电话".into(),
            "the reporter left no telephone number".into(),
        ),
        Refusal::NotDue => failed("WRONG_STATE", "时限未到".into(), "nothing is due".into()),
        Refusal::NoCalendar { year } => failed(
            "NO_CALENDAR",
            format!("工作日历没有 {year} 年的数据；请管理员先导入"),
            format!("the work calendar has no data for {year}: an administrator has to enter it first"),
        )
        .with("year", year),
    }
}

fn missing(fields: &[Field]) -> Problem {
    let mut violations = jingwei_kit::status::Violations::new();
    for field in fields {
        let name = match field {
            Field::Reason => "reason",
            Field::Note => "note",
            Field::Evidence => "evidence",
            Field::Outcome => "outcome",
            Field::Target => "target",
            Field::Amount => "extension",
            Field::ResumeDate => "resume_time",
            Field::Root => "root",
            Field::Level => "level",
        };
        violations.add(name, "required", "必填", "is required");
    }
    violations.finish().expect_err("a refusal for missing fields names some")
}

fn request(kind: RequestKind) -> (&'static str, &'static str) {
    match kind {
        RequestKind::Return => ("退回", "a return"),
        RequestKind::Extension => ("延期", "an extension"),
        RequestKind::Suspension => ("挂账", "a suspension"),
    }
}

fn list(actions: &[ActionKind], text: fn(ActionKind) -> &'static str, separator: &str, none: &str) -> String {
    if actions.is_empty() {
        return none.to_owned();
    }
    actions.iter().map(|a| text(*a)).collect::<Vec<_>>().join(separator)
}
