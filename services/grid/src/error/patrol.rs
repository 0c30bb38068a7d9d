//! Why a patrol cannot be changed: its part of the table.

use jingwei_kit::status::Problem;
use time::format_description::well_known::Rfc3339;
use tonic::Code;

use crate::model::patrol::{Refusal, State};

/// The row of each refusal.
pub(super) fn refused(refusal: Refusal) -> Problem {
    let failed = |reason, zh: String, en: String| Problem::new(Code::FailedPrecondition, reason, zh, en);
    match refusal {
        Refusal::State { state } => {
            let (zh, en) = match state {
                Some(State::Planned) => ("待巡查", "PLANNED"),
                Some(State::Ongoing) => ("巡查中", "ONGOING"),
                Some(State::Done) => ("已完成", "DONE"),
                Some(State::Cancelled) => ("已取消", "CANCELLED"),
                None => ("漏巡", "MISSED"),
            };
            failed(
                "PATROL_STATE",
                format!("巡查{zh}，不能如此操作"),
                format!("the patrol is {en}: that is not possible"),
            )
            .with("state", en)
        }
        Refusal::NotOpen { opens } => {
            let opens = opens.format(&Rfc3339).unwrap_or_default();
            failed(
                "PATROL_STATE",
                format!("巡查于 {opens} 才可开始"),
                format!("the patrol cannot be started before {opens}"),
            )
            .with("open_time", opens)
        }
        Refusal::Ongoing => failed(
            "PATROL_ONGOING",
            "您有另一巡查尚未结束；请先结束".into(),
            "another patrol of yours is ongoing: end that first".into(),
        ),
        Refusal::NotAssignee => Problem::new(
            Code::PermissionDenied,
            "PERMISSION_DENIED",
            "只有巡查人本人可以操作",
            "only its assignee walks a patrol",
        ),
    }
}
