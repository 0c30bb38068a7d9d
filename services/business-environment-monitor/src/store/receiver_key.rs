//! Public keys of receivers.

use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::model::receiver::Receiver;
use crate::model::sealed::ReceiverKey;

/// The stored number of the one algorithm there is, as in the proto.
const HPKE: i16 = 1;

/// A key as stored.
struct Row {
    id: Uuid,
    public_key: Vec<u8>,
    create_time: OffsetDateTime,
    retire_time: Option<OffsetDateTime>,
}

impl Row {
    fn read(self, district: i32, receiver: Receiver) -> ReceiverKey {
        let Row { id, public_key, create_time, retire_time } = self;
        ReceiverKey { district, receiver, id, public_key, created: create_time, retired: retire_time }
    }
}

/// One key.
pub async fn get(
    executor: impl PgExecutor<'_>,
    district: i32,
    receiver: Receiver,
    id: Uuid,
) -> sqlx::Result<Option<ReceiverKey>> {
    let row = sqlx::query_as!(
        Row,
        "select id, public_key, create_time, retire_time from receiver_key
         where district = $1 and receiver = $2 and id = $3",
        district,
        receiver.code(),
        id,
    );
    Ok(row.fetch_optional(executor).await?.map(|row| row.read(district, receiver)))
}

/// Keys of a receiver before `before`, newest first.
pub async fn list(
    executor: impl PgExecutor<'_>,
    district: i32,
    receiver: Receiver,
    before: Uuid,
    limit: i64,
) -> sqlx::Result<Vec<ReceiverKey>> {
    let rows = sqlx::query_as!(
        Row,
        "select id, public_key, create_time, retire_time from receiver_key
         where district = $1 and receiver = $2 and id < $3 order by id desc limit $4",
        district,
        receiver.code(),
        before,
        limit,
    );
    Ok(rows.fetch_all(executor).await?.into_iter().map(|row| row.read(district, receiver)).collect())
}

/// Adds a key that `by` registers.
///
/// # Errors
/// `receiver_key_once` for a key that the receiver has.
pub async fn insert(conn: &mut PgConnection, key: &ReceiverKey, by: &str) -> sqlx::Result<()> {
    let insert = sqlx::query!(
        "insert into receiver_key (district, receiver, id, algorithm, public_key, registered_by, create_time)
         values ($1, $2, $3, $4, $5, $6, $7)",
        key.district,
        key.receiver.code(),
        key.id,
        HPKE,
        key.public_key,
        by,
        key.created,
    );
    insert.execute(conn).await.map(|_| ())
}

/// Takes a key out of use, where it is in use; answers with it as it is then.
pub async fn retire(
    conn: &mut PgConnection,
    district: i32,
    receiver: Receiver,
    id: Uuid,
    by: &str,
    now: OffsetDateTime,
) -> sqlx::Result<Option<ReceiverKey>> {
    let row = sqlx::query_as!(
        Row,
        "update receiver_key set retired_by = coalesce(retired_by, $4), retire_time = coalesce(retire_time, $5)
         where district = $1 and receiver = $2 and id = $3 returning id, public_key, create_time, retire_time",
        district,
        receiver.code(),
        id,
        by,
        now,
    );
    Ok(row.fetch_optional(conn).await?.map(|row| row.read(district, receiver)))
}
