//! Clocks: deemed acceptance, levels of supervision, and each once however many replicas sweep.

mod common;

use common::cast::{accept, register};
use common::{DISTRICT, Site, moment, refusal};
use jingwei_proto::business_environment_monitor::v1 as pb;
use time::OffsetDateTime;
use time::macros::datetime;
use tonic::Code;

/// An issue submitted at a moment, swept just before and at the end of its third working day.
async fn deemed_at(submitted: OffsetDateTime, end: OffsetDateTime) {
    let site = Site::with_calendar().await;
    let sweep = site.sweep().await;
    site.clock.set(submitted);
    let issue = site.submitted().await;
    assert_eq!(issue.decide_by_time, Some(moment(end)), "submitted at {submitted}");
    site.clock.set(end - time::Duration::MICROSECOND);
    sweep.once().await.expect("swept");
    let before = site.seen(&issue.name).await;
    assert_eq!((before.state(), before.accept_time), (pb::IssueState::Submitted, None), "not yet");
    // The system may notice late: the acceptance counts from when it was due.
    site.clock.set(end + time::Duration::minutes(3));
    sweep.once().await.expect("swept");
    let after = site.seen(&issue.name).await;
    assert_eq!((after.state(), after.deemed_accepted), (pb::IssueState::Accepted, true));
    assert_eq!(after.accept_time, Some(moment(end)));
    assert!(site.timeline(&issue.name).await.contains(&"DEEM_ACCEPTED"));
}

#[tokio::test]
async fn what_nobody_decides_is_accepted_at_the_end_of_the_third_working_day() {
    // Monday; the week has no holiday.
    deemed_at(datetime!(2026-03-02 09:00 +8), datetime!(2026-03-05 17:30 +8)).await;
}

#[tokio::test]
async fn holidays_and_make_up_days_count_as_they_are() {
    // 12 February, a Thursday: Friday, Saturday the 14th (made up), then the Spring Festival until the 23rd; Tuesday the 24th.
    deemed_at(datetime!(2026-02-12 09:00 +8), datetime!(2026-02-24 17:30 +8)).await;
}

#[tokio::test]
async fn a_decision_after_its_time_is_refused_even_before_the_sweep() {
    let site = Site::with_calendar().await;
    let name = site.submitted().await.name;
    site.office().register_issue(register(&name)).await.expect("registered");
    site.clock.set(datetime!(2026-03-05 17:30 +8));
    let late = site.office().accept_issue(accept(&name)).await;
    assert_eq!(refusal(late), (Code::FailedPrecondition, "DEEMED_ACCEPTED".into()));
    site.sweep().await.once().await.expect("swept");
    assert_eq!(site.seen(&name).await.state(), pb::IssueState::Accepted);
}

#[tokio::test]
async fn the_level_of_supervision_rises_by_the_clock_and_is_listed() {
    let site = Site::with_calendar().await;
    let sweep = site.sweep().await;
    let issue = site.in_handling().await;
    let list = |level: pb::SupervisionLevel| pb::ListIssuesRequest {
        parent: DISTRICT.into(),
        min_supervision: level.into(),
        ..Default::default()
    };
    for (at, level, changes) in [
        // Of six days of seven hours, less the half hour before nine, a fifth is 498 minutes: Monday's 420, and 78 of Friday.
        (datetime!(2026-03-06 16:11 +8), pb::SupervisionLevel::Unspecified, 0),
        (datetime!(2026-03-06 16:12 +8), pb::SupervisionLevel::Amber, 1),
        (datetime!(2026-03-09 17:29 +8), pb::SupervisionLevel::Amber, 0),
        (datetime!(2026-03-09 17:30 +8), pb::SupervisionLevel::Red, 1),
        (datetime!(2026-03-20 17:30 +8), pb::SupervisionLevel::Red, 0),
    ] {
        site.clock.set(at);
        assert_eq!(sweep.once().await.expect("swept"), changes, "{at}");
        assert_eq!(site.seen(&issue.name).await.supervision(), level, "{at}");
        let page = site.office().list_issues(list(pb::SupervisionLevel::Red)).await.expect("a page");
        let red = usize::from(level == pb::SupervisionLevel::Red);
        assert_eq!(page.into_inner().issues.len(), red, "{at}");
    }
    assert_eq!(site.timeline(&issue.name).await[6..], ["WARN", "WARN"]);
}

#[tokio::test]
async fn of_many_replicas_that_sweep_each_change_is_made_by_one() {
    let site = Site::with_calendar().await;
    for _ in 0..20 {
        site.submitted().await;
    }
    site.clock.set(datetime!(2026-03-05 17:30 +8));
    let sweeps = futures::future::join_all((0..4).map(|_| site.sweep())).await;
    let made = futures::future::join_all(sweeps.iter().map(|sweep| sweep.once())).await;
    let made: usize = made.into_iter().map(|made| made.expect("swept")).sum();
    // What one replica had locked the others passed over; nothing is left for a further sweep.
    assert_eq!(sweeps[0].once().await.expect("swept"), 0);
    let list = pb::ListIssuesRequest { parent: DISTRICT.into(), page_size: 50, ..Default::default() };
    let issues = site.office().list_issues(list).await.expect("a page").into_inner().issues;
    assert_eq!(issues.len(), 20);
    let versions: i64 = issues.iter().map(|issue| issue.version - 1).sum();
    assert_eq!(i64::try_from(made).expect("small"), versions, "each counted once");
    for issue in issues {
        assert!(issue.deemed_accepted, "{issue:?}");
        let deemed = site.timeline(&issue.name).await.iter().filter(|a| **a == "DEEM_ACCEPTED").count();
        assert_eq!(deemed, 1);
    }
}
