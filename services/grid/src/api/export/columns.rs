//! The columns of exports, and how a resource fills them. What can be imported has the columns of the import.

use jingwei_proto::grid::v1 as pb;

use crate::api::import::cells::written;
use crate::api::import::departments::KINDS;
use crate::api::import::events::REPORTERS;
use crate::api::import::limits;
use crate::api::import::staff::ROLES;
use crate::ledger::write::Cell;
use crate::model::clock::Stage;
use crate::model::event::{Event, Outcome, State};
use crate::model::staff::{Posting, StaffMember};
use crate::model::unit::Unit;
use crate::store::area::AreaVersion;
use time::OffsetDateTime;

/// Of events.
pub(super) const EVENTS: [&str; 31] = [
    "案件编号",
    "类别代码",
    "立案条件",
    "区域代码",
    "纬度",
    "经度",
    "地址",
    "描述",
    "上报人类型",
    "上报人",
    "上报人电话",
    "状态",
    "结果",
    "当前单位",
    "主办单位",
    "受理层级",
    "上报时间",
    "派遣时间",
    "处置时间",
    "结案时间",
    "当前时限",
    "告警",
    "退回次数",
    "返工次数",
    "延期次数",
    "催办次数",
    "升级次数",
    "轮次",
    "自处理",
    "终审",
    "并入",
];

/// The last part of a resource name.
fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or_default()
}

fn moment(at: Option<OffsetDateTime>) -> Cell {
    at.map(written).unwrap_or_default().into()
}

fn yes(is: bool) -> Cell {
    if is { "是" } else { "否" }.into()
}

/// The Chinese word of a choice.
fn word<T: PartialEq>(choices: &[(&'static str, &'static str, T)], value: &T) -> Cell {
    choices.iter().find(|(_, _, known)| known == value).map_or("", |(zh, ..)| zh).into()
}

/// An area.
pub(super) fn area(area: &AreaVersion) -> Vec<Cell> {
    vec![area.code.to_string().into(), area.display_name.as_str().into(), area.service_phone.as_str().into()]
}

/// A person, and a posting where there is one.
pub(super) fn staff(member: &StaffMember, posting: Option<&Posting>) -> Vec<Cell> {
    let mut cells = vec![
        member.id.to_string().into(),
        member.display_name.as_str().into(),
        member.duty_phone.as_str().into(),
        member.subject.clone().unwrap_or_default().into(),
        member.home_unit.as_str().into(),
    ];
    if let Some(posting) = posting {
        cells.push(word(&ROLES, &crate::api::wire::staff::write_role(posting.role)));
        cells.push(posting.area.to_string().into());
        cells.push(moment(Some(posting.start_time)));
        cells.push(moment(posting.planned_end_time));
    }
    cells
}

/// A department.
pub(super) fn department(department: &pb::Department) -> Vec<Cell> {
    let list = |names: &[String]| names.iter().map(|name| last(name)).collect::<Vec<_>>().join(";");
    vec![
        last(&department.name).into(),
        department.display_name.as_str().into(),
        word(&KINDS, &department.kind()),
        department.duty_phone.as_str().into(),
        list(&department.duties).into(),
        list(&department.served_areas).into(),
    ]
}

/// A category.
pub(super) fn category(category: &pb::Category) -> Vec<Cell> {
    let steps = category.limits.unwrap_or_default();
    let limit = |limit: Option<pb::Limit>| Cell::from(limit.as_ref().map(limits::write).unwrap_or_default());
    let conditions: Vec<_> = category.conditions.iter().map(limits::write_condition).collect();
    vec![
        last(&category.name).into(),
        last(&category.parent_category).into(),
        category.display_name.as_str().into(),
        limit(steps.accept),
        limit(steps.register),
        limit(steps.dispatch),
        limit(steps.handle),
        limit(steps.verify),
        conditions.join(";").into(),
        yes(category.verify_public_reports),
        yes(category.retired),
    ]
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Solved => "已解决",
        Outcome::PartlySolved => "部分解决",
        Outcome::Unsolved => "未解决",
        Outcome::Unfounded => "不属实",
        Outcome::NotOurDuty => "非职责范围",
        Outcome::SelfResolved => "已自行解决",
    }
}

fn alarm(stage: Stage) -> &'static str {
    match stage {
        Stage::InTime => "",
        Stage::Amber => "黄色预警",
        Stage::Red => "超时",
        Stage::Critical => "严重超时",
    }
}

fn unit(unit: &Unit) -> Cell {
    match unit {
        Unit::Area(code) => code.to_string().into(),
        Unit::Department(code) => code.as_str().into(),
    }
}

/// An event, and beside it as its reader may see it: who reported it is taken from there.
pub(super) fn event(event: &Event, shown: &pb::Event) -> Vec<Cell> {
    let reporter = shown.reporter.clone().unwrap_or_default();
    let degrees = |of: fn(&crate::model::position::Point) -> f64| {
        Cell::from(event.place.point.as_ref().map(|p| of(p).to_string()).unwrap_or_default())
    };
    let state: State = event.state;
    let counts = event.counts;
    let merged = event.merged.as_ref().map(|merged| merged.into.to_string()).unwrap_or_default();
    vec![
        event.case_number.as_str().into(),
        event.category.as_str().into(),
        event.condition.as_str().into(),
        event.place.area.to_string().into(),
        degrees(|p| p.latitude()),
        degrees(|p| p.longitude()),
        event.place.address.as_str().into(),
        event.description.as_str().into(),
        word(&REPORTERS, &reporter.kind()),
        reporter.display_name.into(),
        reporter.phone.into(),
        state.chinese().into(),
        event.outcome.map_or("", outcome).into(),
        unit(&event.holder()),
        event.lead.as_ref().map_or("".into(), unit),
        event.accepted_depth.map_or("", crate::api::wire::area::level_name).into(),
        moment(Some(event.times.reported)),
        moment(event.times.dispatched),
        moment(event.times.resolved),
        moment(event.times.closed),
        moment(event.active_clock().map(|clock| clock.due)),
        alarm(event.alarm()).into(),
        Cell::Number(counts.returns.into()),
        Cell::Number(counts.rework.into()),
        Cell::Number(counts.extensions.into()),
        Cell::Number(counts.urges.into()),
        Cell::Number(counts.escalations.into()),
        Cell::Number(counts.rounds.into()),
        yes(event.self_settled),
        yes(event.final_ruling),
        merged.into(),
    ]
}
