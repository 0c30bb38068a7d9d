//! The appointment service: nominations, actions on one appointment, reads; batches are in `batch`.

use jingwei_kit::caller::{self, Caller};
use jingwei_kit::etag;
use jingwei_kit::page::Page;
use jingwei_kit::status::Violations;
use jingwei_proto::business_environment_monitor::v1 as pb;
use jingwei_proto::business_environment_monitor::v1::appointment_service_server::AppointmentService;
use prost::Message;
use sqlx::PgConnection;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::act::{Act, act};
use super::actors;
use super::batch::{self, ROLES};
use super::composition;
use super::core::{Asked, Core};
use super::wire::{appointment as wire, name};
use crate::error::Error;
use crate::model::actor::Role;
use crate::model::appointment::Appointment;
use crate::model::appointment::apply::{Candidacy, Command, Refusal, apply, nominate};
use crate::model::appointment::batch::{Command as BatchCommand, Refusal as BatchRefusal};
use crate::model::local_day;
use crate::store;

/// The appointment service.
#[derive(Clone)]
pub struct Appointments(pub Core);

type Answer<T> = Result<Response<T>, Status>;

impl Appointments {
    async fn create(
        &self,
        caller: &Caller,
        request: &pb::CreateAppointmentRequest,
    ) -> Result<pb::Appointment, Error> {
        let (district, batch) = name::read_batch("parent", &request.parent)?;
        let (actor, now) = (batch::actor(caller, district)?, self.0.clock.now());
        let mut violations = Violations::new();
        let nomination = wire::read_nomination(request, district, &mut violations);
        violations.finish()?;
        let nomination = nomination.ok_or_else(|| name::wrong("mode", "UNIT"))?;
        let role = ROLES.iter().find(|role| role.code == nomination.role);
        let role = role.ok_or(Refusal::RoleNotInBatch)?;
        let (method, request_id) = ("CreateAppointment", request.request_id.as_str());
        let asked = Asked { caller, district, method, request, request_id };
        let create = async |conn: &mut PgConnection| {
            let batch = batch::lock(&mut *conn, district, batch).await?;
            let members = batch::members(&mut *conn, &batch).await?;
            let person = &nomination.person;
            let previous = store::appointment::last(&mut *conn, district, person, &role.code).await?;
            let candidacy = Candidacy { batch: &batch, members: &members, role, previous: previous.as_ref() };
            let (appointment, record) = nominate(self.0.clock.id(), &nomination, &candidacy, &actor, now)?;
            store::appointment::insert(conn, &appointment, &record).await?;
            let answer = wire::write(&appointment);
            Ok((answer.name.clone(), answer))
        };
        self.0.change(asked, create).await
    }

    /// Any action on one appointment.
    async fn act<Q: Message>(
        &self,
        caller: &Caller,
        act: Act<'_, Q>,
        command: Command,
    ) -> Result<pb::Appointment, Error> {
        let (district, id) = name::read_appointment("name", act.name)?;
        let (grants, now) = (actors::of(caller, district), self.0.clock.now());
        let missing = || Error::NotFound { name: act.name.to_owned() };
        let Act { method, request, request_id, .. } = act;
        let asked = Asked { caller, district, method, request, request_id };
        let change = async |conn: &mut PgConnection| {
            let found = store::appointment::get(&mut *conn, district, id).await?.ok_or_else(missing)?;
            let batch = batch::lock(&mut *conn, district, found.batch).await?;
            // As it is now that nobody else can change it.
            let before = store::appointment::get(&mut *conn, district, id).await?.ok_or_else(missing)?;
            let arc = command.kind().arc();
            let actor = grants.iter().find(|actor| arc.allows(&before, actor)).or(grants.first());
            let actor = actor.ok_or(BatchRefusal::NotAllowed)?;
            etag::check(act.etag, before.version)?;
            let (after, record) = apply(&before, &command, actor, batch.state, now)?;
            store::appointment::update(conn, &after, &record).await?;
            Ok((act.name.to_owned(), wire::write(&after)))
        };
        self.0.change(asked, change).await
    }

    /// The appointment, for the office or the person.
    async fn seen(&self, caller: &Caller, field: &str, name: &str) -> Result<Appointment, Error> {
        let (district, id) = name::read_appointment(field, name)?;
        let grants = actors::of(caller, district);
        let found = store::appointment::get(&self.0.pool, district, id).await?;
        let theirs = found.filter(|appointment| {
            let own = appointment.nomination.person == caller.subject;
            grants.iter().any(|actor| actor.role == Role::Office || own)
        });
        theirs.ok_or_else(|| Error::NotFound { name: name.to_owned() })
    }

