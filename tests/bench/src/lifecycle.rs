//! Lifecycles: report, accept, register, dispatch, sign for, resolve, verify; each call durable, each with a request id.

use std::sync::Arc;

use jingwei_kit::clock::Clock;
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_tests::{District, Error};
use tokio::sync::Mutex;
use tonic::{Response, Status};

use crate::load::Load;
use crate::reads::teams;
use crate::record::{self, Record};
use crate::site::{Person, Site};

/// How many writes a lifecycle has.
const WRITES: u32 = 7;

/// The people of one base grid: who reports, who decides, who handles.
pub(crate) struct Team {
    pub(crate) district: District,
    pub(crate) grid: String,
    pub(crate) worker: Person,
    pub(crate) street: Person,
    pub(crate) department: Person,
    /// Where the department is, among its district's.
    place: usize,
    clock: Clock,
}

impl Team {
    /// The team of the `n`th caller: callers are spread over all districts.
    pub(crate) fn of(site: &Site, n: usize) -> Result<Self, Error> {
        let district = site.districts[n % site.districts.len()].clone();
        let grid = district.grids[n / site.districts.len() % district.grids.len()].clone();
        Ok(Self {
            worker: site.person(Role::GridWorker, &grid)?,
            street: site.person(Role::Street, &grid[..9])?,
            department: site.person(Role::Department, &district.department(n))?,
            place: n,
            district,
            grid,
            clock: Clock::system(),
        })
    }

    /// A request id.
    pub(crate) fn id(&self) -> String {
        self.clock.id().to_string()
    }

    /// A report, ready to be sent.
    pub(crate) fn report(&self) -> pb::ReportEventRequest {
        pb::ReportEventRequest {
            parent: self.district.name(),
            category: self.district.category(self.grid.len()),
            area: self.district.resource("areas", &self.grid),
            description: "行道树生虫，树胶滴落，影响行人，请派人处理。".to_owned(),
            address: "京城路与索河路交叉口向东五十米".to_owned(),
            request_id: self.id(),
            ..Default::default()
        }
    }

    fn dispatch(&self, name: String) -> pb::DispatchEventRequest {
        let lead = pb::unit::Kind::Department(self.district.department(self.place));
        pb::DispatchEventRequest {
            name,
            lead: Some(pb::Unit { kind: Some(lead) }),
            request_id: self.id(),
            ..Default::default()
        }
    }

    fn resolve(&self, name: String) -> pb::ResolveEventRequest {
        pb::ResolveEventRequest {
            name,
            outcome: pb::EventOutcome::Solved.into(),
            note: "已喷药并清理树下路面".to_owned(),
            evidence: vec![pb::Evidence { text: "现场已恢复".to_owned(), uri: String::new() }],
            request_id: self.id(),
            ..Default::default()
        }
    }
}

/// One event after another, one step with each call.
struct Lifecycle {
    team: Arc<Team>,
    event: String,
    step: u32,
}

impl Lifecycle {
    async fn next(&mut self) -> Result<(), Status> {
        let (name, request_id) = (self.event.clone(), self.team.id());
        let (street, department) =
            (&mut self.team.street.events.clone(), &mut self.team.department.events.clone());
        let done = match self.step {
            0 => self.team.worker.events.clone().report_event(self.team.report()).await,
            1 => street.accept_event(pb::AcceptEventRequest { name, request_id, ..Default::default() }).await,
            2 => {
                street
                    .register_event(pb::RegisterEventRequest { name, request_id, ..Default::default() })
                    .await
            }
            3 => street.dispatch_event(self.team.dispatch(name)).await,
            4 => {
                department
                    .sign_for_event(pb::SignForEventRequest { name, request_id, ..Default::default() })
                    .await
            }
            5 => department.resolve_event(self.team.resolve(name)).await,
            _ => street.pass_event(pb::PassEventRequest { name, request_id, ..Default::default() }).await,
        };
        self.took(done)
    }

    /// The next step; the same one again where the call was shed, and a new event where it was refused.
    fn took(&mut self, done: Result<Response<pb::Event>, Status>) -> Result<(), Status> {
        if matches!(&done, Err(status) if !record::is_shed(status)) {
            self.step = 0;
        }
        self.event = done?.into_inner().name;
        self.step = (self.step + 1) % WRITES;
        Ok(())
    }
}

/// Lifecycles per second; the times are those of single calls.
pub(crate) async fn measure(site: &Site, load: &Load) -> Result<Record, Error> {
    let teams = teams(site, load)?;
    let caller = |n: usize| {
        let team = teams[n].clone();
        let lifecycle = Arc::new(Mutex::new(Lifecycle { team, event: String::new(), step: 0 }));
        move || {
            let lifecycle = lifecycle.clone();
            async move { lifecycle.lock().await.next().await }
        }
    };
    let calls = load.run(site, "lifecycle of 7 writes, gRPC", caller).await?;
    Ok(Record { per: WRITES, ..calls })
}
