//! How the database finds things among many: by an index, and by reading hardly more rows than it answers with.

mod common;

use std::sync::Arc;

use common::backstage::id;
use common::district::{GARDEN, GRID, OTHER_GRID, STREET};
use common::{DATA_KEY, Site};
use jingwei_grid::api::deadlines::Deadlines;
use jingwei_grid::api::event::Events;
use jingwei_grid::model::apply::{ANSWER_WINDOW, REOPEN_WINDOW};
use jingwei_grid::model::area::AreaCode;
use jingwei_grid::model::clock::Stage;
use jingwei_grid::model::event::State;
use jingwei_grid::model::numbers::Member;
use jingwei_grid::model::period::Period;
use jingwei_grid::model::position::{CoordinateSystem, Point};
use jingwei_grid::model::spot;
use jingwei_grid::model::unit::Unit;
use jingwei_grid::seal::Keyring;
use jingwei_grid::store;
use jingwei_grid::store::count::Asked;
use jingwei_grid::store::event_list::{Filter, Whose};
use jingwei_grid::store::group::Group;
use jingwei_grid::store::{attachment, content, upload};
use jingwei_grid::store::{count, event, event_list, transition};
use jingwei_kit::caller::{Caller, Grant, Scope};
use jingwei_kit::config::Secret;
use jingwei_kit::outbox::Feed;
use jingwei_kit::pg::Database;
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::event_service_server::EventService;
use sqlx::PgPool;
use time::OffsetDateTime;
use time::macros::date;
use tokio_util::sync::CancellationToken;
use tonic::Request;
use uuid::Uuid;

/// Each query as often: PostgreSQL plans a statement anew five times, and may then keep a plan for any value.
const TIMES: i64 = 8;
/// As many as a page of the tests has.
const PAGE: i64 = 20;

/// One connection, so that what it has done can be asked of it.
struct Watched(PgPool, &'static [&'static str]);

/// What grows with every event.
const EVENTS: &[&str] = &["event", "event_transition", "event_place", "event_spot", "event_contact"];
/// What grows with every day.
const COUNTERS: &[&str] = &["statistic_count"];

impl Watched {
    /// Runs it several times; every table that is read through must be small, and the rows read at most `rows` each time.
    async fn run<T>(&self, what: &str, rows: i64, query: impl AsyncFn() -> sqlx::Result<T>) {
        let before = self.reads().await;
        for _ in 0..TIMES {
            query().await.unwrap_or_else(|error| panic!("{what}: {error}"));
        }
        let after = self.reads().await;
        assert_eq!(after.0 - before.0, 0, "{what}: a large table was read from end to end");
        let read = (after.1 - before.1) / TIMES;
        assert!(read <= rows, "{what}: {read} rows were read, more than {rows}");
    }

    /// How often a large table was read from end to end, and how many rows of them were fetched by an index.
    async fn reads(&self) -> (i64, i64) {
        sqlx::query("select pg_stat_force_next_flush()").execute(&self.0).await.expect("flushed");
        let sql = "select sum(seq_scan)::bigint, sum(idx_tup_fetch)::bigint from pg_stat_user_tables
            where n_live_tup > 100 and (relname = any($1)
              or relname in ('upload', 'upload_chunk', 'attachment', 'attachment_link', 'content'))";
        sqlx::query_as(sql).bind(self.1).fetch_one(&self.0).await.expect("counted")
    }
}

