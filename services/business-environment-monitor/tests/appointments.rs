//! Batches and appointments over the API: from the nomination to a certificate that anybody can check, and what happens once only.

mod common;

use common::batches::{
    EXPERIENCER, SUPERVISOR, WISDOM, approved, certify, members, nominated, nomination, office, on, opened,
    publicise, status,
};
use common::{DISTRICT, Site, refusal, request_id, wrong_fields};
use futures::future::join_all;
use jingwei_proto::access::v1::Role;
use jingwei_proto::business_environment_monitor::v1 as pb;
use jingwei_proto::business_environment_monitor::v1::appointment_service_client::AppointmentServiceClient;
use time::macros::datetime;
use tonic::Code;

#[tokio::test]
async fn a_batch_goes_from_nominations_to_certificates_that_hold_for_their_term() {
    let site = Site::with_calendar().await;
    let batch = opened(&site).await;
    let (zhang, wang) =
        (nominated(&site, &batch, "zhang", SUPERVISOR).await, nominated(&site, &batch, "wang", WISDOM).await);
    approved(&site, &batch).await;
    assert_eq!((zhang.state(), zhang.certificate.as_str()), (pb::AppointmentState::Nominated, ""));
    let certified = office(&site).certify_batch(certify(&batch, "2026-03-16")).await.expect("certified");
    assert_eq!(certified.into_inner().state(), pb::BatchState::Certified);
    let all = members(&site, &batch).await;
    let numbers: Vec<_> = all.iter().map(|one| one.certificate.clone()).collect();
    assert_eq!(numbers, [1, 2].map(|i| format!("{DISTRICT}/certificates/410183-2026-{i:06}")));
    assert!(all.iter().all(|one| one.last_date == "2028-03-15"), "two years, both days included");

    assert_eq!(status(&site, &numbers[0]).await, pb::CertificateStatus::NotYetValid);
    let none = format!("{DISTRICT}/certificates/410183-2026-000003");
    let refused = AppointmentServiceClient::new(site.anonymous())
        .get_certificate(pb::GetCertificateRequest { name: none.clone() })
        .await;
    assert_eq!(refusal(refused), (Code::NotFound, "NOT_FOUND".into()));
    for (now, expected) in [
        (datetime!(2026-03-16 00:00 +8), pb::CertificateStatus::Valid),
        (datetime!(2028-03-15 23:59 +8), pb::CertificateStatus::Valid),
        (datetime!(2028-03-16 00:00 +8), pb::CertificateStatus::Revoked),
    ] {
        site.clock.set(now);
        assert_eq!(status(&site, &numbers[0]).await, expected, "{now}");
    }
    let mut own = AppointmentServiceClient::new(site.session("wang", &[(Role::Monitor, DISTRICT)]));
    let seen = own
        .get_appointment(pb::GetAppointmentRequest { name: wang.name.clone() })
        .await
        .expect("own")
        .into_inner();
    assert_eq!(seen.person, "wang");
    let others = own.get_appointment(pb::GetAppointmentRequest { name: zhang.name.clone() }).await;
    assert_eq!(refusal(others), (Code::NotFound, "NOT_FOUND".into()));
}

#[tokio::test]
async fn who_is_suspended_dismissed_or_resigns_has_no_valid_certificate() {
    let site = Site::with_calendar().await;
    let batch = opened(&site).await;
    for person in ["zhang", "wang"] {
        nominated(&site, &batch, person, SUPERVISOR).await;
    }
    approved(&site, &batch).await;
    office(&site).certify_batch(certify(&batch, "2026-03-02")).await.expect("certified");
    let all = members(&site, &batch).await;
    assert!(all.iter().all(|one| one.state() == pb::AppointmentState::Active), "the day has come");
    let of = |person: &str| all.iter().find(|one| one.person == person).expect("a member");
    let (zhang, wang) = (of("zhang"), of("wang"));
    let mut office = office(&site);
    let reason = || "外出学习".to_owned();
    let suspend =
        pb::SuspendAppointmentRequest { reason: reason(), ..on!(SuspendAppointmentRequest, zhang.name) };
    office.suspend_appointment(suspend).await.expect("suspended");
    assert_eq!(status(&site, &zhang.certificate).await, pb::CertificateStatus::Revoked);
    let back =
        pb::ReinstateAppointmentRequest { reason: reason(), ..on!(ReinstateAppointmentRequest, zhang.name) };
    office.reinstate_appointment(back).await.expect("reinstated");
    assert_eq!(status(&site, &zhang.certificate).await, pb::CertificateStatus::Valid);
    let dismiss =
        pb::DismissAppointmentRequest { reason: reason(), ..on!(DismissAppointmentRequest, zhang.name) };
    office.dismiss_appointment(dismiss.clone()).await.expect("dismissed");
    assert_eq!(status(&site, &zhang.certificate).await, pb::CertificateStatus::Revoked);
    let again = office.dismiss_appointment(dismiss).await;
    assert_eq!(refusal(again), (Code::FailedPrecondition, "WRONG_STATE".into()));
    let resign =
        pb::ResignAppointmentRequest { reason: reason(), ..on!(ResignAppointmentRequest, wang.name) };
    let as_monitor =
        |who: &str| AppointmentServiceClient::new(site.session(who, &[(Role::Monitor, DISTRICT)]));
    let another = as_monitor("zhang").resign_appointment(resign.clone()).await;
    assert_eq!(refusal(another), (Code::PermissionDenied, "PERMISSION_DENIED".into()));
    let resigned = as_monitor("wang").resign_appointment(resign).await.expect("resigned").into_inner();
    assert_eq!(resigned.state(), pb::AppointmentState::Resigned);
    assert_eq!(status(&site, &wang.certificate).await, pb::CertificateStatus::Revoked);
}

