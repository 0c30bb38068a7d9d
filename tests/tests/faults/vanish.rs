//! Readers that vanish: what their streams held is free again.

use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::event_service_client::EventServiceClient;
use jingwei_tests::{Error, Options, Proxy, Session, session};
use sqlx::PgPool;
use tonic::transport::Endpoint;
use tonic::{Code, Status};

use crate::site::{Site, until};

/// How many calls and streams the service takes at once.
const AT_ONCE: usize = 24;
/// The connections that it may have to its database.
const CONNECTIONS: i64 = 16;

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
