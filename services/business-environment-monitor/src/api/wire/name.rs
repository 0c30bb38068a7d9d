//! Resource names: `districts/410183/issues/{uuid}` and the like, written and read. Their form was checked before (buf.validate).

use jingwei_kit::status::{Problem, Violations, invalid};
use uuid::Uuid;

use crate::model::receiver::Receiver;
use crate::model::social_credit::{CodeFault, SocialCreditCode};

/// The name of an issue.
pub fn issue(district: i32, id: Uuid) -> String {
    format!("districts/{district}/issues/{id}")
}

/// The name of a department.
pub fn department(district: i32, code: &str) -> String {
    format!("districts/{district}/departments/{code}")
}

/// The name of an enterprise.
pub fn enterprise(district: i32, code: &str) -> String {
    format!("districts/{district}/enterprises/{code}")
}

/// The name of a need.
pub fn need(district: i32, id: Uuid) -> String {
    format!("districts/{district}/needs/{id}")
}

/// The name of a batch.
pub fn batch(district: i32, id: Uuid) -> String {
    format!("districts/{district}/batches/{id}")
}

/// The name of an appointment.
pub fn appointment(district: i32, id: Uuid) -> String {
    format!("districts/{district}/appointments/{id}")
}

/// The name of what an appointment owes in a year.
pub fn duty(district: i32, appointment: Uuid, year: i32) -> String {
    format!("{}/duties/{year}", self::appointment(district, appointment))
}

/// District, appointment and year of a duty's name.
pub fn read_duty(field: &str, name: &str) -> Result<(i32, Uuid, i32), Problem> {
    let (appointment, year) = name.rsplit_once("/duties/").unwrap_or_default();
    let (district, id) = read_appointment(field, appointment)?;
    let year = year.parse().map_err(|_| wrong(field, "districts/410183/appointments/{uuid}/duties/2026"))?;
    Ok((district, id, year))
}

/// The name of a certificate.
pub fn certificate(district: i32, number: &str) -> String {
    format!("districts/{district}/certificates/{number}")
}

/// The name of a visit.
pub fn visit(district: i32, id: Uuid) -> String {
    format!("districts/{district}/visits/{id}")
}

/// The name of an experience.
pub fn experience(district: i32, id: Uuid) -> String {
    format!("districts/{district}/experiences/{id}")
}

/// The name of an item of market information.
pub fn info_item(district: i32, id: Uuid) -> String {
    format!("districts/{district}/infoItems/{id}")
}

/// District and id of a visit's name, or of an experience's.
pub fn read_observation(field: &str, name: &str, experience: bool) -> Result<(i32, Uuid), Problem> {
    read_id(field, name, if experience { "experiences" } else { "visits" })
}

/// District and id of an item's name.
pub fn read_info_item(field: &str, name: &str) -> Result<(i32, Uuid), Problem> {
    read_id(field, name, "infoItems")
}

/// The id of the issue that a field names, which is to be of a district.
pub fn read_issue_of(field: &str, name: &str, district: i32) -> Result<Uuid, Problem> {
    let (of, id) = read_id(field, name, "issues")?;
    if of == district { Ok(id) } else { Err(elsewhere(field, district)) }
}

/// The code of the enterprise that a field names, which is to be of a district; `None` where it is empty.
pub fn read_enterprise_of(
    field: &str,
    name: &str,
    district: i32,
) -> Result<Option<SocialCreditCode>, Problem> {
    if name.is_empty() {
        return Ok(None);
    }
    let (of, code) = read_enterprise(field, name)?;
    if of == district { Ok(Some(code)) } else { Err(elsewhere(field, district)) }
}

/// A field that names something of another district.
pub fn elsewhere(field: &str, district: i32) -> Problem {
    let en = format!("must be of the district {district}");
    invalid(field, "district", format!("须属于区县 {district}"), en)
}

/// The name of a receiver's key.
pub fn receiver_key(district: i32, receiver: Receiver, id: Uuid) -> String {
    format!("districts/{district}/receivers/{}/keys/{id}", receiver.code())
}

/// The name of a symposium.
pub fn symposium(district: i32, id: Uuid) -> String {
    format!("districts/{district}/symposiums/{id}")
}

/// The name under which anybody reads what became of a symposium.
pub fn published_symposium(district: i32, id: Uuid) -> String {
    format!("districts/{district}/publishedSymposiums/{id}")
}

/// District and id of a symposium's name.
pub fn read_symposium(field: &str, name: &str) -> Result<(i32, Uuid), Problem> {
    read_id(field, name, "symposiums")
}

/// District and id of a published symposium's name.
pub fn read_published_symposium(field: &str, name: &str) -> Result<(i32, Uuid), Problem> {
    read_id(field, name, "publishedSymposiums")
}

/// The name of a transfer.
pub fn transfer(district: i32, id: Uuid) -> String {
    format!("districts/{district}/transfers/{id}")
}

