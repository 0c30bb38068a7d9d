//! The assistance service: needs, facts, and what enterprises got.

use jingwei_kit::caller::{self, Caller};
use jingwei_kit::etag;
use jingwei_kit::page::Page;
use jingwei_kit::status::Violations;
use jingwei_proto::business_environment_monitor::v1 as pb;
use jingwei_proto::business_environment_monitor::v1::assistance_service_server::AssistanceService;
use prost::Message;
use sqlx::PgConnection;
use time::Date;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::act::{Act, act};
use super::actors;
use super::core::{Asked, Core};
use super::repeat::violates;
use super::wire::{name, need as wire};
use crate::error::Error;
use crate::model::actor::{Actor, Role};
use crate::model::local_day;
use crate::model::need::{Command, Kind, Need, Refusal};
use crate::store::need as store;

/// The assistance service.
#[derive(Clone)]
pub struct Assistance(pub Core);

fn denied() -> Error {
    Refusal::NotAllowed.into()
}

impl Assistance {
    async fn raise(&self, caller: &Caller, request: &pb::RaiseNeedRequest) -> Result<pb::Need, Error> {
        let district = name::read_district("parent", &request.parent)?;
        let (of, enterprise) = name::read_enterprise("enterprise", &request.enterprise)?;
        let missing = || Error::NotFound { name: request.enterprise.clone() };
        let kind = wire::read_kind(request.kind()).filter(|_| of == district).ok_or_else(missing)?;
        let id = match request.need_id.as_str() {
            "" => self.0.clock.id(),
            text => name::read_uuid("need_id", text)?,
        };
        let need = Need {
            id,
            district,
            enterprise,
            kind,
            amount: request.amount,
            description: request.description.clone(),
            raiser: caller.subject.clone(),
            raised: self.0.clock.now(),
            closed: None,
            facts: Vec::new(),
            version: 1,
        };
        let grants = actors::of(caller, district);
        first(&grants, |actor| need.check(actor))?;
        let (method, request_id) = ("RaiseNeed", request.request_id.as_str());
        let asked = Asked { caller, district, method, request, request_id };
        let resource = name::need(district, id);
        let raise = async |conn: &mut PgConnection| match store::insert(conn, &need).await {
            Err(e) if violates(&e, "need_pkey") => Err(Error::AlreadyExists { name: resource.clone() }),
            Err(e) if is_missing(&e) => Err(missing()),
            done => Ok(done.map(|()| (resource.clone(), wire::write(&need)))?),
        };
        self.0.change(asked, raise).await
    }

    /// Any action: the need is locked, so of two at one moment the later sees what the first did.
    async fn act<Q: Message>(
        &self,
        caller: &Caller,
        act: Act<'_, Q>,
        command: impl FnOnce() -> Result<Command, Error>,
    ) -> Result<pb::Need, Error> {
        let Act { method, request, name, etag, request_id } = act;
        let (district, id) = name::read_need(name)?;
        let (grants, command, now) = (actors::of(caller, district), command()?, self.0.clock.now());
        let asked = Asked { caller, district, method, request, request_id };
        let act = async |conn: &mut PgConnection| {
            let found = store::lock(&mut *conn, district, id).await?;
            let need = readable(found, &grants, name)?;
            etag::check(etag, need.version)?;
            let after = first(&grants, |actor| need.apply(&command, actor, now, local_day(now)))?;
            store::update(&mut *conn, &after).await?;
            if let Some(fact) = touched(&command).and_then(|id| after.facts.iter().find(|fact| fact.id == id))
            {
                let day = fact.decision.as_ref().map(|decision| local_day(decision.at));
                let put = store::put_fact(conn, &after, fact, day).await;
                put.map_err(|e| {
                    if violates(&e, "fact_reference") { used(fact.reference.clone()) } else { e.into() }
                })?;
            }
            Ok((name.to_owned(), wire::write(&after)))
        };
        self.0.change(asked, act).await
    }

    async fn get(&self, caller: &Caller, request: &pb::GetNeedRequest) -> Result<pb::Need, Error> {
        let (district, id) = name::read_need(&request.name)?;
        let found = store::get(&self.0.pool, district, id).await?;
        Ok(wire::write(&readable(found, &actors::of(caller, district), &request.name)?))
    }

    async fn list(
        &self,
        caller: &Caller,
        request: &pb::ListNeedsRequest,
    ) -> Result<pb::ListNeedsResponse, Error> {
        let district = name::read_district("parent", &request.parent)?;
        let page = Page::<store::Cursor>::of(request, 50, 200)?;
        let wanted = match request.enterprise.as_str() {
            "" => None,
            text => Some(name::read_enterprise("enterprise", text)?).filter(|(of, _)| *of == district),
        };
        let wanted = wanted.map(|(_, code)| code.to_string());
        let grants = actors::of(caller, district);
        let all = grants.iter().any(|actor| matches!(actor.role, Role::Office | Role::Liaison));
        let own =
            grants.iter().find(|actor| actor.role == Role::Enterprise).and_then(|actor| actor.unit.clone());
        let enterprise = match (all, wanted, own) {
            (true, wanted, _) => wanted,
            (false, None, Some(own)) => Some(own),
            (false, Some(wanted), Some(own)) if wanted == own => Some(own),
            _ => return Err(denied()),
        };
        let filter = store::Filter { district, enterprise, state: wire::read_state(request.state()) };
        let mut rows = store::list(&self.0.pool, &filter, page.after, page.limit()).await?;
        let next_page_token = page.cut(&mut rows, |need| (need.raised, need.id));
        Ok(pb::ListNeedsResponse { needs: rows.iter().map(wire::write).collect(), next_page_token })
    }

