//! Clients that vanish: what they began comes to its end, once, and what they held is free again.

use std::time::Duration;

use jingwei_kit::clock::Clock;
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::event_service_client::EventServiceClient;
use jingwei_tests::{Error, Options, Proxy, Session, session};
use sqlx::PgPool;
use tokio::task::JoinSet;
use tonic::transport::Endpoint;
use tonic::{Code, Request, Status};

use crate::site::{Site, until};

/// How many calls and streams the service takes at once.
const AT_ONCE: usize = 24;
/// The connections that it may have to its database.
const CONNECTIONS: i64 = 16;

/// What must not be there: half of a report.
const HALVES: [&str; 3] = [
    "select count(*) from event e where not exists (
       select from event_transition t where (t.district, t.event_id) = (e.district, e.id))",
    "select count(*) from event_transition t where not exists (
       select from event e where (t.district, t.event_id) = (e.district, e.id)) or not exists (
       select from outbox o where (o.district, o.seq) = (t.district, t.seq))",
    "select abs((select count(*) from event_transition)
       - (select count(*) from idempotency where method = 'ReportEvent'))",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_vanished_client_began_is_whole_or_absent_and_a_repeat_makes_it_one() -> Result<(), Error> {
    let (site, cable) = site().await?;
    let pool = PgPool::connect(&site.processes.database()).await?;
    let requests: Vec<_> = (0..3 * AT_ONCE).map(|_| new_report(&site)).collect();
    for (round, requests) in requests.chunks(AT_ONCE).enumerate() {
        // All reports wait for this lock, in the middle of their statements or before.
        let mut lock = pool.begin().await?;
        sqlx::query("lock table feed_head in exclusive mode").execute(&mut *lock).await?;
        let mut calls = JoinSet::new();
        for request in requests {
            calls.spawn(report(session_over(&site, &cable)?, request.clone()));
        }
        let waiting = "select count(*) from pg_stat_activity where usename = 'jingwei_grid' and wait_event_type = 'Lock'";
        until("reports wait", async || Ok(count(&pool, waiting).await? > 0)).await?;
        // By a reset of each stream, or by the end of the connections.
        if round == 1 {
            calls.shutdown().await;
        } else {
            cable.cut();
        }
        lock.rollback().await?;
        calls.shutdown().await;
        nothing_is_half(&pool).await?;
        for request in requests {
            insist(&session_over(&site, &cable)?, request).await?;
        }
        let there = count(&pool, "select count(*) from event").await?;
        assert_eq!(there, i64::try_from((round + 1) * AT_ONCE)?, "one event for each request");
    }
    nothing_is_half(&pool).await?;
    nothing_is_held(&pool).await?;
    pool.close().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stream_of_a_vanished_reader_ends() -> Result<(), Error> {
    let (site, cable) = site().await?;
    for round in 1..=3 {
        let mut streams = Vec::new();
        until("all streams are open", async || {
            // The service notices those of the round before, or refuses these.
            while streams.len() < AT_ONCE {
                match watch(session_over(&site, &cable)?, &site.district.name()).await {
                    Ok(stream) => streams.push(stream),
                    Err(status) if status.code() == Code::ResourceExhausted => return Ok(false),
                    Err(status) => return Err(status.into()),
                }
            }
            Ok(true)
        })
        .await?;
        let refused = watch(session_over(&site, &cable)?, &site.district.name()).await;
        assert_eq!(refused.err().map(|status| status.code()), Some(Code::ResourceExhausted));
        if round == 2 { drop(streams) } else { cable.cut() }
    }
    let pool = PgPool::connect(&site.processes.database()).await?;
    nothing_is_held(&pool).await?;
    pool.close().await;
    Ok(())
}

/// A service that takes few calls at once, and a cable that leads to it.
async fn site() -> Result<(Site, Proxy), Error> {
    let folder = tempfile::tempdir()?;
    let few = AT_ONCE.to_string();
    let grid = [("MAX_CALLS", few.clone()), ("MAX_STREAMS", few)];
    let grid = grid.map(|(name, value)| (name.to_owned(), value)).into();
    let site = Site::over(Options { grid, ..Options::new(folder.path()) }, folder).await?;
    let cable = Proxy::start().await?;
    cable.lead_to(site.processes.grids[0].address());
    Ok((site, cable))
}

/// A connection of its own.
fn session_over(site: &Site, cable: &Proxy) -> Result<Session, Error> {
    let channel = Endpoint::from_shared(format!("http://{}", cable.address()))?.connect_lazy();
    let token = site.processes.token("worker", Role::Dispatcher, &site.district.code.to_string())?;
    session(&channel, &token)
}

fn new_report(site: &Site) -> pb::ReportEventRequest {
    pb::ReportEventRequest {
        parent: site.district.name(),
        category: site.district.category(0),
        area: site.district.resource("areas", &site.district.grids[0]),
        description: "井盖缺失".to_owned(),
        request_id: Clock::system().id().to_string(),
        ..Default::default()
    }
}

async fn report(session: Session, request: pb::ReportEventRequest) -> Result<(), Status> {
    let mut request = Request::new(request);
    request.set_timeout(Duration::from_secs(10));
    EventServiceClient::new(session).report_event(request).await.map(drop)
}

/// Repeats a report until it is taken: those of the vanished may still hold all places.
async fn insist(session: &Session, request: &pb::ReportEventRequest) -> Result<(), Error> {
    until("the report is taken", async || match report(session.clone(), request.clone()).await {
        Ok(()) => Ok(true),
        Err(status) if matches!(status.code(), Code::ResourceExhausted | Code::Unavailable) => Ok(false),
        Err(status) => Err(status.into()),
    })
    .await
}

async fn nothing_is_half(pool: &PgPool) -> Result<(), Error> {
    for half in HALVES {
        assert_eq!(count(pool, half).await?, 0, "{half}");
    }
    Ok(())
}

async fn watch(session: Session, parent: &str) -> Result<tonic::Streaming<pb::WatchEventsResponse>, Status> {
    let request = pb::WatchEventsRequest { parent: parent.to_owned(), ..Default::default() };
    Ok(EventServiceClient::new(session).watch_events(request).await?.into_inner())
}

/// No transaction is left open, and no more connections than the pool has.
async fn nothing_is_held(pool: &PgPool) -> Result<(), Error> {
    let open =
        "select count(*) from pg_stat_activity where usename = 'jingwei_grid' and state like 'idle in%'";
    let all = "select count(*) from pg_stat_activity where usename = 'jingwei_grid'";
    until("nothing is held", async || {
        Ok(count(pool, open).await? == 0 && count(pool, all).await? <= CONNECTIONS)
    })
    .await
}

async fn count(pool: &PgPool, sql: &'static str) -> Result<i64, Error> {
    Ok(sqlx::query_scalar(sql).fetch_one(pool).await?)
}
