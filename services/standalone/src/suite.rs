//! The suite: databases, services, gateway, started in order and stopped in the other.

use std::net::SocketAddr;
use std::path::PathBuf;

use jingwei_cluster::Cluster;
use jingwei_grid::Grid;
use jingwei_grid::config::{Config, Rules};
use jingwei_kit::clock::Clock;
use jingwei_kit::pg::Database;
use jingwei_kit::stack::Limits;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::folder::{self, Held};
use crate::keys::LocalKey;
use crate::{Error, databases};

/// How a suite is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// Its data folder.
    pub dir: PathBuf,
    /// The gateway's port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// A PostgreSQL server that exists, for one who may create databases and roles; a private cluster in the folder where `None`.
    pub database_url: Option<String>,
}

/// A running suite.
pub struct Suite {
    gateway: SocketAddr,
    grid: SocketAddr,
    cluster: Option<Cluster>,
    running: Vec<(CancellationToken, JoinHandle<Result<(), Error>>)>,
    key: LocalKey,
    _held: Held,
}

impl Suite {
    /// Starts everything; when it answers, every part takes calls.
    ///
    /// # Errors
    /// The folder is in use, the port is taken, PostgreSQL is missing or out of reach: the text says what to do.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let held = folder::hold(&options.dir)?;
        let listener = TcpListener::bind(("127.0.0.1", options.port)).await.map_err(|e| port_taken(options.port, &e))?;
        let key = LocalKey::open(&options.dir)?;
        let (cluster, server) = database_server(&options).await?;
        let started = start_all(&options, &server, &key, listener).await;
        match started {
            Ok((gateway, grid, running)) => Ok(Self { gateway, grid, cluster, running, key, _held: held }),
            Err(error) => {
                stop_cluster(cluster).await?;
                Err(error)
            }
        }
    }

    /// The address for everything outside.
    pub fn gateway(&self) -> SocketAddr {
        self.gateway
    }

    /// The grid service's own gRPC address.
    pub fn grid(&self) -> SocketAddr {
        self.grid
    }

    /// Signs tokens that the suite believes.
    pub fn key(&self) -> &LocalKey {
        &self.key
    }

    /// Completes where a part has ended by itself, which none should.
    pub async fn ended(&self) {
        let mut ticks = tokio::time::interval(std::time::Duration::from_millis(500));
        while self.running.iter().all(|(_, task)| !task.is_finished()) {
            ticks.tick().await;
        }
    }

    /// Stops everything: the gateway drains, then the services, then PostgreSQL.
    ///
    /// # Errors
    /// A part had failed, or PostgreSQL does not stop.
    pub async fn stop(self) -> Result<(), Error> {
        let mut outcome = Ok(());
        for (stop, task) in self.running {
            stop.cancel();
            outcome = outcome.and(task.await.map_err(Error::from).flatten());
        }
        stop_cluster(self.cluster).await?;
        outcome
    }
}

/// Answers in the order in which the parts are stopped: the gateway first.
type Started = (SocketAddr, SocketAddr, Vec<(CancellationToken, JoinHandle<Result<(), Error>>)>);

async fn start_all(options: &Options, server: &str, key: &LocalKey, listener: TcpListener) -> Result<Started, Error> {
    let gateway = listener.local_addr()?;
    let database = Database::new(databases::ensure(server, "grid", &options.dir).await?);
    jingwei_grid::migrate(&database).await?;
    let (stop_grid, stop_gateway) = (CancellationToken::new(), CancellationToken::new());
    let config = Config {
        listen: ([127, 0, 0, 1], 0).into(),
        database,
        keys: key.source(),
        limits: Limits::default(),
        rules: Rules { public_url: format!("http://{gateway}"), ..Rules::default() },
    };
    let grid = Grid::bind(config, Clock::system(), stop_grid.clone()).await?;
    let address = grid.address();
    let settings = jingwei_gateway::Settings::new([("grid".to_owned(), format!("http://{address}").parse()?)]);
    let grid = tokio::spawn(grid.run());
    let serving = jingwei_gateway::run(settings, listener, stop_gateway.clone());
    let serving = tokio::spawn(async move { Ok(serving.await?) });
    Ok((gateway, address, vec![(stop_gateway, serving), (stop_grid, grid)]))
}

async fn database_server(options: &Options) -> Result<(Option<Cluster>, String), Error> {
    if let Some(url) = &options.database_url {
        return Ok((None, url.clone()));
    }
    let dir = options.dir.join("postgres");
    let settings = vec![("max_connections".to_owned(), "100".to_owned())];
    let options = jingwei_cluster::Options { dir, port: None, settings };
    let cluster = tokio::task::spawn_blocking(move || Cluster::start(&options)).await??;
    let server = cluster.url("postgres");
    databases::close_others(&server).await?;
    Ok((Some(cluster), server))
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
