//! How deliberations, action items and work records are found among many: by an index, and by reading hardly more than is answered.

mod common;

use common::Site;
use common::district::{COMMUNITY, GRID, WATER};
use jingwei_grid::model::deliberation::State;
use jingwei_grid::model::unit::Unit;
use jingwei_grid::store::{deliberation, hand_over, work_record};
use jingwei_kit::pg::Database;
use jingwei_proto::grid::v1::PostingRole;
use sqlx::PgPool;
use time::macros::{date, datetime};
use uuid::Uuid;

/// Each query as often: PostgreSQL plans a statement anew five times, and may then keep a plan for any value.
const TIMES: i64 = 8;
const PAGE: i64 = 20;

/// Ten thousand of each, most of another community and, of the states, most completed.
const FILL: &str = "
insert into deliberation select 410182, gen_random_uuid(), '410182002011', case when i % 50 = 0 then 2 else 8 end, i % 50 = 0, null,
  timestamptz '2026-03-02' + i * interval '1 minute', 1, '{}' from generate_series(1, 10000) as i;
insert into deliberation_concern select 410182, case when i % 10 = 0 then 'areas/410182002011' else 'areas/410182002012' end, id, state, create_time
  from (select *, row_number() over () as i from deliberation) as d;
insert into deliberation_event select 410182, e.id, d.id from event as e, (select id from deliberation limit 5) as d;
insert into deliberation_item select 410182, case when i % 10 = 0 then 'departments/water' else 'departments/garden' end, date '2026-03-02' + i::integer, id, 1
  from (select *, row_number() over () as i from deliberation) as d;
insert into work_record select 410182, gen_random_uuid(), p.id, p.staff_id, '410182002011001', date '2026-03-02' + i / 100, 1, 'x', '{}', '[]',
  case when i % 50 > 0 then '{\"grade\": \"good\", \"comment\": \"\", \"reviewer\": \"r\", \"at\": \"2026-03-02T00:00:00Z\"}'::jsonb end, now(), 1
  from generate_series(1, 10000) as i join (select *, row_number() over () - 1 as n from posting) as p on p.n = i % 2;
insert into work_record_place select 410182, case when i % 10 = 0 then '410182002011' else '410182002012' end, day, id, review is not null
  from (select *, row_number() over () as i from work_record) as w";

/// How often a table was read from end to end, and how many rows were fetched by an index.
async fn reads(pool: &PgPool) -> (i64, i64) {
    sqlx::query("select pg_stat_force_next_flush()").execute(pool).await.expect("flushed");
    let sql = "select sum(seq_scan)::bigint, sum(idx_tup_fetch)::bigint from pg_stat_user_tables where relname in ('deliberation',
      'deliberation_concern', 'deliberation_item', 'deliberation_event', 'work_record', 'work_record_place', 'event')";
    sqlx::query_as(sql).fetch_one(pool).await.expect("counted")
}

async fn run<T>(pool: &PgPool, what: &str, rows: i64, query: impl AsyncFn() -> sqlx::Result<T>) {
    let before = reads(pool).await;
    for _ in 0..TIMES {
        // The bodies are empty: whoever reads one fails, after the rows were found.
        let _found = query().await;
    }
    let after = reads(pool).await;
    assert_eq!(after.0 - before.0, 0, "{what}: a table was read from end to end");
    let read = (after.1 - before.1) / TIMES;
    assert!(0 < read && read <= rows, "{what}: {read} rows were read, not 1 to {rows}");
}

#[tokio::test]
async fn lists_read_hardly_more_than_they_answer_with() {
    let site = Site::with_district().await;
    let cadre = site.posted("cadre", GRID, PostingRole::PostedCadre).await;
    site.posted("other", GRID, PostingRole::PostedCadre).await;
    site.copy(&site.report().await, 2000).await;
    let pool = Database { connections: 1, ..site.database.clone() }.connect().await.expect("it answers");
    for sql in FILL.split(';').chain(["analyze"]) {
        sqlx::raw_sql(sql).execute(&pool).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    let now = datetime!(2026-03-02 09:00 +08:00);
    let unit = |name: &str| name.splitn(3, '/').nth(2).expect("a tail").parse::<Unit>().expect("a unit");
    let of = |states: Vec<State>| deliberation::Filter { unit: unit(COMMUNITY), states, now };
    let (all, open) = (of(State::all().collect()), of(vec![State::Draft, State::Convened]));
    let district = 410_182;
    let list = async |filter| deliberation::list(&pool, district, filter, None, PAGE).await;
    run(&pool, "the newest of an area", 6 * PAGE, async || list(&all).await).await;
    run(&pool, "the newest of an area that are open", 4 * PAGE, async || list(&open).await).await;
    let event: Uuid = sqlx::query_scalar("select id from event limit 1").fetch_one(&pool).await.expect("one");
    let about = async || deliberation::list_of_event(&pool, district, &all, event, None, PAGE).await;
    run(&pool, "those about an event", PAGE, about).await;
    let items = async || deliberation::list_items(&pool, district, &unit(WATER), None, PAGE).await;
    run(&pool, "a unit's open action items", 3 * PAGE, items).await;

    let posting: Uuid = cadre.posting.name.rsplit('/').next().and_then(|id| id.parse().ok()).expect("a name");
    let area = "410182002011".parse().ok();
    let filters = [
        ("records of an area", work_record::Filter { area, ..Default::default() }),
        ("those not reviewed", work_record::Filter { area, unreviewed: true, ..Default::default() }),
        ("records of a posting", work_record::Filter { posting: Some(posting), ..Default::default() }),
        ("a period", work_record::Filter { area, until: Some(date!(2026 - 04 - 02)), ..Default::default() }),
    ];
    for (what, filter) in filters {
        let records = async || work_record::list(&pool, district, &filter, None, PAGE).await;
        run(&pool, what, 4 * PAGE, records).await;
        assert_eq!(records().await.expect("they read").len() as i64, PAGE, "{what}");
    }
    let lists = async || {
        let filter = hand_over::Filter { area: "410182002011".parse().ok(), ..Default::default() };
        hand_over::list(&pool, district, &filter, None, PAGE).await
    };
    assert!(lists().await.expect("they read").is_empty());
}
