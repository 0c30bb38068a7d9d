//! One call of a client: what is asked, and what its answer says about what was done.

use std::time::Duration;

use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::event_service_client::EventServiceClient;
use tonic::{Code, Request, Response, Status};
use uuid::Uuid;

use crate::{District, Session};

/// How much later than its deadline an answer is still waited for.
const LATE: Duration = Duration::from_millis(500);

/// What is done to an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Reports it.
    Report,
    /// Accepts it.
    Accept,
    /// Registers it.
    Register,
    /// Dispatches it to its grid.
    Dispatch,
    /// Signs for it.
    SignFor,
    /// Says that it is solved.
    Resolve,
    /// Closes it.
    Pass,
    /// Adds a comment, whatever its state.
    Comment,
}

impl Step {
    /// From the report to the closed case; the n-th makes version n + 1.
    pub const LIFE: [Self; 7] = [
        Self::Report,
        Self::Accept,
        Self::Register,
        Self::Dispatch,
        Self::SignFor,
        Self::Resolve,
        Self::Pass,
    ];

    /// Which of the two people does it.
    pub(super) fn by(self) -> usize {
        usize::from(self == Self::Pass)
    }

    /// The action that the timeline then has.
    pub(super) fn action(self) -> pb::EventAction {
        match self {
            Self::Report => pb::EventAction::Report,
            Self::Accept => pb::EventAction::Accept,
            Self::Register => pb::EventAction::Register,
            Self::Dispatch => pb::EventAction::Dispatch,
            Self::SignFor => pb::EventAction::SignFor,
            Self::Resolve => pb::EventAction::Resolve,
            Self::Pass => pb::EventAction::Pass,
            Self::Comment => pb::EventAction::Comment,
        }
    }
}

/// A request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) step: Step,
    pub(super) event: Uuid,
    pub(super) request_id: Uuid,
}

/// What an answer says about what was done.
#[derive(Debug)]
pub(super) enum Fate {
    /// It was done, now or before.
    Acknowledged(Box<pb::Event>),
    /// It may have been done or not: the same request is to be repeated.
    Unknown(Status),
    /// It was not done: it may be repeated.
    Shed(Status),
    /// It was not done, and will not be.
    Refused(Status),
}

impl From<Result<Response<pb::Event>, Status>> for Fate {
    fn from(answer: Result<Response<pb::Event>, Status>) -> Self {
        match answer {
            Ok(event) => Self::Acknowledged(Box::new(event.into_inner())),
            Err(status) => match status.code() {
                // A connection that broke is UNAVAILABLE, UNKNOWN or CANCELLED, depending on where it broke.
                Code::Unavailable | Code::DeadlineExceeded | Code::Unknown | Code::Cancelled => {
                    Self::Unknown(status)
                }
                // Another change of the same event came first.
                Code::Aborted | Code::ResourceExhausted => Self::Shed(status),
                _ => Self::Refused(status),
            },
        }
    }
}

/// Asks once; within the deadline or a little later there is an answer, or none.
pub(super) async fn ask(
    client: &mut EventServiceClient<Session>,
    district: &District,
    asked: &Asked,
    deadline: Duration,
) -> Fate {
    let call = send(client, district, asked, deadline);
    // The deadline travels; who is waited for may be dead, though.
    let answer = tokio::time::timeout(deadline + LATE, call).await;
    answer.unwrap_or_else(|_| Err(Status::deadline_exceeded("no answer"))).into()
}

async fn send(
    client: &mut EventServiceClient<Session>,
    district: &District,
    asked: &Asked,
    deadline: Duration,
) -> Result<Response<pb::Event>, Status> {
    let (name, request_id) =
        (district.resource("events", &asked.event.to_string()), asked.request_id.to_string());
    match asked.step {
        Step::Report => client.report_event(timed(report(district, asked), deadline)).await,
        Step::Accept => {
            let request = pb::AcceptEventRequest { name, request_id, ..Default::default() };
            client.accept_event(timed(request, deadline)).await
        }
        Step::Register => {
            let request = pb::RegisterEventRequest { name, request_id, ..Default::default() };
            client.register_event(timed(request, deadline)).await
        }
        Step::Dispatch => {
            let grid = pb::unit::Kind::Area(area(district, asked.event));
            let lead = Some(pb::Unit { kind: Some(grid) });
            let request = pb::DispatchEventRequest { name, request_id, lead, ..Default::default() };
            client.dispatch_event(timed(request, deadline)).await
        }
        Step::SignFor => {
            let request = pb::SignForEventRequest { name, request_id, ..Default::default() };
            client.sign_for_event(timed(request, deadline)).await
        }
        Step::Resolve => client.resolve_event(timed(resolve(name, request_id), deadline)).await,
        Step::Pass => {
            let request = pb::PassEventRequest { name, request_id, ..Default::default() };
            client.pass_event(timed(request, deadline)).await
        }
        Step::Comment => {
            let request =
                pb::CommentEventRequest { name, note: request_id.clone(), request_id, ..Default::default() };
            client.comment_event(timed(request, deadline)).await
        }
    }
}

fn report(district: &District, asked: &Asked) -> pb::ReportEventRequest {
    pb::ReportEventRequest {
        parent: district.name(),
        event_id: asked.event.to_string(),
        category: district.category(0),
        area: area(district, asked.event),
        description: "行道树生虫，树胶滴落".to_owned(),
        request_id: asked.request_id.to_string(),
        ..Default::default()
    }
}

fn resolve(name: String, request_id: String) -> pb::ResolveEventRequest {
    pb::ResolveEventRequest {
        name,
        request_id,
        outcome: pb::EventOutcome::Solved.into(),
        note: "已喷药".to_owned(),
        evidence: vec![pb::Evidence { text: "照片".to_owned(), uri: String::new() }],
        ..Default::default()
    }
}

/// The grid that an event lies in.
fn area(district: &District, event: Uuid) -> String {
    let grids = &district.grids;
    let place = usize::from(event.as_bytes()[15]) % grids.len();
    district.resource("areas", &grids[place])
}

fn timed<T>(message: T, deadline: Duration) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(deadline);
    request
}
