//! The same answer to a repeated request: the first answer to each `request_id` is kept beside what it changed.
//!
//! Table (repeated in each service's first migration):
//!
//! ```sql
//! create table idempotency (
//!   district integer not null, subject text not null, request_id uuid not null, method text not null,
//!   fingerprint bytea not null, response bytea not null, create_time timestamptz not null,
//!   primary key (district, subject, request_id)
//! );
//! create index idempotency_create_time on idempotency (district, create_time);
//! ```
//!
//! A write of several statements runs within [`once`]. A write of one statement asks [`answered`] first (in the round trip
//! that reads, if it can) and inserts the row itself in a CTE of the statement; the primary key `idempotency_pkey` then
//! refuses the later of two twins, which asks [`answered`] again.

use std::collections::HashMap;

use prost::Message;
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, PgExecutor, PgPool};
use time::OffsetDateTime;
use tonic::Code;
use uuid::Uuid;

use crate::status::{Problem, reason};

/// Which request this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The district that the request writes to.
    pub district: i32,
    /// Who asks.
    pub subject: String,
    /// The caller's id of the request.
    pub request_id: Uuid,
    /// The RPC, e.g. `DispatchEvent`.
    pub method: &'static str,
    /// SHA-256 of the method and the request.
    pub fingerprint: [u8; 32],
}

impl Key {
    /// The key of `request`, which must have no map field: their order on the wire is not fixed. For a request without an
    /// id pass a new one.
    pub fn of(
        district: i32,
        subject: &str,
        request_id: Uuid,
        method: &'static str,
        request: &impl Message,
    ) -> Self {
        let mut hash = Sha256::new();
        hash.update(method);
        hash.update([0]);
        hash.update(request.encode_to_vec());
        Self {
            district,
            subject: subject.to_owned(),
            request_id,
            method,
            fingerprint: hash.finalize().into(),
        }
    }

    fn reused(&self) -> Problem {
        let zh = "request_id 已用于另一请求；每个新请求请用新的编号";
        let en = "the request_id was used for another request: use a new one for each";
        Problem::new(Code::InvalidArgument, reason::REQUEST_ID_REUSED, zh, en)
            .with("request_id", self.request_id)
    }
}

/// Runs a write once: begin, claim the request id, `run`, keep the answer, commit. A repeat gets the first answer; a twin
/// at the same moment waits for it; a write that fails leaves no trace, and its id free.
///
/// Errors: those of `run`, of the database, and REQUEST_ID_REUSED.
pub async fn once<R, E, F>(pool: &PgPool, key: &Key, now: OffsetDateTime, run: F) -> Result<R, E>
where
    R: Message + Default,
    E: From<Problem>,
    F: AsyncFnOnce(&mut PgConnection) -> Result<R, E>,
{
    let mut transaction = pool.begin().await.map_err(Problem::from)?;
    if let Some(first) = claim(&mut transaction, key, now).await? {
        return Ok(first);
    }
    let response = run(&mut transaction).await?;
    keep(&mut transaction, key, &response).await.map_err(Problem::from)?;
    transaction.commit().await.map_err(Problem::from)?;
    Ok(response)
}

/// The answer to an earlier call with the same key, where there was one.
///
/// Errors: those of the database, and REQUEST_ID_REUSED.
pub async fn answered<R: Message + Default>(
    connection: impl PgExecutor<'_>,
    key: &Key,
) -> Result<Option<R>, Problem> {
    let sql = "select fingerprint, response from idempotency where district = $1 and subject = $2 and request_id = $3";
    let row = sqlx::query_as::<_, (Vec<u8>, Vec<u8>)>(sql)
        .bind(key.district)
        .bind(&key.subject)
        .bind(key.request_id);
    let Some((fingerprint, response)) = row.fetch_optional(connection).await? else { return Ok(None) };
    if fingerprint != key.fingerprint {
        return Err(key.reused());
    }
    Ok(Some(R::decode(response.as_slice()).map_err(|e| sqlx::Error::Decode(e.into()))?))
}

/// A kept answer, with what tells whether it is to the same request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct First {
    fingerprint: Vec<u8>,
    response: Vec<u8>,
}

impl First {
    /// The encoded answer. Errors: REQUEST_ID_REUSED where it is to another request than the key's.
    pub fn of(&self, key: &Key) -> Result<&[u8], Problem> {
        if self.fingerprint == key.fingerprint { Ok(&self.response) } else { Err(key.reused()) }
    }
}

/// The answers to earlier calls with any of these keys, which are of one district and subject, by request id.
pub async fn answers(
    connection: impl PgExecutor<'_>,
    keys: &[&Key],
) -> Result<HashMap<Uuid, First>, sqlx::Error> {
    let Some(key) = keys.first() else { return Ok(HashMap::new()) };
    let sql = "select request_id, fingerprint, response from idempotency where district = $1 and subject = $2 and request_id = any($3)";
    let ids: Vec<Uuid> = keys.iter().map(|key| key.request_id).collect();
    let rows =
        sqlx::query_as::<_, (Uuid, Vec<u8>, Vec<u8>)>(sql).bind(key.district).bind(&key.subject).bind(ids);
    let rows = rows.fetch_all(connection).await?.into_iter();
    Ok(rows.map(|(id, fingerprint, response)| (id, First { fingerprint, response })).collect())
}

/// Forgets the answers of a district from before `before`; returns how many.
pub async fn expire(
    connection: impl PgExecutor<'_>,
    district: i32,
    before: OffsetDateTime,
) -> Result<u64, sqlx::Error> {
    let sql = "delete from idempotency where district = $1 and create_time < $2";
    Ok(sqlx::query(sql).bind(district).bind(before).execute(connection).await?.rows_affected())
}

/// Takes the key for this transaction, or finds the first answer. The insert waits for a twin that is under way.
async fn claim<R: Message + Default>(
    connection: &mut PgConnection,
    key: &Key,
    now: OffsetDateTime,
) -> Result<Option<R>, Problem> {
    let sql =
        "insert into idempotency (district, subject, request_id, method, fingerprint, response, create_time)
               values ($1, $2, $3, $4, $5, '', $6) on conflict do nothing";
    let insert = sqlx::query(sql).bind(key.district).bind(&key.subject).bind(key.request_id);
    let insert = insert.bind(key.method).bind(key.fingerprint.as_slice()).bind(now);
    if insert.execute(&mut *connection).await?.rows_affected() == 1 {
        Ok(None)
    } else {
        answered(connection, key).await
    }
}

async fn keep(connection: &mut PgConnection, key: &Key, response: &impl Message) -> Result<(), sqlx::Error> {
    let sql = "update idempotency set response = $4 where district = $1 and subject = $2 and request_id = $3";
    let update = sqlx::query(sql).bind(key.district).bind(&key.subject).bind(key.request_id);
    update.bind(response.encode_to_vec()).execute(connection).await.map(|_| ())
}
