//! Events through the generated client: the page's stories, refusals, repeats, and who may see what.

mod common;

use common::district::{COMMUNITY, GARDEN, GRID, OTHER_GRID, PESTS, STREET, WATER};
use common::{DISTRICT, Site, reason, request_id};
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::event_service_client::EventServiceClient;
use tonic::Code;

fn department(name: &str) -> Option<pb::Unit> {
    Some(pb::Unit { kind: Some(pb::unit::Kind::Department(name.into())) })
}

fn area(name: &str) -> Option<pb::Unit> {
    Some(pb::Unit { kind: Some(pb::unit::Kind::Area(name.into())) })
}

fn evidence() -> Vec<pb::Evidence> {
    vec![pb::Evidence { text: "照片".into(), uri: String::new() }]
}

/// Requests that carry nothing but the event's name.
macro_rules! only {
    ($request:ident, $event:expr) => {
        pb::$request { name: $event.name.clone(), ..Default::default() }
    };
}

#[tokio::test]
async fn trees_are_treated_by_the_garden_centre() {
    let site = Site::with_district().await;
    let event = site.report().await;
    assert_eq!(event.case_number, "410182-20260302-000001");
    assert_eq!(event.state(), pb::EventState::Reported);
    assert_eq!(event.holder, area(GRID));

    let reason = "网格无法处置".to_owned();
    let mut chief = site.events(Role::GridChief, GRID);
    let escalate = pb::EscalateEventRequest { reason: reason.clone(), ..only!(EscalateEventRequest, event) };
    let event = chief.escalate_event(escalate).await.expect("up").into_inner();
    assert_eq!((event.state(), &event.holder), (pb::EventState::Reported, &area(COMMUNITY)));

    let mut community = site.events(Role::Community, COMMUNITY);
    let event =
        community.accept_event(only!(AcceptEventRequest, event)).await.expect("accepted").into_inner();
    assert_eq!(event.accepted_depth, Some(2));
    community.register_event(only!(RegisterEventRequest, event)).await.expect("registered");
    let escalate = pb::EscalateEventRequest { reason, ..only!(EscalateEventRequest, event) };
    community.escalate_event(escalate).await.expect("up again");

    let mut street = site.events(Role::Street, STREET);
    let dispatch =
        pb::DispatchEventRequest { lead: department(GARDEN), ..only!(DispatchEventRequest, event) };
    let event = street.dispatch_event(dispatch).await.expect("dispatched").into_inner();
    assert_eq!(event.holder, department(GARDEN));
    assert!(event.handling_clock.is_some(), "the clock starts at the dispatch");

    let mut garden = site.events(Role::Department, GARDEN);
    garden.sign_for_event(only!(SignForEventRequest, event)).await.expect("signed for");
    let resolve = pb::ResolveEventRequest {
        outcome: pb::EventOutcome::Solved.into(),
        note: "已喷药".into(),
        evidence: evidence(),
        ..only!(ResolveEventRequest, event)
    };
    garden.resolve_event(resolve).await.expect("resolved");
    let event = street.pass_event(only!(PassEventRequest, event)).await.expect("closed").into_inner();
    assert_eq!((event.state(), event.outcome()), (pb::EventState::Closed, pb::EventOutcome::Solved));
    assert_eq!(event.due_time, None);

    let timeline = pb::ListEventTransitionsRequest { parent: event.name.clone(), ..Default::default() };
    let timeline = street.list_event_transitions(timeline).await.expect("readable").into_inner().transitions;
    let steps: Vec<_> = timeline.iter().map(|t| t.action_display_name.as_str()).collect();
    assert_eq!(
        steps,
        ["上报", "上报上级", "受理", "立案", "上报上级", "派遣", "签收", "处置完成", "核查通过"]
    );
    for pair in timeline.windows(2) {
        assert_eq!(pair[0].hash, pair[1].previous_hash, "the chain holds");
    }
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer_and_another_request_is_refused() {
    let site = Site::with_district().await;
    let mut worker = site.events(Role::GridWorker, GRID);
    let request_id = site.clock.id().to_string();
    let request = pb::ReportEventRequest { request_id, ..site.new_report() };
    let first = worker.report_event(request.clone()).await.expect("reported").into_inner();
    let mut chief = site.events(Role::GridChief, GRID);
    let accept = pb::AcceptEventRequest {
        request_id: site.clock.id().to_string(),
        ..only!(AcceptEventRequest, first)
    };
    let accepted = chief.accept_event(accept.clone()).await.expect("accepted").into_inner();
    chief.register_event(only!(RegisterEventRequest, first)).await.expect("registered");

    // Also after the event has moved on: what was answered then, to the letter.
    assert_eq!(worker.report_event(request.clone()).await.expect("repeated").into_inner(), first);
    assert_eq!(chief.accept_event(accept.clone()).await.expect("repeated").into_inner(), accepted);

    let other = pb::ReportEventRequest { description: "另一件事".into(), ..request };
    let refused = worker.report_event(other).await.expect_err("another request");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::InvalidArgument, "REQUEST_ID_REUSED"));
    let other = pb::AcceptEventRequest { note: "另".into(), ..accept };
    let refused = chief.accept_event(other).await.expect_err("another request");
    assert_eq!(reason(&refused), "REQUEST_ID_REUSED");
}

