//! Segments, tested: they cover the time, and a pause gives back just the time of its unit.

use std::sync::LazyLock;

use proptest::prelude::*;
use time::macros::datetime;

use super::*;
use crate::{Limit, covered_years, due, parse_days, parse_shifts};

static CALENDAR: LazyLock<Calendar> = LazyLock::new(|| {
    let days = parse_days(include_str!("../../data/holidays-cn.csv")).unwrap();
    let years = covered_years(&days);
    Calendar::new(parse_shifts(include_str!("../../data/default-shifts.csv")).unwrap(), days, years).unwrap()
});

fn limits() -> impl Strategy<Value = Limit> {
    prop_oneof![
        (1..600_u32).prop_map(|amount| Limit { unit: TimeUnit::EmergencyHours, amount }),
        (1..600_u32).prop_map(|amount| Limit { unit: TimeUnit::WorkingHours, amount }),
        (1..20_u32).prop_map(|amount| Limit { unit: TimeUnit::WorkingDays, amount }),
    ]
}

proptest! {
    #[test]
    fn whatever_the_pauses_the_running_time_up_to_the_deadline_is_what_was_allowed(
        second in 0..157_000_000_i64,
        limit in limits(),
        pauses in prop::collection::vec((0..90_000_i64, 0..2_000_000_i64), 0..4),
    ) {
        let start = datetime!(2020-02-01 00:00 +8) + Duration::seconds(second);
        let first_due = due(&CALENDAR, start, limit).unwrap();
        let allowed = measure_exact(&CALENDAR, limit.unit, start, first_due).unwrap();
        let (mut segments, mut due, mut now) = (Segments::start(start), first_due, start);
        for (runs, rests) in pauses {
            let paused = now + Duration::seconds(runs);
            now = paused + Duration::seconds(rests);
            segments.pause(paused);
            prop_assert_eq!(segments.paused_since(), Some(paused));
            due = due_after_pause(&CALENDAR, limit.unit, due, paused, now).unwrap();
            segments.resume(now);
        }
        let passed = |pace, at| segments.passed(pace, &CALENDAR, limit.unit, at).unwrap();
        let whole = measure_exact(&CALENDAR, limit.unit, start, now).unwrap();
        prop_assert_eq!(passed(Pace::Running, now) + passed(Pace::Paused, now), whole);
        if due >= now {
            prop_assert_eq!(passed(Pace::Running, due), allowed);
        } else {
            prop_assert!(passed(Pace::Running, now) >= allowed);
        }
    }
}

#[test]
fn a_weekend_s_pause_moves_working_days_by_nothing() {
    // A Friday's closing time to the Monday's opening, in March 2026.
    let (paused, resumed) = (datetime!(2026-03-06 17:30 +8), datetime!(2026-03-09 8:30 +8));
    let due = datetime!(2026-03-11 17:30 +8);
    let moved = |paused| due_after_pause(&CALENDAR, TimeUnit::WorkingDays, due, paused, resumed).unwrap();
    assert_eq!(moved(paused), due);
    assert_eq!(moved(datetime!(2026-03-06 14:30 +8)), datetime!(2026-03-12 11:30 +8));
    assert_eq!(moved(due), due, "a deadline that has passed stays");
}

#[test]
fn segments_keep_their_json_and_end_once() {
    let mut segments = Segments::start(datetime!(2026-03-02 9:00 UTC));
    segments.pause(datetime!(2026-03-02 10:00 UTC));
    assert!(!segments.ended());
    segments.end(datetime!(2026-03-02 11:00 UTC));
    segments.end(datetime!(2026-03-02 12:00 UTC));
    assert!(segments.ended() && segments.paused_since().is_none());
    let json = concat!(
        r#"[{"pace":"RUNNING","from":"2026-03-02T09:00:00Z","to":"2026-03-02T10:00:00Z"},"#,
        r#"{"pace":"PAUSED","from":"2026-03-02T10:00:00Z","to":"2026-03-02T11:00:00Z"}]"#
    );
    assert_eq!(serde_json::to_string(&segments).unwrap(), json);
    assert_eq!(serde_json::from_str::<Segments>(json).unwrap(), segments);
}
