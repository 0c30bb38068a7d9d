//! What exports read beside the lists, page by page, and how many rows there are.

use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::model::area::AreaCode;
use crate::model::category::{Category, Condition, PartialLimits};
use crate::model::staff::{Posting, PostingRole, StaffMember};
use crate::store::area::code;

/// People with their active postings, one row for each and one for a person without any, in the order of the people's ids and
/// the postings' after `after`; only postings to `area` and below it where it is given.
pub async fn staff(
    executor: impl PgExecutor<'_>,
    district: i32,
    area: Option<AreaCode>,
    after: (Uuid, Uuid),
    limit: i64,
) -> sqlx::Result<Vec<(StaffMember, Option<Posting>)>> {
    let rows = sqlx::query!(
        r#"select s.id, s.display_name, s.duty_phone, s.subject, s.home_unit, s.version,
             p.id as "posting?", p.area as "area?", p.role as "role?", p.start_time as "start_time?", p.planned_end_time,
             p.version as "posting_version?"
           from staff_member s left join posting p on p.district = s.district and p.staff_id = s.id and p.end_time is null
           where s.district = $1 and s.id >= $3
             and (s.id, coalesce(p.id, '00000000-0000-0000-0000-000000000000')) > ($3, $4)
             and ($2::text is null or (p.area >= $2 and p.area < $2 || ':'))
           order by s.id, p.id limit $5"#,
        district,
        area.map(|a| a.to_string()),
        after.0,
        after.1,
        limit,
    )
    .fetch_all(executor)
    .await?;
    let rows = rows.into_iter().map(|r| {
        let member = StaffMember {
            district,
            id: r.id,
            display_name: r.display_name,
            duty_phone: r.duty_phone,
            subject: r.subject,
            home_unit: r.home_unit,
            version: r.version,
        };
        let (Some(id), Some(area), Some(role), Some(start_time)) = (r.posting, r.area, r.role, r.start_time)
        else {
            return Ok((member, None));
        };
        let role = PostingRole::of_number(role)
            .ok_or_else(|| sqlx::Error::Decode("posting: role does not read back".into()))?;
        let posting = Posting {
            district,
            id,
            staff_id: member.id,
            staff_name: member.display_name.clone(),
            area: code(&area)?,
            role,
            start_time,
            planned_end_time: r.planned_end_time,
            end_time: None,
            end_reason: String::new(),
            hand_over: None,
            version: r.posting_version.unwrap_or(1),
        };
        Ok((member, Some(posting)))
    });
    rows.collect()
}

/// Categories, main ones first so that they can be imported in this order, after `after` (see `category_place`).
pub async fn categories(
    executor: impl PgExecutor<'_>,
    district: i32,
    after: &str,
    limit: i64,
) -> sqlx::Result<Vec<Category>> {
    let rows = sqlx::query!(
        r#"select code, parent, display_name, limits as "limits: Json<PartialLimits>",
             conditions as "conditions: Json<Vec<Condition>>", verify_public_reports, retired, version
           from category where district = $1 and (case when parent is null then '0' else '1' end) || code > $2 collate "C"
           order by ((case when parent is null then '0' else '1' end) || code) collate "C" limit $3"#,
        district,
        after,
        limit,
    )
    .fetch_all(executor)
    .await?;
    let categories = rows.into_iter().map(|r| Category {
        district,
        code: r.code,
        parent: r.parent,
        display_name: r.display_name,
        limits: r.limits.0,
        conditions: r.conditions.0,
        verify_public_reports: r.verify_public_reports,
        retired: r.retired,
        version: r.version,
    });
    Ok(categories.collect())
}

/// The place of a category in that order.
pub fn category_place(category: &Category) -> String {
    format!("{}{}", u8::from(category.parent.is_some()), category.code)
}

/// How many areas of an ancestor have a version in force.
pub async fn count_areas(
    executor: impl PgExecutor<'_>,
    ancestor: AreaCode,
    at: OffsetDateTime,
) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from area a
           where a.district = $1 and a.code >= $2 and a.code < $2 || ':' and exists (
             select from area_version v where v.district = a.district and v.code = a.code and v.effective_time <= $3)"#,
        ancestor.district(),
        ancestor.to_string(),
        at,
    )
    .fetch_one(executor)
    .await
}

/// How many rows `staff` has.
pub async fn count_staff(
    executor: impl PgExecutor<'_>,
    district: i32,
    area: Option<AreaCode>,
) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!"
           from staff_member s left join posting p on p.district = s.district and p.staff_id = s.id and p.end_time is null
           where s.district = $1 and ($2::text is null or (p.area >= $2 and p.area < $2 || ':'))"#,
        district,
        area.map(|a| a.to_string()),
    )
    .fetch_one(executor)
    .await
}

/// How many departments there are.
pub async fn count_departments(executor: impl PgExecutor<'_>, district: i32) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"select count(*) as "count!" from department where district = $1"#, district)
        .fetch_one(executor)
        .await
}

/// How many categories there are.
pub async fn count_categories(executor: impl PgExecutor<'_>, district: i32) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"select count(*) as "count!" from category where district = $1"#, district)
        .fetch_one(executor)
        .await
}

/// How many events a unit handles or was the last to handle.
pub async fn count_led(conn: &mut PgConnection, district: i32, unit: &str) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from event where district = $1 and lead = $2"#,
        district,
        unit,
    )
    .fetch_one(conn)
    .await
}
