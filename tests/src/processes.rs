//! The suite as separate processes: PostgreSQL, replicas of the grid service, the gateway before them.

use std::fs::{self, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use jingwei_cluster::Cluster;
use jingwei_kit::clock::Clock;
use jingwei_proto::access::v1::Role;
use jingwei_standalone::databases;
use jingwei_standalone::keys::{Grant, LocalKey, read_scope};
use rustix::process::{Pid, Signal, kill_process};
use time::Duration;
use tonic::transport::Endpoint;

use crate::{District, Error, Process, session};

/// What the processes seal telephone numbers with.
pub const DATA_KEYS: &str = "test:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// How the processes are started.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where everything is kept: the database, files, logs.
    pub folder: PathBuf,
    /// How many replicas of the grid service.
    pub grids: usize,
    /// Settings of postgresql.conf.
    pub postgres: Vec<(String, String)>,
    /// The services reach PostgreSQL there: a proxy. By itself where `None`.
    pub database_at: Option<SocketAddr>,
    /// Settings of the grid service, without prefix.
    pub grid: Vec<(String, String)>,
    /// Settings of the gateway, without prefix.
    pub gateway: Vec<(String, String)>,
}

impl Options {
    /// One grid service and a gateway without a rate limit, on a PostgreSQL that is as it comes.
    pub fn new(folder: &Path) -> Self {
        let gateway = vec![("RATE_PER_CALLER".to_owned(), "0".to_owned())];
        Self {
            folder: folder.to_owned(),
            grids: 1,
            postgres: Vec::new(),
            database_at: None,
            grid: Vec::new(),
            gateway,
        }
    }
}

/// The processes, all of them stopped when this is dropped.
pub struct Processes {
    /// The replicas of the grid service.
    pub grids: Vec<Process>,
    /// The gateway.
    pub gateway: Process,
    options: Options,
    cluster: Cluster,
    key: LocalKey,
}

impl Processes {
    /// Starts everything; when it answers, the gateway serves.
    ///
    /// # Errors
    /// A part does not start.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let mut processes = Self::prepare(options).await?;
        processes.serve().await?;
        Ok(processes)
    }

    /// Starts what is ready to be started.
    ///
    /// # Errors
    /// A part does not start.
    pub async fn serve(&mut self) -> Result<(), Error> {
        for grid in &mut self.grids {
            grid.start().await?;
        }
        self.gateway.start().await
    }

    /// Starts PostgreSQL, with the database; the rest is ready to be started.
    ///
    /// # Errors
    /// PostgreSQL does not start, or a program is not built.
    pub async fn prepare(options: Options) -> Result<Self, Error> {
        let folder = &options.folder;
        fs::create_dir_all(folder)?;
        // PostgreSQL may run as another user.
        fs::set_permissions(folder, Permissions::from_mode(0o755))?;
        let cluster = start_postgres(&options, None).await?;
        let key = LocalKey::open(folder)?;
        let database = databases::ensure(&cluster.url("postgres"), "grid", folder).await?;
        let settings = grid_settings(&options, &at(&database, cluster.port(), options.database_at));
        let grid = |n| Process::new("jingwei-grid", "GRID_", &format!("grid-{n}"), folder, &settings);
        let grids = (0..options.grids).map(grid).collect::<Result<Vec<_>, _>>()?;
        let urls: Vec<_> = grids.iter().map(|grid| format!("http://{}", grid.address())).collect();
        let mut settings = vec![("GRID_URL".to_owned(), urls.join(","))];
        settings.extend(options.gateway.iter().cloned());
        let gateway = Process::new("jingwei-gateway", "GATEWAY_", "gateway", folder, &settings)?;
        Ok(Self { grids, gateway, options, cluster, key })
    }

    /// The address of the grid service's database for a superuser.
    pub fn database(&self) -> String {
        self.cluster.url("jingwei_grid")
    }

    /// PostgreSQL's own address.
    pub fn postgres(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.cluster.port()).into()
    }

    /// The process id of PostgreSQL's first process.
    ///
    /// # Errors
    /// It does not run.
    pub fn postgres_pid(&self) -> Result<u32, Error> {
        let file = fs::read_to_string(self.options.folder.join("postgres/data/postmaster.pid"))?;
        Ok(file.lines().next().unwrap_or_default().parse()?)
    }

    /// kill -9 of PostgreSQL's first process; its children notice and end.
    ///
    /// # Errors
    /// It does not run.
    pub fn kill_postgres(&self) -> Result<(), Error> {
        let pid = Pid::from_raw(self.postgres_pid()?.try_into()?).ok_or("no process id")?;
        Ok(kill_process(pid, Signal::KILL)?)
    }

    /// Starts PostgreSQL again where it was.
    ///
    /// # Errors
    /// It does not start.
    pub async fn restart_postgres(&mut self) -> Result<(), Error> {
        self.cluster = start_postgres(&self.options, Some(self.cluster.port())).await?;
        Ok(())
    }

    /// A district that has what events need, made through the first replica.
    ///
    /// # Errors
    /// A call was refused.
    pub async fn set_up(&self, district: &District) -> Result<(), Error> {
        let channel = Endpoint::from_shared(format!("http://{}", self.grids[0].address()))?.connect().await?;
        let token = self.token("administrator", Role::Administrator, &district.code.to_string())?;
        district.set_up(&session(&channel, &token)?).await
    }

    /// A token that the services believe, valid for a day.
    ///
    /// # Errors
    /// The scope cannot be read.
    pub fn token(&self, subject: &str, role: Role, scope: &str) -> Result<String, Error> {
        let grant = Grant { role, scope: read_scope(scope)? };
        self.key.token(subject, None, &grant, Clock::system().now(), Duration::days(1))
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        // The cluster would stay otherwise; where it was killed there is nothing to stop.
        self.cluster.stop().ok();
    }
}

async fn start_postgres(options: &Options, port: Option<u16>) -> Result<Cluster, Error> {
    let options = jingwei_cluster::Options {
        dir: options.folder.join("postgres"),
        port,
        settings: options.postgres.clone(),
    };
    Ok(tokio::task::spawn_blocking(move || Cluster::start(&options)).await??)
}

/// The address of the database by way of a proxy.
fn at(database: &str, port: u16, proxy: Option<SocketAddr>) -> String {
    proxy.map_or_else(
        || database.to_owned(),
        |proxy| database.replace(&format!("127.0.0.1:{port}"), &proxy.to_string()),
    )
}

fn grid_settings(options: &Options, database: &str) -> Vec<(String, String)> {
    let path = |name: &str| options.folder.join(name).display().to_string();
    let own = [
        ("DATABASE_URL", database.to_owned()),
        ("JWKS_FILE", path("jwks.json")),
        ("DATA_KEYS", DATA_KEYS.to_owned()),
        ("FILES", path("files")),
        ("LOG", "warn".to_owned()),
    ];
    let own = own.into_iter().map(|(name, value)| (name.to_owned(), value));
    own.chain(options.grid.iter().cloned()).collect()
}
