//! What waits to be done by the service itself: for its gauges, over all districts.

use sqlx::PgPool;
use time::OffsetDateTime;

/// How many rows wait, and since when the first of them does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// How many.
    pub rows: i64,
    /// Since when; `None` where nothing waits.
    pub oldest: Option<OffsetDateTime>,
}

/// Events whose alarm was due at `now` and has not been given; at most 1,000 of a district are counted.
pub async fn due(pool: &PgPool, now: OffsetDateTime) -> sqlx::Result<Backlog> {
    sqlx::query_as!(
        Backlog,
        r#"select count(*) as "rows!", min(e.alarm_time) as oldest
           from feed_head h cross join lateral (
             select alarm_time from event where district = h.district and alarm_time <= $1 order by alarm_time limit 1000) e"#,
        now,
    )
    .fetch_one(pool)
    .await
}

/// Transitions that the counters do not have yet; at most 10,000 of a district are counted.
pub async fn uncounted(pool: &PgPool) -> sqlx::Result<Backlog> {
    sqlx::query_as!(
        Backlog,
        r#"select count(*) as "rows!", min(t.create_time) as oldest
           from feed_head h left join statistic_head c on c.district = h.district cross join lateral (
             select create_time from event_transition
             where district = h.district and seq > coalesce(c.seq, 0) order by seq limit 10000) t"#,
    )
    .fetch_one(pool)
    .await
}

/// The change feed: its numbers are dense, so that the first and the last one tell how many there are. The age is that of the
/// first change but the last of all, which is always kept.
pub async fn feed(pool: &PgPool) -> sqlx::Result<Backlog> {
    sqlx::query_as!(
        Backlog,
        r#"select coalesce(sum(h.seq - o.seq + 1), 0)::bigint as "rows!", min(o.create_time) filter (where o.seq < h.seq) as oldest
           from feed_head h cross join lateral (
             select seq, create_time from outbox where district = h.district order by seq limit 1) o"#,
    )
    .fetch_one(pool)
    .await
}

/// What the database takes on disk.
pub async fn bytes(pool: &PgPool) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"select pg_database_size(current_database()) as "bytes!""#).fetch_one(pool).await
}
