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

/// A browser that shows server-sent events: what it has shown, and the id of the last.
struct Page {
    client: reqwest::Client,
    shown: Vec<String>,
    last: Option<String>,
}

impl Page {
    /// Connects as a browser does, with the id that it saw last.
    async fn connect(&self, url: &str, token: &str) -> reqwest::Response {
        let request = self.client.get(url).bearer_auth(token).header("accept", "text/event-stream");
        let request = self.last.iter().fold(request, |request, id| request.header("last-event-id", id));
        let answer = request.send().await.expect("it answers");
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["content-type"]),
            (200, &"text/event-stream".parse().expect("a value"))
        );
        answer
    }

    /// Shows so many events, whole ones only; what else came is lost with the connection.
    async fn show(&mut self, mut answer: reqwest::Response, count: usize) {
        let (mut text, wanted) = (Vec::new(), self.shown.len() + count);
        while self.shown.len() < wanted {
            let Some(end) = text.windows(2).position(|two| two == b"\n\n") else {
                let more = tokio::time::timeout(std::time::Duration::from_secs(20), answer.chunk()).await;
                text.extend(more.expect("more in time").expect("no error").expect("no end"));
                continue;
            };
            let event = String::from_utf8(text.drain(..end + 2).collect()).expect("text");
            // A line that begins with a colon only keeps the connection alive.
            let Some((id, data)) = event.strip_prefix("id: ").and_then(|event| event.split_once("\ndata: "))
            else {
                assert_eq!(event, ":\n\n");
                continue;
            };
            let change: Value = serde_json::from_str(data).expect("JSON");
            assert_eq!(change["transition"]["action"], "EVENT_ACTION_REPORT");
            self.shown.push(change["event"].as_str().expect("a name").to_owned());
            self.last = Some(id.to_owned());
        }
    }
}

#[tokio::test]
async fn a_live_page_that_loses_its_connection_shows_everything_once() {
    const EVENTS: usize = 60;
    let dir = folder();
    load(dir.path()).await;
    let suite = start(dir.path()).await.expect("it starts");
    let grant = Grant {
        role: read_role("grid-worker").expect("a role"),
        scope: read_scope("410182002011001").expect("a scope"),
    };
    let token =
        suite.key().token("test", None, &grant, Clock::system().now(), Duration::hours(1)).expect("a token");
    let events = format!("http://{}/v1/districts/410182/events", suite.gateway());
    let client = reqwest::Client::new();
    let report = async || {
        let body = serde_json::json!({
            "category": "districts/410182/categories/exposed-rubbish",
            "area": "districts/410182/areas/410182002011001",
            "description": "路口堆着垃圾",
        });
        let request = client.post(&events).bearer_auth(&token).json(&body);
        let answer: Value = request.send().await.expect("it answers").json().await.expect("JSON");
        answer["name"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    };
    let (mut page, watch) =
        (Page { client: client.clone(), shown: Vec::new(), last: None }, format!("{events}:watch"));
    let mut answer = page.connect(&watch, &token).await;
    let writing = async {
        let mut names = Vec::new();
        for _ in 0..EVENTS / 2 {
            let (one, other) = tokio::join!(report(), report());
            names.extend([one, other]);
        }
        names
    };
    let showing = async {
        // Until it has seen one there is nothing to resume by.
        page.show(answer, 1).await;
        while page.shown.len() < EVENTS {
            answer = page.connect(&watch, &token).await;
            let count = (page.shown.len() % 3).min(EVENTS - page.shown.len());
            page.show(answer, count.max(1)).await;
        }
    };
    let (mut names, ()) = tokio::join!(writing, showing);
    names.push(report().await);
    page.show(page.connect(&watch, &token).await, 1).await;
    assert_eq!(page.shown.last(), names.last(), "nothing else came in between");
    names.sort();
    page.shown.sort();
    assert_eq!(page.shown, names);
    suite.stop().await.expect("it stops");
}
