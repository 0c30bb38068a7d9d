//! The people of the tests, the calendar of their district, and the way of an issue.

use jingwei_business_environment_monitor::api::wire::calendar;
use jingwei_proto::access::v1::Role;
use jingwei_proto::business_environment_monitor::v1 as pb;
use jingwei_proto::business_environment_monitor::v1::calendar_service_client::CalendarServiceClient;
use jingwei_proto::business_environment_monitor::v1::issue_service_client::IssueServiceClient;
use jingwei_work_calendar::{Calendar, covered_years, parse_days, parse_shifts};
use time::OffsetDateTime;

use super::{DISTRICT, MONDAY, Session, Site};

/// The department that handles.
pub(crate) const HOUSING: &str = "districts/410183/departments/housing";
/// Another one.
pub(crate) const WATER: &str = "districts/410183/departments/water";

pub(crate) type Issues = IssueServiceClient<Session>;

/// The announced holidays, and an office's week: what a district's calendar is made of.
fn work_calendar() -> pb::WorkCalendar {
    let days = parse_days(include_str!("../../../work-calendar/data/holidays-cn.csv")).expect("good data");
    let shifts = parse_shifts(include_str!("../../../work-calendar/data/default-shifts.csv"));
    let years = covered_years(&days);
    let made = Calendar::new(shifts.expect("good data"), days, years).expect("a calendar");
    pb::WorkCalendar { etag: String::new(), ..calendar::write(410_183, 0, &made) }
}

impl Site {
    /// A server whose district has its calendar.
    pub(crate) async fn with_calendar() -> Self {
        Self::with_calendar_at(MONDAY).await
    }

    /// Likewise at another time.
    pub(crate) async fn with_calendar_at(now: OffsetDateTime) -> Self {
        let site = Self::start_at(now).await;
        let request =
            pb::UpdateWorkCalendarRequest { work_calendar: Some(work_calendar()), ..Default::default() };
        site.calendars().update_work_calendar(request).await.expect("entered");
        site
    }

    pub(crate) fn calendars(&self) -> CalendarServiceClient<Session> {
        CalendarServiceClient::new(self.session("admin", &[(Role::Administrator, DISTRICT)]))
    }

    /// A monitor, Zhang.
    pub(crate) fn monitor(&self) -> Issues {
        self.issues("zhang", Role::Monitor, DISTRICT)
    }

    /// Li of the business-environment office.
    pub(crate) fn office(&self) -> Issues {
        self.issues("li", Role::BusinessEnvironmentOffice, DISTRICT)
    }

    /// Zhao of the department that handles.
    pub(crate) fn handler(&self) -> Issues {
        self.issues("zhao", Role::Department, HOUSING)
    }

    /// The issue service as anybody.
    pub(crate) fn issues(&self, subject: &str, role: Role, scope: &str) -> Issues {
        IssueServiceClient::new(self.session(subject, &[(role, scope)]))
    }

    /// A submission, ready to be sent.
    pub(crate) fn submission(&self) -> pb::SubmitIssueRequest {
        pb::SubmitIssueRequest {
            parent: DISTRICT.into(),
            title: "施工许可迟迟不批".into(),
            description: "材料齐全，两个月没有答复".into(),
            enterprise_code: "91350100M000100Y43".into(),
            tasks: vec![3],
            indicators: vec![4, 18],
            ..Default::default()
        }
    }

    /// An issue that the monitor has submitted now.
    pub(crate) async fn submitted(&self) -> pb::Issue {
        self.monitor().submit_issue(self.submission()).await.expect("submitted").into_inner()
    }

    /// An issue that the office has registered and accepted now.
    pub(crate) async fn accepted(&self) -> pb::Issue {
        let name = self.submitted().await.name;
        let mut office = self.office();
        office.register_issue(register(&name)).await.expect("registered");
        office.accept_issue(accept(&name)).await.expect("accepted").into_inner()
    }

    /// An issue of class C in the hands of the department now.
    pub(crate) async fn in_handling(&self) -> pb::Issue {
        let name = self.accepted().await.name;
        let mut office = self.office();
        let classify = pb::ClassifyIssueRequest {
            name: name.clone(),
            class: pb::IssueClass::C.into(),
            ..Default::default()
        };
        office.classify_issue(classify).await.expect("classified");
        let assign =
            pb::AssignIssueRequest { name: name.clone(), department: HOUSING.into(), ..Default::default() };
        office.assign_issue(assign).await.expect("assigned");
        let start = pb::StartIssueRequest { name, ..Default::default() };
        self.handler().start_issue(start).await.expect("signed for").into_inner()
    }

    /// The issue as the office sees it now.
    pub(crate) async fn seen(&self, name: &str) -> pb::Issue {
        let get = pb::GetIssueRequest { name: name.to_owned() };
        self.office().get_issue(get).await.expect("read").into_inner()
    }

    /// The codes of what was done with an issue, oldest first.
    pub(crate) async fn timeline(&self, name: &str) -> Vec<&'static str> {
        let list = pb::ListIssueTransitionsRequest { parent: name.to_owned(), ..Default::default() };
        let rows = self.office().list_issue_transitions(list).await.expect("read").into_inner().transitions;
        rows.iter().map(|row| row.action().as_str_name().trim_start_matches("ISSUE_ACTION_")).collect()
    }
}

pub(crate) fn register(name: &str) -> pb::RegisterIssueRequest {
    pb::RegisterIssueRequest { name: name.to_owned(), ..Default::default() }
}

pub(crate) fn accept(name: &str) -> pb::AcceptIssueRequest {
    pb::AcceptIssueRequest { name: name.to_owned(), ..Default::default() }
}

pub(crate) fn reply(name: &str) -> pb::ReplyToIssueRequest {
    pb::ReplyToIssueRequest { name: name.to_owned(), text: "许可证已发".into(), ..Default::default() }
}

pub(crate) fn verify(name: &str, solved: bool) -> pb::VerifyIssueRequest {
    pb::VerifyIssueRequest { name: name.to_owned(), solved, ..Default::default() }
}

pub(crate) fn close(name: &str) -> pb::CloseIssueRequest {
    pb::CloseIssueRequest { name: name.to_owned(), ..Default::default() }
}

pub(crate) fn rate(name: &str, stars: i32) -> pb::RateIssueRequest {
    pb::RateIssueRequest { name: name.to_owned(), stars, ..Default::default() }
}

pub(crate) fn reopen(name: &str) -> pb::ReopenIssueRequest {
    pb::ReopenIssueRequest {
        name: name.to_owned(), reason: "许可证内容有误".into(), ..Default::default()
    }
}
