//! Why work records and hand-overs are refused: their part of the table.

use jingwei_kit::status::Problem;
use tonic::Code;

use crate::model::{hand_over, work_record};

fn failed(reason: &'static str, zh: impl Into<Box<str>>, en: impl Into<Box<str>>) -> Problem {
    Problem::new(Code::FailedPrecondition, reason, zh, en)
}

/// The row of each refusal of a work record.
pub(super) fn record(refusal: work_record::Refusal) -> Problem {
    match refusal {
        work_record::Refusal::OutsideTerm => failed(
            "OUTSIDE_TERM",
            "日期不在派驻任期内，或在今天之后",
            "the day lies outside the posting's term or in the future",
        ),
        work_record::Refusal::Reviewed => failed(
            "RECORD_REVIEWED",
            "该纪实已点评，不能再修改或重复点评",
            "the work record was reviewed: it does not change any more",
        ),
    }
}

/// The row of each refusal of a hand-over.
pub(super) fn hand_over(refusal: hand_over::Refusal) -> Problem {
    match refusal {
        hand_over::Refusal::SuccessorNeeded { area, named } => {
            let (zh, en) = if named {
                (
                    format!("接手人在区域 {area} 没有在任派驻，或就是离任者本人；请先派驻或改填他人"),
                    format!(
                        "the successor has no active posting in area {area} or is the one who leaves: post that person there, or name another"
                    ),
                )
            } else {
                (
                    format!(
                        "区域 {area} 尚有未办结工作且没有其他网格长；请填写 successor（接手人），或先派驻网格长"
                    ),
                    format!(
                        "work is open in area {area}, which has no other chief: name a successor, or post a chief first"
                    ),
                )
            };
            failed("SUCCESSOR_NEEDED", zh, en).with("area", area)
        }
        hand_over::Refusal::Confirmed => {
            failed("WRONG_STATE", "该交接已确认", "the hand-over was confirmed already")
        }
    }
}
