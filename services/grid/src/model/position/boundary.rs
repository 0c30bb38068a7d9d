//! The boundary of an area: polygons read from GeoJSON, checked and brought to WGS-84.

use std::fmt::Write;

use geo::{BoundingRect, Coord, Intersects, LineString, MultiPolygon, Polygon};
use geojson::{Geometry, GeometryValue, Position};

use super::{CoordinateSystem, Point, PointError};

/// The least positions of a ring: a triangle, whose first corner comes again at the end (RFC 7946, 3.1.6).
const LEAST_POSITIONS: usize = 4;

/// The boundary of an area (边界) in WGS-84: one or more polygons, which may have holes.
#[derive(Debug, Clone, PartialEq)]
pub struct Boundary {
    /// Coordinates are x = longitude, y = latitude. No polygon is empty, and there is at least one.
    polygons: MultiPolygon<f64>,
}

/// Why a text is not a boundary. Polygons, rings (0 is the outer one) and positions count from 0.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BoundaryError {
    /// It is not a GeoJSON geometry.
    #[error("not a GeoJSON geometry: {reason}")]
    NotGeoJson {
        /// What the parser says.
        reason: String,
    },
    /// It is another geometry.
    #[error("a boundary is a Polygon or a MultiPolygon, not a {found}")]
    NotAPolygon {
        /// The geometry's type.
        found: &'static str,
    },
    /// It has no polygon, or a polygon without a ring.
    #[error("the boundary or one of its polygons is empty")]
    Empty,
    /// A ring is too short to enclose anything.
    #[error("polygon {polygon}, ring {ring}: a ring has at least four positions, not {found}")]
    ShortRing {
        /// Which polygon.
        polygon: usize,
        /// Which of its rings.
        ring: usize,
        /// How many positions it has.
        found: usize,
    },
    /// A ring does not end where it starts.
    #[error("polygon {polygon}, ring {ring}: a ring ends where it starts")]
    OpenRing {
        /// Which polygon.
        polygon: usize,
        /// Which of its rings.
        ring: usize,
    },
    /// A position is less than a pair of numbers.
    #[error("polygon {polygon}, ring {ring}, position {position}: a position is a longitude and a latitude")]
    ShortPosition {
        /// Which polygon.
        polygon: usize,
        /// Which of its rings.
        ring: usize,
        /// Which of its positions.
        position: usize,
    },
    /// A position is out of range. Latitude and longitude the wrong way round end here, in all of China east
    /// of 90°.
    #[error("polygon {polygon}, ring {ring}, position {position}: {problem}")]
    Position {
        /// Which polygon.
        polygon: usize,
        /// Which of its rings.
        ring: usize,
        /// Which of its positions.
        position: usize,
        /// What is wrong with it.
        problem: PointError,
    },
}

impl Boundary {
    /// Reads a GeoJSON Polygon or MultiPolygon (RFC 7946) whose coordinates are given in some system.
    ///
    /// # Errors
    /// The first thing that is wrong with it. Whether lines cross is not looked at.
    pub fn from_geojson(text: &str, system: CoordinateSystem) -> Result<Self, BoundaryError> {
        let geometry: Geometry = text
            .parse()
            .map_err(|error: geojson::Error| BoundaryError::NotGeoJson { reason: error.to_string() })?;
        let polygons = match geometry.value {
            GeometryValue::Polygon { coordinates } => vec![coordinates],
            GeometryValue::MultiPolygon { coordinates } => coordinates,
            other => return Err(BoundaryError::NotAPolygon { found: other.type_name() }),
        };
        if polygons.is_empty() || polygons.iter().any(Vec::is_empty) {
            return Err(BoundaryError::Empty);
        }
        let polygons = polygons.iter().enumerate().map(|(index, rings)| polygon(index, rings, system));
        Ok(Self { polygons: MultiPolygon(polygons.collect::<Result<_, _>>()?) })
    }

    /// The boundary as GeoJSON in WGS-84: a MultiPolygon, or a Polygon if it is a single one.
    #[must_use]
    pub fn to_geojson(&self) -> String {
        let value = match self.polygons.0.as_slice() {
            [polygon] => GeometryValue::from(polygon),
            _ => GeometryValue::from(&self.polygons),
        };
        Geometry::new(value).to_string()
    }

    /// Whether a point lies in it or on its edge. On the edge of two areas a point lies in both: no gap
    /// between them.
    #[must_use]
    pub fn contains(&self, point: Point) -> bool {
        self.polygons.intersects(&Coord { x: point.longitude, y: point.latitude })
    }

    /// The south-western and north-eastern corners of the box around it.
    #[must_use]
    pub fn bounding_box(&self) -> (Point, Point) {
        let bounds = self.polygons.bounding_rect().expect("no polygon is empty");
        let corner = |at: Coord<f64>| Point { latitude: at.y, longitude: at.x };
        (corner(bounds.min()), corner(bounds.max()))
    }

    /// The outer rings as PostgreSQL writes a `polygon`: `((longitude,latitude),…)`, the first corner not
    /// repeated.
    #[must_use]
    pub fn outer_rings(&self) -> Vec<String> {
        self.polygons.iter().map(|polygon| ring_text(polygon.exterior())).collect()
    }

    /// The holes of all polygons, written as [`Boundary::outer_rings`] are.
    #[must_use]
    pub fn holes(&self) -> Vec<String> {
        self.polygons.iter().flat_map(Polygon::interiors).map(ring_text).collect()
    }
}

/// A checked polygon in WGS-84.
fn polygon(
    polygon: usize,
    rings: &[Vec<Position>],
    system: CoordinateSystem,
) -> Result<Polygon<f64>, BoundaryError> {
    let mut lines = Vec::with_capacity(rings.len());
    for (ring, positions) in rings.iter().enumerate() {
        if positions.len() < LEAST_POSITIONS {
            return Err(BoundaryError::ShortRing { polygon, ring, found: positions.len() });
        }
        if positions.first() != positions.last() {
            return Err(BoundaryError::OpenRing { polygon, ring });
        }
        let coords = positions.iter().enumerate().map(|(position, at)| {
            // A third number would be a height.
            let &[longitude, latitude, ..] = at.as_slice() else {
                return Err(BoundaryError::ShortPosition { polygon, ring, position });
            };
            let point = Point::new(latitude, longitude, system)
                .map_err(|problem| BoundaryError::Position { polygon, ring, position, problem })?;
            Ok(Coord { x: point.longitude, y: point.latitude })
        });
        lines.push(LineString(coords.collect::<Result<_, _>>()?));
    }
    let outer = lines.remove(0);
    Ok(Polygon::new(outer, lines))
}

fn ring_text(ring: &LineString<f64>) -> String {
    let mut text = String::from("(");
    for corner in &ring.0[..ring.0.len() - 1] {
        let comma = if text.len() > 1 { "," } else { "" };
        write!(text, "{comma}({},{})", corner.x, corner.y).expect("a String takes all");
    }
    text.push(')');
    text
}
