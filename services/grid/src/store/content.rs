//! Content of files: claimed before it is written, doomed before it is removed.

use sqlx::{PgExecutor, PgPool};
use time::OffsetDateTime;

use crate::model::upload::{Content, Hash};

/// Says that this content is about to be written and referred to; false where it is being removed at this moment.
pub async fn claim(
    executor: impl PgExecutor<'_>,
    content: &Content,
    now: OffsetDateTime,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "insert into content as c (district, sha256, claim_time) values ($1, $2, $3)
         on conflict (district, sha256) do update set claim_time = $3, loose = true where not c.doomed",
        content.district,
        &content.sha256[..],
        now,
    )
    .execute(executor)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Dooms content that nothing refers to and nobody has claimed since `before`, and answers with it: whoever is told so removes
/// it, and nobody else is, unless it was doomed before then by one who did not come to the end.
pub async fn doom(
    pool: &PgPool,
    district: i32,
    before: OffsetDateTime,
    now: OffsetDateTime,
    limit: i64,
) -> sqlx::Result<Vec<Hash>> {
    let rows = sqlx::query!(
        r#"with found as (
             select sha256, not exists (select from attachment a where a.district = $1 and a.sha256 = c.sha256)
               and not exists (select from upload u where u.district = $1 and u.sha256 = c.sha256) as unused
             from content c where district = $1 and loose and claim_time < $2 order by claim_time limit $3)
           update content c set doomed = unused, loose = unused, claim_time = $4 from found
           where c.district = $1 and c.sha256 = found.sha256 and c.loose and c.claim_time < $2
           returning c.sha256, unused as "unused!""#,
        district,
        before,
        limit,
        now,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().filter(|row| row.unused).map(|row| super::upload::hash(row.sha256)).collect()
}

/// Forgets doomed content, whose object is gone.
pub async fn forget(pool: &PgPool, district: i32, sha256: &Hash) -> sqlx::Result<()> {
    sqlx::query!("delete from content where district = $1 and sha256 = $2 and doomed", district, &sha256[..])
        .execute(pool)
        .await
        .map(|_| ())
}