    async fn records(
        &self,
        caller: &Caller,
        request: &pb::ListAppointmentRecordsRequest,
    ) -> Result<pb::ListAppointmentRecordsResponse, Error> {
        let Appointment { district, id, .. } = self.seen(caller, "parent", &request.parent).await?;
        let page = Page::<i64>::of(request, 50, 200)?;
        let after = page.after.unwrap_or(0);
        let mut rows =
            store::appointment_record::list(&self.0.pool, district, id, after, page.limit()).await?;
        let next_page_token = page.cut(&mut rows, |entry| entry.version);
        let records = rows.iter().map(|entry| wire::write_record(&request.parent, entry)).collect();
        Ok(pb::ListAppointmentRecordsResponse { records, next_page_token })
    }

    async fn list(
        &self,
        caller: &Caller,
        request: &pb::ListAppointmentsRequest,
    ) -> Result<pb::ListAppointmentsResponse, Error> {
        let (district, batch) = name::read_batch("parent", &request.parent)?;
        batch::actor(caller, district)?;
        let page = Page::<Uuid>::of(request, 50, 200)?;
        let found = store::batch::get(&self.0.pool, district, batch).await?;
        found.ok_or_else(|| Error::NotFound { name: request.parent.clone() })?;
        let after = page.after.unwrap_or(Uuid::nil());
        let mut rows = store::appointment::list(&self.0.pool, district, batch, after, page.limit()).await?;
        let next_page_token = page.cut(&mut rows, |appointment| appointment.id);
        let appointments = rows.iter().map(wire::write).collect();
        Ok(pb::ListAppointmentsResponse { appointments, next_page_token })
    }

    async fn get_batch(&self, caller: &Caller, request: &pb::GetBatchRequest) -> Result<pb::Batch, Error> {
        let (district, id) = name::read_batch("name", &request.name)?;
        batch::actor(caller, district)?;
        let found = store::batch::get(&self.0.pool, district, id).await?;
        Ok(wire::write_batch(&found.ok_or_else(|| Error::NotFound { name: request.name.clone() })?))
    }

    async fn list_batches(
        &self,
        caller: &Caller,
        request: &pb::ListBatchesRequest,
    ) -> Result<pb::ListBatchesResponse, Error> {
        let district = name::read_district("parent", &request.parent)?;
        batch::actor(caller, district)?;
        let page = Page::<Uuid>::of(request, 50, 200)?;
        let before = page.after.unwrap_or(Uuid::max());
        let mut rows = store::batch::list(&self.0.pool, district, before, page.limit()).await?;
        let next_page_token = page.cut(&mut rows, |batch| batch.id);
        Ok(pb::ListBatchesResponse { batches: rows.iter().map(wire::write_batch).collect(), next_page_token })
    }

    async fn certificate(&self, request: &pb::GetCertificateRequest) -> Result<pb::Certificate, Error> {
        let (district, number) = name::read_certificate(&request.name)?;
        let found = store::appointment::certified(&self.0.pool, district, number).await?;
        let today = local_day(self.0.clock.now());
        let told = found.and_then(|appointment| {
            let role = ROLES.iter().find(|role| role.code == appointment.nomination.role);
            wire::write_certificate(&appointment, role, today)
        });
        told.ok_or_else(|| Error::NotFound { name: request.name.clone() })
    }

    async fn objection(
        &self,
        caller: &Caller,
        request: &pb::ObjectToBatchRequest,
    ) -> Result<pb::Batch, Error> {
        let (district, _) = name::read_batch("name", &request.name)?;
        let mut violations = Violations::new();
        let against =
            wire::read_appointments("appointments", &request.appointments, district, &mut violations);
        violations.finish()?;
        let command = BatchCommand::Object { text: request.text.clone(), against };
        batch::act(&self.0, caller, act!("ObjectToBatch", request), command).await
    }

    async fn certify(&self, caller: &Caller, request: &pb::CertifyBatchRequest) -> Result<pb::Batch, Error> {
        let mut violations = Violations::new();
        let first = wire::read_date("first_date", &request.first_date, &mut violations);
        violations.finish()?;
        let first = first.ok_or_else(|| name::wrong("first_date", "2026-03-02"))?;
        let command = BatchCommand::Certify { first, sequence: 0 };
        batch::act(&self.0, caller, act!("CertifyBatch", request), command).await
    }
}

