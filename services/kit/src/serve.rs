//! A gRPC server: bind, serve, drain.

use std::{convert::Infallible, io, net::SocketAddr, time::Duration};

use futures::{Stream, StreamExt};
use http::Request;
use sqlx::PgPool;
use tokio::time::Instant;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tonic::{
    Status,
    body::Body,
    server::NamedService,
    service::{Routes, RoutesBuilder},
    transport::{Endpoint, server::TcpIncoming},
};
use tonic_health::{
    ServingStatus,
    pb::{
        HealthCheckRequest, health_check_response::ServingStatus as Answer, health_client::HealthClient,
        health_server::HealthServer,
    },
    server::{HealthReporter, HealthService},
};
use tower::Service;

use crate::{
    admit::Admission,
    keys::Keys,
    method::AdmissionError,
    pg,
    stack::{Limits, Stack},
};

/// How often the database is asked for its health, and how long it may take.
const CHECK: Duration = Duration::from_secs(5);

/// A server that is being put together.
pub struct Server {
    domain: &'static str,
    limits: Limits,
    keys: Keys,
    routes: RoutesBuilder,
    services: Vec<&'static str>,
    database: Option<PgPool>,
}

/// A server that listens, and answers once it runs.
pub struct Bound {
    address: SocketAddr,
    incoming: TcpIncoming,
    limits: Limits,
    admission: Admission,
    domain: &'static str,
    routes: Routes,
    health: HealthReporter,
    services: Vec<&'static str>,
    database: Option<PgPool>,
}

/// Why a server does not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {0}")]
    Listen(SocketAddr, #[source] io::Error),
    /// A .proto file does not say who may call an RPC.
    #[error(transparent)]
    Admission(#[from] AdmissionError),
    /// The descriptors are broken.
    #[error("cannot offer reflection")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The transport failed.
    #[error("the server failed")]
    Transport(#[from] tonic::transport::Error),
}

impl Server {
    /// A server without services, whose errors have `domain` (e.g. `grid.jingwei`).
    pub fn new(domain: &'static str, limits: Limits, keys: Keys) -> Self {
        Self { domain, limits, keys, routes: Routes::builder(), services: Vec::new(), database: None }
    }

    /// Adds a generated service; each of its RPCs must declare its permission.
    #[must_use]
    pub fn service<S>(mut self, service: S) -> Self
    where
        S: Service<Request<Body>, Response = http::Response<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.services.push(S::NAME);
        self.routes.add_service(service);
        self
    }

    /// Makes the health of the services follow that of the database.
    #[must_use]
    pub fn database(mut self, pool: PgPool) -> Self {
        self.database = Some(pool);
        self
    }

    /// Listens; port 0 takes a free one. Callers that connect now wait until the server runs.
    pub fn bind(mut self, address: SocketAddr) -> Result<Bound, ServeError> {
        let admission = Admission::new(&self.services, self.keys, self.limits.message)?;
        let health = HealthReporter::new();
        self.routes.add_service(HealthServer::new(HealthService::from_health_reporter(health.clone())));
        self.routes.add_service(reflection(&self.services)?);
        let listen = |e| ServeError::Listen(address, e);
        let incoming = TcpIncoming::bind(address).map_err(listen)?.with_nodelay(Some(true));
        Ok(Bound {
            address: incoming.local_addr().map_err(listen)?,
            incoming,
            limits: self.limits,
            admission,
            domain: self.domain,
            routes: self.routes.routes(),
            health,
            services: self.services,
            database: self.database,
        })
    }
}

impl Bound {
    /// The address, with its port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop`, then lingers: health says NOT_SERVING, and calls are still taken until those who watch it have
    /// noticed. Then it drains: streams end with UNAVAILABLE, no new connections, and running calls have the grace period
    /// to end.
    pub async fn run(self, stop: CancellationToken) -> Result<(), ServeError> {
        let Self { limits, admission, domain, routes, incoming, health, services, database, .. } = self;
        // More than the limits, or calls above them would wait at the client instead of being shed.
        let streams = u32::try_from(2 * (limits.calls + limits.streams)).unwrap_or(u32::MAX);
        let drain = CancellationToken::new();
        let stack = Stack::new(domain, limits.clone(), admission, routes, drain.clone());
        let tasks = stack.tasks();
        let watch = watch_health(health, services, database, (stop, limits.linger, drain.clone()));
        let watch = AbortOnDropHandle::new(tokio::spawn(watch));
        let server = tonic::transport::Server::builder()
            .max_concurrent_streams(streams)
            .http2_max_header_list_size(32 << 10)
            // A stream's reader that vanished without a word is found out.
            .http2_keepalive_interval(Some(Duration::from_secs(30)))
            .http2_keepalive_timeout(Some(Duration::from_secs(20)))
            .serve_with_incoming_shutdown(
                stack,
                until(incoming, drain.clone()),
                drain.clone().cancelled_owned(),
            );
        let drained = async {
            drain.cancelled().await;
            tokio::time::sleep(limits.grace).await;
        };
        let result = tokio::select! {
            result = server => result,
            () = drained => {
                tracing::warn!("connections were still open after the grace period");
                Ok(())
            }
        };
        tasks.close();
        if tokio::time::timeout(limits.grace, tasks.wait()).await.is_err() {
            tracing::warn!(calls = tasks.len(), "calls were still running after the grace period");
        }
        drop(watch);
        Ok(result?)
    }
}

/// Completes at SIGTERM or Ctrl-C.
pub async fn told_to_stop() -> io::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        result = tokio::signal::ctrl_c() => result,
    }
}

