//! Plays the plan: hour by hour, what happens in an hour side by side, everybody with a token of their own.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use futures::{StreamExt, TryStreamExt};
use jingwei_kit::clock::Clock;
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::event_service_client::EventServiceClient;
use jingwei_proto::grid::v1::resident_service_client::ResidentServiceClient;
use time::{Duration, OffsetDateTime};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use uuid::Uuid;

use super::super::{Bearer, PAUSE, TRIES, id, is_shed, name, parent, places};
use super::plan::{self, By, DAYS, HOURS, Step, What, outcome, roll, root};
use super::texts;
use crate::keys::{Grant, LocalKey, read_scope};
use crate::{Error, Suite};

/// So many steps are on their way at once.
pub(super) const AT_ONCE: usize = 16;
/// The file that says how far it came.
const PROGRESS: &str = "demo-history";

type Session = InterceptedService<Channel, Bearer>;

/// What the players need.
pub(super) struct Stage<'a> {
    channel: Channel,
    key: &'a LocalKey,
    pub(super) grids: &'a [String],
    first: OffsetDateTime,
    sessions: Mutex<HashMap<(Role, String), Session>>,
    /// Case numbers and tracking codes of residents' reports.
    cases: Mutex<HashMap<usize, (String, String)>>,
}

/// Lives through the days that end with `end`, going on where an earlier load was cut off. `clock` is the suite's.
///
/// # Errors
/// A call was refused that should not be.
pub(in crate::demo) async fn play(
    suite: &Suite,
    dir: &Path,
    grids: &[String],
    clock: &Clock,
    end: OffsetDateTime,
) -> Result<(), Error> {
    let channel = Endpoint::from_shared(format!("http://{}", suite.grid()))?.connect().await?;
    let first = end.replace_time(time::Time::MIDNIGHT) - Duration::days(DAYS as i64);
    let stage = Stage {
        channel,
        key: suite.key(),
        grids,
        first,
        sessions: Mutex::default(),
        cases: Mutex::default(),
    };
    let progress = dir.join(PROGRESS);
    let done: usize = std::fs::read_to_string(&progress).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    let steps = plan::plan();
    for hour in done..DAYS * HOURS {
        let of_hour = |after: usize| steps.partition_point(|step| step.hour < hour + after);
        // Midnight in UTC is 08:00 in China.
        clock.set(first + Duration::days((hour / HOURS) as i64) + Duration::hours((hour % HOURS) as i64));
        stage.hour(&steps[of_hour(0)..of_hour(1)], clock).await?;
        if hour % HOURS == HOURS - 1 {
            stage.notes(hour / HOURS, clock).await?;
        }
        std::fs::write(&progress, (hour + 1).to_string())?;
        if hour % (HOURS * 6) == 0 {
            let percent = 100 * hour / (DAYS * HOURS);
            println!("  历史 {percent} % / history {percent} %");
        }
    }
    Ok(())
}