/// `rpc(Request) -> Response = |handlers, caller, request| answer;` for each RPC.
macro_rules! rpcs {
    ($($rpc:ident($request:ident) -> $response:ident = |$s:ident, $c:ident, $r:ident| $answer:expr;)*) => {
        #[tonic::async_trait]
        impl AppointmentService for Appointments {
            $(async fn $rpc(&self, request: Request<pb::$request>) -> Answer<pb::$response> {
                let ($s, $c, $r) = (self, &*caller::of(&request), request.get_ref());
                let _ = $c;
                Ok(Response::new($answer.await?))
            })*
        }
    };
}

rpcs! {
    create_batch(CreateBatchRequest) -> Batch = |s, c, r| batch::create(&s.0, c, r);
    get_batch(GetBatchRequest) -> Batch = |s, c, r| s.get_batch(c, r);
    list_batches(ListBatchesRequest) -> ListBatchesResponse = |s, c, r| s.list_batches(c, r);
    open_batch(OpenBatchRequest) -> Batch = |s, c, r|
        batch::act(&s.0, c, act!("OpenBatch", r), BatchCommand::Open);
    vet_batch(VetBatchRequest) -> Batch = |s, c, r|
        batch::act(&s.0, c, act!("VetBatch", r), BatchCommand::StartVetting);
    publicise_batch(PubliciseBatchRequest) -> Batch = |s, c, r| batch::act(&s.0, c, act!("PubliciseBatch", r),
        BatchCommand::Publicise { working_days: u32::try_from(r.working_days).unwrap_or(0) });
    object_to_batch(ObjectToBatchRequest) -> Batch = |s, c, r| s.objection(c, r);
    answer_objection_to_batch(AnswerObjectionToBatchRequest) -> Batch = |s, c, r|
        batch::act(&s.0, c, act!("AnswerObjectionToBatch", r),
            BatchCommand::Answer { number: usize::try_from(r.number).unwrap_or(0), text: r.text.clone() });
    approve_batch(ApproveBatchRequest) -> Batch = |s, c, r|
        batch::act(&s.0, c, act!("ApproveBatch", r), BatchCommand::Approve);
    certify_batch(CertifyBatchRequest) -> Batch = |s, c, r| s.certify(c, r);
    close_batch(CloseBatchRequest) -> Batch = |s, c, r|
        batch::act(&s.0, c, act!("CloseBatch", r), BatchCommand::Close);
    create_appointment(CreateAppointmentRequest) -> Appointment = |s, c, r| s.create(c, r);
    get_appointment(GetAppointmentRequest) -> Appointment = |s, c, r|
        async { Ok::<_, Error>(wire::write(&s.seen(c, "name", &r.name).await?)) };
    list_appointment_records(ListAppointmentRecordsRequest) -> ListAppointmentRecordsResponse = |s, c, r|
        s.records(c, r);
    get_composition(GetCompositionRequest) -> Composition = |s, c, r| composition::get(&s.0, c, r);
    list_appointments(ListAppointmentsRequest) -> ListAppointmentsResponse = |s, c, r| s.list(c, r);
    vet_appointment(VetAppointmentRequest) -> Appointment = |s, c, r|
        s.act(c, act!("VetAppointment", r), Command::Vet);
    decline_appointment(DeclineAppointmentRequest) -> Appointment = |s, c, r|
        s.act(c, act!("DeclineAppointment", r), Command::Decline { reason: r.reason.clone() });
    suspend_appointment(SuspendAppointmentRequest) -> Appointment = |s, c, r|
        s.act(c, act!("SuspendAppointment", r), Command::Suspend { reason: r.reason.clone() });
    reinstate_appointment(ReinstateAppointmentRequest) -> Appointment = |s, c, r|
        s.act(c, act!("ReinstateAppointment", r), Command::Reinstate { reason: r.reason.clone() });
    dismiss_appointment(DismissAppointmentRequest) -> Appointment = |s, c, r|
        s.act(c, act!("DismissAppointment", r), Command::Dismiss { reason: r.reason.clone() });
    resign_appointment(ResignAppointmentRequest) -> Appointment = |s, c, r|
        s.act(c, act!("ResignAppointment", r), Command::Resign { reason: r.reason.clone() });
    get_certificate(GetCertificateRequest) -> Certificate = |s, _c, r| s.certificate(r);
}
