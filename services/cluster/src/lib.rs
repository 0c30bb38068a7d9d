//! A private PostgreSQL cluster in a folder: made where the folder is empty, started, adopted where it runs, stopped.
//!
//! PostgreSQL refuses to run as root: then its programs run as the user `postgres` (else `nobody`), who owns the folder.
//! It listens on loopback only, and asks for the password in the file `password` of the folder, which only the owner reads.

pub mod port;
mod programs;
mod state;

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use programs::Programs;
use state::State;

/// The name of the superuser.
pub const SUPERUSER: &str = "jingwei";

/// How long a start, a recovery or a stop may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often one that is under way is looked at.
const PAUSE: Duration = Duration::from_millis(50);

/// How a cluster is started.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Its folder: made where it does not exist. As root, the user that PostgreSQL runs as must be able to reach it.
    pub dir: PathBuf,
    /// The port on 127.0.0.1; a free one where `None`.
    pub port: Option<u16>,
    /// Settings of postgresql.conf, e.g. `("fsync", "off")`; values without spaces.
    pub settings: Vec<(String, String)>,
}

/// A running cluster. Dropping it leaves it running.
#[derive(Debug)]
pub struct Cluster {
    programs: Programs,
    data: PathBuf,
    port: u16,
    password: String,
}

/// Why there is no cluster.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// PostgreSQL is not installed.
    #[error(
        "找不到 PostgreSQL 的 initdb 和 pg_ctl：请安装（Debian：apt-get install postgresql），或用 PG_BIN 指明其 bin 目录\n\
         PostgreSQL's initdb and pg_ctl are not found: install it (Debian: apt-get install postgresql) or name its bin folder in PG_BIN"
    )]
    NotInstalled,
    /// As root, neither `postgres` nor `nobody` exists.
    #[error("以 root 运行时需要用户 postgres 或 nobody\nas root, a user postgres or nobody is needed")]
    NoUser,
    /// A folder cannot be used.
    #[error("不能使用 {path}：{error}\ncannot use {path}: {error}")]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// As root: PostgreSQL's user cannot reach the data.
    #[error(
        "以 root 运行时，PostgreSQL 用非特权用户运行，而该用户进不了 {0}：请另选数据目录（如 /var/lib/jingwei），或执行 chmod o+x {0}\n\
         as root, PostgreSQL runs as an unprivileged user, who may not enter {0}: choose another data folder (such as /var/lib/jingwei) or run chmod o+x {0}"
    )]
    Closed(PathBuf),
    /// One of PostgreSQL's programs failed.
    #[error("{program} 失败：{output}\n{program} failed: {output}")]
    Program {
        /// Which.
        program: &'static str,
        /// What it said.
        output: String,
    },
}

impl Cluster {
    /// Starts the cluster in the folder, or adopts the one that runs there (whose port and settings then stay).
    /// Two processes must not do so at once for one folder: the caller holds a lock.
    ///
    /// # Errors
    /// See `ClusterError`.
    pub fn start(options: &Options) -> Result<Self, ClusterError> {
        let programs = Programs::find()?;
        let dir = make_folder(&options.dir)?;
        programs.enter(&dir)?;
        let data = dir.join("data");
        if !data.join("PG_VERSION").exists() {
            let without_sync = options.settings.iter().any(|(name, value)| name == "fsync" && value == "off");
            create(&programs, &dir, without_sync)?;
        }
        let password = read(&dir.join("password"))?;
        let port = match settled(&data) {
            Some(port) => port,
            None => launch(&programs, options, &dir)?,
        };
        Ok(Self { programs, data, port, password })
    }

    /// Whether a cluster runs in the folder and takes connections.
    #[must_use]
    pub fn is_running(dir: &Path) -> bool {
        let data = fs::canonicalize(dir).map(|dir| State::of(&dir.join("data")));
        matches!(data, Ok(State::Ready(_)))
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of a database for the superuser.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        self.url_of(SUPERUSER, &self.password, database)
    }

