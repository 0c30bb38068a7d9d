//! The suite in this process: the demo district, on a cluster of its own or a server that exists.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use jingwei_cluster::{Cluster, Options as ClusterOptions};
use jingwei_kit::clock::Clock;
use jingwei_standalone::demo::{self, Demo};
use jingwei_standalone::keys::{Grant, read_role, read_scope};
use jingwei_standalone::{Error, Options, Suite};
use serde_json::Value;
use tempfile::TempDir;
use time::Duration;
use tokio_util::sync::CancellationToken;

const CARD: &str = "districts/410182/areas/410182002011001/contactCard";

fn folder() -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).expect("its mode");
    dir
}

fn options(dir: &Path) -> Options {
    Options { dir: dir.to_owned(), port: 0, database_url: None, clock: Clock::system() }
}

async fn load(dir: &Path) {
    demo::load(&options(dir), Demo::District, &CancellationToken::new()).await.expect("it loads");
}

async fn start(dir: &Path) -> Result<Suite, Error> {
    Suite::start(options(dir)).await
}

/// The text of an error; the suite that was not refused is no `Debug`.
async fn refusal(options: Options) -> String {
    match Suite::start(options).await {
        Ok(_) => panic!("it started"),
        Err(error) => error.to_string(),
    }
}

/// GET through the gateway as a grid worker; the status and the JSON.
async fn get(suite: &Suite, path: &str) -> (u16, Value) {
    let grant = Grant {
        role: read_role("grid-worker").expect("a role"),
        scope: read_scope("410182002011001").expect("a scope"),
    };
    let token = suite.key().token("test", None, &grant, Clock::system().now(), Duration::hours(1));
    let url = format!("http://{}{path}", suite.gateway());
    let request = reqwest::Client::new().get(url).bearer_auth(token.expect("a token"));
    let answer = request.send().await.expect("it answers");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

#[tokio::test]
async fn the_demo_district_is_loaded_once_and_kept() {
    let dir = folder();
    load(dir.path()).await;
    let suite = start(dir.path()).await.expect("it starts");
    let (status, card) = get(&suite, &format!("/v1/{CARD}")).await;
    assert_eq!(status, 200, "{card}");
    let roles: Vec<_> = card["people"].as_array().expect("people").iter().map(|p| &p["role"]).collect();
    for role in ["GRID_CHIEF", "GRID_MEMBER", "POLICE_OFFICER", "DOCTOR"] {
        assert!(roles.iter().any(|r| *r == &format!("POSTING_ROLE_{role}")), "{role}: {card}");
    }
    suite.stop().await.expect("it stops");

    // As after a load that was cut off just before its end.
    fs::remove_file(dir.path().join("demo-loaded")).expect("the mark");
    load(dir.path()).await;
    let suite = start(dir.path()).await.expect("it starts again");
    assert_eq!(get(&suite, &format!("/v1/{CARD}")).await.1["people"], card["people"]);
    suite.stop().await.expect("it stops");
}

#[tokio::test]
async fn a_server_that_exists_is_used_and_left_running() {
    let (dir, elsewhere) = (folder(), folder());
    let settings = vec![("fsync".to_owned(), "off".to_owned())];
    let options = ClusterOptions { dir: elsewhere.path().join("pg"), port: None, settings };
    let server = Cluster::start(&options).expect("a server");
    let url = Some(server.url("postgres"));
    let options = Options { database_url: url, ..self::options(dir.path()) };
    let suite = Suite::start(options.clone()).await.expect("it starts");
    let (status, answer) = get(&suite, &format!("/v1/{CARD}")).await;
    assert_eq!(status, 404, "a district without data: {answer}");
    suite.stop().await.expect("it stops");
    assert!(!dir.path().join("postgres").exists(), "no cluster of its own");
    assert!(Cluster::is_running(&elsewhere.path().join("pg")));

    server.stop().expect("it stops");
    let text = refusal(options).await;
    assert!(text.contains("cannot reach the database server"), "{text}");
}
