//! Confidential reports over the API: who made one and its receiver know of it, nobody else, least of all whom it is about.

mod common;

use std::collections::BTreeMap;

use common::cast::{HOUSING, WATER};
use common::raw::{answer, methods, smallest};
use common::seal::{key_pair, open, seal};
use common::transfers::SECRET;
use common::{DISTRICT, Session, Site, refusal, request_id, wrong_fields};
use jingwei_kit::clock::Clock;
use jingwei_kit::outbox::Feed;
use jingwei_proto::access::v1::Role;
use jingwei_proto::business_environment_monitor::v1 as pb;
use jingwei_proto::business_environment_monitor::v1::confidential_report_service_client::ConfidentialReportServiceClient;
use tokio_util::sync::CancellationToken;
use tonic::Code;

/// What somebody may be, and where.
type Grants<'a> = &'a [(Role, &'a str)];
type Reports = ConfidentialReportServiceClient<Session>;

const OFFICE: &str = "districts/410183/businessEnvironmentOffice";
const DISCIPLINE: &str = "districts/410183/departments/discipline";

fn reports(site: &Site, subject: &str, grants: &[(Role, &str)]) -> Reports {
    ConfidentialReportServiceClient::new(site.session(subject, grants))
}

fn monitor(site: &Site) -> Reports {
    reports(site, "zhang", &[(Role::Monitor, DISTRICT)])
}

fn receiver(site: &Site) -> Reports {
    reports(site, "sun", &[(Role::TransferReceiver, DISCIPLINE)])
}

fn report(about: &str, key: &pb::ReceiverKey) -> pb::SubmitConfidentialReportRequest {
    let report_id = Clock::system().id().to_string();
    let name = format!("{DISTRICT}/confidentialReports/{report_id}");
    pb::SubmitConfidentialReportRequest {
        parent: DISTRICT.into(),
        report_id,
        about: about.to_owned(),
        key: key.name.clone(),
        sealed_content: seal(key, &name, SECRET),
        ..Default::default()
    }
}

async fn submitted(site: &Site, about: &str, key: &pb::ReceiverKey) -> pb::ConfidentialReport {
    let made = monitor(site).submit_confidential_report(report(about, key)).await;
    made.expect("submitted").into_inner()
}

fn get(name: &str) -> pb::GetConfidentialReportRequest {
    pb::GetConfidentialReportRequest { name: name.to_owned() }
}

fn content(name: &str) -> pb::GetConfidentialReportContentRequest {
    pb::GetConfidentialReportContentRequest { name: name.to_owned() }
}

fn acknowledge(name: &str) -> pb::AcknowledgeConfidentialReportRequest {
    pb::AcknowledgeConfidentialReportRequest { name: name.to_owned(), ..Default::default() }
}

async fn listed(mut who: Reports) -> Vec<String> {
    let request = pb::ListConfidentialReportsRequest { parent: DISTRICT.into(), ..Default::default() };
    let page = who.list_confidential_reports(request).await.expect("a list").into_inner();
    page.confidential_reports.into_iter().map(|report| report.name).collect()
}

#[tokio::test]
async fn it_goes_straight_to_the_receiver_and_the_reporter_follows_it() {
    let site = Site::with_calendar().await;
    let (private, public) = key_pair();
    let key = site.registered_key("discipline", public).await;
    let request = pb::SubmitConfidentialReportRequest { request_id: request_id(), ..report(OFFICE, &key) };
    let made =
        monitor(&site).submit_confidential_report(request.clone()).await.expect("submitted").into_inner();
    assert_eq!((made.state(), made.own), (pb::ConfidentialReportState::Submitted, true));
    let twin = monitor(&site).submit_confidential_report(request).await.expect("the same").into_inner();
    assert_eq!(twin, made);
    let got = receiver(&site).get_confidential_report_content(content(&made.name)).await;
    assert_eq!(open(&private, &got.expect("theirs").into_inner()).as_deref(), Some(SECRET));
    let seen = receiver(&site).get_confidential_report(get(&made.name)).await.expect("theirs").into_inner();
    assert!(!seen.own && seen.about == OFFICE, "and nobody says whose it is");
    let done = receiver(&site).acknowledge_confidential_report(acknowledge(&made.name)).await;
    assert_eq!(done.expect("acknowledged").into_inner().state(), pb::ConfidentialReportState::Acknowledged);
    let back = pb::ReturnConfidentialReportRequest {
        name: made.name.clone(),
        reason: pb::ReturnReason::NotCompetent.into(),
        etag: made.etag.clone(),
        ..Default::default()
    };
    let stale = receiver(&site).return_confidential_report(back.clone()).await;
    assert_eq!(refusal(stale), (Code::Aborted, "ETAG_MISMATCH".into()));
    let back = pb::ReturnConfidentialReportRequest { etag: String::new(), ..back };
    receiver(&site).return_confidential_report(back).await.expect("returned");
    let followed = monitor(&site).get_confidential_report(get(&made.name)).await.expect("own").into_inner();
    assert_eq!(followed.state(), pb::ConfidentialReportState::Returned);
    assert_eq!(followed.return_reason(), pb::ReturnReason::NotCompetent);
    let late = receiver(&site).acknowledge_confidential_report(acknowledge(&made.name)).await;
    assert_eq!(refusal(late), (Code::FailedPrecondition, "WRONG_STATE".into()));
    let itself = monitor(&site).submit_confidential_report(report(DISCIPLINE, &key)).await;
    assert_eq!(wrong_fields(itself), ["key"], "nobody gets a report about themselves");
    let court = site.registered_key("court", key_pair().1).await;
    submitted(&site, DISCIPLINE, &court).await;
}

/// Whoever may not know of it is told what they would be told of a report that does not exist.
#[tokio::test]
async fn to_anybody_else_it_does_not_exist() {
    let site = Site::with_calendar().await;
    let key = site.registered_key("discipline", key_pair().1).await;
    let (office, housing) =
        (submitted(&site, OFFICE, &key).await.name, submitted(&site, HOUSING, &key).await.name);
    let none = office.replace(&office[office.len() - 12..], "000000000000");
    let inside = (Role::TransferReceiver, DISCIPLINE);
    let court = "districts/410183/departments/court";
    let of_office = [inside, (Role::BusinessEnvironmentOffice, DISTRICT)];
    let of_housing = [inside, (Role::Department, HOUSING)];
    let of_water = [inside, (Role::Department, WATER)];
    // Grants, and which of the two they see.
    let people: [(Grants, bool, bool); 7] = [
        (&[inside], true, true),
        (&of_office, false, true),
        (&of_housing, true, false),
        (&of_water, true, true),
        (&[(Role::TransferReceiver, court)], false, false),
        (&[(Role::Monitor, DISTRICT)], false, false),
        (&[(Role::Monitor, DISTRICT), (Role::BusinessEnvironmentOffice, DISTRICT)], false, false),
    ];
    for (grants, sees_office, sees_housing) in people {
        let mut who = reports(&site, "wu", grants);
        let mut expected = Vec::new();
        for (name, sees) in [(&housing, sees_housing), (&office, sees_office), (&none, false)] {
            let got = who.get_confidential_report(get(name)).await;
            assert_eq!(got.is_ok(), sees, "{name} by {grants:?}");
            if sees {
                expected.push(name.clone());
                continue;
            }
            let told = |status: tonic::Status| (status.code(), status.message().replace(name, ""));
            let of_none = who.get_confidential_report(get(&none)).await.expect_err("there is none");
            assert_eq!(
                told(got.expect_err("hidden")),
                (Code::NotFound, of_none.message().replace(&none, ""))
            );
            if grants[0].0 == Role::TransferReceiver {
                let refused = refusal(who.get_confidential_report_content(content(name)).await);
                assert_eq!(refused, (Code::NotFound, "NOT_FOUND".into()), "{name} by {grants:?}");
                let refused = refusal(who.acknowledge_confidential_report(acknowledge(name)).await);
                assert_eq!(refused, (Code::NotFound, "NOT_FOUND".into()), "{name} by {grants:?}");
            }
        }
        assert_eq!(listed(who).await, expected, "{grants:?}");
    }
    assert_eq!(listed(monitor(&site)).await, [housing, office], "who made them");
}

/// What every RPC that reads answers, streams apart, to somebody.
async fn told(session: &Session) -> BTreeMap<String, Result<Vec<u8>, (Code, String)>> {
    let mut told = BTreeMap::new();
    for method in methods() {
        let reads = method.name().starts_with("Get") || method.name().starts_with("List");
        if reads && !method.is_server_streaming() {
            let got = answer(session.clone(), &method, &smallest(&method.input())).await;
            let got = got.map_err(|status| (status.code(), status.message().to_owned()));
            told.insert(method.full_name().to_owned(), got);
        }
    }
    told
}

/// The office and the department are told by every RPC that reads, and by the feed, exactly what they were told before.
#[tokio::test]
async fn a_report_changes_nothing_that_the_office_or_a_department_sees() {
    let site = Site::with_calendar().await;
    site.in_handling().await;
    let key = site.registered_key("discipline", key_pair().1).await;
    let office = site.session("li", &[(Role::BusinessEnvironmentOffice, DISTRICT)]);
    let housing = site.session("zhao", &[(Role::Department, HOUSING)]);
    let pool = site.database.connect().await.expect("the database answers");
    let feed = Feed::start(pool.clone(), CancellationToken::new());
    let before = (told(&office).await, told(&housing).await, feed.head(410_183).await.expect("read"));
    assert!(before.0.len() >= 15, "{:?}", before.0.keys());
    assert!(before.0.values().any(Result::is_ok) && before.1.values().any(Result::is_ok));
    for about in [OFFICE, HOUSING] {
        let name = submitted(&site, about, &key).await.name;
        receiver(&site).acknowledge_confidential_report(acknowledge(&name)).await.expect("acknowledged");
    }
    let after = (told(&office).await, told(&housing).await, feed.head(410_183).await.expect("read"));
    assert_eq!(after, before);
    let in_feed: i64 =
        sqlx::query_scalar("select count(*) from outbox where resource like '%confidentialReports%'")
            .fetch_one(&pool)
            .await
            .expect("read");
    assert_eq!(in_feed, 0);
    for method in methods().iter().filter(|m| m.parent_service().name() == "ConfidentialReportService") {
        for session in [&office, &housing] {
            let refused =
                answer(session.clone(), method, &smallest(&method.input())).await.expect_err("refused");
            assert_eq!(refused.code(), Code::PermissionDenied, "{}, whatever there is", method.name());
        }
    }
}
