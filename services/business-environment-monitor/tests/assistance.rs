//! Enterprise assistance over the API: the register, needs, facts that count once they are confirmed, and their sums.

mod common;

use common::{DISTRICT, Session, Site, refusal, request_id, wrong_fields};
use futures::future::join_all;
use jingwei_business_environment_monitor::model::social_credit::SocialCreditCode;
use jingwei_proto::access::v1::Role;
use jingwei_proto::business_environment_monitor::v1 as pb;
use jingwei_proto::business_environment_monitor::v1::assistance_service_client::AssistanceServiceClient;
use jingwei_proto::business_environment_monitor::v1::enterprise_service_client::EnterpriseServiceClient;
use time::macros::datetime;
use tonic::Code;

const STEEL: &str = "districts/410183/enterprises/91350100M000100Y43";

type Assistance = AssistanceServiceClient<Session>;

/// The name of the `number`th invented enterprise.
fn enterprise(number: u32) -> String {
    let code = SocialCreditCode::complete(&format!("91410183MA{number:06}")).expect("of the alphabet");
    format!("{DISTRICT}/enterprises/{code}")
}

fn register(site: &Site) -> EnterpriseServiceClient<Session> {
    EnterpriseServiceClient::new(site.session("li", &[(Role::BusinessEnvironmentOffice, DISTRICT)]))
}

fn liaison(site: &Site) -> Assistance {
    AssistanceServiceClient::new(site.session("zhou", &[(Role::Liaison, DISTRICT)]))
}

fn office(site: &Site) -> Assistance {
    AssistanceServiceClient::new(site.session("li", &[(Role::BusinessEnvironmentOffice, DISTRICT)]))
}

/// Somebody for the enterprise.
fn of(site: &Site, enterprise: &str) -> Assistance {
    AssistanceServiceClient::new(site.session("wu", &[(Role::Enterprise, enterprise)]))
}

async fn enter(site: &Site, name: &str) -> pb::Enterprise {
    let enterprise = pb::Enterprise {
        name: name.to_owned(),
        display_name: "上街钢构有限公司".into(),
        industry: "C".into(),
        scale: pb::EnterpriseScale::Medium.into(),
        street: "410183001".into(),
        ..Default::default()
    };
    let request = pb::CreateEnterpriseRequest {
        parent: DISTRICT.into(),
        enterprise: Some(enterprise),
        ..Default::default()
    };
    register(site).create_enterprise(request).await.expect("entered").into_inner()
}

fn raise(enterprise: &str, kind: pb::NeedKind, amount: i64) -> pb::RaiseNeedRequest {
    pb::RaiseNeedRequest {
        parent: DISTRICT.into(),
        enterprise: enterprise.to_owned(),
        kind: kind.into(),
        amount,
        description: "企业提出的需求".into(),
        ..Default::default()
    }
}

fn record(need: &str, amount: i64, reference: &str) -> pb::RecordFactRequest {
    pb::RecordFactRequest {
        name: need.to_owned(),
        amount,
        date: "2026-03-02".into(),
        reference: reference.to_owned(),
        ..Default::default()
    }
}

fn confirm(need: &pb::Need) -> pb::ConfirmFactRequest {
    let fact_id = need.facts.last().expect("a fact").id.clone();
    pb::ConfirmFactRequest { name: need.name.clone(), fact_id, ..Default::default() }
}

/// A need that is met in full by one confirmed fact.
async fn met(site: &Site, enterprise: &str, kind: pb::NeedKind, amount: i64, reference: &str) -> pb::Need {
    let need =
        of(site, enterprise).raise_need(raise(enterprise, kind, amount)).await.expect("raised").into_inner();
    let recorded = liaison(site).record_fact(record(&need.name, amount, reference)).await.expect("recorded");
    of(site, enterprise).confirm_fact(confirm(recorded.get_ref())).await.expect("confirmed").into_inner()
}

