//! A database of its own for every test, copied from a template that has the migrations.

use std::{
    env,
    error::Error,
    fs::{self, File},
    io,
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
};

use jingwei_cluster::{Cluster, Options};
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Connection, PgConnection, migrate::Migrator};
use time::Duration;
use uuid::Uuid;

use crate::{clock::Clock, pg::Database};

/// Held while a template is made: one maker, the others wait.
const LOCK: i64 = 0x6a69_6e67_7765_6901;

/// A new database with these migrations. Databases of tests that ended long ago are dropped on the way.
///
/// The server is the one of `TEST_DATABASE_URL` (a superuser on it), or else a private cluster that the first test
/// starts and that ends by itself.
pub async fn database(migrator: &Migrator) -> Database {
    let server = server().await;
    let mut connection = PgConnection::connect(&server).await.expect("the test server answers");
    let template = template(&server, &mut connection, migrator).await.expect("the template can be made");
    let name = format!("test_{}", Clock::system().id().simple());
    run(&mut connection, format!("create database {name} template {template}"))
        .await
        .expect("a copy can be made");
    sweep(&mut connection).await.expect("old databases can be listed");
    connection.close().await.expect("closes");
    Database { connections: 8, ..Database::new(at(&server, &name)) }
}

/// The template of these migrations; made under another name and renamed, so that a half-made one is never used.
async fn template(
    server: &str,
    connection: &mut PgConnection,
    migrator: &Migrator,
) -> Result<String, sqlx::Error> {
    let mut hash = Sha256::new();
    for migration in migrator.iter() {
        hash.update(migration.version.to_be_bytes());
        hash.update(&migration.checksum);
    }
    let hash = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect::<String>();
    let (name, draft) = (format!("template_{hash}"), format!("draft_{hash}"));
    sqlx::query("select pg_advisory_lock($1)").bind(LOCK).execute(&mut *connection).await?;
    let exists = "select exists (select from pg_database where datname = $1)";
    if !sqlx::query_scalar::<_, bool>(exists).bind(&name).fetch_one(&mut *connection).await? {
        run(connection, format!("drop database if exists {draft}")).await?;
        run(connection, format!("create database {draft}")).await?;
        Database::new(at(server, &draft)).migrate(migrator).await?;
        run(connection, format!("alter database {draft} rename to {name}")).await?;
    }
    sqlx::query("select pg_advisory_unlock($1)").bind(LOCK).execute(&mut *connection).await?;
    Ok(name)
}

/// Drops a few of the databases that are older than a quarter of an hour: their names are UUIDv7, which carry the time.
async fn sweep(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let clock = Clock::manual(Clock::system().now() - Duration::minutes(15));
    let oldest_kept = format!("test_{}", Uuid::simple(clock.id()));
    let sql = "select datname from pg_database where datname like 'test\\_%' and datname < $1 order by datname limit 3";
    let old = sqlx::query_scalar::<_, String>(sql).bind(oldest_kept).fetch_all(&mut *connection).await?;
    for name in old {
        // Refused where a test is stopped in a debugger, or another test was faster.
        run(connection, format!("drop database if exists {name}")).await.ok();
    }
    Ok(())
}

/// Runs a statement that cannot take parameters; its names are made here.
async fn run(connection: &mut PgConnection, sql: String) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.map(|_| ())
}

/// The URL of another database on the same server.
fn at(server: &str, database: &str) -> String {
    let end = server.rfind('/').expect("a URL with a database");
    format!("{}/{database}", &server[..end])
}

/// The superuser's URL on the server that tests use.
async fn server() -> String {
    if let Ok(url) = env::var("TEST_DATABASE_URL") {
        return url;
    }
    tokio::task::spawn_blocking(cluster)
        .await
        .expect("no panic")
        .expect("a private PostgreSQL can be started")
}

/// Starts the tests' cluster, or finds it running: one for all test processes of a user, whichever comes first.
fn cluster() -> Result<String, Box<dyn Error + Send + Sync>> {
    let user = env::var("USER").unwrap_or_else(|_| "shared".to_owned());
    let dir = env::temp_dir().join(format!("jingwei-test-postgres-{user}"));
    fs::create_dir_all(&dir)?;
    let lock = File::create(dir.join("lock"))?;
    lock.lock()?;
    fs::write(dir.join("used"), [])?;
    let found = Cluster::is_running(&dir);
    // Its data need not survive a power cut.
    let settings = [
        ("fsync", "off"),
        ("full_page_writes", "off"),
        ("synchronous_commit", "off"),
        ("max_connections", "300"),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let cluster = Cluster::start(&Options { dir: dir.clone(), port: None, settings })?;
    if !found {
        stop_when_unused(&dir)?;
    }
    Ok(cluster.url("postgres"))
}

/// Leaves a process behind that stops the cluster half an hour after the last test asked for a database.
fn stop_when_unused(dir: &Path) -> io::Result<()> {
    // The pid file of a crashed server may name another program by now: asked before it is told to stop.
    let script = r#"
        while [ -n "$(find "$0/used" -mmin -30)" ]; do sleep 30; done
        pid="$(head -n 1 "$0/data/postmaster.pid")"
        case "$(ps -o comm= -p "$pid")" in *postgres*) kill -INT "$pid" ;; esac
    "#;
    let mut command = Command::new("sh");
    command.args(["-c", script]).arg(dir).current_dir("/").process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().map(|_| ())
}
