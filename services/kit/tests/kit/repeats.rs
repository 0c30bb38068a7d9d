//! Idempotency on a real server: repeats, twins, failures.

use jingwei_kit::{
    idempotency::{Key, answered, expire, once},
    status::Problem,
    testing,
};
use sqlx::{PgConnection, PgPool};
use time::{Duration, OffsetDateTime, macros::datetime};
use tokio::{sync::oneshot, task::JoinHandle};
use tonic::Code;
use uuid::Uuid;

use crate::postgres::{MIGRATOR, until_one_waits};

const NOW: OffsetDateTime = datetime!(2026-03-01 08:00 UTC);

async fn pool() -> PgPool {
    testing::database(&MIGRATOR).await.connect().await.expect("connects")
}

/// The key of a request that says `text`; requests and responses are texts here.
fn key(id: u128, text: &str) -> Key {
    Key::of(410_182, "u-1", Uuid::from_u128(id), "AddThing", &text.to_owned())
}

/// Adds one thing, and says how many there are.
async fn add(connection: &mut PgConnection) -> Result<String, Problem> {
    let sql =
        "insert into thing select 410182, count(*)::text, null, 1 from thing returning code::integer + 1";
    let count = sqlx::query_scalar::<_, i32>(sql).fetch_one(connection).await?;
    Ok(format!("{count} things"))
}

async fn add_once(pool: &PgPool, key: &Key) -> Result<String, Problem> {
    once(pool, key, NOW, async |tx| add(tx).await).await
}

async fn things(pool: &PgPool) -> i64 {
    sqlx::query_scalar("select count(*) from thing").fetch_one(pool).await.expect("counts")
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer_and_writes_nothing() {
    let pool = pool().await;
    for _ in 0..3 {
        assert_eq!(add_once(&pool, &key(1, "a")).await.expect("answers"), "1 things");
    }
    assert_eq!(add_once(&pool, &key(2, "a")).await.expect("answers"), "2 things");
    let other = Key { subject: "u-2".into(), ..key(1, "a") };
    assert_eq!(add_once(&pool, &other).await.expect("another caller's id"), "3 things");
    assert_eq!(things(&pool).await, 3);
}

#[tokio::test]
async fn an_id_cannot_be_used_for_another_request() {
    let pool = pool().await;
    add_once(&pool, &key(1, "a")).await.expect("answers");
    let problem = add_once(&pool, &key(1, "b")).await.expect_err("refused");
    assert_eq!((problem.code, problem.reason), (Code::InvalidArgument, "REQUEST_ID_REUSED"));
    let problem = answered::<String>(&pool, &key(1, "b")).await.expect_err("refused");
    assert_eq!(problem.metadata["request_id"], Uuid::from_u128(1).to_string());
    assert_eq!(things(&pool).await, 1);
}

/// A call that waits within its transaction for a word: to go on, or to fail.
fn held(
    pool: &PgPool,
) -> (JoinHandle<Result<String, Problem>>, oneshot::Receiver<()>, oneshot::Sender<bool>) {
    let (inside, entered) = oneshot::channel();
    let (word, heard) = oneshot::channel();
    let pool = pool.clone();
    let call = tokio::spawn(async move {
        let key = key(1, "a");
        once(&pool, &key, NOW, async |tx| {
            let answer = add(tx).await?;
            inside.send(()).expect("somebody listens");
            if heard.await.expect("a word comes") {
                Ok(answer)
            } else {
                Err(Problem::new(Code::Aborted, "NO", "否", "no"))
            }
        })
        .await
    });
    (call, entered, word)
}

#[tokio::test]
async fn a_twin_waits_and_gets_the_first_answer() {
    let pool = pool().await;
    let (first, entered, word) = held(&pool);
    entered.await.expect("within the transaction");
    let twin = tokio::spawn({
        let pool = pool.clone();
        async move { add_once(&pool, &key(1, "a")).await }
    });
    until_one_waits(&pool).await;
    word.send(true).expect("somebody listens");
    assert_eq!(first.await.expect("no panic").expect("answers"), "1 things");
    assert_eq!(twin.await.expect("no panic").expect("answers"), "1 things");
    assert_eq!(things(&pool).await, 1);
}

#[tokio::test]
async fn where_the_first_fails_the_twin_does_the_work() {
    let pool = pool().await;
    let (first, entered, word) = held(&pool);
    entered.await.expect("within the transaction");
    let twin = tokio::spawn({
        let pool = pool.clone();
        async move { add_once(&pool, &key(1, "a")).await }
    });
    until_one_waits(&pool).await;
    word.send(false).expect("somebody listens");
    assert_eq!(first.await.expect("no panic").expect_err("fails").reason, "NO");
    assert_eq!(twin.await.expect("no panic").expect("answers"), "1 things");
    assert_eq!(things(&pool).await, 1);
}

#[tokio::test]
async fn answers_are_found_until_they_expire() {
    let pool = pool().await;
    assert_eq!(answered::<String>(&pool, &key(1, "a")).await.expect("asks"), None);
    add_once(&pool, &key(1, "a")).await.expect("answers");
    assert_eq!(answered::<String>(&pool, &key(1, "a")).await.expect("asks").as_deref(), Some("1 things"));
    assert_eq!(expire(&pool, 410_182, NOW).await.expect("deletes"), 0);
    assert_eq!(expire(&pool, 410_183, NOW + Duration::hours(1)).await.expect("another district"), 0);
    assert_eq!(expire(&pool, 410_182, NOW + Duration::hours(1)).await.expect("deletes"), 1);
    assert_eq!(answered::<String>(&pool, &key(1, "a")).await.expect("asks"), None);
}
