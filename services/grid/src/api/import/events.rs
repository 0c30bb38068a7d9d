//! The ledger of events 事件台账: each row becomes a report, as ReportEvent makes one.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use jingwei_kit::status::{Problem, Violations};
use jingwei_proto::grid::v1 as pb;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::cells::Cells;
use super::table::{Done, Line, Table, records};
use crate::api::deadlines::Reference;
use crate::api::event::Events;
use crate::api::report::{self, By, Fields};
use crate::api::wire::name;
use crate::api::write::{self, Beside};
use crate::error::Error;
use crate::ledger::Row;
use crate::ledger::heading::{Column, Heading};
use crate::model::actor::{Actor, Role};
use crate::model::area::AreaCode;
use crate::model::event::{Event, Place};
use crate::store::batch::{area, event as batch};
use crate::store::change::New;
use crate::store::group::Entry as _;

pub(super) const COLUMNS: &[Column] = &[
    Column::new("台账编号", "number", "event_id", "2025-0317"),
    Column::new("类别代码", "category", "category", "burst-pipe").required(),
    Column::new("立案条件", "condition", "condition", "fenced"),
    Column::new("区域代码", "area", "area", "410182002011001"),
    Column::new("纬度", "latitude", "point.latitude", ""),
    Column::new("经度", "longitude", "point.longitude", ""),
    Column::new("地址", "address", "address", "永安街 12 号门前"),
    Column::new("描述", "description", "description", "自来水管爆裂，路面积水").required(),
    Column::new("上报时间", "report_time", "report_time", "2026-03-02 09:30"),
    Column::new("上报人类型", "reporter_kind", "reporter.kind", "居民"),
    Column::new("上报人", "reporter_name", "reporter.display_name", "").private(),
    Column::new("上报人电话", "reporter_phone", "reporter.phone", "").private(),
];

/// Who reports, in words.
pub const REPORTERS: [(&str, &str, pb::ReporterKind); 4] = [
    ("工作人员", "worker", pb::ReporterKind::Worker),
    ("居民", "resident", pb::ReporterKind::Resident),
    ("企业", "enterprise", pb::ReporterKind::Enterprise),
    ("匿名", "anonymous", pb::ReporterKind::Anonymous),
];

/// The longest number in a ledger, in characters.
const MAX_NUMBER: usize = 64;

/// Reports of a district.
pub(super) struct Reports {
    pub(super) events: Events,
    pub(super) district: i32,
    pub(super) now: OffsetDateTime,
    pub(super) grants: Vec<Actor>,
    pub(super) subject: String,
    pub(super) system: pb::CoordinateSystem,
}

/// A report.
pub(super) struct Record {
    id: Uuid,
    request: pb::ReportEventRequest,
    fields: Option<Fields>,
    /// When it was reported.
    at: OffsetDateTime,
}

impl Table for Reports {
    type Record = Record;
    const COLUMNS: &'static [Column] = COLUMNS;

    fn read(
        &self,
        heading: &Heading,
        row: &Row,
        violations: &mut Violations,
    ) -> Result<Option<Record>, Problem> {
        let mut cells = Cells { heading, row, violations };
        let request = self.request(&mut cells);
        let given = cells.moment("report_time");
        let at = given.unwrap_or(self.now);
        if at > self.now {
            cells.violations.add("report_time", "past", "不能晚于现在", "must not be in the future");
        }
        let number = cells.text("number");
        if number.chars().count() > MAX_NUMBER {
            let (zh, en) =
                (format!("最多 {MAX_NUMBER} 个字符"), format!("must have at most {MAX_NUMBER} characters"));
            cells.violations.add("number", "max_len", zh, en);
        }
        let id = id(self.district, number, &request, given);
        violations.append(jingwei_kit::rules::check(&request)?);
        let fields = report::read(&request, &self.subject, violations).ok();
        Ok(Some(Record { id, request, fields, at }))
    }

