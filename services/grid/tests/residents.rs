//! Residents: report without signing in, follow with a number's tail or a code, answer; and what nobody may find out.

mod common;

use common::backstage::id;
use common::district::{COMMUNITY, GRID, PESTS, STREET};
use common::{DATA_KEY, DISTRICT, Session, Site, refusal, request_id, wrong_fields};
use jingwei_grid::seal::Keyring;
use jingwei_kit::config::Secret;
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::event_service_client::EventServiceClient;
use jingwei_proto::grid::v1::resident_service_client::ResidentServiceClient;
use time::Duration;
use tonic::Code;

const PHONE: &str = "13800005678";

fn residents(site: &Site) -> ResidentServiceClient<Session> {
    ResidentServiceClient::new(site.anonymous())
}

fn a_report(phone: &str) -> pb::SubmitReportRequest {
    let (kind, name) = if phone.is_empty() {
        (pb::ReporterKind::Anonymous, "")
    } else {
        (pb::ReporterKind::Resident, "王女士")
    };
    pb::SubmitReportRequest {
        parent: DISTRICT.into(),
        category: PESTS.into(),
        area: GRID.into(),
        description: "楼下行道树滴油".into(),
        reporter: Some(pb::Reporter { kind: kind.into(), display_name: name.into(), phone: phone.into() }),
        request_id: request_id(),
        ..Default::default()
    }
}

async fn submit(site: &Site, phone: &str) -> pb::SubmitReportResponse {
    residents(site).submit_report(a_report(phone)).await.expect("submitted").into_inner()
}

fn track(case_number: &str, secret: &str) -> pb::TrackCaseRequest {
    pb::TrackCaseRequest { parent: DISTRICT.into(), case_number: case_number.into(), secret: secret.into() }
}

fn answer(case_number: &str, secret: &str, solved: bool) -> pb::AnswerCaseRequest {
    pb::AnswerCaseRequest {
        parent: DISTRICT.into(),
        case_number: case_number.into(),
        secret: secret.into(),
        solved,
        rating: if solved { 5 } else { 1 },
        comment: "谢谢".into(),
    }
}

/// The event of a case number, as the dispatcher finds it.
async fn find(site: &Site, case_number: &str) -> pb::Event {
    let request = pb::ListEventsRequest {
        parent: DISTRICT.into(),
        case_number: case_number.into(),
        ..Default::default()
    };
    let mut dispatcher = site.events(Role::Dispatcher, DISTRICT);
    dispatcher.list_events(request).await.expect("listed").into_inner().events.remove(0)
}

fn street(site: &Site) -> EventServiceClient<Session> {
    site.events(Role::Street, STREET)
}

/// Brings an event from its confirmation to its closing.
async fn close(site: &Site, name: &str) {
    let mut street = street(site);
    let name = || name.to_owned();
    let confirm = pb::ConfirmEventRequest { name: name(), ..Default::default() };
    street.confirm_event(confirm).await.expect("confirmed");
    street
        .accept_event(pb::AcceptEventRequest { name: name(), ..Default::default() })
        .await
        .expect("accepted");
    let register = pb::RegisterEventRequest { name: name(), ..Default::default() };
    street.register_event(register).await.expect("registered");
    let lead = pb::Unit { kind: Some(pb::unit::Kind::Area(COMMUNITY.into())) };
    let dispatch = pb::DispatchEventRequest { name: name(), lead: Some(lead), ..Default::default() };
    street.dispatch_event(dispatch).await.expect("dispatched");
    let mut community = site.events(Role::Community, COMMUNITY);
    let sign_for = pb::SignForEventRequest { name: name(), ..Default::default() };
    community.sign_for_event(sign_for).await.expect("signed for");
    let resolve = pb::ResolveEventRequest {
        name: name(),
        outcome: pb::EventOutcome::Solved.into(),
        note: "已喷药".into(),
        evidence: vec![pb::Evidence { text: "照片".into(), uri: String::new() }],
        ..Default::default()
    };
    community.resolve_event(resolve).await.expect("resolved");
    street.pass_event(pb::PassEventRequest { name: name(), ..Default::default() }).await.expect("closed");
}

