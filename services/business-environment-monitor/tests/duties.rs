//! Duties of monitors: what is owed and delivered comes out of the records, and is assessed once a year.

mod common;

use common::batches::{office, on};
use common::information::visit;
use common::{DISTRICT, Session, Site, refusal, request_id, wrong_fields};
use futures::future::join_all;
use jingwei_proto::access::v1::Role;
use jingwei_proto::business_environment_monitor::v1 as pb;
use jingwei_proto::business_environment_monitor::v1::duty_service_client::DutyServiceClient;
use time::macros::datetime;
use tonic::Code;

fn duties(site: &Site, who: &str, role: Role) -> DutyServiceClient<Session> {
    DutyServiceClient::new(site.session(who, &[(role, DISTRICT)]))
}

async fn listed(site: &Site, who: &str, role: Role, year: i32) -> Vec<pb::Duty> {
    let request = pb::ListDutiesRequest { parent: DISTRICT.into(), year, ..Default::default() };
    duties(site, who, role).list_duties(request).await.expect("duties").into_inner().duties
}

fn assess(name: &str, grade: pb::DutyGrade) -> pb::AssessDutyRequest {
    pb::AssessDutyRequest {
        name: name.to_owned(),
        grade: grade.into(),
        comment: "积极履职".into(),
        request_id: request_id(),
    }
}

/// Zhang collects two items a month until May; Wang collects nothing. Both owe two a month.
#[tokio::test]
async fn what_is_owed_and_delivered_comes_out_of_the_records() {
    let site = Site::with_monitors(&["zhang", "wang"]).await;
    for now in
        [datetime!(2026-03-20 09:00 +8), datetime!(2026-04-20 09:00 +8), datetime!(2026-05-20 09:00 +8)]
    {
        site.clock.set(now);
        site.collected("zhang").await;
        site.collected("zhang").await;
    }
    site.informant("zhang").create_visit(visit()).await.expect("visited");
    site.clock.set(datetime!(2026-07-01 00:00 +8));
    let all = listed(&site, "li", Role::BusinessEnvironmentOffice, 2026).await;
    assert_eq!(all.len(), 2);
    let own = listed(&site, "zhang", Role::Monitor, 2026).await;
    let [own] = &own[..] else { panic!("their own only") };
    let told: Vec<_> = own
        .periods
        .iter()
        .map(|period| (period.first_date.as_str(), period.owed, period.delivered))
        .collect();
    assert_eq!(
        told,
        [("2026-04-01", 2, 2), ("2026-05-01", 2, 2), ("2026-06-01", 2, 0)],
        "March is not whole"
    );
    assert_eq!((own.fulfilled_periods, own.items, own.visits, own.items_behind_issues), (2, 6, 1, 0));
    let wang = all.iter().find(|duty| duty.person == "wang").expect("the other");
    assert_eq!((wang.periods.len(), wang.fulfilled_periods, wang.items), (3, 0, 0));
    assert!(listed(&site, "li", Role::BusinessEnvironmentOffice, 2025).await.is_empty());
}

#[tokio::test]
async fn a_suspension_takes_its_months_off() {
    let site = Site::with_calendar().await;
    let name = site.appoint(&["zhang"]).await.remove(0);
    let reason = || "外出学习".to_owned();
    site.clock.set(datetime!(2026-04-30 09:00 +8));
    site.sweep().await.once().await.expect("swept");
    let suspend = pb::SuspendAppointmentRequest { reason: reason(), ..on!(SuspendAppointmentRequest, name) };
    office(&site).suspend_appointment(suspend).await.expect("suspended");
    site.clock.set(datetime!(2026-05-31 09:00 +8));
    let back = pb::ReinstateAppointmentRequest { reason: reason(), ..on!(ReinstateAppointmentRequest, name) };
    office(&site).reinstate_appointment(back).await.expect("reinstated");
    site.clock.set(datetime!(2026-07-01 09:00 +8));
    let own = listed(&site, "zhang", Role::Monitor, 2026).await.remove(0);
    let first: Vec<_> = own.periods.iter().map(|period| period.first_date.as_str()).collect();
    assert_eq!(first, ["2026-06-01"]);
}

#[tokio::test]
async fn of_eight_who_assess_a_year_one_does_and_the_figures_stay() {
    let site = Site::with_monitors(&["zhang"]).await;
    site.clock.set(datetime!(2026-12-31 09:00 +8));
    let name = listed(&site, "li", Role::BusinessEnvironmentOffice, 2026).await.remove(0).name;
    let replica = site.replica().await;
    let calls = (0..8).map(|i| {
        let mut office = duties([&site, &replica][i % 2], "li", Role::BusinessEnvironmentOffice);
        let request = assess(&name, pb::DutyGrade::NotQualified);
        async move { office.assess_duty(request).await }
    });
    let (won, lost): (Vec<_>, Vec<_>) = join_all(calls).await.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 7));
    assert!(lost.into_iter().all(|answer| refusal(answer) == (Code::AlreadyExists, "ALREADY_EXISTS".into())));
    site.clock.set(datetime!(2027-02-01 09:00 +8));
    let duty = listed(&site, "zhang", Role::Monitor, 2026).await.remove(0);
    let assessment = duty.assessment.expect("assessed");
    assert_eq!(
        (assessment.grade(), assessment.owed_periods, duty.periods.len()),
        (pb::DutyGrade::NotQualified, 8, 9)
    );

    let mut office = duties(&site, "li", Role::BusinessEnvironmentOffice);
    for year in ["2025", "2028"] {
        let wrong = assess(&name.replace("2026", year), pb::DutyGrade::Qualified);
        assert_eq!(wrong_fields(office.assess_duty(wrong).await), ["name"], "{year}");
    }
    let unknown = name.replace("appointments/0", "appointments/f");
    let missing = office.assess_duty(assess(&unknown, pb::DutyGrade::Qualified)).await;
    assert_eq!(refusal(missing), (Code::NotFound, "NOT_FOUND".into()));
}
