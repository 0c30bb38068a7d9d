//! Units: an area or a department, as a name on the wire.

use jingwei_kit::status::Violations;
use jingwei_proto::grid::v1::{self as pb, unit::Kind};

use crate::model::area::AreaCode;
use crate::model::unit::Unit;

/// The unit in a district, as its resource name.
pub fn write(district: i32, unit: &Unit) -> pb::Unit {
    let kind = match unit {
        Unit::Area(code) => Kind::Area(format!("districts/{district}/areas/{code}")),
        Unit::Department(code) => Kind::Department(format!("districts/{district}/departments/{code}")),
    };
    pb::Unit { kind: Some(kind) }
}

/// The unit that a field names; else `None`, with a violation noted.
pub fn read(field: &str, unit: Option<&pb::Unit>, violations: &mut Violations) -> Option<Unit> {
    let read = match unit.and_then(|u| u.kind.as_ref()) {
        Some(Kind::Area(name)) => name.rsplit('/').next().and_then(|code| code.parse().ok()).map(Unit::Area),
        Some(Kind::Department(name)) => name.rsplit('/').next().map(|code| Unit::Department(code.to_owned())),
        None => None,
    };
    if read.is_none() {
        violations.add(
            field,
            "required",
            "须填写 area 或 department 之一",
            "must be an area or a department",
        );
    }
    read
}

/// The area that a field names; else `None`, with a violation noted.
pub fn read_area(field: &str, unit: Option<&pb::Unit>, violations: &mut Violations) -> Option<AreaCode> {
    match unit.and_then(|u| u.kind.as_ref()) {
        Some(Kind::Area(_)) => read(field, unit, violations).and_then(|u| u.area()),
        _ => {
            violations.add(format!("{field}.area"), "required", "须填写区域", "must be an area");
            None
        }
    }
}