/// The name of a confidential report.
pub fn report(district: i32, id: Uuid) -> String {
    format!("districts/{district}/confidentialReports/{id}")
}

/// District and receiver of a name that begins with `districts/410183/receivers/audit`.
pub fn read_receiver(field: &str, name: &str) -> Result<(i32, Receiver), Problem> {
    let read = || {
        let (district, rest) = name.strip_prefix("districts/")?.split_once("/receivers/")?;
        Some((district.parse().ok()?, Receiver::of(rest.split('/').next()?)?))
    };
    read().ok_or_else(|| wrong(field, "districts/410183/receivers/discipline"))
}

/// District, receiver and id of a key's name.
pub fn read_receiver_key(field: &str, name: &str) -> Result<(i32, Receiver, Uuid), Problem> {
    let (district, receiver) = read_receiver(field, name)?;
    let id = name.rsplit_once("/keys/").and_then(|(_, id)| Uuid::parse_str(id).ok());
    let id = id.ok_or_else(|| wrong(field, "districts/410183/receivers/discipline/keys/{uuid}"))?;
    Ok((district, receiver, id))
}

/// District and id of a transfer's name.
pub fn read_transfer(name: &str) -> Result<(i32, Uuid), Problem> {
    read_id("name", name, "transfers")
}

/// District and id of a confidential report's name.
pub fn read_report(name: &str) -> Result<(i32, Uuid), Problem> {
    read_id("name", name, "confidentialReports")
}

/// District and id of a batch's name.
pub fn read_batch(field: &str, name: &str) -> Result<(i32, Uuid), Problem> {
    read_id(field, name, "batches")
}

/// District and id of an appointment's name.
pub fn read_appointment(field: &str, name: &str) -> Result<(i32, Uuid), Problem> {
    read_id(field, name, "appointments")
}

/// District and number of a certificate's name.
pub fn read_certificate(name: &str) -> Result<(i32, &str), Problem> {
    let parts = name.strip_prefix("districts/").and_then(|rest| rest.split_once("/certificates/"));
    let read = parts.and_then(|(district, number)| Some((district.parse().ok()?, number)));
    read.ok_or_else(|| wrong("name", "districts/410183/certificates/410183-2026-000017"))
}

/// District and year of the name of a year's tasks.
pub fn read_year_tasks(field: &str, name: &str) -> Result<(i32, i32), Problem> {
    let parts = name.strip_prefix("districts/").and_then(|rest| rest.split_once("/yearTasks/"));
    let read = parts.and_then(|(district, year)| Some((district.parse().ok()?, year.parse().ok()?)));
    read.ok_or_else(|| wrong(field, "districts/410183/yearTasks/2026"))
}

/// The district of any name that begins with `districts/410183`.
pub fn read_district(field: &str, name: &str) -> Result<i32, Problem> {
    let district = name.strip_prefix("districts/").and_then(|d| d.split('/').next()?.parse().ok());
    district.ok_or_else(|| wrong(field, "districts/410183"))
}

/// District and id of an issue's name.
pub fn read_issue(name: &str) -> Result<(i32, Uuid), Problem> {
    read_id("name", name, "issues")
}

/// District and id of a need's name.
pub fn read_need(name: &str) -> Result<(i32, Uuid), Problem> {
    read_id("name", name, "needs")
}

fn read_id(field: &str, name: &str, collection: &str) -> Result<(i32, Uuid), Problem> {
    let read = || {
        let (district, rest) = name.strip_prefix("districts/")?.split_once('/')?;
        let id = rest.strip_prefix(collection)?.strip_prefix('/')?;
        Some((district.parse().ok()?, Uuid::parse_str(id).ok()?))
    };
    read().ok_or_else(|| wrong(field, &format!("districts/410183/{collection}/{{uuid}}")))
}

/// District and code of an enterprise that a field names; the check digits of the code are right.
pub fn read_enterprise(field: &str, name: &str) -> Result<(i32, SocialCreditCode), Problem> {
    let parts = name.strip_prefix("districts/").and_then(|rest| rest.split_once("/enterprises/"));
    let (district, code) =
        parts.ok_or_else(|| wrong(field, "districts/410183/enterprises/91350100M000100Y43"))?;
    let district =
        district.parse().map_err(|_| wrong(field, "districts/410183/enterprises/91350100M000100Y43"))?;
    Ok((district, code.parse().map_err(|fault| wrong_code(field, &fault))?))
}

/// What is wrong with a unified social credit code in a field.
pub fn wrong_code(field: &str, fault: &CodeFault) -> Problem {
    let zh = match fault.position() {
        None => "统一社会信用代码须为 18 位".to_owned(),
        Some(position) => format!("不是有效的统一社会信用代码：第 {position} 位不对"),
    };
    invalid(field, "social_credit_code", zh, format!("is no unified social credit code: {fault}"))
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

/// A field that does not look as it should, with an example of how it should.
pub fn wrong(field: &str, example: &str) -> Problem {
    invalid(field, "name", format!("格式为 {example}"), format!("must look like {example}"))
}
