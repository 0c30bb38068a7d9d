//! Group commit: what waits is written by one statement, what is refused hurts nobody else, what its caller left is written all the same.

mod common;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use common::Site;
use futures::FutureExt as _;
use futures::future::join_all;
use jingwei_grid::store::group::{Entry, Group, Shared};
use jingwei_kit::pg::{Failure, classify};
use sqlx::{PgConnection, PgPool};
use tokio::sync::Mutex;

const GATE: i64 = 4201;
const DISTRICT: i32 = 410_182;

/// A number that can be written once, while the gate is open.
#[derive(Debug)]
struct Number(i64);

impl Entry for Number {
    type Answer = i64;

    fn district(&self) -> i32 {
        DISTRICT
    }

    async fn run(connection: &mut PgConnection, entries: &[Self]) -> sqlx::Result<Vec<i64>> {
        let numbers: Vec<i64> = entries.iter().map(|entry| entry.0).collect();
        let sql = "with gate as materialized (select pg_advisory_xact_lock_shared($1))
            insert into scratch select number from gate cross join unnest($2::bigint[]) as number returning number * 10";
        sqlx::query_scalar(sql).bind(GATE).bind(numbers).fetch_all(connection).await
    }
}

type Call<'a> = Pin<Box<dyn Future<Output = Shared<i64>> + 'a>>;

/// Writers before a closed gate.
struct Gate {
    _site: Site,
    pool: PgPool,
    group: Group<Number>,
    keeper: Mutex<PgConnection>,
}

impl Gate {
    async fn closed() -> Self {
        let site = Site::with_district().await;
        let pool = site.pool().await;
        sqlx::query("create table scratch (number bigint primary key)").execute(&pool).await.expect("made");
        let mut keeper = pool.acquire().await.expect("a connection").detach();
        sqlx::query("select pg_advisory_lock($1)").bind(GATE).execute(&mut keeper).await.expect("closed");
        Self { _site: site, group: Group::new(pool.clone()), pool, keeper: Mutex::new(keeper) }
    }

    async fn open(&self) {
        let mut keeper = self.keeper.lock().await;
        sqlx::query("select pg_advisory_unlock($1)").bind(GATE).execute(&mut *keeper).await.expect("open");
    }

    /// A call that has begun: it has the turn, or waits for it.
    fn begin(&self, number: i64) -> Call<'_> {
        let mut call: Call<'_> = Box::pin(self.group.run(Number(number)));
        assert!(call.as_mut().now_or_never().is_none(), "the gate is closed");
        call
    }

    /// The server's process that waits at the gate, once there is one.
    async fn waiter(&self) -> i32 {
        let sql =
            "select pid from pg_locks where locktype = 'advisory' and objid = $1::bigint::oid and not granted
            and database = (select oid from pg_database where datname = current_database())";
        let wait = async {
            loop {
                let found: Option<i32> =
                    sqlx::query_scalar(sql).bind(GATE).fetch_optional(&self.pool).await.expect("read");
                match found {
                    Some(pid) => break pid,
                    None => tokio::task::yield_now().await,
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait).await.expect("a statement waits at the gate")
    }

    /// Ends the connection of the statement that waits.
    async fn cut(&self) {
        let pid = self.waiter().await;
        sqlx::query("select pg_terminate_backend($1)").bind(pid).execute(&self.pool).await.expect("cut");
    }

    /// The numbers in the table, by the commits that brought them.
    async fn commits(&self) -> Vec<Vec<i64>> {
        let sql =
            "select array_agg(number order by number) from scratch group by xmin::text order by min(number)";
        sqlx::query_scalar(sql).fetch_all(&self.pool).await.expect("read")
    }
}

#[tokio::test]
async fn what_waits_is_written_by_one_commit() {
    let gate = Gate::closed().await;
    let first = gate.begin(1);
    gate.waiter().await;
    let calls: Vec<_> = [first].into_iter().chain((2..=20).map(|n| gate.begin(n))).collect();
    gate.open().await;
    for (n, written) in (1..).zip(join_all(calls).await) {
        assert_eq!(written.expect("written"), n * 10);
    }
    assert_eq!(gate.commits().await, [vec![1], (2..=20).collect()]);
}

#[tokio::test]
async fn one_that_is_refused_leaves_the_others_their_write() {
    let gate = Gate::closed().await;
    let first = gate.begin(1);
    gate.waiter().await;
    let (two, three, again, four) = (gate.begin(2), gate.begin(3), gate.begin(3), gate.begin(4));
    gate.open().await;
    let written = join_all([first, two, three, four]).await;
    assert_eq!(written.into_iter().flatten().collect::<Vec<_>>(), [10, 20, 30, 40]);
    let refused = classify(&again.await.expect_err("written already"));
    assert_eq!(refused, Failure::Unique("scratch_pkey".to_owned()));
    assert_eq!(gate.commits().await, [[1], [2], [3], [4]]);
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_the_others_their_write() {
    let gate = Gate::closed().await;
    let at_the_gate = gate.begin(1);
    gate.waiter().await;
    let (in_line, other) = (gate.begin(2), gate.begin(3));
    drop(at_the_gate);
    drop(in_line);
    gate.open().await;
    assert_eq!(other.await.expect("written"), 30);
    assert_eq!(gate.commits().await, [[1], [3]], "what was begun is written, what was not is not");
}

#[tokio::test]
async fn a_connection_that_breaks_is_told_to_all_and_the_next_go_on() {
    let gate = Gate::closed().await;
    let first = gate.begin(1);
    gate.waiter().await;
    let (two, three) = (gate.begin(2), gate.begin(3));
    gate.cut().await;
    assert_eq!(classify(&first.await.expect_err("cut")), Failure::Unavailable);
    let (both, ()) = futures::future::join(join_all([two, three]), gate.cut()).await;
    for answer in both {
        assert_eq!(classify(&answer.expect_err("cut")), Failure::Unavailable);
    }
    assert_eq!(gate.commits().await, Vec::<Vec<i64>>::new());
    gate.open().await;
    assert_eq!(gate.group.run(Number(4)).await.expect("written"), 40);
}
