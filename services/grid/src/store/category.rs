//! Categories, with the limits of their steps as JSON.

use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;

use crate::model::area::AreaCode;
use crate::model::category::{Category, Condition, PartialLimits};

/// A category as its row has it.
pub(super) struct Row {
    pub(super) code: String,
    pub(super) parent: Option<String>,
    pub(super) display_name: String,
    pub(super) limits: Json<PartialLimits>,
    pub(super) conditions: Json<Vec<Condition>>,
    pub(super) verify_public_reports: bool,
    pub(super) retired: bool,
    pub(super) version: i64,
}

impl Row {
    fn category(self, district: i32) -> Category {
        Category {
            district,
            code: self.code,
            parent: self.parent,
            display_name: self.display_name,
            limits: self.limits.0,
            conditions: self.conditions.0,
            verify_public_reports: self.verify_public_reports,
            retired: self.retired,
            version: self.version,
        }
    }
}

/// One category.
pub async fn get(executor: impl PgExecutor<'_>, district: i32, code: &str) -> sqlx::Result<Option<Category>> {
    let row = sqlx::query_as!(
        Row,
        r#"select code, parent, display_name, limits as "limits: Json<PartialLimits>",
             conditions as "conditions: Json<Vec<Condition>>", verify_public_reports, retired, version
           from category where district = $1 and code = $2"#,
        district,
        code,
    )
    .fetch_optional(executor)
    .await?;
    Ok(row.map(|r| r.category(district)))
}

/// Categories in the order of their codes after `after`, those below `parent` where it is given.
pub async fn list(
    executor: impl PgExecutor<'_>,
    district: i32,
    parent: Option<&str>,
    after: &str,
    limit: i64,
) -> sqlx::Result<Vec<Category>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select code, parent, display_name, limits as "limits: Json<PartialLimits>",
             conditions as "conditions: Json<Vec<Condition>>", verify_public_reports, retired, version
           from category where district = $1 and ($2::text is null or parent = $2) and code > $3 order by code limit $4"#,
        district,
        parent,
        after,
        limit,
    )
    .fetch_all(executor)
    .await?;
    Ok(rows.into_iter().map(|r| r.category(district)).collect())
}

/// Codes and names of the main categories, or of the sub-categories, in the order of their codes after `after`.
pub async fn of_level(
    executor: impl PgExecutor<'_>,
    district: i32,
    main: bool,
    after: &str,
    limit: i64,
) -> sqlx::Result<Vec<(String, String)>> {
    let rows = sqlx::query!(
        "select code, display_name from category
         where district = $1 and (parent is null) = $2 and code > $3 order by code limit $4",
        district,
        main,
        after,
        limit,
    )
    .fetch_all(executor)
    .await?;
    Ok(rows.into_iter().map(|r| (r.code, r.display_name)).collect())
}

/// Adds a category. Errors: `category_pkey`; `category_district_parent_fkey`.
pub async fn insert(conn: &mut PgConnection, category: &Category) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into category (district, code, parent, display_name, limits, conditions, verify_public_reports, retired, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        category.district,
        category.code,
        category.parent,
        category.display_name,
        Json(category.limits) as _,
        Json(&category.conditions) as _,
        category.verify_public_reports,
        category.retired,
        category.version,
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// Changes a category of the version before this one; false where it has another.
pub async fn update(conn: &mut PgConnection, category: &Category) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update category set display_name = $3, limits = $4, conditions = $5, verify_public_reports = $6, retired = $7, version = $8
         where district = $1 and code = $2 and version = $8::bigint - 1",
        category.district,
        category.code,
        category.display_name,
        Json(category.limits) as _,
        Json(&category.conditions) as _,
        category.verify_public_reports,
        category.retired,
        category.version,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What the deadlines of a category's events are made of, read at once.
pub struct Basis {
    /// The category.
    pub category: Category,
    /// The limits of its main category.
    pub main: PartialLimits,
    /// The version of the district's work calendar; `None` where it has none.
    pub calendar_version: Option<i64>,
}

impl Basis {
    /// From the columns that every statement that reads a basis has.
    pub(super) fn of(
        district: i32,
        category: Row,
        main: Option<Json<PartialLimits>>,
        calendar_version: Option<i64>,
    ) -> Self {
        let main = main.map(|m| m.0).unwrap_or_default();
        Self { category: category.category(district), main, calendar_version }
    }
}

/// The basis of the deadlines of a category, and the version that an area has at a moment, where one is given that is there.
pub async fn basis(
    executor: impl PgExecutor<'_>,
    district: i32,
    code: &str,
    area: Option<AreaCode>,
    at: OffsetDateTime,
) -> sqlx::Result<Option<(Basis, Option<i64>)>> {
    let row = sqlx::query!(
        r#"select c.code, c.parent, c.display_name, c.limits as "limits: Json<PartialLimits>",
             c.conditions as "conditions: Json<Vec<Condition>>", c.verify_public_reports, c.retired,
             c.version as category_version, p.limits as "main?: Json<PartialLimits>",
             (select w.version from work_calendar w where w.district = $1) as calendar_version,
             (select v.version from area_version v
              where v.district = $1 and v.code = $3 and v.effective_time <= $4
              order by v.effective_time desc, v.version desc limit 1) as area_version
           from category c left join category p on p.district = c.district and p.code = c.parent
           where c.district = $1 and c.code = $2"#,
        district,
        code,
        area.map(|area| area.to_string()),
        at,
    )
    .fetch_optional(executor)
    .await?;
    Ok(row.map(|r| {
        let category = Row {
            code: r.code,
            parent: r.parent,
            display_name: r.display_name,
            limits: r.limits,
            conditions: r.conditions,
            verify_public_reports: r.verify_public_reports,
            retired: r.retired,
            version: r.category_version,
        };
        (Basis::of(district, category, r.main, r.calendar_version), r.area_version)
    }))
}
