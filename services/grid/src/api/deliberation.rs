//! The deliberation service: draft, read, and one script for all the actions.

use jingwei_kit::caller::{self, Caller};
use jingwei_kit::etag;
use jingwei_kit::mask;
use jingwei_kit::status::Violations;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::deliberation_service_server::DeliberationService;
use prost::Message;
use sqlx::PgConnection;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::actors;
use super::core::{Asked, Core};
use super::evidence::link;
use super::repeat::violates;
use super::staff::read_name;
use super::wire::action_request::ActionRequest;
use super::wire::{deliberation as wire, name};
use crate::error::Error;
use crate::model::actor::Actor;
use crate::model::deliberation::apply::{Context, apply};
use crate::model::deliberation::command::Command;
use crate::model::deliberation::{Content, Deliberation, Record, View, view};
use crate::model::relation::may_read;
use crate::store::{self, deliberation as rows};

/// The deliberation service.
#[derive(Clone)]
pub struct Deliberations(pub Core);

type Answer<T> = Result<Response<T>, Status>;

/// What an update may change.
const CHANGEABLE: [&str; 7] =
    ["title", "background", "events", "options", "participants", "quorum", "decision_mode"];

impl Deliberations {
    /// The deliberation with how much of it the caller may read.
    pub(super) async fn readable(
        &self,
        conn: &mut PgConnection,
        grants: &[Actor],
        district: i32,
        id: Uuid,
    ) -> Result<(Deliberation, View), Error> {
        let found = rows::get(conn, district, id).await?;
        let seen = found.and_then(|d| view(&d, grants).map(|view| (d, view)));
        seen.ok_or_else(|| Error::NotFound { name: wire::of(district, id) })
    }

    async fn get(
        &self,
        caller: &Caller,
        request: &pb::GetDeliberationRequest,
    ) -> Result<pb::Deliberation, Error> {
        let (district, id) = read_name(&request.name, "deliberations")?;
        let grants = actors::of(caller, district);
        let mut conn = self.0.pool.acquire().await?;
        let (found, view) = self.readable(&mut conn, &grants, district, id).await?;
        Ok(wire::write(&found, view, self.0.clock.now()))
    }

    async fn create(
        &self,
        caller: &Caller,
        request: &pb::CreateDeliberationRequest,
    ) -> Result<pb::Deliberation, Error> {
        let district = name::read_district(&request.parent)?;
        let given = request.deliberation.clone().unwrap_or_default();
        let mut violations = Violations::new();
        let area = name::read_area_in("deliberation.area", &given.area, district, &mut violations);
        if given.area.is_empty() {
            violations.add("deliberation.area", "required", "必填", "is required");
        }
        require(&mask::ALL, &given, &mut violations);
        let content = wire::read_content(&given, district, &mut violations);
        violations.finish()?;
        let area = area.expect("an area that does not read has noted a violation");
        let id = match request.deliberation_id.as_str() {
            "" => self.0.clock.id(),
            text => name::read_uuid("deliberation_id", text)?,
        };
        let grants = actors::of(caller, district);
        let (draft, record) = Deliberation::draft(id, area, content, &grants, self.0.clock.now())?;
        self.check_events(&grants, district, &draft.content).await?;
        let asked = Asked {
            caller,
            district,
            method: "CreateDeliberation",
            request,
            request_id: &request.request_id,
        };
        let create = async |conn: &mut PgConnection| match rows::insert(conn, &draft, &record).await {
            Err(e) if violates(&e, "deliberation_pkey") => {
                Err(Error::AlreadyExists { name: wire::of(district, id) })
            }
            Err(e) if violates(&e, "deliberation_area") => {
                Err(Error::ReferenceMissing { field: "deliberation.area" })
            }
            done => Ok(done.map(|()| self.told(&draft, &record))?),
        };
        self.0.change_telling(asked, create).await
    }

