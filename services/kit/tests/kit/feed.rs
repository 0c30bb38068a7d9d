//! The change feed on a real server: order, gaps, transactions that commit late, resuming.

use std::pin::{Pin, pin};

use futures::{FutureExt, Stream, StreamExt, TryStreamExt};
use jingwei_kit::{
    outbox::{Change, Feed, TRIMMED, append, place, token, trim},
    status::Problem,
    testing,
};
use sqlx::{Executor, PgPool};
use time::{Duration, OffsetDateTime, macros::datetime};
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::Code;

use crate::postgres::{MIGRATOR, until_one_waits};

const NOW: OffsetDateTime = datetime!(2026-03-01 08:00 UTC);
const DISTRICT: i32 = 410_182;

async fn feed() -> (PgPool, Feed, DropGuard) {
    let pool = testing::database(&MIGRATOR).await.connect().await.expect("connects");
    let stop = CancellationToken::new();
    (pool.clone(), Feed::start(pool, stop.clone()), stop.drop_guard())
}

async fn add(pool: &PgPool, district: i32, resource: &str) -> i64 {
    append(pool, district, resource, resource.as_bytes(), NOW).await.expect("appends")
}

type Changes = Pin<Box<dyn Stream<Item = Result<Change, Problem>> + Send>>;

fn stream(feed: &Feed, after: i64) -> Changes {
    feed.stream(DISTRICT, after).boxed()
}

async fn take(stream: &mut Changes, count: usize) -> Vec<(i64, String)> {
    let changes = stream.take(count).try_collect::<Vec<_>>().await.expect("no error");
    changes.into_iter().map(|change| (change.seq, change.resource)).collect()
}

fn names(changes: &[(i64, &str)]) -> Vec<(i64, String)> {
    changes.iter().map(|(seq, name)| (*seq, (*name).to_owned())).collect()
}

#[tokio::test]
async fn numbers_are_dense_in_each_district_and_a_rollback_leaves_no_gap() {
    let (pool, feed, _stop) = feed().await;
    assert_eq!(feed.head(DISTRICT).await.expect("asks"), 0);
    assert_eq!(add(&pool, DISTRICT, "a").await, 1);
    assert_eq!(add(&pool, 410_183, "x").await, 1);
    let mut transaction = pool.begin().await.expect("begins");
    assert_eq!(append(&mut *transaction, DISTRICT, "lost", b"", NOW).await.expect("appends"), 2);
    transaction.rollback().await.expect("rolls back");
    assert_eq!(add(&pool, DISTRICT, "b").await, 2);
    assert_eq!(feed.head(DISTRICT).await.expect("asks"), 2);
    assert_eq!(take(&mut stream(&feed, 0), 2).await, names(&[(1, "a"), (2, "b")]));
}

#[tokio::test]
async fn nothing_is_shown_before_its_commit_and_nothing_is_skipped_when_transactions_are_held_open() {
    let (pool, feed, _stop) = feed().await;
    let mut changes = stream(&feed, 0);
    // The first transaction has its number and stays open.
    let mut first = pool.begin().await.expect("begins");
    assert_eq!(append(&mut *first, DISTRICT, "first", b"", NOW).await.expect("appends"), 1);
    // The second began earlier or later, it does not matter: it cannot get a number before the first commits.
    let second = tokio::spawn({
        let pool = pool.clone();
        async move { add(&pool, DISTRICT, "second").await }
    });
    until_one_waits(&pool).await;
    // Another district is not held up.
    assert_eq!(add(&pool, 410_183, "x").await, 1);
    // A reader that looks now sees nothing.
    feed.wake(DISTRICT);
    assert!(pin!(changes.next()).now_or_never().is_none());
    let visible =
        sqlx::query_scalar::<_, i64>("select count(*) from outbox where district = $1").bind(DISTRICT);
    assert_eq!(visible.fetch_one(&pool).await.expect("counts"), 0);
    first.commit().await.expect("commits");
    assert_eq!(second.await.expect("no panic"), 2);
    feed.wake(DISTRICT);
    assert_eq!(take(&mut changes, 2).await, names(&[(1, "first"), (2, "second")]));
}

