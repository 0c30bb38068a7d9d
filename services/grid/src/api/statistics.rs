//! The statistics service: counts, rates and times of events by area and by one dimension more.

use std::collections::HashMap;

use jingwei_kit::clock::Clock;
use jingwei_kit::page::Page;
use jingwei_kit::status::{Violations, invalid};
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::statistics_service_server::StatisticsService;
use sqlx::{PgConnection, PgPool, Postgres, Transaction};
use time::{Date, OffsetDateTime};
use tonic::{Request, Response, Status};

use super::numbers::{self, Facts, Listing, Subject, facts};
use super::wire::{
    area::{level_name, level_name_en},
    name, statistics as wire,
};
use crate::error::Error;
use crate::model::area::AreaCode;
use crate::model::count::{Metric, local_day};
use crate::model::numbers::{Member, Numbers};
use crate::model::period::{Period, Step};
use crate::model::staff::PostingRole;
use crate::store;

/// The most steps of a trend.
const MAX_STEPS: usize = 400;

/// The statistics service.
#[derive(Clone)]
pub struct Statistics {
    /// The database.
    pub pool: PgPool,
    /// The time: names are those of now, and periods end today.
    pub clock: Clock,
}

/// A transaction whose reads are all of one moment. What they unnest hides from the planner how little it is: planning them
/// anew for each call, as it would, takes longer than reading.
pub(super) async fn one_moment(pool: &PgPool) -> sqlx::Result<Transaction<'static, Postgres>> {
    pool.begin_with(
        "begin isolation level repeatable read read only; set local plan_cache_mode = force_generic_plan",
    )
    .await
}

/// What narrows the numbers of an area: one member of one dimension.
struct Narrowing<'a> {
    lead: &'a str,
    category: &'a str,
    level: Option<i32>,
}

impl Statistics {
    async fn area_counts(&self, request: &pb::GetAreaCountsRequest) -> Result<pb::AreaCounts, Error> {
        let code = name::read_area(&request.name)?;
        let period = wire::read_period(&request.from_date, &request.to_date)?;
        let (mut connection, now) = (self.pool.acquire().await?, self.clock.now());
        let subject = numbers::area(&mut connection, code, now).await?;
        let subjects = with_levels(&subject);
        let facts = facts(&mut connection, &subjects, &[period], now, false).await?;
        let beside = beside(&mut connection, std::slice::from_ref(&subject), period).await?;
        Ok(write_counts(&subject, &facts, &beside))
    }

    async fn child_counts(
        &self,
        request: &pb::ListAreaCountsRequest,
    ) -> Result<pb::ListAreaCountsResponse, Error> {
        let parent = name::read_area(&request.parent)?;
        let page = Page::<String>::of(request, 50, 200)?;
        let period = wire::read_period(&request.from_date, &request.to_date)?;
        let (mut connection, now) = (self.pool.acquire().await?, self.clock.now());
        let after = page.after.clone().unwrap_or_default();
        let dimension = pb::Dimension::Area;
        let listing = Listing { area: parent, dimension, after: &after, limit: page.limit(), now };
        let mut areas = numbers::list(&mut connection, &listing).await?;
        let next_page_token = page.cut(&mut areas, |area| area.code.clone());
        let subjects: Vec<_> = areas.iter().flat_map(with_levels).collect();
        let facts = facts(&mut connection, &subjects, &[period], now, false).await?;
        let beside = beside(&mut connection, &areas, period).await?;
        let counts = areas.iter().zip(facts.chunks(LEVELS + 1));
        let area_counts = counts.map(|(area, facts)| write_counts(area, facts, &beside)).collect();
        Ok(pb::ListAreaCountsResponse { area_counts, next_page_token })
    }

    async fn statistics(&self, request: &pb::GetStatisticsRequest) -> Result<pb::Statistics, Error> {
        let period = wire::read_period(&request.from_date, &request.to_date)?;
        let (mut moment, now) = (one_moment(&self.pool).await?, self.clock.now());
        let narrowing = Narrowing { lead: &request.lead, category: &request.category, level: request.level };
        let subjects = [subject(&mut moment, &request.name, &narrowing, now).await?];
        let facts = facts(&mut moment, &subjects, &[period], now, true).await?;
        Ok(subjects[0].write(&facts[0][0]))
    }

