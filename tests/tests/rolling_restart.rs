//! A rolling restart under load: two replicas of the grid service behind the gateway are told to stop and started again,
//! one after the other. No call fails, and the change feed loses and repeats nothing.
#![allow(clippy::unwrap_used, reason = "a test's helper may fail the test")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1::event_service_client::EventServiceClient;
use jingwei_proto::grid::v1::{GetEventRequest, ReportEventRequest, WatchEventsRequest};
use jingwei_tests::{District, Error, Options, Process, Processes, Session, session};
use serde_json::{Value, json};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic::transport::Endpoint;

/// How many callers of each kind there are.
const CALLERS: usize = 2;

/// What everybody needs.
#[derive(Clone)]
struct Site {
    gateway: String,
    token: String,
    session: Session,
    district: Arc<District>,
    /// Events that were reported and acknowledged.
    reported: Arc<AtomicUsize>,
    stop: CancellationToken,
}

impl Site {
    async fn of(processes: &Processes, district: District) -> Result<Self, Error> {
        let token = processes.token("worker", Role::GridWorker, &district.code.to_string())?;
        let gateway = format!("http://{}", processes.gateway.address());
        let session = session(&Endpoint::from_shared(gateway.clone())?.connect().await?, &token)?;
        let (reported, stop) = (Arc::default(), CancellationToken::new());
        Ok(Self { gateway, token, session, district: Arc::new(district), reported, stop })
    }

    fn grid(&self, n: usize) -> &str {
        &self.district.grids[n % self.district.grids.len()]
    }

    /// A report; every other one has no id, so that it may not be sent twice.
    fn report(&self, n: usize) -> ReportEventRequest {
        ReportEventRequest {
            parent: self.district.name(),
            category: self.district.category(n),
            area: self.district.resource("areas", self.grid(n)),
            description: format!("第{n}件"),
            request_id: if n.is_multiple_of(2) {
                format!("00000000-0000-7000-8000-{n:012}")
            } else {
                String::new()
            },
            ..Default::default()
        }
    }

    /// Reports and reads by gRPC until told to stop. Every error is one too many.
    async fn by_grpc(self, start: usize) -> Result<usize, Error> {
        let mut events = EventServiceClient::new(self.session.clone());
        let mut n = start;
        while !self.stop.is_cancelled() {
            let event = events.report_event(self.report(n)).await?.into_inner();
            self.reported.fetch_add(1, Ordering::SeqCst);
            let request = GetEventRequest { name: event.name.clone() };
            assert_eq!(events.get_event(request).await?.into_inner().name, event.name);
            n += 1;
        }
        Ok(n - start)
    }

    /// The same by JSON.
    async fn by_json(self, start: usize) -> Result<usize, Error> {
        let client = reqwest::Client::new();
        let mut n = start;
        while !self.stop.is_cancelled() {
            let report = self.report(n);
            let mut body =
                json!({"category": report.category, "area": report.area, "description": report.description});
            if !report.request_id.is_empty() {
                body["requestId"] = report.request_id.into();
            }
            let url = format!("{}/v1/{}/events", self.gateway, self.district.name());
            let answer = client.post(url).bearer_auth(&self.token).json(&body).send().await?;
            let event = good(answer).await?;
            self.reported.fetch_add(1, Ordering::SeqCst);
            let name = event["name"].as_str().unwrap_or_default();
            let read =
                client.get(format!("{}/v1/{name}", self.gateway)).bearer_auth(&self.token).send().await?;
            assert_eq!(good(read).await?["name"], name);
            n += 1;
        }
        Ok(n - start)
    }

    /// Reads by gRPC-Web.
    async fn by_grpc_web(self, event: String) -> Result<usize, Error> {
        let client = reqwest::Client::new();
        let url = format!("{}/jingwei.grid.v1.EventService/GetEvent", self.gateway);
        let mut message = vec![0x0a, u8::try_from(event.len())?];
        message.extend(event.bytes());
        let mut body = vec![0, 0, 0, 0, u8::try_from(message.len())?];
        body.extend(message);
        let mut done = 0;
        while !self.stop.is_cancelled() {
            let request = client.post(&url).header("content-type", "application/grpc-web+proto");
            let answer = request.bearer_auth(&self.token).body(body.clone()).send().await?;
            let read = answer.error_for_status()?.bytes().await?;
            let text = String::from_utf8_lossy(&read);
            if !(text.contains(&event) && text.contains("grpc-status:0")) {
                return Err(format!("by gRPC-Web: {text:?}").into());
            }
            done += 1;
        }
        Ok(done)
    }

