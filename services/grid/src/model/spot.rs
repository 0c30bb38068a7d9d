//! Spots: the ground cut into cells, so that reports of the same thing are found near each other.
use super::area::AreaCode;
use super::position::Point;

/// The sides of a cell in degrees: some 280 metres each way at Zhengzhou's latitude.
const LATITUDE_SIDE: f64 = 0.0025;
const LONGITUDE_SIDE: f64 = 0.003;
/// More than the cells around the globe along a parallel.
const ROW: i64 = 200_000;
/// Metres of a degree of latitude.
const METRES: f64 = 111_320.0;

/// The cell of a report: that of its point, or one for the whole area where no point is known.
pub fn cell(point: Option<Point>, area: AreaCode) -> i64 {
    point.map_or_else(|| area_cell(area), |p| number(row(p.latitude()), column(p.longitude())))
}

/// The cell of reports of which only the area is known: negative, as no point's is.
pub fn area_cell(area: AreaCode) -> i64 {
    -area.to_string().parse::<i64>().expect("a code has at most 18 digits")
}

/// All cells that something within so many metres of a point can lie in.
pub fn around(point: Point, metres: f64) -> Vec<i64> {
    let latitude = metres / METRES;
    // Near a pole a degree of longitude is nothing; a hundredth keeps the number of cells within reason.
    let longitude = latitude / point.latitude().to_radians().cos().max(0.01);
    let rows = row(point.latitude() - latitude)..=row(point.latitude() + latitude);
    let columns = column(point.longitude() - longitude)..=column(point.longitude() + longitude);
    rows.flat_map(|row| columns.clone().map(move |column| number(row, column))).collect()
}

fn row(latitude: f64) -> i64 {
    ((latitude + 90.0) / LATITUDE_SIDE).floor() as i64
}

fn column(longitude: f64) -> i64 {
    ((longitude + 180.0) / LONGITUDE_SIDE).floor() as i64
}

fn number(row: i64, column: i64) -> i64 {
    row * ROW + column
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::position::CoordinateSystem;

    fn point(latitude: f64, longitude: f64) -> Point {
        Point::new(latitude, longitude, CoordinateSystem::Wgs84).unwrap()
    }

    proptest! {
        #[test]
        fn whatever_is_near_lies_in_the_cells_around(
            latitude in 18.0..54.0_f64, longitude in 73.0..135.0_f64,
            north in -0.02..0.02_f64, east in -0.02..0.02_f64, radius in 1.0..1000.0_f64,
        ) {
            let (here, there) = (point(latitude, longitude), point(latitude + north, longitude + east));
            let area = "410182".parse().unwrap();
            let near = here.metres_to(there) <= radius;
            prop_assert!(!near || around(here, radius).contains(&cell(Some(there), area)));
        }
    }

    #[test]
    fn an_area_has_a_cell_of_its_own() {
        let grid: AreaCode = "410182002011001".parse().unwrap();
        assert_eq!(cell(None, grid), -410_182_002_011_001);
        assert!(around(point(34.78, 113.38), 250.0).len() <= 16);
    }
}