#[tokio::test]
async fn a_resident_reports_follows_and_answers() {
    let site = Site::with_district().await;
    let made = submit(&site, PHONE).await;
    let event = find(&site, &made.case_number).await;
    assert_eq!(event.state(), pb::EventState::Verifying, "verified before acceptance, whatever the category");
    let mut accept = street(&site);
    let too_early =
        accept.accept_event(pb::AcceptEventRequest { name: event.name.clone(), ..Default::default() });
    assert_eq!(refusal(too_early.await), (Code::FailedPrecondition, "WRONG_STATE".into()));
    close(&site, &event.name).await;

    for secret in ["5678", &made.tracking_code] {
        let case = residents(&site)
            .track_case(track(&made.case_number, secret))
            .await
            .expect("tracked")
            .into_inner();
        assert_eq!((case.state(), case.outcome()), (pb::EventState::Closed, pb::EventOutcome::Solved));
        let steps: Vec<_> =
            case.steps.iter().map(|s| s.text.as_ref().map(|t| t.zh.as_str()).unwrap_or_default()).collect();
        assert_eq!(steps, ["上报", "核实", "受理", "立案", "派遣", "签收", "处置完成", "核查通过"]);
        assert_eq!(
            (case.steps[6].unit_display_name.as_str(), case.steps[6].reply.as_str()),
            ("永安街社区", "已喷药")
        );
        assert!(case.can_answer);
    }
    let answered =
        residents(&site).answer_case(answer(&made.case_number, "5678", true)).await.expect("answered");
    let case = answered.into_inner();
    assert!(!case.can_answer && case.answer.is_some_and(|a| a.solved && a.rating == 5));
    let again = residents(&site).answer_case(answer(&made.case_number, "5678", false)).await;
    assert_eq!(refusal(again), (Code::FailedPrecondition, "ALREADY_ANSWERED".into()));
}

#[tokio::test]
async fn still_not_solved_opens_a_review_that_is_listed_and_decided() {
    let site = Site::with_district().await;
    let made = submit(&site, PHONE).await;
    let event = find(&site, &made.case_number).await;
    close(&site, &event.name).await;
    let case =
        residents(&site).answer_case(answer(&made.case_number, "5678", false)).await.expect("answered");
    assert!(case.into_inner().in_review);
    let in_review = pb::ListEventsRequest { parent: DISTRICT.into(), in_review: true, ..Default::default() };
    let listed = street(&site).list_events(in_review.clone()).await.expect("listed").into_inner();
    assert_eq!(listed.events.iter().map(|e| &e.name).collect::<Vec<_>>(), [&event.name]);
    site.clock.advance(Duration::seconds(100 * 3600));
    let reopen =
        pb::ReopenEventRequest {
            name: event.name.clone(), reason: "复核属实".into(), ..Default::default()
        };
    let reopened = street(&site).reopen_event(reopen).await.expect("no window counts").into_inner();
    assert_eq!(
        (reopened.state(), reopened.round, reopened.review_time),
        (pb::EventState::Registered, 2, None)
    );
    assert!(street(&site).list_events(in_review).await.expect("listed").into_inner().events.is_empty());
}

#[tokio::test]
async fn each_reporter_of_a_merged_event_is_told_and_answers() {
    let site = Site::with_district().await;
    let (first, second) = (submit(&site, PHONE).await, submit(&site, "13900001234").await);
    assert_eq!((first.similar_count, second.similar_count), (0, 1));
    let (root, other) = (find(&site, &first.case_number).await, find(&site, &second.case_number).await);
    let merge =
        pb::MergeEventRequest { name: other.name.clone(), root: root.name.clone(), ..Default::default() };
    street(&site).merge_event(merge).await.expect("merged");
    let early = residents(&site).answer_case(answer(&second.case_number, "1234", true)).await;
    assert_eq!(refusal(early), (Code::FailedPrecondition, "WRONG_STATE".into()));
    site.clock.advance(Duration::seconds(60));
    close(&site, &root.name).await;
    let told =
        residents(&site).track_case(track(&second.case_number, "1234")).await.expect("tracked").into_inner();
    assert!(told.merged && told.can_answer && told.state() == pb::EventState::Closed);
    assert_eq!(told.steps.last().map(|s| s.action()), Some(pb::EventAction::Pass));
    residents(&site).answer_case(answer(&first.case_number, "5678", true)).await.expect("answered");
    let answered = residents(&site).answer_case(answer(&second.case_number, "1234", false)).await;
    assert!(
        answered.expect("answered").into_inner().in_review,
        "the review is of the event it was merged into"
    );
    assert!(find(&site, &first.case_number).await.review_time.is_some());
    assert!(find(&site, &second.case_number).await.answer.is_some_and(|a| !a.solved));
}