impl Stage<'_> {
    /// What happens in one hour: minutes pass between the groups that act side by side.
    async fn hour(&self, steps: &[Step], clock: &Clock) -> Result<(), Error> {
        let groups = steps.chunks(AT_ONCE);
        let pause = Duration::minutes(50) / i32::try_from(groups.len().max(1))?;
        for group in groups {
            let all = futures::stream::iter(group).map(|step| self.step(*step));
            all.buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
            clock.advance(pause);
        }
        Ok(())
    }

    fn grid(&self, event: usize) -> &str {
        &self.grids[roll(root(event), "grid", self.grids.len())]
    }

    /// A session of somebody in a role: made once.
    pub(super) fn session(&self, role: Role, subject: &str, scope: &str) -> Result<Session, Error> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = sessions.get(&(role, subject.to_owned())) {
            return Ok(session.clone());
        }
        let grant = Grant { role, scope: read_scope(scope)? };
        let token = self.key.token(subject, None, &grant, self.first, Duration::days(400))?;
        let bearer = Bearer(format!("Bearer {token}").parse()?);
        let session = InterceptedService::new(self.channel.clone(), bearer);
        sessions.insert((role, subject.to_owned()), session.clone());
        Ok(session)
    }

    fn events(&self, step: Step) -> Result<EventServiceClient<Session>, Error> {
        let grid = self.grid(step.event);
        let (community, street) = (&grid[..12], &grid[..9]);
        let session = match step.by {
            By::Worker => self.session(Role::GridWorker, &format!("{grid}-member-1"), grid),
            By::Chief => self.session(Role::GridChief, &format!("{grid}-chief"), grid),
            By::Community => self.session(Role::Community, &format!("{community}-officer"), community),
            By::Street => self.session(Role::Street, &format!("{street}-officer"), street),
            By::Department => {
                let department = texts::of(step.event).department;
                let scope = name("departments", department);
                self.session(Role::Department, &format!("{department}-handler"), &scope)
            }
            By::Public => return Err("the public does not act on events".into()),
        };
        Ok(EventServiceClient::new(session?))
    }

    /// One step; again where the clock's alarm came between, or the service sheds load.
    async fn step(&self, step: Step) -> Result<(), Error> {
        for _ in 0..TRIES {
            match self.try_step(step).await? {
                Err(status) if status.code() == Code::Aborted => {}
                Err(status) if is_shed(&status) => tokio::time::sleep(PAUSE).await,
                Err(status) => {
                    return Err(format!("示范历史 / demo history: {step:?}: {}", status.message()).into());
                }
                Ok(()) => return Ok(()),
            }
        }
        Err(format!("示范历史 / demo history: {step:?} 总被打断 / is always interrupted").into())
    }

    async fn try_step(&self, step: Step) -> Result<Result<(), Status>, Error> {
        match step.what {
            What::Report => self.report(step).await,
            What::Submit => self.submit(step).await,
            What::Answer { solved, rating } => self.answer(step.event, solved, rating).await,
            _ => Ok(act(&mut self.events(step)?, step, self.grid(step.event)).await),
        }
    }

    async fn report(&self, step: Step) -> Result<Result<(), Status>, Error> {
        let (event, kind) = (step.event, texts::of(step.event));
        let request = pb::ReportEventRequest {
            parent: parent(),
            event_id: event_id(event).to_string(),
            category: name("categories", kind.category),
            condition: kind.condition.to_owned(),
            area: name("areas", self.grid(event)),
            point: point(self.grid(event), event),
            description: texts::description(event),
            request_id: request_id(step),
            ..Default::default()
        };
        Ok(self.events(step)?.report_event(request).await.map(|_| ()))
    }

    async fn submit(&self, step: Step) -> Result<Result<(), Status>, Error> {
        let (event, kind) = (step.event, texts::of(step.event));
        let anonymous = roll(event, "anonymous", 10) == 0;
        let reporter = if anonymous {
            pb::Reporter { kind: pb::ReporterKind::Anonymous.into(), ..Default::default() }
        } else {
            pb::Reporter {
                kind: pb::ReporterKind::Resident.into(),
                display_name: String::new(),
                phone: texts::phone(event),
            }
        };
        let request = pb::SubmitReportRequest {
            parent: parent(),
            event_id: event_id(event).to_string(),
            category: name("categories", kind.category),
            area: name("areas", self.grid(event)),
            point: point(self.grid(event), event),
            description: texts::description(event),
            reporter: Some(reporter),
            request_id: request_id(step),
            ..Default::default()
        };
        let answer = ResidentServiceClient::new(self.channel.clone()).submit_report(request).await;
        Ok(answer.map(|made| {
            let made = made.into_inner();
            let mut cases = self.cases.lock().unwrap_or_else(PoisonError::into_inner);
            cases.insert(event, (made.case_number, made.tracking_code));
        }))
    }

    /// The reporter's answer; none where an earlier load that was cut off had the case's number.
    async fn answer(&self, event: usize, solved: bool, rating: i32) -> Result<Result<(), Status>, Error> {
        let known = self.cases.lock().unwrap_or_else(PoisonError::into_inner).get(&event).cloned();
        let Some((case_number, secret)) = known else { return Ok(Ok(())) };
        let comment = if solved { "谢谢，已解决" } else { "问题还在，请再看看" }.to_owned();
        let request =
            pb::AnswerCaseRequest { parent: parent(), case_number, secret, solved, rating, comment };
        Ok(ResidentServiceClient::new(self.channel.clone()).answer_case(request).await.map(|_| ()))
    }
}

