//! Staff members and postings (派驻) through the API.

mod common;

use common::{DISTRICT, Session, Site, area, mask, metadata, moment, refusal, request_id, wrong_fields};
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::staff_service_client::StaffServiceClient;
use time::Duration;
use tonic::{Code, Status};

const GRID: &str = "410182002011001";

fn new_member(display_name: &str, subject: &str) -> pb::CreateStaffMemberRequest {
    let staff_member = pb::StaffMember {
        display_name: display_name.into(),
        duty_phone: "0371-64600001".into(),
        subject: subject.into(),
        ..Default::default()
    };
    pb::CreateStaffMemberRequest {
        parent: DISTRICT.into(),
        staff_member: Some(staff_member),
        ..Default::default()
    }
}

fn new_posting(member: &str, code: &str, role: pb::PostingRole) -> pb::CreatePostingRequest {
    let posting = pb::Posting {
        staff_member: member.into(),
        area: area(code),
        role: role.into(),
        ..Default::default()
    };
    pb::CreatePostingRequest { parent: DISTRICT.into(), posting: Some(posting), ..Default::default() }
}

fn end(posting: &pb::Posting) -> pb::EndPostingRequest {
    pb::EndPostingRequest { name: posting.name.clone(), reason: "轮岗".into(), ..Default::default() }
}

async fn start() -> (Site, StaffServiceClient<Session>) {
    let site = Site::with_areas().await;
    let staff = StaffServiceClient::new(site.administrator());
    (site, staff)
}

async fn member(staff: &mut StaffServiceClient<Session>, display_name: &str) -> String {
    staff.create_staff_member(new_member(display_name, "")).await.expect("entered").into_inner().name
}

/// How many calls succeeded; each other one must have been refused with this reason.
async fn winners<T: std::fmt::Debug>(
    calls: Vec<tokio::task::JoinHandle<Result<T, Status>>>,
    reason: &str,
) -> usize {
    let mut won = 0;
    for call in calls {
        match call.await.expect("no panic") {
            Ok(_) => won += 1,
            refused => assert_eq!(refusal(refused), (Code::AlreadyExists, reason.to_owned())),
        }
    }
    won
}

#[tokio::test]
async fn a_person_is_entered_read_and_changed() {
    let (_site, mut staff) = start().await;
    let id = request_id();
    let request = pb::CreateStaffMemberRequest {
        staff_member_id: id.clone(),
        request_id: request_id(),
        ..new_member("张三", "zhangsan")
    };
    let entered = staff.create_staff_member(request.clone()).await.expect("entered").into_inner();
    assert_eq!(entered.name, format!("{DISTRICT}/staff/{id}"), "the id is the client's");
    assert_eq!(staff.create_staff_member(request.clone()).await.expect("repeated").into_inner(), entered);
    let taken = pb::CreateStaffMemberRequest { request_id: String::new(), ..request };
    assert_eq!(
        refusal(staff.create_staff_member(taken).await),
        (Code::AlreadyExists, "ALREADY_EXISTS".into())
    );
    let found = staff.get_staff_member(pb::GetStaffMemberRequest { name: entered.name.clone() }).await;
    assert_eq!(found.expect("there").into_inner(), entered);
    let wanted = pb::StaffMember { duty_phone: "1".into(), subject: String::new(), ..entered.clone() };
    let request = pb::UpdateStaffMemberRequest {
        staff_member: Some(wanted),
        update_mask: mask(&["duty_phone"]),
        request_id: String::new(),
    };
    let changed = staff.update_staff_member(request.clone()).await.expect("changed").into_inner();
    assert_eq!((changed.duty_phone.as_str(), changed.subject.as_str()), ("1", "zhangsan"));
    assert_eq!(
        refusal(staff.update_staff_member(request.clone()).await),
        (Code::Aborted, "ETAG_MISMATCH".into())
    );
    let wrong = pb::UpdateStaffMemberRequest { update_mask: mask(&["name"]), ..request };
    assert_eq!(wrong_fields(staff.update_staff_member(wrong).await), ["update_mask"]);
    let nobody = pb::GetStaffMemberRequest { name: format!("{DISTRICT}/staff/{}", request_id()) };
    assert_eq!(refusal(staff.get_staff_member(nobody).await), (Code::NotFound, "NOT_FOUND".into()));
}

