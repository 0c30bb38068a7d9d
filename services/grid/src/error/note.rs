//! Why a note cannot be changed or reported: its part of the table.

use jingwei_kit::status::Problem;
use time::format_description::well_known::Rfc3339;
use tonic::Code;

use crate::model::note::{CHANGEABLE_FOR, Refusal};

/// The row of each refusal.
pub(super) fn refused(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::Reported { district, event } => {
            let event = format!("districts/{district}/events/{event}");
            let (zh, en) =
                (format!("该随手记已转为事件 {event}"), format!("the note became the event {event}"));
            Problem::new(Code::FailedPrecondition, "NOTE_REPORTED", zh, en).with("event", event)
        }
        Refusal::Fixed { since } => {
            let (hours, since) = (CHANGEABLE_FOR.whole_hours(), since.format(&Rfc3339).unwrap_or_default());
            let zh = format!("随手记提交 {hours} 小时后不能修改；已于 {since} 截止");
            let en = format!("a note can be changed for {hours} hours: that was over at {since}");
            Problem::new(Code::FailedPrecondition, "NOTE_FIXED", zh, en)
                .with("hours", hours)
                .with("since", since)
        }
        Refusal::NotAuthor => Problem::new(
            Code::PermissionDenied,
            "PERMISSION_DENIED",
            "只有作者本人可以修改随手记",
            "only its author can change a note",
        ),
    }
}