#[tokio::test]
async fn a_wrong_secret_is_like_a_wrong_number_and_ends_after_five() {
    let site = Site::with_district().await;
    let made = submit(&site, PHONE).await;
    let nothing = residents(&site).track_case(track("410182-20260302-999999", "5678")).await;
    assert_eq!(refusal(nothing), (Code::NotFound, "NOT_FOUND".into()));
    let tries = (0..40).map(|n| {
        let mut residents = residents(&site);
        let request = track(&made.case_number, &format!("{n:04}"));
        async move { refusal(residents.track_case(request).await).1 }
    });
    let answers = futures::future::join_all(tries).await;
    assert_eq!(answers.iter().filter(|reason| *reason == "NOT_FOUND").count(), 5, "{answers:?}");
    assert_eq!(answers.iter().filter(|reason| *reason == "TOO_MANY_ATTEMPTS").count(), 35);
    let right = residents(&site).track_case(track(&made.case_number, "5678")).await;
    assert_eq!(refusal(right).1, "TOO_MANY_ATTEMPTS", "also the right one waits");
    site.clock.advance(Duration::seconds(15 * 60));
    residents(&site).track_case(track(&made.case_number, "5678")).await.expect("tracked");
}

#[tokio::test]
async fn who_leaves_no_number_is_anonymous_and_says_so() {
    let site = Site::with_district().await;
    let mut nameless = a_report(PHONE);
    nameless.reporter = Some(pb::Reporter { phone: "12ab".into(), ..nameless.reporter.unwrap_or_default() });
    let refused = residents(&site).submit_report(nameless).await;
    assert_eq!(wrong_fields(refused), ["reporter.phone"]);
    let mut worker = a_report(PHONE);
    worker.reporter =
        Some(pb::Reporter { kind: pb::ReporterKind::Worker.into(), ..worker.reporter.unwrap_or_default() });
    assert_eq!(wrong_fields(residents(&site).submit_report(worker).await), ["reporter.kind"]);
    let mut both = a_report("");
    both.reporter = Some(pb::Reporter { phone: PHONE.into(), ..both.reporter.unwrap_or_default() });
    assert_eq!(wrong_fields(residents(&site).submit_report(both).await), ["reporter.phone"]);
}

/// Every text that the database holds, in one.
async fn dump(site: &Site) -> String {
    let pool = site.pool().await;
    let tables: Vec<String> = sqlx::query_scalar(
        "select table_name::text from information_schema.tables where table_schema = 'public'",
    )
    .fetch_all(&pool)
    .await
    .expect("tables");
    let mut all = String::new();
    for table in tables {
        let rows: Vec<String> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(format!("select t::text from {table} t")))
                .fetch_all(&pool)
                .await
                .expect("rows");
        all.push_str(&rows.join("\n"));
    }
    all
}

#[tokio::test]
async fn nothing_in_the_database_tells_a_number_or_an_anonymous_reporter() {
    let site = Site::with_district().await;
    let known = submit(&site, PHONE).await;
    // Somebody who is signed in reports anonymously: the token is not looked at.
    let mut worker = ResidentServiceClient::new(site.session("whistle-blower", &[(Role::GridWorker, GRID)]));
    let hidden = worker.submit_report(a_report("")).await.expect("submitted").into_inner();
    let tracked = residents(&site).track_case(track(&hidden.case_number, &hidden.tracking_code)).await;
    assert_eq!(tracked.expect("tracked").into_inner().case_number, hidden.case_number);
    let dump = dump(&site).await;
    assert!(dump.contains(&known.case_number) && dump.contains(&hidden.case_number));
    let hex: String = PHONE.bytes().map(|b| format!("{b:02x}")).collect();
    for secret in [PHONE, &hex, "whistle-blower", &known.tracking_code, &hidden.tracking_code] {
        assert!(!dump.contains(secret), "{secret} is in the database");
    }
}

