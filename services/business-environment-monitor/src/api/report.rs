//! The confidential report service. What it does is in no feed: whom a report is about would see that something was written.

use jingwei_kit::caller::{self, Caller};
use jingwei_kit::etag;
use jingwei_kit::idempotency::{Key, once};
use jingwei_kit::page::Page;
use jingwei_proto::business_environment_monitor::v1 as pb;
use jingwei_proto::business_environment_monitor::v1::confidential_report_service_server::ConfidentialReportService;
use prost::Message;
use sqlx::PgConnection;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::act::{Act, act};
use super::core::{Asked, Core};
use super::repeat::violates;
use super::wire::{name, report as wire, transfer as wire_transfer};
use super::{actors, receiver_key};
use crate::error::Error;
use crate::model::actor::{Actor, Role};
use crate::model::receiver::Receiver;
use crate::model::report::{About, Command, Person, Refusal, Report, State, apply};
use crate::model::sealed::sha256;
use crate::store;

/// The confidential report service.
#[derive(Clone)]
pub struct Reports(pub Core);

type Answer<T> = Result<Response<T>, Status>;

/// Who asks, with the grants of theirs that a `Person` points to.
struct Grants<'a> {
    subject: &'a str,
    admitted: Vec<Actor>,
    all: Vec<Actor>,
}

impl<'a> Grants<'a> {
    fn of(caller: &'a Caller, district: i32) -> Self {
        Self {
            subject: &caller.subject,
            admitted: actors::of(caller, district),
            all: actors::all(caller, district),
        }
    }

    fn person(&self) -> Person<'_> {
        Person { subject: self.subject, admitted: &self.admitted, grants: &self.all }
    }

    /// Whom reports to a receiver must not be about for this person to see them.
    fn hidden(&self) -> Vec<String> {
        let whom = |actor: &Actor| match (actor.role, &actor.unit) {
            (Role::Office, _) => Some(store::report::about(&About::Office)),
            (Role::Department | Role::Receiver, Some(code)) => {
                Some(store::report::about(&About::Department(code.clone())))
            }
            _ => None,
        };
        self.all.iter().filter_map(whom).collect()
    }
}

impl Reports {
    /// Runs a change once, as `Core::change` does, but tells the feed nothing.
    async fn change<Q: Message>(
        &self,
        asked: Asked<'_, Q>,
        run: impl AsyncFnOnce(&mut PgConnection) -> Result<pb::ConfidentialReport, Error>,
    ) -> Result<pb::ConfidentialReport, Error> {
        let id = match asked.request_id {
            "" => self.0.clock.id(),
            text => name::read_uuid("request_id", text)?,
        };
        let key = Key::of(asked.district, &asked.caller.subject, id, asked.method, asked.request);
        once(&self.0.pool, &key, self.0.clock.now(), run).await
    }

    async fn submit(
        &self,
        caller: &Caller,
        request: &pb::SubmitConfidentialReportRequest,
    ) -> Result<pb::ConfidentialReport, Error> {
        let district = name::read_district("parent", &request.parent)?;
        let id = name::read_uuid("report_id", &request.report_id)?;
        let about = wire::read_about(&request.about, district);
        let about = about.ok_or_else(|| name::wrong("about", &name::department(district, "housing")))?;
        let (grants, now) = (Grants::of(caller, district), self.0.clock.now());
        let (method, request_id) = ("SubmitConfidentialReport", request.request_id.as_str());
        let asked = Asked { caller, district, method, request, request_id };
        let submit = async |conn: &mut PgConnection| {
            let sealed = &request.sealed_content;
            let key = receiver_key::usable(&mut *conn, district, &request.key, sealed).await?;
            let report = Report {
                id,
                district,
                reporter: caller.subject.clone(),
                about: about.clone(),
                receiver: key.receiver,
                key: key.id,
                content_hash: sha256(sealed),
                submitted: now,
                state: State::Submitted,
                acknowledged: None,
                returned: None,
                return_reason: None,
                version: 1,
            };
            report.check(&grants.admitted)?;
            match store::report::insert(conn, &report, sealed).await {
                Err(e) if violates(&e, "confidential_report_pkey") => {
                    Err(Error::AlreadyExists { name: name::report(district, id) })
                }
                done => Ok(done.map(|()| wire::write(&report, grants.person()))?),
            }
        };
        self.change(asked, submit).await
    }

