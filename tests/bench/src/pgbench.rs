//! PostgreSQL alone: pgbench with the very statement of ReportEvent, over as many connections as the service has.
//!
//! Each district has a script. Values are literals, which spares pgbench sending them; only the event's and the request's ids
//! and the digits of their names are made for each transaction.

use std::fs;
use std::path::Path;
use std::time::Duration;

use jingwei_tests::{District, Error};
use serde_json::Value;
use sqlx::Row as _;
use tokio::process::Command;

use crate::record::Record;
use crate::site::Site;
use crate::usage::Meter;

/// Where sqlx keeps the statements that are checked at compile time.
const STATEMENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../services/grid/.sqlx");
/// Which of them writes a new event.
const MARK: &str = "insert into case_day";

/// Transactions per second of pgbench.
pub(crate) async fn measure(site: &Site, connections: usize, lasting: Duration) -> Result<Record, Error> {
    let (sql, types) = statement()?;
    let folder = site.folder().join("pgbench");
    fs::create_dir_all(&folder)?;
    let mut command = Command::new(program());
    command.args(["-n", "-M", "prepared", "-D", "n=0", "-j", "2", "-c", &connections.to_string()]);
    command.args([
        "-T",
        &lasting.as_secs().to_string(),
        "-l",
        "--log-prefix",
        &folder.join("log").to_string_lossy(),
    ]);
    for district in &site.districts {
        let file = folder.join(format!("{}.sql", district.code));
        fs::write(&file, script(&sql, &types, &values(site, district).await?))?;
        command.args(["-f", &file.to_string_lossy()]);
    }
    command.arg(site.processes.database());
    let meter = Meter::start(site)?;
    let said = command.output().await?;
    let usage = meter.stop(site)?;
    if !said.status.success() {
        return Err(String::from_utf8_lossy(&said.stderr).into_owned().into());
    }
    let mut record = Record { elapsed: lasting, usage, ..Record::new("pgbench, the SQL of ReportEvent") };
    for file in fs::read_dir(&folder)? {
        let path = file?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("log")) {
            note(&mut record, &path)?;
            fs::remove_file(path)?;
        }
    }
    eprintln!("{}: {:.0}/s, p99 {:.1} ms", record.name, record.rate(), record.quantile(0.99));
    Ok(record)
}

/// The statement and the types of its parameters.
fn statement() -> Result<(String, Vec<String>), Error> {
    for file in fs::read_dir(STATEMENTS)? {
        let kept: Value = serde_json::from_str(&fs::read_to_string(file?.path())?)?;
        let sql = kept["query"].as_str().unwrap_or_default();
        if sql.contains(MARK) {
            let types = kept["describe"]["parameters"]["Left"].as_array().cloned().unwrap_or_default();
            let types = types.iter().filter_map(Value::as_str).map(type_of);
            return Ok((sql.to_owned(), types.collect()));
        }
    }
    Err(format!("no statement in {STATEMENTS} has {MARK}").into())
}

/// A type as SQL writes it.
fn type_of(name: &str) -> String {
    let name = name.to_lowercase();
    name.strip_suffix("array").map_or(name.clone(), |element| format!("{element}[]"))
}

/// A parameter as SQL writes it: the service gives columns, each for any number of events; here each has one, or is empty.
fn bind(value: &str, kind: &str) -> String {
    match kind.strip_suffix("[]") {
        Some(_) if value.is_empty() => format!("'{{}}'::{kind}"),
        Some(element) => format!("array[({value})::{element}]"),
        None => format!("({value})::{kind}"),
    }
}

/// The script of a district: the statement with these values in place of its parameters.
fn script(sql: &str, types: &[String], values: &[String]) -> String {
    let bound = values.iter().zip(types).enumerate().rev().fold(sql.to_owned(), |sql, (i, (value, kind))| {
        sql.replace(&format!("${}", i + 1), &bind(value, kind))
    });
    // One statement on one line; no colon of a literal may look like a variable.
    format!("\\set n :n + 1\n{};\n", bound.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// What the service wrote with the last report in the district: the values of the statement's parameters as SQL writes them.
async fn values(site: &Site, district: &District) -> Result<Vec<String>, Error> {
    let sql = "select quote_nullable(e.district), quote_nullable((e.report_time at time zone '+8')::date), null, quote_nullable(e.category),
          quote_nullable(e.area), quote_nullable(e.area_version), quote_nullable(e.report_time), quote_nullable(e.state),
          quote_nullable(e.holder), quote_nullable(e.due_time), quote_nullable(e.alarm_time), quote_nullable(e.body),
          quote_nullable(t.action), quote_nullable(t.actor), quote_nullable(t.role), quote_nullable(t.unit), quote_nullable(t.note),
          quote_nullable(t.details), quote_nullable(t.hash), quote_nullable(t.contributions), null, quote_nullable(o.payload),
          quote_nullable(i.subject), null, quote_nullable(i.method), quote_nullable(i.fingerprint), quote_nullable(i.response),
          quote_nullable(s.cell), quote_nullable(s.latitude), quote_nullable(s.longitude), 'null', 'null', 'null', '', ''
        from (select * from event where district = $1 order by report_time desc limit 100) as e
          join event_transition t on t.district = e.district and t.event_id = e.id and t.version = 1
          join outbox o on o.district = t.district and o.seq = t.seq
          join event_spot s on s.district = e.district and s.event_id = e.id
          join idempotency i on i.district = e.district and i.create_time = t.create_time and i.subject = t.actor
        order by e.report_time desc limit 1";
    let row = sqlx::query(sql).bind(district.code).fetch_optional(&site.pool).await?;
    let row = row.ok_or("measure ReportEvent before pgbench: it repeats what the service wrote")?;
    let mut values: Vec<String> = (0..row.len())
        .map(|i| row.get::<Option<String>, _>(i).unwrap_or_else(|| "null".to_owned()))
        .collect();
    // Ids rise with time, as those of the service do.
    let id = |constant: u64| {
        format!("lpad(to_hex({constant} + :n::bigint), 16, '0') || lpad(to_hex(:client_id::bigint), 16, '0')")
    };
    let now = u64::try_from(jingwei_kit::clock::Clock::system().now().unix_timestamp_nanos())? >> 4;
    values[2] = id(now);
    values[20] = format!("'{}/events/' || ({})::uuid", district.name(), values[2]);
    values[23] = id(now + 1);
    Ok(values)
}

/// Reads pgbench's log: the third field of a line is the time of a transaction in microseconds.
fn note(record: &mut Record, log: &Path) -> Result<(), Error> {
    for line in fs::read_to_string(log)?.lines() {
        let took = line.split(' ').nth(2).and_then(|took| took.parse().ok()).unwrap_or(0);
        record.note(Duration::from_micros(took), &Ok(()));
    }
    Ok(())
}

/// pgbench beside PostgreSQL's other programs, where it is not on the path.
fn program() -> String {
    let debian = "/usr/lib/postgresql/15/bin/pgbench";
    if Path::new(debian).exists() { debian } else { "pgbench" }.to_owned()
}