async fn act(events: &mut EventServiceClient<Session>, step: Step, grid: &str) -> Result<(), Status> {
    let (name, request_id) = (name("events", event_id(step.event)), request_id(step));
    let evidence = || vec![pb::Evidence { text: "现场照片".to_owned(), uri: String::new() }];
    let kind = texts::of(step.event);
    let (reason, note) = (reason(step.what).to_owned(), kind.done.to_owned());
    macro_rules! call {
        ($rpc:ident, $request:ident { $($field:ident $(: $value:expr)?),* }) => {
            events.$rpc(pb::$request { name, request_id, $($field $(: $value)?,)* ..Default::default() }).await.map(drop)
        };
    }
    match step.what {
        What::Confirm => call!(confirm_event, ConfirmEventRequest {}),
        What::Escalate => call!(escalate_event, EscalateEventRequest { reason }),
        What::Accept => call!(accept_event, AcceptEventRequest {}),
        What::Register => call!(register_event, RegisterEventRequest {}),
        What::DispatchToGrid => call!(dispatch_event, DispatchEventRequest { lead: area(grid) }),
        What::DispatchToDepartment => {
            call!(dispatch_event, DispatchEventRequest { lead: department(kind.department) })
        }
        What::SignFor => call!(sign_for_event, SignForEventRequest {}),
        What::Resolve => {
            let outcome = outcome(step.event).into();
            call!(resolve_event, ResolveEventRequest { outcome, note, evidence: evidence() })
        }
        What::Fail => call!(fail_event, FailEventRequest { reason }),
        What::Pass => call!(pass_event, PassEventRequest {}),
        What::Settle => {
            let outcome = outcome(step.event).into();
            call!(settle_event, SettleEventRequest { outcome, note, evidence: evidence() })
        }
        What::Reject => call!(reject_event, RejectEventRequest { reason }),
        What::Merge => {
            let root = super::super::name("events", event_id(root(step.event)));
            call!(merge_event, MergeEventRequest { root })
        }
        What::RequestExtension => {
            let extension = Some(pb::Limit { unit: pb::TimeUnit::WorkingDays.into(), amount: 1 });
            call!(request_extension, RequestExtensionRequest { extension, reason })
        }
        What::ApproveExtension => call!(approve_extension, ApproveExtensionRequest {}),
        What::RequestReturn => {
            let reason = pb::ReturnReason::NotOurDuty.into();
            call!(request_return, RequestReturnRequest { reason, evidence: evidence() })
        }
        What::ApproveReturn => call!(approve_return, ApproveReturnRequest {}),
        What::Urge => call!(urge_event, UrgeEventRequest { note: "请加快办理".to_owned() }),
        What::Report | What::Submit | What::Answer { .. } => {
            unreachable!("the caller of this function does these")
        }
    }
}

/// Why, where a step needs a reason.
fn reason(what: What) -> &'static str {
    match what {
        What::Escalate => "需上级协调处置",
        What::Fail => "现场核查仍有残留",
        What::Reject => "经核实不属实",
        What::RequestExtension => "天气原因，需延期作业",
        _ => "",
    }
}

fn area(code: &str) -> Option<pb::Unit> {
    Some(pb::Unit { kind: Some(pb::unit::Kind::Area(name("areas", code))) })
}

fn department(code: &str) -> Option<pb::Unit> {
    Some(pb::Unit { kind: Some(pb::unit::Kind::Department(name("departments", code))) })
}

fn event_id(event: usize) -> Uuid {
    id(&format!("event {event}"))
}

fn request_id(step: Step) -> String {
    id(&format!("event {} step {}", step.event, step.number)).to_string()
}

/// A point in the grid, where its boundary is known.
fn point(grid: &str, event: usize) -> Option<pb::Point> {
    let (south, west, side) = places::tile(grid)?;
    let part = |what| 0.1 + 0.8 * roll(root(event), what, 1000) as f64 / 1000.0;
    Some(pb::Point { latitude: south + side * part("latitude"), longitude: west + side * part("longitude") })
}
