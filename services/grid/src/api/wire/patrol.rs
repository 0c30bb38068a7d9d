//! Patrols: model ↔ wire.

use jingwei_kit::etag;
use jingwei_kit::status::Violations;
use jingwei_proto::grid::v1 as pb;
use time::OffsetDateTime;

use super::{name, point, time as wire_time};
use crate::model::area::AreaCode;
use crate::model::note::device_time;
use crate::model::patrol::{Checkpoint, CheckpointPlace, Patrol, State, TrackPoint};

/// A patrol on the wire, as it is at a moment.
pub fn write(patrol: &Patrol, now: OffsetDateTime) -> pb::Patrol {
    let state = match patrol.state {
        State::Planned if patrol.is_missed(now) => pb::PatrolState::Missed,
        State::Planned => pb::PatrolState::Planned,
        State::Ongoing => pb::PatrolState::Ongoing,
        State::Done => pb::PatrolState::Done,
        State::Cancelled => pb::PatrolState::Cancelled,
    };
    pb::Patrol {
        name: name::of(patrol.district, "patrols", patrol.id),
        area: name::area(patrol.area),
        assignee: name::of(patrol.district, "staff", patrol.assignee),
        open_time: wire_time::write_option(patrol.opens),
        due_time: Some(wire_time::write(patrol.due)),
        checkpoints: patrol.checkpoints.iter().map(write_checkpoint).collect(),
        radius_metres: i32::try_from(patrol.radius).unwrap_or(i32::MAX),
        state: state.into(),
        start_time: wire_time::write_option(patrol.started),
        end_time: wire_time::write_option(patrol.ended),
        due_count: count(patrol.checkpoints.len()),
        done_count: count(patrol.done()),
        etag: etag::of(patrol.version),
    }
}

fn count(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn write_checkpoint(checkpoint: &Checkpoint) -> pb::Checkpoint {
    let place = match &checkpoint.place {
        CheckpointPlace::Point(at) => pb::checkpoint::Place::Point(point::write(*at)),
        CheckpointPlace::Area(area) => pb::checkpoint::Place::Area(name::area(*area)),
    };
    pb::Checkpoint {
        display_name: checkpoint.display_name.clone(),
        place: Some(place),
        covered: checkpoint.covered,
    }
}

/// The checkpoints of a plan for an area; a violation for each that is nothing or lies elsewhere.
pub fn read_checkpoints(
    given: &[pb::Checkpoint],
    patrolled: Option<AreaCode>,
    district: i32,
    violations: &mut Violations,
) -> Vec<Checkpoint> {
    let mut read = Vec::new();
    for (i, checkpoint) in given.iter().enumerate() {
        let field = format!("patrol.checkpoints[{i}]");
        let place = match &checkpoint.place {
            Some(pb::checkpoint::Place::Point(at)) => {
                let system = pb::CoordinateSystem::Wgs84;
                point::read(&format!("{field}.point"), Some(at), system, violations)
                    .map(CheckpointPlace::Point)
            }
            Some(pb::checkpoint::Place::Area(area)) => {
                let field = format!("{field}.area");
                let area = name::read_area_in(&field, area, district, violations);
                if area.zip(patrolled).is_some_and(|(area, patrolled)| !patrolled.contains(&area)) {
                    violations.add(field, "within", "须在巡查区域内", "must lie in the patrol's area");
                }
                area.map(CheckpointPlace::Area)
            }
            None => {
                violations.add(field, "required", "须填写点或区域", "must have a point or an area");
                None
            }
        };
        let display_name = checkpoint.display_name.clone();
        read.extend(place.map(|place| Checkpoint { display_name, place, covered: false }));
    }
    read
}

/// A point of a track on the wire.
pub fn write_track_point(at: &TrackPoint) -> pb::TrackPoint {
    pb::TrackPoint {
        time: Some(wire_time::write(at.time)),
        point: Some(point::write(at.point)),
        accuracy_metres: at.accuracy,
    }
}

/// The points of a track from `since` on; a violation for each that is earlier, in the future, or wrong.
pub fn read_track(
    given: &[pb::TrackPoint],
    since: OffsetDateTime,
    now: OffsetDateTime,
    violations: &mut Violations,
) -> Vec<TrackPoint> {
    let mut read = Vec::new();
    for (i, at) in given.iter().enumerate() {
        let field = |name: &str| format!("track_points[{i}].{name}");
        let said = wire_time::read(&field("time"), at.time.as_ref(), violations);
        let time = said.and_then(|said| device_time(Some(said), now)).filter(|time| *time >= since);
        if said.is_some() && time.is_none() {
            let (zh, en) =
                ("须在巡查开始之后且不晚于现在", "must be after the patrol's start and not in the future");
            violations.add(field("time"), "range", zh, en);
        }
        let point = point::read(&field("point"), at.point.as_ref(), pb::CoordinateSystem::Wgs84, violations);
        read.extend(time.zip(point).map(|(time, point)| TrackPoint {
            time,
            point,
            accuracy: at.accuracy_metres,
        }));
    }
    read
}

/// When something was done, as a field says; now where unset. A violation where that is in the future or before `since`.
pub fn read_moment(
    field: &str,
    given: Option<&prost_types::Timestamp>,
    since: Option<OffsetDateTime>,
    now: OffsetDateTime,
    violations: &mut Violations,
) -> OffsetDateTime {
    let said = wire_time::read_option(field, given, violations);
    let at = device_time(said, now).filter(|at| since.is_none_or(|since| *at >= since));
    if at.is_none() {
        let (zh, en) =
            ("不能是将来的时间，也不能早于开始时间", "must not be in the future or before the start");
        violations.add(field, "range", zh, en);
    }
    at.unwrap_or(now)
}
