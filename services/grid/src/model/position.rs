//! Points on the ground (位置) in WGS-84, and the boundaries (边界) made of them.

use geo::{Distance, Haversine};
use serde::{Deserialize, Serialize};

mod boundary;

pub use boundary::{Boundary, BoundaryError};

/// The system that coordinates are given in. All that is kept is WGS-84.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CoordinateSystem {
    /// WGS-84, what satellites and browsers give. CGCS2000 (国家大地坐标系) differs by centimetres and counts as the
    /// same.
    Wgs84,
    /// GCJ-02 (国测局坐标系), what Chinese map services give: some hundred metres off, converted on entry.
    Gcj02,
}

/// A point in WGS-84, in degrees.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Degrees")]
pub struct Point {
    latitude: f64,
    longitude: f64,
}

/// What a [`Point`] is read from, before its range is checked.
#[derive(Deserialize)]
struct Degrees {
    latitude: f64,
    longitude: f64,
}

/// Why two numbers are not a point.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum PointError {
    /// The latitude is not a number of -90 to 90.
    #[error("a latitude is -90 to 90, not {0}")]
    Latitude(f64),
    /// The longitude is not a number of -180 to 180.
    #[error("a longitude is -180 to 180, not {0}")]
    Longitude(f64),
}

impl Point {
    /// A point given in degrees of some system, converted to WGS-84.
    ///
    /// # Errors
    /// A coordinate is out of range.
    pub fn new(latitude: f64, longitude: f64, system: CoordinateSystem) -> Result<Self, PointError> {
        if !(-90.0..=90.0).contains(&latitude) {
            return Err(PointError::Latitude(latitude));
        }
        if !(-180.0..=180.0).contains(&longitude) {
            return Err(PointError::Longitude(longitude));
        }
        let given = Self { latitude, longitude };
        Ok(match system {
            CoordinateSystem::Wgs84 => given,
            CoordinateSystem::Gcj02 => given.converted_from_gcj02(),
        })
    }

    /// Degrees north of the equator, -90 to 90.
    #[must_use]
    pub fn latitude(&self) -> f64 {
        self.latitude
    }

    /// Degrees east of Greenwich, -180 to 180.
    #[must_use]
    pub fn longitude(&self) -> f64 {
        self.longitude
    }

    /// The distance to another point on the ground in metres, along a great circle: right to half a percent.
    #[must_use]
    pub fn metres_to(&self, other: Self) -> f64 {
        let point = |p: Self| geo::Point::new(p.longitude, p.latitude);
        Haversine.distance(point(*self), point(other))
    }

    /// The WGS-84 point whose GCJ-02 coordinates these are; the same where GCJ-02 is not used, outside of
    /// China.
    ///
    /// There is no formula for this direction: guess, see where the guess comes out, correct the guess by
    /// what it missed. Each round shrinks the error some hundredfold, so that three leave less than a
    /// millimetre.
    fn converted_from_gcj02(self) -> Self {
        let mut guess = self;
        for _ in 0..3 {
            let (longitude, latitude) = coordtransform::wgs84_to_gcj02(guess.longitude, guess.latitude);
            guess.latitude += self.latitude - latitude;
            guess.longitude += self.longitude - longitude;
        }
        guess
    }
}

impl TryFrom<Degrees> for Point {
    type Error = PointError;

    fn try_from(degrees: Degrees) -> Result<Self, PointError> {
        Self::new(degrees.latitude, degrees.longitude, CoordinateSystem::Wgs84)
    }
}

#[cfg(test)]
mod tests;
