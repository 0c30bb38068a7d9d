//! Clusters of real PostgreSQL.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use jingwei_cluster::{Cluster, ClusterError, Options, SUPERUSER};
use tempfile::TempDir;

/// A folder for one cluster that stops at the test's end, however that ends.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).expect("its mode");
        Self(dir)
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("pg")
    }

    fn start(&self) -> Cluster {
        self.try_start().expect("a cluster")
    }

    fn try_start(&self) -> Result<Cluster, ClusterError> {
        let settings = vec![("fsync".to_owned(), "off".to_owned())];
        Cluster::start(&Options { dir: self.path(), port: None, settings })
    }

    fn pid_file(&self) -> PathBuf {
        self.path().join("data/postmaster.pid")
    }

    /// Kills the server as a power cut would.
    fn kill(&self) {
        let file = fs::read_to_string(self.pid_file()).expect("a pid file");
        let pid = file.lines().next().expect("a pid");
        assert!(Command::new("kill").args(["-9", pid]).status().expect("kill runs").success());
        while fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|command| !command.is_empty()) {
            std::thread::yield_now();
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if Cluster::is_running(&self.path()) {
            self.try_start().and_then(|cluster| cluster.stop()).expect("it stops");
        }
    }
}

fn psql(url: &str, sql: &str) -> Output {
    Command::new("psql").args(["-XAtqw", "-c", sql, url]).output().expect("psql runs")
}

fn query(cluster: &Cluster, sql: &str) -> String {
    let done = psql(&cluster.url("postgres"), sql);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).trim().to_owned()
}

#[test]
fn data_outlives_a_stop_and_a_kill() {
    let folder = Folder::new();
    let cluster = folder.start();
    query(&cluster, "create table kept as select 7 as x");
    cluster.stop().expect("it stops");
    assert!(!Cluster::is_running(&folder.path()));

    assert_eq!(query(&folder.start(), "select x from kept"), "7");
    folder.kill();
    assert!(!Cluster::is_running(&folder.path()));
    assert_eq!(query(&folder.start(), "select x from kept"), "7");
}

#[test]
fn a_killed_server_whose_pid_belongs_to_another_program_does_not_block() {
    let folder = Folder::new();
    folder.start();
    folder.kill();
    // As after a restart of the machine: this test's own process has the pid now.
    let file = fs::read_to_string(folder.pid_file()).expect("a pid file");
    let (_, rest) = file.split_once('\n').expect("lines");
    fs::write(folder.pid_file(), format!("{}\n{rest}", std::process::id())).expect("it is ours to write");
    assert_eq!(query(&folder.start(), "select 1"), "1");
}

#[test]
fn a_running_cluster_is_adopted() {
    let folder = Folder::new();
    let (first, second) = (folder.start(), folder.start());
    assert_eq!(first.port(), second.port());
    assert_eq!(query(&second, "select 1"), "1");
}

#[test]
fn a_start_that_was_cut_off_half_way_is_done_again() {
    let folder = Folder::new();
    fs::create_dir_all(folder.path().join("data.new/base")).expect("a half made folder");
    fs::write(folder.path().join("password"), "old").expect("an old password");
    assert_eq!(query(&folder.start(), "show server_encoding"), "UTF8");
}

#[test]
fn nobody_comes_in_without_the_password() {
    let folder = Folder::new();
    let cluster = folder.start();
    assert!(psql(&cluster.url("postgres"), "select 1").status.success());
    assert!(!psql(&cluster.url_of(SUPERUSER, "wrong", "postgres"), "select 1").status.success());
    for private in ["password", "data"] {
        let mode = fs::metadata(folder.path().join(private)).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{private}");
    }
}

#[test]
fn a_folder_out_of_reach_is_named() {
    let is_root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    let folder = Folder::new();
    fs::set_permissions(folder.0.path(), Permissions::from_mode(0o700)).expect("its mode");
    // An ordinary user's PostgreSQL runs as that user, who may enter.
    assert_eq!(
        is_root,
        matches!(folder.try_start(), Err(ClusterError::Closed(path)) if path == folder.0.path())
    );
}

#[test]
fn why_a_server_does_not_start_is_told() {
    let folder = Folder::new();
    folder.start().stop().expect("it stops");
    let settings = vec![("shared_buffers".to_owned(), "nonsense".to_owned())];
    let refused =
        Cluster::start(&Options { dir: folder.path(), port: None, settings }).expect_err("nonsense");
    assert!(refused.to_string().contains("shared_buffers"), "{refused}");
    assert!(Path::new(&folder.path().join("log")).exists());
}
