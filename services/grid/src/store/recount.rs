//! All transitions folded once more and compared with the counters: differences told one by one, and repaired on request.

use futures::{Stream, TryStreamExt};
use sqlx::PgConnection;
use time::Date;

/// A counter that is not what the transitions say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The area's code.
    pub area: String,
    /// The dimension and the member, as view `statistic_contribution` numbers and writes them.
    pub dimension: i16,
    /// See `dimension`.
    pub member: String,
    /// The number of a `model::period::Span`.
    pub span: i16,
    /// The span's first day.
    pub day: Date,
    /// The code of a `model::count::Metric`.
    pub metric: i32,
    /// The minutes, of times only.
    pub minutes: Option<i32>,
    /// What the counter says; 0 where there is none.
    pub counted: i64,
    /// What the transitions say.
    pub folded: i64,
}

/// Lets the statements of the transaction take the time that they need: the limit for answers to callers is not for this.
pub async fn without_limit(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("set local statement_timeout = 0").execute(conn).await.map(|_| ())
}

/// The differences between a district's counters and the transitions that are in them; with `repair`, the counters are set
/// right. A repair needs the head locked (`store::count::lock_head`) and ends with the caller's transaction.
///
/// The database sums, on disk where memory does not suffice, and only differences are sent: the memory needed here does not
/// grow with the number of transitions. It is one statement, so what is written meanwhile is either in both or in neither.
pub fn differences(
    conn: &mut PgConnection,
    district: i32,
    repair: bool,
) -> impl Stream<Item = sqlx::Result<Difference>> + '_ {
    let rows = sqlx::query!(
        r#"with sides as (
             select area, dimension, member, span, day, metric, minutes, count as folded, 0 as counted
             from statistic_fold($1, 0, coalesce((select seq from statistic_head where district = $1), 0))
             union all
             select area, dimension, member, span, day, metric, null, 0, count from statistic_count where district = $1
             union all
             select area, dimension, member, span, day, metric, minutes, 0, count from statistic_minutes where district = $1),
           different as materialized (
             select area, dimension, member, span, day, metric, minutes, sum(folded)::bigint as folded, sum(counted)::bigint as counted
             from sides group by 1, 2, 3, 4, 5, 6, 7 having sum(folded) <> sum(counted)),
           counts as (
             insert into statistic_count (district, dimension, area, member, span, day, metric, count)
             select $1, dimension, area, member, span, day, metric, folded from different where $2 and minutes is null
             on conflict (district, dimension, area, member, span, day, metric) do update set count = excluded.count),
           times as (
             insert into statistic_minutes (district, dimension, area, member, span, day, metric, minutes, count)
             select $1, dimension, area, member, span, day, metric, minutes, folded from different where $2 and minutes is not null
             on conflict (district, dimension, area, member, span, day, metric, minutes) do update set count = excluded.count)
           select area as "area!", dimension as "dimension!", member as "member!", span as "span!", day as "day!",
             metric as "metric!", minutes, folded as "folded!", counted as "counted!"
           from different order by area, dimension, member, span, day, metric, minutes"#,
        district,
        repair,
    )
    .fetch(conn);
    rows.map_ok(|r| Difference {
        area: r.area,
        dimension: r.dimension,
        member: r.member,
        span: r.span,
        day: r.day,
        metric: r.metric,
        minutes: r.minutes,
        counted: r.counted,
        folded: r.folded,
    })
}
