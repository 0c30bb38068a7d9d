//! The sweep: each alarm once however many replicas sweep, at its moment, and suspensions that end by themselves.

mod common;

use common::backstage::id;
use common::district::{COMMUNITY, GARDEN, GRID, STREET};
use common::{DISTRICT, Site, moment};
use jingwei_grid::model::transition::verify_chain;
use jingwei_grid::store;
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use sqlx::PgPool;
use time::OffsetDateTime;
use time::macros::datetime;

const EVENTS: i32 = 10_000;

async fn get(site: &Site, event: &pb::Event) -> pb::Event {
    let request = pb::GetEventRequest { name: event.name.clone() };
    site.events(Role::Dispatcher, DISTRICT).get_event(request).await.expect("readable").into_inner()
}

/// What was done with an event, in order; its chain of hashes holds.
async fn timeline(pool: &PgPool, event: &pb::Event) -> Vec<&'static str> {
    let history = store::transition::list(pool, 410_182, id(event), 0, 100).await.expect("readable");
    verify_chain(&history).expect("the chain holds");
    history.iter().map(|transition| transition.action.code()).collect()
}

async fn number(pool: &PgPool, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(pool).await.expect("a number")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_give_ten_thousand_alarms_once_each() {
    let site = Site::with_district().await;
    let (one, other) = (site.sweep().await, site.sweep().await);
    let event = site.report().await;
    site.clock.set(datetime!(2026-03-02 10:40 +08:00));
    assert_eq!(one.once().await.expect("swept"), 1, "amber");
    for _ in 0..4 {
        site.copy(&event, EVENTS / 4).await;
    }
    site.clock.set(datetime!(2026-03-02 11:10 +08:00));
    let (by_one, by_other) = tokio::join!(one.once(), other.once());
    let (by_one, by_other) = (by_one.expect("swept"), by_other.expect("swept"));
    assert!(by_one > 0 && by_other > 0, "both took part: {by_one}, {by_other}");
    let all = EVENTS as usize + 1;
    assert_eq!(by_one + by_other, all);

    let pool = &one.pool;
    let red = "select count(distinct event_id) from event_transition where action = 34 and version = 3";
    assert_eq!(number(pool, red).await, all as i64, "each one is red");
    assert_eq!(
        number(pool, "select count(*) from event_transition where action = 34").await,
        all as i64,
        "once"
    );
    assert_eq!(number(pool, "select count(*) from event where alarm = 2 and version = 3").await, all as i64);
    let broken = "select count(*) from event_transition t join event_transition b using (district, event_id)
        where b.version = t.version - 1 and b.hash <> t.previous_hash";
    assert_eq!(number(pool, broken).await, 0, "the chains hold");
    let gaps = "select max(seq) - count(*) from event_transition";
    let told = "select count(*) from outbox where resource like '%/events/%' and create_time = (select max(create_time) from outbox)";
    assert_eq!(number(pool, told).await, all as i64, "the feed tells of each");
    let before_events = "select min(seq) - 1 from event_transition";
    assert_eq!(number(pool, gaps).await, number(pool, before_events).await, "the feed has no gaps");
    assert_eq!(one.once().await.expect("swept"), 0, "nothing is left to do");
}

#[tokio::test]
async fn an_alarm_rings_at_its_moment_and_tells_the_next_level() {
    let site = Site::with_district().await;
    let sweep = site.sweep().await;
    let event = site.report().await;
    assert_eq!(
        event.due_time,
        Some(moment(datetime!(2026-03-02 11:00 +08:00))),
        "120 working minutes from nine"
    );
    let second = time::Duration::SECOND;
    for (at, level) in [
        (datetime!(2026-03-02 10:36 +08:00), pb::AlarmLevel::Amber),
        (datetime!(2026-03-02 11:00 +08:00), pb::AlarmLevel::Red),
        (datetime!(2026-03-02 12:00 +08:00), pb::AlarmLevel::Critical),
    ] {
        site.clock.set(at - second);
        assert_eq!(sweep.once().await.expect("swept"), 0, "not yet at {at}");
        site.clock.set(at);
        assert_eq!(sweep.once().await.expect("swept"), 1, "{at}");
        let now = get(&site, &event).await;
        assert_eq!((now.alarm(), &now.holder), (level, &event.holder), "whoever is late keeps the work");
    }
    site.clock.set(datetime!(2026-03-20 12:00 +08:00));
    assert_eq!(sweep.once().await.expect("swept"), 0, "there are three alarms");
    assert_eq!(timeline(&sweep.pool, &event).await, ["REPORT", "WARN", "OVERDUE", "OVERDUE"]);
}

#[tokio::test]
async fn after_a_standstill_every_alarm_is_made_up_for() {
    let site = Site::with_district().await;
    let sweep = site.sweep().await;
    let (late, done) = (site.report().await, site.report().await);
    let accept = pb::AcceptEventRequest { name: done.name.clone(), ..Default::default() };
    site.events(Role::GridChief, GRID).accept_event(accept).await.expect("accepted");
    site.clock.set(datetime!(2026-03-02 09:58 +08:00));
    assert_eq!(
        sweep.once().await.expect("swept"),
        1,
        "the one that waits for its registration, an hour from nine"
    );
    site.clock.set(datetime!(2026-03-03 17:00 +08:00));
    assert_eq!(sweep.once().await.expect("swept"), 5);
    assert_eq!(timeline(&sweep.pool, &late).await, ["REPORT", "WARN", "OVERDUE", "OVERDUE"]);
    assert_eq!(timeline(&sweep.pool, &done).await, ["REPORT", "ACCEPT", "WARN", "OVERDUE", "OVERDUE"]);
}

/// An event that the garden centre has put off until `resume`.
async fn suspended(site: &Site, resume: OffsetDateTime) -> pb::Event {
    let event = site.report().await;
    let name = &event.name;
    let up = || pb::EscalateEventRequest {
        name: name.clone(),
        reason: "网格无法处置".into(),
        ..Default::default()
    };
    site.events(Role::GridChief, GRID).escalate_event(up()).await.expect("up");
    site.events(Role::Community, COMMUNITY).escalate_event(up()).await.expect("up again");
    let mut street = site.events(Role::Street, STREET);
    let mut garden = site.events(Role::Department, GARDEN);
    let accept = pb::AcceptEventRequest { name: name.clone(), ..Default::default() };
    street.accept_event(accept).await.expect("accepted");
    let register = pb::RegisterEventRequest { name: name.clone(), ..Default::default() };
    street.register_event(register).await.expect("registered");
    let lead = Some(pb::Unit { kind: Some(pb::unit::Kind::Department(GARDEN.into())) });
    let dispatch = pb::DispatchEventRequest { name: name.clone(), lead, ..Default::default() };
    street.dispatch_event(dispatch).await.expect("dispatched");
    let sign = pb::SignForEventRequest { name: name.clone(), ..Default::default() };
    garden.sign_for_event(sign).await.expect("signed for");
    let request = pb::RequestSuspensionRequest {
        name: name.clone(),
        resume_time: Some(moment(resume)),
        reason: "待春季施药".into(),
        ..Default::default()
    };
    garden.request_suspension(request).await.expect("asked");
    let approve = pb::ApproveSuspensionRequest { name: name.clone(), ..Default::default() };
    street.approve_suspension(approve).await.expect("suspended").into_inner()
}

#[tokio::test]
async fn a_suspension_ends_by_itself_and_leaves_what_was_left() {
    let site = Site::with_district().await;
    let sweep = site.sweep().await;
    let resume = datetime!(2026-03-16 08:30 +08:00);
    let event = suspended(&site, resume).await;
    assert_eq!((event.state(), &event.due_time), (pb::EventState::Suspended, &None), "no clock runs");
    site.clock.set(resume - time::Duration::SECOND);
    assert_eq!(sweep.once().await.expect("swept"), 0, "though the first deadline, 9 March, is over");
    site.clock.set(resume);
    assert_eq!(sweep.once().await.expect("swept"), 1);
    let resumed = get(&site, &event).await;
    assert_eq!(resumed.state(), pb::EventState::Handling);
    // Left on 2 March at nine: six and a half hours of that day and five days of seven.
    assert_eq!(resumed.due_time, Some(moment(datetime!(2026-03-23 17:00 +08:00))));
    assert_eq!(timeline(&sweep.pool, &event).await.last(), Some(&"RESUME"));
}

#[tokio::test]
async fn what_cannot_be_done_keeps_nothing_waiting() {
    let site = Site::with_district().await;
    let sweep = site.sweep().await;
    site.clock.set(datetime!(2026-12-14 09:00 +08:00));
    // What is left of five days reaches into 2027, of which the calendar knows nothing.
    let event = suspended(&site, datetime!(2026-12-30 08:30 +08:00)).await;
    site.copy(&event, 150).await;
    site.clock.set(datetime!(2026-12-30 09:00 +08:00));
    let other = site.report().await;
    site.clock.set(datetime!(2026-12-30 11:30 +08:00));
    assert_eq!(sweep.once().await.expect("swept"), 2);
    assert_eq!(get(&site, &other).await.alarm(), pb::AlarmLevel::Red);
    assert_eq!(get(&site, &event).await.state(), pb::EventState::Suspended);
}
