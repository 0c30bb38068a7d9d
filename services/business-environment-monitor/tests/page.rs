//! The page's figures come out of records made through the API: the three kinds of monitor (三员), and the invited monitors and
//! experience officers with their terms.

mod common;

use common::batches::{
    EXPERIENCER, SUPERVISOR, WISDOM, approved, certify, members, nomination, office, on, opened,
};
use common::cast::{HOUSING, accept, close, register, reply, verify};
use common::information::{item, merge, promote};
use common::{DISTRICT, Site};
use futures::stream::{self, StreamExt as _};
use jingwei_proto::access::v1::Role;
use jingwei_proto::business_environment_monitor::v1 as pb;
use jingwei_proto::business_environment_monitor::v1::issue_statistics_service_client::IssueStatisticsServiceClient;
use time::Duration;
use time::macros::datetime;

/// How many calls are under way at a time.
const AT_ONCE: usize = 8;

/// 首批"三员" 30 人, 400 items and more, 100 issues and more handled, each counted apart.
#[tokio::test]
async fn thirty_monitors_bring_in_four_hundred_items_behind_a_hundred_issues_that_are_handled() {
    let site = Site::with_calendar().await;
    let monitors = first_batch(&site).await;
    site.clock.set(datetime!(2026-03-16 09:00 +8));
    let items = collected(&site, &monitors, 14).await;
    assert_eq!(items.len(), 420);

    // Of four items one is noted, one becomes an issue, one is merged into that one, and one is put to the same issue.
    let groups: Vec<_> = items.chunks_exact(4).collect();
    let issues: Vec<String> =
        stream::iter(groups).map(|group| decided(&site, group)).buffer_unordered(AT_ONCE).collect().await;
    let handled = stream::iter(&issues).map(|issue| handled(&site, issue)).buffer_unordered(AT_ONCE);
    assert_eq!(handled.count().await, 105);

    let counts = site.counts().await;
    let by_state = |wanted| {
        let state = counts.states.iter().find(|count| count.state() == wanted).expect("every state");
        state.count
    };
    assert_eq!(counts.collected_count, 420);
    assert_eq!(counts.states.iter().map(|count| count.count).sum::<i64>(), 420);
    assert_eq!(by_state(pb::InfoItemState::Noted), 105);
    assert_eq!(by_state(pb::InfoItemState::Merged), 105);
    assert_eq!(by_state(pb::InfoItemState::Promoted), 210);
    assert_eq!((counts.behind_issue_count, counts.issue_count), (315, 105));

    let session = site.session("li", &[(Role::BusinessEnvironmentOffice, DISTRICT)]);
    let request = pb::GetIssueStatisticsRequest { parent: DISTRICT.into(), ..Default::default() };
    let told = IssueStatisticsServiceClient::new(session).get_issue_statistics(request).await;
    let told = told.expect("numbers").into_inner();
    let total = told.total.expect("a total");
    assert_eq!((total.submitted, total.closed_in_time, total.closed_late), (105, 105, 0));
    assert_eq!(told.states, [pb::IssueStateCount { state: pb::IssueState::Closed.into(), count: 105 }]);
}

/// Ten of each kind, with certificates from 16 March 2026 on; answers with their subjects.
async fn first_batch(site: &Site) -> Vec<String> {
    let batch = opened(site).await;
    for number in 0..30 {
        let role = [SUPERVISOR, EXPERIENCER, WISDOM][number % 3];
        let nomination = nomination(&batch, &format!("monitor-{number}"), role);
        office(site).create_appointment(nomination).await.expect("nominated");
    }
    approved(site, &batch).await;
    office(site).certify_batch(certify(&batch, "2026-03-16")).await.expect("certified");
    let members = members(site, &batch).await;
    let certificates: std::collections::BTreeSet<_> = members.iter().map(|one| &one.certificate).collect();
    assert_eq!((members.len(), certificates.len()), (30, 30));
    members.into_iter().map(|member| member.person).collect()
}

/// So many items of each monitor over three weeks of visits.
async fn collected(site: &Site, monitors: &[String], each: usize) -> Vec<String> {
    let mut names = Vec::new();
    for round in 0..each {
        site.clock.advance(Duration::hours(12));
        let collect = |monitor: &String| {
            let (mut who, title) = (site.informant(monitor), format!("{monitor} 第 {round} 条"));
            async move {
                let request = pb::CreateInfoItemRequest { title, ..item() };
                who.create_info_item(request).await.expect("collected").into_inner().name
            }
        };
        let calls: Vec<_> = monitors.iter().map(collect).collect();
        names.extend(stream::iter(calls).buffer_unordered(AT_ONCE).collect::<Vec<_>>().await);
    }
    names
}