#[tokio::test]
async fn many_writers_and_a_reader_who_comes_back_lose_nothing() {
    const WRITERS: i64 = 6;
    const EACH: i64 = 40;
    let (pool, feed, _stop) = feed().await;
    let writers = (0..WRITERS).map(|writer| {
        let (pool, feed) = (pool.clone(), feed.clone());
        tokio::spawn(async move {
            for n in 0..EACH {
                let mut transaction = pool.begin().await.expect("begins");
                transaction.execute("select 1").await.expect("does something");
                append(&mut *transaction, DISTRICT, &format!("{writer}/{n}"), b"", NOW)
                    .await
                    .expect("appends");
                // Every seventh gives up: its number is given out again.
                if n % 7 == 6 { transaction.rollback().await } else { transaction.commit().await }
                    .expect("ends");
                feed.wake(DISTRICT);
            }
        })
    });
    let writers = futures::future::join_all(writers.collect::<Vec<_>>());
    let expected = WRITERS * (EACH - EACH / 7);
    let reader = async {
        let (mut seen, mut resume) = (Vec::new(), token(DISTRICT, 0));
        while i64::try_from(seen.len()).expect("few") < expected {
            let after = place("resume_token", &resume, DISTRICT).expect("our own token");
            // Reads a little, goes away, and comes back with the last token.
            let left = expected - i64::try_from(seen.len()).expect("few");
            let part = feed.stream(DISTRICT, after).take(usize::try_from(left.min(17)).expect("small"));
            let part = part.try_collect::<Vec<_>>().await.expect("no error");
            resume = part.last().expect("some").token();
            seen.extend(part);
        }
        seen
    };
    let (_, seen) = tokio::join!(writers, reader);
    assert!(seen.iter().map(|change| change.seq).eq(1..=expected), "dense and in order");
    // Each writer's changes come in its own order.
    for writer in 0..WRITERS {
        let own = |change: &&Change| change.resource.starts_with(&format!("{writer}/"));
        let order = seen
            .iter()
            .filter(own)
            .map(|c| c.resource[2..].parse::<i64>().expect("a number"))
            .collect::<Vec<_>>();
        assert!(
            order.is_sorted() && order.len() == usize::try_from(EACH - EACH / 7).expect("small"),
            "{order:?}"
        );
    }
}

#[tokio::test]
async fn a_change_in_another_process_wakes_a_stream() {
    let (pool, feed, _stop) = feed().await;
    let stop = CancellationToken::new();
    let other = Feed::start(pool.clone(), stop.clone());
    let mut changes = stream(&feed, 0);
    assert!(pin!(changes.next()).now_or_never().is_none());
    add(&pool, DISTRICT, "a").await;
    other.wake(DISTRICT);
    assert_eq!(take(&mut changes, 1).await, names(&[(1, "a")]));
    stop.cancel();
}

#[tokio::test]
async fn a_token_that_the_feed_no_longer_or_not_yet_reaches_is_refused() {
    let (pool, feed, _stop) = feed().await;
    for name in ["a", "b", "c"] {
        add(&pool, DISTRICT, name).await;
    }
    pool.execute("delete from outbox where seq <= 2").await.expect("deletes");
    for after in [0, 1, 4] {
        let problem = stream(&feed, after).next().await.expect("an answer").expect_err("refused");
        assert_eq!((problem.code, problem.reason), (Code::OutOfRange, "FEED_TOKEN_EXPIRED"), "after {after}");
    }
    assert_eq!(take(&mut stream(&feed, 2), 1).await, names(&[(3, "c")]));
}

