//! The pool, the migrations and the meaning of errors, on a real server.

use std::time::Duration;

use jingwei_kit::{
    pg::{Database, Failure, bounded, classify},
    status::Problem,
    testing,
};
use sqlx::{Connection, Executor, PgConnection, PgPool, migrate::Migrator};
use tokio::{io::AsyncWriteExt, net::TcpListener, time::Instant};
use tonic::Code;

/// The migrations of the kit's tests.
pub(crate) static MIGRATOR: Migrator = sqlx::migrate!("tests/migrations");
static NONE: Migrator = Migrator::DEFAULT;

async fn failure(pool: &PgPool, sql: &'static str) -> Failure {
    classify(&pool.execute(sql).await.expect_err("refused"))
}

#[tokio::test]
async fn replicas_that_start_at_once_migrate_once() {
    let database = testing::database(&NONE).await;
    let replicas = (0..4).map(|_| database.migrate(&MIGRATOR));
    for result in futures::future::join_all(replicas).await {
        result.expect("one migrates, the others wait and find it done");
    }
    let pool = database.connect().await.expect("connects");
    let applied =
        sqlx::query_scalar::<_, i64>("select count(*) from _sqlx_migrations").fetch_one(&pool).await;
    assert_eq!(applied.expect("the table is there"), 1);
}

#[tokio::test]
async fn constraints_are_told_by_name() {
    let pool = testing::database(&MIGRATOR).await.connect().await.expect("connects");
    pool.execute("insert into thing values (1, 'a', null, 1)").await.expect("inserted");
    let cases = [
        ("insert into thing values (1, 'a', null, 1)", Failure::Unique("thing_pkey".into())),
        ("insert into thing values (1, 'b', 'z', 1)", Failure::ForeignKey("thing_above".into())),
        ("insert into thing values (1, 'b', null, 0)", Failure::Check("thing_amount_positive".into())),
        (r#"select '{"a": "\u0000"}'::jsonb"#, Failure::Unstorable),
        ("select nonsense", Failure::Other),
    ];
    for (sql, expected) in cases {
        assert_eq!(failure(&pool, sql).await, expected, "{sql}");
    }
    let none =
        sqlx::query("select from thing where district = 9").fetch_one(&pool).await.expect_err("no row");
    assert_eq!(classify(&none), Failure::NotFound);
}

#[tokio::test]
async fn a_serialization_failure_is_a_conflict_that_may_be_repeated() {
    let pool = testing::database(&MIGRATOR).await.connect().await.expect("connects");
    pool.execute("insert into thing values (1, 'a', null, 1)").await.expect("inserted");
    let mut first = pool.begin_with("begin isolation level repeatable read").await.expect("begins");
    let mut second = pool.begin_with("begin isolation level repeatable read").await.expect("begins");
    for transaction in [&mut first, &mut second] {
        transaction.execute("select * from thing").await.expect("reads");
    }
    first.execute("update thing set amount = 2").await.expect("updates");
    first.commit().await.expect("commits");
    let error = second.execute("update thing set amount = 3").await.expect_err("refused");
    assert_eq!(classify(&error), Failure::Conflict);
    let problem = Problem::from(error);
    assert!(problem.code == Code::Aborted && problem.retry_after.is_some());
}

#[tokio::test]
async fn a_deadlock_is_a_conflict() {
    let pool = testing::database(&MIGRATOR).await.connect().await.expect("connects");
    pool.execute("insert into thing values (1, 'a', null, 1), (1, 'b', null, 1)").await.expect("inserted");
    let (mut first, mut second) = (pool.begin().await.expect("begins"), pool.begin().await.expect("begins"));
    first.execute("update thing set amount = 2 where code = 'a'").await.expect("locks a");
    second.execute("update thing set amount = 2 where code = 'b'").await.expect("locks b");
    let (one, other) = tokio::join!(
        first.execute("update thing set amount = 2 where code = 'b'"),
        // The loser's rollback lets the winner go on.
        async {
            let result = second.execute("update thing set amount = 2 where code = 'a'").await;
            second.rollback().await.expect("rolls back");
            result
        },
    );
    let error = one.err().or(other.err()).expect("one of the two loses");
    assert_eq!(classify(&error), Failure::Conflict);
}

#[tokio::test]
async fn a_lost_or_missing_connection_is_unavailable() {
    let database = testing::database(&MIGRATOR).await;
    let pool = Database { connections: 1, ..database.clone() }.connect().await.expect("connects");
    // Cut by the server.
    let mut killer = PgConnection::connect(database.url.reveal()).await.expect("connects");
    let mut held = pool.acquire().await.expect("the only one");
    let id =
        sqlx::query_scalar::<_, i32>("select pg_backend_pid()").fetch_one(&mut *held).await.expect("asks");
    sqlx::query("select pg_terminate_backend($1, 5000)").bind(id).execute(&mut killer).await.expect("cuts");
    let error = held.execute("select 1").await.expect_err("cut");
    assert_eq!(classify(&error), Failure::Unavailable);
    let problem = Problem::from(error);
    assert!(
        problem.code == Code::Unavailable
            && problem.retry_after.is_some()
            && !problem.en.contains("terminat")
    );
    // None free.
    assert_eq!(failure(&pool, "select 1").await, Failure::Unavailable);
    drop(held);
    pool.execute("select 1").await.expect("the pool has a new connection");
    // Nobody there.
    let nobody = Database::new("postgres://nobody@127.0.0.1:1/none");
    assert_eq!(classify(&nobody.connect().await.expect_err("nobody listens")), Failure::Unavailable);
}

#[tokio::test]
async fn a_server_that_makes_no_sense_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("postgres://nobody@{}/none?sslmode=disable", listener.local_addr().expect("bound"));
    let garbler = tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.expect("connected");
        connection.write_all(&[0; 64]).await.expect("written");
        connection
    });
    let error = Database::new(url).connect().await.expect_err("no message");
    assert!(matches!(error, sqlx::Error::Protocol(_)), "{error:?}");
    assert_eq!(classify(&error), Failure::Unavailable);
    drop(garbler.await);
}

/// A server at work is as silent as one that is gone.
#[tokio::test]
async fn work_on_a_silent_connection_is_given_up_and_its_place_is_free() {
    let database = testing::database(&NONE).await;
    let one = Database { connections: 1, acquire_timeout: Duration::from_secs(10), ..database };
    let pool = one.connect().await.expect("connects");
    let longest = Duration::from_millis(50);
    let held = async { pool.acquire().await?.execute("select pg_sleep(4)").await };
    let error = bounded(longest, held).await.expect_err("given up");
    assert_eq!(classify(&error), Failure::Unavailable);
    let began = Instant::now();
    pool.execute("select 1").await.expect("another connection");
    // The statement goes on for longer than the connection was waited for.
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_statement_that_runs_too_long_is_stopped() {
    let database =
        Database { statement_timeout: Duration::from_millis(50), ..testing::database(&NONE).await };
    let pool = database.connect().await.expect("connects");
    assert_eq!(failure(&pool, "select pg_sleep(60)").await, Failure::Unavailable);
}

/// Returns once a statement in this database waits for a lock.
pub(crate) async fn until_one_waits(pool: &PgPool) {
    let sql = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    while sqlx::query_scalar::<_, i64>(sql).fetch_one(pool).await.expect("asks") == 0 {
        tokio::task::yield_now().await;
    }
}
