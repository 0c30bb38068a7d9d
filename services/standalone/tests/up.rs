//! `jingwei` as an operator meets it: the binary itself, its data folder, its signals.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use jingwei_cluster::Cluster;
use tempfile::TempDir;

/// A folder that the user PostgreSQL runs as can reach.
fn folder() -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).expect("its mode");
    dir
}

fn command(what: &str, dir: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jingwei"));
    command.arg(what).arg("--data-dir").arg(dir).args(more);
    command
}

/// What it says on its way out, when it is refused.
fn refused(what: &str, dir: &Path, more: &[&str]) -> String {
    let Output { status, stderr, .. } = command(what, dir, more).output().expect("it runs");
    assert!(!status.success());
    String::from_utf8(stderr).expect("text")
}

/// A running `jingwei up`; where a test fails before its end, it and its PostgreSQL are killed.
struct Up<'a> {
    dir: &'a Path,
    child: Child,
    address: String,
}

impl<'a> Up<'a> {
    /// Starts it, and waits until it says that it is up.
    fn start(dir: &'a Path) -> Self {
        let child = command("up", dir, &["--port", "0", "--no-demo"]).stdout(Stdio::piped()).spawn();
        let mut up = Self { dir, child: child.expect("it runs"), address: String::new() };
        let output = BufReader::new(up.child.stdout.as_mut().expect("piped"));
        let told = output.lines().map_while(Result::ok).find(|line| line.contains("http://"));
        let told = told.expect("a line with the address");
        let address = told.split_whitespace().find(|word| word.starts_with("http://"));
        up.address = address.expect("an address").to_owned();
        up
    }

    fn port(&self) -> &str {
        self.address.rsplit(':').next().expect("a port")
    }

    /// Sends it a signal; answers with its exit code, `None` where the signal ended it.
    fn end(&mut self, signal: &str) -> Option<i32> {
        send(signal, &self.child.id().to_string());
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Up<'_> {
    fn drop(&mut self) {
        self.child.kill().ok();
        let pid_file = fs::read_to_string(self.dir.join("postgres/data/postmaster.pid"));
        if let Some(pid) = pid_file.ok().as_ref().and_then(|file| file.lines().next()) {
            send("-QUIT", pid);
        }
    }
}

fn send(signal: &str, pid: &str) {
    assert!(Command::new("kill").args([signal, pid]).status().expect("kill runs").success());
}

/// The HTTP status of a request that needs a token.
fn status(address: &str, token: &str) -> String {
    let header = format!("authorization: Bearer {token}");
    let curl = ["--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--header", &header];
    let url = format!("{address}/v1/districts/410182/areas");
    let answer = Command::new("curl").args(curl).arg(url).output().expect("curl runs");
    String::from_utf8(answer.stdout).expect("text")
}

#[test]
fn a_folder_and_a_port_are_used_once() {
    let (dir, other) = (folder(), folder());
    let mut up = Up::start(dir.path());
    let text = refused("up", dir.path(), &["--port", "0"]);
    assert!(text.contains(&up.child.id().to_string()), "it names who has the folder: {text}");
    assert!(text.contains("--data-dir"), "{text}");
    let text = refused("up", other.path(), &["--port", up.port()]);
    assert!(text.contains(up.port()) && text.contains("--port"), "{text}");
    assert_eq!(up.end("-TERM"), Some(0));
}

#[test]
fn a_killed_run_does_not_block_the_next_and_a_told_one_stops_all() {
    let dir = folder();
    let cluster = dir.path().join("postgres");
    // Forgotten: its PostgreSQL is left to the next run.
    let mut killed = std::mem::ManuallyDrop::new(Up::start(dir.path()));
    assert_eq!(killed.end("-KILL"), None);
    assert!(Cluster::is_running(&cluster), "left behind by the kill");

    for signal in ["-TERM", "-INT"] {
        let mut up = Up::start(dir.path());
        assert_eq!(up.end(signal), Some(0), "{signal}");
        assert!(!Cluster::is_running(&cluster), "{signal}");
        let port = up.port().parse().expect("a port");
        TcpListener::bind(("127.0.0.1", port)).expect("nobody listens");
    }
}

#[test]
fn a_token_of_the_folder_is_believed_and_another_is_not() {
    let (dir, other) = (folder(), folder());
    let token = |dir: &Path| {
        let made = command("token", dir, &["--role", "administrator", "--scope", "410182"]).output();
        String::from_utf8(made.expect("it runs").stdout).expect("text").trim().to_owned()
    };
    // Also one made before the first start.
    let early = token(dir.path());
    let mut up = Up::start(dir.path());
    let statuses = [early, token(dir.path()), token(other.path())].map(|token| status(&up.address, &token));
    assert_eq!(statuses, ["200", "200", "401"]);
    assert_eq!(up.end("-INT"), Some(0));
}

#[test]
fn a_token_that_cannot_be_given_is_explained() {
    let dir = folder();
    let text = refused("token", dir.path(), &["--role", "king", "--scope", "410182"]);
    assert!(text.contains("grid-worker") && text.contains("没有这个角色"), "{text}");
    let text = refused("token", dir.path(), &["--role", "grid-worker", "--scope", "4101"]);
    assert!(text.contains("districts/410182/areas/410182002"), "{text}");
}

#[test]
fn a_role_reaches_its_own_database_only() {
    let dir = folder();
    let mut up = Up::start(dir.path());
    let password = fs::read_to_string(dir.path().join("grid.password")).expect("a password");
    let pid_file = fs::read_to_string(dir.path().join("postgres/data/postmaster.pid")).expect("a pid file");
    let port = pid_file.lines().nth(3).expect("a port");
    let connect = |database: &str| {
        let url = format!("postgres://jingwei_grid:{password}@127.0.0.1:{port}/{database}");
        let done = Command::new("psql").args(["-XAtqwc", "select 1", &url]).output().expect("psql runs");
        String::from_utf8([done.stdout, done.stderr].concat()).expect("text")
    };
    assert_eq!(connect("jingwei_grid"), "1\n");
    for database in ["postgres", "template1"] {
        let text = connect(database);
        assert!(text.contains("permission denied for database"), "{database}: {text}");
    }
    assert_eq!(up.end("-TERM"), Some(0));
}