    async fn broken_down(
        &self,
        request: &pb::ListStatisticsRequest,
    ) -> Result<pb::ListStatisticsResponse, Error> {
        let (area, dimension) = (name::read_area(&request.parent)?, request.dimension());
        let page = Page::<String>::of(request, 50, 200)?;
        let period = wire::read_period(&request.from_date, &request.to_date)?;
        let (mut moment, now) = (one_moment(&self.pool).await?, self.clock.now());
        numbers::area(&mut moment, area, now).await?;
        let after = page.after.clone().unwrap_or_default();
        let listing = Listing { area, dimension, after: &after, limit: page.limit(), now };
        let mut subjects = numbers::list(&mut moment, &listing).await?;
        let next_page_token = page.cut(&mut subjects, |subject| subject.code.clone());
        let facts = facts(&mut moment, &subjects, &[period], now, true).await?;
        let statistics = subjects.iter().zip(&facts).map(|(subject, facts)| subject.write(&facts[0]));
        Ok(pb::ListStatisticsResponse { statistics: statistics.collect(), next_page_token })
    }

    async fn trend(&self, request: &pb::GetTrendRequest) -> Result<pb::Trend, Error> {
        let period = wire::read_period(&request.from_date, &request.to_date)?;
        let steps = steps(period, request.step(), local_day(self.clock.now()))?;
        let (mut moment, now) = (one_moment(&self.pool).await?, self.clock.now());
        let narrowing = Narrowing { lead: &request.lead, category: &request.category, level: request.level };
        let subject = subject(&mut moment, &request.name, &narrowing, now).await?;
        let periods: Vec<_> = steps.iter().map(|(from, to)| Period::of(*from, *to)).collect();
        let has_reports = subject.member.has_reports();
        let facts = facts(&mut moment, &[subject], &periods, now, false).await?;
        let points = steps.iter().zip(&facts[0]).map(|((from, to), facts)| pb::TrendPoint {
            from_date: wire::date(*from),
            to_date: wire::date(*to),
            counts: Some(wire::counts(&facts.numbers, has_reports)),
            rates: Some(wire::rates(&facts.numbers)),
        });
        Ok(pb::Trend { points: points.collect() })
    }
}

/// The steps of a trend, up to today.
fn steps(period: Period, step: pb::TrendStep, today: Date) -> Result<Vec<(Date, Date)>, Error> {
    let step = match step {
        pb::TrendStep::Week => Step::Week,
        pb::TrendStep::Month => Step::Month,
        pb::TrendStep::Year => Step::Year,
        pb::TrendStep::Day | pb::TrendStep::Unspecified => Step::Day,
    };
    let steps: Vec<_> = period.steps(step, today).take(MAX_STEPS + 1).collect();
    if steps.len() > MAX_STEPS {
        let (zh, en) = (format!("至多 {MAX_STEPS} 步"), format!("at most {MAX_STEPS} steps"));
        return Err(invalid("to_date", "steps", zh, en).into());
    }
    Ok(steps)
}

/// The subject that a name and what narrows it mean.
async fn subject(
    conn: &mut PgConnection,
    text: &str,
    narrowing: &Narrowing<'_>,
    now: OffsetDateTime,
) -> Result<Subject, Error> {
    let mut violations = Violations::new();
    let department = name::read(text, "departments");
    let given = [!narrowing.lead.is_empty(), !narrowing.category.is_empty(), narrowing.level.is_some()];
    if given.into_iter().filter(|given| *given).count() + usize::from(department.is_some()) > 1 {
        let zh = "lead、category、level 与部门至多选一项";
        violations.add("name", "dimension", zh, "one of a department, lead, category and level at most");
    }
    if let Some((district, code)) = department {
        violations.finish()?;
        return numbers::department(conn, district, code).await;
    }
    let area = name::read_area(text)?;
    let lead = name::read_unit_in("lead", narrowing.lead, area.district(), &mut violations);
    let category = name::read_in("category", narrowing.category, area.district(), &mut violations);
    violations.finish()?;
    let member = match (lead, narrowing.level) {
        (Some(unit), _) => Member::Lead(unit),
        (None, Some(depth)) => Member::Level(u8::try_from(depth).unwrap_or_default()),
        (None, None) if category.is_empty() => Member::All,
        (None, None) => category_member(conn, area, category).await?,
    };
    Ok(Subject { member, ..numbers::area(conn, area, now).await? })
}

