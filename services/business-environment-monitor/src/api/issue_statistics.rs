//! The issue statistics service: sums of what was counted as it happened.

use jingwei_kit::caller::{self, Caller};
use jingwei_kit::status::{Violations, invalid};
use jingwei_proto::business_environment_monitor::v1 as pb;
use jingwei_proto::business_environment_monitor::v1::issue_statistics_service_server::IssueStatisticsService;
use tonic::{Request, Response, Status};

use super::actors;
use super::core::Core;
use super::issue_list::whose;
use super::wire::{appointment, issue_statistics as wire, name};
use crate::error::Error;
use crate::store::issue_list::Whose;
use crate::store::issue_statistics::{self as store, Wanted};

/// The issue statistics service.
#[derive(Clone)]
pub struct Statistics(pub Core);

impl Statistics {
    async fn get(
        &self,
        caller: &Caller,
        request: &pb::GetIssueStatisticsRequest,
    ) -> Result<pb::IssueStatistics, Error> {
        let district = name::read_district("parent", &request.parent)?;
        let mut violations = Violations::new();
        let asked = name::read_department("department", &request.department, district, &mut violations);
        let mut date = |field: &str, text: &str| {
            (!text.is_empty()).then(|| appointment::read_date(field, text, &mut violations)).flatten()
        };
        let (from, to) = (date("from_date", &request.from_date), date("to_date", &request.to_date));
        if from > to && to.is_some() {
            let (zh, en) = ("不能早于 from_date", "must not be before from_date");
            violations.add("to_date", "date", zh, en);
        }
        let dimension = wire::read_dimension(request.dimension());
        violations.finish()?;
        let department = match whose(&actors::of(caller, district), asked)? {
            Whose::Department(code) => Some(code),
            Whose::Everyone | Whose::Submitter(_) => None,
        };
        if department.is_some() && dimension.is_tag() {
            let (zh, en) =
                ("指标和任务只按全区县统计", "indicators and tasks are counted for the whole district only");
            return Err(invalid("dimension", "dimension", zh, en).into());
        }
        let wanted = Wanted { district, from, to, department, dimension };
        let (sums, states) = tokio::try_join!(
            store::sums(&self.0.pool, &wanted),
            store::states(&self.0.pool, district, wanted.department.as_deref()),
        )?;
        Ok(wire::write(&wanted, sums, &states))
    }
}

#[tonic::async_trait]
impl IssueStatisticsService for Statistics {
    async fn get_issue_statistics(
        &self,
        request: Request<pb::GetIssueStatisticsRequest>,
    ) -> Result<Response<pb::IssueStatistics>, Status> {
        Ok(Response::new(self.get(&caller::of(&request), request.get_ref()).await?))
    }
}