/// The connections that come until `end`; then it is dropped, so that nobody connects to a server that never answers.
fn until(
    incoming: TcpIncoming,
    end: CancellationToken,
) -> impl Stream<Item = io::Result<tokio::net::TcpStream>> {
    futures::stream::unfold((incoming, end), async |(mut incoming, end)| {
        let next = end.run_until_cancelled(incoming.next()).await.flatten()?;
        Some((next, (incoming, end)))
    })
}

/// Asks the server at `address` whether it serves, as the health check of a container does.
///
/// # Errors
/// UNAVAILABLE: nobody answers there, or the server does not serve now.
pub async fn ask_health(address: SocketAddr) -> Result<(), Status> {
    // An address such as 0.0.0.0 leads to this machine.
    let endpoint = Endpoint::from_shared(format!("http://{address}"));
    let channel = endpoint.map_err(|e| Status::internal(e.to_string()))?.connect_lazy();
    let answer = HealthClient::new(channel).check(HealthCheckRequest::default()).await?;
    match answer.into_inner().status() {
        Answer::Serving => Ok(()),
        other => Err(Status::unavailable(other.as_str_name())),
    }
}

/// Keeps the health of the services (and of "", the server) as the database's, until it is told to stop: then
/// NOT_SERVING, and after the time to linger the word to drain.
async fn watch_health(
    health: HealthReporter,
    services: Vec<&'static str>,
    database: Option<PgPool>,
    (stop, linger, drain): (CancellationToken, Duration, CancellationToken),
) {
    let set = async |status| {
        for name in services.iter().copied().chain([""]) {
            health.set_service_status(name, status).await;
        }
    };
    metrics::counter!("grpc_server_shed_total").increment(0);
    while let Some(healthy) = stop.run_until_cancelled(healthy(database.as_ref())).await {
        metrics::gauge!("grpc_server_serving").set(f64::from(u8::from(healthy)));
        set(if healthy { ServingStatus::Serving } else { ServingStatus::NotServing }).await;
        stop.run_until_cancelled(tokio::time::sleep(CHECK)).await;
    }
    metrics::gauge!("grpc_server_serving").set(0);
    set(ServingStatus::NotServing).await;
    tokio::time::sleep(linger).await;
    drain.cancel();
    // Ends the streams of those who watch it: they would keep the server from draining.
    let mut reporter = health.clone();
    for name in services.iter().copied().chain([""]) {
        reporter.clear_service_status(name).await;
    }
}

async fn healthy(database: Option<&PgPool>) -> bool {
    let Some(pool) = database else { return true };
    measure(pool);
    let began = Instant::now();
    let asked = pg::bounded(CHECK, sqlx::query("select 1").execute(pool)).await;
    // What any call would wait: for a connection, and for the shortest answer.
    metrics::histogram!("database_check_seconds").record(began.elapsed().as_secs_f64());
    matches!(asked, Ok(Ok(_)))
}

/// Tells how much of the pool is in use.
fn measure(pool: &PgPool) {
    let (open, idle) = (pool.size(), u32::try_from(pool.num_idle()).unwrap_or(u32::MAX));
    metrics::gauge!("database_pool_connections", "state" => "idle").set(idle);
    metrics::gauge!("database_pool_connections", "state" => "used").set(open.saturating_sub(idle));
    metrics::gauge!("database_pool_connections_max").set(pool.options().get_max_connections());
    metrics::counter!("database_unavailable_total", "code" => "pool").increment(0);
}

fn reflection(
    services: &[&'static str],
) -> Result<
    impl Service<Request<Body>, Response = http::Response<Body>, Error = Infallible, Future: Send>
    + NamedService
    + Clone
    + Send
    + Sync
    + use<>,
    tonic_reflection::server::Error,
> {
    let builder = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(jingwei_proto::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
    let named = services.iter().chain(&["grpc.health.v1.Health"]);
    named.fold(builder, |builder, name| builder.with_service_name(*name)).build_v1()
}
