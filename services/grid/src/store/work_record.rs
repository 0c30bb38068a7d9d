//! Work records, found by posting, person or area, and what those of a posting add up to.

use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor, Postgres, QueryBuilder, Row};
use time::Date;
use uuid::Uuid;

use super::area::code;
use crate::model::area::AreaCode;
use crate::model::work_record::{Category, WorkRecord};

/// Where a page begins: before the record of this day and id.
pub type Cursor = (Date, Uuid);

/// Which work records of a district; a posting, a person or an area is given.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only in this area and those below it.
    pub area: Option<AreaCode>,
    /// Only of this person.
    pub staff: Option<Uuid>,
    /// Only of this posting.
    pub posting: Option<Uuid>,
    /// Only on this day and later.
    pub from: Option<Date>,
    /// Only before this day.
    pub until: Option<Date>,
    /// Only those that were not reviewed.
    pub unreviewed: bool,
}

const COLUMNS: &str = "select r.id, r.posting_id, r.staff_id, s.subject, r.area, r.day, r.category, r.text, r.links, r.evidence,
  r.review, r.create_time, r.version from ";
const PERSON: &str = " join staff_member s on s.district = r.district and s.id = r.staff_id where ";

fn read(district: i32, row: &PgRow) -> sqlx::Result<WorkRecord> {
    let corrupt = || sqlx::Error::Decode("work_record: category does not read back".into());
    Ok(WorkRecord {
        district,
        id: row.try_get("id")?,
        posting: row.try_get("posting_id")?,
        staff: row.try_get("staff_id")?,
        subject: row.try_get("subject")?,
        area: code(row.try_get("area")?)?,
        day: row.try_get("day")?,
        category: Category::of_number(row.try_get("category")?).ok_or_else(corrupt)?,
        text: row.try_get("text")?,
        links: row.try_get("links")?,
        evidence: row.try_get::<Json<_>, _>("evidence")?.0,
        review: row.try_get::<Option<Json<_>>, _>("review")?.map(|review| review.0),
        created: row.try_get("create_time")?,
        version: row.try_get("version")?,
    })
}

/// One work record.
pub async fn get(executor: impl PgExecutor<'_>, district: i32, id: Uuid) -> sqlx::Result<Option<WorkRecord>> {
    let mut query = QueryBuilder::new(COLUMNS);
    query.push("work_record r").push(PERSON).push("r.district = ").push_bind(district);
    query.push(" and r.id = ").push_bind(id);
    let row = query.build().fetch_optional(executor).await?;
    row.map(|row| read(district, &row)).transpose()
}

/// A page of work records, the newest day first.
pub async fn list(
    executor: impl PgExecutor<'_>,
    district: i32,
    filter: &Filter,
    after: Option<Cursor>,
    limit: i64,
) -> sqlx::Result<Vec<WorkRecord>> {
    let mut query = QueryBuilder::new(COLUMNS);
    let (day, id) = source(&mut query, district, filter);
    if let Some(from) = filter.from {
        query.push(format!(" and {day} >= ")).push_bind(from);
    }
    if let Some(until) = filter.until {
        query.push(format!(" and {day} < ")).push_bind(until);
    }
    if let Some((last_day, last_id)) = after {
        query.push(format!(" and ({day}, {id}) < (")).push_bind(last_day);
        query.push(", ").push_bind(last_id).push(")");
    }
    query.push(format!(" order by {day} desc, {id} desc limit ")).push_bind(limit);
    let rows = query.build().fetch_all(executor).await?;
    rows.iter().map(|row| read(district, row)).collect()
}

