//! What becomes of appointments with time, what stands on record of them, and how a batch is composed.

mod common;

use common::batches::{
    EXPERIENCER, SUPERVISOR, WISDOM, approved, certify, members, nominated, nomination, office, on, opened,
};
use common::{DISTRICT, Site, refusal};
use futures::future::join_all;
use jingwei_business_environment_monitor::sweep::Sweep;
use jingwei_proto::access::v1::Role;
use jingwei_proto::business_environment_monitor::v1 as pb;
use jingwei_proto::business_environment_monitor::v1::appointment_service_client::AppointmentServiceClient;
use jingwei_proto::business_environment_monitor::v1::enterprise_service_client::EnterpriseServiceClient;
use time::OffsetDateTime;
use time::macros::datetime;
use tonic::Code;

/// Two years from the first day, both included: active on the first morning, over on the morning after the last day, each told once
/// however many replicas sweep; a renewal joins without a gap.
#[tokio::test]
async fn terms_begin_and_end_on_their_days() {
    let site = Site::with_calendar_at(datetime!(2024-03-04 09:00 +8)).await;
    let batch = opened(&site).await;
    let first = nominated(&site, &batch, "zhang", SUPERVISOR).await;
    approved(&site, &batch).await;
    office(&site).certify_batch(certify(&batch, "2024-03-18")).await.expect("certified");
    let sweeps = join_all((0..3).map(|_| site.sweep())).await;
    swept(&site, &sweeps, datetime!(2024-03-17 23:59:59 +8), 0).await;
    assert_eq!(states(&site, &[&batch]).await, ["APPROVED"]);
    swept(&site, &sweeps, datetime!(2024-03-18 00:00 +8), 1).await;
    assert_eq!(states(&site, &[&batch]).await, ["ACTIVE"]);

    site.clock.set(datetime!(2026-03-02 09:00 +8));
    let next = opened(&site).await;
    let renewal =
        pb::CreateAppointmentRequest { renews: first.name, ..nomination(&next, "zhang", SUPERVISOR) };
    office(&site).create_appointment(renewal).await.expect("nominated");
    approved(&site, &next).await;
    office(&site).certify_batch(certify(&next, "2026-03-18")).await.expect("certified");
    swept(&site, &sweeps, datetime!(2026-03-17 23:59:59 +8), 0).await;
    assert_eq!(states(&site, &[&batch, &next]).await, ["ACTIVE", "APPROVED"]);
    swept(&site, &sweeps, datetime!(2026-03-18 00:00 +8), 2).await;
    assert_eq!(states(&site, &[&batch, &next]).await, ["EXPIRED", "ACTIVE"]);
    swept(&site, &sweeps, datetime!(2028-03-18 08:00 +8), 1).await;
    assert_eq!(states(&site, &[&batch, &next]).await, ["EXPIRED", "EXPIRED"]);
}

/// All replicas sweep at once at that time, and make so many changes between them.
async fn swept(site: &Site, sweeps: &[Sweep], now: OffsetDateTime, changes: usize) {
    site.clock.set(now);
    let done = join_all(sweeps.iter().map(Sweep::once)).await;
    let done: usize = done.into_iter().map(|done| done.expect("swept")).sum();
    assert_eq!(done, changes, "{now}");
}

/// The state of the first appointment of each batch.
async fn states(site: &Site, batches: &[&str]) -> Vec<&'static str> {
    let mut states = Vec::new();
    for batch in batches {
        let state = members(site, batch).await[0].state();
        states.push(state.as_str_name().trim_start_matches("APPOINTMENT_STATE_"));
    }
    states
}

