//! The calendar service.

use jingwei_kit::caller::{self, Caller};
use jingwei_kit::etag;
use jingwei_kit::status::Violations;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::calendar_service_server::CalendarService;
use jingwei_work_calendar::{Calendar, due, measure};
use sqlx::PgConnection;
use tonic::{Request, Response, Status};

use super::core::{Asked, Core};
use super::wire::{calendar as wire, limit, name, time as wire_time};
use crate::error::Error;
use crate::model::refusal::Refusal;
use crate::store::calendar as store;

/// The calendar service.
#[derive(Clone)]
pub struct Calendars(pub Core);

impl Calendars {
    async fn load(&self, name: &str) -> Result<(i32, i64, Calendar), Error> {
        let district = name::read_district(name)?;
        let (version, calendar) = store::get(&self.0.pool, district).await?.ok_or(Error::CalendarMissing)?;
        Ok((district, version, calendar))
    }

    async fn get(&self, request: &pb::GetWorkCalendarRequest) -> Result<pb::WorkCalendar, Error> {
        let district = name::read_district(&request.name)?;
        let found = store::get(&self.0.pool, district).await?;
        let (version, calendar) = found.ok_or_else(|| Error::NotFound { name: request.name.clone() })?;
        Ok(wire::write(district, version, &calendar))
    }

    async fn update(
        &self,
        caller: &Caller,
        request: &pb::UpdateWorkCalendarRequest,
    ) -> Result<pb::WorkCalendar, Error> {
        let given = request.work_calendar.clone().unwrap_or_default();
        let district = name::read_district(&given.name)?;
        let mut violations = Violations::new();
        let calendar = wire::read(&given, &mut violations);
        violations.finish()?;
        let asked = Asked {
            caller,
            district,
            method: "UpdateWorkCalendar",
            request,
            request_id: &request.request_id,
        };
        let update = async |conn: &mut PgConnection| {
            let last = store::get(&mut *conn, district).await?.map_or(0, |(version, _)| version);
            etag::check(&given.etag, last)?;
            let calendar = calendar.ok_or(Error::CalendarMissing)?;
            if !store::put(conn, district, last + 1, &calendar).await? {
                return Err(etag::mismatch(last + 1).into());
            }
            Ok((given.name.clone(), wire::write(district, last + 1, &calendar)))
        };
        self.0.change(asked, update).await
    }

    async fn compute(
        &self,
        request: &pb::ComputeDeadlineRequest,
    ) -> Result<pb::ComputeDeadlineResponse, Error> {
        let mut violations = Violations::new();
        let start = wire_time::read("start_time", request.start_time.as_ref(), &mut violations);
        let limit = limit::read("limit", request.limit.as_ref(), &mut violations);
        violations.finish()?;
        let (Some(start), Some(limit)) = (start, limit) else { return Err(Error::CalendarMissing) };
        let (_, _, calendar) = self.load(&request.name).await?;
        let due = due(&calendar, start, limit).map_err(Refusal::from)?;
        let minutes = measure(&calendar, limit.unit, start, due).map_err(Refusal::from)?;
        Ok(pb::ComputeDeadlineResponse { due_time: Some(wire_time::write(due)), minutes })
    }

    async fn count(
        &self,
        request: &pb::CountWorkingDaysRequest,
    ) -> Result<pb::CountWorkingDaysResponse, Error> {
        let (_, _, calendar) = self.load(&request.name).await?;
        let days = calendar.working_days(request.year).map_err(Refusal::from)?;
        Ok(pb::CountWorkingDaysResponse { working_days: i32::try_from(days).unwrap_or(i32::MAX) })
    }
}

#[tonic::async_trait]
impl CalendarService for Calendars {
    async fn get_work_calendar(
        &self,
        request: Request<pb::GetWorkCalendarRequest>,
    ) -> Result<Response<pb::WorkCalendar>, Status> {
        Ok(Response::new(self.get(request.get_ref()).await?))
    }

    async fn update_work_calendar(
        &self,
        request: Request<pb::UpdateWorkCalendarRequest>,
    ) -> Result<Response<pb::WorkCalendar>, Status> {
        Ok(Response::new(self.update(&caller::of(&request), request.get_ref()).await?))
    }

    async fn compute_deadline(
        &self,
        request: Request<pb::ComputeDeadlineRequest>,
    ) -> Result<Response<pb::ComputeDeadlineResponse>, Status> {
        Ok(Response::new(self.compute(request.get_ref()).await?))
    }

    async fn count_working_days(
        &self,
        request: Request<pb::CountWorkingDaysRequest>,
    ) -> Result<Response<pb::CountWorkingDaysResponse>, Status> {
        Ok(Response::new(self.count(request.get_ref()).await?))
    }
}
