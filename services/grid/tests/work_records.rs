//! Work records (历练纪实) through the API: written by oneself in the term, judged once, added up.

mod common;

use common::district::{COMMUNITY, GRID, OTHER_GRID, STREET};
use common::postings::Posted;
use common::{DISTRICT, Session, Site, mask, metadata, refusal, request_id, wrong_fields};
use futures::future::join_all;
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::work_record_service_client::WorkRecordServiceClient;
use jingwei_proto::grid::v1::{PostingRole, WorkCategory};
use time::Duration;
use tonic::{Code, Response, Status};

type Client = WorkRecordServiceClient<Session>;
type Answer<T> = Result<Response<T>, Status>;

fn own(site: &Site, person: &Posted) -> Client {
    Client::new(site.as_worker(person))
}

fn as_role(site: &Site, role: Role, scope: &str) -> Client {
    Client::new(site.session(&format!("{}-{scope}", role.as_str_name()), &[(role, scope)]))
}

async fn cadre(site: &Site) -> Posted {
    site.posted("cadre", GRID, PostingRole::PostedCadre).await
}

fn work(
    person: &Posted,
    date: &str,
    category: WorkCategory,
    links: &[&String],
) -> pb::CreateWorkRecordRequest {
    let record = pb::WorkRecord {
        posting: person.posting.name.clone(),
        date: date.into(),
        category: category.into(),
        text: "走访独居老人三户".into(),
        links: links.iter().map(|link| (*link).clone()).collect(),
        ..Default::default()
    };
    pb::CreateWorkRecordRequest { parent: DISTRICT.into(), work_record: Some(record), ..Default::default() }
}

async fn write(site: &Site, person: &Posted, date: &str) -> pb::WorkRecord {
    let request = work(person, date, WorkCategory::Visit, &[]);
    own(site, person).create_work_record(request).await.expect("written").into_inner()
}

fn judge(record: &pb::WorkRecord, grade: pb::WorkGrade) -> pb::ReviewWorkRecordRequest {
    pb::ReviewWorkRecordRequest {
        name: record.name.clone(),
        grade: grade.into(),
        comment: "扎实".into(),
        ..Default::default()
    }
}

async fn list(mut client: Client, request: pb::ListWorkRecordsRequest) -> Result<Vec<String>, Status> {
    let page = client.list_work_records(request).await?.into_inner();
    Ok(page.work_records.into_iter().map(|record| record.date).collect())
}

fn all() -> pb::ListWorkRecordsRequest {
    pb::ListWorkRecordsRequest { parent: DISTRICT.into(), ..Default::default() }
}

#[tokio::test]
async fn a_record_is_written_changed_and_judged_once() {
    let site = Site::with_district().await;
    let cadre = cadre(&site).await;
    let mut request = work(&cadre, "2026-03-02", WorkCategory::Visit, &[]);
    request.request_id = request_id();
    let written = own(&site, &cadre).create_work_record(request.clone()).await.expect("written").into_inner();
    assert_eq!((written.area.as_str(), &written.staff_member), (GRID, &cadre.member));
    assert_eq!(own(&site, &cadre).create_work_record(request).await.expect("repeated").into_inner(), written);
    let wanted = pb::WorkRecord { text: "走访四户".into(), category: 0, ..written.clone() };
    let change = pb::UpdateWorkRecordRequest {
        work_record: Some(wanted),
        update_mask: mask(&["text"]),
        ..Default::default()
    };
    let changed = own(&site, &cadre).update_work_record(change.clone()).await.expect("changed").into_inner();
    assert_eq!((changed.text.as_str(), changed.category()), ("走访四户", WorkCategory::Visit));
    let stale = own(&site, &cadre).update_work_record(change.clone()).await;
    assert_eq!(refusal(stale), (Code::Aborted, "ETAG_MISMATCH".into()));

    let good = judge(&written, pb::WorkGrade::Good);
    let mut chief = as_role(&site, Role::GridChief, GRID);
    let judged = chief.review_work_record(good.clone()).await.expect("judged").into_inner();
    let review = judged.review.clone().expect("a review");
    assert_eq!((review.grade(), review.comment.as_str()), (pb::WorkGrade::Good, "扎实"));
    let reviewed = (Code::FailedPrecondition, "RECORD_REVIEWED".to_owned());
    assert_eq!(refusal(chief.review_work_record(good).await), reviewed);
    let mut late = change;
    late.work_record.as_mut().expect("given").etag = judged.etag;
    assert_eq!(refusal(own(&site, &cadre).update_work_record(late).await), reviewed);
}

