//! The statistics service: counts of events by area and level.

use std::collections::HashMap;

use jingwei_kit::clock::Clock;
use jingwei_kit::page::Page;
use jingwei_kit::status::Violations;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::statistics_service_server::StatisticsService;
use sqlx::PgPool;
use time::Date;
use time::macros::format_description;
use tonic::{Request, Response, Status};

use super::wire::name;
use crate::error::Error;
use crate::model::area::AreaCode;
use crate::model::count::Metric;
use crate::store;
use crate::store::count::{Period, read};

/// The statistics service.
#[derive(Clone)]
pub struct Statistics {
    /// The database.
    pub pool: PgPool,
    /// The time: names are those of now.
    pub clock: Clock,
}

impl Statistics {
    async fn area(&self, request: &pb::GetAreaCountsRequest) -> Result<pb::AreaCounts, Error> {
        let area = name::read_area(&request.name)?;
        let period = period(&request.from_date, &request.to_date)?;
        let mut connection = self.pool.acquire().await?;
        let named = store::area::names(&mut *connection, area.district(), &[area], self.clock.now()).await?;
        let name = named.into_iter().next().ok_or_else(|| Error::NotFound { name: request.name.clone() })?;
        let counts = read(&mut connection, area.district(), &[area.to_string()], period).await?;
        let counts: HashMap<i32, i64> = counts.into_iter().map(|c| (c.metric, c.count)).collect();
        Ok(write(area, name.1, &counts))
    }

    async fn children(
        &self,
        request: &pb::ListAreaCountsRequest,
    ) -> Result<pb::ListAreaCountsResponse, Error> {
        let parent = name::read_area(&request.parent)?;
        let page = Page::<String>::of(request, 50, 200)?;
        let period = period(&request.from_date, &request.to_date)?;
        let mut connection = self.pool.acquire().await?;
        let after = page.after.clone().unwrap_or_default();
        let (depth, now) = (i16::from(parent.depth()) + 1, self.clock.now());
        let mut areas =
            store::area::list(&mut *connection, parent, Some(depth), &after, now, page.limit()).await?;
        let next_page_token = page.cut(&mut areas, |area| area.code.to_string());
        let codes: Vec<String> = areas.iter().map(|area| area.code.to_string()).collect();
        let mut counts: HashMap<String, HashMap<i32, i64>> = HashMap::new();
        for count in read(&mut connection, parent.district(), &codes, period).await? {
            counts.entry(count.area).or_default().insert(count.metric, count.count);
        }
        let none = HashMap::new();
        let area_counts = areas.into_iter().map(|area| {
            let counts = counts.get(&area.code.to_string()).unwrap_or(&none);
            write(area.code, area.display_name, counts)
        });
        Ok(pb::ListAreaCountsResponse { area_counts: area_counts.collect(), next_page_token })
    }
}

fn write(area: AreaCode, display_name: String, counts: &HashMap<i32, i64>) -> pb::AreaCounts {
    let of = |metric: Metric| counts.get(&metric.code()).copied().unwrap_or(0);
    let levels = (0..=4).map(|depth| (depth, of(Metric::AcceptedAt(depth)))).filter(|(_, count)| *count > 0);
    let ended = of(Metric::Closed) + of(Metric::Rejected) + of(Metric::Voided) + of(Metric::Merged);
    pb::AreaCounts {
        area: name::area(area),
        display_name,
        reported: of(Metric::Reported),
        accepted: of(Metric::Accepted),
        accepted_by_level: levels
            .map(|(depth, count)| pb::LevelCount {
                depth: depth.into(),
                level_name: super::wire::area::level_name(depth).to_owned(),
                level_name_en: super::wire::area::level_name_en(depth).to_owned(),
                count,
            })
            .collect(),
        rejected: of(Metric::Rejected),
        registered: of(Metric::Registered),
        voided: of(Metric::Voided),
        dispatched: of(Metric::Dispatched),
        returned: of(Metric::Returned),
        closed: of(Metric::Closed),
        self_settled: of(Metric::SelfSettled),
        reworked: of(Metric::Reworked),
        reopened: of(Metric::Reopened),
        merged: of(Metric::Merged),
        overdue: of(Metric::Overdue),
        open: of(Metric::Reported) - ended,
    }
}

fn period(from: &str, to: &str) -> Result<Period, Error> {
    let mut violations = Violations::new();
    let mut read = |field: &str, text: &str| {
        let date = Date::parse(text, format_description!("[year]-[month]-[day]")).ok();
        if date.is_none() && !text.is_empty() {
            violations.add(field, "date", "没有这一天；格式为 YYYY-MM-DD", "is no date: YYYY-MM-DD");
        }
        date
    };
    let period = Period { from: read("from_date", from), to: read("to_date", to) };
    if let (Some(from), Some(to)) = (period.from, period.to)
        && from > to
    {
        violations.add("to_date", "order", "不能早于 from_date", "must not be before from_date");
    }
    violations.finish()?;
    Ok(period)
}

#[tonic::async_trait]
impl StatisticsService for Statistics {
    async fn get_area_counts(
        &self,
        request: Request<pb::GetAreaCountsRequest>,
    ) -> Result<Response<pb::AreaCounts>, Status> {
        Ok(Response::new(self.area(request.get_ref()).await?))
    }

    async fn list_area_counts(
        &self,
        request: Request<pb::ListAreaCountsRequest>,
    ) -> Result<Response<pb::ListAreaCountsResponse>, Status> {
        Ok(Response::new(self.children(request.get_ref()).await?))
    }
}
