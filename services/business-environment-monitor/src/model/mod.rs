//! Types and rules, pure: no I/O, no clock, no randomness.

pub mod actor;
pub mod appointment;
pub mod enterprise;
pub mod indicator;
pub mod info_item;
pub mod issue;
pub mod need;
pub mod observation;
pub mod receiver;
pub mod report;
pub mod sealed;
pub mod social_credit;
pub mod symposium;
pub mod term;
pub mod transfer;

use jingwei_work_calendar::CHINA_STANDARD_TIME;
use time::{Date, OffsetDateTime};

/// The local day of a moment.
#[must_use]
pub fn local_day(at: OffsetDateTime) -> Date {
    at.to_offset(CHINA_STANDARD_TIME).date()
}
