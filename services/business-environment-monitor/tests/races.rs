//! Several callers and replicas at one moment: of what can be true once, one wins; a repeat is no second change.

mod common;

use common::cast::{Issues, accept, register};
use common::{DISTRICT, Site, refusal, request_id};
use futures::future::join_all;
use jingwei_proto::access::v1::Role;
use jingwei_proto::business_environment_monitor::v1 as pb;
use tonic::{Code, Response, Status};

/// Eight calls at one moment by eight people of the office, by turns to two replicas.
async fn eight<T>(
    site: &Site,
    call: impl AsyncFn(Issues) -> Result<Response<T>, Status>,
) -> Vec<Result<T, Status>> {
    let other = site.replica().await;
    let sessions = (0..8).map(|i| {
        let replica = if i % 2 == 0 { site } else { &other };
        replica.issues(&format!("li-{i}"), Role::BusinessEnvironmentOffice, DISTRICT)
    });
    join_all(sessions.map(|session| async { call(session).await.map(Response::into_inner) })).await
}

#[tokio::test]
async fn of_eight_deciders_one_decides() {
    let site = Site::with_calendar().await;
    let name = site.submitted().await.name;
    let registered = site.office().register_issue(register(&name)).await.expect("registered").into_inner();
    let request = pb::AcceptIssueRequest { etag: registered.etag, ..accept(&name) };
    let answers = eight(&site, async |mut office| office.accept_issue(request.clone()).await).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 7));
    for answer in lost {
        assert_eq!(refusal(answer), (Code::Aborted, "ETAG_MISMATCH".into()));
    }
    assert_eq!(site.timeline(&name).await, ["SUBMIT", "REGISTER", "ACCEPT"]);
}

#[tokio::test]
async fn a_decision_and_its_opposite_do_not_both_happen() {
    let site = Site::with_calendar().await;
    let name = site.submitted().await.name;
    site.office().register_issue(register(&name)).await.expect("registered");
    let propose =
        pb::ProposeRefusalRequest {
            name: name.clone(), reason: "不属本区县".into(), ..Default::default()
        };
    site.office().propose_refusal(propose).await.expect("proposed");
    let (mut li, mut wang) = (site.office(), site.issues("wang", Role::BusinessEnvironmentOffice, DISTRICT));
    let refuse = pb::RefuseIssueRequest { name: name.clone(), ..Default::default() };
    let (accepted, refused) = tokio::join!(li.accept_issue(accept(&name)), wang.refuse_issue(refuse));
    assert!(accepted.is_ok() != refused.is_ok(), "{accepted:?} {refused:?}");
    assert_eq!(site.timeline(&name).await.len(), 4);
}

#[tokio::test]
async fn every_case_number_is_given_once() {
    let site = Site::with_calendar().await;
    let other = site.replica().await;
    let calls = (0..8).map(|i| {
        let mut monitor = if i % 2 == 0 { site.monitor() } else { other.monitor() };
        let request = site.submission();
        async move { monitor.submit_issue(request).await.expect("submitted").into_inner().case_number }
    });
    let mut numbers = join_all(calls).await;
    numbers.sort();
    assert_eq!(numbers, (1..=8).map(|i| format!("410183-20260302-{i:06}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer() {
    let site = Site::with_calendar().await;
    let other = site.replica().await;
    let request = pb::SubmitIssueRequest { request_id: request_id(), ..site.submission() };
    let (mut here, mut there) = (site.monitor(), other.monitor());
    let (first, twin) = tokio::join!(here.submit_issue(request.clone()), there.submit_issue(request.clone()));
    let first = first.expect("submitted").into_inner();
    assert_eq!(twin.expect("the same").into_inner(), first, "also its number");
    assert_eq!(first.case_number, "410183-20260302-000001");

    let registration = pb::RegisterIssueRequest { request_id: request_id(), ..register(&first.name) };
    let mut office = site.office();
    let registered = office.register_issue(registration.clone()).await.expect("registered").into_inner();
    office.accept_issue(accept(&first.name)).await.expect("accepted");
    let repeated = office.register_issue(registration.clone()).await.expect("the first answer").into_inner();
    assert_eq!(repeated, registered, "not as it is now");
    let reused = pb::AcceptIssueRequest { request_id: registration.request_id, ..accept(&first.name) };
    let reused = office.accept_issue(reused).await;
    assert_eq!(refusal(reused), (Code::InvalidArgument, "REQUEST_ID_REUSED".into()));
    assert_eq!(site.timeline(&first.name).await, ["SUBMIT", "REGISTER", "ACCEPT"]);
}
