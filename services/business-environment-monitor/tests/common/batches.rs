//! Batches of monitors, from the nominations to the certificates.

use jingwei_proto::access::v1::Role;
use jingwei_proto::business_environment_monitor::v1 as pb;
use jingwei_proto::business_environment_monitor::v1::appointment_service_client::AppointmentServiceClient;

use super::{DISTRICT, Session, Site};

pub(crate) type Appointments = AppointmentServiceClient<Session>;

pub(crate) const SUPERVISOR: &str = "special-supervisor";
pub(crate) const EXPERIENCER: &str = "market-experiencer";
pub(crate) const WISDOM: &str = "wisdom-supervisor";

pub(crate) fn office(site: &Site) -> Appointments {
    AppointmentServiceClient::new(site.session("li", &[(Role::BusinessEnvironmentOffice, DISTRICT)]))
}

/// The request of this type that acts on a resource and says no more.
macro_rules! on {
    ($request:ident, $name:expr) => {
        pb::$request { name: $name.to_owned(), ..Default::default() }
    };
}
#[allow(unused_imports, reason = "no test file needs all of it")]
pub(crate) use on;

/// A batch that takes nominations for three roles.
pub(crate) async fn opened(site: &Site) -> String {
    let roles = [SUPERVISOR, EXPERIENCER, WISDOM].map(str::to_owned).to_vec();
    let request =
        pb::CreateBatchRequest {
            parent: DISTRICT.into(), title: "首批".into(), roles, ..Default::default()
        };
    let batch = office(site).create_batch(request).await.expect("prepared").into_inner();
    assert_eq!(batch.state(), pb::BatchState::Draft);
    office(site).open_batch(on!(OpenBatchRequest, batch.name)).await.expect("opened").into_inner().name
}

pub(crate) fn nomination(batch: &str, person: &str, role: &str) -> pb::CreateAppointmentRequest {
    let group = match role {
        SUPERVISOR => "人大代表",
        EXPERIENCER => "青年学生",
        _ => "高级技工",
    };
    pb::CreateAppointmentRequest {
        parent: batch.to_owned(),
        person: person.to_owned(),
        role: role.to_owned(),
        mode: pb::NominationMode::Invitation.into(),
        group: group.to_owned(),
        ..Default::default()
    }
}

pub(crate) async fn nominated(site: &Site, batch: &str, person: &str, role: &str) -> pb::Appointment {
    let made = office(site).create_appointment(nomination(batch, person, role)).await;
    made.expect("nominated").into_inner()
}

pub(crate) async fn members(site: &Site, batch: &str) -> Vec<pb::Appointment> {
    let request =
        pb::ListAppointmentsRequest { parent: batch.to_owned(), page_size: 200, ..Default::default() };
    office(site).list_appointments(request).await.expect("a list").into_inner().appointments
}

pub(crate) async fn publicise(site: &Site, batch: &str) {
    let request = pb::PubliciseBatchRequest { working_days: 5, ..on!(PubliciseBatchRequest, batch) };
    office(site).publicise_batch(request).await.expect("publicised");
}

/// Vets everybody of a batch that takes nominations, publicises and approves them.
pub(crate) async fn approved(site: &Site, batch: &str) {
    let mut office = office(site);
    office.vet_batch(on!(VetBatchRequest, batch)).await.expect("nominations ended");
    for member in members(site, batch).await {
        office.vet_appointment(on!(VetAppointmentRequest, member.name)).await.expect("vetted");
    }
    publicise(site, batch).await;
    // Five working days from a Monday at nine: the end of the next Monday.
    site.clock.set(site.clock.now() + time::Duration::days(7) + time::Duration::minutes(510));
    self::office(site).approve_batch(on!(ApproveBatchRequest, batch)).await.expect("approved");
}

pub(crate) fn certify(batch: &str, first_date: &str) -> pb::CertifyBatchRequest {
    pb::CertifyBatchRequest { first_date: first_date.to_owned(), ..on!(CertifyBatchRequest, batch) }
}

/// What anybody is told of a certificate.
pub(crate) async fn status(site: &Site, certificate: &str) -> pb::CertificateStatus {
    let mut anybody = AppointmentServiceClient::new(site.anonymous());
    let told = anybody
        .get_certificate(pb::GetCertificateRequest { name: certificate.to_owned() })
        .await
        .expect("told");
    told.into_inner().status()
}
