//! The tables of settings in the operator's guide: every variable that the programs read, with the default that it has.
#![allow(clippy::unwrap_used, reason = "a test's helper may fail the test")]

use std::collections::{BTreeMap, BTreeSet};

use jingwei_business_environment_monitor::config::Config as MonitorConfig;
use jingwei_grid::config::Config;
use jingwei_kit::config::Settings;
use jingwei_kit::telemetry;

const GUIDE: &str = include_str!("../../docs/operations.md");
/// What has no default, so that there is something to start with. A key of 32 zero bytes.
const GRID: &[(&str, &str)] = &[
    ("GRID_DATABASE_URL", "postgres://grid@127.0.0.1/grid"),
    ("GRID_JWKS_URL", "http://127.0.0.1/jwks"),
    ("GRID_DATA_KEYS", "1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
];
const MONITOR: &[(&str, &str)] = &[
    ("BUSINESS_ENVIRONMENT_MONITOR_DATABASE_URL", "postgres://monitor@127.0.0.1/monitor"),
    ("BUSINESS_ENVIRONMENT_MONITOR_JWKS_URL", "http://127.0.0.1/jwks"),
];
const BUCKET: &[(&str, &str)] =
    &[("GRID_FILES", "s3://bucket"), ("GRID_FILES_ACCESS_KEY", "id"), ("GRID_FILES_SECRET_KEY", "key")];
const GATEWAY: &[(&str, &str)] = &[("GATEWAY_GRID_URL", "http://127.0.0.1:50051")];

/// The rows of the guide whose first cell is a variable that begins so: its name, and its default where it has one.
fn documented(prefix: &str) -> BTreeMap<String, Option<String>> {
    let code = |cell: &str| Some(cell.trim().strip_prefix('`')?.strip_suffix('`')?.to_owned());
    let row = |line: &str| {
        let mut cells = line.strip_prefix('|')?.split('|');
        let name = code(cells.next()?).filter(|name| name.starts_with(prefix))?;
        Some((name, cells.next().and_then(code)))
    };
    GUIDE.lines().filter_map(row).collect()
}

fn variables(given: &[(&str, &str)], prefix: &str) -> Settings {
    let owned = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings::from_variables(prefix, owned)
}

/// What the grid service makes of these variables, and which it asked for.
fn grid(given: &[(&str, &str)]) -> (String, BTreeSet<String>) {
    let mut settings = variables(given, "GRID_");
    let read = format!("{:#?}", Config::read(&mut settings));
    let asked = settings.asked().clone();
    settings.finish().expect("nothing is wrong");
    (read, asked)
}

/// The same of the business-environment monitor.
fn monitor(given: &[(&str, &str)]) -> (String, BTreeSet<String>) {
    let mut settings = variables(given, "BUSINESS_ENVIRONMENT_MONITOR_");
    let read = format!("{:#?}", MonitorConfig::read(&mut settings));
    let asked = settings.asked().clone();
    settings.finish().expect("nothing is wrong");
    (read, asked)
}

/// The same of the gateway. What it takes from the protos is left out of the text: it is long.
fn gateway(given: &[(&str, &str)]) -> (String, BTreeSet<String>) {
    let mut settings = variables(given, "GATEWAY_");
    let mut read = jingwei_gateway::Settings::read(&mut settings);
    read.descriptors = (&[]).into();
    let listen = jingwei_gateway::listen(&mut settings);
    let telemetry = telemetry::Options::read("gateway", &mut settings);
    let asked = settings.asked().clone();
    settings.finish().expect("nothing is wrong");
    (format!("{read:#?} {listen} {telemetry:#?}"), asked)
}

fn names(documented: &BTreeMap<String, Option<String>>) -> BTreeSet<String> {
    documented.keys().cloned().collect()
}

/// `given`, with the defaults that the guide names.
fn spelled_out<'a>(
    given: &[(&'a str, &'a str)],
    documented: &'a BTreeMap<String, Option<String>>,
) -> Vec<(&'a str, &'a str)> {
    let defaults = documented.iter().filter_map(|(name, default)| Some((name.as_str(), default.as_deref()?)));
    defaults.chain(given.iter().copied()).collect()
}

#[test]
fn every_setting_of_the_grid_service_is_in_the_guide() {
    let (_, asked) = grid(GRID);
    let (_, with_bucket) = grid(&[GRID, BUCKET].concat());
    assert_eq!(asked.union(&with_bucket).cloned().collect::<BTreeSet<_>>(), names(&documented("GRID_")));
}

#[test]
fn every_setting_of_the_monitor_is_in_the_guide() {
    assert_eq!(monitor(MONITOR).1, names(&documented("BUSINESS_ENVIRONMENT_MONITOR_")));
}

#[test]
fn every_setting_of_the_gateway_is_in_the_guide() {
    assert_eq!(gateway(GATEWAY).1, names(&documented("GATEWAY_")));
}

#[test]
fn the_defaults_in_the_guide_are_the_defaults() {
    let guide = documented("GRID_");
    assert_eq!(grid(&spelled_out(GRID, &guide)).0, grid(GRID).0);
    let guide = documented("BUSINESS_ENVIRONMENT_MONITOR_");
    assert_eq!(monitor(&spelled_out(MONITOR, &guide)).0, monitor(MONITOR).0);
    let guide = documented("GATEWAY_");
    assert_eq!(gateway(&spelled_out(GATEWAY, &guide)).0, gateway(GATEWAY).0);
    assert!(guide.values().flatten().count() > 5, "the table has defaults");
}