#[tokio::test]
async fn a_day_outside_the_term_and_what_is_not_theirs_are_refused() {
    let site = Site::with_district().await;
    let cadre = cadre(&site).await;
    for date in ["2026-03-01", "2026-03-03"] {
        let refused =
            own(&site, &cadre).create_work_record(work(&cadre, date, WorkCategory::Visit, &[])).await;
        assert_eq!(refusal(refused), (Code::FailedPrecondition, "OUTSIDE_TERM".into()), "{date}");
    }
    let other = site.posted("other", OTHER_GRID, PostingRole::GridMember).await;
    let foreign =
        own(&site, &other).create_work_record(work(&cadre, "2026-03-02", WorkCategory::Visit, &[])).await;
    assert_eq!(refusal(foreign).0, Code::PermissionDenied);
    let record = write(&site, &cadre, "2026-03-02").await;
    let get = pb::GetWorkRecordRequest { name: record.name.clone() };
    assert_eq!(refusal(own(&site, &other).get_work_record(get.clone()).await).0, Code::NotFound);
    as_role(&site, Role::Supervisor, DISTRICT).get_work_record(get).await.expect("supervisors read all");
    let self_praise = site.session("cadre", &[(Role::GridChief, GRID)]);
    let praised = Client::new(self_praise).review_work_record(judge(&record, pb::WorkGrade::Excellent)).await;
    assert_eq!(refusal(praised).0, Code::PermissionDenied, "nobody judges oneself");
    let elsewhere = as_role(&site, Role::GridChief, OTHER_GRID);
    let judged = { elsewhere }.review_work_record(judge(&record, pb::WorkGrade::Good)).await;
    assert_eq!(refusal(judged).0, Code::NotFound);
    let nothing = format!("{DISTRICT}/events/{}", request_id());
    let unknown = work(&cadre, "2026-03-02", WorkCategory::EventHelp, &[&nothing]);
    assert_eq!(
        metadata(own(&site, &cadre).create_work_record(unknown).await, "field"),
        Some("work_record.links".into())
    );
    let empty = pb::CreateWorkRecordRequest {
        parent: DISTRICT.into(),
        work_record: Some(pb::WorkRecord::default()),
        ..Default::default()
    };
    assert_eq!(
        wrong_fields(own(&site, &cadre).create_work_record(empty).await),
        ["work_record.posting", "work_record.date", "work_record.text", "work_record.category"]
    );
}

#[tokio::test]
async fn of_eight_reviews_at_one_moment_one_is_written() {
    let site = Site::with_district().await;
    let cadre = cadre(&site).await;
    let record = write(&site, &cadre, "2026-03-02").await;
    let other = site.replica().await;
    let reviews = (0..8).map(|i| {
        let mut chief = as_role(if i % 2 == 0 { &site } else { &other }, Role::Street, STREET);
        let comment = format!("第{i}次");
        let request = pb::ReviewWorkRecordRequest { comment, ..judge(&record, pb::WorkGrade::Good) };
        async move { chief.review_work_record(request).await }
    });
    let answers: Vec<Answer<pb::WorkRecord>> = join_all(reviews).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    for answer in lost {
        assert_eq!(refusal(answer), (Code::FailedPrecondition, "RECORD_REVIEWED".into()));
    }
}

