//! WatchEvents: changes in the order of their commits, resumed without loss or repeat, and nobody else's.

mod common;

use std::time::Duration;

use common::district::{COMMUNITY, GARDEN, GRID, OTHER_GRID, STREET, WATER};
use common::{DISTRICT, Site, refusal};
use futures::future::join_all;
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::event_service_client::EventServiceClient;
use tonic::{Code, Status, Streaming};

type Stream = Streaming<pb::WatchEventsResponse>;

async fn watch(site: &Site, role: Role, scope: &str, token: &str) -> Result<Stream, Status> {
    let request =
        pb::WatchEventsRequest { parent: DISTRICT.into(), resume_token: token.into(), ..Default::default() };
    site.events(role, scope).watch_events(request).await.map(tonic::Response::into_inner)
}

/// The next change; a feed that stays silent fails the test.
async fn next(stream: &mut Stream) -> pb::WatchEventsResponse {
    let next = tokio::time::timeout(Duration::from_secs(20), stream.message()).await;
    next.expect("a change comes").expect("the feed goes on").expect("and does not end")
}

/// What a change says: which event, and what was done.
fn told(change: &pb::WatchEventsResponse) -> (String, String) {
    let transition = change.transition.as_ref().expect("what changed");
    (change.event.clone(), transition.action_display_name.clone())
}

/// A report and an acceptance, as one writer of several.
async fn write(site: &Site, area: &str) -> String {
    let worker = site.session("worker", &[(Role::Community, COMMUNITY)]);
    let mut client = EventServiceClient::new(worker);
    let report = pb::ReportEventRequest { area: area.into(), ..site.new_report() };
    let name = client.report_event(report).await.expect("reported").into_inner().name;
    let accept = pb::AcceptEventRequest { name: name.clone(), ..Default::default() };
    client.accept_event(accept).await.expect("accepted");
    name
}

#[tokio::test]
async fn each_change_is_told_as_it_happens() {
    let site = Site::with_district().await;
    let before = site.report().await;
    let mut stream = watch(&site, Role::Dispatcher, DISTRICT, "").await.expect("watched");
    let event = write(&site, GRID).await;
    let first = next(&mut stream).await;
    assert_eq!(told(&first), (event.clone(), "上报".into()), "from now on: {} is not told", before.name);
    assert_eq!(told(&next(&mut stream).await), (event, "受理".into()));
}

#[tokio::test]
async fn a_resumed_feed_neither_loses_nor_repeats() {
    let site = Site::with_district().await;
    let other = site.replica().await;
    let mut stream = watch(&site, Role::Dispatcher, DISTRICT, "").await.expect("watched");
    let first = write(&site, GRID).await;
    let mut seen = vec![next(&mut stream).await];
    drop(stream);
    // Two replicas write while a reader breaks off after every few changes and goes on at either of them.
    let writers = join_all((0..20).map(|i| write(if i % 2 == 0 { &site } else { &other }, GRID)));
    let reader = async {
        while seen.len() < 42 {
            let (from, token) =
                (if seen.len() % 2 == 0 { &site } else { &other }, &seen[seen.len() - 1].resume_token);
            let mut stream = watch(from, Role::Dispatcher, DISTRICT, token).await.expect("resumed");
            for _ in 0..(42 - seen.len()).min(5) {
                seen.push(next(&mut stream).await);
            }
        }
    };
    let (mut written, ()) = tokio::join!(writers, reader);
    written.push(first);
    let mut reported: Vec<_> = Vec::new();
    for change in &seen {
        let (event, action) = told(change);
        match action.as_str() {
            "上报" => reported.push(event),
            _ => assert!(reported.contains(&event), "no acceptance before its report"),
        }
    }
    reported.sort();
    written.sort();
    assert_eq!(reported, written, "every report once, so the other half are the acceptances");
    let again = watch(&site, Role::Dispatcher, DISTRICT, &seen[0].resume_token).await;
    let mut again = again.expect("resumed from far back");
    for change in &seen[1..] {
        assert_eq!(next(&mut again).await, *change, "the order is the same for everybody");
    }
}

