//! The loader is honest: its rows are those that the API writes, and a filled database is one that the service goes on with.

mod play;
mod site;

use std::collections::BTreeMap;

use jingwei_bench::fill::history::Happening;
use jingwei_bench::fill::rows::Rows;
use jingwei_bench::fill::{Options, fill, prepare, shares};
use jingwei_grid::config::Rules;
use jingwei_grid::model::transition::verify_chain;
use jingwei_grid::recount::Recount;
use jingwei_grid::store::transition;
use jingwei_proto::access::v1::Role as Grant;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::event_service_client::EventServiceClient;
use jingwei_proto::grid::v1::statistics_service_client::StatisticsServiceClient;
use play::Player;
use site::{DISTRICTS, Site, data_keys};
use sqlx::PgPool;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// A Wednesday afternoon: everything that the clocks of the histories reach lies in years with a calendar.
const NOW: OffsetDateTime = datetime!(2026-06-17 06:30 UTC);

fn options(events: u64, days: u32, seed: u64) -> Options {
    Options { events, districts: Vec::new(), now: NOW, days, seed, data_keys: data_keys() }
}

/// Every row of every table as JSON, in order, without what differs by nature.
async fn tables(pool: &PgPool) -> BTreeMap<String, Vec<String>> {
    let names: Vec<String> = sqlx::query_scalar(
        "select table_name::text from information_schema.tables
         where table_schema = 'public' and table_type = 'BASE TABLE' and table_name <> '_sqlx_migrations'
           -- Made with the areas, before any event, with random public ids.
           and table_name not like 'contact%'",
    )
    .fetch_all(pool)
    .await
    .expect("listed");
    let mut all = BTreeMap::new();
    for name in names {
        // A number is sealed with a new nonce each time, and never the same twice.
        let sql = format!("select (to_jsonb(t) - 'sealed')::text from {name} t order by 1");
        let rows = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_all(pool).await.expect("read");
        all.insert(name, rows);
    }
    all
}

/// Lets the sweep do what time has brought: counts rolled up, old answers and old changes forgotten.
async fn catch_up(site: &Site) {
    site.clock.set(NOW);
    let (sweep, rules) = (site.sweep(), Rules::default());
    sweep.roll_up().await.expect("rolled up");
    let left = "select (select count(*) from outbox) + (select count(*) from idempotency)";
    let mut before = i64::MAX;
    loop {
        sweep.expire(rules.answers_kept, rules.feed_kept).await.expect("expired");
        let now: i64 = sqlx::query_scalar(left).fetch_one(&site.pool).await.expect("counted");
        if now == before {
            return;
        }
        before = now;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_loader_writes_the_rows_that_the_api_writes() {
    let options = options(300, 50, 7);
    let filled = Site::start(NOW - Duration::hours(1)).await;
    let districts = prepare(&filled.pool, &options).await.expect("districts");
    // In the place of the other, whose reference data was made just now and aged, this one was there from the start.
    let effective = "select min(effective_time) from area_version";
    let start = sqlx::query_scalar(effective).fetch_one(&filled.pool).await.expect("a district");
    let played = Site::start(start).await;
    let mut player = Player::new(&played);
    let mut rows = Rows::nowhere(options.kept());
    let mut kinds = BTreeMap::<String, usize>::new();
    for (district, events) in districts.iter().zip(shares(options.events, districts.len())) {
        let mut history = options.history(district, events);
        while let Some(happening) = history.step(&mut rows).expect("allowed") {
            let (at, kind) = match &happening {
                Happening::Reported(_, birth) => (birth.at, format!("reported {:?}", birth.door)),
                Happening::Acted(_, step) => (step.at, format!("{:?}", std::mem::discriminant(&step.ask))),
                Happening::Refused(_, step) => (step.at, "refused".to_owned()),
                Happening::Swept(at) => (*at, "swept".to_owned()),
            };
            *kinds.entry(kind).or_default() += 1;
            player.play(happening, at).await;
        }
    }
    // Both doors, the sweep, and most of the requests; the rarest do not come up in so few events.
    assert!(kinds.len() >= 18, "{kinds:?}");
    catch_up(&played).await;
    fill(filled.database.url.reveal(), &options).await.expect("filled");

    let (expected, found) = (tables(&played.pool).await, tables(&filled.pool).await);
    assert_eq!(expected.keys().collect::<Vec<_>>(), found.keys().collect::<Vec<_>>());
    for (table, rows) in &expected {
        assert_eq!(rows.len(), found[table].len(), "rows of {table}");
        for (expected, found) in rows.iter().zip(&found[table]) {
            assert_eq!(expected, found, "{table}");
        }
    }
    assert!(expected["event"].len() == 300 && !expected["event_contact"].is_empty());
    assert!(!expected["idempotency"].is_empty() && !expected["outbox"].is_empty());
}

/// Every index and constraint, as the catalogue says it.
async fn catalogue(pool: &PgPool) -> Vec<String> {
    let sql = "select indexdef from pg_indexes where schemaname = 'public'
      union all select conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) || convalidated
        from pg_constraint where connamespace = 'public'::regnamespace
      union all select indexrelid::regclass || ' valid ' || indisvalid || indisready from pg_index
        where indrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace)
      order by 1";
    sqlx::query_scalar(sql).fetch_all(pool).await.expect("read")
}

