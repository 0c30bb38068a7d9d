//! Counts: whatever was done, they equal what the transitions say, by area and by day, rolled up or not.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::district::{COMMUNITY, GARDEN, GRID, OTHER_GRID, STREET};
use common::walk::{Dice, Walk};
use common::{DISTRICT, Session, Site, area, refusal, wrong_fields};
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::event_service_client::EventServiceClient;
use jingwei_proto::grid::v1::statistics_service_client::StatisticsServiceClient;
use sqlx::PgPool;
use tonic::Code;

const AREAS: [&str; 6] =
    ["410182", "410182002", "410182002011", "410182002011001", "410182002011002", "410182003"];

/// One transition as it is stored: all that counts may go by.
#[derive(sqlx::FromRow)]
struct Row {
    event_id: uuid::Uuid,
    action: i16,
    area: String,
    day: String,
    details: serde_json::Value,
}

async fn rows(pool: &PgPool) -> Vec<Row> {
    let sql = "select event_id, action, area, to_char(create_time at time zone 'Asia/Shanghai', 'YYYY-MM-DD') as day, details
        from event_transition order by seq";
    sqlx::query_as(sql).fetch_all(pool).await.expect("readable")
}

/// The counts of an area in a period, as the comments of `AreaCounts` define them.
fn recount(rows: &[Row], area: &str, from: &str, to: &str) -> BTreeMap<&'static str, i64> {
    let mut counts = BTreeMap::new();
    let mut dispatched = BTreeSet::new();
    for row in rows.iter().filter(|row| row.area.starts_with(area)) {
        let mut count: BTreeMap<&str, i64> = BTreeMap::new();
        match row.action {
            1 => count.extend([("reported", 1), ("open", 1)]),
            3 => count.extend([("accepted", 1)]),
            4 => count.extend([("rejected", 1), ("open", -1)]),
            5 => count.extend([("registered", 1)]),
            6 => count.extend([("voided", 1), ("open", -1)]),
            7 if dispatched.insert(row.event_id) => count.extend([("dispatched", 1)]),
            11 => count.extend([("closed", 1), ("open", -1)]),
            12 => count.extend([("reworked", 1)]),
            14 => count.extend([("returned", 1)]),
            26 => count.extend([("accepted", 1), ("closed", 1), ("self_settled", 1), ("open", -1)]),
            27 => count.extend([("reopened", 1), ("closed", -1), ("open", 1)]),
            28 => count.extend([("merged", 1), ("open", -1)]),
            29 => count.extend([("merged", -1), ("open", 1)]),
            34 if row.details["alarm"] == "RED" => count.extend([("overdue", 1)]),
            _ => (),
        }
        if let Some(depth) = row.details["accepted_depth"]["to"].as_u64() {
            count.insert(["at 0", "at 1", "at 2", "at 3", "at 4"][depth as usize], 1);
        }
        if (from.is_empty() || *from <= *row.day) && (to.is_empty() || *row.day <= *to) {
            count.into_iter().for_each(|(metric, by)| *counts.entry(metric).or_default() += by);
        }
    }
    counts.retain(|_, count| *count != 0);
    counts
}

/// What the service answers, in the same form.
fn answered(counts: &pb::AreaCounts) -> BTreeMap<&'static str, i64> {
    let levels = counts.accepted_by_level.iter();
    let levels = levels.map(|l| (["at 0", "at 1", "at 2", "at 3", "at 4"][l.depth as usize], l.count));
    let all = [
        ("reported", counts.reported),
        ("accepted", counts.accepted),
        ("rejected", counts.rejected),
        ("registered", counts.registered),
        ("voided", counts.voided),
        ("dispatched", counts.dispatched),
        ("returned", counts.returned),
        ("closed", counts.closed),
        ("self_settled", counts.self_settled),
        ("reworked", counts.reworked),
        ("reopened", counts.reopened),
        ("merged", counts.merged),
        ("overdue", counts.overdue),
        ("open", counts.open),
    ];
    all.into_iter().filter(|(_, count)| *count != 0).chain(levels).collect()
}

fn statistics(site: &Site) -> StatisticsServiceClient<Session> {
    StatisticsServiceClient::new(site.session("supervisor", &[(Role::Supervisor, DISTRICT)]))
}

async fn get(site: &Site, code: &str, from: &str, to: &str) -> pb::AreaCounts {
    let (from_date, to_date) = (from.to_owned(), to.to_owned());
    let request = pb::GetAreaCountsRequest { name: area(code), from_date, to_date };
    statistics(site).get_area_counts(request).await.expect("counted").into_inner()
}

/// Every area, over all time, day by day and over some days: the service's counts are those of the transitions.
async fn check(site: &Site, pool: &PgPool) -> BTreeMap<&'static str, i64> {
    let rows = rows(pool).await;
    let days: Vec<_> = rows.iter().map(|row| row.day.as_str()).collect::<BTreeSet<_>>().into_iter().collect();
    let (first, last) = (days[0], days[days.len() - 1]);
    let middle = days[days.len() / 2];
    let periods = [("", ""), (first, last), ("", middle), (middle, ""), (first, middle), ("2030-01-01", "")];
    for code in AREAS {
        for (from, to) in periods.into_iter().chain(days.iter().map(|day| (*day, *day))) {
            let got = get(site, code, from, to).await;
            assert_eq!(answered(&got), recount(&rows, code, from, to), "{code} from {from} to {to}");
        }
    }
    recount(&rows, AREAS[0], "", "")
}