#[tokio::test]
async fn an_objection_brings_a_batch_back_and_is_answered_before_it_goes_on() {
    let site = Site::with_calendar().await;
    let batch = opened(&site).await;
    let zhang = nominated(&site, &batch, "zhang", SUPERVISOR).await;
    let wang = nominated(&site, &batch, "wang", SUPERVISOR).await;
    let mut office = office(&site);
    office.vet_batch(on!(VetBatchRequest, batch)).await.expect("nominations ended");
    let early = pb::PubliciseBatchRequest { working_days: 5, ..on!(PubliciseBatchRequest, batch) };
    let early = office.publicise_batch(early).await;
    assert_eq!(refusal(early), (Code::FailedPrecondition, "NOT_VETTED".into()));
    for one in [&zhang, &wang] {
        office.vet_appointment(on!(VetAppointmentRequest, one.name)).await.expect("vetted");
    }
    publicise(&site, &batch).await;
    let soon = office.approve_batch(on!(ApproveBatchRequest, batch)).await;
    assert_eq!(refusal(soon), (Code::FailedPrecondition, "PUBLICITY_RUNNING".into()));
    let object = pb::ObjectToBatchRequest {
        text: "与举报对象有亲属关系".into(),
        appointments: vec![zhang.name.clone()],
        ..on!(ObjectToBatchRequest, batch)
    };
    let objected = office.object_to_batch(object).await.expect("recorded").into_inner();
    assert_eq!((objected.state(), objected.objections.len()), (pb::BatchState::Vetting, 1));
    let states: Vec<_> = members(&site, &batch).await.iter().map(pb::Appointment::state).collect();
    let expected = |one: &pb::Appointment| match one.name == zhang.name {
        true => pb::AppointmentState::Nominated,
        false => pb::AppointmentState::Vetted,
    };
    assert_eq!(states, members(&site, &batch).await.iter().map(expected).collect::<Vec<_>>());
    let decline = pb::DeclineAppointmentRequest {
        reason: "异议属实".into(),
        ..on!(DeclineAppointmentRequest, zhang.name)
    };
    office.decline_appointment(decline).await.expect("declined");
    let open = pb::PubliciseBatchRequest { working_days: 5, ..on!(PubliciseBatchRequest, batch) };
    let open = office.publicise_batch(open).await;
    assert_eq!(refusal(open), (Code::FailedPrecondition, "OBJECTIONS_OPEN".into()));
    let answer = pb::AnswerObjectionToBatchRequest {
        number: 1,
        text: "属实，不予聘任".into(),
        ..on!(AnswerObjectionToBatchRequest, batch)
    };
    let answered = office.answer_objection_to_batch(answer).await.expect("answered").into_inner();
    assert_eq!(answered.objections[0].answer, "属实，不予聘任");
    publicise(&site, &batch).await;
}