/// What the office decides on four items; answers with the issue that comes of them.
async fn decided(site: &Site, four: &[String]) -> String {
    let mut office = site.informed();
    for name in four {
        office.triage_info_item(on!(TriageInfoItemRequest, name)).await.expect("triaged");
    }
    let [noted, promoted, merged, linked] = four else { panic!("four") };
    office.note_info_item(on!(NoteInfoItemRequest, noted)).await.expect("noted");
    office.promote_info_item(promote(promoted)).await.expect("promoted");
    office.merge_info_item(merge(merged, promoted)).await.expect("merged");
    let request = pb::ListInfoItemIssuesRequest { parent: promoted.clone(), ..Default::default() };
    let behind = office.list_info_item_issues(request).await.expect("read").into_inner();
    let issue = behind.issues.into_iter().next().expect("one issue").issue;
    let becomes = Some(pb::promote_info_item_request::Becomes::Issue(issue.clone()));
    let request = pb::PromoteInfoItemRequest { becomes, ..on!(PromoteInfoItemRequest, linked) };
    office.promote_info_item(request).await.expect("linked");
    issue
}

/// An issue from its registration to its closing, in time.
async fn handled(site: &Site, issue: &str) {
    let (mut office, mut department) = (site.office(), site.handler());
    office.register_issue(register(issue)).await.expect("registered");
    office.accept_issue(accept(issue)).await.expect("accepted");
    let class = pb::IssueClass::B.into();
    let classify = pb::ClassifyIssueRequest { class, ..on!(ClassifyIssueRequest, issue) };
    office.classify_issue(classify).await.expect("classified");
    let assign = pb::AssignIssueRequest { department: HOUSING.to_owned(), ..on!(AssignIssueRequest, issue) };
    office.assign_issue(assign).await.expect("assigned");
    department.start_issue(on!(StartIssueRequest, issue)).await.expect("signed for");
    department.reply_to_issue(reply(issue)).await.expect("replied");
    office.verify_issue(verify(issue, true)).await.expect("verified");
    office.close_issue(close(issue)).await.expect("closed");
}

/// 特邀监督员 20 名, 体验官 20 名, 聘期两年: over on the morning after the last day, and not an hour before.
#[tokio::test]
async fn twenty_invited_monitors_and_twenty_experience_officers_serve_two_years_to_the_day() {
    let site = Site::with_calendar_at(datetime!(2024-03-04 09:00 +8)).await;
    let roles = ["invited-supervisor", "experience-officer"];
    let request = pb::CreateBatchRequest {
        parent: DISTRICT.into(),
        title: "特邀监督员、体验官".into(),
        roles: roles.map(str::to_owned).to_vec(),
        ..Default::default()
    };
    let batch = office(&site).create_batch(request).await.expect("prepared").into_inner().name;
    office(&site).open_batch(on!(OpenBatchRequest, batch)).await.expect("opened");
    let groups = ["人大代表", "政协委员", "专家学者", "企业家代表", "媒体记者", "行业协会商会负责人"];
    for number in 0..40 {
        let (mode, nominated_by) = match number % 4 {
            0 => (pb::NominationMode::Invitation, ""),
            _ => (pb::NominationMode::Unit, "区工商联"),
        };
        let nomination = pb::CreateAppointmentRequest {
            mode: mode.into(),
            nominated_by: nominated_by.into(),
            group: groups[number % 6].into(),
            ..nomination(&batch, &format!("person-{number}"), roles[number % 2])
        };
        office(&site).create_appointment(nomination).await.expect("nominated");
    }
    approved(&site, &batch).await;
    office(&site).certify_batch(certify(&batch, "2024-03-18")).await.expect("certified");

    let request = pb::GetCompositionRequest { name: format!("{batch}/composition") };
    let report = office(&site).get_composition(request).await.expect("a report").into_inner();
    let people = report.roles.iter().map(|role| role.figures.as_ref().expect("figures").people);
    assert_eq!(people.collect::<Vec<_>>(), [20, 20]);
    let total = report.total.expect("a total");
    assert_eq!((total.groups_covered, total.main_groups, total.exceptions), (6, 6, 0));

    let sweep = site.sweep().await;
    for (now, state) in [
        (datetime!(2024-03-18 00:00 +8), pb::AppointmentState::Active),
        (datetime!(2026-03-17 23:59 +8), pb::AppointmentState::Active),
        (datetime!(2026-03-18 00:00 +8), pb::AppointmentState::Expired),
    ] {
        site.clock.set(now);
        sweep.once().await.expect("swept");
        let members = members(&site, &batch).await;
        assert!(members.iter().all(|one| one.state() == state), "{now}");
        assert!(members.iter().all(|one| one.last_date == "2026-03-17"));
    }
}
