//! Clients that report events and act on them, repeat what was left without an answer, and know every answer they got.

mod call;
mod verify;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jingwei_kit::clock::Clock;
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::event_service_client::EventServiceClient;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tonic::transport::Endpoint;
use tonic::{Code, Status};
use uuid::Uuid;

pub use call::Step;
use call::{Asked, Fate};

use crate::{District, Error, Processes, Session, answer, session};

/// How long a call may take.
const DEADLINE: Duration = Duration::from_secs(2);
/// How long a client waits before it repeats a call, and how often a condition is looked at.
const PAUSE: Duration = Duration::from_millis(50);
/// How long a condition may take to come.
const PATIENCE: Duration = Duration::from_secs(60);
/// The two people of a client: who settled an event may not verify it.
const PEOPLE: [&str; 2] = ["first", "second"];
/// One acknowledged request of so many is repeated at once, to see the same answer again.
const REPEATED: u128 = 10;

/// A way to the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Straight to the first replica.
    Direct,
    /// Through the gateway.
    Gateway,
}

impl Way {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Direct, Self::Gateway];
}

/// Running clients.
pub struct Clients {
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
}

/// What clients were told, and what they asked for.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Every request that was acknowledged, in no order, with its first answer.
    pub acknowledged: Vec<Acknowledged>,
    /// What must never happen: an answer that contradicts an earlier one, a refusal of what is allowed, an INTERNAL.
    pub faults: Vec<String>,
    /// How many calls were not acknowledged when they were made, by code and reason; a connection that broke has no reason.
    pub put_off: BTreeMap<String, u64>,
    /// The longest time that a call took.
    pub slowest: Duration,
}

/// A request and its first answer.
#[derive(Debug, Clone)]
pub struct Acknowledged {
    asked: Asked,
    client: usize,
    answer: pb::Event,
}

struct Shared {
    ledger: Mutex<Ledger>,
    /// Acknowledgements by way.
    count: [AtomicU64; 2],
    stop: AtomicBool,
    district: District,
    /// An event that all of them comment on.
    common: Uuid,
}

/// One client.
struct Client {
    number: usize,
    way: Way,
    people: [EventServiceClient<Session>; 2],
    shared: Arc<Shared>,
}

impl Clients {
    /// Starts so many clients on each way; the district is set up.
    ///
    /// # Errors
    /// The processes have no such address, or the first event cannot be reported.
    pub async fn start(processes: &Processes, district: &District, each: usize) -> Result<Self, Error> {
        let common = Clock::system().id();
        let shared = Arc::new(Shared {
            ledger: Mutex::default(),
            count: Default::default(),
            stop: AtomicBool::new(false),
            district: district.clone(),
            common,
        });
        let mut first = Client::new(processes, &shared, 0, Way::Direct)?;
        first.insist(Step::Report, common).await;
        let mut tasks = JoinSet::new();
        for number in 0..2 * each {
            let client = Client::new(processes, &shared, number, Way::ALL[number % 2])?;
            tasks.spawn(client.run());
        }
        Ok(Self { shared, tasks })
    }