    async fn counts(&self, request: &pb::GetAssistanceCountsRequest) -> Result<pb::AssistanceCounts, Error> {
        let district = name::read_district("parent", &request.parent)?;
        let mut violations = Violations::new();
        let from = wire::read_date("from_date", &request.from_date, &mut violations);
        let to = wire::read_date("to_date", &request.to_date, &mut violations);
        violations.finish()?;
        let (from, to) = (from.unwrap_or(Date::MIN), to.unwrap_or_else(|| local_day(self.0.clock.now())));
        let found = store::counts(&self.0.pool, district, from.max(FIRST_DAY), to).await?;
        let count = |kind: Kind| {
            let count = found.iter().find(|count| count.kind == store::number_of(kind));
            let (fact_count, amount) = count.map_or((0, 0), |count| (count.facts, count.amount));
            pb::AssistanceCount { kind: wire::write_kind(kind).into(), fact_count, amount }
        };
        Ok(pb::AssistanceCounts { counts: Kind::ALL.map(count).into() })
    }
}

/// Before this nothing was confirmed, and PostgreSQL has no dates much earlier.
const FIRST_DAY: Date = time::macros::date!(1950 - 01 - 01);

/// What the first grant may that may at all; else why the last may not: of several the refusal that is about the need, not the role.
fn first<T>(grants: &[Actor], try_as: impl Fn(&Actor) -> Result<T, Refusal>) -> Result<T, Error> {
    let mut refusal = Refusal::NotAllowed;
    for actor in grants {
        match try_as(actor) {
            Ok(done) => return Ok(done),
            Err(Refusal::NotAllowed) => {}
            Err(other) => refusal = other,
        }
    }
    Err(refusal.into())
}

fn readable(found: Option<Need>, grants: &[Actor], name: &str) -> Result<Need, Error> {
    let readable = found.filter(|need| grants.iter().any(|actor| need.is_readable_by(actor)));
    readable.ok_or_else(|| Error::NotFound { name: name.to_owned() })
}

/// The fact that a command is about.
fn touched(command: &Command) -> Option<Uuid> {
    match command {
        Command::Record(fact) => Some(fact.id),
        Command::Confirm { fact } | Command::Dispute { fact, .. } => Some(*fact),
        Command::Close { .. } => None,
    }
}

fn used(reference: Option<String>) -> Error {
    Error::ReferenceUsed { reference: reference.unwrap_or_default() }
}

fn is_missing(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(e) if e.constraint() == Some("need_of_enterprise"))
}

fn fact(id: &str) -> Result<Uuid, Error> {
    Ok(name::read_uuid("fact_id", id)?)
}

#[tonic::async_trait]
impl AssistanceService for Assistance {
    async fn raise_need(&self, request: Request<pb::RaiseNeedRequest>) -> Result<Response<pb::Need>, Status> {
        Ok(Response::new(self.raise(&caller::of(&request), request.get_ref()).await?))
    }

    async fn get_need(&self, request: Request<pb::GetNeedRequest>) -> Result<Response<pb::Need>, Status> {
        Ok(Response::new(self.get(&caller::of(&request), request.get_ref()).await?))
    }

    async fn list_needs(
        &self,
        request: Request<pb::ListNeedsRequest>,
    ) -> Result<Response<pb::ListNeedsResponse>, Status> {
        Ok(Response::new(self.list(&caller::of(&request), request.get_ref()).await?))
    }

    async fn record_fact(
        &self,
        request: Request<pb::RecordFactRequest>,
    ) -> Result<Response<pb::Need>, Status> {
        let (caller, request) = (caller::of(&request), request.get_ref());
        let record = || Ok(Command::Record(wire::read_fact(request, self.0.clock.id(), &caller.subject)?));
        Ok(Response::new(self.act(&caller, act!("RecordFact", request), record).await?))
    }

    async fn confirm_fact(
        &self,
        request: Request<pb::ConfirmFactRequest>,
    ) -> Result<Response<pb::Need>, Status> {
        let (caller, request) = (caller::of(&request), request.get_ref());
        let confirm = || Ok(Command::Confirm { fact: fact(&request.fact_id)? });
        Ok(Response::new(self.act(&caller, act!("ConfirmFact", request), confirm).await?))
    }

    async fn dispute_fact(
        &self,
        request: Request<pb::DisputeFactRequest>,
    ) -> Result<Response<pb::Need>, Status> {
        let (caller, request) = (caller::of(&request), request.get_ref());
        let dispute =
            || Ok(Command::Dispute { fact: fact(&request.fact_id)?, reason: request.reason.clone() });
        Ok(Response::new(self.act(&caller, act!("DisputeFact", request), dispute).await?))
    }

    async fn close_need(&self, request: Request<pb::CloseNeedRequest>) -> Result<Response<pb::Need>, Status> {
        let (caller, request) = (caller::of(&request), request.get_ref());
        let close = || Ok(Command::Close { reason: request.reason.clone() });
        Ok(Response::new(self.act(&caller, act!("CloseNeed", request), close).await?))
    }

    async fn get_assistance_counts(
        &self,
        request: Request<pb::GetAssistanceCountsRequest>,
    ) -> Result<Response<pb::AssistanceCounts>, Status> {
        Ok(Response::new(self.counts(request.get_ref()).await?))
    }
}
