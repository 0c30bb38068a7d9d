//! Visits, experiences and market information over the API: who may bring in what, and what an item goes through.

mod common;

use common::batches::on;
use common::information::{experience, item, visit};
use common::{DISTRICT, Site, refusal, request_id, wrong_fields};
use jingwei_proto::access::v1::Role;
use jingwei_proto::business_environment_monitor::v1 as pb;
use jingwei_proto::business_environment_monitor::v1::appointment_service_client::AppointmentServiceClient;
use time::macros::datetime;
use tonic::Code;

const STEEL: &str = "districts/410183/enterprises/91350100M000100Y43";
const UNKNOWN: &str = "districts/410183/infoItems/019ce000-0000-7000-8000-000000000001";

#[tokio::test]
async fn visits_and_experiences_are_recorded_and_found() {
    let site = Site::with_monitors(&["zhang", "sun"]).await;
    site.enter(STEEL).await;
    let mut zhang = site.informant("zhang");
    let request = pb::CreateVisitRequest { request_id: request_id(), enterprise: STEEL.into(), ..visit() };
    let first = zhang.create_visit(request.clone()).await.expect("recorded").into_inner();
    assert_eq!(zhang.create_visit(request).await.expect("the first answer").into_inner(), first);
    assert_eq!(
        (first.person.as_str(), first.kind(), first.date.as_str()),
        ("zhang", pb::VisitKind::Shop, "2026-03-16")
    );
    assert_eq!((first.companions.len(), first.enterprise.as_str()), (1, STEEL));
    site.clock.set(datetime!(2026-03-18 09:00 +8));
    let mut zhang = site.informant("zhang");
    for date in ["2026-03-17", "2026-03-18"] {
        zhang.create_visit(pb::CreateVisitRequest { date: date.into(), ..visit() }).await.expect("recorded");
    }
    site.informant("sun").create_visit(visit()).await.expect("recorded");
    let gone = site.informant("sun").create_experience(experience()).await.expect("recorded").into_inner();
    assert_eq!((gone.minutes_waited, gone.passed, gone.kind()), (25, true, pb::ExperienceKind::InPerson));

    let list = |person: &str, enterprise: &str, from_date: &str, to_date: &str| pb::ListVisitsRequest {
        parent: DISTRICT.into(),
        person: person.into(),
        enterprise: enterprise.into(),
        from_date: from_date.into(),
        to_date: to_date.into(),
        ..Default::default()
    };
    let mut office = site.informed();
    for (request, expected) in [
        (list("", "", "", ""), ["2026-03-18", "2026-03-17", "2026-03-16", "2026-03-16"].as_slice()),
        (list("zhang", "", "", ""), &["2026-03-18", "2026-03-17", "2026-03-16"]),
        (list("", STEEL, "", ""), &["2026-03-16"]),
        (list("zhang", STEEL, "2026-03-17", ""), &[]),
        (list("", "", "2026-03-17", "2026-03-17"), &["2026-03-17"]),
        (list("sun", "", "", "2026-03-15"), &[]),
    ] {
        // One by one, so that each page has its next.
        let (mut days, mut token) = (Vec::new(), String::new());
        loop {
            let page = pb::ListVisitsRequest { page_size: 1, page_token: token, ..request.clone() };
            let page = office.list_visits(page).await.expect("a page").into_inner();
            days.extend(page.visits.into_iter().map(|one| one.date));
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(days, expected, "{request:?}");
    }
    // A monitor sees their own; somebody else's is not there.
    let own = zhang.list_visits(list("", "", "", "")).await.expect("own").into_inner().visits;
    assert!(own.len() == 3 && own.iter().all(|one| one.person == "zhang"));
    let others = zhang.list_visits(list("sun", "", "", "")).await;
    assert_eq!(refusal(others), (Code::PermissionDenied, "PERMISSION_DENIED".into()));
    let others = zhang.get_experience(pb::GetExperienceRequest { name: gone.name.clone() }).await;
    assert_eq!(refusal(others), (Code::NotFound, "NOT_FOUND".into()));
    let as_visit = gone.name.replace("experiences", "visits");
    assert_eq!(
        refusal(office.get_visit(pb::GetVisitRequest { name: as_visit.clone() }).await).0,
        Code::NotFound
    );
    assert_eq!(
        office
            .get_experience(pb::GetExperienceRequest { name: gone.name.clone() })
            .await
            .expect("read")
            .into_inner(),
        gone
    );
    let listed = pb::ListExperiencesRequest { parent: DISTRICT.into(), ..Default::default() };
    assert_eq!(office.list_experiences(listed).await.expect("read").into_inner().experiences, [gone]);
}

#[tokio::test]
async fn it_takes_an_active_appointment() {
    let site = Site::with_monitors(&["zhang"]).await;
    let refused = (Code::FailedPrecondition, "NOT_ACTIVE_MONITOR".to_owned());
    let mut stranger = site.informant("wu");
    assert_eq!(refusal(stranger.create_visit(visit()).await), refused);
    assert_eq!(refusal(stranger.create_experience(experience()).await), refused);
    assert_eq!(refusal(stranger.create_info_item(item()).await), refused);
    let mut zhang = site.informant("zhang");
    let on_day = |date: &str| pb::CreateVisitRequest { date: date.into(), ..visit() };
    assert_eq!(refusal(zhang.create_visit(on_day("2026-03-15")).await), refused, "the day before the first");
    assert_eq!(wrong_fields(zhang.create_visit(on_day("2026-03-17")).await), ["date"], "tomorrow");
    assert_eq!(wrong_fields(zhang.create_visit(on_day("2026-02-30")).await), ["date"], "no day");
    let blank = pb::CreateExperienceRequest { window: " ".into(), ..experience() };
    assert_eq!(wrong_fields(zhang.create_experience(blank).await), ["window"]);
    let unknown = pb::CreateVisitRequest { enterprise: STEEL.into(), ..visit() };
    assert_eq!(refusal(zhang.create_visit(unknown).await), (Code::NotFound, "NOT_FOUND".into()));
    let elsewhere = pb::CreateVisitRequest { enterprise: STEEL.replace("410183", "410182"), ..visit() };
    assert_eq!(wrong_fields(zhang.create_visit(elsewhere).await), ["enterprise"]);
    zhang.create_visit(visit()).await.expect("recorded");

    // The last day counts, the next does not, nor what is told of the last one then.
    site.clock.set(datetime!(2028-03-15 23:59 +8));
    site.informant("zhang").create_visit(on_day("2028-03-15")).await.expect("recorded");
    site.clock.set(datetime!(2028-03-16 00:00 +8));
    assert_eq!(refusal(site.informant("zhang").create_visit(on_day("2028-03-15")).await), refused);
}

#[tokio::test]
async fn who_is_suspended_brings_nothing_in() {
    let site = Site::with_calendar().await;
    let appointment = site.appoint(&["zhang"]).await.remove(0);
    site.clock.set(datetime!(2026-03-16 09:00 +8));
    site.sweep().await.once().await.expect("the term begins");
    let session = site.session("li", &[(Role::BusinessEnvironmentOffice, DISTRICT)]);
    let mut appointments = AppointmentServiceClient::new(session);
    let suspend = pb::SuspendAppointmentRequest {
        reason: "外出学习".into(),
        ..on!(SuspendAppointmentRequest, appointment)
    };
    appointments.suspend_appointment(suspend).await.expect("suspended");
    let mut zhang = site.informant("zhang");
    let refused = (Code::FailedPrecondition, "NOT_ACTIVE_MONITOR".to_owned());
    assert_eq!(refusal(zhang.create_info_item(item()).await), refused);
    let back = pb::ReinstateAppointmentRequest {
        reason: "已返回".into(),
        ..on!(ReinstateAppointmentRequest, appointment)
    };
    appointments.reinstate_appointment(back).await.expect("reinstated");
    zhang.create_info_item(item()).await.expect("collected");
}

#[tokio::test]
async fn an_item_comes_from_an_own_visit_and_says_what_has_to_be_said() {
    let site = Site::with_monitors(&["zhang", "sun"]).await;
    let (mut zhang, mut sun) = (site.informant("zhang"), site.informant("sun"));
    let seen = zhang.create_visit(visit()).await.expect("recorded").into_inner().name;
    let gone = zhang.create_experience(experience()).await.expect("recorded").into_inner().name;
    for source in [&seen, &gone] {
        let from = pb::CreateInfoItemRequest { source: source.clone(), ..item() };
        let made = zhang.create_info_item(from.clone()).await.expect("collected").into_inner();
        assert_eq!((&made.source, made.state()), (source, pb::InfoItemState::Collected));
        assert_eq!(
            refusal(sun.create_info_item(from).await),
            (Code::NotFound, "NOT_FOUND".into()),
            "not Sun's"
        );
    }
    let as_other = pb::CreateInfoItemRequest { source: seen.replace("visits", "experiences"), ..item() };
    assert_eq!(refusal(zhang.create_info_item(as_other).await).0, Code::NotFound);
    let rival = pb::CreateInfoItemRequest { about_competitor: true, ..item() };
    let silent = zhang.create_info_item(rival.clone()).await;
    assert_eq!(refusal(silent), (Code::FailedPrecondition, "DISCLOSURE_MISSING".into()));
    let said = pb::CreateInfoItemRequest { disclosure: "同行业经营者".into(), ..rival };
    let said = zhang.create_info_item(said).await.expect("collected").into_inner();
    assert_eq!(said.disclosure, "同行业经营者");
    let blank = pb::CreateInfoItemRequest { text: "\n".into(), ..item() };
    assert_eq!(wrong_fields(zhang.create_info_item(blank).await), ["text"]);
    let request = pb::CreateInfoItemRequest { request_id: request_id(), ..item() };
    let first = zhang.create_info_item(request.clone()).await.expect("collected").into_inner();
    assert_eq!(zhang.create_info_item(request).await.expect("the first answer").into_inner(), first);
    assert_eq!(site.counts().await.collected_count, 4, "a repeat is no second item");
}

#[tokio::test]
async fn an_item_goes_its_way_and_the_records_tell_it() {
    let site = Site::with_monitors(&["zhang", "sun"]).await;
    let mut office = site.informed();
    let fresh = site.collected("zhang").await;
    let early = office.note_info_item(on!(NoteInfoItemRequest, fresh.name)).await;
    assert_eq!(refusal(early), (Code::FailedPrecondition, "WRONG_STATE".into()));
    let triage = pb::TriageInfoItemRequest {
        text: "属实".into(),
        etag: fresh.etag.clone(),
        request_id: request_id(),
        ..on!(TriageInfoItemRequest, fresh.name)
    };
    let triaged = office.triage_info_item(triage.clone()).await.expect("triaged").into_inner();
    assert_eq!(
        office.triage_info_item(triage.clone()).await.expect("the first answer").into_inner(),
        triaged
    );
    let stale = pb::TriageInfoItemRequest { request_id: String::new(), ..triage };
    assert_eq!(refusal(office.triage_info_item(stale).await), (Code::Aborted, "ETAG_MISMATCH".into()));
    let note =
        pb::NoteInfoItemRequest { text: "留作参考".into(), ..on!(NoteInfoItemRequest, fresh.name) };
    let noted = office.note_info_item(note).await.expect("noted").into_inner();
    assert_eq!((noted.state(), noted.decision.as_str()), (pb::InfoItemState::Noted, "留作参考"));
    let rejected = site.triaged("sun").await.name;
    let reject = |reason: &str| pb::RejectInfoItemRequest {
        reason: reason.into(),
        ..on!(RejectInfoItemRequest, rejected)
    };
    assert_eq!(wrong_fields(office.reject_info_item(reject("  ")).await), ["reason"]);
    let told = office.reject_info_item(reject("已解决")).await.expect("rejected").into_inner();
    assert_eq!((told.state(), told.decision.as_str()), (pb::InfoItemState::Rejected, "已解决"));

    let own = |action, who: &str| (action, who.to_owned());
    assert_eq!(
        site.item_history(&fresh.name).await,
        [own("COLLECT", "zhang"), own("TRIAGE", "li"), own("NOTE", "li")]
    );
    // Monitors read their own, and nobody reads what does not exist.
    let mut zhang = site.informant("zhang");
    let records = |name: &str| pb::ListInfoItemRecordsRequest { parent: name.into(), ..Default::default() };
    let read = zhang.list_info_item_records(records(&fresh.name)).await.expect("own").into_inner().records;
    assert_eq!(
        (read.len(), read[1].text.as_str(), read[1].action_display_name.as_str()),
        (3, "属实", "初审")
    );
    for name in [rejected.as_str(), UNKNOWN] {
        assert_eq!(refusal(zhang.list_info_item_records(records(name)).await).0, Code::NotFound);
        assert_eq!(
            refusal(zhang.get_info_item(pb::GetInfoItemRequest { name: name.to_owned() }).await).0,
            Code::NotFound
        );
    }
    let gone = office.triage_info_item(on!(TriageInfoItemRequest, UNKNOWN)).await;
    assert_eq!(refusal(gone), (Code::NotFound, "NOT_FOUND".into()));
    let list = pb::ListInfoItemsRequest { parent: DISTRICT.into(), ..Default::default() };
    let names =
        |rows: pb::ListInfoItemsResponse| rows.info_items.into_iter().map(|row| row.name).collect::<Vec<_>>();
    let own = zhang.list_info_items(list.clone()).await.expect("own").into_inner();
    assert_eq!(names(own), [&*fresh.name]);
    let others = pb::ListInfoItemsRequest { collector: "sun".into(), ..list.clone() };
    assert_eq!(refusal(zhang.list_info_items(others.clone()).await).0, Code::PermissionDenied);
    let of_sun = office.list_info_items(others).await.expect("read").into_inner();
    assert_eq!(names(of_sun), [&*rejected]);
    let noted = pb::ListInfoItemsRequest { state: pb::InfoItemState::Noted.into(), ..list.clone() };
    assert_eq!(names(office.list_info_items(noted).await.expect("read").into_inner()), [&*fresh.name]);
    let page = pb::ListInfoItemsRequest { page_size: 1, ..list };
    let first = office.list_info_items(page.clone()).await.expect("a page").into_inner();
    let next = pb::ListInfoItemsRequest { page_token: first.next_page_token.clone(), ..page };
    let second = office.list_info_items(next).await.expect("a page").into_inner();
    assert_eq!([names(first), names(second)], [[rejected], [fresh.name]]);
}

#[tokio::test]
async fn who_collected_it_does_not_decide_on_it() {
    let site = Site::with_monitors(&["zhang"]).await;
    let item = site.collected("zhang").await.name;
    let mut in_office = site.information("zhang", Role::BusinessEnvironmentOffice);
    let own = in_office.triage_info_item(on!(TriageInfoItemRequest, item)).await;
    assert_eq!(refusal(own), (Code::FailedPrecondition, "OWN_ITEM".into()));
}

#[tokio::test]
async fn what_the_database_cannot_hold_is_refused() {
    let site = Site::with_monitors(&["zhang"]).await;
    let mut zhang = site.informant("zhang");
    let nul = "有\u{0}字";
    let text = pb::CreateInfoItemRequest { text: nul.into(), ..item() };
    assert_eq!(refusal(zhang.create_info_item(text).await).0, Code::InvalidArgument);
    let companion = pb::CreateVisitRequest { companions: vec![nul.into()], ..visit() };
    assert_eq!(refusal(zhang.create_visit(companion).await).0, Code::InvalidArgument);
    let person = pb::ListVisitsRequest { parent: DISTRICT.into(), person: nul.into(), ..Default::default() };
    assert_eq!(refusal(site.informed().list_visits(person).await).0, Code::InvalidArgument);
    // Before all calendars, and at their end.
    let (from_date, to_date) = ("0000-01-01".to_owned(), "9999-12-31".to_owned());
    let all = pb::ListVisitsRequest { parent: DISTRICT.into(), from_date, to_date, ..Default::default() };
    assert_eq!(site.informed().list_visits(all).await.expect("none").into_inner().visits, []);
    let early = pb::CreateVisitRequest { date: "0000-01-01".into(), ..visit() };
    assert_eq!(refusal(zhang.create_visit(early).await).1, "NOT_ACTIVE_MONITOR");
}
