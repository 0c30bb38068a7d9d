//! The life of an issue over the API: what each step does, its deadlines, who sees what.

mod common;

use common::cast::{HOUSING, WATER, accept, close, rate, register, reopen, reply, verify};
use common::{DISTRICT, Site, moment, refusal, request_id, wrong_fields};
use jingwei_proto::access::v1::Role;
use jingwei_proto::business_environment_monitor::v1 as pb;
use time::macros::datetime;
use tonic::Code;

#[tokio::test]
async fn a_life_of_an_issue() {
    let site = Site::with_calendar().await;
    let issue = site.in_handling().await;
    let name = issue.name.clone();
    assert_eq!(issue.case_number, "410183-20260302-000001");
    // Class C, accepted on Monday at nine: the end of the next Monday.
    assert_eq!(issue.due_time, Some(moment(datetime!(2026-03-09 17:30 +8))));
    let replied = site.handler().reply_to_issue(reply(&name)).await.expect("replied").into_inner();
    assert_eq!(replied.state(), pb::IssueState::Replied);

    let mut office = site.office();
    office.verify_issue(verify(&name, false)).await.expect("verified");
    let refused = office.close_issue(close(&name)).await;
    assert_eq!(refusal(refused), (Code::FailedPrecondition, "NOT_SOLVED".into()));
    let back =
        pb::ReturnIssueRequest { name: name.clone(), reason: "尚未发证".into(), ..Default::default() };
    let returned = office.return_issue(back).await.expect("returned").into_inner();
    assert_eq!((returned.rounds[0].return_count, &returned.due_time), (1, &issue.due_time));
    site.handler().reply_to_issue(reply(&name)).await.expect("replied again");
    office.verify_issue(verify(&name, true)).await.expect("verified");
    let closed = office.close_issue(close(&name)).await.expect("closed").into_inner();
    assert_eq!((closed.state(), closed.due_time), (pb::IssueState::Closed, None));

    let rated = site.monitor().rate_issue(rate(&name, 2)).await.expect("rated").into_inner();
    assert!(rated.call_back_due, "two stars are bad");
    let again = site.monitor().rate_issue(rate(&name, 5)).await;
    assert_eq!(refusal(again), (Code::FailedPrecondition, "ALREADY_RATED".into()));
    let found =
        pb::CallBackIssueRequest { name: name.clone(), finding: "已致歉".into(), ..Default::default() };
    assert!(!office.call_back_issue(found).await.expect("called back").into_inner().call_back_due);

    site.clock.set(datetime!(2026-03-10 09:00 +8));
    let reopened = site.monitor().reopen_issue(reopen(&name)).await.expect("reopened").into_inner();
    assert_eq!(reopened.state(), pb::IssueState::Classified);
    assert_eq!(reopened.rounds.len(), 2);
    assert_eq!(reopened.rounds[0].clock, closed.rounds[0].clock, "the old clock is kept");
    assert_eq!(reopened.due_time, Some(moment(datetime!(2026-03-17 17:30 +8))));
    let expected = "SUBMIT REGISTER ACCEPT CLASSIFY ASSIGN START REPLY VERIFY RETURN REPLY VERIFY CLOSE RATE CALL_BACK REOPEN";
    assert_eq!(site.timeline(&name).await.join(" "), expected);
}

#[tokio::test]
async fn a_refusal_takes_two_people_and_a_transfer_ends_the_clocks() {
    let site = Site::with_calendar().await;
    let name = site.submitted().await.name;
    let mut office = site.office();
    office.register_issue(register(&name)).await.expect("registered");
    let refuse = pb::RefuseIssueRequest { name: name.clone(), ..Default::default() };
    let early = office.refuse_issue(refuse.clone()).await;
    assert_eq!(refusal(early), (Code::FailedPrecondition, "NO_PROPOSAL".into()));
    let propose =
        pb::ProposeRefusalRequest {
            name: name.clone(), reason: "不属本区县".into(), ..Default::default()
        };
    office.propose_refusal(propose).await.expect("proposed");
    let alone = office.refuse_issue(refuse.clone()).await;
    assert_eq!(refusal(alone), (Code::FailedPrecondition, "SAME_PERSON".into()));
    let mut chief = site.issues("wang", Role::BusinessEnvironmentOffice, DISTRICT);
    let refused = chief.refuse_issue(refuse).await.expect("refused").into_inner();
    assert_eq!((refused.state(), refused.due_time), (pb::IssueState::NotAccepted, None));

    let name = site.submitted().await.name;
    office.register_issue(register(&name)).await.expect("registered");
    let drafted = site.drafted(&name).await;
    site.signed(&drafted, "li").await;
    site.signed(&drafted, "wang").await;
    let transferred = site.seen(&name).await;
    assert_eq!((transferred.state(), transferred.due_time), (pb::IssueState::Transferred, None));
    let late = office.accept_issue(accept(&name)).await;
    assert_eq!(refusal(late), (Code::FailedPrecondition, "WRONG_STATE".into()));
}

