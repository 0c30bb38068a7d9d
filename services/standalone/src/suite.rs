//! The suite: databases, services, gateway, started in order and stopped in the other.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jingwei_business_environment_monitor as business_environment_monitor;
use jingwei_cluster::Cluster;
use jingwei_grid::Grid;
use jingwei_grid::config::{Config, Rules};
use jingwei_grid::files::Location;
use jingwei_grid::seal::Keyring;
use jingwei_kit::clock::Clock;
use jingwei_kit::config::Secret;
use jingwei_kit::pg::Database;
use jingwei_kit::stack::Limits;
use jingwei_proto::business_environment_monitor::v1::issue_service_server::SERVICE_NAME as ISSUES;
use jingwei_proto::grid::v1::event_service_server::SERVICE_NAME as EVENTS;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::folder::{self, Held};
use crate::keys::LocalKey;
use crate::{Error, databases};

/// Where a service listens that only the gateway and tests have to find.
const ANY_PORT: ([u8; 4], u16) = ([127, 0, 0, 1], 0);

/// How a suite is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// Its data folder.
    pub dir: PathBuf,
    /// The gateway's port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// A PostgreSQL server that exists, for one who may create databases and roles; a private cluster in the folder where `None`.
    pub database_url: Option<String>,
    /// The time that the services go by.
    pub clock: Clock,
}

/// A running suite.
pub struct Suite {
    gateway: SocketAddr,
    grid: SocketAddr,
    grid_database: Database,
    monitor: SocketAddr,
    cluster: Option<Cluster>,
    /// In the order in which they are stopped: the gateway first.
    running: Vec<Part>,
    /// Cancelled where a part has ended.
    ended: CancellationToken,
    key: LocalKey,
    _held: Held,
}

impl Suite {
    /// Whether the gateway's port is free: asked before what takes long.
    ///
    /// # Errors
    /// The port is taken.
    pub async fn can_listen(options: &Options) -> Result<(), Error> {
        let tried = TcpListener::bind(("127.0.0.1", options.port)).await;
        tried.map(drop).map_err(|e| port_taken(options.port, &e))
    }

    /// Starts everything; when it answers, every part takes calls.
    ///
    /// # Errors
    /// The folder is in use, the port is taken, PostgreSQL is missing or out of reach: the text says what to do.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let held = folder::hold(&options.dir)?;
        let listener =
            TcpListener::bind(("127.0.0.1", options.port)).await.map_err(|e| port_taken(options.port, &e))?;
        let key = LocalKey::open(&options.dir)?;
        let cluster = private_cluster(&options).await?;
        let server = cluster.as_ref().map(|cluster| cluster.url("postgres")).or(options.database_url.clone());
        let suite = match start_all(&options, &server.unwrap_or_default(), &key, listener).await {
            Ok(Started { gateway, grid, grid_database, monitor, running, ended }) => {
                Self { gateway, grid, grid_database, monitor, cluster, running, ended, key, _held: held }
            }
            Err(error) => {
                stop_cluster(cluster).await?;
                return Err(error);
            }
        };
        match suite.ready().await {
            Ok(()) => Ok(suite),
            Err(error) => suite.stop().await.and(Err(error)),
        }
    }

    /// Waits until the gateway says that the services behind it answer.
    async fn ready(&self) -> Result<(), Error> {
        let channel = Endpoint::from_shared(format!("http://{}", self.gateway))?.connect().await?;
        let health = HealthClient::new(channel);
        let serves = async {
            let mut ticks = tokio::time::interval(Duration::from_millis(20));
            for service in [EVENTS, ISSUES] {
                while !is_serving(health.clone(), service).await {
                    ticks.tick().await;
                }
            }
        };
        let in_time = tokio::time::timeout(Duration::from_secs(30), serves).await;
        in_time.map_err(|_| "服务没有就绪 / the services do not get ready".into())
    }

    /// The address for everything outside.
    pub fn gateway(&self) -> SocketAddr {
        self.gateway
    }

    /// The grid service's own gRPC address.
    pub fn grid(&self) -> SocketAddr {
        self.grid
    }

    /// The business-environment monitor's own gRPC address.
    pub fn monitor(&self) -> SocketAddr {
        self.monitor
    }

    /// The grid service's own database: for what an operator does beside the service.
    pub fn grid_database(&self) -> &Database {
        &self.grid_database
    }

    /// Signs tokens that the suite believes.
    pub fn key(&self) -> &LocalKey {
        &self.key
    }

    /// Completes where a part has ended by itself, which none should.
    pub async fn ended(&self) {
        self.ended.cancelled().await;
    }

    /// Stops everything: the gateway drains, then the services, then PostgreSQL.
    ///
    /// # Errors
    /// A part had failed, or PostgreSQL does not stop.
    pub async fn stop(self) -> Result<(), Error> {
        let mut outcome = Ok(());
        for part in self.running {
            part.stop.cancel();
            outcome = outcome.and(part.task.await.map_err(Error::from).flatten());
        }
        stop_cluster(self.cluster).await?;
        outcome
    }
}

async fn is_serving(mut health: HealthClient<Channel>, service: &str) -> bool {
    let said = health.check(HealthCheckRequest { service: service.to_owned() }).await;
    said.is_ok_and(|said| said.get_ref().status() == ServingStatus::Serving)
}

