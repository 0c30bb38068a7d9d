//! The symposium service: the office's actions, what those invited read, what anybody reads.

use jingwei_kit::caller::{self, Caller};
use jingwei_kit::etag;
use jingwei_kit::page::Page;
use jingwei_kit::status::{Violations, invalid};
use jingwei_proto::business_environment_monitor::v1 as pb;
use jingwei_proto::business_environment_monitor::v1::symposium_service_server::SymposiumService;
use prost::Message;
use sqlx::PgConnection;
use time::OffsetDateTime;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::act::{Act, act};
use super::batch;
use super::core::{Asked, Core};
use super::wire::symposium::{self as wire, IssueStates};
use super::wire::{name, time as moment};
use super::{actors, info_item};
use crate::error::Error;
use crate::model::actor::{Actor, Role};
use crate::model::symposium::{Command, Invitee, Outcome, Refusal, State, Symposium, apply, plan};
use crate::store::symposium as store;

/// The symposium service.
#[derive(Clone)]
pub struct Symposiums(pub Core);

type Answer<T> = Result<Response<T>, Status>;

impl Symposiums {
    async fn create(
        &self,
        caller: &Caller,
        request: &pb::CreateSymposiumRequest,
    ) -> Result<pb::Symposium, Error> {
        let district = name::read_district("parent", &request.parent)?;
        let (actor, now) = (batch::actor(caller, district)?, self.0.clock.now());
        let mut violations = Violations::new();
        let start = moment::read("start_time", request.start_time.as_ref(), &mut violations);
        violations.finish()?;
        let given = Symposium {
            id: self.0.clock.id(),
            district,
            title: request.title.clone(),
            place: request.place.clone(),
            start: start.unwrap_or(OffsetDateTime::UNIX_EPOCH),
            state: State::Planned,
            invitees: wire::read_invitees("invitees", &request.invitees)?,
            present: Vec::new(),
            suggestions: Vec::new(),
            minutes: String::new(),
            follow_up: String::new(),
            cancel_reason: String::new(),
            version: 0,
        };
        let (symposium, record) = plan(given, &actor, now)?;
        let (method, request_id) = ("CreateSymposium", request.request_id.as_str());
        let asked = Asked { caller, district, method, request, request_id };
        let create = async |conn: &mut PgConnection| {
            store::insert(conn, &symposium, &record).await?;
            let answer = wire::write(&symposium, &[actor], Some(&IssueStates::new()));
            Ok((answer.name.clone(), answer))
        };
        self.0.change(asked, create).await
    }

    /// Any action of the office on one symposium.
    async fn act<Q: Message>(
        &self,
        caller: &Caller,
        act: Act<'_, Q>,
        command: Command,
    ) -> Result<pb::Symposium, Error> {
        let (district, id) = name::read_symposium("name", act.name)?;
        let (actor, now) = (batch::actor(caller, district)?, self.0.clock.now());
        let Act { method, request, request_id, .. } = act;
        let asked = Asked { caller, district, method, request, request_id };
        let change = async |conn: &mut PgConnection| {
            let missing = || Error::NotFound { name: act.name.to_owned() };
            let before = store::lock(&mut *conn, district, id).await?.ok_or_else(missing)?;
            etag::check(act.etag, before.version)?;
            let (after, record) = apply(&before, &command, &actor, now)?;
            if let Command::Follow { outcome, .. } = &command {
                self.check_outcome(&mut *conn, district, outcome, &actor).await?;
            }
            store::update(&mut *conn, &after, &record).await?;
            let states = store::issue_states(conn, district, &issues(&after)).await?;
            Ok((act.name.to_owned(), wire::write(&after, std::slice::from_ref(&actor), Some(&states))))
        };
        self.0.change(asked, change).await
    }

    /// A suggestion leads to what exists in the district.
    async fn check_outcome(
        &self,
        conn: &mut PgConnection,
        district: i32,
        outcome: &Outcome,
        actor: &Actor,
    ) -> Result<(), Error> {
        match outcome {
            Outcome::Answer(_) => {}
            Outcome::Issue(id) => {
                let found = store::issue_states(conn, district, &[*id]).await?;
                found.get(id).ok_or_else(|| Error::NotFound { name: name::issue(district, *id) })?;
            }
            Outcome::InfoItem(id) => {
                let asked = name::info_item(district, *id);
                let found = crate::store::info_item::get(conn, district, *id).await?;
                info_item::readable(found, std::slice::from_ref(actor), &asked)?;
            }
        }
        Ok(())
    }

