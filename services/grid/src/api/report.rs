//! Report: from what a reporter gives to an event with its place, limits and number.

use jingwei_kit::caller::Caller;
use jingwei_kit::etag;
use jingwei_kit::status::Violations;
use jingwei_proto::grid::v1 as pb;
use time::OffsetDateTime;
use uuid::Uuid;

use super::actors;
use super::deadlines::Reference;
use super::event::Events;
use super::evidence::attachments;
use super::repeat::{first_answer, key, violates};
use super::wire::{event as wire, name, point};
use super::write::{self, Beside};
use crate::error::Error;
use crate::model::actor::Actor;
use crate::model::area::AreaCode;
use crate::model::contact::Phone;
use crate::model::event::{Event, Evidence, Place, Reporter};
use crate::model::position::Point;
use crate::model::report::{Report, report as make};
use crate::model::transition::Transition;
use crate::seal;
use crate::store;
use crate::store::change::Contact;

/// A report as its fields read: what is wrong with them is told all at once.
pub struct Fields {
    pub(super) district: i32,
    id: Option<Uuid>,
    pub(super) category: String,
    pub(super) area: Option<AreaCode>,
    /// The point, WGS-84.
    pub point: Option<Point>,
    reporter: Reporter,
    /// The reporter's number, until it is taken to be sealed.
    pub phone: Option<Phone>,
    evidence: Vec<Evidence>,
}

/// Who reports, and what for.
pub(super) struct By<'a> {
    /// The subject that the report is recorded under.
    pub subject: &'a str,
    /// What lets it in.
    pub grants: &'a [Actor],
    /// Whether the reporter gets a tracking code.
    pub with_code: bool,
    /// Resources that the reporter may read and whose evidence comes along.
    pub with: &'a [&'a str],
}

impl Events {
    /// Reports an event for somebody who is signed in.
    pub(super) async fn report_for(
        &self,
        caller: &Caller,
        request: &pb::ReportEventRequest,
    ) -> Result<pb::Event, Error> {
        let grants = actors::of(caller, name::read_district(&request.parent)?);
        self.report(&By { subject: &caller.subject, grants: &grants, with_code: false, with: &[] }, request)
            .await
    }

    /// Reports an event, as it is then shown to its reporter: reads what the report refers to, decides, writes it in one statement.
    pub(super) async fn report(
        &self,
        by: &By<'_>,
        request: &pb::ReportEventRequest,
    ) -> Result<pb::Event, Error> {
        let district = name::read_district(&request.parent)?;
        let bound = wire::without_phone(request);
        let key = key(by.subject, district, &request.request_id, "ReportEvent", &bound)?;
        let done = try_report(self, by, request, key.as_ref()).await;
        let event = match (done, &key) {
            (Ok(event), _) => wire::write(&event, by.grants),
            (Err(error), None) => return Err(error),
            (Err(error), Some(key)) => first_answer(&self.pool, key).await?.ok_or(error)?,
        };
        self.feed.wake(district);
        Ok(event)
    }

    /// What is kept to reach the reporter by.
    pub(super) fn contact(&self, by: &By<'_>, event: Uuid, phone: Option<&Phone>) -> Result<Contact, Error> {
        let phone = phone.map(|phone| self.data_keys.seal(event, phone)).transpose()?;
        let code = self.data_keys.codes(event).next().filter(|_| by.with_code);
        Ok(Contact { phone, code_hash: code.map(|code| seal::hash(event, &code)) })
    }
}