async fn counts(site: &Site, from: &str, to: &str) -> Vec<(i64, i64)> {
    let request = pb::GetAssistanceCountsRequest {
        parent: DISTRICT.into(),
        from_date: from.into(),
        to_date: to.into(),
    };
    let found = office(site).get_assistance_counts(request).await.expect("counted").into_inner().counts;
    found.iter().map(|count| (count.fact_count, count.amount)).collect()
}

#[tokio::test]
async fn the_register_is_entered_changed_and_listed() {
    let site = Site::with_calendar().await;
    let made = enter(&site, STEEL).await;
    let again = pb::CreateEnterpriseRequest {
        parent: DISTRICT.into(),
        enterprise: Some(made.clone()),
        ..Default::default()
    };
    let refused = register(&site).create_enterprise(again).await;
    assert_eq!(refusal(refused), (Code::AlreadyExists, "ALREADY_EXISTS".into()));
    let wrong = pb::Enterprise { name: STEEL.replace("Y43", "Y34"), ..made.clone() };
    let wrong = pb::CreateEnterpriseRequest {
        parent: DISTRICT.into(),
        enterprise: Some(wrong),
        ..Default::default()
    };
    assert_eq!(wrong_fields(register(&site).create_enterprise(wrong).await), ["enterprise.name"]);
    let elsewhere = pb::Enterprise {
        name: enterprise(1),
        street: "410182001".into(),
        display_name: " ".into(),
        ..made.clone()
    };
    let elsewhere = pb::CreateEnterpriseRequest {
        parent: DISTRICT.into(),
        enterprise: Some(elsewhere),
        ..Default::default()
    };
    let fields = wrong_fields(register(&site).create_enterprise(elsewhere).await);
    assert_eq!(fields, ["enterprise.street", "enterprise.display_name"]);

    let change = |paths: &[&str], enterprise| pb::UpdateEnterpriseRequest {
        enterprise: Some(enterprise),
        update_mask: Some(prost_types::FieldMask { paths: paths.iter().map(|p| (*p).to_owned()).collect() }),
        ..Default::default()
    };
    let with_liaison =
        pb::Enterprise { liaison: "zhou".into(), display_name: "不改".into(), ..made.clone() };
    let changed = register(&site).update_enterprise(change(&["liaison"], with_liaison.clone())).await;
    let changed = changed.expect("changed").into_inner();
    assert_eq!((changed.liaison.as_str(), &changed.display_name), ("zhou", &made.display_name));
    let stale = register(&site).update_enterprise(change(&["liaison"], with_liaison.clone())).await;
    assert_eq!(refusal(stale), (Code::Aborted, "ETAG_MISMATCH".into()));
    let named = register(&site).update_enterprise(change(&["name"], with_liaison)).await;
    assert_eq!(wrong_fields(named), ["update_mask"]);

    for number in 0..5 {
        enter(&site, &enterprise(number)).await;
    }
    let list = || pb::ListEnterprisesRequest { parent: DISTRICT.into(), page_size: 4, ..Default::default() };
    let first = register(&site).list_enterprises(list()).await.expect("a page").into_inner();
    let rest = pb::ListEnterprisesRequest { page_token: first.next_page_token, ..list() };
    let rest = register(&site).list_enterprises(rest).await.expect("a page").into_inner();
    assert_eq!((first.enterprises.len(), rest.enterprises.len(), rest.next_page_token.as_str()), (4, 2, ""));
    for (filter, expected) in [
        (pb::ListEnterprisesRequest { liaison: "zhou".into(), ..list() }, 1),
        (pb::ListEnterprisesRequest { industry: "C".into(), page_size: 9, ..list() }, 6),
        (pb::ListEnterprisesRequest { industry: "A".into(), ..list() }, 0),
        (pb::ListEnterprisesRequest { street: "410183001".into(), page_size: 9, ..list() }, 6),
    ] {
        let page = register(&site).list_enterprises(filter.clone()).await.expect("a page").into_inner();
        assert_eq!(page.enterprises.len(), expected, "{filter:?}");
    }
}

