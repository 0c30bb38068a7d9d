//! Symposiums over the API: from the invitation to what anybody reads of what became of the suggestions.

mod common;

use common::batches::on;
use common::cast::{accept, register};
use common::{DISTRICT, Session, Site, refusal, wrong_fields};
use futures::future::join_all;
use jingwei_proto::access::v1::Role;
use jingwei_proto::business_environment_monitor::v1 as pb;
use jingwei_proto::business_environment_monitor::v1::symposium_service_client::SymposiumServiceClient;
use tonic::Code;

type Symposiums = SymposiumServiceClient<Session>;

fn office(site: &Site) -> Symposiums {
    SymposiumServiceClient::new(site.session("li", &[(Role::BusinessEnvironmentOffice, DISTRICT)]))
}

fn monitor(site: &Site, subject: &str) -> Symposiums {
    SymposiumServiceClient::new(site.session(subject, &[(Role::Monitor, DISTRICT)]))
}

fn invitee(number: usize) -> pb::Invitee {
    pb::Invitee { kind: pb::InviteeKind::Monitor.into(), code: format!("monitor-{number}") }
}

/// A symposium of the next day with twenty monitors invited.
async fn planned(site: &Site) -> String {
    let seconds = site.clock.now().unix_timestamp() + 24 * 3600;
    let request = pb::CreateSymposiumRequest {
        parent: DISTRICT.into(),
        title: "优化营商环境座谈会".into(),
        place: "区政府三楼会议室".into(),
        start_time: Some(prost_types::Timestamp { seconds, nanos: 0 }),
        invitees: (0..20).map(invitee).collect(),
        ..Default::default()
    };
    office(site).create_symposium(request).await.expect("planned").into_inner().name
}

fn suggest(name: &str, number: usize) -> pb::AddSuggestionRequest {
    let text = format!("建议 {number}");
    pb::AddSuggestionRequest { invitee: Some(invitee(number)), text, ..on!(AddSuggestionRequest, name) }
}

fn follow(name: &str, number: i32) -> pb::FollowSuggestionRequest {
    pb::FollowSuggestionRequest { number, ..on!(FollowSuggestionRequest, name) }
}

/// 13 present, each suggestion followed to an issue, an item or an answer, and published with where the issue stands.
#[tokio::test]
async fn thirteen_are_present_and_what_they_suggest_is_followed() {
    let site = Site::with_calendar().await;
    let (name, mut office) = (planned(&site).await, office(&site));
    let present = (0..13).map(invitee).collect();
    let held =
        office.hold_symposium(pb::HoldSymposiumRequest { present, ..on!(HoldSymposiumRequest, name) }).await;
    let held = held.expect("held").into_inner();
    assert_eq!((held.invited_count, held.present_count, held.state()), (20, 13, pb::SymposiumState::Held));
    for number in 0..3 {
        office.add_suggestion(suggest(&name, number)).await.expect("suggested");
    }
    let absent = office.add_suggestion(suggest(&name, 15)).await;
    assert_eq!(wrong_fields(absent), ["invitee"]);

    let issue = site.submitted().await.name;
    let to_issue = pb::FollowSuggestionRequest { issue: issue.clone(), ..follow(&name, 1) };
    office.follow_suggestion(to_issue).await.expect("followed");
    let unknown = issue.replace("issues/0", "issues/f");
    let to_nothing =
        office.follow_suggestion(pb::FollowSuggestionRequest { issue: unknown, ..follow(&name, 1) }).await;
    assert_eq!(refusal(to_nothing), (Code::NotFound, "NOT_FOUND".into()));
    let both =
        pb::FollowSuggestionRequest { issue: issue.clone(), answer: "答复".into(), ..follow(&name, 2) };
    assert_eq!(wrong_fields(office.follow_suggestion(both).await), ["issue"]);
    let answer = pb::FollowSuggestionRequest { answer: "已列入明年计划".into(), ..follow(&name, 2) };
    office.follow_suggestion(answer).await.expect("answered");

    let before =
        monitor(&site, "monitor-4").get_symposium(pb::GetSymposiumRequest { name: name.clone() }).await;
    let before = before.expect("invited").into_inner();
    assert!(before.suggestions.is_empty() && before.invitees.is_empty(), "the minutes are not published");
    let minutes = pb::PublishMinutesRequest { minutes: "纪要".into(), ..on!(PublishMinutesRequest, name) };
    office.publish_minutes(minutes).await.expect("published");
    let publish =
        pb::PublishFollowUpRequest { follow_up: "均已落实".into(), ..on!(PublishFollowUpRequest, name) };
    let open = office.publish_follow_up(publish.clone()).await;
    assert_eq!(refusal(open), (Code::FailedPrecondition, "SUGGESTIONS_OPEN".into()));
    let answer = pb::FollowSuggestionRequest { answer: "已解释".into(), ..follow(&name, 3) };
    office.follow_suggestion(answer).await.expect("answered");
    let public =
        pb::GetPublishedSymposiumRequest { name: name.replace("/symposiums/", "/publishedSymposiums/") };
    let mut anybody = SymposiumServiceClient::new(site.anonymous());
    let early = anybody.get_published_symposium(public.clone()).await;
    assert_eq!(refusal(early), (Code::NotFound, "NOT_FOUND".into()));
    office.publish_follow_up(publish).await.expect("published");

    // The issue goes on, and the public sees where it stands.
    site.office().register_issue(register(&issue)).await.expect("registered");
    site.office().accept_issue(accept(&issue)).await.expect("accepted");
    let told = anybody.get_published_symposium(public).await.expect("public").into_inner();
    assert_eq!((told.invited_count, told.present_count, told.suggestions.len()), (20, 13, 3));
    let first = &told.suggestions[0];
    assert_eq!(first.issue_state(), pb::IssueState::Accepted);
    assert!(first.issue.is_empty() && first.invitee.is_none(), "no names");
    let list = pb::ListPublishedSymposiumsRequest { parent: DISTRICT.into(), ..Default::default() };
    let list = anybody.list_published_symposiums(list).await.expect("public").into_inner();
    assert_eq!(list.published_symposiums.len(), 1);
}