    /// The address of a database for a user with a password of letters and digits.
    #[must_use]
    pub fn url_of(&self, user: &str, password: &str, database: &str) -> String {
        format!("postgres://{user}:{password}@127.0.0.1:{}/{database}", self.port)
    }

    /// Stops it: connections are cut, everything committed is kept.
    ///
    /// # Errors
    /// pg_ctl failed.
    pub fn stop(&self) -> Result<(), ClusterError> {
        self.programs.run("pg_ctl", &["-D", &self.data.to_string_lossy(), "-m", "fast", "-w", "stop"])
    }
}

/// Answers with the folder's canonical path: PostgreSQL's programs run elsewhere, and are recognised by it.
fn make_folder(dir: &Path) -> Result<PathBuf, ClusterError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o755).create(dir);
    made.and_then(|()| fs::canonicalize(dir)).map_err(at(dir))
}

/// initdb with a new password, in a folder beside the final one: a killed start leaves nothing half made.
fn create(programs: &Programs, dir: &Path, without_sync: bool) -> Result<(), ClusterError> {
    let (password_file, half_made) = (dir.join("password"), dir.join("data.new"));
    for left in [&password_file, &half_made] {
        remove(left).map_err(at(left))?;
    }
    write_password(&password_file).map_err(at(&password_file))?;
    programs.give(&password_file)?;
    let (half, file) = (half_made.to_string_lossy(), password_file.to_string_lossy());
    let mut arguments = vec!["-D", &half, "-U", SUPERUSER, "--pwfile", &file];
    arguments.extend(["-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8"]);
    if without_sync {
        arguments.push("--no-sync");
    }
    programs.run("initdb", &arguments)?;
    let data = dir.join("data");
    fs::rename(&half_made, &data).map_err(at(&data))
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
    }
}

fn write_password(path: &Path) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(random_password()?.as_bytes())
}

/// The port of the server that runs, once a start or stop that is under way has come to its end; `None` where none runs.
fn settled(data: &Path) -> Option<u16> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match State::of(data) {
            State::Ready(port) => return Some(port),
            State::Busy if Instant::now() < deadline => thread::sleep(PAUSE),
            // One that is busy for so long: PostgreSQL says best what is the matter, when it is started.
            State::Busy | State::Stopped => return None,
        }
    }
}

/// Starts the server; answers with its port.
fn launch(programs: &Programs, options: &Options, dir: &Path) -> Result<u16, ClusterError> {
    let (data, log) = (dir.join("data"), dir.join("log"));
    let deadline = Instant::now() + PATIENCE;
    loop {
        if State::of(&data) == State::Stopped {
            state::clear(&data).map_err(at(&data))?;
        }
        let port = options.port.map_or_else(port::free, Ok).map_err(at(dir))?;
        let settings = settings(options, port);
        let (data, log) = (data.to_string_lossy(), log.to_string_lossy());
        let patience = PATIENCE.as_secs().to_string();
        let started = programs
            .run("pg_ctl", &["-D", &data, "-l", &log, "-o", &settings, "-w", "-t", &patience, "start"]);
        match started {
            // The children of a server that was killed end a moment after it.
            Err(ClusterError::Program { output, .. })
                if output.contains("shared memory block") && Instant::now() < deadline =>
            {
                thread::sleep(PAUSE);
            }
            started => return started.map(|()| port),
        }
    }
}

fn settings(options: &Options, port: u16) -> String {
    // No Unix socket: its path has a length limit, and loopback with a password is enough.
    let mut settings = format!("-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories=''");
    for (name, value) in &options.settings {
        settings.push_str(&format!(" -c {name}={value}"));
    }
    settings
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> ClusterError {
    let path = path.to_owned();
    move |error| ClusterError::Folder { path, error }
}

fn read(path: &Path) -> Result<String, ClusterError> {
    fs::read_to_string(path).map_err(at(path))
}

/// 32 hexadecimal digits.
///
/// # Errors
/// The system has no random bytes.
pub fn random_password() -> io::Result<String> {
    let mut bytes = [0; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
}
