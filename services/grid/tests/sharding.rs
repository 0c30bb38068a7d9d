//! That the schema can be sharded by district: keys, references, the list in deploy/citus.sql, and the statements.

use std::collections::BTreeSet;
use std::fs;

use jingwei_grid::MIGRATIONS;
use jingwei_kit::testing::database;
use regex::Regex;
use sqlx::PgPool;

const CITUS: &str = include_str!("../../../deploy/citus.sql");
const GUIDE: &str = include_str!("../../../docs/operations.md");

async fn schema() -> PgPool {
    database(&MIGRATIONS).await.connect().await.expect("a database")
}

/// The tables that deploy/citus.sql distributes, in its order.
fn distributed() -> Vec<&'static str> {
    let lines = CITUS.lines().filter_map(|line| line.strip_prefix("select create_distributed_table('"));
    lines
        .map(|line| {
            let (table, rest) = line.split_once("', ").expect("a name in quotes");
            assert!(rest.starts_with("'district', colocate_with => '"), "{line}");
            table
        })
        .collect()
}

async fn names(pool: &PgPool, sql: &'static str) -> Vec<String> {
    sqlx::query_scalar(sql).fetch_all(pool).await.expect("the catalogue answers")
}

#[tokio::test]
async fn every_key_begins_with_the_district() {
    let sql = "select i.indexrelid::regclass::text from pg_index i join pg_class t on t.oid = i.indrelid
        left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
      where t.relnamespace = 'public'::regnamespace and t.relname <> '_sqlx_migrations'
        and (i.indisunique or i.indisprimary or i.indisexclusion) and a.attname is distinct from 'district'";
    assert_eq!(names(&schema().await, sql).await, Vec::<String>::new());
}

#[tokio::test]
async fn every_table_has_a_key_and_knows_its_district() {
    let sql = "select t.relname::text from pg_class t where t.relnamespace = 'public'::regnamespace and t.relkind in ('r', 'p')
        and t.relname <> '_sqlx_migrations'
        and (not exists (select from pg_index i where i.indrelid = t.oid and i.indisprimary)
          or not exists (select from pg_attribute a where a.attrelid = t.oid and a.attname = 'district'
            and a.attnotnull and a.atttypid = 'integer'::regtype))";
    assert_eq!(names(&schema().await, sql).await, Vec::<String>::new());
}

#[tokio::test]
async fn every_reference_stays_in_the_district() {
    let sql = "select c.conname::text from pg_constraint c
      where c.contype = 'f' and c.connamespace = 'public'::regnamespace and not exists (
        select from unnest(c.conkey, c.confkey) as k(own, other)
          join pg_attribute o on o.attrelid = c.conrelid and o.attnum = k.own and o.attname = 'district'
          join pg_attribute f on f.attrelid = c.confrelid and f.attnum = k.other and f.attname = 'district')";
    assert_eq!(names(&schema().await, sql).await, Vec::<String>::new());
}

#[tokio::test]
async fn every_table_is_distributed_after_those_that_it_refers_to() {
    let pool = schema().await;
    let tables = "select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
      and relname <> '_sqlx_migrations'";
    let tables: BTreeSet<_> = names(&pool, tables).await.into_iter().collect();
    let listed = distributed();
    assert_eq!(listed.iter().map(|&table| table.to_owned()).collect::<BTreeSet<_>>(), tables);
    assert_eq!(listed.len(), tables.len(), "none twice");
    let rows = GUIDE
        .lines()
        .filter_map(|row| row.strip_prefix("| `")?.strip_suffix("` | by `district`, co-located |"));
    assert_eq!(rows.map(str::to_owned).collect::<BTreeSet<_>>(), tables, "left the guide, right the schema");
    let references = "select conrelid::regclass::text, confrelid::regclass::text from pg_constraint
      where contype = 'f' and connamespace = 'public'::regnamespace and conrelid <> confrelid";
    let references: Vec<(String, String)> =
        sqlx::query_as(references).fetch_all(&pool).await.expect("the catalogue answers");
    let place = |name: &str| listed.iter().position(|&table| table == name);
    for (own, other) in references {
        assert!(place(&own) > place(&other), "{own} refers to {other}, which comes later");
    }
}

/// The statements of `.sqlx` that name no single district are those that the guide lists, and no others.
#[test]
fn the_guide_lists_every_statement_of_all_districts() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/.sqlx");
    let files = fs::read_dir(folder).expect("the cache is committed");
    // A district from a parameter: compared with one, or inserted from one.
    let one =
        Regex::new(r"district = (any\()?\$\d|\b(values \(|select |select distinct )\$\d").expect("a pattern");
    let table = Regex::new(r"\b(from|join|into|update) [a-z_]+\b").expect("a pattern");
    let mut of_all = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(file.expect("readable").path()).expect("readable");
        let entry: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let statement = entry["query"].as_str().expect("a statement").split_whitespace().collect::<Vec<_>>();
        let statement = statement.join(" ");
        if table.is_match(&statement) && !one.is_match(&statement) {
            of_all.insert(statement);
        }
    }
    let section = GUIDE.split("### Statements of all districts").nth(1).expect("the section");
    let rows = section.split("\n#").next().unwrap_or_default().lines();
    let begins: Vec<_> =
        rows.filter_map(|row| row.strip_prefix("| `")?.split_once('`')).map(|(b, _)| b).collect();
    for statement in &of_all {
        let listed = begins.iter().filter(|part| statement.contains(**part)).count();
        assert_eq!(listed, 1, "the guide does not list, or lists twice: {statement}");
    }
    assert_eq!(begins.len(), of_all.len(), "the guide lists what is not there: {begins:?}");
}
