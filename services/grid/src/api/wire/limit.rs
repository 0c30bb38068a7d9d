//! Limits and their units.

use jingwei_kit::status::Violations;
use jingwei_proto::grid::v1 as pb;
use jingwei_work_calendar::{Limit, TimeUnit};

/// A limit on the wire.
pub fn write(limit: Limit) -> pb::Limit {
    pb::Limit { unit: write_unit(limit.unit).into(), amount: i32::try_from(limit.amount).unwrap_or(i32::MAX) }
}

/// A unit on the wire.
pub fn write_unit(unit: TimeUnit) -> pb::TimeUnit {
    match unit {
        TimeUnit::EmergencyHours => pb::TimeUnit::EmergencyHours,
        TimeUnit::WorkingHours => pb::TimeUnit::WorkingHours,
        TimeUnit::WorkingDays => pb::TimeUnit::WorkingDays,
    }
}

/// The limit that a field holds; else `None`, with a violation noted.
pub fn read(field: &str, limit: Option<&pb::Limit>, violations: &mut Violations) -> Option<Limit> {
    let read = limit.and_then(|l| {
        let unit = match l.unit() {
            pb::TimeUnit::Unspecified => return None,
            pb::TimeUnit::EmergencyHours => TimeUnit::EmergencyHours,
            pb::TimeUnit::WorkingHours => TimeUnit::WorkingHours,
            pb::TimeUnit::WorkingDays => TimeUnit::WorkingDays,
        };
        Some(Limit { unit, amount: u32::try_from(l.amount).ok()? })
    });
    if read.is_none() {
        violations.add(field, "required", "须填写单位和数量", "must have a unit and an amount");
    }
    read
}

/// As `read`, for a field that may be unset.
pub fn read_option(field: &str, limit: Option<&pb::Limit>, violations: &mut Violations) -> Option<Limit> {
    limit.and_then(|limit| read(field, Some(limit), violations))
}