/// The table whose index has the order asked for, with its conditions; answers with its day and id.
fn source(
    query: &mut QueryBuilder<Postgres>,
    district: i32,
    filter: &Filter,
) -> (&'static str, &'static str) {
    let range = match (filter.posting, filter.staff, filter.area) {
        (Some(posting), _, area) => {
            query.push("work_record r").push(PERSON).push("r.posting_id = ").push_bind(posting);
            area
        }
        (None, Some(staff), area) => {
            query.push("work_record r").push(PERSON).push("r.staff_id = ").push_bind(staff);
            area
        }
        (None, None, area) => {
            query.push(
                "work_record_place p join work_record r on r.district = p.district and r.id = p.record_id",
            );
            query.push(PERSON).push("p.area = ").push_bind(area.map(|area| area.to_string()));
            query.push(" and p.district = ").push_bind(district);
            if filter.unreviewed {
                query.push(" and not p.reviewed");
            }
            return ("p.day", "p.record_id");
        }
    };
    query.push(" and r.district = ").push_bind(district);
    if let Some(staff) = filter.staff {
        query.push(" and r.staff_id = ").push_bind(staff);
    }
    if let Some(area) = range {
        query.push(" and r.area >= ").push_bind(area.to_string());
        query.push(" and r.area < ").push_bind(format!("{area}:"));
    }
    if filter.unreviewed {
        query.push(" and r.review is null");
    }
    ("r.day", "r.id")
}

/// Adds a record. Errors: `work_record_pkey`.
pub async fn insert(conn: &mut PgConnection, record: &WorkRecord) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into work_record (district, id, posting_id, staff_id, area, day, category, text, links, evidence, create_time, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        record.district,
        record.id,
        record.posting,
        record.staff,
        record.area.to_string(),
        record.day,
        record.category.number(),
        record.text,
        &record.links,
        Json(&record.evidence) as _,
        record.created,
        record.version,
    )
    .execute(&mut *conn)
    .await?;
    place(conn, record).await
}

/// Changes a record of the version before this one that was not reviewed; false where it is another.
pub async fn update(conn: &mut PgConnection, record: &WorkRecord) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update work_record set day = $3, category = $4, text = $5, links = $6, evidence = $7, review = $8, version = $9
         where district = $1 and id = $2 and version = $9::bigint - 1 and review is null",
        record.district,
        record.id,
        record.day,
        record.category.number(),
        record.text,
        &record.links,
        Json(&record.evidence) as _,
        record.review.as_ref().map(Json) as _,
        record.version,
    )
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    place(conn, record).await?;
    Ok(true)
}

/// Puts the record under its areas, anew.
async fn place(conn: &mut PgConnection, record: &WorkRecord) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from work_record_place where district = $1 and record_id = $2",
        record.district,
        record.id
    )
    .execute(&mut *conn)
    .await?;
    let areas = std::iter::once(record.area).chain(record.area.ancestors());
    let areas: Vec<String> = areas.map(|area| area.to_string()).collect();
    sqlx::query!(
        "insert into work_record_place (district, area, day, record_id, reviewed) select $1, area, $2, $3, $4 from unnest($5::text[]) as area",
        record.district,
        record.day,
        record.id,
        record.review.is_some(),
        &areas,
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// What the records of a posting add up to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many records.
    pub records: i64,
    /// How many days with records.
    pub days: i64,
    /// How many were reviewed.
    pub reviewed: i64,
    /// How many different events they link to.
    pub linked_events: i64,
    /// Records by category, those with any.
    pub categories: Vec<(Category, i64)>,
}

/// Counts the records of a posting.
pub async fn summarize(conn: &mut PgConnection, district: i32, posting: Uuid) -> sqlx::Result<Summary> {
    let all = sqlx::query!(
        r#"select count(*) as "records!", count(distinct day) as "days!", count(review) as "reviewed!",
             (select count(distinct link) from work_record w cross join unnest(w.links) as link
              where w.district = $1 and w.posting_id = $2 and link like '%/events/%') as "linked_events!"
           from work_record where district = $1 and posting_id = $2"#,
        district,
        posting,
    )
    .fetch_one(&mut *conn)
    .await?;
    let rows = sqlx::query!(
        r#"select category, count(*) as "records!" from work_record where district = $1 and posting_id = $2
           group by category order by category"#,
        district,
        posting,
    )
    .fetch_all(conn)
    .await?;
    let categories = rows.into_iter().filter_map(|r| Some((Category::of_number(r.category)?, r.records)));
    Ok(Summary {
        records: all.records,
        days: all.days,
        reviewed: all.reviewed,
        linked_events: all.linked_events,
        categories: categories.collect(),
    })
}
