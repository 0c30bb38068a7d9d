//! Uploads and their chunks.

use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::model::upload::{Content, Hash, Progress, Purpose, Refusal, Upload};

/// The hash of a column.
pub(super) fn hash(bytes: Vec<u8>) -> sqlx::Result<Hash> {
    bytes.try_into().map_err(|_| sqlx::Error::Decode("a hash has 32 bytes".into()))
}

/// One upload.
pub async fn get(executor: impl PgExecutor<'_>, district: i32, id: Uuid) -> sqlx::Result<Option<Upload>> {
    let row = sqlx::query!(
        r#"select uploader, secret_hash, file_name, size_bytes, wanted_sha256, purpose, received_bytes, chunks, sha256,
             stored_bytes, content_type, refusal as "refusal: Json<Refusal>", create_time
           from upload where district = $1 and id = $2"#,
        district,
        id,
    );
    let Some(row) = row.fetch_optional(executor).await? else { return Ok(None) };
    let progress = match (row.sha256, row.stored_bytes, row.content_type, row.refusal) {
        (Some(sha256), Some(size), Some(content_type), _) => {
            Progress::Finished(Content { district, sha256: hash(sha256)?, size, content_type })
        }
        (.., Some(refusal)) => Progress::Refused(refusal.0),
        _ => Progress::Receiving,
    };
    let purpose = Purpose::of_number(row.purpose);
    Ok(Some(Upload {
        district,
        id,
        uploader: row.uploader,
        secret_hash: row.secret_hash.map(hash).transpose()?,
        file_name: row.file_name,
        size: row.size_bytes,
        wanted_sha256: row.wanted_sha256.map(hash).transpose()?,
        purpose: purpose.ok_or_else(|| sqlx::Error::Decode("upload: purpose does not read back".into()))?,
        received: row.received_bytes,
        chunks: row.chunks,
        progress,
        create_time: row.create_time,
    }))
}

/// Adds an upload of which nothing is there yet. Errors: `upload_pkey`.
pub async fn insert(conn: &mut PgConnection, upload: &Upload) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into upload (district, id, uploader, secret_hash, file_name, size_bytes, wanted_sha256, purpose, create_time,
           change_time)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)",
        upload.district,
        upload.id,
        upload.uploader,
        upload.secret_hash.as_ref().map(|h| &h[..]),
        upload.file_name,
        upload.size,
        upload.wanted_sha256.as_ref().map(|h| &h[..]),
        upload.purpose.number(),
        upload.create_time,
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// How many uploads without a token of the district are not finished, of those begun since `since`. Until the end of its
/// transaction nobody else counts in the district.
pub async fn count_public(
    conn: &mut PgConnection,
    district: i32,
    since: OffsetDateTime,
) -> sqlx::Result<i64> {
    // 7: of this migration, so that no other lock of the district's is meant.
    sqlx::query!("select pg_advisory_xact_lock(7, $1)", district).execute(&mut *conn).await?;
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from upload
           where district = $1 and create_time > $2 and uploader is null and sha256 is null and refusal is null"#,
        district,
        since,
    )
    .fetch_one(conn)
    .await
}

/// Counts a chunk that is in the storage, where it is the next; false where another came first.
pub async fn append(
    pool: &PgPool,
    upload: &Upload,
    object: Uuid,
    length: i64,
    now: OffsetDateTime,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "with next as (
           update upload set received_bytes = received_bytes + $4, chunks = chunks + 1, change_time = $6
           where district = $1 and id = $2 and received_bytes = $3 and sha256 is null and refusal is null returning id)
         insert into upload_chunk (district, upload_id, start, object) select $1, id, $3, $5 from next",
        upload.district,
        upload.id,
        upload.received,
        length,
        object,
        now,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The chunks of an upload in their order.
pub async fn chunks(pool: &PgPool, district: i32, id: Uuid) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "select object from upload_chunk where district = $1 and upload_id = $2 order by start",
        district,
        id,
    )
    .fetch_all(pool)
    .await
}

