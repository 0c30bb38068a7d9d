//! Numbers of issues, as they are read: a range of the tallies, summed.

use sqlx::PgPool;
use time::Date;

use super::issue_change::{ALL_ISSUES, TASKS};

/// What numbers are crossed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// Nothing.
    None,
    /// The department.
    Department,
    /// The class, numbered as in the proto.
    Class,
    /// The month, YYYY-MM.
    Month,
    /// The indicators.
    Indicator,
    /// The tasks of the year.
    Task,
}

impl Dimension {
    /// Whether an issue can count with several of its members.
    #[must_use]
    pub fn is_tag(self) -> bool {
        matches!(self, Dimension::Indicator | Dimension::Task)
    }

    /// Between which tags its members are, both included; for those that are none, the issues themselves.
    fn tags(self) -> (i16, i16) {
        match self {
            Dimension::Indicator => (1, TASKS),
            Dimension::Task => (TASKS + 1, i16::MAX),
            _ => (ALL_ISSUES, ALL_ISSUES),
        }
    }

    fn code(self) -> &'static str {
        match self {
            Dimension::None => "none",
            Dimension::Department => "department",
            Dimension::Class => "class",
            Dimension::Month => "month",
            Dimension::Indicator | Dimension::Task => "tag",
        }
    }
}

/// What to sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The district.
    pub district: i32,
    /// From which day; since ever where `None`.
    pub from: Option<Date>,
    /// To which day, itself included; until now where `None`.
    pub to: Option<Date>,
    /// Of which department only.
    pub department: Option<String>,
    /// Crossed with what.
    pub dimension: Dimension,
}

/// A sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    /// Of which member of the dimension; `None` for all issues where their members are tags.
    pub key: Option<String>,
    /// The number of the measure, from 1.
    pub measure: i16,
    /// How many.
    pub count: i64,
}

/// The sums of a period, and beside them all issues' where the dimension is one of tags.
pub async fn sums(pool: &PgPool, wanted: &Wanted) -> sqlx::Result<Vec<Sum>> {
    let (first, last) = wanted.dimension.tags();
    sqlx::query_as!(
        Sum,
        r#"select case $7 when 'department' then department when 'class' then class::text when 'month' then to_char(day, 'YYYY-MM')
             when 'tag' then nullif(tag % 100, 0)::text end as key,
             measure, sum(count)::bigint as "count!"
           from issue_tally
           where district = $1 and (tag = 0 or tag between $2 and $3)
             and day between coalesce($4, '-infinity'::date) and coalesce($5, 'infinity'::date)
             and ($6::text is null or department = $6)
           group by 1, 2"#,
        wanted.district,
        first,
        last,
        wanted.from,
        wanted.to,
        wanted.department.as_deref(),
        wanted.dimension.code(),
    )
    .fetch_all(pool)
    .await
}

/// How many issues stand in each state, by the state's number: of a department, or of all.
pub async fn states(pool: &PgPool, district: i32, department: Option<&str>) -> sqlx::Result<Vec<(i16, i64)>> {
    let rows = sqlx::query!(
        r#"select state, sum(count)::bigint as "count!" from issue_stock
           where district = $1 and ($2::text is null or department = $2)
           group by state having sum(count) <> 0 order by state"#,
        district,
        department,
    );
    Ok(rows.fetch_all(pool).await?.into_iter().map(|row| (row.state, row.count)).collect())
}
