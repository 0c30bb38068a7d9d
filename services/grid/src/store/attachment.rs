//! Attachments, and which resources refer to them.

use sqlx::{PgConnection, PgExecutor, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::upload::hash;
use crate::model::attachment::Attachment;
use crate::model::upload::Content;

/// One attachment.
pub async fn get(executor: impl PgExecutor<'_>, district: i32, id: Uuid) -> sqlx::Result<Option<Attachment>> {
    let row = sqlx::query!(
        "select uploader, file_name, content_type, size_bytes, sha256, create_time from attachment
         where district = $1 and id = $2",
        district,
        id,
    )
    .fetch_optional(executor)
    .await?;
    row.map(|r| {
        let content =
            Content { district, sha256: hash(r.sha256)?, size: r.size_bytes, content_type: r.content_type };
        let (uploader, file_name, create_time) = (r.uploader, r.file_name, r.create_time);
        Ok(Attachment { id, uploader, file_name, content, create_time })
    })
    .transpose()
}

/// Those of the ids that a person may not bring as evidence: who refers to an attachment shows it to others, so it must be the
/// person's own, a resident's, or with one of these resources already.
pub async fn unusable(
    executor: impl PgExecutor<'_>,
    district: i32,
    ids: &[Uuid],
    subject: &str,
    resources: &[&str],
) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        r#"select id as "id!" from unnest($2::uuid[]) as asked(id)
           where not exists (select from attachment a where a.district = $1 and a.id = asked.id
             and (a.uploader is null or a.uploader = $3
               or exists (select from attachment_link l
                 where l.district = $1 and l.attachment_id = a.id and l.resource = any($4))))"#,
        district,
        ids,
        subject,
        resources as &[&str],
    )
    .fetch_all(executor)
    .await
}

/// Notes that a resource, by its name, refers to attachments; once for each.
/// Errors: `attachment_link_attachment` where there is no such attachment.
pub async fn link(conn: &mut PgConnection, district: i32, resource: &str, ids: &[Uuid]) -> sqlx::Result<()> {
    sqlx::query!(
        "with used as (update attachment set linked = true where district = $1 and id = any($3) and not linked)
         insert into attachment_link (district, attachment_id, resource)
         select distinct $1::integer, id, $2::text from unnest($3::uuid[]) as asked(id) on conflict do nothing",
        district,
        resource,
        ids,
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// The names of the resources that refer to an attachment, in order, after `after`.
pub async fn resources(
    pool: &PgPool,
    district: i32,
    id: Uuid,
    after: &str,
    limit: i64,
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        "select resource from attachment_link where district = $1 and attachment_id = $2 and resource > $3
         order by resource limit $4",
        district,
        id,
        after,
        limit,
    )
    .fetch_all(pool)
    .await
}

/// Forgets attachments of before `before` that nothing refers to.
pub async fn forget_unused(pool: &PgPool, district: i32, before: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        "with gone as (delete from attachment where district = $1 and not linked and create_time < $2 returning sha256)
         update content c set loose = true from gone where c.district = $1 and c.sha256 = gone.sha256",
        district,
        before,
    )
    .execute(pool)
    .await
    .map(|_| ())
}
