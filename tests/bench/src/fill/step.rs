//! What people do with an event, as the requests that they send, and what the service makes of these.

use jingwei_grid::api::wire::action_request::ActionRequest;
use jingwei_grid::api::wire::event as wire;
use jingwei_grid::model::action::{Action, Command};
use jingwei_grid::model::actor::{Actor, Role, Scope};
use jingwei_grid::model::apply::{Context, apply};
use jingwei_grid::model::area::AreaCode;
use jingwei_grid::model::event::Event;
use jingwei_grid::model::transition::Transition;
use jingwei_kit::idempotency::Key;
use jingwei_proto::grid::v1 as pb;
use prost::Message;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::Error;
use super::rows::Answer;

/// A request about an event that exists. Each has its event's name and an id of its own.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "named like the RPCs")]
pub enum Ask {
    Confirm(pb::ConfirmEventRequest),
    Accept(pb::AcceptEventRequest),
    Reject(pb::RejectEventRequest),
    Register(pb::RegisterEventRequest),
    Void(pb::VoidEventRequest),
    Dispatch(pb::DispatchEventRequest),
    SignFor(pb::SignForEventRequest),
    CoHandled(pb::CompleteCoHandlingRequest),
    Resolve(pb::ResolveEventRequest),
    Pass(pb::PassEventRequest),
    Fail(pb::FailEventRequest),
    Return(pb::RequestReturnRequest),
    ApproveReturn(pb::ApproveReturnRequest),
    Extension(pb::RequestExtensionRequest),
    ApproveExtension(pb::ApproveExtensionRequest),
    Deny(pb::DenyRequestRequest),
    Suspension(pb::RequestSuspensionRequest),
    ApproveSuspension(pb::ApproveSuspensionRequest),
    Escalate(pb::EscalateEventRequest),
    Settle(pb::SettleEventRequest),
    Reopen(pb::ReopenEventRequest),
    Urge(pb::UrgeEventRequest),
    Supervise(pb::SuperviseEventRequest),
    Uphold(pb::UpholdEventRequest),
    /// The reporter's answer; of the public, so without an id, and the secret is looked at by who plays it.
    Answer {
        solved: bool,
        rating: i32,
    },
}

/// Somebody who does something at a moment.
#[derive(Clone, Debug)]
pub struct Step {
    /// When.
    pub at: OffsetDateTime,
    /// Who, with the one grant that they have.
    pub by: Actor,
    /// What.
    pub ask: Ask,
}

/// What came of a request.
pub struct Done {
    /// The event after it.
    pub after: Event,
    /// Its record.
    pub transition: Transition,
    /// The answer to keep, where that was asked for and the request has an id.
    pub answer: Option<Answer>,
}

/// Does what is asked as the service's handler does it: the request becomes a command, the command is applied, the answer is what
/// the caller may see.
///
/// # Errors
/// The service would refuse it.
pub fn perform(ask: &Ask, by: &Actor, before: &Event, ctx: &Context<'_>, keep: bool) -> Result<Done, Error> {
    let run = Run { by, before, ctx, keep };
    match ask {
        Ask::Confirm(r) => run.request(r),
        Ask::Accept(r) => run.request(r),
        Ask::Reject(r) => run.request(r),
        Ask::Register(r) => run.request(r),
        Ask::Void(r) => run.request(r),
        Ask::Dispatch(r) => run.request(r),
        Ask::SignFor(r) => run.request(r),
        Ask::CoHandled(r) => run.request(r),
        Ask::Resolve(r) => run.request(r),
        Ask::Pass(r) => run.request(r),
        Ask::Fail(r) => run.request(r),
        Ask::Return(r) => run.request(r),
        Ask::ApproveReturn(r) => run.request(r),
        Ask::Extension(r) => run.request(r),
        Ask::ApproveExtension(r) => run.request(r),
        Ask::Deny(r) => run.request(r),
        Ask::Suspension(r) => run.request(r),
        Ask::ApproveSuspension(r) => run.request(r),
        Ask::Escalate(r) => run.request(r),
        Ask::Settle(r) => run.request(r),
        Ask::Reopen(r) => run.request(r),
        Ask::Urge(r) => run.request(r),
        Ask::Supervise(r) => run.request(r),
        Ask::Uphold(r) => run.request(r),
        Ask::Answer { solved, rating } => {
            let rating = u8::try_from(*rating).ok().filter(|rating| *rating > 0);
            run.command(&Command::from(Action::Answer { solved: *solved, rating }), None)
        }
    }
}

struct Run<'a> {
    by: &'a Actor,
    before: &'a Event,
    ctx: &'a Context<'a>,
    keep: bool,
}

impl Run<'_> {
    fn request<R: ActionRequest<Command>>(&self, request: &R) -> Result<Done, Error> {
        let command = request.command().map_err(jingwei_grid::error::Error::from)?;
        let key = (self.keep && !request.request_id().is_empty())
            .then(|| key(&self.by.subject, self.before.district, request.request_id(), R::METHOD, request));
        self.command(&command, key.transpose()?)
    }

    fn command(&self, command: &Command, key: Option<Key>) -> Result<Done, Error> {
        let grants = std::slice::from_ref(self.by);
        let (after, transition) = apply(self.before, command, grants, self.ctx)?;
        let answer = key.map(|key| Answer { key, response: wire::write(&after, grants).encode_to_vec() });
        Ok(Done { after, transition, answer })
    }
}

/// The key of a request with an id.
///
/// # Errors
/// The id is none.
pub fn key(
    subject: &str,
    district: i32,
    id: &str,
    method: &'static str,
    request: &impl Message,
) -> Result<Key, Error> {
    let id: Uuid = id.parse().map_err(|_| Error::Corrupt("request_id"))?;
    Ok(Key::of(district, subject, id, method, request))
}

/// Somebody who works for an area, in the role of its level; a base grid's chief where `chief`, else its worker.
pub fn of_area(area: AreaCode, chief: bool) -> Actor {
    let (role, scope) = match area.depth() {
        0 => (Role::Dispatcher, Scope::District(area.district())),
        1 => (Role::Street, Scope::Area(area)),
        2 => (Role::Community, Scope::Area(area)),
        _ if chief => (Role::GridChief, Scope::Area(area)),
        _ => (Role::GridWorker, Scope::Area(area)),
    };
    Actor { subject: format!("{}-{area}", role.code()), role, scope }
}

/// Somebody who works for a department.
pub fn of_department(district: i32, code: &str) -> Actor {
    let scope = Scope::Department(code.to_owned());
    Actor { subject: format!("department-{district}-{code}"), role: Role::Department, scope }
}

/// What a desk does that is too late to approve what was asked for: half a minute later it refuses.
#[must_use]
pub fn deny(late: &Step, request: &pb::ApproveExtensionRequest) -> Step {
    let (name, reason) = (request.name.clone(), "已逾期".to_owned());
    let denied = pb::DenyRequestRequest { name, reason, ..Default::default() };
    Step { at: late.at + Duration::seconds(30), by: late.by.clone(), ask: Ask::Deny(denied) }
}