#[test]
fn a_token_belongs_to_its_district() {
    assert_eq!(place("resume_token", &token(DISTRICT, 7), DISTRICT).expect("ours"), 7);
    for wrong in [token(410_183, 7), token(DISTRICT, -1), "x".into(), String::new()] {
        assert_eq!(
            place("resume_token", &wrong, DISTRICT).expect_err("refused").violations[0].field,
            "resume_token"
        );
    }
}

/// The numbers that are left, after a trim that forgets what is older than `hours` after [`NOW`].
async fn trimmed(pool: &PgPool, hours: i64) -> (u64, Vec<i64>) {
    let forgotten = trim(pool, DISTRICT, NOW + Duration::hours(hours)).await.expect("trims");
    let left = sqlx::query_scalar("select seq from outbox where district = $1 order by seq").bind(DISTRICT);
    (forgotten, left.fetch_all(pool).await.expect("reads"))
}

#[tokio::test]
async fn what_is_old_is_forgotten_from_the_front_and_its_tokens_with_it() {
    let (pool, feed, _stop) = feed().await;
    assert_eq!(trimmed(&pool, 100).await, (0, vec![]));
    // The clock of the third one's process was behind.
    for hour in [1, 2, 5, 3, 6] {
        append(&pool, DISTRICT, "a", b"", NOW + Duration::hours(hour)).await.expect("appends");
    }
    add(&pool, 410_183, "x").await;
    assert_eq!(trimmed(&pool, 1).await, (0, vec![1, 2, 3, 4, 5]), "older, not as old");
    assert_eq!(trimmed(&pool, 4).await, (2, vec![3, 4, 5]), "nothing behind one that is kept");
    for after in [0, 1] {
        let problem = stream(&feed, after).try_next().await.expect_err("a gap");
        assert_eq!((problem.code, problem.reason), (Code::OutOfRange, "FEED_TOKEN_EXPIRED"), "{after}");
    }
    assert_eq!(take(&mut stream(&feed, 2), 3).await, names(&[(3, "a"), (4, "a"), (5, "a")]));
    // However old the last one is, a reader who is behind it must not wait in silence.
    assert_eq!(trimmed(&pool, 100).await, (2, vec![5]));
    stream(&feed, 3).try_next().await.expect_err("a gap");
    let mut changes = stream(&feed, 5);
    assert!(pin!(changes.next()).now_or_never().is_none());
    add(&pool, DISTRICT, "b").await;
    feed.wake(DISTRICT);
    assert_eq!(take(&mut changes, 1).await, names(&[(6, "b")]));
    assert_eq!(feed.head(410_183).await.expect("asks"), 1);
    assert_eq!(take(&mut feed.stream(410_183, 0).boxed(), 1).await, names(&[(1, "x")]), "not its business");
}

#[tokio::test]
async fn a_reader_who_falls_behind_what_is_forgotten_is_told() {
    let (pool, feed, _stop) = feed().await;
    let fill = "insert into outbox select $1, n, 'a', '', $2 from generate_series(1, 5000) as n";
    sqlx::query(fill).bind(DISTRICT).bind(NOW).execute(&pool).await.expect("filled");
    let head = "insert into feed_head values ($1, 5000)";
    sqlx::query(head).bind(DISTRICT).execute(&pool).await.expect("counted");
    let mut changes = stream(&feed, 0);
    take(&mut changes, 150).await;
    // Two at the same time, until nothing is left to do: each change is forgotten once.
    let trimmer = async || {
        let mut forgotten = 0;
        loop {
            match trim(&pool, DISTRICT, NOW + Duration::hours(1)).await.expect("trims") {
                0 => return forgotten,
                some if some > TRIMMED => panic!("{some} at once"),
                some => forgotten += some,
            }
        }
    };
    let (one, other) = tokio::join!(trimmer(), trimmer());
    assert_eq!(one + other, 4999, "{one} and {other}");
    assert_eq!(trimmed(&pool, 1).await.1, vec![5000]);
    let rest = changes.try_collect::<Vec<_>>().await.expect_err("it ends");
    assert_eq!(rest.reason, "FEED_TOKEN_EXPIRED");
}