#[tokio::test]
async fn records_are_found_by_area_person_posting_and_period_and_add_up() {
    let site = Site::with_district().await;
    let (cadre, other) =
        (cadre(&site).await, site.posted("other", OTHER_GRID, PostingRole::GridMember).await);
    let event = site.report().await.name;
    write(&site, &cadre, "2026-03-02").await;
    site.clock.advance(Duration::minutes(40));
    let twice = work(&cadre, "2026-03-02", WorkCategory::EventHelp, &[&event]);
    let helped = own(&site, &cadre).create_work_record(twice).await.expect("written").into_inner();
    site.clock.advance(Duration::days(1));
    let again = work(&cadre, "2026-03-03", WorkCategory::EventHelp, &[&event]);
    own(&site, &cadre).create_work_record(again).await.expect("written");
    site.clock.advance(Duration::days(1));
    write(&site, &other, "2026-03-04").await;
    as_role(&site, Role::Community, COMMUNITY)
        .review_work_record(judge(&helped, pb::WorkGrade::Good))
        .await
        .expect("judged");

    let community = || as_role(&site, Role::Community, COMMUNITY);
    let expected: [(pb::ListWorkRecordsRequest, &[&str]); 7] = [
        (all(), &["2026-03-04", "2026-03-03", "2026-03-02", "2026-03-02"]),
        (
            pb::ListWorkRecordsRequest { area: GRID.into(), ..all() },
            &["2026-03-03", "2026-03-02", "2026-03-02"],
        ),
        (pb::ListWorkRecordsRequest { staff_member: other.member.clone(), ..all() }, &["2026-03-04"]),
        (
            pb::ListWorkRecordsRequest {
                posting: cadre.posting.name.clone(),
                start_date: "2026-03-03".into(),
                ..all()
            },
            &["2026-03-03"],
        ),
        (
            pb::ListWorkRecordsRequest { end_date: "2026-03-03".into(), ..all() },
            &["2026-03-02", "2026-03-02"],
        ),
        (
            pb::ListWorkRecordsRequest { unreviewed: true, area: GRID.into(), ..all() },
            &["2026-03-03", "2026-03-02"],
        ),
        (
            pb::ListWorkRecordsRequest { unreviewed: true, posting: cadre.posting.name.clone(), ..all() },
            &["2026-03-03", "2026-03-02"],
        ),
    ];
    for (request, dates) in expected {
        assert_eq!(list(community(), request.clone()).await.expect("a page"), dates, "{request:?}");
    }
    assert_eq!(list(own(&site, &cadre), all()).await.expect("own").len(), 3);
    let curious = pb::ListWorkRecordsRequest { staff_member: other.member, ..all() };
    assert_eq!(
        list(own(&site, &cadre), curious).await.expect_err("not theirs").code(),
        Code::PermissionDenied
    );
    let chief = as_role(&site, Role::GridChief, OTHER_GRID);
    let elsewhere = pb::ListWorkRecordsRequest { area: GRID.into(), ..all() };
    assert_eq!(list(chief, elsewhere).await.expect_err("not theirs").code(), Code::PermissionDenied);
    let first = community()
        .list_work_records(pb::ListWorkRecordsRequest { page_size: 3, ..all() })
        .await
        .expect("a page")
        .into_inner();
    let next = pb::ListWorkRecordsRequest { page_size: 3, page_token: first.next_page_token, ..all() };
    assert_eq!(list(community(), next).await.expect("a page"), ["2026-03-02"]);

    let request = pb::GetWorkSummaryRequest { name: cadre.posting.name.clone() };
    let sum = own(&site, &cadre).get_work_summary(request.clone()).await.expect("a sum").into_inner();
    assert_eq!((sum.records, sum.days, sum.reviewed, sum.linked_events), (3, 2, 1, 1));
    let categories: Vec<_> = sum.categories.iter().map(|c| (c.category(), c.records)).collect();
    assert_eq!(categories, [(WorkCategory::Visit, 1), (WorkCategory::EventHelp, 2)]);
    let chief = as_role(&site, Role::GridChief, OTHER_GRID).get_work_summary(request).await;
    assert_eq!(refusal(chief).0, Code::NotFound);
}