/// Ten thousand events of ten hours: most at their grids' desks, some with the garden centre, some closed.
async fn fill(site: &Site) -> pb::Event {
    let mut last = site.report().await;
    for hour in 0..10 {
        site.clock.advance(time::Duration::hours(1));
        let area = [GRID, OTHER_GRID][hour % 2].to_owned();
        let report = pb::ReportEventRequest { area, ..site.new_report() };
        let street = site.events(Role::Street, STREET).report_event(report).await;
        last = street.expect("reported").into_inner();
        let name = &last.name;
        if hour >= 8 {
            let mut desk = site.events(Role::Street, STREET);
            let accept = pb::AcceptEventRequest { name: name.clone(), ..Default::default() };
            desk.accept_event(accept).await.expect("accepted");
            if hour == 8 {
                let void =
                    pb::VoidEventRequest {
                        name: name.clone(), reason: "重复".into(), ..Default::default()
                    };
                desk.void_event(void).await.expect("void");
            } else {
                let register = pb::RegisterEventRequest { name: name.clone(), ..Default::default() };
                desk.register_event(register).await.expect("registered");
                let lead = Some(pb::Unit { kind: Some(pb::unit::Kind::Department(GARDEN.into())) });
                let dispatch = pb::DispatchEventRequest { name: name.clone(), lead, ..Default::default() };
                desk.dispatch_event(dispatch).await.expect("dispatched");
            }
        }
        site.copy(&last, if hour >= 8 { 300 } else { 1200 }).await;
    }
    last
}

async fn watched(site: &Site) -> Watched {
    let pool =
        Database { connections: 1, ..site.database.clone() }.connect().await.expect("the database answers");
    sqlx::query("analyze").execute(&pool).await.expect("analyzed");
    Watched(pool, EVENTS)
}

fn area(code: &str) -> Whose {
    Whose::Area(code.parse::<AreaCode>().expect("a code"))
}

fn unit(text: &str) -> Unit {
    text.parse().expect("a unit")
}

fn filter(whose: Whose) -> Filter {
    let (states, category, case_number) = (Vec::new(), None, None);
    Filter {
        district: 410_182,
        whose,
        states,
        category,
        case_number,
        min_alarm: Stage::InTime,
        by_deadline: false,
        in_review: false,
    }
}

#[tokio::test]
async fn a_page_of_events_is_found_by_an_index() {
    let site = Site::with_district().await;
    fill(&site).await;
    let watched = watched(&site).await;
    let grid = || area("410182002011001");
    let number = "410182-20260302-000777".to_owned();
    for (what, filter) in [
        ("the newest of a grid", filter(grid())),
        ("the newest of a street", filter(area("410182002"))),
        ("the newest of the district", filter(area("410182"))),
        ("what a grid must act on", filter(Whose::Holder(unit("areas/410182002011001")))),
        ("what a department must act on", filter(Whose::Holder(unit("departments/garden")))),
        ("what another department must act on", filter(Whose::Holder(unit("departments/water")))),
        ("what a department leads", filter(Whose::Lead(unit("departments/garden")))),
        (
            "the next deadlines of a department",
            Filter { by_deadline: true, ..filter(Whose::Holder(unit("departments/garden"))) },
        ),
        (
            "the next deadlines of a grid",
            Filter { by_deadline: true, ..filter(Whose::Holder(unit("areas/410182002011001"))) },
        ),
        ("the next deadlines of the district", Filter { by_deadline: true, ..filter(area("410182")) }),
        (
            "the dispatched of the district",
            Filter { states: vec![State::Dispatched], ..filter(area("410182")) },
        ),
        (
            "the open of the district",
            Filter { states: vec![State::Reported, State::Accepted], ..filter(area("410182")) },
        ),
        ("the red of the district", Filter { min_alarm: Stage::Red, ..filter(area("410182")) }),
        ("one case number", Filter { case_number: Some(number), ..filter(area("410182")) }),
        ("a category in a street", Filter { category: Some("pests".into()), ..filter(area("410182002")) }),
    ] {
        // A row of `event_place` and its event; of the open states one row may be looked at for each of them.
        watched.run(what, PAGE * 4, async || event_list::list(&watched.0, &filter, None, PAGE).await).await;
        let page = event_list::list(&watched.0, &filter, None, PAGE).await.expect("a page");
        let keys: Vec<_> = page.iter().map(|(time, event)| (*time, event.id)).collect();
        let in_order = if filter.by_deadline { keys.is_sorted() } else { keys.iter().rev().is_sorted() };
        assert!(in_order, "{what}: {keys:?}");
        let Some((time, last)) = page.last() else { continue };
        let after = Some((*time, last.id));
        let what = format!("{what}, second page");
        watched.run(&what, PAGE * 4, async || event_list::list(&watched.0, &filter, after, PAGE).await).await;
        let next = event_list::list(&watched.0, &filter, after, PAGE).await.expect("a page");
        assert!(
            next.iter().all(|(_, event)| page.iter().all(|(_, seen)| seen.id != event.id)),
            "{what}: a repeat"
        );
    }
}

