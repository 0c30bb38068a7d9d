//! Statistics of issues: the numbers are those that the records give, by every dimension.

mod common;

use common::cast::{HOUSING, close, rate, reopen, reply, verify};
use common::{DISTRICT, Session, Site, refusal, wrong_fields};
use jingwei_proto::access::v1::Role;
use jingwei_proto::business_environment_monitor::v1 as pb;
use jingwei_proto::business_environment_monitor::v1::issue_statistics_service_client::IssueStatisticsServiceClient;
use time::Duration;
use tonic::Code;

fn statistics(site: &Site, role: Role, scope: &str) -> IssueStatisticsServiceClient<Session> {
    IssueStatisticsServiceClient::new(site.session("reader", &[(role, scope)]))
}

fn all() -> pb::GetIssueStatisticsRequest {
    pb::GetIssueStatisticsRequest { parent: DISTRICT.into(), ..Default::default() }
}

async fn told(site: &Site, request: pb::GetIssueStatisticsRequest) -> pb::IssueStatistics {
    let mut office = statistics(site, Role::BusinessEnvironmentOffice, DISTRICT);
    office.get_issue_statistics(request).await.expect("numbers").into_inner()
}

/// One closed, rated and reopened; one in handling; one that nobody decided.
async fn some(site: &Site) {
    let name = site.in_handling().await.name;
    site.handler().reply_to_issue(reply(&name)).await.expect("replied");
    site.office().verify_issue(verify(&name, true)).await.expect("verified");
    site.office().close_issue(close(&name)).await.expect("closed");
    site.monitor().rate_issue(rate(&name, 2)).await.expect("rated");
    site.monitor().reopen_issue(reopen(&name)).await.expect("reopened");
    site.in_handling().await;
    site.submitted().await;
    site.clock.advance(Duration::days(4));
    site.sweep().await.once().await.expect("swept");
}

#[tokio::test]
async fn the_numbers_are_those_of_the_records() {
    let site = Site::with_calendar().await;
    some(&site).await;
    let told_all = told(&site, all()).await;
    let total = told_all.total.expect("a total");
    assert_eq!((total.submitted, total.accepted, total.deemed_accepted), (3, 3, 1));
    assert_eq!((total.closed_in_time, total.closed_late, total.reopened), (1, 0, 1));
    assert_eq!(total.ratings, [0, 1, 0, 0, 0]);
    let states: Vec<_> = told_all.states.iter().map(|state| (state.state(), state.count)).collect();
    assert_eq!(
        states,
        [(pb::IssueState::Accepted, 1), (pb::IssueState::Classified, 1), (pb::IssueState::InHandling, 1)]
    );
    assert_eq!(total.amber, warned(&site, 2).await);
    assert_eq!(total.red, warned(&site, 3).await);

    for (dimension, keys) in [
        (pb::IssueDimension::Department, &["", "housing"][..]),
        (pb::IssueDimension::Class, &["", "C"]),
        (pb::IssueDimension::Indicator, &["4", "18"]),
        (pb::IssueDimension::Task, &["3"]),
        (pb::IssueDimension::Month, &["2026-03"]),
    ] {
        let told = told(&site, pb::GetIssueStatisticsRequest { dimension: dimension.into(), ..all() }).await;
        assert_eq!(told.total.as_ref(), Some(&total), "{dimension:?}");
        let found: Vec<_> = told.groups.iter().map(|group| group.key.as_str()).collect();
        assert_eq!(found, keys, "{dimension:?}");
        let closed = |group: &pb::IssueFiguresOf| group.figures.as_ref().expect("figures").closed_in_time;
        let closed: i64 = told.groups.iter().map(closed).sum();
        assert_eq!(closed, if dimension == pb::IssueDimension::Indicator { 2 } else { 1 }, "{dimension:?}");
    }
}

/// How often the timelines show that an issue came to this level.
async fn warned(site: &Site, level: i32) -> i64 {
    let list = pb::ListIssuesRequest { parent: DISTRICT.into(), ..Default::default() };
    let issues = site.office().list_issues(list).await.expect("a list").into_inner().issues;
    let mut times = 0;
    for issue in issues {
        let list = pb::ListIssueTransitionsRequest { parent: issue.name, ..Default::default() };
        let rows = site.office().list_issue_transitions(list).await.expect("read").into_inner().transitions;
        let warn =
            |row: &&pb::IssueTransition| row.action() == pb::IssueAction::Warn && row.supervision == level;
        times += rows.iter().filter(warn).count();
    }
    i64::try_from(times).expect("few")
}

#[tokio::test]
async fn a_period_has_its_days_and_a_department_its_own() {
    let site = Site::with_calendar().await;
    some(&site).await;
    let period = |from: &str, to: &str| pb::GetIssueStatisticsRequest {
        from_date: from.into(),
        to_date: to.into(),
        ..all()
    };
    for (from, to, submitted, deemed) in [
        ("2026-03-02", "2026-03-02", 3, 0),
        ("2026-03-03", "", 0, 1),
        ("", "2026-03-04", 3, 0),
        // The end of the third working day.
        ("2026-03-05", "2026-03-05", 0, 1),
    ] {
        let total = told(&site, period(from, to)).await.total.expect("a total");
        assert_eq!((total.submitted, total.deemed_accepted), (submitted, deemed), "{from} to {to}");
    }
    let mut office = statistics(&site, Role::BusinessEnvironmentOffice, DISTRICT);
    let wrong = office.get_issue_statistics(period("2026-03-04", "2026-03-03")).await;
    assert_eq!(wrong_fields(wrong), ["to_date"]);

    let mut housing = statistics(&site, Role::Department, HOUSING);
    let own = housing.get_issue_statistics(all()).await.expect("numbers").into_inner();
    let total = own.total.expect("a total");
    assert_eq!((total.submitted, total.closed_in_time, total.reopened), (0, 1, 1));
    assert_eq!(own.states.iter().map(|state| state.count).sum::<i64>(), 1);
    let water = format!("{DISTRICT}/departments/water");
    let others =
        housing.get_issue_statistics(pb::GetIssueStatisticsRequest { department: water, ..all() }).await;
    assert_eq!(refusal(others), (Code::PermissionDenied, "PERMISSION_DENIED".into()));
    let dimension = pb::IssueDimension::Task.into();
    let tags = housing.get_issue_statistics(pb::GetIssueStatisticsRequest { dimension, ..all() }).await;
    assert_eq!(wrong_fields(tags), ["dimension"]);
}