    async fn update(
        &self,
        caller: &Caller,
        request: &pb::UpdateDeliberationRequest,
    ) -> Result<pb::Deliberation, Error> {
        let given = request.deliberation.clone().unwrap_or_default();
        let (district, id) = read_name(&given.name, "deliberations")?;
        let mut violations = Violations::new();
        let mask = mask::read(request.update_mask.as_ref(), &CHANGEABLE, &mut violations);
        require(&mask, &given, &mut violations);
        let new = wire::read_content(&given, district, &mut violations);
        violations.finish()?;
        let asked = Asked {
            caller,
            district,
            method: "UpdateDeliberation",
            request,
            request_id: &request.request_id,
        };
        let grants = actors::of(caller, district);
        if mask.names("events") {
            self.check_events(&grants, district, &new).await?;
        }
        let update = async |conn: &mut PgConnection| {
            let (before, _) = self.readable(conn, &grants, district, id).await?;
            etag::check(&given.etag, before.version)?;
            let mut content = before.content.clone();
            mask.set("title", &mut content.title, new.title.clone());
            mask.set("background", &mut content.background, new.background.clone());
            mask.set("events", &mut content.events, new.events.clone());
            mask.set("options", &mut content.options, new.options.clone());
            mask.set("participants", &mut content.participants, new.participants.clone());
            mask.set("quorum", &mut content.quorum, new.quorum);
            mask.set("decision_mode", &mut content.mode, new.mode);
            self.write(conn, &before, &Command::Update(content), &grants).await
        };
        self.0.change_telling(asked, update).await
    }

    /// Any action: read, decide, write; of two at the same moment one is written, the other ABORTED.
    async fn act<R: ActionRequest<Command>>(&self, request: Request<R>) -> Answer<pb::Deliberation> {
        let caller = caller::of(&request);
        let request = request.into_inner();
        let (district, id) = read_name(request.name(), "deliberations")?;
        let command = request.command().map_err(Error::from)?;
        let grants = actors::of(&caller, district);
        if let Command::CompleteItem { evidence, .. } = &command {
            link(&self.0.pool, (district, request.name()), &caller.subject, evidence).await?;
        }
        let asked = Asked {
            caller: &caller,
            district,
            method: R::METHOD,
            request: &request,
            request_id: request.request_id(),
        };
        let act = async |conn: &mut PgConnection| {
            let (before, _) = self.readable(conn, &grants, district, id).await?;
            etag::check(request.etag(), before.version)?;
            if let Command::AddItem { owner, .. } = &command
                && !rows::unit_exists(&mut *conn, district, owner).await?
            {
                return Err(Error::ReferenceMissing { field: "owner" });
            }
            self.write(conn, &before, &command, &grants).await
        };
        Ok(Response::new(self.0.change_telling(asked, act).await?))
    }

    /// The events must exist for the caller.
    async fn check_events(&self, grants: &[Actor], district: i32, content: &Content) -> Result<(), Error> {
        for id in &content.events {
            let found = store::event::get(&self.0.pool, district, *id).await?;
            if !found.is_some_and(|stored| may_read(&stored.event, grants)) {
                return Err(Error::ReferenceMissing { field: "deliberation.events" });
            }
        }
        Ok(())
    }

    async fn write(
        &self,
        conn: &mut PgConnection,
        before: &Deliberation,
        command: &Command,
        grants: &[Actor],
    ) -> Result<(String, Vec<u8>, pb::Deliberation), Error> {
        let calendar = match command {
            Command::Publicise { .. } => store::calendar::get(&mut *conn, before.district).await?,
            _ => None,
        };
        let calendar = calendar.as_ref().map(|(_, calendar)| calendar);
        let context = Context { now: self.0.clock.now(), calendar };
        let (after, record) = apply(before, command, grants, &context)?;
        if !rows::update(conn, &after, &record).await? {
            return Err(etag::mismatch(after.version).into());
        }
        let (name, told, mut answer) = self.told(&after, &record);
        if view(&after, grants) != Some(View::Whole) {
            answer = wire::write(&after, View::WithoutPeople, context.now);
        }
        Ok((name, told, answer))
    }

    /// Name, what readers of the feed get, and the answer. The feed tells what was done, not what people said or who came.
    fn told(&self, after: &Deliberation, record: &Record) -> (String, Vec<u8>, pb::Deliberation) {
        let record = wire::write_record(after.district, after.id, record);
        let told = pb::DeliberationRecord { note: String::new(), numbers: Vec::new(), ..record };
        let answer = wire::write(after, View::Whole, self.0.clock.now());
        (answer.name.clone(), told.encode_to_vec(), answer)
    }
}

