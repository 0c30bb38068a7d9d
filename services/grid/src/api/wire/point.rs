//! Points: degrees on the wire, WGS-84 in the model.

use jingwei_kit::status::Violations;
use jingwei_proto::grid::v1 as pb;

use crate::model::position::{CoordinateSystem, Point};

/// The point that a field holds, converted to WGS-84; `None` where unset, or out of range with a violation.
pub fn read(
    field: &str,
    point: Option<&pb::Point>,
    system: pb::CoordinateSystem,
    violations: &mut Violations,
) -> Option<Point> {
    let point = point?;
    let read = Point::new(point.latitude, point.longitude, read_system(system));
    if let Err(error) = &read {
        violations.add(field, "range", "经纬度超出范围", error.to_string());
    }
    read.ok()
}

/// A coordinate system; WGS-84 where unspecified.
pub fn read_system(system: pb::CoordinateSystem) -> CoordinateSystem {
    match system {
        pb::CoordinateSystem::Unspecified | pb::CoordinateSystem::Wgs84 => CoordinateSystem::Wgs84,
        pb::CoordinateSystem::Gcj02 => CoordinateSystem::Gcj02,
    }
}

/// A point on the wire.
pub fn write(point: Point) -> pb::Point {
    pb::Point { latitude: point.latitude(), longitude: point.longitude() }
}
