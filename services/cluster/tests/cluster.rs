//! Clusters of real PostgreSQL.

use jingwei_cluster::{Cluster, Options};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

/// A folder that the user PostgreSQL runs as can reach.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    dir
}

fn start(dir: &tempfile::TempDir) -> Cluster {
    let settings = vec![("fsync".to_owned(), "off".to_owned())];
    Cluster::start(&Options { dir: dir.path().join("pg"), port: None, settings }).unwrap()
}

fn query(cluster: &Cluster, sql: &str) -> String {
    let done = Command::new("psql").args(["-XAtq", "-c", sql, &cluster.url("postgres")]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

#[test]
fn data_outlives_a_stop_and_a_kill() {
    let dir = folder();
    let cluster = start(&dir);
    query(&cluster, "create table kept (x int)");
    query(&cluster, "insert into kept values (7)");
    cluster.stop().unwrap();
    assert!(!Cluster::is_running(&dir.path().join("pg")));

    let cluster = start(&dir);
    assert_eq!(query(&cluster, "select x from kept"), "7");
    let pid = std::fs::read_to_string(dir.path().join("pg/data/postmaster.pid")).unwrap();
    let pid = pid.lines().next().unwrap();
    let children = query(&cluster, "select pg_backend_pid()");
    assert_ne!(children, pid);
    assert!(Command::new("kill").args(["-9", pid]).status().unwrap().success());
    while std::path::Path::new(&format!("/proc/{pid}")).exists() {
        std::thread::yield_now();
    }

    let cluster = start(&dir);
    assert_eq!(query(&cluster, "select x from kept"), "7");
    cluster.stop().unwrap();
}

#[test]
fn a_running_cluster_is_adopted() {
    let dir = folder();
    let first = start(&dir);
    let second = start(&dir);
    assert_eq!(first.port(), second.port());
    assert_eq!(query(&second, "select 1"), "1");
    second.stop().unwrap();
}

#[test]
fn nobody_comes_in_without_the_password() {
    let dir = folder();
    let cluster = start(&dir);
    let wrong = cluster.url_of(jingwei_cluster::SUPERUSER, "wrong", "postgres");
    let refused = Command::new("psql")
        .args(["-c", "select 1", &wrong])
        .env("PGPASSFILE", "/dev/null")
        .output()
        .unwrap();
    assert!(!refused.status.success());
    let mode = std::fs::metadata(dir.path().join("pg/password")).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0);
    cluster.stop().unwrap();
}