/// Loans of 8,500,000 yuan, 130 workers and 68 problems solved: each a sum over what enterprises confirmed.
#[tokio::test]
async fn the_figures_of_the_page_are_sums_over_confirmed_facts() {
    let site = Site::with_calendar().await;
    let names: Vec<_> = (0..4).map(enterprise).collect();
    for name in &names {
        enter(&site, name).await;
    }
    for (loan, yuan) in [3_000_000, 2_500_000, 2_000_000, 1_000_000].into_iter().enumerate() {
        met(&site, &names[loan], pb::NeedKind::Finance, yuan * 100, &format!("借据-{loan}")).await;
    }
    for (place, heads) in [60, 45, 25].into_iter().enumerate() {
        met(&site, &names[place], pb::NeedKind::Labour, heads, "").await;
    }
    for number in 0..68 {
        let need = met(&site, &names[number % 4], pb::NeedKind::Problem, 1, "").await;
        assert_eq!((need.state(), need.confirmed_amount), (pb::NeedState::Met, 1));
    }
    // Recorded only, or disputed: no part of any sum.
    let open = of(&site, &names[0]).raise_need(raise(&names[0], pb::NeedKind::Finance, 900)).await;
    let open = open.expect("raised").into_inner();
    liaison(&site).record_fact(record(&open.name, 400, "借据-8")).await.expect("recorded");
    let last =
        liaison(&site).record_fact(record(&open.name, 500, "借据-9")).await.expect("recorded").into_inner();
    let dispute = pb::DisputeFactRequest {
        name: open.name.clone(),
        fact_id: last.facts[1].id.clone(),
        reason: "未到账".into(),
        ..Default::default()
    };
    of(&site, &names[0]).dispute_fact(dispute).await.expect("disputed");
    let expected = vec![(4, 850_000_000), (3, 130), (0, 0), (68, 68)];
    assert_eq!(counts(&site, "", "").await, expected);
    assert_eq!(counts(&site, "2026-03-02", "2026-03-02").await, expected);
    assert_eq!(counts(&site, "2026-03-03", "").await, [(0, 0); 4]);
}

#[tokio::test]
async fn an_enterprise_sees_and_confirms_its_own_only() {
    let site = Site::with_calendar().await;
    let (mine, other) = (enterprise(1), enterprise(2));
    enter(&site, &mine).await;
    enter(&site, &other).await;
    let need = met(&site, &mine, pb::NeedKind::Labour, 10, "").await;
    site.clock.set(datetime!(2026-03-02 09:01 +8));
    let theirs =
        liaison(&site).raise_need(raise(&other, pb::NeedKind::Permit, 1)).await.expect("raised").into_inner();
    let foreign = of(&site, &mine).raise_need(raise(&other, pb::NeedKind::Permit, 1)).await;
    assert_eq!(refusal(foreign), (Code::PermissionDenied, "PERMISSION_DENIED".into()));
    let get = pb::GetNeedRequest { name: theirs.name.clone() };
    assert_eq!(refusal(of(&site, &mine).get_need(get).await), (Code::NotFound, "NOT_FOUND".into()));
    let list = |enterprise: &str| pb::ListNeedsRequest {
        parent: DISTRICT.into(),
        enterprise: enterprise.to_owned(),
        ..Default::default()
    };
    let names = |page: tonic::Response<pb::ListNeedsResponse>| {
        page.into_inner().needs.into_iter().map(|need| need.name).collect::<Vec<_>>()
    };
    let own = of(&site, &mine).list_needs(list("")).await.expect("a page");
    assert_eq!(names(own), [need.name.as_str()]);
    let all = office(&site).list_needs(list("")).await.expect("a page");
    assert_eq!(names(all), [theirs.name.as_str(), need.name.as_str()]);
    let open = pb::ListNeedsRequest { state: pb::NeedState::Open.into(), ..list("") };
    assert_eq!(names(office(&site).list_needs(open).await.expect("a page")), [theirs.name.as_str()]);
    let refused = of(&site, &mine).list_needs(list(&other)).await;
    assert_eq!(refusal(refused), (Code::PermissionDenied, "PERMISSION_DENIED".into()));
    let unknown = liaison(&site).raise_need(raise(&enterprise(3), pb::NeedKind::Permit, 1)).await;
    assert_eq!(refusal(unknown), (Code::NotFound, "NOT_FOUND".into()));
    let close =
        pb::CloseNeedRequest { name: theirs.name, reason: "已撤销申请".into(), ..Default::default() };
    let closed = office(&site).close_need(close).await.expect("closed").into_inner();
    assert_eq!((closed.state(), closed.close_reason.as_str()), (pb::NeedState::Closed, "已撤销申请"));
}