#[tokio::test]
async fn those_invited_see_it_and_nobody_else() {
    let site = Site::with_calendar().await;
    let name = planned(&site).await;
    let list = pb::ListSymposiumsRequest { parent: DISTRICT.into(), ..Default::default() };
    for (who, seen) in [("monitor-3", 1), ("monitor-30", 0)] {
        let listed = monitor(&site, who).list_symposiums(list.clone()).await.expect("a list").into_inner();
        assert_eq!(listed.symposiums.len(), seen, "{who}");
        let got = monitor(&site, who).get_symposium(pb::GetSymposiumRequest { name: name.clone() }).await;
        assert_eq!(got.is_ok(), seen == 1, "{who}");
    }
    let more =
        pb::InviteToSymposiumRequest { invitees: vec![invitee(30)], ..on!(InviteToSymposiumRequest, name) };
    office(&site).invite_to_symposium(more.clone()).await.expect("invited");
    let listed = monitor(&site, "monitor-30").list_symposiums(list).await.expect("a list").into_inner();
    assert_eq!(listed.symposiums.len(), 1);
    assert_eq!(wrong_fields(office(&site).invite_to_symposium(more).await), ["invitees"]);
    let cancel = pb::CancelSymposiumRequest { reason: "改期".into(), ..on!(CancelSymposiumRequest, name) };
    let cancelled = office(&site).cancel_symposium(cancel.clone()).await.expect("cancelled").into_inner();
    assert_eq!(cancelled.state(), pb::SymposiumState::Cancelled);
    let again = office(&site).cancel_symposium(cancel).await;
    assert_eq!(refusal(again), (Code::FailedPrecondition, "WRONG_STATE".into()));
}

#[tokio::test]
async fn suggestions_recorded_at_once_are_all_there() {
    let site = Site::with_calendar().await;
    let name = planned(&site).await;
    let present = (0..13).map(invitee).collect();
    let hold = pb::HoldSymposiumRequest { present, ..on!(HoldSymposiumRequest, name) };
    office(&site).hold_symposium(hold).await.expect("held");
    let replica = site.replica().await;
    let calls = (0..12).map(|number| {
        let (mut office, request) = (office([&site, &replica][number % 2]), suggest(&name, number));
        async move { office.add_suggestion(request).await.expect("suggested") }
    });
    join_all(calls).await;
    let told =
        office(&site).get_symposium(pb::GetSymposiumRequest { name }).await.expect("read").into_inner();
    let numbers: Vec<_> = told.suggestions.iter().map(|suggestion| suggestion.number).collect();
    assert_eq!(numbers, (1..=12).collect::<Vec<_>>());
    let mut who: Vec<_> = told.suggestions.into_iter().map(|one| one.invitee.expect("who").code).collect();
    who.sort_unstable();
    who.dedup();
    assert_eq!(who.len(), 12);
}