#[tokio::test]
async fn the_millionth_case_of_a_day_has_a_number_too() {
    let site = Site::with_district().await;
    site.report().await;
    sqlx::query("update case_day set last = 999999").execute(&site.pool().await).await.expect("many reports");
    let mut worker = site.events(Role::GridWorker, GRID);
    let report = pb::ReportEventRequest { request_id: request_id(), ..site.new_report() };
    let made = worker.report_event(report.clone()).await.expect("reported").into_inner();
    assert_eq!(made.case_number, "410182-20260302-1000000");
    let again = worker.report_event(report).await.expect("repeated").into_inner();
    assert_eq!(again.case_number, made.case_number);
    let case_number = made.case_number;
    let list = pb::ListEventsRequest { parent: DISTRICT.into(), case_number, ..Default::default() };
    assert_eq!(worker.list_events(list).await.expect("listed").into_inner().events.len(), 1);
}

#[tokio::test]
async fn twins_at_the_same_moment_are_one() {
    let site = Site::with_district().await;
    let request = pb::ReportEventRequest { request_id: site.clock.id().to_string(), ..site.new_report() };
    let twins = (0..8).map(|_| {
        let (mut worker, request) = (site.events(Role::GridWorker, GRID), request.clone());
        tokio::spawn(async move { worker.report_event(request).await })
    });
    let twins: Vec<_> = twins.collect();
    let mut answers = Vec::new();
    for twin in twins {
        answers.push(twin.await.expect("no panic").expect("answered").into_inner());
    }
    assert!(answers.iter().all(|a| *a == answers[0]));
    let next = site.report().await;
    assert_eq!(next.case_number, "410182-20260302-000002", "one number was used");
}

#[tokio::test]
async fn of_two_actions_at_the_same_moment_one_wins() {
    let site = Site::with_district().await;
    for _ in 0..10 {
        let event = site.report().await;
        let accept = pb::AcceptEventRequest { etag: event.etag.clone(), ..only!(AcceptEventRequest, event) };
        let calls: Vec<_> = (0..6)
            .map(|_| {
                let (mut chief, accept) = (site.events(Role::GridChief, GRID), accept.clone());
                tokio::spawn(async move { chief.accept_event(accept).await })
            })
            .collect();
        let mut won = 0;
        for call in calls {
            match call.await.expect("no panic") {
                Ok(_) => won += 1,
                Err(refused) => assert_eq!(refused.code(), Code::Aborted, "{refused}"),
            }
        }
        assert_eq!(won, 1);
    }
}

#[tokio::test]
async fn what_a_state_does_not_allow_says_what_it_does() {
    let site = Site::with_district().await;
    let event = site.report().await;
    let mut chief = site.events(Role::GridChief, GRID);
    let refused =
        chief.register_event(only!(RegisterEventRequest, event)).await.expect_err("not accepted yet");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "WRONG_STATE"));
    assert!(refused.message().contains("ACCEPT"), "{refused}");
    let stale = pb::AcceptEventRequest { etag: "v7".into(), ..only!(AcceptEventRequest, event) };
    let refused = chief.accept_event(stale).await.expect_err("stale");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Aborted, "ETAG_MISMATCH"));
}