    async fn load(
        &self,
        conn: &mut PgConnection,
        _: &Heading,
        lines: &mut [Line<Record>],
    ) -> Result<(), Error> {
        let places = self.places(conn, lines).await?;
        let references = self.references(lines).await?;
        let ids: Vec<Uuid> = records(lines).map(|r| r.id).collect();
        let known = batch::known(conn, self.district, &ids).await?;
        let mut known: HashMap<Uuid, Event> = known.into_iter().map(|event| (event.id, event)).collect();
        let mut news = Vec::new();
        for (line, place) in lines.iter_mut().zip(places) {
            let Some(mut record) = line.record.take() else { continue };
            let phone = record.fields.as_mut().and_then(|fields| fields.phone.take());
            match self.decide(&mut record, place, &references, line) {
                Some((event, _)) if let Some(before) = known.get(&event.id) => {
                    check_same(before, &event, line);
                }
                Some((event, transition)) => {
                    let by = By { subject: &self.subject, grants: &self.grants, with_code: false, with: &[] };
                    let contact = self.events.contact(&by, event.id, phone.as_ref())?;
                    news.push(write::new(&event, transition, contact, Beside::default()));
                    known.insert(event.id, event);
                    line.done = Done::Created;
                }
                None => {}
            }
            line.record = Some(record);
        }
        New::run(conn, &news).await?;
        Ok(())
    }
}

impl Reports {
    fn request(&self, cells: &mut Cells<'_>) -> pb::ReportEventRequest {
        let district = self.district;
        cells.require("category");
        let (category, condition) = (cells.code("category"), cells.code("condition"));
        let area = cells.area("area", district);
        let (latitude, longitude) = (cells.degrees("latitude"), cells.degrees("longitude"));
        let point = latitude.zip(longitude).map(|(latitude, longitude)| pb::Point { latitude, longitude });
        if latitude.is_some() != longitude.is_some() {
            let column = if latitude.is_some() { "longitude" } else { "latitude" };
            cells.violations.add(
                column,
                "required",
                "经纬度须同时填写",
                "latitude and longitude come together",
            );
        }
        let kind = cells.choice("reporter_kind", &REPORTERS);
        let (display_name, phone) = (cells.string("reporter_name"), cells.string("reporter_phone"));
        let is_named = kind.is_some() || !display_name.is_empty() || !phone.is_empty();
        let kind = kind.unwrap_or(pb::ReporterKind::Resident);
        pb::ReportEventRequest {
            parent: name::district(district),
            category: name::category(district, &category),
            condition,
            area: area.map(name::area).unwrap_or_default(),
            point,
            coordinate_system: self.system.into(),
            address: cells.string("address"),
            description: cells.string("description"),
            reporter: is_named.then(|| pb::Reporter { kind: kind.into(), display_name, phone }),
            ..Default::default()
        }
    }