    /// How many requests were acknowledged, on both ways.
    pub fn acknowledged(&self) -> u64 {
        self.shared.count.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    /// How many calls were put off so far for this reason.
    pub fn put_off(&self, reason: &str) -> u64 {
        let ledger = self.shared.ledger();
        ledger.put_off.iter().filter(|(why, _)| why.ends_with(reason)).map(|(_, count)| count).sum()
    }

    /// Waits until so many more requests were acknowledged on each of the ways; answers with how long that took.
    ///
    /// # Errors
    /// It takes too long: the service is not back.
    pub async fn progress(&self, ways: &[Way], more: u64) -> Result<Duration, Error> {
        let began = Instant::now();
        let count = |way: Way| self.shared.count[way as usize].load(Ordering::Relaxed);
        let goals: Vec<_> = ways.iter().map(|way| (*way, count(*way) + more)).collect();
        while goals.iter().any(|(way, goal)| count(*way) < *goal) {
            if began.elapsed() > PATIENCE {
                let so_far: Vec<_> = goals.iter().map(|(way, goal)| (way, count(*way), goal)).collect();
                return Err(format!("no progress for {PATIENCE:?}: {so_far:?}").into());
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(began.elapsed())
    }

    /// Lets every client get the answer that it waits for; answers with all they know.
    ///
    /// # Errors
    /// One gets no answer.
    pub async fn finish(mut self) -> Result<Ledger, Error> {
        self.shared.stop.store(true, Ordering::Relaxed);
        let all = async {
            while self.tasks.join_next().await.transpose()?.is_some() {}
            Ok::<_, Error>(())
        };
        tokio::time::timeout(PATIENCE, all).await.map_err(|_| "a client gets no answer")??;
        Ok(std::mem::take(&mut *self.shared.ledger()))
    }
}

impl Shared {
    fn ledger(&self) -> std::sync::MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ledger {
    /// Notes an answer that calls for a repeat; one of the suite must say why, and when.
    fn note(&mut self, status: &Status) {
        let why = format!("{:?} {}", status.code(), answer::reason(status));
        *self.put_off.entry(why).or_default() += 1;
        if !status.details().is_empty() {
            self.faults.extend(answer::lacking(status));
        }
    }
}

impl Client {
    fn new(processes: &Processes, shared: &Arc<Shared>, number: usize, way: Way) -> Result<Self, Error> {
        let address = match way {
            Way::Direct => processes.grids[0].address(),
            Way::Gateway => processes.gateway.address(),
        };
        let channel = Endpoint::from_shared(format!("http://{address}"))?.connect_lazy();
        let scope = shared.district.code.to_string();
        let person = |what| {
            let token = processes.token(&format!("{what}-{number}"), Role::Dispatcher, &scope)?;
            Ok::<_, Error>(EventServiceClient::new(session(&channel, &token)?))
        };
        Ok(Self { number, way, people: [person(PEOPLE[0])?, person(PEOPLE[1])?], shared: shared.clone() })
    }

    /// Whole lives of events, one after the other, with a comment on the common one between two.
    async fn run(mut self) {
        while !self.stopped() {
            let event = Clock::system().id();
            for step in Step::LIFE {
                self.insist(step, event).await;
                if self.stopped() {
                    return;
                }
            }
            self.insist(Step::Comment, self.shared.common).await;
        }
    }

    fn stopped(&self) -> bool {
        self.shared.stop.load(Ordering::Relaxed)
    }

    /// Asks until there is an answer, with the same request id, as a client should.
    async fn insist(&mut self, step: Step, event: Uuid) {
        let asked = Asked { step, event, request_id: Clock::system().id() };
        loop {
            match self.ask(&asked).await {
                Fate::Acknowledged(answer) => return self.acknowledged(asked, *answer).await,
                Fate::Unknown(status) | Fate::Shed(status) => self.shared.ledger().note(&status),
                Fate::Refused(status) => return self.fault(&asked, &status),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn acknowledged(&mut self, asked: Asked, answer: pb::Event) {
        if asked.request_id.as_u128().is_multiple_of(REPEATED) {
            match self.ask(&asked).await {
                Fate::Acknowledged(again) if *again != answer => {
                    let other = Status::new(Code::Unknown, format!("{answer:?} became {again:?}"));
                    self.fault(&asked, &other);
                }
                Fate::Refused(status) => self.fault(&asked, &status),
                _ => {}
            }
        }
        self.shared.count[self.way as usize].fetch_add(1, Ordering::Relaxed);
        self.shared.ledger().acknowledged.push(Acknowledged { asked, client: self.number, answer });
    }

    fn fault(&self, asked: &Asked, status: &Status) {
        let fault = format!("client {} by {:?}: {asked:?}: {status:?}", self.number, self.way);
        self.shared.ledger().faults.push(fault);
    }

    async fn ask(&mut self, asked: &Asked) -> Fate {
        let began = Instant::now();
        let person = &mut self.people[asked.step.by()];
        let fate = call::ask(person, &self.shared.district, asked, DEADLINE).await;
        let mut ledger = self.shared.ledger();
        ledger.slowest = ledger.slowest.max(began.elapsed());
        fate
    }
}
