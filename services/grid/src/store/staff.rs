//! Staff members and postings.

use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

use super::area::code;
use crate::model::area::AreaCode;
use crate::model::staff::{Posting, PostingRole, StaffMember};

/// One person.
pub async fn get(
    executor: impl PgExecutor<'_>,
    district: i32,
    id: Uuid,
) -> sqlx::Result<Option<StaffMember>> {
    sqlx::query_as!(
        StaffMember,
        "select district, id, display_name, duty_phone, subject, home_unit, version from staff_member
         where district = $1 and id = $2",
        district,
        id,
    )
    .fetch_optional(executor)
    .await
}

/// People in the order of their ids (the order in which they were entered) after `after`; of one subject or all.
pub async fn list(
    executor: impl PgExecutor<'_>,
    district: i32,
    subject: Option<&str>,
    after: Uuid,
    limit: i64,
) -> sqlx::Result<Vec<StaffMember>> {
    sqlx::query_as!(
        StaffMember,
        "select district, id, display_name, duty_phone, subject, home_unit, version from staff_member
         where district = $1 and ($2::text is null or subject = $2) and id > $3 order by id limit $4",
        district,
        subject,
        after,
        limit,
    )
    .fetch_all(executor)
    .await
}

/// Adds a person. Errors: `staff_member_pkey`, `staff_member_subject`.
pub async fn insert(conn: &mut PgConnection, member: &StaffMember) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into staff_member (district, id, display_name, duty_phone, subject, home_unit, version)
         values ($1, $2, $3, $4, $5, $6, $7)",
        member.district,
        member.id,
        member.display_name,
        member.duty_phone,
        member.subject,
        member.home_unit,
        member.version,
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// Changes a person of the version before this one; false where it has another. Errors: `staff_member_subject`.
pub async fn update(conn: &mut PgConnection, member: &StaffMember) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update staff_member set display_name = $3, duty_phone = $4, subject = $5, home_unit = $6, version = $7
         where district = $1 and id = $2 and version = $7::bigint - 1",
        member.district,
        member.id,
        member.display_name,
        member.duty_phone,
        member.subject,
        member.home_unit,
        member.version,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// How many people are posted now to each of `areas` (of one depth) and what lies below it; areas without any are left out.
pub async fn posted(
    conn: &mut PgConnection,
    district: i32,
    areas: &[String],
    role: PostingRole,
) -> sqlx::Result<Vec<(String, i64)>> {
    let length = areas.first().map_or(0, String::len) as i32;
    let rows = sqlx::query!(
        r#"select left(area, $3) as "area!", count(*) as "count!" from posting
           where district = $1 and role = $4 and end_time is null and left(area, $3) = any($2) group by 1"#,
        district,
        areas,
        length,
        role.number(),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| (r.area, r.count)).collect())
}

/// The areas in which a person is posted now.
pub async fn posted_areas(
    conn: &mut PgConnection,
    district: i32,
    staff: Uuid,
) -> sqlx::Result<Vec<AreaCode>> {
    let rows = sqlx::query_scalar!(
        "select distinct area from posting where district = $1 and staff_id = $2 and end_time is null order by area",
        district,
        staff,
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(|area| code(area)).collect()
}

struct Row {
    id: Uuid,
    staff_id: Uuid,
    staff_name: String,
    area: String,
    role: i16,
    start_time: OffsetDateTime,
    planned_end_time: Option<OffsetDateTime>,
    end_time: Option<OffsetDateTime>,
    end_reason: String,
    hand_over: Option<Uuid>,
    version: i64,
}

impl Row {
    fn posting(self, district: i32) -> sqlx::Result<Posting> {
        let role = PostingRole::of_number(self.role);
        Ok(Posting {
            district,
            id: self.id,
            staff_id: self.staff_id,
            staff_name: self.staff_name,
            area: code(&self.area)?,
            role: role.ok_or_else(|| sqlx::Error::Decode("posting: role does not read back".into()))?,
            start_time: self.start_time,
            planned_end_time: self.planned_end_time,
            end_time: self.end_time,
            end_reason: self.end_reason,
            hand_over: self.hand_over,
            version: self.version,
        })
    }
}

/// One posting.
pub async fn get_posting(
    executor: impl PgExecutor<'_>,
    district: i32,
    id: Uuid,
) -> sqlx::Result<Option<Posting>> {
    sqlx::query_as!(
        Row,
        r#"select p.id, staff_id, s.display_name as staff_name, p.area, role, start_time, planned_end_time, end_time, end_reason,
           h.id as "hand_over?", p.version
         from posting p join staff_member s on s.district = p.district and s.id = p.staff_id
           left join hand_over h on h.district = p.district and h.posting_id = p.id
         where p.district = $1 and p.id = $2"#,
        district,
        id,
    )
    .fetch_optional(executor)
    .await?
    .map(|r| r.posting(district))
    .transpose()
}

/// Which postings of a district.
#[derive(Debug, Clone, Default)]
pub struct PostingFilter {
    /// Only in this area and those below it.
    pub area: Option<AreaCode>,
    /// Only of this person.
    pub staff: Option<Uuid>,
    /// Only of this role.
    pub role: Option<PostingRole>,
    /// Ended ones too.
    pub show_ended: bool,
}

/// Postings in the order of their ids after `after`.
pub async fn list_postings(
    executor: impl PgExecutor<'_>,
    district: i32,
    filter: &PostingFilter,
    after: Uuid,
    limit: i64,
) -> sqlx::Result<Vec<Posting>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select p.id, staff_id, s.display_name as staff_name, p.area, role, start_time, planned_end_time, end_time, end_reason,
           h.id as "hand_over?", p.version
         from posting p join staff_member s on s.district = p.district and s.id = p.staff_id
           left join hand_over h on h.district = p.district and h.posting_id = p.id
         where p.district = $1 and p.id > $2
           and ($3::text is null or (p.area >= $3 and p.area < $3 || ':'))
           and ($4::uuid is null or p.staff_id = $4)
           and ($5::smallint is null or p.role = $5)
           and ($6 or p.end_time is null)
         order by p.id limit $7"#,
        district,
        after,
        filter.area.map(|a| a.to_string()),
        filter.staff,
        filter.role.map(PostingRole::number),
        filter.show_ended,
        limit,
    )
    .fetch_all(executor)
    .await?;
    rows.into_iter().map(|r| r.posting(district)).collect()
}

/// Adds a posting. Errors: `posting_pkey`, `posting_active`, `posting_one_chief`, `posting_staff`, `posting_area`.
pub async fn insert_posting(conn: &mut PgConnection, posting: &Posting) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into posting (district, id, staff_id, area, role, start_time, planned_end_time, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        posting.district,
        posting.id,
        posting.staff_id,
        posting.area.to_string(),
        posting.role.number(),
        posting.start_time,
        posting.planned_end_time,
        posting.version,
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// Ends an active posting of the version before this one; false where it has another or has ended.
pub async fn end_posting(conn: &mut PgConnection, posting: &Posting) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update posting set end_time = $3, end_reason = $4, version = $5
         where district = $1 and id = $2 and version = $5::bigint - 1 and end_time is null",
        posting.district,
        posting.id,
        posting.end_time,
        posting.end_reason,
        posting.version,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
