//! Items of a sync: made ready to be applied, each by itself; and their verdicts.

use jingwei_kit::idempotency::Key;
use jingwei_kit::rules;
use jingwei_kit::status::{Problem, Violations};
use jingwei_proto::google::rpc;
use jingwei_proto::grid::v1 as pb;
use pb::sync_item::Item as Request;
use pb::sync_verdict::Answer;
use prost::{DecodeError, Message, Name};
use tonic::Status;
use uuid::Uuid;

use super::event::without_phone;
use super::name;

/// The same for each kind of request.
macro_rules! each {
    ($item:expr, $request:ident => $do:expr) => {
        match $item {
            Request::CreateNote($request) => $do,
            Request::ReportEvent($request) => $do,
            Request::CommentEvent($request) => $do,
            Request::SignForEvent($request) => $do,
            Request::ResolveEvent($request) => $do,
            Request::CompleteCoHandling($request) => $do,
            Request::StartPatrol($request) => $do,
            Request::AppendTrackPoints($request) => $do,
            Request::EndPatrol($request) => $do,
        }
    };
}

/// An item that keeps its rules.
pub struct Item {
    /// The device's id of it.
    pub id: Uuid,
    /// Where it stands in the batch: `items[3].create_note.`.
    pub place: String,
    /// The request, with the item's id as its request id.
    pub request: Request,
}

/// Reads an item, the `i`th of its batch. Errors: everything that is wrong with its fields.
pub fn read(i: usize, given: &pb::SyncItem, district: i32) -> Result<Item, Problem> {
    let place = format!("items[{i}].");
    let mut violations = Violations::new();
    let id = Uuid::parse_str(&given.id).ok();
    if id.is_none() {
        violations.add(format!("{place}id"), "uuid", "须为 UUID", "must be a UUID");
    }
    let Some(request) = &given.item else {
        violations.add(place, "required", "必须填写其中一项", "one of its fields is required");
        return Err(violations.finish().expect_err("one was added"));
    };
    let request = with_id(request.clone(), &id.unwrap_or_default().to_string());
    let (field, _) = kind(&request);
    let place = format!("{place}{field}.");
    violations.add_under(&place, each!(&request, r => rules::check(r))?);
    let (named_by, named) = named(&request);
    if violations.is_empty() && name::read_district(named).ok() != Some(district) {
        let (zh, en) = (format!("须为区县 {district} 的数据"), format!("must be of the district {district}"));
        violations.add(format!("{place}{named_by}"), "district", zh, en);
    }
    violations.finish()?;
    Ok(Item { id: id.unwrap_or_default(), place, request })
}

/// The event or patrol that an item is about, be it right or wrong; none of a note.
pub fn about(given: &pb::SyncItem) -> Option<String> {
    match given.item.as_ref()? {
        Request::CreateNote(_) => None,
        Request::ReportEvent(r) => {
            let id = if r.event_id.is_empty() { &given.id } else { &r.event_id };
            Some(format!("{}/events/{}", r.parent, id.to_lowercase()))
        }
        request => Some(named(request).1.to_owned()),
    }
}

/// The item's field in `SyncItem` and its RPC.
fn kind(request: &Request) -> (&'static str, &'static str) {
    match request {
        Request::CreateNote(_) => ("create_note", "CreateNote"),
        Request::ReportEvent(_) => ("report_event", "ReportEvent"),
        Request::CommentEvent(_) => ("comment_event", "CommentEvent"),
        Request::SignForEvent(_) => ("sign_for_event", "SignForEvent"),
        Request::ResolveEvent(_) => ("resolve_event", "ResolveEvent"),
        Request::CompleteCoHandling(_) => ("complete_co_handling", "CompleteCoHandling"),
        Request::StartPatrol(_) => ("start_patrol", "StartPatrol"),
        Request::AppendTrackPoints(_) => ("append_track_points", "AppendTrackPoints"),
        Request::EndPatrol(_) => ("end_patrol", "EndPatrol"),
    }
}

/// The field that names what a request is about, and the name in it.
fn named(request: &Request) -> (&'static str, &str) {
    match request {
        Request::CreateNote(r) => ("parent", &r.parent),
        Request::ReportEvent(r) => ("parent", &r.parent),
        Request::CommentEvent(r) => ("name", &r.name),
        Request::SignForEvent(r) => ("name", &r.name),
        Request::ResolveEvent(r) => ("name", &r.name),
        Request::CompleteCoHandling(r) => ("name", &r.name),
        Request::StartPatrol(r) => ("name", &r.name),
        Request::AppendTrackPoints(r) => ("name", &r.name),
        Request::EndPatrol(r) => ("name", &r.name),
    }
}

fn with_id(mut request: Request, id: &str) -> Request {
    match &mut request {
        Request::CreateNote(r) if r.note_id.is_empty() => id.clone_into(&mut r.note_id),
        Request::ReportEvent(r) if r.event_id.is_empty() => id.clone_into(&mut r.event_id),
        _ => (),
    }
    each!(&mut request, r => id.clone_into(&mut r.request_id));
    request
}

impl Item {
    /// What its RPC keeps the first answer under.
    pub fn key(&self, district: i32, subject: &str) -> Key {
        let (_, method) = kind(&self.request);
        if let Request::ReportEvent(report) = &self.request {
            return Key::of(district, subject, self.id, method, &without_phone(report));
        }
        each!(&self.request, r => Key::of(district, subject, self.id, method, r))
    }

    /// The answer that was kept of it.
    pub fn answer(&self, kept: &[u8]) -> Result<Answer, DecodeError> {
        Ok(match &self.request {
            Request::CreateNote(_) => Answer::Note(pb::Note::decode(kept)?),
            Request::StartPatrol(_) | Request::AppendTrackPoints(_) | Request::EndPatrol(_) => {
                Answer::Patrol(pb::Patrol::decode(kept)?)
            }
            _ => Answer::Event(pb::Event::decode(kept)?),
        })
    }
}

/// The verdict of an item that took effect, now or before.
pub fn applied(id: &str, outcome: pb::SyncOutcome, answer: Answer) -> pb::SyncVerdict {
    pb::SyncVerdict { answer: Some(answer), ..verdict(id, outcome) }
}

/// The verdict of an item that was not tried.
pub fn blocked(id: &str, by: &str) -> pb::SyncVerdict {
    pb::SyncVerdict { blocked_by: by.to_owned(), ..verdict(id, pb::SyncOutcome::Blocked) }
}

/// The verdict of an item that was refused; its wrong fields are those of the part of the batch at `place`.
pub fn refused(id: &str, place: &str, status: &Status) -> pb::SyncVerdict {
    let mut status = rpc::Status::decode(status.details()).unwrap_or_else(|_| rpc::Status {
        code: status.code() as i32,
        message: status.message().to_owned(),
        details: Vec::new(),
    });
    let url = format!("/{}", rpc::BadRequest::full_name());
    for detail in status.details.iter_mut().filter(|any| any.type_url.ends_with(&url)) {
        if let Ok(mut request) = rpc::BadRequest::decode(detail.value.as_slice()) {
            request.field_violations.iter_mut().for_each(|v| v.field.insert_str(0, place));
            detail.value = request.encode_to_vec();
        }
    }
    pb::SyncVerdict { status: Some(status), ..verdict(id, pb::SyncOutcome::Refused) }
}

fn verdict(id: &str, outcome: pb::SyncOutcome) -> pb::SyncVerdict {
    pb::SyncVerdict { id: id.to_owned(), outcome: outcome.into(), ..Default::default() }
}
