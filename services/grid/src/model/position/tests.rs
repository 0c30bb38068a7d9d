//! Points convert to within a metre; boundaries are read, checked and written as they were meant.

use proptest::prelude::*;

use super::{Boundary, BoundaryError, CoordinateSystem::*, Point, PointError};

const METRES_PER_DEGREE: f64 = 111_320.0;

/// Metres between two points near each other.
fn distance(a: Point, b: Point) -> f64 {
    let north = a.latitude() - b.latitude();
    let east = (a.longitude() - b.longitude()) * a.latitude().to_radians().cos();
    north.hypot(east) * METRES_PER_DEGREE
}

fn wgs84(latitude: f64, longitude: f64) -> Point {
    Point::new(latitude, longitude, Wgs84).unwrap()
}

fn boundary(text: &str) -> Result<Boundary, BoundaryError> {
    Boundary::from_geojson(text, Wgs84)
}

/// A square of 2° with a hole of 1°, and a triangle west of it.
const TWO: &str = r#"{"type":"MultiPolygon","coordinates":[
    [[[113,34],[115,34],[115,36],[113,36],[113,34]],
     [[113.5,34.5],[114.5,34.5],[114.5,35.5],[113.5,35.5],[113.5,34.5]]],
    [[[110,34,120.5],[112,34,120.5],[112,35,99],[110,34,120.5]]]]}"#;

proptest! {
    /// Henan lies within 31°–37° N, 110°–117° E.
    #[test]
    fn gcj02_comes_back_within_a_millimetre(latitude in 31.0..37.0, longitude in 110.0..117.0) {
        let (gcj_longitude, gcj_latitude) = coordtransform::wgs84_to_gcj02(longitude, latitude);
        let back = Point::new(gcj_latitude, gcj_longitude, Gcj02).unwrap();
        prop_assert!(distance(back, wgs84(latitude, longitude)) < 0.001);
        // Unconverted it is off by hundreds of metres: the conversion is not the identity.
        prop_assert!(distance(wgs84(gcj_latitude, gcj_longitude), wgs84(latitude, longitude)) > 100.0);
    }

    #[test]
    fn points_are_checked_and_kept(latitude in -200.0..200.0, longitude in -400.0..400.0) {
        match Point::new(latitude, longitude, Wgs84) {
            Ok(point) => {
                prop_assert!(latitude.abs() <= 90.0 && longitude.abs() <= 180.0);
                prop_assert_eq!((point.latitude(), point.longitude()), (latitude, longitude));
            }
            Err(PointError::Latitude(found)) => prop_assert!(found == latitude && latitude.abs() > 90.0),
            Err(PointError::Longitude(found)) => prop_assert!(found == longitude && longitude.abs() > 180.0),
        }
    }

    /// Against the plain rule of the two rectangles.
    #[test]
    fn a_point_is_in_the_square_and_not_in_its_hole(latitude in 33.0..37.0, longitude in 112.5..116.0) {
        let square = (34.0..=36.0).contains(&latitude) && (113.0..=115.0).contains(&longitude);
        let hole = latitude > 34.5 && latitude < 35.5 && longitude > 113.5 && longitude < 114.5;
        prop_assert_eq!(boundary(TWO).unwrap().contains(wgs84(latitude, longitude)), square && !hole);
    }
}

/// Coordinates of any nesting.
fn nested() -> impl Strategy<Value = serde_json::Value> {
    let number = (-200.0..200.0).prop_map(serde_json::Value::from);
    number.prop_recursive(5, 64, 5, |inner| {
        prop::collection::vec(inner, 0..5).prop_map(serde_json::Value::from)
    })
}

proptest! {
    /// What is accepted can be used and written, and reads back as itself.
    #[test]
    fn no_coordinates_break_it(
        coordinates in nested(),
        ring in prop::collection::vec(prop::collection::vec(-60.0..120.0, 1..4), 2..5),
        multi in any::<bool>(),
    ) {
        let closed: Vec<_> = ring.iter().chain(&ring[..1]).collect();
        let rings = serde_json::json!([closed]);
        for coordinates in [coordinates, if multi { serde_json::json!([rings]) } else { rings }] {
            let kind = if multi { "MultiPolygon" } else { "Polygon" };
            let text = serde_json::json!({"type": kind, "coordinates": coordinates}).to_string();
            if let Ok(read) = boundary(&text) {
                let (south_west, _) = read.bounding_box();
                prop_assert!(read.outer_rings().iter().all(|ring| ring.matches(',').count() >= 3));
                prop_assert!(south_west.latitude() >= -90.0);
                prop_assert_eq!(boundary(&read.to_geojson()), Ok(read));
            }
        }
    }
}

