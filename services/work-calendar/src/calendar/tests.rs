//! The shipped data make the calendar that was announced; wrong data are refused, each fault by name.

use time::macros::date;

use super::*;

const HOLIDAYS: &str = include_str!("../../data/holidays-cn.csv");
const SHIFTS: &str = include_str!("../../data/default-shifts.csv");

fn shipped() -> Calendar {
    let days = parse_days(HOLIDAYS).unwrap();
    let years = covered_years(&days);
    Calendar::new(parse_shifts(SHIFTS).unwrap(), days, years).unwrap()
}

fn shift(weekday: u8, start_minute: u16, end_minute: u16) -> Shift {
    Shift { weekday, start_minute, end_minute }
}

#[test]
fn the_shipped_years_have_their_working_days() {
    let calendar = shipped();
    assert_eq!(calendar.years(), [2020, 2021, 2022, 2023, 2024, 2025, 2026]);
    assert_eq!([2024, 2025, 2026].map(|year| calendar.working_days(year)), [Ok(251), Ok(248), Ok(248)]);
    assert_eq!(calendar.working_days(2019), Err(NoCalendar { year: 2019 }));
    assert_eq!(calendar.working_days(2027), Err(NoCalendar { year: 2027 }));
}

#[test]
fn the_shipped_days_change_something() {
    use time::Weekday::{Saturday, Sunday};
    let days = parse_days(HOLIDAYS).unwrap();
    assert_eq!(days.iter().filter(|day| day.kind == DayKind::Work).count(), 46);
    for day in days.iter().filter(|day| day.kind == DayKind::Work) {
        assert!(matches!(day.date.weekday(), Saturday | Sunday), "{} is worked anyway", day.date);
    }
}

#[test]
fn a_year_known_by_a_few_days_of_december_is_not_covered() {
    let days =
        parse_days("date,kind,name\n2022-12-31,off,元旦\n2023-01-01,off,元旦\n2023-10-01,off,国庆节\n")
            .unwrap();
    assert_eq!(covered_years(&days), [2023]);
}

#[test]
fn days_and_shifts_keep_their_json() {
    let day =
        CalendarDay { date: date!(2026 - 02 - 28), kind: DayKind::Work, display_name: "春节".to_owned() };
    let json = r#"{"date":"2026-02-28","kind":"work","display_name":"春节"}"#;
    assert_eq!(serde_json::to_string(&day).unwrap(), json);
    assert_eq!(serde_json::from_str::<CalendarDay>(json).unwrap(), day);
    let json = r#"{"weekday":1,"start_minute":510,"end_minute":720}"#;
    assert_eq!(serde_json::from_str::<Shift>(json).unwrap(), shift(1, 510, 720));
}

#[test]
fn all_faults_are_named_at_once() {
    let day = CalendarDay { date: date!(2026 - 01 - 01), kind: DayKind::Off, display_name: String::new() };
    let shifts = vec![
        shift(1, 510, 720),
        shift(0, 0, 60),
        shift(1, 700, 800),
        shift(2, 600, 600),
        shift(8, 1380, 1441),
    ];
    assert_eq!(
        Calendar::new(shifts, vec![day.clone(), day], vec![2026, 20_260]),
        Err(vec![
            CalendarFault::Weekday { index: 1 },
            CalendarFault::ShiftOverlap { index: 2, other: 0 },
            CalendarFault::ShiftEnd { index: 3 },
            CalendarFault::Weekday { index: 4 },
            CalendarFault::ShiftEnd { index: 4 },
            CalendarFault::DayTwice { index: 1, date: date!(2026 - 01 - 01) },
            CalendarFault::Year { index: 1, year: 20_260 },
        ])
    );
    assert_eq!(Calendar::new(vec![], vec![], vec![]), Err(vec![CalendarFault::NoShifts]));
}

#[test]
fn shifts_may_touch_come_in_any_order_and_end_at_midnight() {
    let shifts = vec![shift(1, 720, 1440), shift(1, 0, 720), shift(2, 0, 720)];
    let calendar = Calendar::new(shifts.clone(), vec![], vec![2026, 2024, 2026]).unwrap();
    assert_eq!(calendar.shifts(), shifts);
    assert_eq!(calendar.years(), [2024, 2026]);
    assert_eq!(calendar.working_days(2026), Ok(104));
    assert_eq!(calendar.working_days(2025), Err(NoCalendar { year: 2025 }));
}

#[test]
fn a_line_that_cannot_be_read_is_named() {
    let days = |row: &str| parse_days(&format!("\u{feff}date,kind,name\r\n2026-01-01,off,元旦\r\n{row}\r\n"));
    assert_eq!(days("").unwrap().len(), 1);
    let problem = |row: &str| {
        let error = days(row).unwrap_err();
        assert_eq!(error.line, 3);
        error.problem
    };
    assert_eq!(problem("2026-02-29,off,春节"), CsvProblem::Date);
    assert_eq!(problem("2026-02-28,maybe,春节"), CsvProblem::Kind);
    assert_eq!(problem("2026-02-28,work"), CsvProblem::Fields);
    assert_eq!(
        parse_days("2026-02-28,work,春节"),
        Err(CsvError { line: 1, problem: CsvProblem::Header("date,kind,name") })
    );

    let shifts = |row: &str| parse_shifts(&format!("weekday,start,end\n{row}\n"));
    assert_eq!(shifts("7,00:00,24:00"), Ok(vec![shift(7, 0, 1440)]));
    assert_eq!(shifts("8,08:30,12:00").unwrap_err().problem, CsvProblem::Weekday);
    for time in ["24:01", "12:60", "8:30", "0830", "+8:30", "08:+3"] {
        assert_eq!(shifts(&format!("1,{time},24:00")).unwrap_err().problem, CsvProblem::Time, "{time}");
    }
}
