//! The district that tests about events live in: a calendar, five areas, a category, two departments.

use jingwei_grid::api::wire::calendar;
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::calendar_service_client::CalendarServiceClient;
use jingwei_proto::grid::v1::category_service_client::CategoryServiceClient;
use jingwei_proto::grid::v1::department_service_client::DepartmentServiceClient;
use jingwei_proto::grid::v1::event_service_client::EventServiceClient;
use jingwei_work_calendar::{Calendar, covered_years, parse_days, parse_shifts};

use super::{DISTRICT, Session, Site, new_area};

/// 京城路街道.
pub(crate) const STREET: &str = "districts/410182/areas/410182002";
/// 永安街社区.
pub(crate) const COMMUNITY: &str = "districts/410182/areas/410182002011";
/// A base grid in it.
pub(crate) const GRID: &str = "districts/410182/areas/410182002011001";
/// Another base grid in it.
pub(crate) const OTHER_GRID: &str = "districts/410182/areas/410182002011002";
/// A department.
pub(crate) const WATER: &str = "districts/410182/departments/water";
/// Another department.
pub(crate) const GARDEN: &str = "districts/410182/departments/garden";
/// A sub-category that anybody may report under.
pub(crate) const PESTS: &str = "districts/410182/categories/pests";

impl Site {
    /// A server with the district of the tests.
    pub(crate) async fn with_district() -> Self {
        let site = Self::with_areas().await;
        site.areas().create_area(new_area("410182002011002", "第二网格")).await.expect("created");
        site.load_calendar().await;
        site.load_categories().await;
        site.load_departments().await;
        site
    }

    /// The event service as one role, whose subject is the role and the last part of its scope.
    pub(crate) fn events(&self, role: Role, scope: &str) -> EventServiceClient<Session> {
        let subject = format!("{}-{}", role.as_str_name(), scope.rsplit('/').next().unwrap_or_default());
        EventServiceClient::new(self.session(&subject, &[(role, scope)]))
    }

    /// A report in the grid of the tests, ready to be sent.
    pub(crate) fn new_report(&self) -> pb::ReportEventRequest {
        pb::ReportEventRequest {
            parent: DISTRICT.into(),
            category: PESTS.into(),
            area: GRID.into(),
            description: "行道树生虫，树胶滴落".into(),
            ..Default::default()
        }
    }

    /// The worker of the grid of the tests.
    pub(crate) fn worker(&self) -> Session {
        self.session("worker", &[(Role::GridWorker, GRID)])
    }

    /// An event that the grid's worker has reported.
    pub(crate) async fn report(&self) -> pb::Event {
        let mut worker = self.events(Role::GridWorker, GRID);
        worker.report_event(self.new_report()).await.expect("reported").into_inner()
    }

    /// Enters the calendar that is shipped: 2020 to 2026, Monday to Friday 08:30-12:00 and 14:00-17:30.
    pub(crate) async fn load_calendar(&self) {
        let days = parse_days(include_str!("../../../work-calendar/data/holidays-cn.csv"))
            .expect("the shipped data read");
        let shifts = parse_shifts(include_str!("../../../work-calendar/data/default-shifts.csv"))
            .expect("the shipped data read");
        let years = covered_years(&days);
        let calendar = calendar::write(410_182, 1, &Calendar::new(shifts, days, years).expect("valid"));
        let calendar = pb::WorkCalendar { etag: String::new(), ..calendar };
        let request = pb::UpdateWorkCalendarRequest { work_calendar: Some(calendar), ..Default::default() };
        let mut calendars = CalendarServiceClient::new(self.administrator());
        calendars.update_work_calendar(request).await.expect("entered");
    }

    async fn load_categories(&self) {
        let mut categories = CategoryServiceClient::new(self.administrator());
        for (code, parent) in [("trees", ""), ("pests", "districts/410182/categories/trees")] {
            let category = pb::Category {
                name: format!("{DISTRICT}/categories/{code}"),
                parent_category: parent.into(),
                display_name: code.into(),
                ..Default::default()
            };
            let parent = DISTRICT.to_owned();
            let request =
                pb::CreateCategoryRequest { parent, category: Some(category), ..Default::default() };
            categories.create_category(request).await.expect("created");
        }
    }

    async fn load_departments(&self) {
        let mut departments = DepartmentServiceClient::new(self.administrator());
        for (name, display_name) in [(WATER, "自来水公司"), (GARDEN, "园林绿化中心")] {
            let department = pb::Department {
                name: name.into(),
                display_name: display_name.into(),
                kind: pb::DepartmentKind::PublicService.into(),
                ..Default::default()
            };
            let parent = DISTRICT.to_owned();
            let request =
                pb::CreateDepartmentRequest { parent, department: Some(department), ..Default::default() };
            departments.create_department(request).await.expect("created");
        }
    }
}