#[tokio::test]
async fn nobody_sees_or_touches_what_is_not_theirs() {
    let site = Site::with_district().await;
    let event = site.report().await;
    let get = pb::GetEventRequest { name: event.name.clone() };
    for (role, scope) in
        [(Role::GridWorker, OTHER_GRID), (Role::Department, WATER), (Role::GridChief, OTHER_GRID)]
    {
        let unseen = site.events(role, scope).get_event(get.clone()).await.expect_err("not theirs");
        assert_eq!(unseen.code(), Code::NotFound, "{role:?}");
    }
    let other = site.session("x", &[(Role::Dispatcher, "districts/410183")]);
    let refused = EventServiceClient::new(other).get_event(get.clone()).await.expect_err("another district");
    assert_eq!(refused.code(), Code::PermissionDenied);
    let nobody = EventServiceClient::new(site.channel.clone()).get_event(get).await.expect_err("no token");
    assert_eq!(nobody.code(), Code::Unauthenticated);
    let report = site
        .events(Role::GridWorker, OTHER_GRID)
        .report_event(site.new_report())
        .await
        .expect_err("not there");
    assert_eq!(report.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn a_merge_can_be_undone_and_needs_an_open_root() {
    let site = Site::with_district().await;
    let (root, event) = (site.report().await, site.report().await);
    let mut community = site.events(Role::Community, COMMUNITY);
    let merge = pb::MergeEventRequest { root: root.name.clone(), ..only!(MergeEventRequest, event) };
    let merged = community.merge_event(merge).await.expect("merged").into_inner();
    assert_eq!((merged.state(), &merged.merged_into), (pb::EventState::Merged, &root.name));
    assert_eq!(merged.due_time, None, "no clock runs");

    let third = site.report().await;
    let chain = pb::MergeEventRequest { root: third.name.clone(), ..only!(MergeEventRequest, root) };
    let refused = community.merge_event(chain).await.expect_err("events are merged into it");
    assert_eq!(reason(&refused), "HAS_MERGED_EVENTS");
    let into_merged = pb::MergeEventRequest { root: event.name.clone(), ..only!(MergeEventRequest, third) };
    let refused = community.merge_event(into_merged).await.expect_err("merged itself");
    assert_eq!(reason(&refused), "MERGE_TARGET");

    let undo =
        pb::UnmergeEventRequest { reason: "不是同一件事".into(), ..only!(UnmergeEventRequest, event) };
    let back = community.unmerge_event(undo).await.expect("undone").into_inner();
    assert_eq!((back.state(), back.due_time), (event.state(), event.due_time));
}

#[tokio::test]
async fn merges_into_each_other_at_the_same_moment_leave_one_root() {
    let site = Site::with_district().await;
    for _ in 0..10 {
        let (a, b) = (site.report().await, site.report().await);
        let calls = [(&a, &b), (&b, &a)].map(|(event, root)| {
            let mut community = site.events(Role::Community, COMMUNITY);
            let merge = pb::MergeEventRequest { root: root.name.clone(), ..only!(MergeEventRequest, event) };
            tokio::spawn(async move { community.merge_event(merge).await })
        });
        let mut merged = 0;
        for call in calls {
            match call.await.expect("no panic") {
                Ok(_) => merged += 1,
                Err(refused) => {
                    assert!([Code::Aborted, Code::FailedPrecondition].contains(&refused.code()), "{refused}");
                }
            }
        }
        assert!(merged <= 1, "not both");
    }
}

#[tokio::test]
async fn lists_are_paged_filtered_and_narrowed_to_the_caller() {
    let site = Site::with_district().await;
    for _ in 0..5 {
        site.report().await;
        site.clock.advance(time::Duration::minutes(1));
    }
    let mut elsewhere = site.events(Role::GridWorker, OTHER_GRID);
    let other = pb::ReportEventRequest { area: OTHER_GRID.into(), ..site.new_report() };
    elsewhere.report_event(other).await.expect("reported");

    let mut worker = site.events(Role::GridWorker, GRID);
    let first = pb::ListEventsRequest { parent: DISTRICT.into(), page_size: 3, ..Default::default() };
    let page = worker.list_events(first.clone()).await.expect("a page").into_inner();
    assert_eq!(page.events.len(), 3);
    assert_eq!(page.events[0].case_number, "410182-20260302-000005", "newest first");
    let next = pb::ListEventsRequest { page_token: page.next_page_token.clone(), ..first.clone() };
    let rest = worker.list_events(next.clone()).await.expect("a page").into_inner();
    assert_eq!((rest.events.len(), rest.next_page_token.as_str()), (2, ""));
    let stolen = pb::ListEventsRequest { category: PESTS.into(), ..next };
    let refused = worker.list_events(stolen).await.expect_err("the token of another request");
    assert_eq!(refused.code(), Code::InvalidArgument);

    let mut dispatcher = site.events(Role::Dispatcher, DISTRICT);
    let all = pb::ListEventsRequest { parent: DISTRICT.into(), ..Default::default() };
    assert_eq!(dispatcher.list_events(all.clone()).await.expect("a page").into_inner().events.len(), 6);
    for (filter, expected) in [
        (pb::ListEventsRequest { area: OTHER_GRID.into(), ..all.clone() }, 1),
        (pb::ListEventsRequest { holder: GRID.into(), ..all.clone() }, 5),
        (pb::ListEventsRequest { states: vec![pb::EventState::Reported.into()], ..all.clone() }, 6),
        (pb::ListEventsRequest { states: vec![pb::EventState::Closed.into()], ..all.clone() }, 0),
        (pb::ListEventsRequest { order: pb::EventOrder::Due.into(), ..all.clone() }, 6),
        (pb::ListEventsRequest { min_alarm: pb::AlarmLevel::Red.into(), ..all.clone() }, 0),
        (pb::ListEventsRequest { case_number: "410182-20260302-000004".into(), ..all.clone() }, 1),
        (pb::ListEventsRequest { category: PESTS.into(), area: COMMUNITY.into(), ..all.clone() }, 6),
    ] {
        let found = dispatcher.list_events(filter.clone()).await.expect("a page").into_inner().events.len();
        assert_eq!(found, expected, "{filter:?}");
    }
    let refused =
        worker.list_events(pb::ListEventsRequest { area: STREET.into(), ..all }).await.expect_err("too wide");
    assert_eq!(refused.code(), Code::PermissionDenied);
}