#[test]
fn outside_of_china_gcj02_is_wgs84() {
    assert_eq!(Point::new(48.8584, 2.2945, Gcj02), Point::new(48.8584, 2.2945, Wgs84));
}

#[test]
fn numbers_that_are_no_points_are_refused() {
    assert!(matches!(Point::new(f64::NAN, 113.0, Wgs84), Err(PointError::Latitude(_))));
    assert!(matches!(Point::new(34.0, f64::INFINITY, Gcj02), Err(PointError::Longitude(_))));
    assert!(serde_json::from_str::<Point>(r#"{"latitude":113.4,"longitude":34.8}"#).is_err());
    let point = wgs84(34.8, 113.4);
    assert_eq!(serde_json::to_string(&point).unwrap(), r#"{"latitude":34.8,"longitude":113.4}"#);
    assert_eq!(serde_json::from_str::<Point>(r#"{"latitude":34.8,"longitude":113.4}"#).unwrap(), point);
}

#[test]
fn a_boundary_has_a_box_and_rings() {
    let boundary = boundary(TWO).unwrap();
    assert_eq!(boundary.bounding_box(), (wgs84(34.0, 110.0), wgs84(36.0, 115.0)));
    assert_eq!(
        boundary.outer_rings(),
        ["((113,34),(115,34),(115,36),(113,36))", "((110,34),(112,34),(112,35))"]
    );
    assert!(boundary.contains(wgs84(34.0, 113.0)), "a corner belongs to it");
    assert!(boundary.contains(wgs84(34.25, 111.0)), "the triangle belongs to it");
    assert!(!boundary.contains(wgs84(34.75, 110.5)));
}

#[test]
fn geojson_is_written_back() {
    let one = r#"{"type":"Polygon","coordinates":[[[113,34],[115,34],[115,36],[113,34]]]}"#;
    for text in [one, TWO] {
        let read = boundary(text).unwrap();
        assert_eq!(boundary(&read.to_geojson()), Ok(read));
    }
    assert!(boundary(one).unwrap().to_geojson().contains(r#""Polygon""#));
}

#[test]
fn a_gcj02_boundary_is_converted() {
    let point = wgs84(34.8, 113.4);
    let ring: Vec<[f64; 2]> =
        [(-0.001, -0.001), (-0.001, 0.001), (0.001, 0.001), (0.001, -0.001), (-0.001, -0.001)]
            .map(|(dx, dy)| coordtransform::wgs84_to_gcj02(113.4 + dx, 34.8 + dy).into())
            .to_vec();
    let text = serde_json::json!({"type": "Polygon", "coordinates": [ring]}).to_string();
    assert!(Boundary::from_geojson(&text, Gcj02).unwrap().contains(point));
    assert!(
        !Boundary::from_geojson(&text, Wgs84).unwrap().contains(point),
        "the shift is wider than the square"
    );
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let rings =
        |rings: &str| boundary(&format!(r#"{{"type":"Polygon","coordinates":{rings}}}"#)).unwrap_err();
    assert!(matches!(boundary("{"), Err(BoundaryError::NotGeoJson { .. })));
    assert_eq!(
        rings("[[[113,34],[114],[115],[113,34]]]"),
        BoundaryError::ShortPosition { polygon: 0, ring: 0, position: 1 }
    );
    assert!(matches!(rings("[[[],[],[],[]]]"), BoundaryError::NotGeoJson { .. }));
    let point = r#"{"type":"Point","coordinates":[113,34]}"#;
    assert_eq!(boundary(point), Err(BoundaryError::NotAPolygon { found: "Point" }));
    assert_eq!(rings("[]"), BoundaryError::Empty);
    assert_eq!(boundary(r#"{"type":"MultiPolygon","coordinates":[]}"#), Err(BoundaryError::Empty));
    let second_empty = TWO.replace("]]]]", "]]],[]]");
    assert_eq!(boundary(&second_empty), Err(BoundaryError::Empty));
    let good = "[[113,34],[115,34],[115,36],[113,34]]";
    assert_eq!(
        rings(&format!("[{good},[[113,34],[114,34],[113,34]]]")),
        BoundaryError::ShortRing { polygon: 0, ring: 1, found: 3 }
    );
    assert_eq!(
        rings("[[[113,34],[115,34],[115,36],[113,36]]]"),
        BoundaryError::OpenRing { polygon: 0, ring: 0 }
    );
    assert_eq!(
        rings("[[[34,13],[34,115],[36,115],[34,13]]]"),
        BoundaryError::Position { polygon: 0, ring: 0, position: 1, problem: PointError::Latitude(115.0) }
    );
}
