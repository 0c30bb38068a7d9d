//! Appointment (聘任): a person in a role for a term, from the nomination to its end, with a certificate that anybody can check.

use jingwei_work_calendar::CHINA_STANDARD_TIME;
use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::actor::Actor;
use super::local_day;

pub mod apply;
pub mod arcs;
pub mod batch;
pub mod composition;
pub mod duty;
pub mod role;

time::serde::format_description!(iso_date, Date, "[year]-[month]-[day]");

/// Where an appointment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "STATES says what each is called")]
pub enum State {
    Nominated,
    Vetted,
    Publicised,
    Approved,
    Active,
    Suspended,
    Expired,
    Dismissed,
    Resigned,
    Declined,
}

/// Every state in the order of the variants: code, Chinese, English.
const STATES: [(State, &str, &str, &str); 10] = [
    (State::Nominated, "NOMINATED", "已提名", "nominated"),
    (State::Vetted, "VETTED", "审核通过", "vetted"),
    (State::Publicised, "PUBLICISED", "公示中", "publicised"),
    (State::Approved, "APPROVED", "已批准", "approved, its term not begun"),
    (State::Active, "ACTIVE", "在聘", "active"),
    (State::Suspended, "SUSPENDED", "暂停履职", "suspended"),
    (State::Expired, "EXPIRED", "聘期届满", "expired"),
    (State::Dismissed, "DISMISSED", "解聘", "dismissed"),
    (State::Resigned, "RESIGNED", "辞聘", "resigned"),
    (State::Declined, "DECLINED", "未获聘任", "not appointed"),
];

impl State {
    /// Every state, once.
    pub fn all() -> impl Iterator<Item = State> {
        STATES.iter().map(|row| row.0)
    }

    /// The state of a code.
    #[must_use]
    pub fn of_code(code: &str) -> Option<State> {
        State::all().find(|state| state.code() == code)
    }

    /// Its code, e.g. `ACTIVE`.
    #[must_use]
    pub fn code(self) -> &'static str {
        STATES[self as usize].1
    }

    /// In Chinese, e.g. 在聘.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        STATES[self as usize].2
    }

    /// In English, e.g. `active`.
    #[must_use]
    pub fn english(self) -> &'static str {
        STATES[self as usize].3
    }

    /// Whether it has come to an end.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, State::Expired | State::Dismissed | State::Resigned | State::Declined)
    }
}

/// How somebody comes to be nominated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NominationMode {
    /// By a unit 单位推荐.
    Unit,
    /// By special invitation 特别邀请.
    Invitation,
    /// By oneself 自荐.
    Oneself,
    /// By an open selection 公开选聘.
    OpenSelection,
}

/// Who is nominated for what (提名). The person's data are kept apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nomination {
    /// The subject of the person.
    pub person: String,
    /// The code of the role.
    pub role: String,
    /// How it came about.
    pub mode: NominationMode,
    /// Which unit nominates; empty unless one does.
    pub nominated_by: String,
    /// The group that the person comes from, e.g. 人大代表.
    pub group: String,
    /// Why somebody from outside of the role's main groups.
    pub exception_reason: Option<String>,
    /// The code of the industry that the person works in, where one.
    pub industry: Option<String>,
    /// The code of the street or town that the person lives or works in, 9 digits.
    pub street: Option<String>,
    /// The appointment that this one renews 续聘.
    pub renews: Option<Uuid>,
}

/// The days that an appointment lasts, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenure {
    /// The first.
    #[serde(with = "iso_date")]
    pub first: Date,
    /// The last.
    #[serde(with = "iso_date")]
    pub last: Date,
}

/// What anybody who scans a certificate is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateStatus {
    /// The term has not begun 未生效.
    NotYetValid,
    /// Valid 有效.
    Valid,
    /// Not valid any more, or suspended 已失效.
    Revoked,
}

/// An appointment. Changed by `apply` only; the fields are open so that a store can write and read them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appointment {
    /// Its id.
    pub id: Uuid,
    /// Its district.
    pub district: i32,
    /// The batch it is nominated in.
    pub batch: Uuid,
    /// Who is nominated for what.
    pub nomination: Nomination,
    /// Which term in a row it is, from 1.
    pub term_number: u32,
    /// The day after which the renewed appointment ends: this one begins later.
    #[serde(with = "iso_date::option")]
    pub follows: Option<Date>,
    /// Where it stands.
    pub state: State,
    /// The days it lasts; none before the certificate.
    pub tenure: Option<Tenure>,
    /// The number of the certificate 聘任证书, unique in the district, e.g. `410183-2024-000017`.
    pub certificate: Option<String>,
    /// The number of changes, the nomination being the first.
    pub version: i64,
}

impl Appointment {
    /// Whether the person holds the role on a day.
    #[must_use]
    pub fn is_active_on(&self, day: Date) -> bool {
        let within = self.tenure.is_some_and(|tenure| (tenure.first..=tenure.last).contains(&day));
        within && matches!(self.state, State::Active | State::Approved)
    }

    /// What its certificate is worth on a day; `None` where it has none.
    #[must_use]
    pub fn certificate_status(&self, day: Date) -> Option<CertificateStatus> {
        self.certificate.as_ref()?;
        let early = self.tenure.is_some_and(|tenure| day < tenure.first) && !self.state.is_over();
        Some(match self.is_active_on(day) {
            true => CertificateStatus::Valid,
            false if early => CertificateStatus::NotYetValid,
            false => CertificateStatus::Revoked,
        })
    }

    /// When the system next has something to do; `None` while there is nothing.
    #[must_use]
    pub fn alarm_at(&self) -> Option<OffsetDateTime> {
        let tenure = self.tenure?;
        let day = match self.state {
            State::Approved => tenure.first,
            State::Active | State::Suspended => tenure.last.next_day()?,
            _ => return None,
        };
        Some(day.midnight().assume_offset(CHINA_STANDARD_TIME))
    }

    /// What the system has to do at `now`, one command at a time: repeat until `None`.
    #[must_use]
    pub fn due_command(&self, now: OffsetDateTime) -> Option<apply::Command> {
        self.alarm_at().filter(|at| *at <= now)?;
        Some(if self.state == State::Approved { apply::Command::Begin } else { apply::Command::Expire })
    }
}

/// One change of an appointment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The appointment.
    pub appointment: Uuid,
    /// Its version after it.
    pub version: i64,
    /// What was done.
    pub action: arcs::ActionKind,
    /// The state before; `None` for the nomination.
    pub from: Option<State>,
    /// The state after.
    pub to: State,
    /// Who did it.
    pub actor: Actor,
    /// When.
    pub at: OffsetDateTime,
    /// Why; may be empty.
    pub reason: String,
}

#[cfg(test)]
mod tests;
