//! Who may import whom, and what every source file has: the rules of the tree, checked on its text.
#![allow(clippy::unwrap_used, reason = "a test's helper may fail the test")]

use std::fs;
use std::path::{Path, PathBuf};

/// What code in a folder never names, and why.
const NEVER: &[(&str, &[&str], &str)] = &[
    (
        "services/grid/src/model",
        &["sqlx", "tonic", "tokio", "jingwei_kit", "jingwei_proto", "crate::store", "crate::api"],
        "the model is pure",
    ),
    (
        "services/grid/src/store",
        &["tonic", "jingwei_proto", "crate::api"],
        "the store knows rows and the model",
    ),
    ("services/grid/src/api", &["sqlx::query", "std::env"], "handlers hold neither SQL nor settings"),
    ("services/kit/src", &["jingwei_grid", "jingwei_gateway", "crate::model"], "kit knows no service"),
    ("gateway/src", &["sqlx", "jingwei_grid"], "the gateway has no database and no service in it"),
    ("services/cluster/src", &["jingwei_kit", "tokio"], "the launcher needs nothing of ours"),
    (
        "services/work-calendar/src",
        &["sqlx", "tonic", "tokio", "jingwei_kit", "jingwei_proto", "jingwei_grid"],
        "the calendar is arithmetic",
    ),
    (
        "services/business-environment-monitor/src/model",
        &[
            "sqlx",
            "tonic",
            "tokio",
            "jingwei_kit",
            "jingwei_proto",
            "jingwei_grid",
            "crate::store",
            "crate::api",
        ],
        "the model is pure",
    ),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every Rust file below a folder.
fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") && !path.ends_with("node_modules") {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found
}

fn all_sources() -> Vec<PathBuf> {
    ["proto", "services", "gateway", "tests"].iter().flat_map(|dir| sources(&root().join(dir))).collect()
}

/// Whether a line names a path, as a whole: `sqlx` is not in `my_sqlx`.
fn names(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + path.len()..].chars().next();
        let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !inside(before) && !inside(after)
    })
}

#[test]
fn nobody_imports_what_is_not_theirs() {
    let mut wrong = Vec::new();
    for (folder, forbidden, why) in NEVER {
        for file in sources(&root().join(folder)) {
            let text = fs::read_to_string(&file).unwrap();
            let code = text.lines().zip(1..).filter(|(line, _)| !line.trim_start().starts_with("//"));
            for (line, number) in code {
                for path in forbidden.iter().filter(|path| names(line, path)) {
                    wrong.push(format!("{}:{number} names {path}: {why}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent =
        all_sources().into_iter().filter(|file| !fs::read_to_string(file).unwrap().starts_with("//!"));
    let silent: Vec<_> = silent.map(|file| file.display().to_string()).collect();
    assert!(silent.is_empty(), "no first line that says the file's one reason:\n{}", silent.join("\n"));
}

/// Not a wall but a light: who is over the budget is printed, and the tree as a whole must keep it.
#[test]
fn files_are_small() {
    let mut lengths: Vec<(usize, PathBuf)> = all_sources()
        .into_iter()
        .map(|file| (fs::read_to_string(&file).unwrap().lines().count(), file))
        .collect();
    lengths.sort();
    for (length, file) in lengths.iter().filter(|(length, _)| *length > 350) {
        println!("{length} lines: {}", file.display());
    }
    let p95 = lengths[lengths.len() * 95 / 100].0;
    assert!(p95 <= 350, "the 95th percentile of file lengths is {p95}, the budget 350");
}
