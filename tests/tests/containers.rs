//! What can be said of Dockerfile and docker-compose.yml without an engine; with one, tests/deployment/run says the rest.
#![allow(clippy::unwrap_used, reason = "a test's helper may fail the test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn text(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(file)).unwrap()
}

/// The settings of the programs that a text names.
fn settings(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'));
    words
        .filter(|word| {
            ["GRID_", "BUSINESS_ENVIRONMENT_MONITOR_", "GATEWAY_"]
                .iter()
                .any(|prefix| word.starts_with(prefix))
        })
        .collect()
}

/// The blocks below `services:`, each with its name.
fn services(compose: &str) -> Vec<(&str, String)> {
    let mut found: Vec<(&str, String)> = Vec::new();
    let lines = compose.lines().skip_while(|line| *line != "services:").skip(1);
    for line in lines.take_while(|line| line.is_empty() || line.starts_with([' ', '#'])) {
        match line.strip_prefix("  ").and_then(|line| line.strip_suffix(':')) {
            Some(name) if !name.starts_with([' ', '#']) => found.push((name, String::new())),
            _ => found.last_mut().unwrap().1.push_str(&format!("{line}\n")),
        }
    }
    found
}

#[test]
fn containers_are_given_settings_that_exist() {
    let (docs, compose, dockerfile) =
        (text("docs/operations.md"), text("docker-compose.yml"), text("Dockerfile"));
    let known = settings(&docs);
    let given: BTreeSet<_> = settings(&compose).union(&settings(&dockerfile)).copied().collect();
    assert!(given.len() > 10, "only {given:?} were found");
    let unknown: Vec<_> = given.difference(&known).collect();
    assert!(unknown.is_empty(), "docs/operations.md does not know {unknown:?}");
}

#[test]
fn every_container_is_confined_and_its_image_is_of_one_version() {
    let (compose, dockerfile) = (text("docker-compose.yml"), text("Dockerfile"));
    let services = services(&compose);
    let names: Vec<_> = services.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names,
        ["postgres", "grid", "business-environment-monitor", "gateway", "prometheus", "grafana"]
    );
    for (name, block) in &services {
        for line in ["    <<: *container", "    mem_limit: ", "    networks: "] {
            assert!(block.contains(line), "{name} has no {}", line.trim());
        }
        let image = block.lines().find_map(|line| line.strip_prefix("    image: ")).unwrap();
        let (_, tag) = image.rsplit_once([':', '-']).unwrap();
        assert!(
            image.contains(':') && tag.contains(|c: char| c.is_ascii_digit()) || image.contains("bookworm")
        );
        if let Some((_, target)) = block.split_once("target: ") {
            let target = target.split_whitespace().next().unwrap();
            assert!(dockerfile.contains(&format!(" AS {target}\n")), "the Dockerfile has no {target}");
        }
    }
    for base in dockerfile.lines().filter_map(|line| line.strip_prefix("ARG ")?.split_once("_BASE=")) {
        assert!(base.1.contains(':') && !base.1.ends_with("latest"), "{} is of any version", base.1);
    }
}
