//! WatchIssues: changes in the order of their commits, resumed without loss or repeat, and nobody else's.

mod common;

use std::time::Duration;

use common::cast::{HOUSING, Issues, WATER, accept, register, reply};
use common::{DISTRICT, Site, refusal};
use jingwei_proto::access::v1::Role;
use jingwei_proto::business_environment_monitor::v1 as pb;
use tonic::{Code, Streaming};

type Stream = Streaming<pb::WatchIssuesResponse>;

async fn watch(mut who: Issues, token: &str) -> Stream {
    let request = pb::WatchIssuesRequest { parent: DISTRICT.into(), resume_token: token.into() };
    who.watch_issues(request).await.expect("watched").into_inner()
}

/// The next change; a feed that stays silent fails the test.
async fn next(stream: &mut Stream) -> pb::WatchIssuesResponse {
    let next = tokio::time::timeout(Duration::from_secs(20), stream.message()).await;
    next.expect("a change comes").expect("the feed goes on").expect("and does not end")
}

/// Which issue, and the code of what was done.
fn told(change: &pb::WatchIssuesResponse) -> (String, String) {
    let action = change.transition.as_ref().expect("what changed").action();
    (change.issue.clone(), action.as_str_name().trim_start_matches("ISSUE_ACTION_").to_owned())
}

#[tokio::test]
async fn the_office_follows_everything_and_goes_on_where_it_was() {
    let site = Site::with_calendar().await;
    let mut stream = watch(site.office(), "").await;
    let issue = site.in_handling().await;
    let first = next(&mut stream).await;
    assert_eq!(told(&first), (issue.name.clone(), "SUBMIT".into()));
    let submitted = first.transition.as_ref().expect("what changed");
    assert_eq!(
        (submitted.actor.as_str(), submitted.role.as_str()),
        ("", "monitor"),
        "who it was is not told"
    );
    drop(stream);
    let replica = site.replica().await;
    let mut stream = watch(replica.office(), &first.resume_token).await;
    let mut seen = Vec::new();
    for _ in 0..5 {
        seen.push(told(&next(&mut stream).await).1);
    }
    assert_eq!(seen, ["REGISTER", "ACCEPT", "CLASSIFY", "ASSIGN", "START"]);
    let wrong = pb::WatchIssuesRequest { parent: DISTRICT.into(), resume_token: "x".into() };
    let refused = site.office().watch_issues(wrong).await;
    assert_eq!(refusal(refused.map(drop)).0, Code::InvalidArgument);
}

#[tokio::test]
async fn a_department_follows_what_it_handles() {
    let site = Site::with_calendar().await;
    let mut housing = watch(site.handler(), "").await;
    let mut water = watch(site.issues("qian", Role::Department, WATER), "").await;
    let fresh = site.submitted().await;
    site.office().register_issue(register(&fresh.name)).await.expect("registered");
    site.office().accept_issue(accept(&fresh.name)).await.expect("accepted");
    let handled = site.in_handling().await;
    let assigned = next(&mut housing).await;
    assert_eq!(told(&assigned), (handled.name.clone(), "ASSIGN".into()), "nothing before it was theirs");
    assert_eq!(assigned.department, HOUSING);
    assert_eq!(told(&next(&mut housing).await).1, "START");
    site.handler().reply_to_issue(reply(&handled.name)).await.expect("replied");
    assert_eq!(told(&next(&mut housing).await).1, "REPLY");
    // The other department has seen nothing: the first that comes is its own.
    let name = site.accepted().await.name;
    let classify = pb::ClassifyIssueRequest {
        name: name.clone(),
        class: pb::IssueClass::B.into(),
        ..Default::default()
    };
    site.office().classify_issue(classify).await.expect("classified");
    let assign =
        pb::AssignIssueRequest { name: name.clone(), department: WATER.into(), ..Default::default() };
    site.office().assign_issue(assign).await.expect("assigned");
    assert_eq!(told(&next(&mut water).await), (name, "ASSIGN".into()));
}
