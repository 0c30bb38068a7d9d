//! Resource names: `districts/410182/events/{uuid}` and the like, written and read. Their form was checked before (buf.validate).

use jingwei_kit::status::{Problem, Violations, invalid};
use uuid::Uuid;

use crate::model::area::AreaCode;
use crate::model::unit::Unit;

/// The name of a district.
pub fn district(district: i32) -> String {
    format!("districts/{district}")
}

/// The name of a resource of a district, e.g. of collection `departments` with id `water`.
pub fn of(district: i32, collection: &str, id: impl std::fmt::Display) -> String {
    format!("districts/{district}/{collection}/{id}")
}

/// The name of an area.
pub fn area(code: AreaCode) -> String {
    of(code.district(), "areas", code)
}

/// The name of a category.
pub fn category(district: i32, code: &str) -> String {
    of(district, "categories", code)
}

/// The name of an event.
pub fn event(district: i32, id: Uuid) -> String {
    of(district, "events", id)
}

/// The district and, of the names of a collection, the id after it: `("districts/410182/events/x", "events")` → `(410182, "x")`.
pub fn read<'a>(name: &'a str, collection: &str) -> Option<(i32, &'a str)> {
    let mut segments = name.split('/');
    let district = (segments.next()? == "districts").then(|| segments.next())??.parse().ok()?;
    let id = (segments.next()? == collection).then(|| segments.next())??;
    Some((district, id))
}

/// The district of `districts/410182`.
pub fn read_district(name: &str) -> Result<i32, Problem> {
    let district = name.strip_prefix("districts/").and_then(|d| d.split('/').next()?.parse().ok());
    district.ok_or_else(|| wrong("parent", "districts/410182"))
}

/// The code of an area's name; the area must lie in the district of its name.
pub fn read_area(name: &str) -> Result<AreaCode, Problem> {
    let code = |(district, code): (i32, &str)| {
        code.parse::<AreaCode>().ok().filter(|code| code.district() == district)
    };
    read(name, "areas").and_then(code).ok_or_else(|| wrong("name", "districts/410182/areas/410182002"))
}

/// District and id of an attachment's name; `None` where it is another address.
pub fn read_attachment(uri: &str) -> Option<(i32, Uuid)> {
    let (district, id) = read(uri, "attachments")?;
    Some((district, Uuid::parse_str(id).ok()?))
}

/// District and id of an event's name.
pub fn read_event(name: &str) -> Result<(i32, Uuid), Problem> {
    let event = read(name, "events").and_then(|(district, id)| Some((district, Uuid::parse_str(id).ok()?)));
    event.ok_or_else(|| wrong("name", "districts/410182/events/{uuid}"))
}

/// A UUID in a field of its own.
pub fn read_uuid(field: &str, text: &str) -> Result<Uuid, Problem> {
    Uuid::parse_str(text).map_err(|_| invalid(field, "uuid", "须为 UUID", "must be a UUID"))
}

/// The last segment of a name in a field, which must be of the district; a violation where it is of another. Empty stays empty.
pub fn read_in(field: &str, name: &str, district: i32, violations: &mut Violations) -> String {
    let mut segments = name.split('/').skip(1);
    if !name.is_empty() && segments.next() != Some(&district.to_string()) {
        foreign(field, district, violations);
    }
    name.rsplit('/').next().unwrap_or_default().to_owned()
}

/// The area that a field names, which must be of the district; `None` where it is empty, or wrong with a violation.
pub fn read_area_in(field: &str, name: &str, district: i32, violations: &mut Violations) -> Option<AreaCode> {
    if name.is_empty() {
        return None;
    }
    let code = read_area(name).ok().filter(|code| code.district() == district);
    if code.is_none() {
        foreign(field, district, violations);
    }
    code
}

/// The unit that a field names (an area or a department), which must be of the district; `None` as in `read_area_in`.
pub fn read_unit_in(field: &str, name: &str, district: i32, violations: &mut Violations) -> Option<Unit> {
    if name.is_empty() || read(name, "areas").is_some() {
        return read_area_in(field, name, district, violations).map(Unit::Area);
    }
    let code = read_in(field, name, district, violations);
    Some(Unit::Department(code))
}

fn foreign(field: &str, district: i32, violations: &mut Violations) {
    let (zh, en) = (format!("须为区县 {district} 的数据"), format!("must be of the district {district}"));
    violations.add(field, "district", zh, en);
}

fn wrong(field: &str, example: &str) -> Problem {
    invalid(field, "name", format!("格式为 {example}"), format!("must look like {example}"))
}
