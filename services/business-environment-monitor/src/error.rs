//! Why the service refuses: one enum, and the one table that gives each its code, reason, values and texts.

use jingwei_kit::status::Problem;
use tonic::{Code, Status};

use crate::model::appointment::{apply, batch};
use crate::model::info_item::apply as info_item;
use crate::model::issue::command::Refusal;
use crate::model::{need, observation, report, symposium as symposiums, transfer as transfers};

mod appointment;
mod assistance;
mod information;
mod issue;
mod symposium;
mod transfer;

/// The domain of this service's errors.
pub const DOMAIN: &str = "business-environment-monitor.jingwei";

/// Why a call is refused.
#[derive(Debug, Clone, PartialEq)]
pub enum Error {
    /// What kit found: a bad field, a stale etag, a database out of reach, a fault of ours.
    Problem(Problem),
    /// What the rules of an issue refuse.
    Refused(Refusal),
    /// What the rules of a need refuse.
    NeedRefused(need::Refusal),
    /// Another fact of the kind has the reference.
    ReferenceUsed {
        /// It.
        reference: String,
    },
    /// What the rules of a visit or an experience refuse.
    ObservationRefused(observation::Refusal),
    /// What the rules of an item of market information refuse.
    InfoItemRefused(info_item::Refusal),
    /// What the rules of a symposium refuse.
    SymposiumRefused(symposiums::Refusal),
    /// What the rules of a batch refuse.
    BatchRefused(batch::Refusal),
    /// What the rules of an appointment refuse.
    AppointmentRefused(apply::Refusal),
    /// The person holds the role in days of the new term.
    AlreadyAppointed {
        /// The subject of the person.
        person: String,
        /// The code of the role.
        role: String,
    },
    /// What the rules of a transfer refuse.
    TransferRefused(transfers::Refusal),
    /// What the rules of a confidential report refuse.
    ReportRefused(report::Refusal),
    /// The issue is in another transfer.
    IssueInTransfer {
        /// The issue's name.
        issue: String,
    },
    /// The receiver has no such key in use.
    KeyNotUsable {
        /// The key's name.
        key: String,
    },
    /// There is no such resource, or the caller may not know of it.
    NotFound {
        /// Its resource name.
        name: String,
    },
    /// A resource of that name exists.
    AlreadyExists {
        /// Its resource name.
        name: String,
    },
    /// The district has no work calendar.
    CalendarMissing,
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
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

impl From<need::Refusal> for Error {
    fn from(refusal: need::Refusal) -> Self {
        Self::NeedRefused(refusal)
    }
}

impl From<observation::Refusal> for Error {
    fn from(refusal: observation::Refusal) -> Self {
        Self::ObservationRefused(refusal)
    }
}

impl From<info_item::Refusal> for Error {
    fn from(refusal: info_item::Refusal) -> Self {
        Self::InfoItemRefused(refusal)
    }
}

impl From<symposiums::Refusal> for Error {
    fn from(refusal: symposiums::Refusal) -> Self {
        Self::SymposiumRefused(refusal)
    }
}

impl From<batch::Refusal> for Error {
    fn from(refusal: batch::Refusal) -> Self {
        Self::BatchRefused(refusal)
    }
}

impl From<apply::Refusal> for Error {
    fn from(refusal: apply::Refusal) -> Self {
        Self::AppointmentRefused(refusal)
    }
}

impl From<transfers::Refusal> for Error {
    fn from(refusal: transfers::Refusal) -> Self {
        Self::TransferRefused(refusal)
    }
}

impl From<report::Refusal> for Error {
    fn from(refusal: report::Refusal) -> Self {
        Self::ReportRefused(refusal)
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        Problem::from(error).status(DOMAIN)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Problem(problem) => problem,
            Error::Refused(refusal) => issue::refused(refusal),
            Error::NeedRefused(refusal) => assistance::refused(refusal),
            Error::ReferenceUsed { reference } => failed(
                "REFERENCE_USED",
                format!("凭证号 {reference} 已登记，同一笔不能重复计入"),
                format!("the reference {reference} is recorded already: nothing counts twice"),
            )
            .with("reference", reference),
            Error::ObservationRefused(refusal) => information::observation_refused(refusal),
            Error::InfoItemRefused(refusal) => information::refused(&refusal),
            Error::SymposiumRefused(refusal) => symposium::refused(refusal),
            Error::BatchRefused(refusal) => appointment::batch_refused(refusal),
            Error::AppointmentRefused(refusal) => appointment::refused(&refusal),
            Error::AlreadyAppointed { person, role } => {
                let zh = format!("{person} 在此聘期内已受聘为 {role}");
                let en = format!("{person} holds the role {role} in days of this term");
                failed("ALREADY_APPOINTED", zh, en).with("person", person).with("role", role)
            }
            Error::TransferRefused(refusal) => transfer::refused(refusal),
            Error::ReportRefused(refusal) => transfer::report_refused(refusal),
            Error::IssueInTransfer { issue } => {
                let (zh, en) = ("该问题已有移送函在办理或已移送", "the issue is in another transfer");
                failed("ISSUE_IN_TRANSFER", zh, en).with("issue", issue)
            }
            Error::KeyNotUsable { key } => {
                let (zh, en) = ("接收机关没有此公钥，或已停用", "the receiver has no such key in use");
                failed("KEY_NOT_USABLE", zh, en).with("key", key)
            }
            Error::NotFound { name } => {
                let zh = format!("没有 {name}，或无权查看");
                let en = format!("{name} does not exist, or is not yours to see");
                Problem::new(Code::NotFound, "NOT_FOUND", zh, en).with("name", name)
            }
            Error::AlreadyExists { name } => {
                let (zh, en) = (format!("{name} 已存在"), format!("{name} exists already"));
                Problem::new(Code::AlreadyExists, "ALREADY_EXISTS", zh, en).with("name", name)
            }
            Error::CalendarMissing => failed(
                "NO_CALENDAR",
                "本区县尚无工作日历；请管理员先导入",
                "the district has no work calendar: an administrator has to enter it first",
            ),
        }
    }
}

fn failed(reason: &'static str, zh: impl Into<Box<str>>, en: impl Into<Box<str>>) -> Problem {
    Problem::new(Code::FailedPrecondition, reason, zh, en)
}

#[cfg(test)]
mod tests;