/// A part that runs, and how to stop it.
struct Part {
    stop: CancellationToken,
    task: JoinHandle<Result<(), Error>>,
}

struct Started {
    gateway: SocketAddr,
    grid: SocketAddr,
    grid_database: Database,
    monitor: SocketAddr,
    running: Vec<Part>,
    ended: CancellationToken,
}

async fn start_all(
    options: &Options,
    server: &str,
    key: &LocalKey,
    listener: TcpListener,
) -> Result<Started, Error> {
    if options.database_url.is_none() {
        databases::close_others(server).await?;
    }
    let (gateway, ended) = (listener.local_addr()?, CancellationToken::new());
    let (grid, grid_database, grid_part) = start_grid(options, server, key, gateway, &ended).await?;
    let (monitor, monitor_part) = start_monitor(options, server, key, &ended).await?;
    let backends = [("grid", grid), ("business-environment-monitor", monitor)];
    let backends = backends.map(|(name, at)| Ok((name.to_owned(), format!("http://{at}").parse()?)));
    let mut settings =
        jingwei_gateway::Settings::new(backends.into_iter().collect::<Result<Vec<_>, Error>>()?);
    settings.linger = Duration::ZERO;
    let stop = CancellationToken::new();
    let serving = jingwei_gateway::run(settings, listener, stop.clone());
    let running = vec![run(stop, &ended, async { Ok(serving.await?) }), grid_part, monitor_part];
    Ok(Started { gateway, grid, grid_database, monitor, running, ended })
}

async fn start_grid(
    options: &Options,
    server: &str,
    key: &LocalKey,
    gateway: SocketAddr,
    ended: &CancellationToken,
) -> Result<(SocketAddr, Database, Part), Error> {
    let database = Database::new(databases::ensure(server, "grid", &options.dir).await?);
    jingwei_grid::migrate(&database).await?;
    let config = Config {
        listen: ANY_PORT.into(),
        database: database.clone(),
        keys: key.source(),
        data_keys: data_keys(&options.dir)?,
        limits: limits(),
        rules: Rules { public_url: format!("http://{gateway}"), ..Rules::default() },
        files: Location::Folder(options.dir.join("files")),
    };
    let stop = CancellationToken::new();
    let bound = Grid::bind(config, options.clock.clone(), stop.clone()).await?;
    Ok((bound.address(), database, run(stop, ended, bound.run())))
}

async fn start_monitor(
    options: &Options,
    server: &str,
    key: &LocalKey,
    ended: &CancellationToken,
) -> Result<(SocketAddr, Part), Error> {
    let url = databases::ensure(server, "business_environment_monitor", &options.dir).await?;
    let database = Database::new(url);
    business_environment_monitor::migrate(&database).await?;
    let config = business_environment_monitor::config::Config {
        listen: ANY_PORT.into(),
        database,
        keys: key.source(),
        limits: limits(),
        rules: business_environment_monitor::config::Rules::default(),
    };
    let stop = CancellationToken::new();
    let bound =
        business_environment_monitor::Monitor::bind(config, options.clock.clone(), stop.clone()).await?;
    Ok((bound.address(), run(stop, ended, bound.run())))
}

/// Whoever calls stops with us.
fn limits() -> Limits {
    Limits { linger: Duration::ZERO, ..Limits::default() }
}

/// The key that telephone numbers are sealed with: made once, kept in the data folder, lost with it.
fn data_keys(dir: &Path) -> Result<Keyring, Error> {
    let text = folder::secret(&dir.join("data-keys"), || {
        let mut key = [0; 32];
        aws_lc_rs::rand::fill(&mut key)?;
        Ok(format!("1:{}", BASE64_STANDARD.encode(key)).into_bytes())
    })?;
    let keys = Keyring::parse(&Secret::new(String::from_utf8_lossy(&text)));
    keys.ok_or_else(|| "数据目录中的 data-keys 损坏 / data-keys in the data folder is damaged".into())
}

/// Runs a part; `ended` is cancelled at its end, also where it panics.
fn run(
    stop: CancellationToken,
    ended: &CancellationToken,
    part: impl Future<Output = Result<(), Error>> + Send + 'static,
) -> Part {
    let ended = ended.clone().drop_guard();
    let task = tokio::spawn(async move {
        let _ended = ended;
        part.await
    });
    Part { stop, task }
}

async fn private_cluster(options: &Options) -> Result<Option<Cluster>, Error> {
    if options.database_url.is_some() {
        return Ok(None);
    }
    let options =
        jingwei_cluster::Options { dir: options.dir.join("postgres"), port: None, settings: Vec::new() };
    Ok(Some(tokio::task::spawn_blocking(move || Cluster::start(&options)).await??))
}

async fn stop_cluster(cluster: Option<Cluster>) -> Result<(), Error> {
    let Some(cluster) = cluster else { return Ok(()) };
    Ok(tokio::task::spawn_blocking(move || cluster.stop()).await??)
}

fn port_taken(port: u16, error: &std::io::Error) -> Error {
    format!(
        "不能监听 127.0.0.1:{port}：{error}；请用 --port 另选端口\ncannot listen on 127.0.0.1:{port}: {error}; choose another with --port"
    )
    .into()
}
