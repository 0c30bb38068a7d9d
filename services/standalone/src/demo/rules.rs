//! Calendar, categories and departments of the demo district.

use std::collections::BTreeMap;

use jingwei_grid::api::wire::calendar;
use jingwei_proto::business_environment_monitor::v1 as bem;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::calendar_service_client::CalendarServiceClient;
use jingwei_proto::grid::v1::category_service_client::CategoryServiceClient;
use jingwei_proto::grid::v1::department_service_client::DepartmentServiceClient;
use jingwei_work_calendar::{Calendar, covered_years, parse_days, parse_shifts};

use super::{Administrator, DISTRICT, create, id, lines, name, parent};
use crate::Error;

const HOLIDAYS: &str = include_str!("../../../work-calendar/data/holidays-cn.csv");
const SHIFTS: &str = include_str!("../../../work-calendar/data/default-shifts.csv");
const CATEGORIES: &str = include_str!("../../demo/categories.csv");
const DEPARTMENTS: &str = include_str!("../../demo/departments.csv");

pub(super) async fn load(administrator: &Administrator) -> Result<(), Error> {
    load_calendar(administrator).await?;
    let categories = CategoryServiceClient::new(administrator.clone());
    // Main categories come before those below them.
    for category in categories_of_file() {
        let request_id = id(&category.name).to_string();
        let request = pb::CreateCategoryRequest { parent: parent(), category: Some(category), request_id };
        create(async || categories.clone().create_category(request.clone()).await).await?;
    }
    let departments = DepartmentServiceClient::new(administrator.clone());
    for fields in lines(DEPARTMENTS) {
        let department = department(&fields)?;
        let request_id = id(&department.name).to_string();
        let request =
            pb::CreateDepartmentRequest { parent: parent(), department: Some(department), request_id };
        create(async || departments.clone().create_department(request.clone()).await).await?;
    }
    Ok(())
}

/// The announced holidays and the shifts of an office.
fn calendar() -> Result<Calendar, Error> {
    let days = parse_days(HOLIDAYS)?;
    let years = covered_years(&days);
    Ok(Calendar::new(parse_shifts(SHIFTS)?, days, years).map_err(|faults| format!("{faults:?}"))?)
}

async fn load_calendar(administrator: &Administrator) -> Result<(), Error> {
    let calendar = pb::WorkCalendar { etag: String::new(), ..calendar::write(DISTRICT, 1, &calendar()?) };
    let request_id = id(&calendar.name).to_string();
    let request = pb::UpdateWorkCalendarRequest { work_calendar: Some(calendar), request_id };
    let calendars = CalendarServiceClient::new(administrator.clone());
    create(async || calendars.clone().update_work_calendar(request.clone()).await).await
}

/// The same calendar for the deadlines of the business-environment monitor, which has a database of its own.
pub(super) async fn load_of_monitor(administrator: &Administrator) -> Result<(), Error> {
    use jingwei_business_environment_monitor::api::wire::calendar::write;
    let calendar = bem::WorkCalendar { etag: String::new(), ..write(DISTRICT, 1, &calendar()?) };
    let request_id = id(&calendar.name).to_string();
    let request = bem::UpdateWorkCalendarRequest { work_calendar: Some(calendar), request_id };
    let calendars = bem::calendar_service_client::CalendarServiceClient::new(administrator.clone());
    create(async || calendars.clone().update_work_calendar(request.clone()).await).await
}

/// The file has a line for each category and one for each of its conditions.
fn categories_of_file() -> Vec<pb::Category> {
    let mut found: Vec<pb::Category> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for fields in lines(CATEGORIES) {
        let [code, above, display_name, condition, condition_name, unit, amount] = fields[..] else {
            continue;
        };
        let limits = Some(pb::StepLimits { handle: limit(unit, amount), ..Default::default() });
        if condition.is_empty() {
            places.insert(code, found.len());
            found.push(pb::Category {
                name: name("categories", code),
                parent_category: if above.is_empty() { String::new() } else { name("categories", above) },
                display_name: display_name.to_owned(),
                limits,
                ..Default::default()
            });
        } else if let Some(place) = places.get(code) {
            let (code, display_name) = (condition.to_owned(), condition_name.to_owned());
            found[*place].conditions.push(pb::Condition { code, display_name, limits });
        }
    }
    found
}

fn limit(unit: &str, amount: &str) -> Option<pb::Limit> {
    let amount: i32 = amount.parse().ok()?;
    let (unit, amount) = match unit {
        "emergency" => (pb::TimeUnit::EmergencyHours, amount * 60),
        "hours" => (pb::TimeUnit::WorkingHours, amount * 60),
        _ => (pb::TimeUnit::WorkingDays, amount),
    };
    Some(pb::Limit { unit: unit.into(), amount })
}

fn department(fields: &[&str]) -> Result<pb::Department, Error> {
    let [code, display_name, kind, phone, duties] = fields else {
        return Err("departments.csv: 每行五列 / five columns a line".into());
    };
    let kind = if *kind == "government" {
        pb::DepartmentKind::Government
    } else {
        pb::DepartmentKind::PublicService
    };
    Ok(pb::Department {
        name: name("departments", code),
        display_name: (*display_name).to_owned(),
        kind: kind.into(),
        duty_phone: (*phone).to_owned(),
        duties: duties.split(';').map(|code| name("categories", code)).collect(),
        ..Default::default()
    })
}