async fn number(pool: &PgPool, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(pool).await.expect("counted")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_goes_on_with_a_filled_database() {
    let site = Site::start(NOW).await;
    let before = catalogue(&site.pool).await;
    let filled = fill(site.database.url.reveal(), &options(2000, 60, 11)).await.expect("filled");
    assert_eq!(filled.events, 2000);
    assert_eq!(before, catalogue(&site.pool).await);
    let found = Recount::default().run(&site.pool, |_, difference| println!("{difference}")).await;
    assert_eq!(found.expect("recounted"), 0);
    assert_eq!(number(&site.pool, "select count(*) from event").await, 2000);
    let open = number(&site.pool, "select count(*) from event where state <= 8").await;
    assert!((20..100).contains(&open), "{open} open");
    // Whatever the sweep has to do is yet to come, and there is something soon.
    assert_eq!(site.sweep().once().await.expect("swept"), 0);
    site.clock.advance(Duration::hours(3));
    assert!(site.sweep().once().await.expect("swept") > 0);

    every_chain_holds(&site).await;
    the_feed_is_dense(&site.pool).await;
    statistics_agree(&site).await;
    work_goes_on(&site).await;
}

async fn every_chain_holds(site: &Site) {
    let ids: Vec<(i32, Uuid, i64)> =
        sqlx::query_as("select district, id, version from event").fetch_all(&site.pool).await.expect("read");
    for (district, id, version) in ids {
        let history = transition::list(&site.pool, district, id, 0, 500).await.expect("read");
        verify_chain(&history).expect("unbroken");
        assert_eq!(history.len() as i64, version);
    }
}

async fn the_feed_is_dense(pool: &PgPool) {
    let gaps = "select count(*) from (select seq - lag(seq) over (partition by district order by seq) as step,
      create_time < lag(create_time) over (partition by district order by seq) as back from event_transition) t
      where step <> 1 or back";
    assert_eq!(number(pool, gaps).await, 0, "gaps or steps back among the transitions");
    let unlike = "select count(*) from outbox o full join (
        select t.* from event_transition t where create_time >= (select min(create_time) from outbox)) t
      on t.district = o.district and t.seq = o.seq and t.create_time = o.create_time where o.seq is null or t.seq is null";
    assert_eq!(number(pool, unlike).await, 0, "the feed has the newest transitions");
    let heads = "select count(*) from feed_head h where seq <> (select max(seq) from event_transition t where t.district = h.district)";
    assert_eq!(number(pool, heads).await, 0, "heads");
}

async fn statistics_agree(site: &Site) {
    for district in DISTRICTS {
        let session = site.signed("supervisor", Grant::Supervisor, &format!("districts/{district}"));
        let request = pb::GetAreaCountsRequest {
            name: format!("districts/{district}/areas/{district}"),
            ..Default::default()
        };
        let counts = StatisticsServiceClient::new(session).get_area_counts(request).await.expect("counted");
        let counts = counts.into_inner();
        let sql = "select count(*), count(*) filter (where state <= 8), count(*) filter (where state = 9) from event where district = $1";
        let (reported, open, closed): (i64, i64, i64) =
            sqlx::query_as(sql).bind(district).fetch_one(&site.pool).await.expect("counted");
        assert_eq!((counts.reported, counts.open, counts.closed), (reported, open, closed));
    }
}

async fn work_goes_on(site: &Site) {
    let sql = "select district, id, area from event where state = 2 and holder = 'areas/' || area limit 1";
    let (district, id, area): (i32, Uuid, String) =
        sqlx::query_as(sql).fetch_one(&site.pool).await.expect("a reported event");
    let grid = format!("districts/{district}/areas/{area}");
    let mut chief = EventServiceClient::new(site.signed("chief", Grant::GridChief, &grid));
    let name = format!("districts/{district}/events/{id}");
    let accepted = chief.accept_event(pb::AcceptEventRequest { name, ..Default::default() }).await;
    assert_eq!(accepted.expect("accepted").into_inner().state(), pb::EventState::Accepted);

    let today = "select last from case_day where district = $1 order by day desc limit 1";
    let last: i32 = sqlx::query_scalar(today).bind(district).fetch_one(&site.pool).await.expect("read");
    let report = pb::ReportEventRequest {
        parent: format!("districts/{district}"),
        category: format!("districts/{district}/categories/pests"),
        area: grid,
        description: "又有虫害".into(),
        ..Default::default()
    };
    let made = chief.report_event(report).await.expect("reported").into_inner();
    assert_eq!(made.case_number, format!("{district}-20260617-{:06}", last + 1));
    assert_eq!(made.reporter.expect("a reporter").kind(), pb::ReporterKind::Worker);
    the_feed_is_dense(&site.pool).await;
}