/// Finishes an upload as this content, which is stored and claimed, and makes it the attachment that it is meant to be.
/// False where it is finished or refused already, or the content is being removed.
pub async fn finish(
    pool: &PgPool,
    upload: &Upload,
    content: &Content,
    now: OffsetDateTime,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "with held as (
           update content set claim_time = $5, loose = false where district = $1 and sha256 = $3 and not doomed returning sha256),
         done as (
           update upload u set sha256 = $3, stored_bytes = $6, content_type = $7, change_time = $5 from held
           where u.district = $1 and u.id = $2 and u.sha256 is null and u.refusal is null
           returning u.id, u.uploader, u.file_name),
         made as (
           insert into attachment (district, id, uploader, file_name, content_type, size_bytes, sha256, create_time)
           select $1, id, uploader, file_name, $7, $6, $3, $5 from done where $4),
         gone as (delete from upload_chunk c using done where c.district = $1 and c.upload_id = done.id)
         select from done",
        upload.district,
        upload.id,
        &content.sha256[..],
        upload.purpose == Purpose::Attachment,
        now,
        content.size,
        content.content_type,
    )
    .fetch_all(pool)
    .await?;
    Ok(!done.is_empty())
}

/// Refuses an upload for good; false where it is finished or refused already.
pub async fn refuse(
    pool: &PgPool,
    upload: &Upload,
    refusal: &Refusal,
    now: OffsetDateTime,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "with done as (
           update upload set refusal = $3, change_time = $4 where district = $1 and id = $2 and sha256 is null and refusal is null returning id),
         gone as (delete from upload_chunk c using done where c.district = $1 and c.upload_id = done.id)
         select from done",
        upload.district,
        upload.id,
        Json(refusal) as _,
        now,
    )
    .fetch_all(pool)
    .await?;
    Ok(!done.is_empty())
}

/// The districts that have uploads, content, or both.
pub async fn districts(pool: &PgPool) -> sqlx::Result<Vec<i32>> {
    sqlx::query_scalar!(
        r#"with recursive known as (
             (select district from content order by district limit 1)
             union all
             select (select district from content c where c.district > known.district order by district limit 1)
             from known where known.district is not null),
           begun as (
             (select district from upload order by district limit 1)
             union all
             select (select district from upload u where u.district > begun.district order by district limit 1)
             from begun where begun.district is not null)
           select district as "district!" from known where district is not null
           union select district from begun where district is not null"#,
    )
    .fetch_all(pool)
    .await
}

/// Gives up uploads that are not finished and to which nothing has come since `before`; answers with these and those that
/// were refused before then: their chunks can go.
pub async fn give_up(
    pool: &PgPool,
    district: i32,
    before: OffsetDateTime,
    limit: i64,
) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "update upload set refusal = coalesce(refusal, $4) where district = $1 and id in (
           select id from upload where district = $1 and sha256 is null and change_time < $2 order by change_time limit $3)
         and sha256 is null and change_time < $2 returning id",
        district,
        before,
        limit,
        Json(Refusal::Expired) as _,
    )
    .fetch_all(pool)
    .await
}

/// Forgets an upload that was refused or given up.
pub async fn forget(pool: &PgPool, district: i32, id: Uuid) -> sqlx::Result<()> {
    sqlx::query!("delete from upload where district = $1 and id = $2 and refusal is not null", district, id)
        .execute(pool)
        .await
        .map(|_| ())
}

/// Forgets uploads that were finished before `before`; what they have become stays where something refers to it.
pub async fn forget_finished(pool: &PgPool, district: i32, before: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        "with gone as (delete from upload where district = $1 and sha256 is not null and change_time < $2 returning sha256)
         update content c set loose = true from gone where c.district = $1 and c.sha256 = gone.sha256",
        district,
        before,
    )
    .execute(pool)
    .await
    .map(|_| ())
}