#[tokio::test]
async fn people_are_listed_in_the_order_in_which_they_were_entered() {
    let (site, mut staff) = start().await;
    for (display_name, subject) in [("赵", "zhao"), ("钱", ""), ("孙", "")] {
        site.clock.advance(Duration::milliseconds(1));
        staff.create_staff_member(new_member(display_name, subject)).await.expect("entered");
    }
    let mut list = async |subject: &str, page_token: &str| {
        let request = pb::ListStaffMembersRequest {
            parent: DISTRICT.into(),
            subject: subject.into(),
            page_size: 2,
            page_token: page_token.into(),
        };
        let page = staff.list_staff_members(request).await.expect("a page").into_inner();
        (page.staff_members.into_iter().map(|s| s.display_name).collect::<Vec<_>>(), page.next_page_token)
    };
    let (first, token) = list("", "").await;
    assert_eq!(first, ["赵", "钱"]);
    assert_eq!(list("", &token).await, (vec!["孙".to_owned()], String::new()));
    assert_eq!(list("zhao", "").await, (vec!["赵".to_owned()], String::new()));
    assert!(list("nobody", "").await.0.is_empty());
}

#[tokio::test]
async fn a_subject_is_one_person() {
    let (site, mut staff) = start().await;
    let calls = (0..6).map(|_| {
        let mut staff = StaffServiceClient::new(site.administrator());
        tokio::spawn(async move { staff.create_staff_member(new_member("张三", "zhangsan")).await })
    });
    assert_eq!(winners(calls.collect(), "ALREADY_EXISTS").await, 1);
    let other = staff.create_staff_member(new_member("李四", "lisi")).await.expect("entered").into_inner();
    let wanted = pb::StaffMember { subject: "zhangsan".into(), ..other };
    let request = pb::UpdateStaffMemberRequest { staff_member: Some(wanted), ..Default::default() };
    assert_eq!(
        refusal(staff.update_staff_member(request).await),
        (Code::AlreadyExists, "ALREADY_EXISTS".into())
    );
}

#[tokio::test]
async fn a_posting_begins_and_ends() {
    let (site, mut staff) = start().await;
    let member = member(&mut staff, "张三").await;
    let request = new_posting(&member, GRID, pb::PostingRole::GridMember);
    let request = pb::CreatePostingRequest { request_id: request_id(), ..request };
    let posted = staff.create_posting(request.clone()).await.expect("posted").into_inner();
    assert_eq!(posted.staff_display_name, "张三");
    assert_eq!(posted.start_time, Some(moment(site.clock.now())));
    assert_eq!(posted.end_time, None);
    assert_eq!(staff.create_posting(request).await.expect("repeated").into_inner(), posted);
    let stale = pb::EndPostingRequest { etag: "v9".into(), ..end(&posted) };
    assert_eq!(refusal(staff.end_posting(stale).await), (Code::Aborted, "ETAG_MISMATCH".into()));
    let early = Some(moment(site.clock.now() - Duration::hours(1)));
    let early = pb::EndPostingRequest { end_time: early, ..end(&posted) };
    assert_eq!(wrong_fields(staff.end_posting(early).await), ["end_time"]);
    site.clock.advance(Duration::minutes(30));
    let request = pb::EndPostingRequest { etag: posted.etag.clone(), ..end(&posted) };
    let ended = staff.end_posting(request).await.expect("ended").into_inner();
    assert_eq!((ended.end_time, ended.end_reason.as_str()), (Some(moment(site.clock.now())), "轮岗"));
    assert_eq!(
        refusal(staff.end_posting(end(&posted)).await),
        (Code::FailedPrecondition, "POSTING_ENDED".into())
    );
    let found = staff.get_posting(pb::GetPostingRequest { name: posted.name.clone() }).await;
    assert_eq!(found.expect("kept").into_inner(), ended);
    let again = new_posting(&member, GRID, pb::PostingRole::GridMember);
    staff.create_posting(again).await.expect("an ended posting is in nobody's way");
}

