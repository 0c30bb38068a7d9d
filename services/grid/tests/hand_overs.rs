//! Hand-overs (工作交接) through the API: what is open when a posting ends finds somebody who confirms.

mod common;

use common::district::{COMMUNITY, GRID, OTHER_GRID};
use common::postings::Posted;
use common::{DISTRICT, Session, Site, metadata, refusal, request_id};
use futures::future::join_all;
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::PostingRole;
use jingwei_proto::grid::v1::deliberation_service_client::DeliberationServiceClient;
use jingwei_proto::grid::v1::hand_over_service_client::HandOverServiceClient;
use jingwei_proto::grid::v1::staff_service_client::StaffServiceClient;
use jingwei_proto::grid::v1::work_record_service_client::WorkRecordServiceClient;
use tonic::{Code, Response, Status};

type Answer<T> = Result<Response<T>, Status>;

fn hand_overs(session: Session) -> HandOverServiceClient<Session> {
    HandOverServiceClient::new(session)
}

async fn end(site: &Site, person: &Posted, successor: &str) -> Answer<pb::Posting> {
    let request = pb::EndPostingRequest {
        name: person.posting.name.clone(),
        reason: "轮岗".into(),
        successor: successor.into(),
        ..Default::default()
    };
    StaffServiceClient::new(site.administrator()).end_posting(request).await
}

async fn get(site: &Site, name: &str) -> pb::HandOver {
    let request = pb::GetHandOverRequest { name: name.into() };
    hand_overs(site.administrator()).get_hand_over(request).await.expect("there").into_inner()
}

fn confirm(name: &str) -> pb::ConfirmHandOverRequest {
    pb::ConfirmHandOverRequest { name: name.into(), note: "已接手".into(), ..Default::default() }
}

async fn open_work(site: &Site, cadre: &Posted) -> (String, String, String) {
    let event = site.report().await.name;
    let deliberation = pb::Deliberation {
        area: GRID.into(),
        title: "停车".into(),
        decision_mode: pb::DecisionMode::Consensus.into(),
        ..Default::default()
    };
    let request = pb::CreateDeliberationRequest {
        parent: DISTRICT.into(),
        deliberation: Some(deliberation),
        ..Default::default()
    };
    let mut chief = DeliberationServiceClient::new(site.session("chief", &[(Role::GridChief, GRID)]));
    let deliberation = chief.create_deliberation(request).await.expect("drafted").into_inner().name;
    let record = pb::WorkRecord {
        posting: cadre.posting.name.clone(),
        date: "2026-03-02".into(),
        category: pb::WorkCategory::Visit.into(),
        text: "走访".into(),
        ..Default::default()
    };
    let request = pb::CreateWorkRecordRequest {
        parent: DISTRICT.into(),
        work_record: Some(record),
        ..Default::default()
    };
    let mut own = WorkRecordServiceClient::new(site.as_worker(cadre));
    (event, deliberation, own.create_work_record(request).await.expect("written").into_inner().name)
}

#[tokio::test]
async fn open_work_goes_to_the_chief_who_confirms() {
    let site = Site::with_district().await;
    let cadre = site.posted("cadre", GRID, PostingRole::PostedCadre).await;
    let (event, deliberation, record) = open_work(&site, &cadre).await;
    let nobody = end(&site, &cadre, "").await;
    assert_eq!(refusal(nobody), (Code::FailedPrecondition, "SUCCESSOR_NEEDED".into()));
    let still = pb::GetPostingRequest { name: cadre.posting.name.clone() };
    let still = StaffServiceClient::new(site.administrator()).get_posting(still).await.expect("there");
    assert_eq!(still.into_inner(), cadre.posting, "nothing was written");

    let chief = site.posted("head", GRID, PostingRole::GridChief).await;
    let ended = end(&site, &cadre, "").await.expect("ended").into_inner();
    let written = get(&site, &ended.hand_over).await;
    assert_eq!((&written.predecessor, &written.successor), (&cadre.member, &chief.member));
    let names = |work: &Option<pb::OpenWork>| {
        let work = work.clone().expect("counted");
        assert_eq!(work.count as usize, work.names.len());
        work.names
    };
    assert_eq!(names(&written.events), [event]);
    assert_eq!(names(&written.deliberations), [deliberation]);
    assert_eq!(names(&written.work_records), [record]);
    assert!(names(&written.patrols).is_empty());
    let found = StaffServiceClient::new(site.administrator())
        .get_posting(pb::GetPostingRequest { name: cadre.posting.name.clone() })
        .await;
    assert_eq!(found.expect("there").into_inner().hand_over, ended.hand_over);

    let leaving = hand_overs(site.as_worker(&cadre)).confirm_hand_over(confirm(&ended.hand_over)).await;
    assert_eq!(refusal(leaving).0, Code::PermissionDenied, "only who takes over confirms");
    let stranger = hand_overs(site.worker()).confirm_hand_over(confirm(&ended.hand_over)).await;
    assert_eq!(refusal(stranger).0, Code::NotFound);
    let request = pb::ConfirmHandOverRequest { request_id: request_id(), ..confirm(&ended.hand_over) };
    let mut own = hand_overs(site.as_worker(&chief));
    let confirmed = own.confirm_hand_over(request.clone()).await.expect("confirmed").into_inner();
    assert!(confirmed.confirm_time.is_some() && confirmed.note == "已接手");
    assert_eq!(own.confirm_hand_over(request).await.expect("repeated").into_inner(), confirmed);
    let twice = own.confirm_hand_over(confirm(&ended.hand_over)).await;
    assert_eq!(refusal(twice), (Code::FailedPrecondition, "WRONG_STATE".into()));
}

