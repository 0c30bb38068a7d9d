//! Departments: model ↔ wire.

use jingwei_kit::etag;
use jingwei_kit::status::Violations;
use jingwei_proto::grid::v1 as pb;

use super::name;
use crate::model::department::{Department, DepartmentKind};

/// A department on the wire.
pub fn write(department: &Department) -> pb::Department {
    let kind = match department.kind {
        DepartmentKind::Government => pb::DepartmentKind::Government,
        DepartmentKind::PublicService => pb::DepartmentKind::PublicService,
    };
    pb::Department {
        name: name::of(department.district, "departments", &department.code),
        display_name: department.display_name.clone(),
        kind: kind.into(),
        duty_phone: department.duty_phone.clone(),
        duties: department.duties.iter().map(|code| name::category(department.district, code)).collect(),
        served_areas: department.served_areas.iter().map(|code| name::area(*code)).collect(),
        etag: etag::of(department.version),
    }
}

/// A department as given, of version 1; violations for what is not of its district.
pub fn read(given: &pb::Department, district: i32, violations: &mut Violations) -> Department {
    let indexed = |field: &str, i: usize| format!("department.{field}[{i}]");
    let duties = given.duties.iter().enumerate();
    let areas = given.served_areas.iter().enumerate();
    Department {
        district,
        code: name::read_in("department.name", &given.name, district, violations),
        display_name: given.display_name.clone(),
        kind: match given.kind() {
            pb::DepartmentKind::PublicService => DepartmentKind::PublicService,
            _ => DepartmentKind::Government,
        },
        duty_phone: given.duty_phone.clone(),
        duties: duties
            .map(|(i, name)| name::read_in(&indexed("duties", i), name, district, violations))
            .collect(),
        served_areas: areas
            .filter_map(|(i, name)| {
                name::read_area_in(&indexed("served_areas", i), name, district, violations)
            })
            .collect(),
        version: 1,
    }
}