    /// What the receiver does.
    async fn act<Q: Message>(
        &self,
        caller: &Caller,
        act: Act<'_, Q>,
        command: Command,
    ) -> Result<pb::ConfidentialReport, Error> {
        let (district, id) = name::read_report(act.name)?;
        let (grants, now) = (Grants::of(caller, district), self.0.clock.now());
        let Act { method, request, request_id, .. } = act;
        let asked = Asked { caller, district, method, request, request_id };
        let change = async |conn: &mut PgConnection| {
            let found = store::report::lock(&mut *conn, district, id).await?;
            let seen = found.filter(|report| report.is_readable_by(grants.person()));
            let before = seen.ok_or_else(|| Error::NotFound { name: act.name.to_owned() })?;
            etag::check(act.etag, before.version)?;
            let after = apply(&before, command, grants.person(), now)?;
            store::report::update(conn, &after, command.code(), &caller.subject, now).await?;
            Ok(wire::write(&after, grants.person()))
        };
        self.change(asked, change).await
    }

    async fn get(
        &self,
        caller: &Caller,
        request: &pb::GetConfidentialReportRequest,
    ) -> Result<pb::ConfidentialReport, Error> {
        let (district, id) = name::read_report(&request.name)?;
        let grants = Grants::of(caller, district);
        let found = store::report::get(&self.0.pool, district, id).await?;
        let seen = found.filter(|(report, _)| report.is_readable_by(grants.person()));
        let (report, _) = seen.ok_or_else(|| Error::NotFound { name: request.name.clone() })?;
        Ok(wire::write(&report, grants.person()))
    }

    async fn content(
        &self,
        caller: &Caller,
        request: &pb::GetConfidentialReportContentRequest,
    ) -> Result<pb::SealedContent, Error> {
        let (district, id) = name::read_report(&request.name)?;
        let grants = Grants::of(caller, district);
        let found = store::report::get(&self.0.pool, district, id).await?;
        let theirs = found.filter(|(report, _)| report.is_received_by(grants.person()));
        let (report, sealed) = theirs.ok_or_else(|| Error::NotFound { name: request.name.clone() })?;
        let key = name::receiver_key(district, report.receiver, report.key);
        Ok(wire_transfer::write_content(key, request.name.clone(), sealed))
    }

    async fn list(
        &self,
        caller: &Caller,
        request: &pb::ListConfidentialReportsRequest,
    ) -> Result<pb::ListConfidentialReportsResponse, Error> {
        let district = name::read_district("parent", &request.parent)?;
        let page = Page::<Uuid>::of(request, 50, 200)?;
        let (before, limit, pool) = (page.after.unwrap_or(Uuid::max()), page.limit(), &self.0.pool);
        let grants = Grants::of(caller, district);
        let receives = |actor: &Actor| match actor.role {
            Role::Receiver => Receiver::of(actor.unit.as_deref()?),
            _ => None,
        };
        let reports = |actor: &Actor| matches!(actor.role, Role::Monitor | Role::Enterprise);
        let mut rows = if let Some(receiver) = grants.admitted.iter().find_map(receives) {
            store::report::list_to(pool, district, receiver, &grants.hidden(), before, limit).await?
        } else if grants.admitted.iter().any(reports) {
            store::report::list_by(pool, district, &caller.subject, before, limit).await?
        } else {
            return Err(Refusal::NotAllowed.into());
        };
        let next_page_token = page.cut(&mut rows, |report| report.id);
        let confidential_reports = rows.iter().map(|report| wire::write(report, grants.person())).collect();
        Ok(pb::ListConfidentialReportsResponse { confidential_reports, next_page_token })
    }
}

/// `rpc(Request) -> Response = |handlers, caller, request| answer;` for each RPC.
macro_rules! rpcs {
    ($($rpc:ident($request:ident) -> $response:ident = |$s:ident, $c:ident, $r:ident| $answer:expr;)*) => {
        #[tonic::async_trait]
        impl ConfidentialReportService for Reports {
            $(async fn $rpc(&self, request: Request<pb::$request>) -> Answer<pb::$response> {
                let ($s, $c, $r) = (self, &*caller::of(&request), request.get_ref());
                Ok(Response::new($answer.await?))
            })*
        }
    };
}

rpcs! {
    submit_confidential_report(SubmitConfidentialReportRequest) -> ConfidentialReport = |s, c, r| s.submit(c, r);
    get_confidential_report(GetConfidentialReportRequest) -> ConfidentialReport = |s, c, r| s.get(c, r);
    list_confidential_reports(ListConfidentialReportsRequest) -> ListConfidentialReportsResponse = |s, c, r| s.list(c, r);
    get_confidential_report_content(GetConfidentialReportContentRequest) -> SealedContent = |s, c, r| s.content(c, r);
    acknowledge_confidential_report(AcknowledgeConfidentialReportRequest) -> ConfidentialReport = |s, c, r|
        s.act(c, act!("AcknowledgeConfidentialReport", r), Command::Acknowledge);
    return_confidential_report(ReturnConfidentialReportRequest) -> ConfidentialReport = |s, c, r| async {
        let reason = wire_transfer::read_reason(r.reason()).ok_or_else(|| name::wrong("reason", "NOT_COMPETENT"))?;
        s.act(c, act!("ReturnConfidentialReport", r), Command::Return { reason }).await
    };
}