#[tokio::test]
async fn a_successor_is_posted_to_the_same_area_and_somebody_else() {
    let site = Site::with_district().await;
    let cadre = site.posted("cadre", GRID, PostingRole::PostedCadre).await;
    let (here, elsewhere) = (
        site.posted("here", GRID, PostingRole::GridMember).await,
        site.posted("elsewhere", OTHER_GRID, PostingRole::GridChief).await,
    );
    for wrong in [&elsewhere.member, &cadre.member] {
        let refused = end(&site, &cadre, wrong).await;
        assert_eq!(metadata(refused, "area"), Some("410182002011001".into()));
    }
    let ended = end(&site, &cadre, &here.member).await.expect("ended").into_inner();
    let written = get(&site, &ended.hand_over).await;
    assert_eq!((written.successor, written.events.expect("counted").count), (here.member.clone(), 0));
    let nothing_open = end(&site, &here, "").await.expect("ended").into_inner();
    assert_eq!(nothing_open.hand_over, "", "nothing is open and nobody was named");
    let gone = end(&site, &elsewhere, &here.member).await;
    assert_eq!(refusal(gone), (Code::FailedPrecondition, "SUCCESSOR_NEEDED".into()));
}

#[tokio::test]
async fn hand_overs_are_found_by_area_person_and_posting() {
    let site = Site::with_district().await;
    let chief = site.posted("head", GRID, PostingRole::GridChief).await;
    let mut names = Vec::new();
    for subject in ["a", "b", "c"] {
        site.clock.advance(time::Duration::milliseconds(1));
        let cadre = site.posted(subject, GRID, PostingRole::PostedCadre).await;
        names.push(end(&site, &cadre, &chief.member).await.expect("ended").into_inner());
    }
    let name = |i: usize| names[i].hand_over.clone();
    hand_overs(site.as_worker(&chief)).confirm_hand_over(confirm(&name(1))).await.expect("confirmed");
    let list = async |session: Session, request: pb::ListHandOversRequest| {
        let page = hand_overs(session).list_hand_overs(request).await?.into_inner();
        let found = page.hand_overs.into_iter().map(|h| h.name).collect::<Vec<_>>();
        Ok::<_, Status>((found, page.next_page_token))
    };
    let all = || pb::ListHandOversRequest { parent: DISTRICT.into(), ..Default::default() };
    let open = || pb::ListHandOversRequest { unconfirmed: true, ..all() };
    let community = || site.session("c", &[(Role::Community, COMMUNITY)]);
    let expected = [
        (all(), vec![2, 1, 0]),
        (open(), vec![2, 0]),
        (pb::ListHandOversRequest { area: OTHER_GRID.into(), ..all() }, vec![]),
        (pb::ListHandOversRequest { successor: chief.member.clone(), ..open() }, vec![2, 0]),
        (pb::ListHandOversRequest { posting: names[1].name.clone(), ..all() }, vec![1]),
    ];
    for (request, places) in expected {
        let found = list(community(), request.clone()).await.expect("a page").0;
        assert_eq!(found, places.into_iter().map(name).collect::<Vec<_>>(), "{request:?}");
    }
    assert_eq!(list(site.as_worker(&chief), open()).await.expect("own").0, [name(2), name(0)]);
    assert!(list(site.worker(), all()).await.expect("not of the staff").0.is_empty());
    let (first, page_token) =
        list(community(), pb::ListHandOversRequest { page_size: 2, ..all() }).await.expect("a page");
    let next = pb::ListHandOversRequest { page_size: 2, page_token, ..all() };
    assert_eq!((first.len(), list(community(), next).await.expect("a page").0), (2, vec![name(0)]));
    let elsewhere = site.session("x", &[(Role::GridChief, OTHER_GRID)]);
    let denied = list(elsewhere, pb::ListHandOversRequest { area: GRID.into(), ..all() }).await;
    assert_eq!(denied.expect_err("not theirs").code(), Code::PermissionDenied);
}

#[tokio::test]
async fn of_eight_at_one_moment_one_ends_and_one_confirms() {
    let site = Site::with_district().await;
    let (chief, cadre) = (
        site.posted("head", GRID, PostingRole::GridChief).await,
        site.posted("cadre", GRID, PostingRole::PostedCadre).await,
    );
    let other = site.replica().await;
    let sites = || (0..8).map(|i| if i % 2 == 0 { &site } else { &other });
    let only = |answers: Vec<(bool, Option<String>)>, reason: &str| {
        assert_eq!(answers.iter().filter(|answer| answer.0).count(), 1);
        assert!(answers.iter().all(|answer| answer.0 || answer.1.as_deref() == Some(reason)), "{answers:?}");
    };
    let ended = join_all(sites().map(|site| end(site, &cadre, &chief.member))).await;
    let name = ended.iter().flatten().next().expect("one").get_ref().hand_over.clone();
    only(ended.into_iter().map(told).collect(), "POSTING_ENDED");
    let confirmed = join_all(sites().map(|site| {
        let mut own = hand_overs(site.as_worker(&chief));
        let request = confirm(&name);
        async move { own.confirm_hand_over(request).await }
    }));
    only(confirmed.await.into_iter().map(told).collect(), "WRONG_STATE");
}

/// Whether it succeeded, and the reason where not.
fn told<T: std::fmt::Debug>(answer: Answer<T>) -> (bool, Option<String>) {
    if answer.is_ok() { (true, None) } else { (false, Some(refusal(answer).1)) }
}
