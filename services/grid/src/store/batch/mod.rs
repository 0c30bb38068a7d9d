//! Many rows at once, for imports: looked up by one statement, written by one, told to the change feed by one.

pub mod area;
pub mod category;
pub mod department;
pub mod event;
pub mod export;
pub mod staff;

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

/// Makes imports of one district wait for each other until the transaction ends: two of them neither make one person twice
/// nor lock each other's rows.
///
/// The transaction may idle for half a minute: rows are read between its statements, and a caller may be slow to take the news of
/// bad ones. It does not scan tables: the planner knows nothing of the rows that the transaction itself has written, and would
/// take a table that was empty at its start for a small one.
pub async fn lock(conn: &mut PgConnection, district: i32) -> sqlx::Result<()> {
    sqlx::query!("select set_config('idle_in_transaction_session_timeout', '30s', true) as idle, set_config('enable_seqscan', 'off', true) as scan")
        .fetch_one(&mut *conn)
        .await?;
    sqlx::query!("select pg_advisory_xact_lock(hashtext('import'), $1)", district)
        .execute(conn)
        .await
        .map(|_| ())
}

/// Entries of the change feed: resource names, and beside each its encoded message.
#[derive(Debug, Default)]
pub struct Entries {
    /// The names.
    pub resources: Vec<String>,
    /// The messages.
    pub payloads: Vec<Vec<u8>>,
}

/// Adds entries to the feed in their order; the last thing in a transaction, as `jingwei_kit::outbox::append`.
pub async fn tell(
    conn: &mut PgConnection,
    district: i32,
    entries: &Entries,
    now: OffsetDateTime,
) -> sqlx::Result<()> {
    if entries.resources.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "with head as (
           insert into feed_head as h (district, seq) values ($1, cardinality($2::text[]))
           on conflict (district) do update set seq = h.seq + cardinality($2::text[])
           returning seq - cardinality($2::text[]) as before)
         insert into outbox (district, seq, resource, payload, create_time)
         select $1, before + place, resource, payload, $4
         from head cross join unnest($2::text[], $3::bytea[]) with ordinality as e(resource, payload, place)",
        district,
        &entries.resources,
        &entries.payloads,
        now,
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// Keeps entries until `tell_kept`; `before` were kept already.
pub async fn keep(
    conn: &mut PgConnection,
    district: i32,
    import: Uuid,
    before: i64,
    entries: &Entries,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into import_feed (district, import_id, place, resource, payload)
         select $1, $2, $3 + place, resource, payload
         from unnest($4::text[], $5::bytea[]) with ordinality as e(resource, payload, place)",
        district,
        import,
        before,
        &entries.resources,
        &entries.payloads,
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// Adds the kept entries after the first `after` ones to the feed, in their order, `limit` at most; how many they were.
pub async fn tell_kept(
    conn: &mut PgConnection,
    district: i32,
    import: Uuid,
    after: i64,
    limit: i64,
    now: OffsetDateTime,
) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"with taken as (
             delete from import_feed where district = $1 and import_id = $2 and place > $3 and place <= $3 + $4::bigint
             returning place, resource, payload),
           head as (
             insert into feed_head as h (district, seq) select $1, count(*) from taken having count(*) > 0
             on conflict (district) do update set seq = h.seq + excluded.seq
             returning seq - (select count(*) from taken) as before),
           told as (
             insert into outbox (district, seq, resource, payload, create_time)
             select $1, before + row_number() over (order by place), resource, payload, $5 from taken cross join head)
           select count(*) as "count!" from taken"#,
        district,
        import,
        after,
        limit,
        now,
    )
    .fetch_one(conn)
    .await
}
