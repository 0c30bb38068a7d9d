//! The Chinese names of units: areas and departments alike.

use std::collections::HashMap;

use sqlx::{PgPool, query};
use time::OffsetDateTime;

use crate::model::unit::Unit;

/// The names of these units; an area's as of `at`.
pub async fn names(
    pool: &PgPool,
    district: i32,
    units: &[Unit],
    at: OffsetDateTime,
) -> sqlx::Result<HashMap<String, String>> {
    let (mut areas, mut departments) = (Vec::new(), Vec::new());
    for unit in units {
        match unit {
            Unit::Area(area) => areas.push(area.to_string()),
            Unit::Department(code) => departments.push(code.clone()),
        }
    }
    let rows = query!(
        r#"select 'areas/' || code as "unit!", display_name as "display_name!" from (
             select distinct on (code) code, display_name from area_version
             where district = $1 and code = any($2) and effective_time <= $4
             order by code, effective_time desc, version desc) as area
           union all
           select 'departments/' || code, display_name from department where district = $1 and code = any($3)"#,
        district,
        &areas,
        &departments,
        at,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|r| (r.unit, r.display_name)).collect())
}