    async fn follow(
        &self,
        caller: &Caller,
        request: &pb::FollowSuggestionRequest,
    ) -> Result<pb::Symposium, Error> {
        let (district, _) = name::read_symposium("name", &request.name)?;
        let (issue, item, answer) = (&request.issue, &request.info_item, &request.answer);
        let outcome = match (issue.is_empty(), item.is_empty(), answer.is_empty()) {
            (false, true, true) => Outcome::Issue(name::read_issue_of("issue", issue, district)?),
            (true, false, true) => {
                let (of, id) = name::read_info_item("info_item", item)?;
                if of != district {
                    return Err(name::elsewhere("info_item", district).into());
                }
                Outcome::InfoItem(id)
            }
            (true, true, false) => Outcome::Answer(answer.clone()),
            _ => {
                let zh = "issue、info_item、answer 三者须填且只填一个";
                let en = "exactly one of issue, info_item and answer must be given";
                return Err(invalid("issue", "one_of", zh, en).into());
            }
        };
        let number = usize::try_from(request.number).unwrap_or(0);
        self.act(caller, act!("FollowSuggestion", request), Command::Follow { number, outcome }).await
    }

    async fn suggest(
        &self,
        caller: &Caller,
        request: &pb::AddSuggestionRequest,
    ) -> Result<pb::Symposium, Error> {
        let invitee = wire::read_invitee("invitee", &request.invitee.clone().unwrap_or_default())?;
        let command = Command::Suggest { invitee, text: request.text.clone() };
        self.act(caller, act!("AddSuggestion", request), command).await
    }

    async fn get(&self, caller: &Caller, request: &pb::GetSymposiumRequest) -> Result<pb::Symposium, Error> {
        let (district, id) = name::read_symposium("name", &request.name)?;
        let grants = actors::of(caller, district);
        let found = store::get(&self.0.pool, district, id).await?;
        let theirs = found.filter(|symposium| grants.iter().any(|actor| symposium.is_readable_by(actor)));
        let symposium = theirs.ok_or_else(|| Error::NotFound { name: request.name.clone() })?;
        let states = store::issue_states(&self.0.pool, district, &issues(&symposium)).await?;
        Ok(wire::write(&symposium, &grants, Some(&states)))
    }

    async fn list(
        &self,
        caller: &Caller,
        request: &pb::ListSymposiumsRequest,
    ) -> Result<pb::ListSymposiumsResponse, Error> {
        let district = name::read_district("parent", &request.parent)?;
        let page = Page::<Uuid>::of(request, 50, 200)?;
        let (before, grants) = (page.after.unwrap_or(Uuid::max()), actors::of(caller, district));
        let pool = &self.0.pool;
        let mut rows = match grants.iter().any(|actor| actor.role == Role::Office) {
            true => store::list(pool, district, before, page.limit()).await?,
            false => {
                let invitee = grants.iter().find_map(Invitee::of).ok_or(Refusal::NotAllowed)?;
                store::list_of(pool, district, &invitee, before, page.limit()).await?
            }
        };
        let next_page_token = page.cut(&mut rows, |symposium| symposium.id);
        let symposiums = rows.iter().map(|symposium| wire::write(symposium, &grants, None)).collect();
        Ok(pb::ListSymposiumsResponse { symposiums, next_page_token })
    }

    async fn get_published(
        &self,
        request: &pb::GetPublishedSymposiumRequest,
    ) -> Result<pb::PublishedSymposium, Error> {
        let (district, id) = name::read_published_symposium("name", &request.name)?;
        let found = store::get(&self.0.pool, district, id).await?;
        let published = found.filter(|symposium| symposium.state == State::FollowUpPublished);
        let symposium = published.ok_or_else(|| Error::NotFound { name: request.name.clone() })?;
        let states = store::issue_states(&self.0.pool, district, &issues(&symposium)).await?;
        Ok(wire::write_published(&symposium, Some(&states)))
    }

    async fn list_published(
        &self,
        request: &pb::ListPublishedSymposiumsRequest,
    ) -> Result<pb::ListPublishedSymposiumsResponse, Error> {
        let district = name::read_district("parent", &request.parent)?;
        let page = Page::<Uuid>::of(request, 50, 200)?;
        let before = page.after.unwrap_or(Uuid::max());
        let mut rows = store::list_published(&self.0.pool, district, before, page.limit()).await?;
        let next_page_token = page.cut(&mut rows, |symposium| symposium.id);
        let published_symposiums =
            rows.iter().map(|symposium| wire::write_published(symposium, None)).collect();
        Ok(pb::ListPublishedSymposiumsResponse { published_symposiums, next_page_token })
    }
}