/// An office that covers every desk, and handlers everywhere: what they may not do is refused and not counted.
fn sessions(site: &Site) -> [Session; 2] {
    let desks = [(Role::GridChief, GRID), (Role::GridChief, OTHER_GRID), (Role::Community, COMMUNITY)];
    let desks = desks.into_iter().chain([(Role::Street, STREET), (Role::Dispatcher, DISTRICT)]);
    let handlers = [(Role::Department, GARDEN), (Role::GridWorker, GRID), (Role::GridWorker, OTHER_GRID)];
    [site.session("office", &desks.collect::<Vec<_>>()), site.session("handler", &handlers)]
}

#[tokio::test]
async fn counts_are_what_the_transitions_say() {
    let site = Site::with_district().await;
    site.areas().create_area(common::new_area("410182003", "索河街道")).await.expect("created");
    let mut walk = Walk::new(&site, Dice(20_260_302)).await;
    let (pool, sweep) = (walk.pool.clone(), walk.sweep.clone());
    for _ in 0..250 {
        walk.step().await;
    }
    check(&site, &pool).await;
    sweep.roll_up().await.expect("rolled up");
    check(&site, &pool).await;
    for _ in 0..250 {
        walk.step().await;
    }
    let all = check(&site, &pool).await;
    tokio::join!(async { sweep.roll_up().await.expect("rolled up") }, async {
        site.sweep().await.roll_up().await.expect("rolled up by another replica at the same moment");
    });
    assert_eq!(check(&site, &pool).await, all);
    assert!(walk.done > 400, "only {} of 500 steps were possible", walk.done);
    assert!(all.len() >= 14, "hardly anything happened: {all:?}");
}

#[tokio::test]
async fn an_unmerge_and_a_reopening_take_back() {
    let site = Site::with_district().await;
    let (root, event) = (site.report().await, site.report().await);
    let mut office = EventServiceClient::new(sessions(&site)[0].clone());
    let counted = async || {
        let all = get(&site, "410182002011", "", "").await;
        (all.merged, all.closed, all.open)
    };
    let merge =
        pb::MergeEventRequest { name: event.name.clone(), root: root.name.clone(), ..Default::default() };
    office.merge_event(merge).await.expect("merged");
    assert_eq!(counted().await, (1, 0, 1));
    let undo = pb::UnmergeEventRequest {
        name: event.name.clone(),
        reason: "不是同一件事".into(),
        ..Default::default()
    };
    office.unmerge_event(undo).await.expect("undone");
    assert_eq!(counted().await, (0, 0, 2));
    let settle = pb::SettleEventRequest {
        name: event.name.clone(),
        outcome: pb::EventOutcome::Solved.into(),
        note: "已清理".into(),
        evidence: vec![pb::Evidence { text: "照片".into(), uri: String::new() }],
        ..Default::default()
    };
    office.settle_event(settle).await.expect("settled");
    assert_eq!(counted().await, (0, 1, 1));
    let reopen =
        pb::ReopenEventRequest {
            name: event.name.clone(), reason: "没有清理".into(), ..Default::default()
        };
    office.reopen_event(reopen).await.expect("reopened");
    assert_eq!(counted().await, (0, 0, 2));
    let lead = Some(pb::Unit { kind: Some(pb::unit::Kind::Area(GRID.into())) });
    let dispatch = pb::DispatchEventRequest { name: event.name.clone(), lead, ..Default::default() };
    office.dispatch_event(dispatch).await.expect("dispatched");
    assert_eq!(
        get(&site, "410182002011", "", "").await.dispatched,
        1,
        "for the first time, though in a later round"
    );
}

#[tokio::test]
async fn children_are_listed_with_those_that_have_nothing() {
    let site = Site::with_district().await;
    let (_, _, mut client) = (site.report().await, site.report().await, statistics(&site));
    let request = pb::ListAreaCountsRequest { parent: COMMUNITY.into(), page_size: 1, ..Default::default() };
    let page = client.list_area_counts(request.clone()).await.expect("a page").into_inner();
    let shown = |page: &pb::ListAreaCountsResponse| {
        page.area_counts
            .iter()
            .map(|c| (c.area.clone(), c.display_name.clone(), c.reported))
            .collect::<Vec<_>>()
    };
    assert_eq!(shown(&page), [(GRID.to_owned(), "第一网格".to_owned(), 2)]);
    let next = pb::ListAreaCountsRequest { page_token: page.next_page_token, ..request };
    let page = client.list_area_counts(next).await.expect("a page").into_inner();
    assert_eq!(shown(&page), [(OTHER_GRID.to_owned(), "第二网格".to_owned(), 0)]);
    assert_eq!(page.next_page_token, "");
}

#[tokio::test]
async fn a_period_that_is_none_and_an_area_that_is_none_are_refused() {
    let site = Site::with_district().await;
    let mut client = statistics(&site);
    let name = area("410182");
    let request = pb::GetAreaCountsRequest { name, from_date: "2026-02-30".into(), to_date: String::new() };
    assert_eq!(wrong_fields(client.get_area_counts(request.clone()).await), ["from_date"]);
    let backwards =
        pb::GetAreaCountsRequest { from_date: "2026-03-02".into(), to_date: "2026-03-01".into(), ..request };
    assert_eq!(wrong_fields(client.get_area_counts(backwards).await), ["to_date"]);
    let missing = pb::GetAreaCountsRequest { name: area("410182009"), ..Default::default() };
    assert_eq!(refusal(client.get_area_counts(missing).await), (Code::NotFound, "NOT_FOUND".into()));
}
