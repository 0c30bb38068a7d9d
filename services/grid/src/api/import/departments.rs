//! The ledger of departments 职能部门.

use std::collections::{HashMap, HashSet};

use jingwei_kit::etag;
use jingwei_kit::mask;
use jingwei_kit::status::{Problem, Violations};
use jingwei_proto::grid::v1 as pb;
use sqlx::PgConnection;

use super::cells::Cells;
use super::table::{Done, Line, Table, records};
use crate::api::wire::{department as wire, name};
use crate::error::Error;
use crate::ledger::Row;
use crate::ledger::heading::{Column, Heading};
use crate::model::area::AreaCode;
use crate::model::department::Department;
use crate::store::batch::{area, category, department as batch};

pub(super) const COLUMNS: &[Column] = &[
    Column::new("部门代码", "code", "name", "water").required(),
    Column::new("名称", "display_name", "display_name", "自来水公司").required(),
    Column::new("类型", "kind", "kind", "公共服务单位").required(),
    Column::new("值班电话", "duty_phone", "duty_phone", "0371-64600110"),
    Column::new("职责类别", "duties", "duties", "water-supply;burst-pipe"),
    Column::new("服务区域", "served_areas", "served_areas", "410182002;410182003"),
];

/// What a department is, in words.
pub const KINDS: [(&str, &str, pb::DepartmentKind); 2] = [
    ("职能部门", "government", pb::DepartmentKind::Government),
    ("公共服务单位", "public_service", pb::DepartmentKind::PublicService),
];

/// Departments of a district.
pub(super) struct Departments {
    pub(super) district: i32,
}

impl Table for Departments {
    type Record = Department;
    const COLUMNS: &'static [Column] = COLUMNS;

    fn read(
        &self,
        heading: &Heading,
        row: &Row,
        violations: &mut Violations,
    ) -> Result<Option<Department>, Problem> {
        let district = self.district;
        let mut cells = Cells { heading, row, violations };
        cells.require("code");
        let code = cells.code("code");
        let duties = cells.codes("duties");
        let areas = cells.list("served_areas");
        let areas: Vec<_> = areas.filter_map(|text| cells.area_of("served_areas", text, district)).collect();
        let given = pb::Department {
            name: if code.is_empty() { String::new() } else { name::of(district, "departments", &code) },
            display_name: cells.string("display_name"),
            kind: cells.choice("kind", &KINDS).unwrap_or_default().into(),
            duty_phone: cells.string("duty_phone"),
            duties: duties.iter().map(|code| name::category(district, code)).collect(),
            served_areas: areas.into_iter().map(name::area).collect(),
            etag: String::new(),
        };
        let has_kind = !cells.text("kind").is_empty();
        violations.append(jingwei_kit::rules::check(&given)?);
        mask::ALL.require("department", "display_name", !given.display_name.is_empty(), violations);
        mask::ALL.require("department", "kind", has_kind, violations);
        let department = wire::read(&given, district, violations);
        Ok(Some(department).filter(|d| !d.code.is_empty()))
    }

    async fn load(
        &self,
        conn: &mut PgConnection,
        heading: &Heading,
        lines: &mut [Line<Department>],
    ) -> Result<(), Error> {
        let district = self.district;
        let codes: Vec<String> = records(lines).map(|d| d.code.clone()).collect();
        let known = batch::known(conn, district, &codes).await?;
        let mut known: HashMap<_, _> = known.into_iter().map(|d| (d.code.clone(), d)).collect();
        let duties: Vec<String> = records(lines).flat_map(|d| d.duties.clone()).collect();
        let duties: HashSet<String> =
            category::known(conn, district, &duties).await?.into_iter().map(|c| c.code).collect();
        let areas: Vec<String> =
            records(lines).flat_map(|d| d.served_areas.iter().map(ToString::to_string)).collect();
        let areas: HashSet<AreaCode> = area::existing(conn, district, &areas).await?.into_iter().collect();
        let (paths, mut written) = (heading.paths(), Vec::new());
        for line in lines {
            let Some(given) = &line.record else { continue };
            let absent = [
                ("duties", given.duties.iter().any(|code| !duties.contains(code))),
                ("served_areas", given.served_areas.iter().any(|code| !areas.contains(code))),
            ];
            let before = known.get(&given.code).cloned();
            let mut made = before.clone().unwrap_or_else(|| Department { version: 0, ..given.clone() });
            let mask = mask::of(&paths);
            mask.set("display_name", &mut made.display_name, given.display_name.clone());
            mask.set("kind", &mut made.kind, given.kind);
            mask.set("duty_phone", &mut made.duty_phone, given.duty_phone.clone());
            mask.set("duties", &mut made.duties, given.duties.clone());
            mask.set("served_areas", &mut made.served_areas, given.served_areas.clone());
            for (field, _) in absent.into_iter().filter(|(_, absent)| *absent) {
                line.refuse(field, Error::ReferenceMissing { field });
            }
            if !line.violations.is_empty() || before.as_ref() == Some(&made) {
                continue;
            }
            if !written.contains(&made.code) {
                made.version += 1;
                written.push(made.code.clone());
            }
            let done = if before.is_some() { Done::Changed } else { Done::Created };
            line.wrote(done, name::of(district, "departments", &made.code), &wire::write(&made));
            known.insert(made.code.clone(), made);
        }
        let rows: Vec<_> = written.iter().map(|code| known[code].clone()).collect();
        if batch::put(conn, district, &rows).await? < rows.len() as u64 {
            return Err(etag::mismatch(1).into());
        }
        Ok(())
    }
}