#[tokio::test]
async fn what_was_done_with_an_appointment_is_read_in_order_and_by_the_person() {
    let site = Site::with_calendar().await;
    let batch = opened(&site).await;
    let zhang = nominated(&site, &batch, "zhang", SUPERVISOR).await.name;
    approved(&site, &batch).await;
    office(&site).certify_batch(certify(&batch, "2026-03-16")).await.expect("certified");
    swept(&site, &[site.sweep().await], datetime!(2026-03-16 00:00 +8), 1).await;
    let reason = "外出学习".to_owned();
    let suspend = pb::SuspendAppointmentRequest { reason, ..on!(SuspendAppointmentRequest, zhang) };
    office(&site).suspend_appointment(suspend).await.expect("suspended");

    let as_monitor =
        |who: &str| AppointmentServiceClient::new(site.session(who, &[(Role::Monitor, DISTRICT)]));
    let (mut own, mut read, mut token) = (as_monitor("zhang"), Vec::new(), String::new());
    loop {
        let request =
            pb::ListAppointmentRecordsRequest { parent: zhang.clone(), page_size: 3, page_token: token };
        let page = own.list_appointment_records(request).await.expect("records").into_inner();
        read.extend(page.records);
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    let actions: Vec<_> = read.iter().map(|record| record.action.as_str()).collect();
    assert_eq!(actions, ["NOMINATE", "VET", "PUBLICISE", "APPROVE", "CERTIFY", "BEGIN", "SUSPEND"]);
    for (version, (record, next)) in (1..).zip(read.iter().zip(&read[1..])) {
        assert_eq!((record.version, record.to_state), (version, next.from_state), "{}", record.name);
    }
    let last = &read[6];
    assert_eq!((last.actor.as_str(), last.reason.as_str()), ("li", "外出学习"));
    assert_eq!((last.action_display_name.as_str(), read[5].actor.as_str()), ("暂停履职", "system"));

    let parent = zhang.clone();
    let request = pb::ListAppointmentRecordsRequest { parent, ..Default::default() };
    let others = as_monitor("wang").list_appointment_records(request).await;
    assert_eq!(refusal(others), (Code::NotFound, "NOT_FOUND".into()));
}

/// Four people of two roles against a register of four enterprises in two streets.
#[tokio::test]
async fn the_composition_of_a_batch_is_compared_with_the_register() {
    let site = Site::with_calendar().await;
    for (code, industry, street) in [
        ("91350100M000100Y43", "C", "410183001"),
        ("91330100799655058B", "C", "410183001"),
        ("914403001922038216", "C", "410183002"),
        ("9144030071526726XG", "F", "410183002"),
    ] {
        registered(&site, code, industry, street).await;
    }
    let batch = opened(&site).await;
    for (person, role, group, reason, industry, street) in [
        ("zhang", SUPERVISOR, "人大代表", "", "C34", "410183001"),
        ("wang", SUPERVISOR, "人大代表", "", "F", "410183002"),
        ("zhao", SUPERVISOR, "出租车司机", "熟悉窗口服务", "", ""),
        ("qian", EXPERIENCER, "青年学生", "", "", ""),
    ] {
        let nomination = pb::CreateAppointmentRequest {
            group: group.into(),
            exception_reason: reason.into(),
            industry: industry.into(),
            street_code: street.into(),
            ..nomination(&batch, person, role)
        };
        office(&site).create_appointment(nomination).await.expect("nominated");
    }
    let sun = nominated(&site, &batch, "sun", WISDOM).await.name;
    let reason = "本人谢绝".to_owned();
    office(&site).vet_batch(on!(VetBatchRequest, batch)).await.expect("nominations ended");
    let decline = pb::DeclineAppointmentRequest { reason, ..on!(DeclineAppointmentRequest, sun) };
    office(&site).decline_appointment(decline).await.expect("declined");

    let asked = pb::GetCompositionRequest { name: format!("{batch}/composition") };
    let report = office(&site).get_composition(asked.clone()).await.expect("a report").into_inner();
    let total = report.total.expect("a total");
    assert_eq!((total.people, total.exceptions, total.groups_covered), (4, 1, 2));
    assert_eq!(total.groups[0], pb::GroupCount { group: "人大代表".into(), people: 2 });
    // Half and half against three quarters and one quarter: 1 − ½(¼ + ¼).
    assert_eq!((total.representation, total.balance), (Some(0.75), Some(1.0)));
    let roles: Vec<_> = report.roles.iter().map(|role| role.role.as_str()).collect();
    assert_eq!(roles, [SUPERVISOR, EXPERIENCER, WISDOM]);
    let people = report.roles.iter().map(|role| role.figures.as_ref().expect("figures").people);
    assert_eq!(people.collect::<Vec<_>>(), [3, 1, 0]);

    let missing = asked.name.replace("/batches/0", "/batches/f");
    let refused = office(&site).get_composition(pb::GetCompositionRequest { name: missing }).await;
    assert_eq!(refusal(refused), (Code::NotFound, "NOT_FOUND".into()));
}

async fn registered(site: &Site, code: &str, industry: &str, street: &str) {
    let mut register =
        EnterpriseServiceClient::new(site.session("li", &[(Role::BusinessEnvironmentOffice, DISTRICT)]));
    let enterprise = pb::Enterprise {
        name: format!("{DISTRICT}/enterprises/{code}"),
        display_name: code.into(),
        industry: industry.into(),
        street: street.into(),
        ..Default::default()
    };
    let request = pb::CreateEnterpriseRequest {
        parent: DISTRICT.into(),
        enterprise: Some(enterprise),
        ..Default::default()
    };
    register.create_enterprise(request).await.expect("registered");
}
