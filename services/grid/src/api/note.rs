//! The note service.

use jingwei_kit::caller::{self, Caller};
use jingwei_kit::etag;
use jingwei_kit::idempotency;
use jingwei_kit::mask;
use jingwei_kit::page::Page;
use jingwei_kit::status::{Problem, Violations};
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::note_service_server::NoteService;
use sqlx::PgConnection;
use tonic::{Code, Request, Response, Status};
use uuid::Uuid;

use super::actors;
use super::core::{Asked, Core};
use super::event::Events;
use super::note_taking::{Draft, take};
use super::repeat::key;
use super::report::By;
use super::staff::read_name;
use super::wire::{event as wire_event, name, note as wire, point};
use crate::error::Error;
use crate::model::area::AreaCode;
use crate::model::note::{Note, Refusal};
use crate::store::note as store;
use crate::store::note_list::{Cursor, Filter, list as store_list};

/// The note service.
#[derive(Clone)]
pub struct Notes {
    /// What every handler works with.
    pub core: Core,
    /// Reports what notes become.
    pub events: Events,
}

impl Notes {
    /// The note, where the caller may know of it.
    pub(super) async fn readable(&self, caller: &Caller, district: i32, id: Uuid) -> Result<Note, Error> {
        let grants = actors::of(caller, district);
        let found = store::get(&self.core.pool, district, id).await?;
        let found = found.filter(|n| grants.iter().any(|grant| grant.scope.covers_area(n.area)));
        found.ok_or_else(|| Error::NotFound { name: name::of(district, "notes", id) })
    }

    async fn get(&self, caller: &Caller, request: &pb::GetNoteRequest) -> Result<pb::Note, Error> {
        let (district, id) = read_name(&request.name, "notes")?;
        Ok(wire::write(&self.readable(caller, district, id).await?))
    }

    async fn list(
        &self,
        caller: &Caller,
        request: &pb::ListNotesRequest,
    ) -> Result<pb::ListNotesResponse, Error> {
        let district = name::read_district(&request.parent)?;
        let page = Page::<Cursor>::of(request, 50, 200)?;
        let mut violations = Violations::new();
        let area = name::read_area_in("area", &request.area, district, &mut violations);
        let patrol = name::read_in("patrol", &request.patrol, district, &mut violations);
        let event = name::read_in("event", &request.event, district, &mut violations);
        violations.finish()?;
        let filter = Filter {
            district,
            area: visible(caller, district, area)?,
            author: Some(request.author.clone()).filter(|a| !a.is_empty()),
            patrol: Uuid::parse_str(&patrol).ok(),
            event: Uuid::parse_str(&event).ok(),
            reported: request.reported,
        };
        let mut rows = store_list(&self.core.pool, &filter, page.after, page.limit()).await?;
        let next_page_token = page.cut(&mut rows, |n| (n.created, n.id));
        Ok(pb::ListNotesResponse { notes: rows.iter().map(wire::write).collect(), next_page_token })
    }

    async fn create(&self, caller: &Caller, request: &pb::CreateNoteRequest) -> Result<pb::Note, Error> {
        let district = name::read_district(&request.parent)?;
        let key = key(&caller.subject, district, &request.request_id, "CreateNote", request)?;
        let draft = Draft::read(request, district, &self.core.clock, key.clone())?;
        let taken = take(&self.core.pool, caller, district, &[draft], self.core.clock.now()).await;
        let note = taken.and_then(|mut taken| taken.remove(0));
        let answer = match (note, &key) {
            (Ok(note), _) => wire::write(&note),
            (Err(error), None) => return Err(error),
            (Err(error), Some(key)) => idempotency::answered(&self.core.pool, key).await?.ok_or(error)?,
        };
        self.core.feed.wake(district);
        Ok(answer)
    }

    async fn update(&self, caller: &Caller, request: &pb::UpdateNoteRequest) -> Result<pb::Note, Error> {
        let given = request.note.clone().unwrap_or_default();
        let (district, id) = read_name(&given.name, "notes")?;
        let mut violations = Violations::new();
        let mask = mask::read(request.update_mask.as_ref(), &["text"], &mut violations);
        mask.require("note", "text", !given.text.trim().is_empty(), &mut violations);
        violations.finish()?;
        self.readable(caller, district, id).await?;
        let now = self.core.clock.now();
        let asked =
            Asked { caller, district, method: "UpdateNote", request, request_id: &request.request_id };
        let update = async |conn: &mut PgConnection| {
            let missing = || Error::NotFound { name: given.name.clone() };
            let note = store::get(&mut *conn, district, id).await?.ok_or_else(missing)?;
            etag::check(&given.etag, note.version)?;
            let note = note.rewritten(given.text.clone(), &caller.subject, now)?;
            if !store::rewrite(conn, &note).await? {
                return Err(etag::mismatch(note.version).into());
            }
            Ok((given.name.clone(), wire::payload(&note), wire::write(&note)))
        };
        self.core.change_telling(asked, update).await
    }