async fn try_report(
    events: &Events,
    by: &By<'_>,
    request: &pb::ReportEventRequest,
    key: Option<&jingwei_kit::idempotency::Key>,
) -> Result<Event, Error> {
    let mut violations = Violations::new();
    let fields = read(request, by.subject, &mut violations);
    violations.finish()?;
    let mut fields = fields?;
    let now = events.clock.now();
    let area = (fields.area, now);
    let reference = events.deadlines.with_area(fields.district, &fields.category, &request.condition, area);
    let (reference, version) = reference.await?;
    let place = place(events, &fields, version, request, now).await?;
    let phone = fields.phone.take();
    let id = fields.id.unwrap_or_else(|| events.clock.id());
    let (made, transition) = decide(fields, id, request, place, &reference, by.grants, now)?;
    let (district, id) = (made.district, made.id);
    let contact = events.contact(by, id, phone.as_ref())?;
    let attachments = attachments(&events.pool, (district, by.with), by.subject, &made.evidence).await?;
    let beside = Beside { key, grants: by.grants, attachments: &attachments };
    match events.news.run(write::new(&made, transition, contact, beside)).await {
        Ok(case_number) => Ok(Event { case_number, ..made }),
        Err(error) if violates(&error, "event_pkey") => {
            Err(Error::AlreadyExists { name: name::event(district, id) })
        }
        // The same request at the same moment: the caller of this function gives its answer.
        Err(error) if violates(&error, "idempotency_pkey") => Err(etag::mismatch(1).into()),
        Err(error) => Err(error.into()),
    }
}

/// Whether the event is one, by what it refers to: the event with the first transition of its history.
pub fn decide(
    fields: Fields,
    id: Uuid,
    request: &pb::ReportEventRequest,
    place: Place,
    reference: &Reference,
    grants: &[Actor],
    now: OffsetDateTime,
) -> Result<(Event, Transition), Error> {
    if !reference.category.is_reportable() {
        return Err(Error::CategoryNotReportable { code: fields.category });
    }
    if !request.condition.is_empty()
        && reference.category.conditions.iter().all(|c| c.code != request.condition)
    {
        let known: Vec<_> = reference.category.conditions.iter().map(|c| c.code.as_str()).collect();
        let (zh, en) = (
            format!("该类别的立案条件为：{}", known.join("、")),
            format!("must be one of: {}", known.join(", ")),
        );
        return Err(jingwei_kit::status::invalid("condition", "condition", zh, en).into());
    }
    let made = Report {
        id,
        case_number: String::new(),
        category: fields.category,
        condition: request.condition.clone(),
        place,
        description: request.description.clone(),
        reporter: fields.reporter,
        evidence: fields.evidence,
        verify_public: reference.category.verify_public_reports,
    };
    Ok(make(made, grants, &reference.context(now))?)
}

/// The fields of a report by `subject`; violations for what is wrong with them.
pub fn read(
    request: &pb::ReportEventRequest,
    subject: &str,
    violations: &mut Violations,
) -> Result<Fields, Error> {
    let district = name::read_district(&request.parent)?;
    if request.area.is_empty() && request.point.is_none() {
        violations.add("area", "required", "area 与 point 至少填写一项", "an area or a point must be given");
    }
    let id = Some(&request.event_id).filter(|id| !id.is_empty());
    let (reporter, phone) = wire::read_reporter(request.reporter.as_ref(), subject, violations);
    Ok(Fields {
        district,
        id: id.map(|id| name::read_uuid("event_id", id)).transpose()?,
        category: name::read_in("category", &request.category, district, violations),
        area: name::read_area_in("area", &request.area, district, violations),
        point: point::read("point", request.point.as_ref(), request.coordinate_system(), violations),
        reporter,
        phone,
        evidence: wire::read_evidence(&request.evidence, violations),
    })
}

/// Where it is: the deepest area that holds the point, where that is no contradiction to the area given, which has that version.
async fn place(
    events: &Events,
    fields: &Fields,
    version: Option<i64>,
    request: &pb::ReportEventRequest,
    now: OffsetDateTime,
) -> Result<Place, Error> {
    let located = match fields.point {
        Some(point) => store::area::locate(&events.pool, fields.district, point, now).await?,
        None => None,
    };
    let (area, area_version) = settle(located, fields.area, version)?;
    Ok(Place { area, area_version, point: fields.point, address: request.address.clone() })
}

/// Of the area that was located and the one that was given, whose version is beside it, the one that counts.
pub(super) fn settle(
    located: Option<(AreaCode, i64)>,
    given: Option<AreaCode>,
    version: Option<i64>,
) -> Result<(AreaCode, i64), Error> {
    match (located, given) {
        (None, None) => Err(Error::PointOutside),
        (Some(located), None) => Ok(located),
        (Some(located), Some(given)) if given.contains(&located.0) => Ok(located),
        (_, Some(given)) => {
            version.map(|version| (given, version)).ok_or(Error::ReferenceMissing { field: "area" })
        }
    }
}