#[tokio::test]
async fn an_extension_moves_the_deadline_and_a_denied_one_does_not() {
    let site = Site::with_calendar().await;
    let issue = site.in_handling().await;
    let ask = |working_days| pb::RequestExtensionRequest {
        name: issue.name.clone(),
        working_days,
        reason: "等待专家论证".into(),
        ..Default::default()
    };
    let mut handler = site.handler();
    assert_eq!(wrong_fields(handler.request_extension(ask(6)).await), ["working_days"]);
    handler.request_extension(ask(3)).await.expect("asked");
    let twice = handler.request_extension(ask(3)).await;
    assert_eq!(refusal(twice), (Code::FailedPrecondition, "REQUEST_PENDING".into()));
    let deny = pb::DenyRequestRequest {
        name: issue.name.clone(),
        reason: "可如期办结".into(),
        ..Default::default()
    };
    let denied = site.office().deny_request(deny).await.expect("denied").into_inner();
    assert_eq!((denied.pending_request, denied.due_time), (None, issue.due_time));
    handler.request_extension(ask(3)).await.expect("asked again");
    let grant = pb::GrantRequestRequest { name: issue.name.clone(), ..Default::default() };
    let granted = site.office().grant_request(grant).await.expect("granted").into_inner();
    assert_eq!(granted.due_time, Some(moment(datetime!(2026-03-12 17:30 +8))));
    let third = handler.request_extension(ask(1)).await;
    assert_eq!(refusal(third), (Code::FailedPrecondition, "TOO_MANY_EXTENSIONS".into()));
}

#[tokio::test]
async fn a_pause_moves_the_deadline_by_its_working_time_alone() {
    let site = Site::with_calendar().await;
    let sweep = site.sweep().await;
    // Before the Qingming holiday: 4 to 6 April are off. Class C from Wednesday: 1, 2, 3, 7, 8 April, due on the 9th... less today.
    site.clock.set(datetime!(2026-04-01 09:00 +8));
    let issue = site.in_handling().await;
    let due = issue.due_time.expect("a clock runs");
    site.clock.set(datetime!(2026-04-03 17:30 +8));
    let pause = pb::RequestPauseRequest {
        name: issue.name.clone(),
        resume_time: Some(moment(datetime!(2026-04-07 08:30 +8))),
        reason: "待补材料".into(),
        ..Default::default()
    };
    site.handler().request_pause(pause).await.expect("asked");
    let grant = pb::GrantRequestRequest { name: issue.name.clone(), ..Default::default() };
    let paused = site.office().grant_request(grant).await.expect("granted").into_inner();
    assert_eq!((paused.state(), paused.due_time), (pb::IssueState::Paused, None), "no clock runs");
    site.clock.set(datetime!(2026-04-07 08:29 +8));
    assert_eq!(sweep.once().await.expect("swept"), 0, "not yet");
    site.clock.set(datetime!(2026-04-07 08:30 +8));
    assert_eq!(sweep.once().await.expect("swept"), 1);
    let resumed = site.seen(&issue.name).await;
    assert_eq!(resumed.state(), pb::IssueState::InHandling);
    assert_eq!(resumed.due_time, Some(due), "a pause of a weekend and a holiday has no working time");
    assert_eq!(site.timeline(&issue.name).await.last(), Some(&"RESUME"));
}

#[tokio::test]
async fn everyone_sees_what_is_theirs_and_a_department_not_who_submitted_it() {
    let site = Site::with_calendar().await;
    let handled = site.in_handling().await;
    site.clock.set(datetime!(2026-03-02 09:01 +8));
    let fresh = site.submitted().await;
    let get = |name: &str| pb::GetIssueRequest { name: name.to_owned() };
    let list = || pb::ListIssuesRequest { parent: DISTRICT.into(), ..Default::default() };
    let seen = site.handler().get_issue(get(&handled.name)).await.expect("theirs").into_inner();
    assert_eq!((seen.submitter.as_str(), seen.submitter_kind()), ("", pb::SubmitterKind::Monitor));
    assert_eq!(site.seen(&handled.name).await.submitter, "zhang");
    let rows = pb::ListIssueTransitionsRequest { parent: handled.name.clone(), ..Default::default() };
    let rows = site.handler().list_issue_transitions(rows).await.expect("theirs").into_inner().transitions;
    assert_eq!(
        (rows[0].actor.as_str(), rows[0].role.as_str(), rows[1].actor.as_str()),
        ("", "monitor", "li")
    );

    for (mut who, expected) in [
        (site.monitor(), vec![&fresh.name, &handled.name]),
        (site.office(), vec![&fresh.name, &handled.name]),
        (site.handler(), vec![&handled.name]),
        (site.issues("qian", Role::Department, WATER), vec![]),
        (site.issues("sun", Role::Monitor, DISTRICT), vec![]),
    ] {
        let page = who.list_issues(list()).await.expect("a page").into_inner().issues;
        assert_eq!(page.iter().map(|issue| &issue.name).collect::<Vec<_>>(), expected);
        for name in [&handled.name, &fresh.name] {
            let got = who.get_issue(get(name)).await;
            if expected.contains(&name) {
                assert_eq!(&got.expect("theirs").into_inner().name, name);
            } else {
                assert_eq!(refusal(got), (Code::NotFound, "NOT_FOUND".into()));
            }
        }
    }
    let foreign = pb::ListIssuesRequest { department: HOUSING.into(), ..list() };
    let refused = site.issues("qian", Role::Department, WATER).list_issues(foreign).await;
    assert_eq!(refusal(refused), (Code::PermissionDenied, "PERMISSION_DENIED".into()));
}

