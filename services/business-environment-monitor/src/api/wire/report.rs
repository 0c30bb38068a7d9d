//! Confidential reports: model ↔ wire. States are numbered from 1 in the order of the model's.

use jingwei_kit::etag;
use jingwei_proto::business_environment_monitor::v1 as pb;

use super::{name, time as moment, transfer};
use crate::model::report::{About, Person, Report};

/// A report on the wire, as the person sees it.
pub fn write(report: &Report, person: Person<'_>) -> pb::ConfidentialReport {
    let (district, receiver) = (report.district, report.receiver);
    let about = match &report.about {
        About::Office => format!("districts/{district}/{OFFICE}"),
        About::Department(code) => name::department(district, code),
    };
    pb::ConfidentialReport {
        name: name::report(district, report.id),
        about,
        receiver: transfer::write_receiver(receiver).into(),
        key: name::receiver_key(district, receiver, report.key),
        sealed_content_sha256: report.content_hash.clone(),
        own: report.is_by(person),
        create_time: Some(moment::write(report.submitted)),
        state: report.state as i32 + 1,
        acknowledge_time: moment::write_option(report.acknowledged),
        return_time: moment::write_option(report.returned),
        return_reason: report.return_reason.map(transfer::write_reason).unwrap_or_default().into(),
        etag: etag::of(report.version),
    }
}

/// What the office is called in the field `about`.
const OFFICE: &str = "businessEnvironmentOffice";

/// Whom the field `about` names; `None` for another district's.
pub fn read_about(about: &str, district: i32) -> Option<About> {
    let unit = about.strip_prefix(&format!("districts/{district}/"))?;
    match unit.strip_prefix("departments/") {
        Some(code) => Some(About::Department(code.to_owned())),
        None => (unit == OFFICE).then_some(About::Office),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::report::State;

    #[test]
    fn states_are_numbered_as_on_the_wire() {
        for state in State::ALL {
            let wire = pb::ConfidentialReportState::try_from(state as i32 + 1).expect("in the enum");
            assert_eq!(wire.as_str_name().trim_start_matches("CONFIDENTIAL_REPORT_STATE_"), state.code());
        }
    }

    #[test]
    fn about_is_a_department_or_the_office_of_the_district() {
        let housing = Some(About::Department("housing".to_owned()));
        assert_eq!(read_about("districts/410183/departments/housing", 410_183), housing);
        assert_eq!(read_about("districts/410183/businessEnvironmentOffice", 410_183), Some(About::Office));
        assert_eq!(read_about("districts/410182/departments/housing", 410_183), None);
        assert_eq!(read_about("districts/410183/court", 410_183), None);
    }
}
