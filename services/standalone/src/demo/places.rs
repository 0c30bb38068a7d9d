//! Areas of the demo district: every real division, base grids below the communities of 京城路街道, a few boundaries.

use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::area_service_client::AreaServiceClient;

use super::{Administrator, DISTRICT, create, id, lines, name, parent};
use crate::Error;

const DIVISIONS: &str = include_str!("../../../grid/data/zhengzhou-divisions.csv");
/// 京城路街道: the street that has base grids.
const STREET: &str = "410182002";
/// Its communities on the newspaper page: 繁荣街, 平安, 永安街. These have people and boundaries.
const COMMUNITIES: [&str; 3] = ["410182002002", "410182002008", "410182002011"];
const GRID_NAMES: [&str; 3] = ["第一网格", "第二网格", "第三网格"];

/// South-west corner of the tiles that stand for the communities, in degrees, and the side of one grid's tile: approximate.
const SOUTH_WEST: (f64, f64) = (34.780, 113.380);
const SIDE: f64 = 0.004;

/// Creates the areas; answers with the codes of the street's grids.
pub(super) async fn load(administrator: &Administrator) -> Result<Vec<String>, Error> {
    let areas = AreaServiceClient::new(administrator.clone());
    let mut grids = Vec::new();
    for (code, display_name) in all() {
        let boundary = boundary(&code);
        if code.len() == 15 {
            grids.push(code.clone());
        }
        let area = pb::Area {
            name: name("areas", &code),
            display_name,
            boundary_geojson: boundary,
            service_phone: service_phone(&code),
            ..Default::default()
        };
        let request_id = id(&area.name).to_string();
        let request = pb::CreateAreaRequest { parent: parent(), area: Some(area), request_id };
        create(async || areas.clone().create_area(request.clone()).await).await?;
    }
    Ok(grids)
}

/// Codes and names, an area before those below it.
fn all() -> Vec<(String, String)> {
    let district = DISTRICT.to_string();
    let mut found = Vec::new();
    for fields in lines(DIVISIONS).filter(|fields| fields[0].starts_with(&district)) {
        let code = fields[0];
        found.push((code.to_owned(), fields[1].to_owned()));
        if code.len() == 12 && code.starts_with(STREET) {
            let grids = GRID_NAMES.iter().zip(1..);
            found.extend(grids.map(|(name, number)| (format!("{code}{number:03}"), (*name).to_owned())));
        }
    }
    found.sort();
    found
}

/// A rectangle as GeoJSON: grids side by side, a community above the other, the street around them. Empty for other areas.
fn boundary(code: &str) -> String {
    let community =
        COMMUNITIES.iter().zip(0_u8..).find(|(c, _)| code.starts_with(**c)).map(|(_, row)| f64::from(row));
    let (row, column, height, width) = match (code.len(), community) {
        (9, _) if code == STREET => (0.0, 0.0, 3.0, 3.0),
        (12, Some(row)) => (row, 0.0, 1.0, 3.0),
        (15, Some(row)) => (row, code[12..].parse::<f64>().unwrap_or(1.0) - 1.0, 1.0, 1.0),
        _ => return String::new(),
    };
    let (south, west) = (SOUTH_WEST.0 + row * SIDE, SOUTH_WEST.1 + column * SIDE);
    let (north, east) = (south + height * SIDE, west + width * SIDE);
    format!(
        r#"{{"type":"Polygon","coordinates":[[[{west:.4},{south:.4}],[{east:.4},{south:.4}],[{east:.4},{north:.4}],[{west:.4},{north:.4}],[{west:.4},{south:.4}]]]}}"#
    )
}

/// South, west and side of a grid's tile in degrees, where its boundary is known.
pub(super) fn tile(grid: &str) -> Option<(f64, f64, f64)> {
    let row = COMMUNITIES.iter().zip(0_u8..).find(|(community, _)| grid.starts_with(**community))?.1;
    let column = grid.get(12..)?.parse::<f64>().ok()? - 1.0;
    Some((SOUTH_WEST.0 + f64::from(row) * SIDE, SOUTH_WEST.1 + column * SIDE, SIDE))
}

/// The service telephones of the district, the street and the three communities; invented.
fn service_phone(code: &str) -> String {
    match COMMUNITIES.iter().position(|c| *c == code) {
        Some(place) => format!("0371-6466020{place}"),
        None if code.len() == 6 => "12345".to_owned(),
        None if code == STREET => "0371-64660200".to_owned(),
        None => String::new(),
    }
}