#[tokio::test]
async fn one_event_and_its_history_are_found_by_their_keys() {
    let site = Site::with_district().await;
    let event = fill(&site).await;
    let (watched, id) = (watched(&site).await, id(&event));
    watched.run("one event", 1, async || event::get(&watched.0, 410_182, id).await).await;
    watched.run("no event", 0, async || event::get(&watched.0, 410_182, Uuid::nil()).await).await;
    watched.run("a history", 4, async || transition::list(&watched.0, 410_182, id, 0, PAGE).await).await;
}

/// Two thousand finished uploads with an attachment each, a third of them referred to; five unfinished ones of residents.
const FILES: &str = "with file as (
    select gen_random_uuid() as id, sha256(i::text::bytea) as hash, now() - make_interval(mins => i) as time, i
    from generate_series(1, 2000) as i),
  content as (insert into content select 410182, hash, time, false, false from file),
  begun as (
    insert into upload (district, id, secret_hash, file_name, size_bytes, purpose, create_time, change_time)
    select 410182, gen_random_uuid(), hash, 'x', 8, 1, time, time from file where i <= 5),
  upload as (
    insert into upload (district, id, uploader, file_name, size_bytes, purpose, received_bytes, chunks, sha256,
      stored_bytes, content_type, create_time, change_time)
    select 410182, id, 'worker', 'x', 8, 1, 8, 1, hash, 8, 'image/png', time, time from file),
  attachment as (
    insert into attachment
    select 410182, id, 'worker', 'x', 'image/png', 8, hash, time, i % 3 = 0 from file returning district, id, linked),
  chunk as (insert into upload_chunk select 410182, id, 0, id from file)
  insert into attachment_link
  select district, id, 'districts/410182/events/' || k from attachment cross join generate_series(1, 3) as k where linked";

#[tokio::test]
async fn files_are_found_by_their_keys_and_what_is_old_by_its_time() {
    let site = Site::with_district().await;
    let pool = site.pool().await;
    sqlx::raw_sql(FILES).execute(&pool).await.expect("filled");
    let find = "select attachment_id from attachment_link limit 1";
    let id: Uuid = sqlx::query_scalar(find).fetch_one(&pool).await.expect("one");
    let (watched, now) = (watched(&site).await, OffsetDateTime::UNIX_EPOCH);
    let of = 410_182;
    let found = upload::get(&watched.0, of, id).await.expect("read").expect("there");
    watched.run("an upload", 1, async || upload::get(&watched.0, of, id).await).await;
    watched.run("its chunks", 1, async || upload::chunks(&watched.0, of, id).await).await;
    // It is finished: found, and left as it is.
    watched.run("a chunk more", 1, async || upload::append(&watched.0, &found, id, 1, now).await).await;
    watched.run("an attachment", 1, async || attachment::get(&watched.0, of, id).await).await;
    let links = async || attachment::resources(&watched.0, of, id, "", PAGE).await;
    watched.run("what refers to it", 3, links).await;
    let unusable = async || attachment::unusable(&watched.0, of, &[id], "neighbour", &[]).await;
    watched.run("one to refer to", 2, unusable).await;
    watched.run("nothing to give up", 0, async || upload::give_up(&watched.0, of, now, PAGE).await).await;
    watched.run("no old upload", 0, async || upload::forget_finished(&watched.0, of, now).await).await;
    watched.run("none unused", 0, async || attachment::forget_unused(&watched.0, of, now).await).await;
    // However much is in use, and however long.
    let today = site.clock.now() + time::Duration::days(3650);
    watched.run("nothing to doom", 0, async || content::doom(&watched.0, of, today, now, PAGE).await).await;
    let count = async || {
        let mut transaction = watched.0.begin().await?;
        upload::count_public(&mut transaction, of, now).await
    };
    watched.run("residents' uploads", 5, count).await;
    watched.run("districts with files", 4, async || upload::districts(&watched.0).await).await;
}

