//! Many people and postings at once.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::model::area::AreaCode;
use crate::model::staff::{Posting, PostingRole, StaffMember};
use crate::store::area::code;

/// By what people are looked for: any of these.
#[derive(Debug, Default)]
pub struct Wanted {
    /// Ids.
    pub ids: Vec<Uuid>,
    /// Sign-in subjects.
    pub subjects: Vec<String>,
    /// Names, and beside them duty telephones, of people who have no subject.
    pub names: Vec<String>,
    /// The telephones.
    pub phones: Vec<String>,
}

/// The people who are looked for and exist; of several of one name and telephone each.
pub async fn known(
    conn: &mut PgConnection,
    district: i32,
    wanted: &Wanted,
) -> sqlx::Result<Vec<StaffMember>> {
    sqlx::query_as!(
        StaffMember,
        r#"select district as "district!", id as "id!", display_name as "display_name!", duty_phone as "duty_phone!", subject,
             home_unit as "home_unit!", version as "version!"
           from staff_member where district = $1 and id = any($2)
           union
           select district, id, display_name, duty_phone, subject, home_unit, version
           from staff_member where district = $1 and subject = any($3)
           union
           select s.district, s.id, s.display_name, s.duty_phone, s.subject, s.home_unit, s.version
           from unnest($4::text[], $5::text[]) as w(display_name, duty_phone)
           join staff_member s on s.district = $1 and s.display_name = w.display_name and s.duty_phone = w.duty_phone
             and s.subject is null
           order by 2"#,
        district,
        &wanted.ids,
        &wanted.subjects,
        &wanted.names,
        &wanted.phones,
    )
    .fetch_all(conn)
    .await
}

/// An active posting, in short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Active {
    /// Who.
    pub staff_id: Uuid,
    /// Where.
    pub area: AreaCode,
    /// As what.
    pub role: PostingRole,
}

/// The active postings of these people, and those as chief of these areas.
pub async fn active(
    conn: &mut PgConnection,
    district: i32,
    staff: &[Uuid],
    areas: &[String],
) -> sqlx::Result<Vec<Active>> {
    let rows = sqlx::query!(
        r#"select staff_id as "staff_id!", area as "area!", role as "role!" from posting
           where district = $1 and end_time is null and staff_id = any($2)
           union
           select staff_id, area, role from posting where district = $1 and end_time is null and role = 1 and area = any($3)"#,
        district,
        staff,
        areas,
    )
    .fetch_all(conn)
    .await?;
    let active = rows.into_iter().map(|r| {
        let role = PostingRole::of_number(r.role)
            .ok_or_else(|| sqlx::Error::Decode("posting: role does not read back".into()))?;
        Ok(Active { staff_id: r.staff_id, area: code(&r.area)?, role })
    });
    active.collect()
}

/// Adds or changes people, each of the version before the one given. How many were written: fewer than given where another
/// call was faster. Errors: `staff_member_subject`.
pub async fn put(conn: &mut PgConnection, district: i32, staff: &[StaffMember]) -> sqlx::Result<u64> {
    let column = |of: fn(&StaffMember) -> String| staff.iter().map(of).collect::<Vec<_>>();
    let subjects: Vec<Option<String>> = staff.iter().map(|s| s.subject.clone()).collect();
    let done = sqlx::query!(
        "insert into staff_member (district, id, display_name, duty_phone, subject, home_unit, version)
         select $1, s.* from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[]) as s
         on conflict (district, id) do update set display_name = excluded.display_name, duty_phone = excluded.duty_phone,
           subject = excluded.subject, home_unit = excluded.home_unit, version = excluded.version
         where staff_member.version = excluded.version - 1",
        district,
        &staff.iter().map(|s| s.id).collect::<Vec<_>>(),
        &column(|s| s.display_name.clone()),
        &column(|s| s.duty_phone.clone()),
        &subjects as &[Option<String>],
        &column(|s| s.home_unit.clone()),
        &staff.iter().map(|s| s.version).collect::<Vec<_>>(),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Adds postings. Errors: those of `store::staff::insert_posting`.
pub async fn post(conn: &mut PgConnection, district: i32, postings: &[Posting]) -> sqlx::Result<()> {
    let ends: Vec<Option<time::OffsetDateTime>> = postings.iter().map(|p| p.planned_end_time).collect();
    sqlx::query!(
        "insert into posting (district, id, staff_id, area, role, start_time, planned_end_time, version)
         select $1, p.*, 1 from unnest($2::uuid[], $3::uuid[], $4::text[], $5::smallint[], $6::timestamptz[], $7::timestamptz[]) as p",
        district,
        &postings.iter().map(|p| p.id).collect::<Vec<_>>(),
        &postings.iter().map(|p| p.staff_id).collect::<Vec<_>>(),
        &postings.iter().map(|p| p.area.to_string()).collect::<Vec<_>>(),
        &postings.iter().map(|p| p.role.number()).collect::<Vec<_>>(),
        &postings.iter().map(|p| p.start_time).collect::<Vec<_>>(),
        &ends as &[Option<time::OffsetDateTime>],
    )
    .execute(conn)
    .await
    .map(|_| ())
}
