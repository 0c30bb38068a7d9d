//! Clocks, tested: where the alarms lie, and what standing still does.
use std::sync::LazyLock;

use jingwei_work_calendar::{covered_years, measure_exact, parse_days, parse_shifts};
use proptest::prelude::*;
use time::macros::datetime;

use super::*;

static CALENDAR: LazyLock<Calendar> = LazyLock::new(|| {
    let days = parse_days(include_str!("../../../../work-calendar/data/holidays-cn.csv")).unwrap();
    let years = covered_years(&days);
    Calendar::new(
        parse_shifts(include_str!("../../../../work-calendar/data/default-shifts.csv")).unwrap(),
        days,
        years,
    )
    .unwrap()
});

fn limits() -> impl Strategy<Value = Limit> {
    prop_oneof![
        (1..600_u32).prop_map(|amount| Limit { unit: TimeUnit::EmergencyHours, amount }),
        (1..600_u32).prop_map(|amount| Limit { unit: TimeUnit::WorkingHours, amount }),
        (1..20_u32).prop_map(|amount| Limit { unit: TimeUnit::WorkingDays, amount }),
    ]
}

fn starts() -> impl Strategy<Value = OffsetDateTime> {
    (0..157_000_000_i64).prop_map(|second| datetime!(2020-02-01 00:00 +8) + Duration::seconds(second))
}

#[test]
fn an_emergency_of_three_hours_rings_after_2h24_3h_and_4h30() {
    let start = datetime!(2024-05-25 23:00 +8);
    let limit = Limit { unit: TimeUnit::EmergencyHours, amount: 180 };
    let clock = Clock::start(Step::Handle, start, limit, &CALENDAR).unwrap();
    assert_eq!(clock.amber_at, datetime!(2024-05-26 01:24 +8));
    assert_eq!(
        (clock.due, clock.critical_at),
        (datetime!(2024-05-26 02:00 +8), datetime!(2024-05-26 03:30 +8))
    );
}

proptest! {
    #[test]
    fn alarms_lie_at_80_100_and_150_percent(start in starts(), limit in limits()) {
        let clock = Clock::start(Step::Handle, start, limit, &CALENDAR).unwrap();
        let exact = |from, to| measure_exact(&CALENDAR, limit.unit, from, to).unwrap();
        let allowed = Duration::minutes(clock.allowed_minutes);
        prop_assert_eq!(exact(clock.amber_at, clock.due), allowed / 5);
        prop_assert_eq!(exact(clock.due, clock.critical_at), allowed / 2);
        // A started minute counts as a whole one.
        let rounding = allowed - exact(start, clock.due);
        prop_assert!((Duration::ZERO..Duration::MINUTE).contains(&rounding));
    }

    #[test]
    fn what_is_left_when_paused_is_left_when_resumed(
        start in starts(),
        limit in limits(),
        pauses in prop::collection::vec((0..90_000_i64, 0..2_000_000_i64), 1..4),
    ) {
        let mut handling = HandlingClock::start(start, limit, &CALENDAR).unwrap();
        let mut now = start;
        for (runs, rests) in pauses {
            now += Duration::seconds(runs);
            let (paused_at, due) = (now, handling.clock.due);
            handling.segments.pause(now);
            now += Duration::seconds(rests);
            handling.resume(now, &CALENDAR).unwrap();
            let left = |at, due| measure_exact(&CALENDAR, limit.unit, at, due).unwrap();
            if paused_at < due {
                prop_assert_eq!(left(now, handling.clock.due), left(paused_at, due));
            } else {
                prop_assert_eq!(handling.clock.due, due);
            }
        }
        prop_assert!(!handling.paused() && !handling.ended());
    }
}