    /// Follows the feed, resuming where it breaks off, until it has seen `wanted` reports; the events in their order, and
    /// how often it resumed.
    async fn follow(
        self,
        wanted: Arc<AtomicUsize>,
        ready: CancellationToken,
    ) -> Result<(Vec<String>, usize), Error> {
        let mut events = EventServiceClient::new(self.session.clone());
        let (mut token, mut seen, mut resumed) = (String::new(), Vec::new(), 0);
        loop {
            let request = WatchEventsRequest {
                parent: self.district.name(),
                resume_token: token.clone(),
                ..Default::default()
            };
            let mut stream = events.watch_events(request).await?.into_inner();
            ready.cancel();
            loop {
                if seen.len() >= wanted.load(Ordering::SeqCst) {
                    return Ok((seen, resumed));
                }
                match stream.message().await {
                    Ok(Some(change)) => {
                        token = change.resume_token;
                        seen.push(change.event);
                    }
                    Err(status) if status.code() == Code::Unavailable => break,
                    end => return Err(format!("the feed: {end:?}").into()),
                }
            }
            resumed += 1;
        }
    }
}

async fn good(answer: reqwest::Response) -> Result<Value, Error> {
    let (status, text) = (answer.status(), answer.text().await?);
    if status != 200 { Err(format!("{status}: {text}").into()) } else { Ok(serde_json::from_str(&text)?) }
}

/// Waits until the gateway says of every replica that it serves.
async fn all_serve(gateway: &Process) -> Result<(), Error> {
    let url = format!("http://{}/health", gateway.address());
    let asking = async {
        loop {
            let health: Value = reqwest::get(&url).await?.json().await?;
            if health["status"] == "SERVING" {
                return Ok::<_, Error>(());
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), asking).await?
}

type Calls = JoinSet<Result<usize, Error>>;

async fn load(site: &Site) -> Result<Calls, Error> {
    let mut events = EventServiceClient::new(site.session.clone());
    let event = events.report_event(site.report(0)).await?.into_inner().name;
    site.reported.fetch_add(1, Ordering::SeqCst);
    let mut calls = Calls::new();
    for n in 0..CALLERS {
        calls.spawn(site.clone().by_grpc(1_000_000 * (n + 1)));
        calls.spawn(site.clone().by_json(1_000_000 * (CALLERS + n + 1)));
        calls.spawn(site.clone().by_grpc_web(event.clone()));
    }
    Ok(calls)
}

/// Waits for so many more reports: the load goes on meanwhile. An error of a caller ends the wait.
async fn more(site: &Site, calls: &mut Calls, reports: usize) -> Result<(), Error> {
    let until = site.reported.load(Ordering::SeqCst) + reports;
    while site.reported.load(Ordering::SeqCst) < until {
        if let Some(ended) = calls.try_join_next() {
            return Err(format!("a caller ended: {:?}", ended?).into());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_fails_and_the_feed_loses_nothing() -> Result<(), Error> {
    let folder = tempfile::tempdir()?;
    let options = Options {
        grids: 2,
        postgres: vec![("fsync".to_owned(), "off".to_owned())],
        ..Options::new(folder.path())
    };
    let mut processes = Processes::start(options).await?;
    let district = District::all().swap_remove(0);
    processes.set_up(&district).await?;
    let site = Site::of(&processes, district).await?;
    all_serve(&processes.gateway).await?;
    let (wanted, ready) = (Arc::new(AtomicUsize::new(usize::MAX)), CancellationToken::new());
    let feed: JoinHandle<_> = tokio::spawn(site.clone().follow(wanted.clone(), ready.clone()));
    ready.cancelled().await;
    let mut calls = load(&site).await?;
    for round in 0..2 {
        for grid in 0..2 {
            more(&site, &mut calls, 50).await?;
            assert!(processes.grids[grid].stop().await?.success(), "round {round}");
            more(&site, &mut calls, 50).await?;
            processes.grids[grid].start().await?;
            all_serve(&processes.gateway).await?;
        }
    }
    more(&site, &mut calls, 50).await?;
    site.stop.cancel();
    let mut done = 0;
    while let Some(ended) = calls.join_next().await {
        done += ended??;
    }
    let reported = site.reported.load(Ordering::SeqCst);
    wanted.store(reported, Ordering::SeqCst);
    // One more change wakes the reader that has already seen all.
    let mut events = EventServiceClient::new(site.session.clone());
    events.report_event(site.report(1)).await?;
    let (mut seen, resumed) = tokio::time::timeout(Duration::from_secs(30), feed).await???;
    seen.truncate(reported);
    let distinct = seen.iter().collect::<std::collections::HashSet<_>>().len();
    assert_eq!((seen.len(), distinct), (reported, reported), "each once");
    assert!(resumed >= 1 && done > 0, "{resumed} resumes, {done} rounds of calls");
    Ok(())
}
