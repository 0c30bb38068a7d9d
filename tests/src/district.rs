//! A district to work in, made through the public API: real divisions of Zhengzhou, three base grids in each of some
//! communities, the calendar that is shipped, four sub-categories, two departments.

use jingwei_grid::api::wire::calendar;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::area_service_client::AreaServiceClient;
use jingwei_proto::grid::v1::calendar_service_client::CalendarServiceClient;
use jingwei_proto::grid::v1::category_service_client::CategoryServiceClient;
use jingwei_proto::grid::v1::department_service_client::DepartmentServiceClient;
use jingwei_work_calendar::{Calendar, covered_years, parse_days, parse_shifts};
use tonic::{Code, Response, Status};

use crate::{Error, Session};

const DIVISIONS: &str = include_str!("../../services/grid/data/zhengzhou-divisions.csv");
const HOLIDAYS: &str = include_str!("../../services/work-calendar/data/holidays-cn.csv");
const SHIFTS: &str = include_str!("../../services/work-calendar/data/default-shifts.csv");

/// How many streets of a district, communities of a street and base grids of a community there are.
const SHAPE: (usize, usize, usize) = (4, 3, 3);
const MAIN: &str = "city-appearance";
const CATEGORIES: [&str; 4] = ["trees", "litter", "noise", "roads"];
const DEPARTMENTS: [&str; 2] = ["water", "garden"];

/// A district that has what events need.
#[derive(Debug, Clone)]
pub struct District {
    /// Its code, six digits.
    pub code: i32,
    /// The codes of its base grids, 15 digits.
    pub grids: Vec<String>,
}

impl District {
    /// The districts of Zhengzhou, by their codes; their grids are not made yet.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let codes = divisions().map(|(code, _)| code).filter(|code| code.len() == 6);
        codes.filter_map(|code| Some(Self { code: code.parse().ok()?, grids: grids(code) })).collect()
    }

    /// The district's name as a resource.
    #[must_use]
    pub fn name(&self) -> String {
        format!("districts/{}", self.code)
    }

    /// The name of a resource of the district.
    #[must_use]
    pub fn resource(&self, collection: &str, id: &str) -> String {
        format!("districts/{}/{collection}/{id}", self.code)
    }

    /// The name of one of its sub-categories.
    #[must_use]
    pub fn category(&self, n: usize) -> String {
        self.resource("categories", CATEGORIES[n % CATEGORIES.len()])
    }

    /// The name of one of its departments.
    #[must_use]
    pub fn department(&self, n: usize) -> String {
        self.resource("departments", DEPARTMENTS[n % DEPARTMENTS.len()])
    }

    /// Makes what is missing of it, as its administrator.
    ///
    /// # Errors
    /// A call was refused.
    pub async fn set_up(&self, administrator: &Session) -> Result<(), Error> {
        self.areas(administrator).await?;
        self.calendar(administrator).await?;
        self.categories(administrator).await?;
        self.departments(administrator).await
    }

    async fn areas(&self, administrator: &Session) -> Result<(), Error> {
        let mut areas = AreaServiceClient::new(administrator.clone());
        let above = self.grids.iter().flat_map(|grid| [6, 9, 12, 15].map(|length| &grid[..length]));
        let mut codes: Vec<_> = above.collect();
        codes.sort_unstable_by_key(|code| (code.len(), *code));
        codes.dedup();
        for code in codes {
            let named = divisions().find(|(own, _)| *own == code).map(|(_, name)| name.to_owned());
            let area = pb::Area {
                name: self.resource("areas", code),
                display_name: named
                    .unwrap_or_else(|| format!("第{}网格", code[12..].trim_start_matches('0'))),
                ..Default::default()
            };
            let request =
                pb::CreateAreaRequest { parent: self.name(), area: Some(area), ..Default::default() };
            made(areas.create_area(request).await)?;
        }
        Ok(())
    }

    async fn calendar(&self, administrator: &Session) -> Result<(), Error> {
        let days = parse_days(HOLIDAYS)?;
        let years = covered_years(&days);
        let made =
            Calendar::new(parse_shifts(SHIFTS)?, days, years).map_err(|faults| format!("{faults:?}"))?;
        let calendar = pb::WorkCalendar { etag: String::new(), ..calendar::write(self.code, 1, &made) };
        let request = pb::UpdateWorkCalendarRequest { work_calendar: Some(calendar), ..Default::default() };
        CalendarServiceClient::new(administrator.clone()).update_work_calendar(request).await?;
        Ok(())
    }

    async fn categories(&self, administrator: &Session) -> Result<(), Error> {
        let mut categories = CategoryServiceClient::new(administrator.clone());
        let main = self.resource("categories", MAIN);
        let below = CATEGORIES.map(|code| (code, main.clone()));
        for (code, parent_category) in [(MAIN, String::new())].into_iter().chain(below) {
            let category = pb::Category {
                name: self.resource("categories", code),
                display_name: code.to_owned(),
                parent_category,
                ..Default::default()
            };
            let request = pb::CreateCategoryRequest {
                parent: self.name(),
                category: Some(category),
                ..Default::default()
            };
            self::made(categories.create_category(request).await)?;
        }
        Ok(())
    }

    async fn departments(&self, administrator: &Session) -> Result<(), Error> {
        let mut departments = DepartmentServiceClient::new(administrator.clone());
        for code in DEPARTMENTS {
            let department = pb::Department {
                name: self.resource("departments", code),
                display_name: code.to_owned(),
                kind: pb::DepartmentKind::PublicService.into(),
                ..Default::default()
            };
            let request = pb::CreateDepartmentRequest {
                parent: self.name(),
                department: Some(department),
                ..Default::default()
            };
            self::made(departments.create_department(request).await)?;
        }
        Ok(())
    }
}

/// What exists already is as good as made.
fn made<T>(answer: Result<Response<T>, Status>) -> Result<(), Status> {
    match answer {
        Err(status) if status.code() == Code::AlreadyExists => Ok(()),
        answer => answer.map(drop),
    }
}

/// Code and name of every division.
fn divisions() -> impl Iterator<Item = (&'static str, &'static str)> {
    DIVISIONS
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(','))
        .map(|(code, rest)| (code, rest.split(',').next().unwrap_or_default()))
}

/// The base grids below some communities of some streets.
fn grids(district: &str) -> Vec<String> {
    let (streets, communities, grids) = SHAPE;
    let below = |above: &str, length: usize, count: usize| {
        let above = above.to_owned();
        divisions()
            .map(|(code, _)| code)
            .filter(move |code| code.len() == length && code.starts_with(&above))
            .take(count)
            .collect::<Vec<_>>()
    };
    let communities =
        below(district, 9, streets).into_iter().flat_map(|street| below(street, 12, communities));
    communities.flat_map(|community| (1..=grids).map(move |n| format!("{community}{n:03}"))).collect()
}