#[tokio::test]
async fn what_is_due_is_found_by_its_time() {
    let site = Site::with_district().await;
    fill(&site).await;
    let watched = watched(&site).await;
    let (never, now) = (OffsetDateTime::UNIX_EPOCH, site.clock.now());
    // The earliest of all tells whether anything is due.
    watched.run("nothing due", 1, async || event::due_districts(&watched.0, never).await).await;
    watched.run("something due", 1, async || event::due_districts(&watched.0, now).await).await;
    let lock = async |after| {
        let mut transaction = watched.0.begin().await?;
        let due = event::lock_due(&mut transaction, 410_182, now, after, PAGE).await?;
        let last = due.last().and_then(|event| Some((event.alarm_at()?, event.id)));
        Ok::<_, sqlx::Error>(last.expect("some are due"))
    };
    let first = (never, Uuid::nil());
    // Those with the same time as the last one are put in the order of their ids.
    watched.run("the first that are due", 1300, async || lock(first).await).await;
    let next = lock(first).await.expect("some are due");
    watched.run("the next that are due", 1300, async || lock(next).await).await;
}

#[tokio::test]
async fn counts_cost_what_is_not_rolled_up_yet() {
    let site = Site::with_district().await;
    fill(&site).await;
    site.sweep().await.roll_up().await.expect("rolled up");
    let event = site.report().await;
    let watched = watched(&site).await;
    watched.run("what is behind", 1, async || count::behind(&watched.0, 1).await).await;
    let day = Some(date!(2026 - 03 - 02));
    for (what, period) in [("all time", Period::default()), ("a day", Period { from: day, to: day })] {
        let (areas, pieces) = (["410182002".to_owned()], [period.pieces(date!(2026 - 03 - 03))]);
        let asked = Asked { district: 410_182, areas: &areas, members: &[Member::All], periods: &pieces };
        let read = async || {
            let mut connection = watched.0.acquire().await?;
            count::read(&mut connection, &asked).await?;
            count::read_times(&mut connection, &asked).await
        };
        // The transition since, for the counts and for the times.
        watched.run(what, 2, read).await;
    }
    let roll_up = async || {
        let mut connection = watched.0.acquire().await?;
        count::roll_up(&mut connection, 410_182, 5000).await
    };
    watched.run(&format!("rolling up {}", event.name), 1, roll_up).await;
}

/// Counters of three years: eighty areas by twelve metrics each day, and in the district and its streets ten departments.
const YEARS: &str = "with area as (
    select '410182' as code union all select '410182' || to_char(s, 'FM000') from generate_series(1, 10) as s
    union all select '410182001' || to_char(c, 'FM000') from generate_series(1, 70) as c),
  span as (
    select 1 as span, generate_series('2024-01-01'::date, '2026-12-31', '1 day')::date as day
    union all select 2, generate_series('2024-01-01'::date, '2026-12-31', '1 month')::date
    union all select 3, generate_series('2024-01-01'::date, '2026-12-31', '1 year')::date),
  member as (
    select 0 as dimension, '' as member, 12 as metrics, 18 as digits
    union all select 1, 'departments/' || d, 3, 9 from generate_series(1, 10) as d)
  insert into statistic_count (district, dimension, area, member, span, day, metric, count)
  select 410182, dimension, code, member, span, day, metric, 1
  from area cross join span cross join member cross join generate_series(1, metrics) as metric where length(code) <= digits";

