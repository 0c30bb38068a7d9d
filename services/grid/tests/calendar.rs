//! The work calendar (工作日历) through the API: the shipped data, deadlines, working days.

mod common;

use common::{Session, Site, metadata, moment, refusal, request_id, wrong_fields};
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::calendar_service_client::CalendarServiceClient;
use jingwei_work_calendar::{DayKind, covered_years, parse_days, parse_shifts};
use time::macros::datetime;
use tonic::Code;

const NAME: &str = "districts/410182/workCalendar";

/// The holidays and shifts that the product ships.
fn shipped() -> pb::WorkCalendar {
    let days = parse_days(include_str!("../../work-calendar/data/holidays-cn.csv")).expect("reads");
    let shifts = parse_shifts(include_str!("../../work-calendar/data/default-shifts.csv")).expect("reads");
    let day = |day: &jingwei_work_calendar::CalendarDay| pb::CalendarDay {
        date: day.date.to_string(),
        kind: match day.kind {
            DayKind::Off => pb::CalendarDayKind::Off,
            DayKind::Work => pb::CalendarDayKind::Work,
        }
        .into(),
        display_name: day.display_name.clone(),
    };
    let shift = |shift: &jingwei_work_calendar::Shift| pb::Shift {
        weekday: shift.weekday.into(),
        start_minute: shift.start_minute.into(),
        end_minute: shift.end_minute.into(),
    };
    pb::WorkCalendar {
        name: NAME.into(),
        shifts: shifts.iter().map(shift).collect(),
        days: days.iter().map(day).collect(),
        years: covered_years(&days),
        etag: String::new(),
    }
}

fn put(work_calendar: pb::WorkCalendar) -> pb::UpdateWorkCalendarRequest {
    pb::UpdateWorkCalendarRequest { work_calendar: Some(work_calendar), request_id: String::new() }
}

fn count(year: i32) -> pb::CountWorkingDaysRequest {
    pb::CountWorkingDaysRequest { name: NAME.into(), year }
}

fn compute(start: time::OffsetDateTime, unit: pb::TimeUnit, amount: i32) -> pb::ComputeDeadlineRequest {
    let limit = Some(pb::Limit { unit: unit.into(), amount });
    pb::ComputeDeadlineRequest { name: NAME.into(), start_time: Some(moment(start)), limit }
}

async fn start() -> (Site, CalendarServiceClient<Session>) {
    let site = Site::start().await;
    let calendars = CalendarServiceClient::new(site.administrator());
    (site, calendars)
}

#[tokio::test]
async fn a_calendar_is_entered_and_replaced_as_a_whole() {
    let (_site, mut calendars) = start().await;
    let get = pb::GetWorkCalendarRequest { name: NAME.into() };
    assert_eq!(refusal(calendars.get_work_calendar(get.clone()).await).0, Code::NotFound);
    assert_eq!(
        refusal(calendars.count_working_days(count(2026)).await),
        (Code::FailedPrecondition, "NO_CALENDAR".into())
    );
    let request = pb::UpdateWorkCalendarRequest { request_id: request_id(), ..put(shipped()) };
    let first = calendars.update_work_calendar(request.clone()).await.expect("entered").into_inner();
    assert_eq!(first, pb::WorkCalendar { etag: first.etag.clone(), ..shipped() });
    assert_eq!(calendars.update_work_calendar(request).await.expect("repeated").into_inner(), first);
    assert_eq!(calendars.get_work_calendar(get.clone()).await.expect("there").into_inner(), first);
    let wanted = pb::WorkCalendar { days: Vec::new(), years: vec![2026], ..first.clone() };
    let second = calendars.update_work_calendar(put(wanted.clone())).await.expect("replaced").into_inner();
    assert_eq!((second.days.len(), second.years.as_slice()), (0, &[2026][..]));
    assert_ne!(second.etag, first.etag);
    assert_eq!(
        refusal(calendars.update_work_calendar(put(wanted)).await),
        (Code::Aborted, "ETAG_MISMATCH".into())
    );
    let counted = calendars.count_working_days(count(2026)).await.expect("counted").into_inner();
    assert_eq!(counted.working_days, 261, "the weekdays of 2026, without holidays");
}

