//! Why the service refuses: one enum, and the one table that gives each its code, reason, values and texts.

use std::sync::Arc;

use jingwei_kit::status::Problem;
use tonic::{Code, Status};

use crate::model::deliberation::command::Refusal as DeliberationRefusal;
use crate::model::refusal::Refusal;
use crate::model::{hand_over, work_record};

mod deliberation;
mod event;
mod ledger;
mod note;
mod patrol;
mod upload;
mod work;

/// The domain of this service's errors.
pub const DOMAIN: &str = "grid.jingwei";

/// Why a call is refused.
#[derive(Debug, Clone, PartialEq)]
pub enum Error {
    /// What kit found: a bad field, a stale etag, a database out of reach, a fault of ours.
    Problem(Problem),
    /// What the rules of an event refuse.
    Refused(Refusal),
    /// What the rules of an upload refuse.
    Upload(crate::model::upload::Refusal),
    /// The storage of files fails.
    Storage(crate::files::Failure),
    /// What the rules of a note refuse.
    Note(crate::model::note::Refusal),
    /// What the rules of a patrol refuse.
    Patrol(crate::model::patrol::Refusal),
    /// There is no such resource, or the caller may not know of it.
    NotFound {
        /// Its resource name.
        name: String,
    },
    /// A resource of that name, or with that key, exists.
    AlreadyExists {
        /// Its resource name or key.
        name: String,
    },
    /// The person has an active posting of that role in that area.
    PostingExists,
    /// The area has a chief already.
    ChiefExists,
    /// The posting has ended.
    PostingEnded,
    /// The area above does not exist.
    ParentAreaMissing {
        /// The code of the area above.
        code: String,
    },
    /// Something that the request refers to does not exist.
    ReferenceMissing {
        /// The field that refers to it.
        field: &'static str,
    },
    /// The category is a main one or retired.
    CategoryNotReportable {
        /// The category's code.
        code: String,
    },
    /// The point lies in no area of the district.
    PointOutside,
    /// The district has no work calendar.
    CalendarMissing,
    /// A file is not the table that was asked for.
    Ledger(crate::ledger::Refusal),
    /// Somebody without login tries too often.
    TooManyAttempts,
    /// What the rules of a work record refuse.
    WorkRecord(work_record::Refusal),
    /// What the rules of a hand-over refuse.
    HandOver(hand_over::Refusal),
    /// What the rules of a deliberation refuse.
    Deliberation(DeliberationRefusal),
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<Arc<sqlx::Error>> for Error {
    fn from(error: Arc<sqlx::Error>) -> Self {
        Self::Problem(jingwei_kit::pg::problem(&error))
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Problem(error.into())
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<crate::ledger::Refusal> for Error {
    fn from(refusal: crate::ledger::Refusal) -> Self {
        Self::Ledger(refusal)
    }
}

impl From<crate::model::upload::Refusal> for Error {
    fn from(refusal: crate::model::upload::Refusal) -> Self {
        Self::Upload(refusal)
    }
}

impl From<DeliberationRefusal> for Error {
    fn from(refusal: DeliberationRefusal) -> Self {
        Self::Deliberation(refusal)
    }
}

impl From<crate::model::note::Refusal> for Error {
    fn from(refusal: crate::model::note::Refusal) -> Self {
        Self::Note(refusal)
    }
}

impl From<crate::model::patrol::Refusal> for Error {
    fn from(refusal: crate::model::patrol::Refusal) -> Self {
        Self::Patrol(refusal)
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        Problem::from(error).status(DOMAIN)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let failed = |reason, zh: &str, en: &str| Problem::new(Code::FailedPrecondition, reason, zh, en);
        match error {
            Error::Problem(problem) => problem,
            Error::Refused(refusal) => event::refused(refusal),
            Error::Ledger(refusal) => ledger::refused(&refusal),
            Error::Upload(refusal) => upload::refused(refusal),
            Error::Storage(failure) => upload::failed(failure),
            Error::Deliberation(refusal) => deliberation::refused(refusal),
            Error::WorkRecord(refusal) => work::record(refusal),
            Error::HandOver(refusal) => work::hand_over(refusal),
            Error::Note(refusal) => note::refused(refusal),
            Error::Patrol(refusal) => patrol::refused(refusal),
            Error::NotFound { name } => {
                let (zh, en) = (
                    format!("没有 {name}，或无权查看"),
                    format!("{name} does not exist, or is not yours to see"),
                );
                Problem::new(Code::NotFound, "NOT_FOUND", zh, en).with("name", name)
            }
            Error::AlreadyExists { name } => {
                let (zh, en) = (format!("{name} 已存在"), format!("{name} exists already"));
                Problem::new(Code::AlreadyExists, "ALREADY_EXISTS", zh, en).with("name", name)
            }
            Error::PostingExists => Problem::new(
                Code::AlreadyExists,
                "POSTING_EXISTS",
                "此人在该区域已有同一岗位的派驻",
                "the person has an active posting of this role in this area",
            ),
            Error::ChiefExists => Problem::new(
                Code::AlreadyExists,
                "POSTING_EXISTS",
                "该区域已有网格长；请先结束其派驻",
                "the area has a chief: end that posting first",
            ),
            Error::PostingEnded => failed("POSTING_ENDED", "该派驻已结束", "the posting has ended already"),
            Error::ParentAreaMissing { code } => {
                let (zh, en) = (
                    format!("上级区域 {code} 不存在；请先建上级"),
                    format!("the area above, {code}, does not exist: create it first"),
                );
                failed("PARENT_AREA_MISSING", &zh, &en).with("code", code)
            }
            Error::ReferenceMissing { field } => {
                let (zh, en) =
                    (format!("{field} 所指的数据不存在"), format!("what {field} refers to does not exist"));
                failed("REFERENCE_MISSING", &zh, &en).with("field", field)
            }
            Error::CategoryNotReportable { code } => {
                let zh = format!("类别 {code} 为大类或已停用；请选择其下的小类");
                let en = format!(
                    "category {code} is a main category or retired: report under one of its sub-categories"
                );
                failed("CATEGORY_NOT_REPORTABLE", &zh, &en).with("category", code)
            }
            Error::PointOutside => Problem::new(
                Code::NotFound,
                "POINT_OUTSIDE",
                "该点不在本区县任何已划边界的区域内；请填写区域",
                "the point lies in no area of the district that has a boundary: give the area",
            ),
            Error::TooManyAttempts => Problem::new(
                Code::ResourceExhausted,
                "TOO_MANY_ATTEMPTS",
                "尝试次数过多，请稍后再试",
                "too many attempts: try again later",
            )
            .retry_after(std::time::Duration::from_secs(60)),
            Error::CalendarMissing => failed(
                "NO_CALENDAR",
                "本区县尚无工作日历；请管理员先导入",
                "the district has no work calendar: an administrator has to enter it first",
            ),
        }
    }
}

#[cfg(test)]
mod tests;
