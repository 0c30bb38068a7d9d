//! Duties and assessments, model → wire.

use jingwei_proto::business_environment_monitor::v1 as pb;

use super::{name, time};
use crate::model::appointment::Appointment;
use crate::model::appointment::duty::Days;
use crate::store::duty::{Assessment, Delivered};

/// What one appointment owed and delivered in a year.
pub struct Duty {
    /// The appointment.
    pub appointment: Appointment,
    /// The year.
    pub year: i32,
    /// The periods that are owed, each with what was delivered in it.
    pub periods: Vec<(Days, i64)>,
    /// How many items are owed in each.
    pub quota: u32,
    /// What the person delivered in the year.
    pub delivered: Option<Delivered>,
    /// The assessment, where there is one.
    pub assessment: Option<Assessment>,
}

impl Duty {
    /// How many of the periods are fulfilled.
    pub fn fulfilled(&self) -> usize {
        self.periods.iter().filter(|(_, items)| *items >= i64::from(self.quota)).count()
    }
}

/// A duty on the wire.
pub fn write(duty: &Duty) -> pb::Duty {
    let (appointment, delivered) = (&duty.appointment, duty.delivered.as_ref());
    let period = |(days, items): &(Days, i64)| pb::DutyPeriod {
        first_date: days.first.to_string(),
        last_date: days.last.to_string(),
        owed: i32::try_from(duty.quota).unwrap_or(i32::MAX),
        delivered: small(*items),
    };
    pb::Duty {
        name: name::duty(appointment.district, appointment.id, duty.year),
        person: appointment.nomination.person.clone(),
        role: appointment.nomination.role.clone(),
        periods: duty.periods.iter().map(period).collect(),
        fulfilled_periods: i32::try_from(duty.fulfilled()).unwrap_or(i32::MAX),
        items: delivered.map_or(0, |one| small(one.items)),
        items_behind_issues: delivered.map_or(0, |one| small(one.promoted)),
        visits: delivered.map_or(0, |one| small(one.visits)),
        experiences: delivered.map_or(0, |one| small(one.experiences)),
        assessment: duty.assessment.as_ref().map(assessment),
    }
}

fn assessment(assessment: &Assessment) -> pb::DutyAssessment {
    pb::DutyAssessment {
        grade: i32::from(assessment.grade),
        comment: assessment.comment.clone(),
        assessor: assessment.assessor.clone(),
        create_time: Some(time::write(assessment.create_time)),
        owed_periods: assessment.owed_periods,
        fulfilled_periods: assessment.fulfilled_periods,
    }
}

fn small(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
