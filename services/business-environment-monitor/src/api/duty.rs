//! The duty service: what monitors owe and deliver in a year, and its assessment.

use std::collections::HashMap;

use jingwei_kit::caller::{self, Caller};
use jingwei_kit::page::Page;
use jingwei_kit::status::invalid;
use jingwei_proto::business_environment_monitor::v1 as pb;
use jingwei_proto::business_environment_monitor::v1::duty_service_server::DutyService;
use sqlx::PgConnection;
use time::{Date, Month};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::core::{Asked, Core};
use super::repeat::violates;
use super::wire::duty::{self as wire, Duty};
use super::wire::name;
use super::{actors, batch};
use crate::error::Error;
use crate::model::actor::Role;
use crate::model::appointment::Appointment;
use crate::model::appointment::batch::Refusal;
use crate::model::appointment::duty::{Days, in_office, owed};
use crate::model::local_day;
use crate::store::duty::{self as store, Assessment};

/// The duty service.
#[derive(Clone)]
pub struct Duties(pub Core);

impl Duties {
    async fn list(
        &self,
        caller: &Caller,
        request: &pb::ListDutiesRequest,
    ) -> Result<pb::ListDutiesResponse, Error> {
        let district = name::read_district("parent", &request.parent)?;
        let page = Page::<Uuid>::of(request, 50, 200)?;
        let grants = actors::of(caller, district);
        let office = grants.iter().any(|actor| actor.role == Role::Office);
        let own = grants.first().map(|actor| actor.subject.as_str()).ok_or(Refusal::NotAllowed)?;
        let person = (!office).then_some(own);
        let (days, after) = (days_of(request.year)?, page.after.unwrap_or(Uuid::nil()));
        let mut rows =
            store::appointments(&self.0.pool, district, person, days, (after, page.limit())).await?;
        let next_page_token = page.cut(&mut rows, |appointment| appointment.id);
        let duties = self.duties(district, request.year, rows).await?;
        Ok(pb::ListDutiesResponse { duties: duties.iter().map(wire::write).collect(), next_page_token })
    }

    /// The duties of appointments, by a query for each kind of record.
    async fn duties(
        &self,
        district: i32,
        year: i32,
        appointments: Vec<Appointment>,
    ) -> Result<Vec<Duty>, Error> {
        let (pool, (from, to), today) = (&self.0.pool, days_of(year)?, local_day(self.0.clock.now()));
        let ids: Vec<Uuid> = appointments.iter().map(|appointment| appointment.id).collect();
        let persons: Vec<String> =
            appointments.iter().map(|appointment| appointment.nomination.person.clone()).collect();
        let items = store::items(pool, district, &persons, from, to).await?;
        let turns = store::turns(pool, district, &ids).await?;
        let delivered = store::delivered(pool, district, from, to).await?;
        let mut delivered: HashMap<_, _> =
            delivered.into_iter().map(|one| (one.person.clone(), one)).collect();
        let assessments = store::assessments(pool, district, &ids, year).await?;
        let mut assessments: HashMap<_, _> =
            assessments.into_iter().map(|one| (one.appointment, one)).collect();
        let duty = |appointment: Appointment| {
            let role = batch::ROLES.iter().find(|role| role.code == appointment.nomination.role)?;
            let person = &appointment.nomination.person;
            let of_it: Vec<_> =
                turns.iter().filter(|(id, _)| *id == appointment.id).map(|(_, turn)| *turn).collect();
            let owed = owed(role.duty_period, year, &in_office(appointment.tenure?, &of_it), today)?;
            let collected = |days: Days| {
                let within = items.iter().filter(|(who, day, _)| who == person && days.contains(*day));
                (days, within.map(|(_, _, count)| count).sum())
            };
            Some(Duty {
                year,
                periods: owed.into_iter().map(collected).collect(),
                quota: role.duty_items,
                delivered: delivered.remove(person),
                assessment: assessments.remove(&appointment.id),
                appointment,
            })
        };
        Ok(appointments.into_iter().filter_map(duty).collect())
    }

    async fn assess(&self, caller: &Caller, request: &pb::AssessDutyRequest) -> Result<pb::Duty, Error> {
        let (district, id, year) = name::read_duty("name", &request.name)?;
        let actor = batch::actor(caller, district)?;
        if actor.role != Role::Office {
            return Err(Refusal::NotAllowed.into());
        }
        let now = self.0.clock.now();
        let ((first, last), missing) = (days_of(year)?, || Error::NotFound { name: request.name.clone() });
        let found = crate::store::appointment::get(&self.0.pool, district, id).await?.ok_or_else(missing)?;
        let has_days = found.tenure.is_some_and(|tenure| tenure.first <= last && tenure.last >= first);
        if !has_days || first > local_day(now) {
            let (zh, en) =
                ("须为聘期内、不晚于今年的年份", "must be a year of the term, and not one to come");
            return Err(invalid("name", "year", zh, en).into());
        }
        let duty = self.duties(district, year, vec![found]).await?.pop().ok_or_else(missing)?;
        let assessment = Assessment {
            appointment: id,
            grade: i16::try_from(request.grade).unwrap_or(0),
            comment: request.comment.clone(),
            assessor: actor.subject,
            create_time: now,
            owed_periods: i32::try_from(duty.periods.len()).unwrap_or(i32::MAX),
            fulfilled_periods: i32::try_from(duty.fulfilled()).unwrap_or(i32::MAX),
        };
        let answer = wire::write(&Duty { assessment: Some(assessment.clone()), ..duty });
        let (method, request_id) = ("AssessDuty", request.request_id.as_str());
        let asked = Asked { caller, district, method, request, request_id };
        let assess =
            async |conn: &mut PgConnection| match store::assess(conn, district, year, &assessment).await {
                Err(error) if violates(&error, "duty_assessment_pkey") => {
                    Err(Error::AlreadyExists { name: request.name.clone() })
                }
                done => Ok(done.map(|()| (request.name.clone(), answer))?),
            };
        self.0.change(asked, assess).await
    }
}

/// The first and the last day of a year.
fn days_of(year: i32) -> Result<(Date, Date), Error> {
    let day = |month, day| Date::from_calendar_date(year, month, day);
    let days = day(Month::January, 1).and_then(|first| Ok((first, day(Month::December, 31)?)));
    days.map_err(|_| invalid("year", "year", "没有这一年", "there is no such year").into())
}

#[tonic::async_trait]
impl DutyService for Duties {
    async fn list_duties(
        &self,
        request: Request<pb::ListDutiesRequest>,
    ) -> Result<Response<pb::ListDutiesResponse>, Status> {
        Ok(Response::new(self.list(&caller::of(&request), request.get_ref()).await?))
    }

    async fn assess_duty(
        &self,
        request: Request<pb::AssessDutyRequest>,
    ) -> Result<Response<pb::Duty>, Status> {
        Ok(Response::new(self.assess(&caller::of(&request), request.get_ref()).await?))
    }
}