fn require(mask: &mask::Mask<'_>, given: &pb::Deliberation, violations: &mut Violations) {
    mask.require("deliberation", "title", !given.title.trim().is_empty(), violations);
    let has_mode = given.decision_mode() != pb::DecisionMode::Unspecified;
    mask.require("deliberation", "decision_mode", has_mode, violations);
}

#[tonic::async_trait]
impl DeliberationService for Deliberations {
    async fn get_deliberation(
        &self,
        request: Request<pb::GetDeliberationRequest>,
    ) -> Answer<pb::Deliberation> {
        Ok(Response::new(self.get(&caller::of(&request), request.get_ref()).await?))
    }

    async fn list_deliberations(
        &self,
        request: Request<pb::ListDeliberationsRequest>,
    ) -> Answer<pb::ListDeliberationsResponse> {
        Ok(Response::new(self.list(&caller::of(&request), request.get_ref()).await?))
    }

    async fn list_deliberation_records(
        &self,
        request: Request<pb::ListDeliberationRecordsRequest>,
    ) -> Answer<pb::ListDeliberationRecordsResponse> {
        Ok(Response::new(self.list_records(&caller::of(&request), request.get_ref()).await?))
    }

    async fn list_action_items(
        &self,
        request: Request<pb::ListActionItemsRequest>,
    ) -> Answer<pb::ListActionItemsResponse> {
        Ok(Response::new(self.list_items(&caller::of(&request), request.get_ref()).await?))
    }

    async fn create_deliberation(
        &self,
        request: Request<pb::CreateDeliberationRequest>,
    ) -> Answer<pb::Deliberation> {
        Ok(Response::new(self.create(&caller::of(&request), request.get_ref()).await?))
    }

    async fn update_deliberation(
        &self,
        request: Request<pb::UpdateDeliberationRequest>,
    ) -> Answer<pb::Deliberation> {
        Ok(Response::new(self.update(&caller::of(&request), request.get_ref()).await?))
    }

    async fn convene_deliberation(
        &self,
        request: Request<pb::ConveneDeliberationRequest>,
    ) -> Answer<pb::Deliberation> {
        self.act(request).await
    }

    async fn hold_deliberation(
        &self,
        request: Request<pb::HoldDeliberationRequest>,
    ) -> Answer<pb::Deliberation> {
        self.act(request).await
    }

    async fn record_votes(&self, request: Request<pb::RecordVotesRequest>) -> Answer<pb::Deliberation> {
        self.act(request).await
    }

    async fn resolve_deliberation(
        &self,
        request: Request<pb::ResolveDeliberationRequest>,
    ) -> Answer<pb::Deliberation> {
        self.act(request).await
    }

    async fn add_action_item(&self, request: Request<pb::AddActionItemRequest>) -> Answer<pb::Deliberation> {
        self.act(request).await
    }

    async fn publicise_deliberation(
        &self,
        request: Request<pb::PubliciseDeliberationRequest>,
    ) -> Answer<pb::Deliberation> {
        self.act(request).await
    }

    async fn record_objection(
        &self,
        request: Request<pb::RecordObjectionRequest>,
    ) -> Answer<pb::Deliberation> {
        self.act(request).await
    }

    async fn end_publicity(&self, request: Request<pb::EndPublicityRequest>) -> Answer<pb::Deliberation> {
        self.act(request).await
    }

    async fn complete_action_item(
        &self,
        request: Request<pb::CompleteActionItemRequest>,
    ) -> Answer<pb::Deliberation> {
        self.act(request).await
    }

    async fn give_up_action_item(
        &self,
        request: Request<pb::GiveUpActionItemRequest>,
    ) -> Answer<pb::Deliberation> {
        self.act(request).await
    }

    async fn complete_deliberation(
        &self,
        request: Request<pb::CompleteDeliberationRequest>,
    ) -> Answer<pb::Deliberation> {
        self.act(request).await
    }

    async fn cancel_deliberation(
        &self,
        request: Request<pb::CancelDeliberationRequest>,
    ) -> Answer<pb::Deliberation> {
        self.act(request).await
    }
}
