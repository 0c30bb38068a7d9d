//! Distances, coverage and states of patrols.

use proptest::prelude::*;
use time::Duration;
use time::macros::datetime;

use super::*;
use crate::model::position::CoordinateSystem;

const NOW: OffsetDateTime = datetime!(2026-03-02 09:00 +8);

fn point(latitude: f64, longitude: f64) -> Point {
    Point::new(latitude, longitude, CoordinateSystem::Wgs84).unwrap()
}

fn patrol(points: &[Point], state: State) -> Patrol {
    let checkpoint = |p: &Point| Checkpoint {
        display_name: String::new(),
        place: CheckpointPlace::Point(*p),
        covered: false,
    };
    Patrol {
        district: 410_182,
        id: Uuid::nil(),
        area: "410182002".parse().unwrap(),
        assignee: Uuid::nil(),
        opens: Some(NOW),
        due: NOW + Duration::HOUR,
        checkpoints: points.iter().map(checkpoint).collect(),
        radius: DEFAULT_RADIUS,
        state,
        started: None,
        ended: None,
        version: 1,
    }
}

fn track(points: &[(Point, f64)]) -> Vec<TrackPoint> {
    points
        .iter()
        .map(|(point, accuracy)| TrackPoint { time: NOW, point: *point, accuracy: *accuracy })
        .collect()
}

#[test]
fn known_distances() {
    let degree = point(34.0, 113.0).metres_to(point(35.0, 113.0));
    assert!((degree - 111_195.0).abs() < 1.0, "{degree}");
    let beijing_shanghai = point(39.9042, 116.4074).metres_to(point(31.2304, 121.4737));
    assert!((beijing_shanghai - 1_067_300.0).abs() < 1_000.0, "{beijing_shanghai}");
    let around = point(0.0, 179.9999).metres_to(point(0.0, -179.9999));
    assert!((around - 22.2).abs() < 0.1, "{around}");
}

#[test]
fn a_point_that_is_not_known_well_covers_nothing() {
    let at = point(34.79, 113.38);
    let covered =
        |accuracy| patrol(&[at], State::Ongoing).tracked(&track(&[(at, accuracy)]), &[], NOW).unwrap().done();
    assert_eq!((covered(50.0), covered(50.1)), (1, 0));
}

#[test]
fn an_area_is_covered_by_entering_it() {
    let square = r#"{"type":"Polygon","coordinates":[[[113.0,34.0],[113.1,34.0],[113.1,34.1],[113.0,34.1],[113.0,34.0]]]}"#;
    let boundary = Boundary::from_geojson(square, CoordinateSystem::Wgs84).unwrap();
    let area: AreaCode = "410182002011".parse().unwrap();
    let mut planned = patrol(&[point(34.0, 113.0)], State::Ongoing);
    planned.checkpoints[0].place = CheckpointPlace::Area(area);
    let done = |at| {
        let walked = planned.clone().tracked(&track(&[(at, 5.0)]), &[(area, boundary.clone())], NOW);
        walked.unwrap().done()
    };
    assert_eq!((done(point(34.05, 113.05)), done(point(34.2, 113.05))), (1, 0));
}

#[test]
fn states_go_one_way() {
    let all = [State::Planned, State::Ongoing, State::Done, State::Cancelled];
    for state in all {
        let at = || patrol(&[], state);
        let refused = Err(Refusal::State { state: Some(state) });
        assert_eq!(at().started(NOW).is_ok(), state == State::Planned);
        assert_eq!(at().ended(NOW).is_ok(), state == State::Ongoing);
        assert_eq!(at().cancelled(NOW).is_ok(), state == State::Planned);
        assert_eq!(at().tracked(&[], &[], NOW).is_ok(), state == State::Ongoing);
        if state == State::Done {
            assert_eq!(at().started(NOW), refused);
        }
    }
    let late = NOW + Duration::HOUR + Duration::SECOND;
    assert!(patrol(&[], State::Planned).is_missed(late));
    assert_eq!(patrol(&[], State::Planned).started(late), Err(Refusal::State { state: None }));
    assert!(patrol(&[], State::Ongoing).ended(late).is_ok(), "what was started in time may end later");
    let early = patrol(&[], State::Planned).started(NOW - Duration::SECOND);
    assert_eq!(early, Err(Refusal::NotOpen { opens: NOW }));
}

fn any_point() -> impl Strategy<Value = Point> {
    (-90.0..=90.0, -180.0..=180.0).prop_map(|(latitude, longitude)| point(latitude, longitude))
}

/// A point within some 150 m of the place where the tests walk.
fn near() -> impl Strategy<Value = Point> {
    (34.79..34.792, 113.38..113.382).prop_map(|(latitude, longitude)| point(latitude, longitude))
}

proptest! {
    #[test]
    fn a_distance_is_one(a in any_point(), b in any_point(), c in any_point()) {
        prop_assert!(a.metres_to(a) < 1e-6);
        prop_assert!((a.metres_to(b) - b.metres_to(a)).abs() < 1e-6);
        prop_assert!((0.0..=std::f64::consts::PI * 6_371_008.8 + 1.0).contains(&a.metres_to(b)));
        prop_assert!(a.metres_to(c) <= a.metres_to(b) + b.metres_to(c) + 1e-3);
    }

    #[test]
    fn a_longer_track_covers_no_less_however_it_comes(
        checkpoints in prop::collection::vec(near(), 1..8),
        walked in prop::collection::vec((near(), 0.0..80.0), 0..20),
        cut in 0..20_usize,
    ) {
        let walked = track(&walked);
        let cut = cut.min(walked.len());
        let planned = patrol(&checkpoints, State::Ongoing);
        let part = planned.clone().tracked(&walked[..cut], &[], NOW).unwrap();
        let whole = planned.tracked(&walked, &[], NOW).unwrap();
        prop_assert!(part.done() <= whole.done());
        let rest_first = patrol(&checkpoints, State::Ongoing).tracked(&walked[cut..], &[], NOW).unwrap();
        let in_two = rest_first.tracked(&walked[..cut], &[], NOW).unwrap();
        prop_assert_eq!(&in_two.checkpoints, &whole.checkpoints);
        let again = whole.clone().tracked(&walked, &[], NOW).unwrap();
        prop_assert_eq!(again.checkpoints, whole.checkpoints);
    }
}