#[tokio::test]
async fn working_days_are_those_of_the_state_council() {
    let (_site, mut calendars) = start().await;
    calendars.update_work_calendar(put(shipped())).await.expect("entered");
    for (year, working_days) in [(2024, 251), (2025, 248), (2026, 248)] {
        let counted = calendars.count_working_days(count(year)).await.expect("counted").into_inner();
        assert_eq!(counted.working_days, working_days, "{year}");
    }
    let unknown = calendars.count_working_days(count(2030)).await;
    assert_eq!(metadata(unknown, "year").as_deref(), Some("2030"));
    let unknown = calendars.count_working_days(count(2030)).await;
    assert_eq!(refusal(unknown), (Code::FailedPrecondition, "NO_CALENDAR".into()));
}

#[tokio::test]
async fn a_limit_ends_when_its_unit_says() {
    let (_site, mut calendars) = start().await;
    calendars.update_work_calendar(put(shipped())).await.expect("entered");
    let friday = datetime!(2026-02-13 16:30 +08:00);
    let cases = [
        (pb::TimeUnit::EmergencyHours, 180, datetime!(2026-02-13 19:30 +08:00), 180),
        // The Saturday after is a make-up working day for the Spring Festival.
        (pb::TimeUnit::WorkingHours, 120, datetime!(2026-02-14 09:30 +08:00), 120),
        // Saturday counts as the first; the second is the Tuesday after the holiday.
        (pb::TimeUnit::WorkingDays, 2, datetime!(2026-02-24 17:30 +08:00), 60 + 2 * 420),
    ];
    for (unit, amount, due, minutes) in cases {
        let answer =
            calendars.compute_deadline(compute(friday, unit, amount)).await.expect("computed").into_inner();
        assert_eq!((answer.due_time, answer.minutes), (Some(moment(due)), minutes), "{unit:?}");
    }
    let beyond = compute(datetime!(2026-12-31 17:00 +08:00), pb::TimeUnit::WorkingDays, 1);
    let beyond = calendars.compute_deadline(beyond).await;
    assert_eq!(refusal(beyond), (Code::FailedPrecondition, "NO_CALENDAR".into()));
}

#[tokio::test]
async fn everything_wrong_with_a_calendar_is_told_at_once() {
    let (_site, mut calendars) = start().await;
    let mut wrong = shipped();
    wrong.shifts[1].start_minute = 700;
    wrong.shifts[3].end_minute = wrong.shifts[3].start_minute;
    wrong.days[2].date = "2026-02-30".into();
    wrong.days[4].date = wrong.days[3].date.clone();
    let fields = wrong_fields(calendars.update_work_calendar(put(wrong)).await);
    let expected = [
        "work_calendar.shifts[1]",
        "work_calendar.shifts[3]",
        "work_calendar.days[2]",
        "work_calendar.days[4]",
    ];
    for field in expected {
        assert!(fields.iter().any(|f| f.starts_with(field)), "{field} is not among {fields:?}");
    }
    assert_eq!(fields.len(), expected.len(), "{fields:?}");
    let get = calendars.get_work_calendar(pb::GetWorkCalendarRequest { name: NAME.into() }).await;
    assert_eq!(refusal(get).0, Code::NotFound, "nothing was written");
}

#[tokio::test]
async fn of_several_at_once_one_is_written() {
    let (site, mut calendars) = start().await;
    let first = calendars.update_work_calendar(put(shipped())).await.expect("entered").into_inner();
    let rivals = (0..6).map(|_| {
        let (mut calendars, wanted) = (CalendarServiceClient::new(site.administrator()), first.clone());
        tokio::spawn(async move { calendars.update_work_calendar(put(wanted)).await })
    });
    let mut written = 0;
    for rival in futures::future::join_all(rivals).await {
        match rival.expect("no panic") {
            Ok(_) => written += 1,
            refused => assert_eq!(refusal(refused), (Code::Aborted, "ETAG_MISMATCH".into())),
        }
    }
    assert_eq!(written, 1);
}
