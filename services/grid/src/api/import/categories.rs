//! The ledger of categories 事件类别.

use std::collections::HashMap;

use jingwei_kit::etag;
use jingwei_kit::mask;
use jingwei_kit::status::{Problem, Violations};
use jingwei_proto::grid::v1 as pb;
use sqlx::PgConnection;

use super::cells::Cells;
use super::limits;
use super::table::{Done, Line, Table, records};
use crate::api::wire::{category as wire, name};
use crate::error::Error;
use crate::ledger::Row;
use crate::ledger::heading::{Column, Heading};
use crate::model::category::Category;
use crate::store::batch::category as batch;

pub(super) const COLUMNS: &[Column] = &[
    Column::new("类别代码", "code", "name", "burst-pipe").required(),
    Column::new("大类代码", "parent", "parent_category", "water"),
    Column::new("名称", "display_name", "display_name", "水管爆裂").required(),
    Column::new("受理时限", "accept_limit", "limits.accept", "2 工作时"),
    Column::new("立案时限", "register_limit", "limits.register", "1 工作时"),
    Column::new("派遣时限", "dispatch_limit", "limits.dispatch", "1 工作时"),
    Column::new("处置时限", "handle_limit", "limits.handle", "5 工作日"),
    Column::new("核查时限", "verify_limit", "limits.verify", "1.5 工作时"),
    Column::new(
        "立案条件",
        "conditions",
        "conditions",
        "fenced|有围挡|处置=8 急时;unfenced|无围挡|处置=3 急时",
    ),
    Column::new("公众上报需核实", "verify_public_reports", "verify_public_reports", "否"),
    Column::new("停用", "retired", "retired", "否"),
];

/// Categories of a district.
pub(super) struct Categories {
    pub(super) district: i32,
}

impl Table for Categories {
    type Record = Category;
    const COLUMNS: &'static [Column] = COLUMNS;

    fn read(
        &self,
        heading: &Heading,
        row: &Row,
        violations: &mut Violations,
    ) -> Result<Option<Category>, Problem> {
        let district = self.district;
        let mut cells = Cells { heading, row, violations };
        cells.require("code");
        let (code, parent) = (cells.code("code"), cells.code("parent"));
        let limits = read_limits(&mut cells);
        let conditions = read_conditions(&mut cells);
        let given = pb::Category {
            name: named(district, &code),
            parent_category: named(district, &parent),
            display_name: cells.string("display_name"),
            limits: Some(limits),
            conditions,
            verify_public_reports: cells.flag("verify_public_reports"),
            retired: cells.flag("retired"),
            etag: String::new(),
        };
        violations.append(jingwei_kit::rules::check(&given)?);
        mask::ALL.require("category", "display_name", !given.display_name.is_empty(), violations);
        let category = wire::read(&given, district, violations);
        Ok(Some(category).filter(|c| !c.code.is_empty()))
    }

    async fn load(
        &self,
        conn: &mut PgConnection,
        heading: &Heading,
        lines: &mut [Line<Category>],
    ) -> Result<(), Error> {
        let district = self.district;
        let codes: Vec<String> =
            records(lines).flat_map(|c| [Some(c.code.clone()), c.parent.clone()]).flatten().collect();
        let known = batch::known(conn, district, &codes).await?;
        let mut known: HashMap<_, _> = known.into_iter().map(|c| (c.code.clone(), c)).collect();
        let (paths, mut written) = (heading.paths(), Vec::new());
        for line in lines {
            let Some(given) = &line.record else { continue };
            let before = known.get(&given.code).cloned();
            let misplaced = match &before {
                // The place in the tree stays.
                Some(before) => heading.has("parent") && before.parent != given.parent,
                // Two levels: the main category must exist and be one.
                None => {
                    given.parent.as_ref().is_some_and(|p| known.get(p).is_none_or(|m| m.parent.is_some()))
                }
            };
            let mut made = before.clone().unwrap_or_else(|| Category { version: 0, ..given.clone() });
            put(&mut made, given, &paths);
            if misplaced && before.is_some() {
                let (zh, en) =
                    ("类别已属于别的大类，不能改变", "the category belongs elsewhere, and stays there");
                line.violations.add("parent_category", "fixed", zh, en);
            } else if misplaced {
                line.refuse("parent_category", Error::ReferenceMissing { field: "parent_category" });
            }
            if !line.violations.is_empty() || before.as_ref() == Some(&made) {
                continue;
            }
            if !written.contains(&made.code) {
                made.version += 1;
                written.push(made.code.clone());
            }
            let done = if before.is_some() { Done::Changed } else { Done::Created };
            line.wrote(done, name::category(district, &made.code), &wire::write(&made));
            known.insert(made.code.clone(), made);
        }
        let rows: Vec<_> = written.iter().map(|code| known[code].clone()).collect();
        if batch::put(conn, district, &rows).await? < rows.len() as u64 {
            return Err(etag::mismatch(1).into());
        }
        Ok(())
    }
}

fn named(district: i32, code: &str) -> String {
    if code.is_empty() { String::new() } else { name::category(district, code) }
}

/// Changes what the file has columns for.
fn put(category: &mut Category, given: &Category, paths: &[String]) {
    let mask = mask::of(paths);
    let (limits, new) = (&mut category.limits, &given.limits);
    mask.set("limits.accept", &mut limits.accept, new.accept);
    mask.set("limits.register", &mut limits.register, new.register);
    mask.set("limits.dispatch", &mut limits.dispatch, new.dispatch);
    mask.set("limits.handle", &mut limits.handle, new.handle);
    mask.set("limits.verify", &mut limits.verify, new.verify);
    mask.set("display_name", &mut category.display_name, given.display_name.clone());
    mask.set("conditions", &mut category.conditions, given.conditions.clone());
    mask.set("verify_public_reports", &mut category.verify_public_reports, given.verify_public_reports);
    mask.set("retired", &mut category.retired, given.retired);
}

fn read_limits(cells: &mut Cells<'_>) -> pb::StepLimits {
    let mut limits = pb::StepLimits::default();
    for step in ["accept", "register", "dispatch", "handle", "verify"] {
        let column = format!("{step}_limit");
        let text = cells.text(&column);
        let read = limits::read(text);
        if read.is_none() && !text.is_empty() {
            let zh = "格式为 5 工作日、1.5 工作时 或 3 急时";
            let en = "must look like 5 working days, 1.5 working hours or 3 emergency hours";
            cells.violations.add(format!("limits.{step}"), "limit", zh, en);
        }
        if let Some(limit) = limits::step(&mut limits, step) {
            *limit = read;
        }
    }
    limits
}

fn read_conditions(cells: &mut Cells<'_>) -> Vec<pb::Condition> {
    let items: Vec<_> = cells.list("conditions").map(limits::read_condition).collect();
    if items.contains(&None) {
        let zh = "格式为 代码|名称|处置=8 急时，各条之间用 ; 隔开";
        let en = "must look like code|name|handle=8 emergency hours, with ; between conditions";
        cells.violations.add("conditions", "condition", zh, en);
    }
    items.into_iter().flatten().collect()
}
