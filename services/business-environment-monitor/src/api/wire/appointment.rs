//! Batches, appointments, certificates: model ↔ wire. States are numbered from 1 in the order of the model's.

use jingwei_kit::etag;
use jingwei_kit::status::Violations;
use jingwei_proto::business_environment_monitor::v1 as pb;
use time::Date;
use time::macros::format_description;
use uuid::Uuid;

use super::{name, time as moment};
use crate::model::appointment::batch::{Batch, Objection};
use crate::model::appointment::role::MonitorRole;
use crate::model::appointment::{Appointment, CertificateStatus, Nomination, NominationMode};
use crate::store::appointment_record::Entry;

/// A batch on the wire.
pub fn write_batch(batch: &Batch) -> pb::Batch {
    let objection = |objection: &Objection| pb::Objection {
        text: objection.text.clone(),
        appointments: objection.against.iter().map(|id| name::appointment(batch.district, *id)).collect(),
        create_time: Some(moment::write(objection.at)),
        answer: objection.answer.clone().unwrap_or_default(),
    };
    pb::Batch {
        name: name::batch(batch.district, batch.id),
        title: batch.content.title.clone(),
        roles: batch.content.roles.clone(),
        term_months: small(batch.content.term_months.unwrap_or(0)),
        state: batch.state as i32 + 1,
        publicity_end_time: moment::write_option(batch.publicity_end),
        objections: batch.objections.iter().map(objection).collect(),
        etag: etag::of(batch.version),
    }
}

/// An appointment on the wire.
pub fn write(appointment: &Appointment) -> pb::Appointment {
    let (district, nomination) = (appointment.district, &appointment.nomination);
    let tenure = appointment.tenure.as_ref();
    pb::Appointment {
        name: name::appointment(district, appointment.id),
        batch: name::batch(district, appointment.batch),
        person: nomination.person.clone(),
        role: nomination.role.clone(),
        mode: nomination.mode as i32 + 1,
        nominated_by: nomination.nominated_by.clone(),
        group: nomination.group.clone(),
        exception_reason: nomination.exception_reason.clone().unwrap_or_default(),
        renews: nomination.renews.map(|id| name::appointment(district, id)).unwrap_or_default(),
        term_number: small(appointment.term_number),
        state: appointment.state as i32 + 1,
        first_date: tenure.map(|tenure| tenure.first.to_string()).unwrap_or_default(),
        last_date: tenure.map(|tenure| tenure.last.to_string()).unwrap_or_default(),
        certificate: appointment
            .certificate
            .as_ref()
            .map(|number| name::certificate(district, number))
            .unwrap_or_default(),
        etag: etag::of(appointment.version),
    }
}

/// A record of the appointment of that name on the wire.
pub fn write_record(appointment: &str, entry: &Entry) -> pb::AppointmentRecord {
    pb::AppointmentRecord {
        name: format!("{appointment}/records/{}", entry.version),
        version: entry.version,
        action: entry.action.code().to_owned(),
        action_display_name: entry.action.chinese().to_owned(),
        action_display_name_en: entry.action.english().to_owned(),
        from_state: entry.from.map_or(0, |state| state as i32 + 1),
        to_state: entry.to as i32 + 1,
        actor: entry.subject.clone(),
        reason: entry.reason.clone(),
        create_time: Some(moment::write(entry.at)),
    }
}

/// What anybody is told of a certificate on a day; `None` where there is none.
pub fn write_certificate(
    appointment: &Appointment,
    role: Option<&MonitorRole>,
    today: Date,
) -> Option<pb::Certificate> {
    let status = match appointment.certificate_status(today)? {
        CertificateStatus::NotYetValid => pb::CertificateStatus::NotYetValid,
        CertificateStatus::Valid => pb::CertificateStatus::Valid,
        CertificateStatus::Revoked => pb::CertificateStatus::Revoked,
    };
    let tenure = appointment.tenure?;
    Some(pb::Certificate {
        name: name::certificate(appointment.district, appointment.certificate.as_ref()?),
        status: status.into(),
        role_display_name: role.map(|role| role.display_name.clone()).unwrap_or_default(),
        first_date: tenure.first.to_string(),
        last_date: tenure.last.to_string(),
    })
}

/// A nomination as given; else `None`, with what is wrong noted.
pub fn read_nomination(
    given: &pb::CreateAppointmentRequest,
    district: i32,
    violations: &mut Violations,
) -> Option<Nomination> {
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let renews = read_appointments("renews", std::slice::from_ref(&given.renews), district, violations);
    Some(Nomination {
        person: given.person.clone(),
        role: given.role.clone(),
        mode: match given.mode() {
            pb::NominationMode::Unspecified => return None,
            pb::NominationMode::Unit => NominationMode::Unit,
            pb::NominationMode::Invitation => NominationMode::Invitation,
            pb::NominationMode::Oneself => NominationMode::Oneself,
            pb::NominationMode::OpenSelection => NominationMode::OpenSelection,
        },
        nominated_by: given.nominated_by.clone(),
        group: given.group.clone(),
        exception_reason: text(&given.exception_reason),
        industry: text(&given.industry),
        street: text(&given.street_code),
        renews: renews.first().copied(),
    })
}

/// The ids of appointments of a district, the empty names left out; of others a violation is noted.
pub fn read_appointments(
    field: &str,
    names: &[String],
    district: i32,
    violations: &mut Violations,
) -> Vec<Uuid> {
    let mut ids = Vec::with_capacity(names.len());
    for name in names.iter().filter(|name| !name.is_empty()) {
        match name::read_appointment(field, name) {
            Ok((of, id)) if of == district => ids.push(id),
            _ => {
                let zh = format!("须为区县 {district} 的聘任");
                violations.add(field, "district", zh, format!("must be an appointment of {district}"));
            }
        }
    }
    ids
}

/// A day in a field; else `None`, with a violation noted.
pub fn read_date(field: &str, text: &str, violations: &mut Violations) -> Option<Date> {
    let date = Date::parse(text, format_description!("[year]-[month]-[day]"));
    if date.is_err() {
        violations.add(field, "date", "没有这一天；格式为 YYYY-MM-DD", "is no date: YYYY-MM-DD");
    }
    date.ok()
}

fn small(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
