//! The calendar service.

use jingwei_kit::caller::{self, Caller};
use jingwei_kit::etag;
use jingwei_kit::status::Violations;
use jingwei_proto::business_environment_monitor::v1 as pb;
use jingwei_proto::business_environment_monitor::v1::calendar_service_server::CalendarService;
use sqlx::PgConnection;
use tonic::{Request, Response, Status};

use super::core::{Asked, Core};
use super::wire::{calendar as wire, name};
use crate::error::Error;
use crate::store::calendar as store;

/// The calendar service.
#[derive(Clone)]
pub struct CalendarHandlers(pub Core);

impl CalendarHandlers {
    async fn get(&self, request: &pb::GetWorkCalendarRequest) -> Result<pb::WorkCalendar, Error> {
        let district = name::read_district("name", &request.name)?;
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
        let district = name::read_district("work_calendar.name", &given.name)?;
        let mut violations = Violations::new();
        let calendar = wire::read(&given, &mut violations);
        violations.finish()?;
        let calendar = calendar.ok_or(Error::CalendarMissing)?;
        let (method, request_id) = ("UpdateWorkCalendar", request.request_id.as_str());
        let asked = Asked { caller, district, method, request, request_id };
        let update = async |conn: &mut PgConnection| {
            let last = store::get(&mut *conn, district).await?.map_or(0, |(version, _)| version);
            etag::check(&given.etag, last)?;
            if !store::put(conn, district, last + 1, &calendar).await? {
                return Err(etag::mismatch(last + 1).into());
            }
            Ok((given.name.clone(), wire::write(district, last + 1, &calendar)))
        };
        self.0.change(asked, update).await
    }
}

#[tonic::async_trait]
impl CalendarService for CalendarHandlers {
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
        let caller = caller::of(&request);
        Ok(Response::new(self.update(&caller, request.get_ref()).await?))
    }
}
