//! Visits and experiences: model ↔ wire.

use jingwei_kit::status::{Problem, Violations};
use jingwei_proto::business_environment_monitor::v1 as pb;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::appointment::read_date;
use super::name;
use super::time::write as moment;
use crate::model::observation::{Content, ExperienceKind, Observation, VisitKind};

/// What a request to record one has besides its content.
pub struct Frame<'a> {
    /// The new id.
    pub id: Uuid,
    /// The district.
    pub district: i32,
    /// The subject of the monitor.
    pub person: &'a str,
    /// The time.
    pub now: OffsetDateTime,
}

/// A visit on the wire; `None` where it is none.
pub fn write_visit(observation: &Observation) -> Option<pb::Visit> {
    let Content::Visit { kind, place, companions } = &observation.content else { return None };
    Some(pb::Visit {
        name: name::visit(observation.district, observation.id),
        person: observation.person.clone(),
        kind: *kind as i32 + 1,
        enterprise: enterprise(observation),
        place: place.clone(),
        companions: companions.clone(),
        date: observation.day.to_string(),
        text: observation.text.clone(),
        create_time: Some(moment(observation.recorded)),
    })
}

/// An experience on the wire; `None` where it is none.
pub fn write_experience(observation: &Observation) -> Option<pb::Experience> {
    let Content::Experience { kind, matter, window, minutes_waited, passed } = &observation.content else {
        return None;
    };
    Some(pb::Experience {
        name: name::experience(observation.district, observation.id),
        person: observation.person.clone(),
        kind: *kind as i32 + 1,
        enterprise: enterprise(observation),
        matter: matter.clone(),
        window: window.clone(),
        minutes_waited: i32::try_from(*minutes_waited).unwrap_or(i32::MAX),
        passed: *passed,
        date: observation.day.to_string(),
        text: observation.text.clone(),
        create_time: Some(moment(observation.recorded)),
    })
}

fn enterprise(observation: &Observation) -> String {
    let code = observation.enterprise.as_ref();
    code.map(|code| name::enterprise(observation.district, code.as_str())).unwrap_or_default()
}

/// A visit as given.
///
/// # Errors
/// The fields that do not read.
pub fn read_visit(request: &pb::CreateVisitRequest, frame: &Frame<'_>) -> Result<Observation, Problem> {
    let kind = match request.kind() {
        pb::VisitKind::Enterprise => VisitKind::Enterprise,
        pb::VisitKind::Shop => VisitKind::Shop,
        pb::VisitKind::Place => VisitKind::Place,
        pb::VisitKind::Livestream => VisitKind::Livestream,
        pb::VisitKind::Hiring => VisitKind::Hiring,
        pb::VisitKind::Unspecified => return Err(name::wrong("kind", "ENTERPRISE")),
    };
    let (place, companions) = (request.place.clone(), request.companions.clone());
    let content = Content::Visit { kind, place, companions };
    read(frame, &request.enterprise, &request.date, &request.text, content)
}

/// An experience as given.
///
/// # Errors
/// The fields that do not read.
pub fn read_experience(
    request: &pb::CreateExperienceRequest,
    frame: &Frame<'_>,
) -> Result<Observation, Problem> {
    let kind = match request.kind() {
        pb::ExperienceKind::InPerson => ExperienceKind::InPerson,
        pb::ExperienceKind::ByProxy => ExperienceKind::ByProxy,
        pb::ExperienceKind::Accompanied => ExperienceKind::Accompanied,
        pb::ExperienceKind::Unspecified => return Err(name::wrong("kind", "IN_PERSON")),
    };
    let content = Content::Experience {
        kind,
        matter: request.matter.clone(),
        window: request.window.clone(),
        minutes_waited: u32::try_from(request.minutes_waited).unwrap_or(0),
        passed: request.passed,
    };
    read(frame, &request.enterprise, &request.date, &request.text, content)
}

fn read(
    frame: &Frame<'_>,
    enterprise: &str,
    date: &str,
    text: &str,
    content: Content,
) -> Result<Observation, Problem> {
    let Frame { id, district, person, now } = *frame;
    let day = read_day("date", date)?;
    Ok(Observation {
        id,
        district,
        person: person.to_owned(),
        enterprise: name::read_enterprise_of("enterprise", enterprise, district)?,
        day: day.ok_or_else(|| name::wrong("date", "2026-03-02"))?,
        text: text.to_owned(),
        recorded: now,
        content,
    })
}

/// The day that a field holds; `None` where it is empty.
///
/// # Errors
/// There is no such day.
pub fn read_day(field: &str, text: &str) -> Result<Option<Date>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    let mut violations = Violations::new();
    let day = read_date(field, text, &mut violations);
    violations.finish()?;
    Ok(day)
}
