//! Metrics, alerts and the dashboard name the same things: those of the guide's table are told by a running suite, and the
//! alerts and the dashboard ask for nothing else. One test: a process has one recorder of metrics.
#![allow(clippy::unwrap_used, reason = "a test's helper may fail the test")]

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use jingwei_kit::clock::Clock;
use jingwei_kit::config::Settings;
use jingwei_kit::telemetry;
use jingwei_standalone::{Options, Suite};
use regex::Regex;
use serde_json::Value;

const GUIDE: &str = include_str!("../../docs/operations.md");
const ALERTS: &str = include_str!("../../deploy/monitoring/alerts.yml");
const DASHBOARD: &str = include_str!("../../deploy/monitoring/grafana/dashboards/jingwei.json");

/// What Prometheus adds by itself.
const PROMETHEUS: &[&str] = &["up"];

/// The metrics that a PromQL expression asks for.
fn asked(expression: &str) -> Vec<String> {
    // Labels, strings and ranges name no metrics.
    let strip = |text: &str, pattern: &str| Regex::new(pattern).unwrap().replace_all(text, " ").into_owned();
    let text = strip(expression, r#""[^"]*""#);
    let text = strip(&text, r"\{[^}]*\}|\[[^\]]*\]");
    let text = strip(&text, r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)");
    let text = strip(&text, r"\b[0-9]+(ms|[smhdwy])\b");
    let word = Regex::new(r"[a-zA-Z_][a-zA-Z0-9_]*\s*\(?").unwrap();
    let words = word.find_iter(&text).map(|found| found.as_str().trim().to_owned());
    let function_or_operator = |word: &String| {
        word.ends_with('(') || matches!(word.as_str(), "and" | "or" | "unless" | "bool" | "offset")
    };
    words.filter(|word| !function_or_operator(word)).map(|word| plain(&word)).collect()
}

/// The name of a histogram's parts is the histogram's.
fn plain(name: &str) -> String {
    let part = ["_bucket", "_sum", "_count"].iter().find_map(|part| name.strip_suffix(part));
    part.unwrap_or(name).to_owned()
}

/// The metrics of the guide's table.
fn documented() -> BTreeSet<String> {
    let section = GUIDE.split("## Metrics").nth(1).expect("the section").split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    rows.map(|(name, _)| name.split('{').next().unwrap().to_owned()).collect()
}

/// The metrics of a page in Prometheus' text format.
fn told(page: &str) -> BTreeSet<String> {
    let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    types.map(str::to_owned).collect()
}

/// The expressions of all panels, of those in rows too.
fn expressions(panel: &Value) -> Vec<String> {
    let targets = panel["targets"].as_array().into_iter().flatten();
    let own = targets.map(|target| target["expr"].as_str().expect("PromQL").to_owned());
    own.chain(panel["panels"].as_array().into_iter().flatten().flat_map(expressions)).collect()
}

/// What the running suite tells, once every gauge was set.
async fn scrape(address: std::net::SocketAddr, wanted: &BTreeSet<String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let enough = async {
        while !wanted.is_subset(&found) {
            let page = reqwest::get(format!("http://{address}/metrics")).await.unwrap().text().await.unwrap();
            found = told(&page);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), enough).await.ok();
    found
}

#[tokio::test]
async fn the_guide_the_alerts_and_the_dashboard_name_the_metrics_there_are() {
    let listen = ("TEST_METRICS_LISTEN".to_owned(), "127.0.0.1:0".to_owned());
    let mut settings = Settings::from_variables("TEST_", [listen]);
    let telemetry =
        telemetry::start(telemetry::Options::read("test", &mut settings)).await.expect("telemetry");
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    let options = Options { dir: dir.path().to_owned(), port: 0, database_url: None, clock: Clock::system() };
    let suite = Suite::start(options).await.expect("it starts");
    // A call, so that calls are counted.
    let call = format!("http://{}/v1/districts/410182/events", suite.gateway());
    assert_eq!(reqwest::get(call).await.unwrap().status(), 401);

    let documented = documented();
    let found = scrape(telemetry.metrics.expect("served"), &documented).await;
    suite.stop().await.expect("it stops");
    assert_eq!(found, documented, "left what the suite tells, right the guide's table");

    let known: BTreeSet<_> = found.iter().map(String::as_str).chain(PROMETHEUS.iter().copied()).collect();
    let rules = ALERTS.lines().filter_map(|line| line.trim().strip_prefix("expr: ")).map(str::to_owned);
    let rules: Vec<_> = rules.collect();
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("JSON");
    let panels = expressions(&dashboard);
    assert!(rules.len() >= 10 && panels.len() >= 10, "{} rules, {} panels", rules.len(), panels.len());
    for expression in rules.iter().chain(&panels) {
        for name in asked(expression) {
            assert!(known.contains(name.as_str()), "{name} is told by nobody: {expression}");
        }
    }
}

#[test]
fn every_alert_is_explained_in_the_guide_and_none_that_there_is_not() {
    let alerts: BTreeSet<_> =
        ALERTS.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    let section = GUIDE.split("## Alerts").nth(1).expect("the section").split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let explained: BTreeSet<_> = rows.map(|(name, _)| name).collect();
    assert_eq!(alerts, explained);
}