#[tokio::test]
async fn postings_are_found_by_area_person_and_role() {
    let (site, mut staff) = start().await;
    let (zhang, li) = (member(&mut staff, "张三").await, member(&mut staff, "李四").await);
    let wanted = [
        (&zhang, GRID, pb::PostingRole::GridChief),
        (&li, GRID, pb::PostingRole::GridMember),
        (&li, "410182002011", pb::PostingRole::Doctor),
        (&li, "410182", pb::PostingRole::PoliceOfficer),
    ];
    let mut names = Vec::new();
    for (member, code, role) in wanted {
        site.clock.advance(Duration::milliseconds(1));
        names.push(
            staff.create_posting(new_posting(member, code, role)).await.expect("posted").into_inner().name,
        );
    }
    staff
        .end_posting(pb::EndPostingRequest {
            name: names[1].clone(),
            reason: "离任".into(),
            ..Default::default()
        })
        .await
        .expect("ended");
    let all = pb::ListPostingsRequest { parent: DISTRICT.into(), ..Default::default() };
    let community = pb::ListPostingsRequest { area: area("410182002011"), ..all.clone() };
    let chief = pb::PostingRole::GridChief.into();
    let expected = [
        (all.clone(), vec![0, 2, 3]),
        (pb::ListPostingsRequest { show_ended: true, ..all.clone() }, vec![0, 1, 2, 3]),
        (community.clone(), vec![0, 2]),
        (pb::ListPostingsRequest { show_ended: true, staff_member: li.clone(), ..community }, vec![1, 2]),
        (pb::ListPostingsRequest { role: chief, ..all.clone() }, vec![0]),
        (pb::ListPostingsRequest { staff_member: li, ..all.clone() }, vec![2, 3]),
    ];
    for (request, places) in expected {
        let found = staff.list_postings(request.clone()).await.expect("a page").into_inner().postings;
        let found = found.into_iter().map(|p| p.name).collect::<Vec<_>>();
        assert_eq!(
            found,
            places.iter().map(|i: &usize| names[*i].clone()).collect::<Vec<_>>(),
            "{request:?}"
        );
    }
    let first = staff.list_postings(pb::ListPostingsRequest { page_size: 2, ..all.clone() }).await;
    let page_token = first.expect("a page").into_inner().next_page_token;
    let second = staff.list_postings(pb::ListPostingsRequest { page_size: 2, page_token, ..all }).await;
    let second = second.expect("a page").into_inner();
    assert_eq!((second.postings.len(), second.postings[0].name.as_str()), (1, names[3].as_str()));
    assert_eq!(second.next_page_token, "");
}

#[tokio::test]
async fn one_active_posting_and_one_chief() {
    let (site, mut staff) = start().await;
    let zhang = member(&mut staff, "张三").await;
    let calls = (0..6).map(|_| {
        let (mut staff, zhang) = (StaffServiceClient::new(site.administrator()), zhang.clone());
        tokio::spawn(
            async move { staff.create_posting(new_posting(&zhang, GRID, pb::PostingRole::Doctor)).await },
        )
    });
    assert_eq!(winners(calls.collect(), "POSTING_EXISTS").await, 1);
    let mut candidates = Vec::new();
    for i in 0..6 {
        candidates.push(member(&mut staff, &format!("候选{i}")).await);
    }
    let calls = candidates.into_iter().map(|candidate| {
        let mut staff = StaffServiceClient::new(site.administrator());
        tokio::spawn(async move {
            staff.create_posting(new_posting(&candidate, GRID, pb::PostingRole::GridChief)).await
        })
    });
    assert_eq!(winners(calls.collect(), "POSTING_EXISTS").await, 1);
    let request = pb::ListPostingsRequest { parent: DISTRICT.into(), show_ended: true, ..Default::default() };
    let all = staff.list_postings(request).await.expect("a page").into_inner().postings;
    assert_eq!(all.len(), 2);
}

#[tokio::test]
async fn what_does_not_fit_is_refused() {
    let (site, mut staff) = start().await;
    let zhang = member(&mut staff, "张三").await;
    let missing =
        |field: &str| (Code::FailedPrecondition, "REFERENCE_MISSING".to_owned(), Some(field.to_owned()));
    let nobody = format!("{DISTRICT}/staff/{}", request_id());
    let member_role = pb::PostingRole::GridMember;
    let refused = [
        (new_posting(&nobody, GRID, member_role), missing("posting.staff_member")),
        (new_posting(&zhang, "410182099", member_role), missing("posting.area")),
    ];
    for (request, expected) in refused {
        let (code, reason) = refusal(staff.create_posting(request.clone()).await);
        assert_eq!((code, reason, metadata(staff.create_posting(request).await, "field")), expected);
    }
    let mut request =
        new_posting("districts/410183/staff/00000000-0000-7000-8000-000000000001", GRID, member_role);
    let posting = request.posting.as_mut().expect("given");
    posting.area = "districts/410183/areas/410183".into();
    posting.planned_end_time = Some(moment(site.clock.now() - Duration::days(1)));
    let mut fields = wrong_fields(staff.create_posting(request).await);
    fields.sort();
    assert_eq!(fields, ["posting.area", "posting.planned_end_time", "posting.staff_member"]);
}
