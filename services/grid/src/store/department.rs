//! Departments.

use sqlx::{PgConnection, PgExecutor};

use super::area::code;
use crate::model::department::{Department, DepartmentKind};

struct Row {
    code: String,
    display_name: String,
    kind: i16,
    duty_phone: String,
    duties: Vec<String>,
    served_areas: Vec<String>,
    version: i64,
}

impl Row {
    fn department(self, district: i32) -> sqlx::Result<Department> {
        Ok(Department {
            district,
            code: self.code,
            display_name: self.display_name,
            kind: if self.kind == 1 { DepartmentKind::Government } else { DepartmentKind::PublicService },
            duty_phone: self.duty_phone,
            duties: self.duties,
            served_areas: self.served_areas.iter().map(|text| code(text)).collect::<Result<_, _>>()?,
            version: self.version,
        })
    }
}

fn areas(department: &Department) -> Vec<String> {
    department.served_areas.iter().map(ToString::to_string).collect()
}

/// One department.
pub async fn get(
    executor: impl PgExecutor<'_>,
    district: i32,
    code: &str,
) -> sqlx::Result<Option<Department>> {
    sqlx::query_as!(
        Row,
        "select code, display_name, kind, duty_phone, duties, served_areas, version
         from department where district = $1 and code = $2",
        district,
        code,
    )
    .fetch_optional(executor)
    .await?
    .map(|r| r.department(district))
    .transpose()
}

/// Departments in the order of their codes after `after`; where `category` is given, those that answer for it or for the main
/// category above it.
pub async fn list(
    executor: impl PgExecutor<'_>,
    district: i32,
    category: Option<&str>,
    after: &str,
    limit: i64,
) -> sqlx::Result<Vec<Department>> {
    let rows = sqlx::query_as!(
        Row,
        "select code, display_name, kind, duty_phone, duties, served_areas, version from department
         where district = $1 and code > $3
           and ($2::text is null or duties && array_append(
             (select array[parent] from category where district = $1 and code = $2 and parent is not null), $2))
         order by code limit $4",
        district,
        category,
        after,
        limit,
    )
    .fetch_all(executor)
    .await?;
    rows.into_iter().map(|r| r.department(district)).collect()
}

/// Adds a department. Errors: `department_pkey`.
pub async fn insert(conn: &mut PgConnection, department: &Department) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into department (district, code, display_name, kind, duty_phone, duties, served_areas, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        department.district,
        department.code,
        department.display_name,
        department.kind as i16 + 1,
        department.duty_phone,
        &department.duties,
        &areas(department),
        department.version,
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// Changes a department of the version before this one; false where it has another.
pub async fn update(conn: &mut PgConnection, department: &Department) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update department set display_name = $3, kind = $4, duty_phone = $5, duties = $6, served_areas = $7, version = $8
         where district = $1 and code = $2 and version = $8::bigint - 1",
        department.district,
        department.code,
        department.display_name,
        department.kind as i16 + 1,
        department.duty_phone,
        &department.duties,
        &areas(department),
        department.version,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether every category, and every area, that a department names exists.
pub async fn references_exist(
    conn: &mut PgConnection,
    department: &Department,
) -> sqlx::Result<(bool, bool)> {
    let row = sqlx::query!(
        r#"select (select count(*) from category where district = $1 and code = any($2)) = cardinality($2::text[]) as "duties!",
             (select count(*) from area where district = $1 and code = any($3)) = cardinality($3::text[]) as "areas!""#,
        department.district,
        &department.duties,
        &areas(department),
    )
    .fetch_one(conn)
    .await?;
    Ok((row.duties, row.areas))
}
