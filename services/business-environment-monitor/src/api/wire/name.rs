//! Resource names: `districts/410183/issues/{uuid}` and the like, written and read. Their form was checked before (buf.validate).

use jingwei_kit::status::{Problem, Violations, invalid};
use uuid::Uuid;

/// The name of an issue.
pub fn issue(district: i32, id: Uuid) -> String {
    format!("districts/{district}/issues/{id}")
}

/// The name of a department.
pub fn department(district: i32, code: &str) -> String {
    format!("districts/{district}/departments/{code}")
}

/// The district of any name that begins with `districts/410183`.
pub fn read_district(field: &str, name: &str) -> Result<i32, Problem> {
    let district = name.strip_prefix("districts/").and_then(|d| d.split('/').next()?.parse().ok());
    district.ok_or_else(|| wrong(field, "districts/410183"))
}

/// District and id of an issue's name.
pub fn read_issue(name: &str) -> Result<(i32, Uuid), Problem> {
    let read = || {
        let (district, id) = name.strip_prefix("districts/")?.split_once("/issues/")?;
        Some((district.parse().ok()?, Uuid::parse_str(id).ok()?))
    };
    read().ok_or_else(|| wrong("name", "districts/410183/issues/{uuid}"))
}

/// A UUID in a field of its own.
pub fn read_uuid(field: &str, text: &str) -> Result<Uuid, Problem> {
    Uuid::parse_str(text).map_err(|_| invalid(field, "uuid", "须为 UUID", "must be a UUID"))
}

/// The code of the department that a field names; `None` where it is empty, or of another district with a violation noted.
pub fn read_department(
    field: &str,
    name: &str,
    district: i32,
    violations: &mut Violations,
) -> Option<String> {
    if name.is_empty() {
        return None;
    }
    let code = name.strip_prefix(&department(district, "")).map(str::to_owned);
    if code.is_none() {
        let (zh, en) = (
            format!("须为区县 {district} 的部门"),
            format!("must be a department of the district {district}"),
        );
        violations.add(field, "district", zh, en);
    }
    code
}

fn wrong(field: &str, example: &str) -> Problem {
    invalid(field, "name", format!("格式为 {example}"), format!("must look like {example}"))
}