    /// The area of each line, and its version; `None` where there is none.
    async fn places(
        &self,
        conn: &mut PgConnection,
        lines: &[Line<Record>],
    ) -> Result<Vec<Option<Result<Place, Error>>>, Error> {
        let fields = |line: &'_ Line<Record>| {
            line.record.as_ref().and_then(|r| r.fields.as_ref()).map(|f| (f.area, f.point))
        };
        let given: Vec<_> = lines.iter().map(fields).collect();
        let codes: Vec<String> =
            given.iter().flatten().filter_map(|(area, _)| *area).map(|c| c.to_string()).collect();
        let versions: HashMap<AreaCode, i64> =
            area::versions(conn, self.district, &codes, self.now).await?.into_iter().collect();
        let points: Vec<_> =
            given.iter().enumerate().filter_map(|(i, g)| Some((i, g.as_ref()?.1?))).collect();
        let only: Vec<_> = points.iter().map(|(_, point)| *point).collect();
        let located = area::locate(conn, self.district, &only, self.now).await?;
        let located: HashMap<usize, _> =
            located.into_iter().map(|(place, code, version)| (points[place].0, (code, version))).collect();
        let place = |(index, (given, line)): (usize, (&Option<_>, &Line<Record>))| {
            let (area, point): (Option<AreaCode>, _) = (*given)?;
            let version = area.and_then(|area| versions.get(&area).copied());
            let settled = report::settle(located.get(&index).copied(), area, version);
            let address = line.record.as_ref().map(|r| r.request.address.clone()).unwrap_or_default();
            Some(settled.map(|(area, area_version)| Place { area, area_version, point, address }))
        };
        Ok(given.iter().zip(lines).enumerate().map(place).collect())
    }

    /// What the deadlines are made of, read once for each category and condition of the batch.
    async fn references(
        &self,
        lines: &[Line<Record>],
    ) -> Result<HashMap<(String, String), Result<Reference, Error>>, Error> {
        let mut references = HashMap::new();
        for record in records(lines) {
            let Some(fields) = &record.fields else { continue };
            let key = (fields.category.clone(), record.request.condition.clone());
            let Entry::Vacant(vacant) = references.entry(key) else { continue };
            let (category, condition) = vacant.key();
            let reference = match self.events.deadlines.of(self.district, category, condition).await {
                Err(error @ Error::Problem(_)) => return Err(error),
                reference => reference,
            };
            vacant.insert(reference);
        }
        Ok(references)
    }

    /// The event that a line reports, where all of it is right.
    fn decide(
        &self,
        record: &mut Record,
        place: Option<Result<Place, Error>>,
        references: &HashMap<(String, String), Result<Reference, Error>>,
        line: &mut Line<Record>,
    ) -> Option<(Event, crate::model::transition::Transition)> {
        let fields = record.fields.take()?;
        let place = match place? {
            Ok(place) => Some(place),
            Err(error) => {
                line.refuse("area", error);
                None
            }
        };
        let reference = match references.get(&(fields.category.clone(), record.request.condition.clone()))? {
            Ok(reference) => Some(reference),
            Err(error) => {
                line.refuse("category", error.clone());
                None
            }
        };
        let (place, reference) = place.zip(reference).filter(|_| line.violations.is_empty())?;
        // Events are imported by streets and dispatchers, whatever else the caller is.
        let may = |grant: &&Actor| matches!(grant.role, Role::Street | Role::Dispatcher);
        let grants: Vec<_> = self.grants.iter().filter(may).cloned().collect();
        let made = report::decide(fields, record.id, &record.request, place, reference, &grants, record.at);
        made.map_err(|error| line.refuse("category", error)).ok()
    }
}

/// The id of an event, the same each time the row is imported: made of its number in the ledger, else of what it says. Not of
/// who reported it: an id must not lead to a person.
fn id(district: i32, number: &str, request: &pb::ReportEventRequest, at: Option<OffsetDateTime>) -> Uuid {
    let namespace = Uuid::new_v5(&Uuid::NAMESPACE_URL, name::district(district).as_bytes());
    if !number.is_empty() {
        return Uuid::new_v5(&namespace, format!("number {number}").as_bytes());
    }
    let point = request.point.unwrap_or_default();
    let content = [
        request.category.as_str(),
        &request.condition,
        &request.area,
        &format!("{} {}", point.latitude, point.longitude),
        &request.address,
        &request.description,
        &at.map(|at| at.unix_timestamp().to_string()).unwrap_or_default(),
    ];
    Uuid::new_v5(&namespace, content.join("\u{1F}").as_bytes())
}

/// Notes where an event is not the one that a line reports under its number.
fn check_same(event: &Event, reported: &Event, line: &mut Line<Record>) {
    let is_same = event.category == reported.category
        && event.condition == reported.condition
        && event.description == reported.description
        && event.place.address == reported.place.address
        && event.reporter.kind == reported.reporter.kind;
    if !is_same {
        let zh = "台账编号已用于内容不同的事件；已上报的事件不会被导入改变";
        let en = "the number is that of an event with other content; imports never change events";
        line.violations.add("number", "exists", zh, en);
    }
}