#[tokio::test]
async fn a_nomination_has_its_rules_and_a_renewal_joins_without_a_gap() {
    let site = Site::with_calendar().await;
    let batch = opened(&site).await;
    let mut office = office(&site);
    let outsider = pb::CreateAppointmentRequest {
        group: "媒体记者".into(),
        ..nomination(&batch, "zhao", SUPERVISOR)
    };
    assert_eq!(wrong_fields(office.create_appointment(outsider.clone()).await), ["exception_reason"]);
    let explained =
        pb::CreateAppointmentRequest { exception_reason: "长期关注营商环境".into(), ..outsider };
    office.create_appointment(explained).await.expect("nominated");
    let unit = pb::CreateAppointmentRequest {
        mode: pb::NominationMode::Unit.into(),
        ..nomination(&batch, "zhang", SUPERVISOR)
    };
    assert_eq!(wrong_fields(office.create_appointment(unit).await), ["nominated_by"]);
    assert_eq!(
        wrong_fields(office.create_appointment(nomination(&batch, "zhang", "invited-supervisor")).await),
        ["role"]
    );
    let request =
        pb::CreateAppointmentRequest { request_id: request_id(), ..nomination(&batch, "zhang", SUPERVISOR) };
    let first = office.create_appointment(request.clone()).await.expect("nominated").into_inner();
    assert_eq!(office.create_appointment(request).await.expect("the first answer").into_inner(), first);
    let twice = office.create_appointment(nomination(&batch, "zhang", SUPERVISOR)).await;
    assert_eq!(refusal(twice), (Code::FailedPrecondition, "NOMINATED_TWICE".into()));
    approved(&site, &batch).await;
    self::office(&site).certify_batch(certify(&batch, "2026-03-09")).await.expect("certified");

    site.clock.set(datetime!(2026-03-02 09:00 +8));
    let next = opened(&site).await;
    let mut office = self::office(&site);
    let silent = office.create_appointment(nomination(&next, "zhang", SUPERVISOR)).await;
    assert_eq!(refusal(silent), (Code::FailedPrecondition, "RENEWAL_MISSING".into()));
    let renewal =
        pb::CreateAppointmentRequest { renews: first.name.clone(), ..nomination(&next, "zhang", SUPERVISOR) };
    let renewed = office.create_appointment(renewal).await.expect("nominated").into_inner();
    assert_eq!((renewed.term_number, &renewed.renews), (2, &first.name));
    approved(&site, &next).await;
    self::office(&site).certify_batch(certify(&next, "2026-03-09")).await.expect("certified");
    let renewed = &members(&site, &next).await[0];
    assert_eq!((renewed.first_date.as_str(), renewed.last_date.as_str()), ("2028-03-09", "2030-03-08"));
    assert_eq!(status(&site, &renewed.certificate).await, pb::CertificateStatus::NotYetValid);
}

#[tokio::test]
async fn thirty_people_in_three_roles_get_thirty_certificates() {
    let site = Site::with_calendar().await;
    let batch = opened(&site).await;
    for i in 0..30 {
        let role = [SUPERVISOR, EXPERIENCER, WISDOM][i % 3];
        nominated(&site, &batch, &format!("person-{i}"), role).await;
    }
    approved(&site, &batch).await;
    office(&site).certify_batch(certify(&batch, "2026-03-02")).await.expect("certified");
    let all = members(&site, &batch).await;
    let mut numbers: Vec<_> = all.iter().map(|one| one.certificate.clone()).collect();
    numbers.sort();
    let expected = (1..=30).map(|i| format!("{DISTRICT}/certificates/410183-2026-{i:06}"));
    assert_eq!(numbers, expected.collect::<Vec<_>>());
    for role in [SUPERVISOR, EXPERIENCER, WISDOM] {
        assert_eq!(all.iter().filter(|one| one.role == role).count(), 10);
    }
}

#[tokio::test]
async fn of_eight_batches_that_give_one_person_one_role_one_does() {
    let site = Site::with_calendar().await;
    let mut batches = Vec::new();
    for i in 0..8 {
        site.clock.set(datetime!(2026-03-02 09:00 +8));
        let batch = opened(&site).await;
        nominated(&site, &batch, "zhang", SUPERVISOR).await;
        nominated(&site, &batch, &format!("companion-{i}"), SUPERVISOR).await;
        approved(&site, &batch).await;
        batches.push(batch);
    }
    let replica = site.replica().await;
    // Not even where the terms begin in different years.
    let calls = batches.iter().zip([2026, 2027].into_iter().cycle()).enumerate().map(|(i, (batch, year))| {
        let mut office = office(if i % 4 < 2 { &site } else { &replica });
        let request = certify(batch, &format!("{year}-04-01"));
        async move { (batch, office.certify_batch(request).await) }
    });
    let (won, lost): (Vec<_>, Vec<_>) = join_all(calls).await.into_iter().partition(|(_, one)| one.is_ok());
    assert_eq!((won.len(), lost.len()), (1, 7));
    for (batch, answer) in lost {
        assert_eq!(refusal(answer), (Code::FailedPrecondition, "ALREADY_APPOINTED".into()));
        let left = members(&site, batch).await;
        assert!(left.iter().all(|one| one.certificate.is_empty()), "to nobody of the batch");
    }
}

#[tokio::test]
async fn of_eight_who_give_the_certificates_of_a_batch_one_does() {
    let site = Site::with_calendar().await;
    let batch = opened(&site).await;
    nominated(&site, &batch, "zhang", SUPERVISOR).await;
    approved(&site, &batch).await;
    let replica = site.replica().await;
    let calls = (0..8).map(|i| {
        let mut office = office(if i % 2 == 0 { &site } else { &replica });
        let request = certify(&batch, "2026-03-09");
        async move { office.certify_batch(request).await }
    });
    let (won, lost): (Vec<_>, Vec<_>) = join_all(calls).await.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 7));
    for answer in lost {
        assert_eq!(refusal(answer), (Code::FailedPrecondition, "WRONG_STATE".into()));
    }
    let number = &members(&site, &batch).await[0].certificate;
    assert_eq!(*number, format!("{DISTRICT}/certificates/410183-2026-000001"), "none is wasted");
}
