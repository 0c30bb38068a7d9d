//! Several replicas, several callers, one moment: of what can be true once, one wins and the others are told why.

mod common;

use std::fmt::Debug;

use common::district::{COMMUNITY, GRID, STREET};
use common::{DISTRICT, Session, Site, refusal, request_id};
use futures::future::join_all;
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::category_service_client::CategoryServiceClient;
use jingwei_proto::grid::v1::department_service_client::DepartmentServiceClient;
use jingwei_proto::grid::v1::event_service_client::EventServiceClient;
use jingwei_proto::grid::v1::staff_service_client::StaffServiceClient;
use tonic::{Code, Response, Status};

type Answer<T> = Result<Response<T>, Status>;

/// Eight calls at one moment, each with its number, by turns to two replicas.
async fn eight<T>(
    site: &Site,
    session: impl Fn(&Site) -> Session,
    call: impl AsyncFn(Session, usize) -> T,
) -> Vec<T> {
    let other = site.replica().await;
    let sessions = (0..8).map(|i| (session(if i % 2 == 0 { site } else { &other }), i));
    join_all(sessions.map(|(session, i)| call(session, i))).await
}

/// The answer of the one that won, after a look at how the others were refused.
fn winner<T: Debug>(answers: Vec<Answer<T>>, refused_with: (Code, &str)) -> T {
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    for answer in lost {
        assert_eq!(refusal(answer), (refused_with.0, refused_with.1.to_owned()));
    }
    assert_eq!(won.len(), 1, "one wins");
    won.into_iter().next().expect("one").expect("it succeeded").into_inner()
}

/// The one answer that all got.
fn same<T: Debug + PartialEq>(answers: Vec<Answer<T>>) -> T {
    let mut answers = answers.into_iter().map(|answer| answer.expect("answered").into_inner());
    let first = answers.next().expect("some");
    answers.for_each(|answer| assert_eq!(answer, first));
    first
}

fn person(display_name: &str, subject: &str) -> pb::StaffMember {
    pb::StaffMember { display_name: display_name.into(), subject: subject.into(), ..Default::default() }
}

async fn enter(site: &Site, display_name: &str, subject: &str) -> pb::StaffMember {
    let parent = DISTRICT.to_owned();
    let staff_member = Some(person(display_name, subject));
    let request = pb::CreateStaffMemberRequest { parent, staff_member, ..Default::default() };
    let mut staff = StaffServiceClient::new(site.administrator());
    staff.create_staff_member(request).await.expect("entered").into_inner()
}

fn post(member: &pb::StaffMember, area: &str, role: pb::PostingRole) -> pb::CreatePostingRequest {
    let (staff_member, area) = (member.name.clone(), area.to_owned());
    let posting = pb::Posting { staff_member, area, role: role.into(), ..Default::default() };
    pb::CreatePostingRequest { parent: DISTRICT.into(), posting: Some(posting), ..Default::default() }
}

#[tokio::test]
async fn an_event_id_is_one_event_and_every_number_is_given_once() {
    let site = Site::with_district().await;
    let event_id = request_id();
    let answers = eight(&site, Site::worker, async |session, i| {
        let (event_id, description) = (event_id.clone(), i.to_string());
        let report = pb::ReportEventRequest { event_id, description, ..site.new_report() };
        EventServiceClient::new(session).report_event(report).await
    });
    let first = winner(answers.await, (Code::AlreadyExists, "ALREADY_EXISTS"));
    assert_eq!(first.name, format!("{DISTRICT}/events/{event_id}"));

    let answers = eight(&site, Site::worker, async |session, _| {
        EventServiceClient::new(session).report_event(site.new_report()).await
    });
    let mut numbers: Vec<_> =
        answers.await.into_iter().map(|answer| answer.expect("reported").into_inner().case_number).collect();
    numbers.sort();
    let expected: Vec<_> = (2..=9).map(|i| format!("410182-20260302-{i:06}")).collect();
    assert_eq!(numbers, expected, "those that were refused took no number");
}

#[tokio::test]
async fn a_repeat_at_the_same_moment_to_another_replica_is_one_change() {
    let site = Site::with_district().await;
    let request = pb::CreateStaffMemberRequest {
        parent: DISTRICT.into(),
        staff_member: Some(person("张三", "")),
        request_id: request_id(),
        ..Default::default()
    };
    let answers = eight(&site, Site::administrator, async |session, _| {
        StaffServiceClient::new(session).create_staff_member(request.clone()).await
    });
    let member = same(answers.await);
    let list = pb::ListStaffMembersRequest { parent: DISTRICT.into(), ..Default::default() };
    let all = StaffServiceClient::new(site.administrator()).list_staff_members(list).await.expect("a page");
    assert_eq!(all.into_inner().staff_members, [member]);
}