    /// Reports the event whose id was fixed with the note; then notes that on the note. Whoever comes later, or repeats a call that
    /// broke off between the two, does the second part where it is missing.
    async fn report(&self, caller: &Caller, request: &pb::ReportNoteRequest) -> Result<pb::Event, Error> {
        let (district, id) = read_name(&request.name, "notes")?;
        let note = self.readable(caller, district, id).await?;
        let refusal = || Error::Note(Refusal::Reported { district, event: note.report_id });
        if !note.reported {
            etag::check(&request.etag, note.version)?;
        }
        if note.reported && request.request_id.is_empty() {
            return Err(refusal());
        }
        let (grants, with) = (actors::of(caller, district), &[request.name.as_str()][..]);
        let by = By { subject: &caller.subject, grants: &grants, with_code: false, with };
        let reported = self.events.report(&by, &as_report(&note, request)).await;
        if !note.reported && matches!(reported, Ok(_) | Err(Error::AlreadyExists { .. })) {
            let after = Note { reported: true, version: note.version + 1, ..note.clone() };
            let (resource, now) = (name::of(district, "notes", id), self.core.clock.now());
            store::mark_reported(&self.core.pool, &note, &resource, &wire::payload(&after), now).await?;
            self.core.feed.wake(district);
        }
        match reported {
            Err(Error::AlreadyExists { .. }) => Err(refusal()),
            done => done,
        }
    }
}

/// The report of the event that the note becomes.
fn as_report(note: &Note, request: &pb::ReportNoteRequest) -> pb::ReportEventRequest {
    let link = pb::Evidence { uri: name::of(note.district, "notes", note.id), ..Default::default() };
    pb::ReportEventRequest {
        parent: name::district(note.district),
        event_id: note.report_id.to_string(),
        category: request.category.clone(),
        condition: request.condition.clone(),
        area: name::area(note.area),
        point: note.point.map(point::write),
        address: request.address.clone(),
        description: note.text.clone(),
        reporter: request.reporter.clone(),
        evidence: note.evidence.iter().map(wire_event::write_evidence).chain([link]).collect(),
        request_id: request.request_id.clone(),
        ..Default::default()
    }
}

/// What a list shows: the area asked for, where a grant covers it; where none was, the area of the first grant.
pub(super) fn visible(caller: &Caller, district: i32, asked: Option<AreaCode>) -> Result<AreaCode, Error> {
    use crate::model::actor::Scope;
    let grants = actors::of(caller, district);
    let own = |scope: &Scope| match scope {
        Scope::District(district) => AreaCode::of_district(*district).ok(),
        Scope::Area(area) => Some(*area),
        Scope::Department(_) => None,
    };
    let area = asked.or_else(|| grants.iter().find_map(|grant| own(&grant.scope)));
    let area = area.filter(|area| grants.iter().any(|grant| grant.scope.covers_area(*area)));
    area.ok_or_else(|| {
        let (zh, en) = ("您的管辖范围不包含所查的区域", "none of your grants covers the area asked for");
        Problem::new(Code::PermissionDenied, "PERMISSION_DENIED", zh, en).into()
    })
}

#[tonic::async_trait]
impl NoteService for Notes {
    async fn get_note(&self, request: Request<pb::GetNoteRequest>) -> Result<Response<pb::Note>, Status> {
        Ok(Response::new(self.get(&caller::of(&request), request.get_ref()).await?))
    }

    async fn list_notes(
        &self,
        request: Request<pb::ListNotesRequest>,
    ) -> Result<Response<pb::ListNotesResponse>, Status> {
        Ok(Response::new(self.list(&caller::of(&request), request.get_ref()).await?))
    }

    async fn create_note(
        &self,
        request: Request<pb::CreateNoteRequest>,
    ) -> Result<Response<pb::Note>, Status> {
        Ok(Response::new(self.create(&caller::of(&request), request.get_ref()).await?))
    }

    async fn update_note(
        &self,
        request: Request<pb::UpdateNoteRequest>,
    ) -> Result<Response<pb::Note>, Status> {
        Ok(Response::new(self.update(&caller::of(&request), request.get_ref()).await?))
    }

    async fn report_note(
        &self,
        request: Request<pb::ReportNoteRequest>,
    ) -> Result<Response<pb::Event>, Status> {
        Ok(Response::new(self.report(&caller::of(&request), request.get_ref()).await?))
    }
}
