//! Counts: whatever was done, they equal what the transitions say, by area and by day, rolled up or not.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::district::{COMMUNITY, GARDEN, GRID, OTHER_GRID, STREET};
use common::raw::{call, methods, smallest};
use common::{DISTRICT, Session, Site, area, refusal, wrong_fields};
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::event_service_client::EventServiceClient;
use jingwei_proto::grid::v1::statistics_service_client::StatisticsServiceClient;
use jingwei_proto::prost_reflect::prost::Message;
use jingwei_proto::prost_reflect::{DynamicMessage, MethodDescriptor, Value};
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

/// From a report to a closed case, and back.
const MAIN_ROAD: [&str; 7] = [
    "AcceptEvent",
    "RegisterEvent",
    "DispatchEvent",
    "SignForEvent",
    "ResolveEvent",
    "PassEvent",
    "ReopenEvent",
];

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

/// An office that covers every desk, and handlers everywhere: what they may not do is refused and not counted.
fn sessions(site: &Site) -> [Session; 2] {
    let desks = [(Role::GridChief, GRID), (Role::GridChief, OTHER_GRID), (Role::Community, COMMUNITY)];
    let desks = desks.into_iter().chain([(Role::Street, STREET), (Role::Dispatcher, DISTRICT)]);
    let handlers = [(Role::Department, GARDEN), (Role::GridWorker, GRID), (Role::GridWorker, OTHER_GRID)];
    [site.session("office", &desks.collect::<Vec<_>>()), site.session("handler", &handlers)]
}

/// The smallest request of an action on the event, with a unit or a root where it needs one.
fn action(method: &MethodDescriptor, event: &pb::Event, root: &pb::Event) -> DynamicMessage {
    let mut request = smallest(&method.input());
    request.set_field_by_name("name", Value::String(event.name.clone()));
    match method.name() {
        "MergeEvent" => request.set_field_by_name("root", Value::String(root.name.clone())),
        "DispatchEvent" => {
            let lead = method.input().get_field_by_name("lead").expect("it has one").kind();
            let unit = pb::Unit { kind: Some(pb::unit::Kind::Area(event.area.clone())) };
            let lead = lead.as_message().expect("a message").clone();
            let unit = DynamicMessage::decode(lead, unit.encode_to_vec().as_slice()).expect("of its type");
            request.set_field_by_name("lead", Value::Message(unit));
        }
        "ResolveEvent" | "SettleEvent" | "RequestReturn" => {
            let evidence = method.input().get_field_by_name("evidence").expect("it has one").kind();
            let mut evidence = DynamicMessage::new(evidence.as_message().expect("a message").clone());
            evidence.set_field_by_name("text", Value::String("照片".into()));
            request.set_field_by_name("evidence", Value::List(vec![Value::Message(evidence)]));
        }
        _ => (),
    }
    request
}

/// So many random steps, over some days; answers with how many were done.
async fn play(site: &Site, dice: &mut Dice, events: &mut Vec<pb::Event>, steps: usize) -> usize {
    let sweep = site.sweep().await;
    let actions = methods().into_iter().filter(|m| m.output().name() == "Event" && m.name() != "GetEvent");
    // The main road is taken more often than the side roads: else hardly any event gets to its end.
    let often = |method: &MethodDescriptor| if MAIN_ROAD.contains(&method.name()) { 5 } else { 1 };
    let methods: Vec<_> = actions.flat_map(|m| std::iter::repeat_n(m.clone(), often(&m))).collect();
    let mut done = 0;
    for _ in 0..steps {
        site.clock.advance(time::Duration::minutes(dice.roll(40) as i64));
        // Tokens hold for an hour.
        let sessions = sessions(site);
        let method = &methods[dice.roll(methods.len())];
        let answer = if method.name() == "ReportEvent" || events.len() < 20 {
            let area = [GRID, OTHER_GRID, COMMUNITY][dice.roll(3)].to_owned();
            let report = pb::ReportEventRequest { area, ..site.new_report() };
            let reported = EventServiceClient::new(sessions[0].clone()).report_event(report).await;
            reported.map(|event| events.push(event.into_inner()))
        } else {
            let (event, root) = (&events[dice.roll(events.len())], &events[dice.roll(events.len())]);
            let (request, [office, handler]) = (action(method, event, root), sessions);
            match call(office, method, &request).await {
                Err(_) => call(handler, method, &request).await,
                done => done,
            }
        };
        done += usize::from(answer.is_ok());
        if dice.roll(20) == 0 {
            sweep.once().await.expect("swept");
        }
    }
    done
}

#[tokio::test]
async fn counts_are_what_the_transitions_say() {
    let site = Site::with_district().await;
    site.areas().create_area(common::new_area("410182003", "索河街道")).await.expect("created");
    let (pool, sweep) = (site.pool().await, site.sweep().await);
    let (mut dice, mut events) = (Dice(20_260_302), Vec::new());
    let mut done = play(&site, &mut dice, &mut events, 700).await;
    check(&site, &pool).await;
    sweep.roll_up().await.expect("rolled up");
    check(&site, &pool).await;
    done += play(&site, &mut dice, &mut events, 700).await;
    let all = check(&site, &pool).await;
    tokio::join!(async { sweep.roll_up().await.expect("rolled up") }, async {
        site.sweep().await.roll_up().await.expect("rolled up by another replica at the same moment");
    });
    assert_eq!(check(&site, &pool).await, all);
    assert!(done > 100, "only {done} steps were possible");
    // Which of them a walk comes by changes with the actions there are; most of them it does.
    assert!(all.len() >= 10, "hardly anything happened: {all:?}");
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