async fn category_member(conn: &mut PgConnection, area: AreaCode, code: String) -> Result<Member, Error> {
    let found = store::category::get(conn, area.district(), &code).await?;
    let found = found.ok_or(Error::ReferenceMissing { field: "category" })?;
    Ok(if found.parent.is_none() { Member::MainCategory(code) } else { Member::Category(code) })
}

/// How many levels there are.
const LEVELS: usize = 5;

/// An area, and after it the area by each level.
fn with_levels(subject: &Subject) -> Vec<Subject> {
    let levels = (0..LEVELS as u8).map(|depth| Subject { member: Member::Level(depth), ..subject.clone() });
    std::iter::once(subject.clone()).chain(levels).collect()
}

/// What is counted of areas besides events.
#[derive(Default)]
struct Beside {
    /// Notes, and how many of them became events, by area.
    notes: HashMap<String, (i64, i64)>,
    /// Posted cadres by area.
    cadres: HashMap<String, i64>,
}

async fn beside(conn: &mut PgConnection, areas: &[Subject], period: Period) -> Result<Beside, Error> {
    let Some(first) = areas.first() else { return Ok(Beside::default()) };
    let district = first.area.district();
    let codes: Vec<String> = areas.iter().map(|area| area.area.to_string()).collect();
    let notes = store::note_count::counts(&mut *conn, district, &codes, period).await?;
    let cadres = store::staff::posted(conn, district, &codes, PostingRole::PostedCadre).await?;
    Ok(Beside {
        notes: notes.into_iter().map(|(area, notes, events)| (area, (notes, events))).collect(),
        cadres: cadres.into_iter().collect(),
    })
}

/// The counts of an area, of its facts and those by level.
fn write_counts(subject: &Subject, facts: &[Vec<Facts>], beside: &Beside) -> pb::AreaCounts {
    let code = subject.area.to_string();
    let (notes, notes_reported) = beside.notes.get(&code).copied().unwrap_or_default();
    let numbers: &Numbers = &facts[0][0].numbers;
    let of = |metric: Metric| numbers.of(metric);
    let levels = (0_u8..).zip(&facts[1..]).map(|(depth, facts)| pb::LevelCount {
        depth: depth.into(),
        level_name: level_name(depth).to_owned(),
        level_name_en: level_name_en(depth).to_owned(),
        count: facts[0].numbers.of(Metric::Accepted),
    });
    pb::AreaCounts {
        area: subject.name.clone(),
        display_name: subject.display_name.clone(),
        reported: of(Metric::Reported),
        accepted: of(Metric::Accepted),
        accepted_by_level: levels.filter(|level| level.count > 0).collect(),
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
        open: numbers.open(),
        notes,
        notes_reported,
        posted_cadres: beside.cadres.get(&code).copied().unwrap_or_default(),
    }
}

#[tonic::async_trait]
impl StatisticsService for Statistics {
    async fn get_area_counts(
        &self,
        request: Request<pb::GetAreaCountsRequest>,
    ) -> Result<Response<pb::AreaCounts>, Status> {
        Ok(Response::new(self.area_counts(request.get_ref()).await?))
    }

    async fn list_area_counts(
        &self,
        request: Request<pb::ListAreaCountsRequest>,
    ) -> Result<Response<pb::ListAreaCountsResponse>, Status> {
        Ok(Response::new(self.child_counts(request.get_ref()).await?))
    }

    async fn get_statistics(
        &self,
        request: Request<pb::GetStatisticsRequest>,
    ) -> Result<Response<pb::Statistics>, Status> {
        Ok(Response::new(self.statistics(request.get_ref()).await?))
    }

    async fn list_statistics(
        &self,
        request: Request<pb::ListStatisticsRequest>,
    ) -> Result<Response<pb::ListStatisticsResponse>, Status> {
        Ok(Response::new(self.broken_down(request.get_ref()).await?))
    }

    async fn get_trend(&self, request: Request<pb::GetTrendRequest>) -> Result<Response<pb::Trend>, Status> {
        Ok(Response::new(self.trend(request.get_ref()).await?))
    }
}
