//! What hangs together: items merged into items, items behind issues, and the counts of both.

use sqlx::{PgConnection, PgPool};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use crate::model::info_item::InfoItem;

/// An issue of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    /// The issue.
    pub issue: Uuid,
    /// The item's version that the link came with.
    pub version: i64,
    /// When it was linked.
    pub create_time: OffsetDateTime,
}

/// How many there are of a kind: 1 to 6 items by state, 7 items behind an issue, 8 issues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Of what.
    pub kind: i16,
    /// How many.
    pub count: i64,
}

/// Gives an item, and all that is merged into it, a new root, and says whether that is behind an issue. Touches these only.
pub async fn hang(
    conn: &mut PgConnection,
    district: i32,
    item: Uuid,
    root: Uuid,
    behind: bool,
) -> sqlx::Result<()> {
    let update = sqlx::query!(
        r#"with recursive tree as (
             select district, id, month, behind from info_item where district = $1 and id = $2
             union
             select m.district, m.id, m.month, m.behind from tree
               join info_item m on m.district = tree.district and m.merged_into = tree.id),
           moved as (
             update info_item i set root = $3, behind = $4 from tree where i.district = $1 and i.id = tree.id),
           changes as (
             select month, count(*) * case when $4 then 1 else -1 end as change from tree where behind <> $4 group by month)
           insert into info_item_count as c (district, month, kind, count) select $1, month, 7, change from changes order by month
           on conflict (district, month, kind) do update set count = c.count + excluded.count"#,
        district,
        item,
        root,
        behind,
    );
    update.execute(conn).await.map(|_| ())
}

/// Links an issue to the item as it now is; the issue's first item makes it count in the month that it was submitted in.
///
/// # Errors
/// `info_item_issue_issue` where there is no such issue.
pub async fn link(
    conn: &mut PgConnection,
    item: &InfoItem,
    issue: Uuid,
    now: OffsetDateTime,
) -> sqlx::Result<()> {
    let insert = sqlx::query!(
        "with linked as (
           insert into info_item_issue (district, item, issue, version, create_time) values ($1, $2, $3, $4, $5)),
         first as (
           select date_trunc('month', i.submit_time at time zone interval '8 hours')::date as month from issue i
           where i.district = $1 and i.id = $3
             and not exists (select from info_item_issue l where l.district = $1 and l.issue = $3))
         insert into info_item_count as c (district, month, kind, count) select $1, month, 8, 1 from first
         on conflict (district, month, kind) do update set count = c.count + 1",
        item.district,
        item.id,
        issue,
        item.version,
        now,
    );
    insert.execute(conn).await.map(|_| ())
}

/// Takes a link back; the issue's last item makes it count no more.
pub async fn unlink(conn: &mut PgConnection, district: i32, item: Uuid, issue: Uuid) -> sqlx::Result<()> {
    let delete = sqlx::query!(
        "with cut as (
           delete from info_item_issue where district = $1 and item = $2 and issue = $3 returning issue),
         last as (
           select date_trunc('month', i.submit_time at time zone interval '8 hours')::date as month
           from cut join issue i on i.district = $1 and i.id = cut.issue
           where not exists (
             select from info_item_issue l where l.district = $1 and l.issue = $3 and l.item <> $2))
         update info_item_count c set count = c.count - 1 from last
         where c.district = $1 and c.month = last.month and c.kind = 8",
        district,
        item,
        issue,
    );
    delete.execute(conn).await.map(|_| ())
}

/// The issues of an item that is not merged, those that were linked after a version, those first that were linked first.
pub async fn issues(
    pool: &PgPool,
    district: i32,
    item: Uuid,
    after: i64,
    limit: i64,
) -> sqlx::Result<Vec<Linked>> {
    sqlx::query_as!(
        Linked,
        "select issue, version, create_time from info_item_issue
         where district = $1 and item = $2 and version > $3 order by version limit $4",
        district,
        item,
        after,
        limit,
    )
    .fetch_all(pool)
    .await
}

/// The counts of the months that begin from one day to another.
pub async fn counts(pool: &PgPool, district: i32, from: Date, to: Date) -> sqlx::Result<Vec<Count>> {
    sqlx::query_as!(
        Count,
        r#"select kind, sum(count)::bigint as "count!" from info_item_count
           where district = $1 and month between $2 and $3 group by kind order by kind"#,
        district,
        from,
        to,
    )
    .fetch_all(pool)
    .await
}
