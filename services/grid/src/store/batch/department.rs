//! Many departments at once.

use sqlx::PgConnection;

use crate::model::department::{Department, DepartmentKind};
use crate::store::area::code;

/// Those of `codes` that exist.
pub async fn known(
    conn: &mut PgConnection,
    district: i32,
    codes: &[String],
) -> sqlx::Result<Vec<Department>> {
    let rows = sqlx::query!(
        "select code, display_name, kind, duty_phone, duties, served_areas, version
         from department where district = $1 and code = any($2)",
        district,
        codes,
    )
    .fetch_all(conn)
    .await?;
    let known = rows.into_iter().map(|r| {
        Ok(Department {
            district,
            code: r.code,
            display_name: r.display_name,
            kind: if r.kind == 1 { DepartmentKind::Government } else { DepartmentKind::PublicService },
            duty_phone: r.duty_phone,
            duties: r.duties,
            served_areas: r.served_areas.iter().map(|text| code(text)).collect::<Result<_, _>>()?,
            version: r.version,
        })
    });
    known.collect()
}

/// Adds or changes departments, each of the version before the one given. How many were written: fewer than given where
/// another call was faster.
pub async fn put(conn: &mut PgConnection, district: i32, departments: &[Department]) -> sqlx::Result<u64> {
    let column = |of: fn(&Department) -> String| departments.iter().map(of).collect::<Vec<_>>();
    let areas = |d: &Department| d.served_areas.iter().map(ToString::to_string).collect::<Vec<_>>().join(";");
    let done = sqlx::query!(
        "insert into department (district, code, display_name, kind, duty_phone, duties, served_areas, version)
         select $1, code, display_name, kind, duty_phone, string_to_array(duties, ';'), string_to_array(areas, ';'), version
         from unnest($2::text[], $3::text[], $4::smallint[], $5::text[], $6::text[], $7::text[], $8::bigint[])
           as d(code, display_name, kind, duty_phone, duties, areas, version)
         on conflict (district, code) do update set display_name = excluded.display_name, kind = excluded.kind,
           duty_phone = excluded.duty_phone, duties = excluded.duties, served_areas = excluded.served_areas,
           version = excluded.version
         where department.version = excluded.version - 1",
        district,
        &column(|d| d.code.clone()),
        &column(|d| d.display_name.clone()),
        &departments.iter().map(|d| d.kind as i16 + 1).collect::<Vec<_>>(),
        &column(|d| d.duty_phone.clone()),
        &column(|d| d.duties.join(";")),
        &departments.iter().map(areas).collect::<Vec<_>>(),
        &departments.iter().map(|d| d.version).collect::<Vec<_>>(),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