#[tokio::test]
async fn a_reader_sees_what_is_in_its_scope_and_nothing_else() {
    let site = Site::with_district().await;
    let mut streams = Vec::new();
    for (role, scope) in [(Role::GridWorker, GRID), (Role::Street, STREET), (Role::Department, GARDEN)] {
        streams.push(watch(&site, role, scope, "").await.expect("watched"));
    }
    let mut water = watch(&site, Role::Department, WATER, "").await.expect("watched");
    let narrow =
        pb::WatchEventsRequest { parent: DISTRICT.into(), area: OTHER_GRID.into(), ..Default::default() };
    let mut narrowed =
        site.events(Role::Dispatcher, DISTRICT).watch_events(narrow).await.expect("watched").into_inner();
    let theirs = write(&site, OTHER_GRID).await;
    let ours = write(&site, GRID).await;
    let name = &ours;
    let mut street = site.events(Role::Street, STREET);
    let up =
        pb::EscalateEventRequest { name: name.clone(), reason: "无法处置".into(), ..Default::default() };
    site.events(Role::Community, COMMUNITY).escalate_event(up).await.expect("up");
    street
        .register_event(pb::RegisterEventRequest { name: name.clone(), ..Default::default() })
        .await
        .expect("registered");
    let lead =
        |department: &str| Some(pb::Unit { kind: Some(pb::unit::Kind::Department(department.into())) });
    let dispatch = pb::DispatchEventRequest { name: name.clone(), lead: lead(GARDEN), ..Default::default() };
    street.dispatch_event(dispatch).await.expect("dispatched");

    let steps = ["上报", "受理", "上报上级", "立案", "派遣"];
    for step in steps {
        assert_eq!(
            told(&next(&mut streams[0]).await),
            (ours.clone(), step.into()),
            "the grid sees its own only"
        );
    }
    let all = [(&theirs, "上报"), (&theirs, "受理")].into_iter().chain(steps.map(|step| (&ours, step)));
    for (event, step) in all {
        assert_eq!(told(&next(&mut streams[1]).await), (event.clone(), step.into()), "the street sees both");
    }
    assert_eq!(
        told(&next(&mut streams[2]).await),
        (ours.clone(), "派遣".into()),
        "a department from its dispatch on"
    );
    for step in ["上报", "受理"] {
        assert_eq!(told(&next(&mut narrowed).await), (theirs.clone(), step.into()), "what was asked for");
    }
    // The waterworks come in last of all: had they been shown anything before, it would come first.
    let transfer = pb::TransferEventRequest {
        name: name.clone(),
        target: lead(WATER),
        reason: "管道漏水".into(),
        ..Default::default()
    };
    let mut garden = site.events(Role::Department, GARDEN);
    garden.transfer_event(transfer).await.expect("passed on");
    assert_eq!(told(&next(&mut water).await), (ours.clone(), "转办".into()));
}

#[tokio::test]
async fn a_token_that_does_not_fit_is_refused() {
    let site = Site::with_district().await;
    let mut stream = watch(&site, Role::Dispatcher, DISTRICT, "").await.expect("watched");
    write(&site, GRID).await;
    let token = next(&mut stream).await.resume_token;

    let elsewhere = site.session("both", &[(Role::Dispatcher, "districts/-")]);
    let request = pb::WatchEventsRequest {
        parent: "districts/410183".into(),
        resume_token: token,
        ..Default::default()
    };
    let refused = EventServiceClient::new(elsewhere).watch_events(request).await.map(|_| ());
    assert_eq!(refusal(refused), (Code::InvalidArgument, "INVALID_REQUEST".into()), "another district's");
    let refused = watch(&site, Role::Dispatcher, DISTRICT, "abc").await.map(|_| ());
    assert_eq!(refusal(refused), (Code::InvalidArgument, "INVALID_REQUEST".into()));

    let ahead = jingwei_kit::outbox::token(410_182, 1_000_000);
    let mut stream = watch(&site, Role::Dispatcher, DISTRICT, &ahead).await.expect("begun");
    let refused = stream.message().await;
    assert_eq!(refusal(refused), (Code::OutOfRange, "FEED_TOKEN_EXPIRED".into()), "not given out yet");
}