#[tokio::test]
async fn lists_are_filtered_and_their_pages_meet() {
    let site = Site::with_calendar().await;
    let mut all = Vec::new();
    for _ in 0..3 {
        all.push(site.submitted().await.name);
        all.push(site.in_handling().await.name);
    }
    all.sort();
    let list = || pb::ListIssuesRequest { parent: DISTRICT.into(), page_size: 4, ..Default::default() };
    let mut office = site.office();
    let first = office.list_issues(list()).await.expect("a page").into_inner();
    let rest = pb::ListIssuesRequest { page_token: first.next_page_token, ..list() };
    let rest = office.list_issues(rest).await.expect("a page").into_inner();
    assert_eq!((first.issues.len(), rest.issues.len(), rest.next_page_token.as_str()), (4, 2, ""));
    let mut seen: Vec<_> = first.issues.into_iter().chain(rest.issues).map(|issue| issue.name).collect();
    seen.sort();
    assert_eq!(seen, all);

    let (submitted, handling) = (pb::IssueState::Submitted.into(), pb::IssueState::InHandling.into());
    for (filter, expected) in [
        (pb::ListIssuesRequest { states: vec![submitted], ..list() }, 3),
        (pb::ListIssuesRequest { states: vec![submitted, handling], page_size: 10, ..list() }, 6),
        (pb::ListIssuesRequest { department: HOUSING.into(), ..list() }, 3),
        (pb::ListIssuesRequest { department: HOUSING.into(), states: vec![submitted], ..list() }, 0),
        (pb::ListIssuesRequest { department: WATER.into(), ..list() }, 0),
        (pb::ListIssuesRequest { class: pb::IssueClass::C.into(), ..list() }, 3),
        (pb::ListIssuesRequest { class: pb::IssueClass::A.into(), ..list() }, 0),
        (pb::ListIssuesRequest { min_supervision: pb::SupervisionLevel::Amber.into(), ..list() }, 0),
    ] {
        let page = office.list_issues(filter.clone()).await.expect("a page").into_inner();
        assert_eq!(page.issues.len(), expected, "{filter:?}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_submission_is_told() {
    let site = Site::with_calendar().await;
    let mut monitor = site.monitor();
    let wrong_code =
        pb::SubmitIssueRequest { enterprise_code: "91350100M000100Y44".into(), ..site.submission() };
    assert_eq!(wrong_fields(monitor.submit_issue(wrong_code).await), ["enterprise_code"]);
    let blank = pb::SubmitIssueRequest { title: " ".into(), description: "\n".into(), ..site.submission() };
    assert_eq!(wrong_fields(monitor.submit_issue(blank).await), ["title", "description"]);
    let silent = pb::SubmitIssueRequest { about_competitor: true, ..site.submission() };
    let refused = monitor.submit_issue(silent.clone()).await;
    assert_eq!(refusal(refused), (Code::FailedPrecondition, "DISCLOSURE_MISSING".into()));
    let open = pb::SubmitIssueRequest { disclosure: "本人任职于同业企业".into(), ..silent };
    monitor.submit_issue(open).await.expect("submitted");
    let id = request_id();
    let twin = pb::SubmitIssueRequest { issue_id: id.clone(), ..site.submission() };
    monitor.submit_issue(twin.clone()).await.expect("submitted");
    assert_eq!(refusal(monitor.submit_issue(twin).await), (Code::AlreadyExists, "ALREADY_EXISTS".into()));
    site.clock.set(datetime!(2026-12-31 09:00 +8));
    let unknown_year = site.monitor().submit_issue(site.submission()).await;
    assert_eq!(refusal(unknown_year), (Code::FailedPrecondition, "NO_CALENDAR".into()));

    let bare = Site::start().await;
    let refused = bare.monitor().submit_issue(bare.submission()).await;
    assert_eq!(refusal(refused), (Code::FailedPrecondition, "NO_CALENDAR".into()));
}
