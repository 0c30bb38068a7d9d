//! Work calendars: model ↔ wire.

use jingwei_kit::etag;
use jingwei_kit::status::Violations;
use jingwei_proto::business_environment_monitor::v1 as pb;
use jingwei_work_calendar::{Calendar, CalendarDay, CalendarFault, DayKind, Shift};
use time::Date;
use time::macros::format_description;

/// A calendar on the wire.
pub fn write(district: i32, version: i64, calendar: &Calendar) -> pb::WorkCalendar {
    let format = format_description!("[year]-[month]-[day]");
    let shift = |s: &Shift| pb::Shift {
        weekday: s.weekday.into(),
        start_minute: s.start_minute.into(),
        end_minute: s.end_minute.into(),
    };
    let day = |d: &CalendarDay| pb::CalendarDay {
        date: d.date.format(&format).unwrap_or_default(),
        kind: match d.kind {
            DayKind::Off => pb::CalendarDayKind::Off,
            DayKind::Work => pb::CalendarDayKind::Work,
        }
        .into(),
        display_name: d.display_name.clone(),
    };
    pb::WorkCalendar {
        name: format!("districts/{district}/businessEnvironmentCalendar"),
        shifts: calendar.shifts().iter().map(shift).collect(),
        days: calendar.days().iter().map(day).collect(),
        years: calendar.years().to_vec(),
        etag: etag::of(version),
    }
}

/// A calendar as given; else `None`, with all that is wrong noted.
pub fn read(given: &pb::WorkCalendar, violations: &mut Violations) -> Option<Calendar> {
    let small = |minute: i32| u16::try_from(minute).unwrap_or(u16::MAX);
    let shift = |s: &pb::Shift| Shift {
        weekday: u8::try_from(s.weekday).unwrap_or(0),
        start_minute: small(s.start_minute),
        end_minute: small(s.end_minute),
    };
    // With the place of each in the request: those without a date are left out.
    let (mut days, mut places) = (Vec::with_capacity(given.days.len()), Vec::with_capacity(given.days.len()));
    for (i, day) in given.days.iter().enumerate() {
        match Date::parse(&day.date, format_description!("[year]-[month]-[day]")) {
            Ok(date) => {
                let kind = if day.kind() == pb::CalendarDayKind::Work { DayKind::Work } else { DayKind::Off };
                days.push(CalendarDay { date, kind, display_name: day.display_name.clone() });
                places.push(i);
            }
            Err(_) => {
                let field = format!("work_calendar.days[{i}].date");
                violations.add(field, "date", "没有这一天；格式为 YYYY-MM-DD", "is no date: YYYY-MM-DD");
            }
        }
    }
    let made = Calendar::new(given.shifts.iter().map(shift).collect(), days, given.years.clone());
    for fault in made.as_ref().err().into_iter().flatten() {
        let (field, zh) = told(fault, &places);
        violations.add(field, "calendar", zh, fault.to_string());
    }
    made.ok()
}

/// Where a fault is, and what it is in Chinese; `places` are those of the days in the request.
fn told(fault: &CalendarFault, places: &[usize]) -> (String, String) {
    let shift = |index: &usize| format!("work_calendar.shifts[{index}]");
    match fault {
        CalendarFault::NoShifts => ("work_calendar.shifts".into(), "至少要有一个班次".into()),
        CalendarFault::Weekday { index } => (shift(index), "星期须为 1（周一）至 7（周日）".into()),
        CalendarFault::ShiftEnd { index } => (shift(index), "班次须在开始之后、24:00 之前结束".into()),
        CalendarFault::ShiftOverlap { index, other } => {
            (shift(index), format!("与第 {other} 个班次重叠（从 0 数起）"))
        }
        CalendarFault::DayTwice { index, date } => {
            (format!("work_calendar.days[{}]", places[*index]), format!("{date} 重复"))
        }
        CalendarFault::Year { index, .. } => {
            (format!("work_calendar.years[{index}]"), "年份须为 1950 至 2200".into())
        }
    }
}
