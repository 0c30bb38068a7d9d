//! A private PostgreSQL cluster in a folder: made where the folder is empty, started, adopted where it runs, stopped.
//!
//! PostgreSQL refuses to run as root: then its programs run as the user `postgres` (else `nobody`), who owns the folder.
//! It listens on loopback only, and asks for the password in the file `password` of the folder, which only the owner reads.

mod programs;

use std::fs;
use std::io::{self, Read as _};
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use programs::Programs;

/// The name of the superuser.
pub const SUPERUSER: &str = "jingwei";

/// How a cluster is started.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Its folder: made where it does not exist. The folders above it must be open to the user that PostgreSQL runs as.
    pub dir: PathBuf,
    /// The port on 127.0.0.1; a free one where `None`.
    pub port: Option<u16>,
    /// Settings of postgresql.conf, e.g. `("fsync", "off")`.
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
    ///
    /// # Errors
    /// See `ClusterError`.
    pub fn start(options: &Options) -> Result<Self, ClusterError> {
        let programs = Programs::find()?;
        make_folder(&options.dir)?;
        programs.give(&options.dir)?;
        let data = options.dir.join("data");
        if !data.join("PG_VERSION").exists() {
            create(&programs, &options.dir, &data)?;
        }
        let password = read(&options.dir.join("password"))?;
        if let Some(port) = running_port(&data) {
            return Ok(Self { programs, data, port, password });
        }
        let port = match options.port {
            Some(port) => port,
            None => free_port().map_err(|error| ClusterError::Folder { path: options.dir.clone(), error })?,
        };
        programs.run("pg_ctl", &start_arguments(options, &data, port))?;
        Ok(Self { programs, data, port, password })
    }

    /// Whether a cluster runs in the folder.
    #[must_use]
    pub fn is_running(dir: &Path) -> bool {
        running_port(&dir.join("data")).is_some()
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
        self.programs.run(
            "pg_ctl",
            &["-D", &self.data.to_string_lossy(), "-m", "fast", "-w", "stop"].map(String::from),
        )
    }
}

fn make_folder(dir: &Path) -> Result<(), ClusterError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o755).create(dir);
    made.map_err(|error| ClusterError::Folder { path: dir.to_owned(), error })
}

/// initdb with a new password, in a folder beside the final one: a killed start leaves nothing half made.
fn create(programs: &Programs, dir: &Path, data: &Path) -> Result<(), ClusterError> {
    let folder = |path: &Path| {
        let path = path.to_owned();
        move |error| ClusterError::Folder { path, error }
    };
    let (password_file, half_made) = (dir.join("password"), dir.join("data.new"));
    if half_made.exists() {
        fs::remove_dir_all(&half_made).map_err(folder(&half_made))?;
    }
    fs::write(&password_file, random_password().map_err(folder(dir))?).map_err(folder(&password_file))?;
    fs::set_permissions(&password_file, fs::Permissions::from_mode(0o600)).map_err(folder(&password_file))?;
    programs.give(&password_file)?;
    let (half, file) = (half_made.to_string_lossy(), password_file.to_string_lossy());
    let arguments = [
        "-D",
        &half,
        "-U",
        SUPERUSER,
        "--pwfile",
        &file,
        "-A",
        "scram-sha-256",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
        "--no-sync",
    ];
    programs.run("initdb", &arguments.map(String::from))?;
    fs::rename(&half_made, data).map_err(folder(data))
}

fn start_arguments(options: &Options, data: &Path, port: u16) -> Vec<String> {
    // No Unix socket: its path has a length limit, and loopback with a password is enough.
    let mut settings = format!("-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories=''");
    for (name, value) in &options.settings {
        settings.push_str(&format!(" -c {name}={value}"));
    }
    let (data, log) = (data.to_string_lossy(), options.dir.join("log"));
    ["-D", &data, "-l", &log.to_string_lossy(), "-o", &settings, "-w", "-t", "60", "start"]
        .map(String::from)
        .to_vec()
}

/// The port of the server that runs on the folder; `None` where none does, also after a kill -9 left its pid file.
fn running_port(data: &Path) -> Option<u16> {
    let file = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let mut lines = file.lines();
    let (pid, port) = (lines.next()?.trim(), lines.nth(2)?.trim().parse().ok()?);
    // A pid may have been given to another program since: its command line tells.
    let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let is_postgres =
        !Path::new("/proc/self").exists() || String::from_utf8_lossy(&command).contains("postgres");
    let answers = std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
    (is_postgres && answers).then_some(port)
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

fn read(path: &Path) -> Result<String, ClusterError> {
    fs::read_to_string(path).map_err(|error| ClusterError::Folder { path: path.to_owned(), error })
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