/// Eight officers record the same disbursement at one moment, for two needs of one enterprise, by two replicas: it counts once.
#[tokio::test]
async fn of_one_disbursement_recorded_many_times_at_once_one_counts() {
    let site = Site::with_calendar().await;
    let other = site.replica().await;
    enter(&site, STEEL).await;
    let mut needs = Vec::new();
    for _ in 0..2 {
        let raised = of(&site, STEEL).raise_need(raise(STEEL, pb::NeedKind::Finance, 1000)).await;
        needs.push(raised.expect("raised").into_inner().name);
    }
    let tries = (0..8).map(|number| {
        let site = if number % 2 == 0 { &site } else { &other };
        let request = record(&needs[number / 4], 400, "借据-77");
        async move { liaison(site).record_fact(request).await }
    });
    let (done, refused): (Vec<_>, Vec<_>) = join_all(tries).await.into_iter().partition(Result::is_ok);
    assert_eq!(done.len(), 1);
    for refused in refused {
        assert_eq!(refusal(refused), (Code::FailedPrecondition, "REFERENCE_USED".into()));
    }
    let recorded = done.into_iter().next().expect("one").expect("recorded").into_inner();
    let both = join_all([&site, &other].map(|site| {
        let request = confirm(&recorded);
        async move { of(site, STEEL).confirm_fact(request).await }
    }))
    .await;
    let (done, refused): (Vec<_>, Vec<_>) = both.into_iter().partition(Result::is_ok);
    assert_eq!((done.len(), refused.len()), (1, 1));
    assert_eq!(refusal(refused.into_iter().next().expect("one")).1, "FACT_DECIDED");
    assert_eq!(counts(&site, "", "").await[0], (1, 400));
}

/// Together never more than was asked for, however many record at once; a repeat of a request is no second fact.
#[tokio::test]
async fn what_is_recorded_at_once_stays_within_the_need() {
    let site = Site::with_calendar().await;
    enter(&site, STEEL).await;
    let need = of(&site, STEEL)
        .raise_need(raise(STEEL, pb::NeedKind::Labour, 10))
        .await
        .expect("raised")
        .into_inner();
    let tries = (0..8).map(|_| liaison(&site)).map(|mut liaison| {
        let request = record(&need.name, 3, "");
        async move { liaison.record_fact(request).await }
    });
    let done = join_all(tries).await;
    assert_eq!(done.iter().filter(|answer| answer.is_ok()).count(), 3, "three times three of ten");
    let refused = done.into_iter().find(Result::is_err).expect("the others");
    assert_eq!(refusal(refused), (Code::FailedPrecondition, "MORE_THAN_NEEDED".into()));
    let last = pb::RecordFactRequest { request_id: request_id(), ..record(&need.name, 1, "") };
    let first = liaison(&site).record_fact(last.clone()).await.expect("recorded").into_inner();
    let again = liaison(&site).record_fact(last).await.expect("answered").into_inner();
    assert_eq!((first.facts.len(), first), (4, again));
}
