//! The tag service: indicators, and the tasks of a year.

use jingwei_kit::caller::{self, Caller};
use jingwei_kit::etag;
use jingwei_kit::page::Page;
use jingwei_proto::business_environment_monitor::v1 as pb;
use jingwei_proto::business_environment_monitor::v1::tag_service_server::TagService;
use sqlx::PgConnection;
use tonic::{Request, Response, Status};

use super::core::{Asked, Core};
use super::wire::name;
use crate::error::Error;
use crate::model::indicator::{INDICATORS, Indicator};
use crate::store::year_tasks as store;

/// The tag service.
#[derive(Clone)]
pub struct Tags(pub Core);

impl Tags {
    fn indicators(request: &pb::ListIndicatorsRequest) -> Result<pb::ListIndicatorsResponse, Error> {
        let page = Page::<u8>::of(request, 50, 200)?;
        let after = page.after.unwrap_or(0);
        let mut rows: Vec<&Indicator> = INDICATORS.iter().filter(|row| row.number > after).collect();
        let next_page_token = page.cut(&mut rows, |row| row.number);
        let indicator = |row: &&Indicator| pb::Indicator {
            number: row.number.into(),
            display_name: row.chinese.to_owned(),
            display_name_en: row.english.to_owned(),
            life_cycle: row.life_cycle,
        };
        Ok(pb::ListIndicatorsResponse { indicators: rows.iter().map(indicator).collect(), next_page_token })
    }

    async fn tasks(&self, request: &pb::GetYearTasksRequest) -> Result<pb::YearTasks, Error> {
        let (district, year) = name::read_year_tasks("name", &request.name)?;
        let found = store::get(&self.0.pool, district, year).await?;
        let (version, tasks) = found.ok_or_else(|| Error::NotFound { name: request.name.clone() })?;
        Ok(pb::YearTasks { name: request.name.clone(), tasks, etag: etag::of(version) })
    }

    async fn update(
        &self,
        caller: &Caller,
        request: &pb::UpdateYearTasksRequest,
    ) -> Result<pb::YearTasks, Error> {
        let given = request.year_tasks.clone().unwrap_or_default();
        let (district, year) = name::read_year_tasks("year_tasks.name", &given.name)?;
        let (method, request_id) = ("UpdateYearTasks", request.request_id.as_str());
        let asked = Asked { caller, district, method, request, request_id };
        let update = async |conn: &mut PgConnection| {
            let last = store::get(&mut *conn, district, year).await?.map_or(0, |(version, _)| version);
            etag::check(&given.etag, last)?;
            if !store::put(conn, (district, year), last + 1, &given.tasks).await? {
                return Err(etag::mismatch(last + 1).into());
            }
            Ok((given.name.clone(), pb::YearTasks { etag: etag::of(last + 1), ..given.clone() }))
        };
        self.0.change(asked, update).await
    }
}

#[tonic::async_trait]
impl TagService for Tags {
    async fn list_indicators(
        &self,
        request: Request<pb::ListIndicatorsRequest>,
    ) -> Result<Response<pb::ListIndicatorsResponse>, Status> {
        Ok(Response::new(Self::indicators(request.get_ref())?))
    }

    async fn get_year_tasks(
        &self,
        request: Request<pb::GetYearTasksRequest>,
    ) -> Result<Response<pb::YearTasks>, Status> {
        Ok(Response::new(self.tasks(request.get_ref()).await?))
    }

    async fn update_year_tasks(
        &self,
        request: Request<pb::UpdateYearTasksRequest>,
    ) -> Result<Response<pb::YearTasks>, Status> {
        Ok(Response::new(self.update(&caller::of(&request), request.get_ref()).await?))
    }
}