#[tokio::test]
async fn a_district_s_years_are_read_in_a_few_hundred_rows() {
    let site = Site::with_district().await;
    let database =
        Database { statement_timeout: std::time::Duration::from_secs(300), ..site.database.clone() };
    let pool = database.connect().await.expect("the database answers");
    sqlx::query(YEARS).execute(&pool).await.expect("filled");
    let watched = Watched(watched(&site).await.0, COUNTERS);
    let departments: Vec<_> = (1..=10).map(|d| Member::Lead(unit(&format!("departments/{d}")))).collect();
    let streets: Vec<_> = (1..=10).map(|s| format!("410182{s:03}")).collect();
    let (district, all) = (vec!["410182".to_owned()], vec![Member::All]);
    let year = Period::of(date!(2025 - 01 - 01), date!(2025 - 12 - 31));
    let odd = Period::of(date!(2024 - 02 - 15), date!(2026 - 08 - 13));
    // Spans by metrics: a year is one row for each metric; the odd period 15 days, 10 months, a year, 7 months, 13 days.
    for (what, period, areas, members, rows) in [
        ("a year of the district", year, &district, &all, 12),
        ("two years and a half of the district", odd, &district, &all, 46 * 12),
        ("two years and a half of the streets", odd, &streets, &all, 46 * 12 * 10),
        ("two years and a half by department", odd, &district, &departments, 46 * 3 * 10),
        ("all time of the district", Period::default(), &district, &all, (2 + 10 + 23) * 12),
    ] {
        let pieces = [period.pieces(date!(2026 - 11 - 23))];
        let asked = Asked { district: 410_182, areas, members, periods: &pieces };
        let read = async || {
            let mut connection = watched.0.acquire().await?;
            count::read(&mut connection, &asked).await
        };
        watched.run(what, rows, read).await;
        let mut connection = watched.0.acquire().await.expect("a connection");
        let counts = count::read(&mut connection, &asked).await.expect("read");
        assert_eq!(counts.iter().map(|c| c.count).sum::<i64>(), rows, "{what}: each counter says 1");
    }
}

#[tokio::test]
async fn what_lies_near_and_what_residents_ask_is_found_by_an_index() {
    let site = Site::with_district().await;
    fill(&site).await;
    let contacts = "insert into event_contact (district, event_id, key_id, sealed) select district, id, 'test', '' from event";
    sqlx::query(contacts).execute(&site.pool().await).await.expect("filled");
    let watched = watched(&site).await;
    let (pool, since) = (&watched.0, site.clock.now() - time::Duration::days(1));
    let cells = spot::around(Point::new(34.78, 113.38, CoordinateSystem::Wgs84).expect("a point"), 250.0);
    let near = async || store::spot::near(pool, 410_182, "pests", &cells, since, 200).await;
    watched.run("duplicates", 1, near).await;
    let count = async || store::spot::count_near(pool, 410_182, "pests", &cells, since).await;
    watched.run("how many duplicates", 1, count).await;
    let case = async || store::contact::case(pool, 410_182, "410182-20260302-000777").await;
    watched.run("a case by its number", 2, case).await;
    let mut filter = filter(area("410182002"));
    filter.in_review = true;
    let list = async || event_list::list(pool, &filter, None, 51).await;
    watched.run("reviews", 1, list).await;
}

#[tokio::test]
async fn a_report_and_an_action_read_one_event_and_need_one_connection() {
    let site = Site::with_district().await;
    fill(&site).await;
    let watched = watched(&site).await;
    let events = Events {
        pool: watched.0.clone(),
        sought: Group::new(watched.0.clone()),
        news: Group::new(watched.0.clone()),
        changes: Group::new(watched.0.clone()),
        clock: site.clock.clone(),
        // It listens on a connection of its own.
        feed: Feed::start(site.pool().await, CancellationToken::new()),
        deadlines: Deadlines::new(watched.0.clone()),
        data_keys: Keyring::parse(&Secret::new(DATA_KEY)).expect("a key"),
        reopen_window: REOPEN_WINDOW,
        answer_window: ANSWER_WINDOW,
    };
    let grant = Grant { role: Role::Dispatcher, scope: Scope::District(410_182) };
    let mut caller = Caller::anonymous(jingwei_kit::caller::Language::Chinese);
    caller.subject = "dispatcher".into();
    caller.admitted_by = vec![grant];
    let caller = Arc::new(caller);
    let act = async || {
        let mut report = Request::new(site.new_report());
        report.extensions_mut().insert(caller.clone());
        let name = events.report_event(report).await.expect("reported").into_inner().name;
        let mut accept = Request::new(pb::AcceptEventRequest { name, ..Default::default() });
        accept.extensions_mut().insert(caller.clone());
        Ok(events.accept_event(accept).await.expect("accepted"))
    };
    // Read for the action, found by its write, and by the keys of its transitions.
    watched.run("a report and an action", 4, act).await;
}
