//! Many categories at once.

use sqlx::PgConnection;
use sqlx::types::Json;

use crate::model::category::{Category, Condition, PartialLimits};

/// Those of `codes` that exist.
pub async fn known(conn: &mut PgConnection, district: i32, codes: &[String]) -> sqlx::Result<Vec<Category>> {
    let rows = sqlx::query!(
        r#"select code, parent, display_name, limits as "limits: Json<PartialLimits>",
             conditions as "conditions: Json<Vec<Condition>>", verify_public_reports, retired, version
           from category where district = $1 and code = any($2)"#,
        district,
        codes,
    )
    .fetch_all(conn)
    .await?;
    let known = rows.into_iter().map(|r| Category {
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
    Ok(known.collect())
}

/// Adds or changes categories, each of the version before the one given. How many were written: fewer than given where
/// another call was faster.
pub async fn put(conn: &mut PgConnection, district: i32, categories: &[Category]) -> sqlx::Result<u64> {
    let column = |of: fn(&Category) -> String| categories.iter().map(of).collect::<Vec<_>>();
    let parents: Vec<Option<String>> = categories.iter().map(|c| c.parent.clone()).collect();
    let done = sqlx::query!(
        "insert into category (district, code, parent, display_name, limits, conditions, verify_public_reports, retired, version)
         select $1, code, parent, display_name, limits, conditions, verify, retired, version
         from unnest($2::text[], $3::text[], $4::text[], $5::jsonb[], $6::jsonb[], $7::boolean[], $8::boolean[], $9::bigint[])
           as c(code, parent, display_name, limits, conditions, verify, retired, version)
         on conflict (district, code) do update set display_name = excluded.display_name, limits = excluded.limits,
           conditions = excluded.conditions, verify_public_reports = excluded.verify_public_reports,
           retired = excluded.retired, version = excluded.version
         where category.version = excluded.version - 1",
        district,
        &column(|c| c.code.clone()),
        &parents as &[Option<String>],
        &column(|c| c.display_name.clone()),
        &categories.iter().map(|c| Json(c.limits)).collect::<Vec<_>>() as _,
        &categories.iter().map(|c| Json(&c.conditions)).collect::<Vec<_>>() as _,
        &categories.iter().map(|c| c.verify_public_reports).collect::<Vec<_>>(),
        &categories.iter().map(|c| c.retired).collect::<Vec<_>>(),
        &categories.iter().map(|c| c.version).collect::<Vec<_>>(),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
