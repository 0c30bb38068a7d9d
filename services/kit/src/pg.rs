//! PostgreSQL: the pool, migrations, and what an error of it means.

use std::{
    io, pin,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use sqlx::{
    ConnectOptions, Connection, PgConnection, PgPool,
    error::ErrorKind,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::time::{self, Instant};
use tonic::Code;

use crate::{
    config::{Secret, Settings},
    status::{Problem, internal, invalid, reason},
};

/// How long a connection may lie idle and still be used without being asked whether it is alive.
const IDLE: Duration = Duration::from_millis(100);

/// How long a short statement may take, also where its connection has fallen silent: the server's own limit ends it before.
pub const SILENCE: Duration = Duration::from_secs(10);

/// How long a connection that is in doubt has to answer.
const DOUBT: Duration = Duration::from_secs(1);

/// When work was given up last, of all that this process does with its database.
static GIVEN_UP: Mutex<Option<Instant>> = Mutex::new(None);

/// How to reach the database.
#[derive(Debug, Clone)]
pub struct Database {
    /// `postgres://user:password@host/database`.
    pub url: Secret,
    /// How many connections at most; over all replicas fewer than the server allows.
    pub connections: u32,
    /// How long a call waits for a connection.
    pub acquire_timeout: Duration,
    /// How long a statement may run, and a transaction may idle.
    pub statement_timeout: Duration,
}

/// What an error of the database means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// A unique or exclusion constraint of this name refused.
    Unique(String),
    /// A foreign key of this name refused.
    ForeignKey(String),
    /// A check constraint of this name refused.
    Check(String),
    /// A text holds U+0000, which PostgreSQL keeps neither as text nor in JSON.
    Unstorable,
    /// Lost against another transaction (serialization, deadlock, lock timeout): may succeed when repeated.
    Conflict,
    /// No connection, or the server cut it or stopped the statement: may succeed later.
    Unavailable,
    /// No row.
    NotFound,
    /// Anything else: a fault of ours.
    Other,
}

impl Database {
    /// A database with the default limits.
    pub fn new(url: impl Into<String>) -> Self {
        let timeout = Duration::from_secs(5);
        Self {
            url: Secret::new(url),
            connections: 16,
            acquire_timeout: Duration::from_secs(2),
            statement_timeout: timeout,
        }
    }

    /// From `DATABASE_URL` (or `DATABASE_URL_FILE`), `DATABASE_CONNECTIONS`, `DATABASE_ACQUIRE_TIMEOUT`,
    /// `DATABASE_STATEMENT_TIMEOUT`.
    pub fn read(settings: &mut Settings) -> Self {
        let default = Self::new("");
        let connections = settings.number("DATABASE_CONNECTIONS", default.connections.into(), 1..=1000);
        Self {
            url: settings.secret("DATABASE_URL"),
            connections: u32::try_from(connections).unwrap_or(default.connections),
            acquire_timeout: settings.duration("DATABASE_ACQUIRE_TIMEOUT", default.acquire_timeout),
            statement_timeout: settings.duration("DATABASE_STATEMENT_TIMEOUT", default.statement_timeout),
        }
    }

    /// A pool with one connection open. Errors: the URL is wrong, or the server does not answer in time.
    pub async fn connect(&self) -> Result<PgPool, sqlx::Error> {
        let timeout = self.statement_timeout.as_millis().to_string();
        let options = self.options()?.options([
            ("statement_timeout", timeout.as_str()),
            ("idle_in_transaction_session_timeout", timeout.as_str()),
            // A service whose machine is gone: the server finds out within a minute and ends its connections.
            ("tcp_keepalives_idle", "30"),
            ("tcp_keepalives_interval", "10"),
            ("tcp_keepalives_count", "3"),
            // Where the planner expects much work, compiling and starting workers take longer than the work.
            ("jit", "off"),
            ("max_parallel_workers_per_gather", "0"),
        ]);
        PgPoolOptions::new()
            .max_connections(self.connections)
            .acquire_timeout(self.acquire_timeout)
            // Asking before each use costs a round trip: only a connection that lay idle is asked, since it may have been
            // cut meanwhile, and is then replaced instead of failing a call. Where no answer comes, the acquire timeout ends it.
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(async move {
                    if meta.idle_for > IDLE {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            // The pool asks each connection that comes back, and would wait for a silent one for ever. To ask with a bound
            // first costs another round trip, so only while work has just been given up.
            .after_release(|connection, _| {
                Box::pin(async move {
                    if in_doubt() {
                        time::timeout(DOUBT, connection.ping()).await.map_err(|_| silent())??;
                    }
                    Ok(true)
                })
            })
            .connect_with(options)
            .await
    }

    /// Brings the schema up to date, on a connection of its own without a statement timeout. The migrator holds an
    /// advisory lock: of replicas that start at once, one migrates and the others wait.
    pub async fn migrate(&self, migrator: &Migrator) -> Result<(), sqlx::Error> {
        let mut connection: PgConnection = self.options()?.connect().await?;
        migrator.run_direct(None, &mut connection, false).await?;
        connection.close().await
    }

    fn options(&self) -> Result<PgConnectOptions, sqlx::Error> {
        Ok(self.url.reveal().parse::<PgConnectOptions>()?.disable_statement_logging())
    }
}

/// Does `work`, but gives it up after `longest`. The server bounds its statements; nothing else bounds the wait for a server
/// that is silent: a connection that the network has forgotten, say. What the work held of the pool is free soon after.
///
/// # Errors
/// It was given up: whether it was done is not known.
pub async fn bounded<T>(longest: Duration, work: impl Future<Output = T>) -> Result<T, sqlx::Error> {
    let mut work = pin::pin!(work);
    time::timeout(longest, work.as_mut()).await.map_err(|_| {
        // Before the work is dropped, and its connections come back.
        *GIVEN_UP.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        silent()
    })
}

/// Whether connections that come back now may be those of work that was given up.
fn in_doubt() -> bool {
    let given_up = *GIVEN_UP.lock().unwrap_or_else(PoisonError::into_inner);
    given_up.is_some_and(|at| at.elapsed() < SILENCE)
}

fn silent() -> sqlx::Error {
    sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, "the database is silent"))
}

/// What `error` means.
pub fn classify(error: &sqlx::Error) -> Failure {
    use sqlx::Error as E;
    match error {
        E::RowNotFound => Failure::NotFound,
        // Protocol: the answer makes no sense, as from a connection that is out of step; the pool throws it away.
        E::Io(_) | E::Tls(_) | E::Protocol(_) | E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed => {
            Failure::Unavailable
        }
        E::Database(database) => {
            let constraint = || database.constraint().unwrap_or_default().to_owned();
            match (database.kind(), database.code().as_deref().unwrap_or_default()) {
                (ErrorKind::UniqueViolation, _) | (_, "23P01") => Failure::Unique(constraint()),
                (ErrorKind::ForeignKeyViolation, _) => Failure::ForeignKey(constraint()),
                (ErrorKind::CheckViolation, _) => Failure::Check(constraint()),
                (_, "22021" | "22P05") => Failure::Unstorable,
                (_, "40001" | "40P01" | "55P03") => Failure::Conflict,
                // 08: connection; 53: resources; 57: stopped by an operator, a restart or a timeout; 25006: read-only after a failover.
                (_, code)
                    if ["08", "53", "57"].iter().any(|class| code.starts_with(class)) || code == "25006" =>
                {
                    Failure::Unavailable
                }
                _ => Failure::Other,
            }
        }
        _ => Failure::Other,
    }
}

/// The answer to an error that the service does not map itself: constraints that it did not name are a fault of ours.
pub fn problem(error: &sqlx::Error) -> Problem {
    match classify(error) {
        Failure::Conflict => {
            let (zh, en) = (
                "与另一操作同时修改了同一数据，请重试",
                "another call changed the same data at the same moment: try again",
            );
            Problem::new(Code::Aborted, reason::ETAG_MISMATCH, zh, en).retry_after(Duration::from_millis(50))
        }
        Failure::Unavailable => {
            metrics::counter!("database_unavailable_total", "code" => code(error)).increment(1);
            tracing::warn!(error = %error, "database unavailable");
            let (zh, en) = (
                "数据库暂时无法使用，请稍后重试",
                "the database is not available for the moment: try again later",
            );
            Problem::new(Code::Unavailable, reason::DATABASE_UNAVAILABLE, zh, en)
                .retry_after(Duration::from_secs(1))
        }
        Failure::Unstorable => {
            let (zh, en) = ("文字不能含空字符（U+0000）", "a text must not hold the character U+0000");
            invalid("", "text", zh, en)
        }
        Failure::NotFound => {
            Problem::new(Code::NotFound, reason::NOT_FOUND, "没有这项数据", "there is no such resource")
        }
        Failure::Unique(_) | Failure::ForeignKey(_) | Failure::Check(_) | Failure::Other => internal(error),
    }
}

/// What kept the database from answering: the server's SQLSTATE (`53100`: its disk is full), `pool` where no connection came
/// free in time, or `connection`.
fn code(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(database) => database.code().unwrap_or_default().into_owned(),
        sqlx::Error::PoolTimedOut => "pool".to_owned(),
        _ => "connection".to_owned(),
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        problem(&error)
    }
}