#[tokio::test]
async fn a_repeat_tells_the_same_number_and_code() {
    let site = Site::with_district().await;
    let request = a_report(PHONE);
    let first = residents(&site).submit_report(request.clone()).await.expect("submitted").into_inner();
    let second = residents(&site).submit_report(request).await.expect("repeated").into_inner();
    assert_eq!((first.case_number, first.tracking_code), (second.case_number, second.tracking_code));
}

#[tokio::test]
async fn a_number_reports_five_times_and_then_waits() {
    let site = Site::with_district().await;
    for _ in 0..5 {
        submit(&site, PHONE).await;
    }
    let sixth = residents(&site).submit_report(a_report(PHONE)).await;
    assert_eq!(refusal(sixth), (Code::ResourceExhausted, "TOO_MANY_ATTEMPTS".into()));
    submit(&site, "13900001234").await;
}

#[tokio::test]
async fn a_number_is_told_on_the_record_to_who_has_the_case() {
    let site = Site::with_district().await;
    let made = submit(&site, PHONE).await;
    let event = find(&site, &made.case_number).await;
    assert_eq!(event.reporter.as_ref().map(|r| r.phone.as_str()), Some("*******5678"));
    let supervisor = pb::GetEventRequest { name: event.name.clone() };
    let seen =
        site.events(Role::Supervisor, DISTRICT).get_event(supervisor).await.expect("read").into_inner();
    assert_eq!(seen.reporter.map(|r| r.phone), Some("***********".into()));

    let reveal = |reason: &str| pb::RevealReporterRequest {
        name: event.name.clone(),
        reason: reason.into(),
        ..Default::default()
    };
    assert_eq!(wrong_fields(street(&site).reveal_reporter(reveal("")).await), ["reason"]);
    let refused = site.events(Role::Community, COMMUNITY).reveal_reporter(reveal("回访")).await;
    assert!(refused.is_ok(), "the community is above the grid that has it");
    let phone = street(&site).reveal_reporter(reveal("电话回访")).await.expect("told").into_inner().phone;
    assert_eq!(phone, PHONE);
    let garden =
        site.events(Role::Department, common::district::GARDEN).reveal_reporter(reveal("好奇")).await;
    assert_eq!(refusal(garden).0, Code::NotFound);
    let request = pb::ListEventTransitionsRequest { parent: event.name.clone(), ..Default::default() };
    let steps = street(&site).list_event_transitions(request).await.expect("listed").into_inner().transitions;
    let last = steps.last().expect("some");
    assert_eq!((last.action(), last.reason.as_str()), (pb::EventAction::Reveal, "电话回访"));
}

#[tokio::test]
async fn keys_are_rotated_without_losing_a_number() {
    let site = Site::with_district().await;
    let mut numbers = Vec::new();
    for n in 0..20 {
        let phone = format!("1390000{n:04}");
        numbers.push((submit(&site, &phone).await.case_number, phone));
    }
    let next = format!("next:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=,{DATA_KEY}");
    let keys = Keyring::parse(&Secret::new(next)).expect("keys");
    let pool = site.pool().await;
    assert_eq!(keys.rotate(&pool).await.map_err(|e| format!("{e:?}")), Ok(20));
    assert_eq!(keys.rotate(&pool).await.map_err(|e| format!("{e:?}")), Ok(0));
    for (case_number, phone) in numbers {
        let event = id(&find(&site, &case_number).await);
        let sealed =
            jingwei_grid::store::contact::sealed(&pool, 410_182, event).await.expect("read").expect("sealed");
        assert_eq!(sealed.key_id, "next");
        assert_eq!(keys.open(event, &sealed).expect("opens").number(), phone);
    }
}

#[tokio::test]
async fn answers_are_over_after_fifteen_days() {
    let site = Site::with_district().await;
    let made = submit(&site, PHONE).await;
    let event = find(&site, &made.case_number).await;
    close(&site, &event.name).await;
    site.clock.advance(Duration::days(15) + Duration::minutes(1));
    let case =
        residents(&site).track_case(track(&made.case_number, "5678")).await.expect("tracked").into_inner();
    assert!(!case.can_answer);
    let late = residents(&site).answer_case(answer(&made.case_number, "5678", true)).await;
    assert_eq!(refusal(late), (Code::FailedPrecondition, "ANSWER_WINDOW_OVER".into()));
}