/// The issues that suggestions led to.
fn issues(symposium: &Symposium) -> Vec<Uuid> {
    let outcomes = symposium.suggestions.iter().filter_map(|suggestion| suggestion.outcome.as_ref());
    let issue = |outcome: &Outcome| if let Outcome::Issue(id) = outcome { Some(*id) } else { None };
    outcomes.filter_map(issue).collect()
}

#[tonic::async_trait]
impl SymposiumService for Symposiums {
    async fn create_symposium(&self, request: Request<pb::CreateSymposiumRequest>) -> Answer<pb::Symposium> {
        Ok(Response::new(self.create(&caller::of(&request), request.get_ref()).await?))
    }

    async fn get_symposium(&self, request: Request<pb::GetSymposiumRequest>) -> Answer<pb::Symposium> {
        Ok(Response::new(self.get(&caller::of(&request), request.get_ref()).await?))
    }

    async fn list_symposiums(
        &self,
        request: Request<pb::ListSymposiumsRequest>,
    ) -> Answer<pb::ListSymposiumsResponse> {
        Ok(Response::new(self.list(&caller::of(&request), request.get_ref()).await?))
    }

    async fn invite_to_symposium(
        &self,
        request: Request<pb::InviteToSymposiumRequest>,
    ) -> Answer<pb::Symposium> {
        let (caller, request) = (caller::of(&request), request.get_ref());
        let invitees = wire::read_invitees("invitees", &request.invitees).map_err(Error::from)?;
        let act = act!("InviteToSymposium", request);
        Ok(Response::new(self.act(&caller, act, Command::Invite(invitees)).await?))
    }

    async fn hold_symposium(&self, request: Request<pb::HoldSymposiumRequest>) -> Answer<pb::Symposium> {
        let (caller, request) = (caller::of(&request), request.get_ref());
        let present = wire::read_invitees("present", &request.present).map_err(Error::from)?;
        let act = act!("HoldSymposium", request);
        Ok(Response::new(self.act(&caller, act, Command::Hold(present)).await?))
    }

    async fn add_suggestion(&self, request: Request<pb::AddSuggestionRequest>) -> Answer<pb::Symposium> {
        Ok(Response::new(self.suggest(&caller::of(&request), request.get_ref()).await?))
    }

    async fn follow_suggestion(
        &self,
        request: Request<pb::FollowSuggestionRequest>,
    ) -> Answer<pb::Symposium> {
        Ok(Response::new(self.follow(&caller::of(&request), request.get_ref()).await?))
    }

    async fn publish_minutes(&self, request: Request<pb::PublishMinutesRequest>) -> Answer<pb::Symposium> {
        let (caller, request) = (caller::of(&request), request.get_ref());
        let command = Command::PublishMinutes(request.minutes.clone());
        Ok(Response::new(self.act(&caller, act!("PublishMinutes", request), command).await?))
    }

    async fn publish_follow_up(&self, request: Request<pb::PublishFollowUpRequest>) -> Answer<pb::Symposium> {
        let (caller, request) = (caller::of(&request), request.get_ref());
        let command = Command::PublishFollowUp(request.follow_up.clone());
        Ok(Response::new(self.act(&caller, act!("PublishFollowUp", request), command).await?))
    }

    async fn cancel_symposium(&self, request: Request<pb::CancelSymposiumRequest>) -> Answer<pb::Symposium> {
        let (caller, request) = (caller::of(&request), request.get_ref());
        let command = Command::Cancel(request.reason.clone());
        Ok(Response::new(self.act(&caller, act!("CancelSymposium", request), command).await?))
    }

    async fn get_published_symposium(
        &self,
        request: Request<pb::GetPublishedSymposiumRequest>,
    ) -> Answer<pb::PublishedSymposium> {
        Ok(Response::new(self.get_published(request.get_ref()).await?))
    }

    async fn list_published_symposiums(
        &self,
        request: Request<pb::ListPublishedSymposiumsRequest>,
    ) -> Answer<pb::ListPublishedSymposiumsResponse> {
        Ok(Response::new(self.list_published(request.get_ref()).await?))
    }
}