#[tokio::test]
async fn an_action_twice_with_one_id_is_one_and_with_two_ids_one_wins() {
    let site = Site::with_district().await;
    let chief = |site: &Site| site.session("chief", &[(Role::GridChief, GRID)]);
    let event = site.report().await;
    let accept =
        pb::AcceptEventRequest { name: event.name.clone(), request_id: request_id(), ..Default::default() };
    let answers = eight(&site, chief, async |session, _| {
        EventServiceClient::new(session).accept_event(accept.clone()).await
    });
    assert_eq!(same(answers.await).state(), pb::EventState::Accepted);

    let answers = eight(&site, chief, async |session, _| {
        let (name, etag) = (event.name.clone(), "v2".to_owned());
        let register =
            pb::RegisterEventRequest { name, etag, request_id: request_id(), ..Default::default() };
        EventServiceClient::new(session).register_event(register).await
    });
    let registered = winner(answers.await, (Code::Aborted, "ETAG_MISMATCH"));
    let timeline = pb::ListEventTransitionsRequest { parent: registered.name, ..Default::default() };
    let timeline =
        EventServiceClient::new(chief(&site)).list_event_transitions(timeline).await.expect("readable");
    assert_eq!(timeline.into_inner().transitions.len(), 3, "a report, an acceptance, a registration");
}

#[tokio::test]
async fn of_two_chiefs_and_of_two_same_postings_one_is_posted() {
    let site = Site::with_district().await;
    let zhang = enter(&site, "张三", "").await;
    let answers = eight(&site, Site::administrator, async |session, _| {
        StaffServiceClient::new(session).create_posting(post(&zhang, STREET, pb::PostingRole::Doctor)).await
    });
    let posting = winner(answers.await, (Code::AlreadyExists, "POSTING_EXISTS"));

    let mut candidates = Vec::new();
    for i in 0..8 {
        candidates.push(enter(&site, &format!("候选{i}"), "").await);
    }
    let answers = eight(&site, Site::administrator, async |session, i| {
        let chief = post(&candidates[i], COMMUNITY, pb::PostingRole::GridChief);
        StaffServiceClient::new(session).create_posting(chief).await
    });
    winner(answers.await, (Code::AlreadyExists, "POSTING_EXISTS"));

    let answers = eight(&site, Site::administrator, async |session, i| {
        let (name, reason) = (posting.name.clone(), format!("调岗{i}"));
        let end = pb::EndPostingRequest { name, reason, ..Default::default() };
        StaffServiceClient::new(session).end_posting(end).await
    });
    winner(answers.await, (Code::FailedPrecondition, "POSTING_ENDED"));
}

#[tokio::test]
async fn a_subject_is_taken_once_also_by_those_who_change_to_it() {
    let site = Site::with_district().await;
    let mut people = Vec::new();
    for i in 0..8 {
        people.push(enter(&site, &format!("员工{i}"), &format!("subject-{i}")).await);
    }
    let answers = eight(&site, Site::administrator, async |session, i| {
        let wanted = pb::StaffMember { subject: "wanted".into(), ..people[i].clone() };
        let request = pb::UpdateStaffMemberRequest { staff_member: Some(wanted), ..Default::default() };
        StaffServiceClient::new(session).update_staff_member(request).await
    });
    winner(answers.await, (Code::AlreadyExists, "ALREADY_EXISTS"));
}

#[tokio::test]
async fn of_changes_with_one_etag_one_is_written() {
    let site = Site::with_district().await;
    let list = pb::ListCategoriesRequest { parent: DISTRICT.into(), ..Default::default() };
    let categories =
        CategoryServiceClient::new(site.administrator()).list_categories(list).await.expect("a page");
    let category = categories.into_inner().categories.remove(0);
    let answers = eight(&site, Site::administrator, async |session, i| {
        let wanted = pb::Category { display_name: i.to_string(), ..category.clone() };
        let request = pb::UpdateCategoryRequest { category: Some(wanted), ..Default::default() };
        CategoryServiceClient::new(session).update_category(request).await
    });
    winner(answers.await, (Code::Aborted, "ETAG_MISMATCH"));

    let list = pb::ListDepartmentsRequest { parent: DISTRICT.into(), ..Default::default() };
    let departments =
        DepartmentServiceClient::new(site.administrator()).list_departments(list).await.expect("a page");
    let department = departments.into_inner().departments.remove(0);
    let answers = eight(&site, Site::administrator, async |session, i| {
        let wanted = pb::Department { display_name: i.to_string(), ..department.clone() };
        let request = pb::UpdateDepartmentRequest { department: Some(wanted), ..Default::default() };
        DepartmentServiceClient::new(session).update_department(request).await
    });
    winner(answers.await, (Code::Aborted, "ETAG_MISMATCH"));

    let member = enter(&site, "张三", "").await;
    let answers = eight(&site, Site::administrator, async |session, i| {
        let wanted = pb::StaffMember { duty_phone: i.to_string(), ..member.clone() };
        let request = pb::UpdateStaffMemberRequest { staff_member: Some(wanted), ..Default::default() };
        StaffServiceClient::new(session).update_staff_member(request).await
    });
    winner(answers.await, (Code::Aborted, "ETAG_MISMATCH"));
}
