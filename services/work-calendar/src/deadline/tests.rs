//! Deadlines equal a walk over every minute of 2020–2026, for each unit, in an office's and an odd week.

use std::sync::LazyLock;

use proptest::prelude::*;
use time::{Date, macros::datetime};

use super::*;
use crate::calendar::*;

const FIRST: OffsetDateTime = datetime!(2020-01-01 0:00 +8);
const END: OffsetDateTime = datetime!(2027-01-01 0:00 +8);
const UNITS: [TimeUnit; 3] = [TimeUnit::EmergencyHours, TimeUnit::WorkingHours, TimeUnit::WorkingDays];

/// A calendar, and for each minute of the years whether it is worked: painted day by day, without any sums.
struct Oracle {
    calendar: Calendar,
    worked: Vec<bool>,
}

/// By name, so that a failed case prints a word and not all the minutes.
#[derive(Debug, Clone, Copy)]
enum Week {
    Office,
    Odd,
}

impl Week {
    fn oracle(self) -> &'static Oracle {
        match self {
            Self::Office => &OFFICE,
            Self::Odd => &ODD,
        }
    }
}

static OFFICE: LazyLock<Oracle> =
    LazyLock::new(|| oracle(parse_shifts(include_str!("../../data/default-shifts.csv")).unwrap()));

/// Nothing on Mondays and Thursdays, three shifts on Tuesdays, a half Saturday, all of Sunday up to midnight.
static ODD: LazyLock<Oracle> = LazyLock::new(|| {
    let shift = |(weekday, start_minute, end_minute)| Shift { weekday, start_minute, end_minute };
    let week = [
        (7, 0, 1440),
        (2, 1080, 1260),
        (2, 480, 600),
        (2, 600, 1021),
        (3, 1, 2),
        (5, 1200, 1440),
        (6, 540, 720),
    ];
    oracle(week.map(shift).to_vec())
});

fn oracle(shifts: Vec<Shift>) -> Oracle {
    let days = parse_days(include_str!("../../data/holidays-cn.csv")).unwrap();
    let first_weekday = shifts.iter().map(|shift| shift.weekday).min().unwrap();
    let mut worked = Vec::new();
    let mut date = FIRST.date();
    while date < END.date() {
        let weekday = match days.iter().find(|day| day.date == date).map(|day| day.kind) {
            Some(DayKind::Off) => 0,
            Some(DayKind::Work) => first_weekday,
            None => date.weekday().number_from_monday(),
        };
        let today: Vec<_> = shifts.iter().filter(|shift| shift.weekday == weekday).collect();
        worked.extend(
            (0..1440).map(|minute| today.iter().any(|s| s.start_minute <= minute && minute < s.end_minute)),
        );
        date = date.next_day().unwrap();
    }
    let years = covered_years(&days);
    Oracle { calendar: Calendar::new(shifts, days, years).unwrap(), worked }
}

impl Oracle {
    /// Whether the minute that starts at or lies around a moment counts; none beyond the years.
    fn counts(&self, unit: TimeUnit, at: OffsetDateTime) -> Option<bool> {
        let minute = usize::try_from((at - FIRST).whole_seconds().div_euclid(60)).ok()?;
        let worked = *self.worked.get(minute)?;
        Some(worked || unit == TimeUnit::EmergencyHours)
    }

    /// Walks minute by minute until so many seconds have counted; none if the years end before.
    fn walk(&self, unit: TimeUnit, from: OffsetDateTime, minutes: i64) -> Option<OffsetDateTime> {
        let (mut at, mut left) = (from, Duration::minutes(minutes.abs()));
        let step = |at: OffsetDateTime| {
            let into = Duration::seconds((at - FIRST).whole_seconds().rem_euclid(60));
            if minutes > 0 {
                Duration::MINUTE - into
            } else if into.is_zero() {
                Duration::MINUTE
            } else {
                into
            }
        };
        while left.is_positive() {
            let step = step(at);
            let counts = self.counts(unit, if minutes > 0 { at } else { at - step })?;
            let taken = if counts { step.min(left) } else { step };
            at = if minutes > 0 { at + taken } else { at - taken };
            left -= if counts { taken } else { Duration::ZERO };
        }
        Some(at)
    }

    /// The seconds that count from one moment to a later one, minute by minute.
    fn count(&self, unit: TimeUnit, from: OffsetDateTime, to: OffsetDateTime) -> Duration {
        let (mut at, mut sum) = (from, Duration::ZERO);
        while at < to {
            let into = Duration::seconds((at - FIRST).whole_seconds().rem_euclid(60));
            let next = (at + Duration::MINUTE - into).min(to);
            if self.counts(unit, at).unwrap() {
                sum += next - at;
            }
            at = next;
        }
        sum
    }

    /// The end of the last worked minute of the n-th day after the start's that has one.
    fn end_of_day(&self, start: OffsetDateTime, count: u32) -> Option<OffsetDateTime> {
        let mut day = usize::try_from((start - FIRST).whole_days()).unwrap();
        let mut left = count;
        loop {
            day += 1;
            let minutes = self.worked.get(day * 1440..(day + 1) * 1440)?;
            if let Some(last) = minutes.iter().rposition(|&worked| worked) {
                left -= 1;
                if left == 0 {
                    return Some(FIRST + Duration::minutes(i64::try_from(day * 1440 + last + 1).unwrap()));
                }
            }
        }
    }
}

fn weeks() -> impl Strategy<Value = Week> {
    prop_oneof![Just(Week::Office), Just(Week::Odd)]
}

fn units() -> impl Strategy<Value = TimeUnit> {
    prop::sample::select(UNITS.to_vec())
}

/// A second of the years; often a whole minute, where shifts start and end.
fn moments() -> impl Strategy<Value = OffsetDateTime> {
    let seconds = (END - FIRST).whole_seconds();
    prop_oneof![
        0..seconds,
        (0..seconds / 60).prop_map(|m| m * 60),
        (0..seconds / 1800).prop_map(|h| h * 1800)
    ]
    .prop_map(|second| (FIRST + Duration::seconds(second)).to_offset(time::UtcOffset::UTC))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn due_is_where_the_walk_ends(
        week in weeks(), start in moments(), unit in units(), amount in 1_u32..6000
    ) {
        let oracle = week.oracle();
        let (amount, expected) = match unit {
            TimeUnit::WorkingDays => (amount / 40 + 1, oracle.end_of_day(start, amount / 40 + 1)),
            _ => (amount, oracle.walk(unit, start, amount.into())),
        };
        let found = due(&oracle.calendar, start, Limit { unit, amount });
        // Wall time needs no calendar: it goes on where the walk's years end.
        let beyond = match unit {
            TimeUnit::EmergencyHours => Ok(start + Duration::minutes(amount.into())),
            _ => Err(NoCalendar { year: 2027 }),
        };
        prop_assert_eq!(found, expected.map_or(beyond, Ok));
    }

    #[test]
    fn advance_is_where_the_walk_ends(
        week in weeks(), from in moments(), unit in units(), minutes in -5_000_i64..5_000
    ) {
        let oracle = week.oracle();
        let beyond = match unit {
            TimeUnit::EmergencyHours => Ok(from + Duration::minutes(minutes)),
            _ => Err(NoCalendar { year: if minutes > 0 { 2027 } else { 2019 } }),
        };
        let found = advance(&oracle.calendar, unit, from, minutes);
        prop_assert_eq!(found, oracle.walk(unit, from, minutes).map_or(beyond, Ok));
        if let Ok(to) = found {
            prop_assert_eq!(measure(&oracle.calendar, unit, from, to).unwrap_or(minutes), minutes);
        }
    }

    #[test]
    fn measure_is_what_the_walk_counts(
        week in weeks(), from in moments(), seconds in 0_i64..30 * 86_400, unit in units()
    ) {
        let oracle = week.oracle();
        let to = (from + Duration::seconds(seconds)).min(END - Duration::SECOND);
        let calendar = &oracle.calendar;
        let exact = oracle.count(unit, from, to);
        prop_assert_eq!(measure_exact(calendar, unit, from, to), Ok(exact));
        prop_assert_eq!(measure_exact(calendar, unit, to, from), Ok(-exact));
        let minutes = (exact.whole_seconds() + 59) / 60;
        prop_assert_eq!(measure(calendar, unit, from, to), Ok(minutes));
        prop_assert_eq!(measure(calendar, unit, to, from), Ok(-minutes));
        // There and back: to the nearest moment with that much time between.
        let end = advance_by(calendar, unit, from, exact).unwrap();
        prop_assert!(end <= to);
        prop_assert_eq!(measure_exact(calendar, unit, end, to), Ok(Duration::ZERO));
        let start = advance_by(calendar, unit, to, -exact).unwrap();
        prop_assert!(start >= from);
        prop_assert_eq!(measure_exact(calendar, unit, from, start), Ok(Duration::ZERO));
    }

    #[test]
    fn measured_times_add_up_over_years(week in weeks(), a in moments(), b in moments(), c in moments()) {
        let oracle = week.oracle();
        let worked = |from, to| measure_exact(&oracle.calendar, TimeUnit::WorkingHours, from, to).unwrap();
        prop_assert_eq!(worked(a, b) + worked(b, c), worked(a, c));
    }
}

fn due_in(start: OffsetDateTime, unit: TimeUnit, amount: u32) -> Result<OffsetDateTime, NoCalendar> {
    due(&OFFICE.calendar, start, Limit { unit, amount })
}

#[test]
fn limits_end_as_an_office_expects() {
    use TimeUnit::{EmergencyHours, WorkingDays, WorkingHours};
    // Friday 13 February 2026; the Spring Festival is 15–23 February, and Saturday 14 February is worked.
    let friday = datetime!(2026-02-13 16:30:20 +8);
    assert_eq!(due_in(friday, EmergencyHours, 180), Ok(datetime!(2026-02-13 19:30:20 +8)));
    assert_eq!(due_in(friday, WorkingHours, 120), Ok(datetime!(2026-02-14 9:30:20 +8)));
    assert_eq!(due_in(friday, WorkingDays, 1), Ok(datetime!(2026-02-14 17:30 +8)));
    assert_eq!(due_in(friday, WorkingDays, 2), Ok(datetime!(2026-02-24 17:30 +8)));
    // Over lunch; ending with the shift; from outside of any.
    assert_eq!(due_in(datetime!(2026-03-02 11:30 +8), WorkingHours, 60), Ok(datetime!(2026-03-02 14:30 +8)));
    assert_eq!(due_in(datetime!(2026-03-02 11:30 +8), WorkingHours, 30), Ok(datetime!(2026-03-02 12:00 +8)));
    assert_eq!(due_in(datetime!(2026-03-01 3:00 +8), WorkingHours, 30), Ok(datetime!(2026-03-02 9:00 +8)));
    // The local day counts, not the UTC one: 00:30 in China is still the day before in UTC.
    assert_eq!(due_in(datetime!(2026-03-02 16:30 UTC), WorkingDays, 1), Ok(datetime!(2026-03-04 17:30 +8)));
    for unit in UNITS {
        assert_eq!(due_in(friday, unit, 0), Ok(friday));
    }
}

#[test]
fn a_year_without_data_is_said() {
    use TimeUnit::{EmergencyHours, WorkingDays, WorkingHours};
    let (before, last) = (datetime!(2019-12-31 12:00 +8), datetime!(2026-12-31 17:00 +8));
    assert_eq!(due_in(before, WorkingHours, 1), Err(NoCalendar { year: 2019 }));
    assert_eq!(
        due_in(before, WorkingDays, 1),
        Ok(datetime!(2020-01-02 17:30 +8)),
        "the start's day does not count"
    );
    assert_eq!(due_in(before - Duration::DAY, WorkingDays, 1), Err(NoCalendar { year: 2019 }));
    assert_eq!(due_in(last, WorkingHours, 30), Ok(datetime!(2026-12-31 17:30 +8)));
    assert_eq!(due_in(last, WorkingHours, 31), Err(NoCalendar { year: 2027 }));
    assert_eq!(due_in(last, WorkingDays, 1), Err(NoCalendar { year: 2027 }));
    assert_eq!(due_in(last, EmergencyHours, 1440), Ok(last + Duration::DAY));
    let calendar = &OFFICE.calendar;
    assert_eq!(measure(calendar, WorkingDays, END, last), Err(NoCalendar { year: 2027 }));
    assert_eq!(advance(calendar, WorkingHours, FIRST, -1), Err(NoCalendar { year: 2019 }));
    assert_eq!(advance(calendar, WorkingHours, FIRST, i64::MAX), Err(NoCalendar { year: 2027 }));
    assert_eq!(advance(calendar, EmergencyHours, FIRST, i64::MAX), Ok(FIRST.saturating_add(Duration::MAX)));
    assert_eq!(
        due_in(Date::MAX.midnight().assume_utc(), WorkingDays, u32::MAX),
        Err(NoCalendar { year: 9999 })
    );
}

#[test]
fn a_gap_between_two_years_is_not_stepped_over() {
    let shifts = OFFICE.calendar.shifts().to_vec();
    let calendar = Calendar::new(shifts.clone(), vec![], vec![2024, 2026]).unwrap();
    let (old, new) = (datetime!(2024-12-31 9:00 +8), datetime!(2026-01-01 9:00 +8));
    let gap = Err(NoCalendar { year: 2025 });
    assert_eq!(measure(&calendar, TimeUnit::WorkingHours, old, new), gap.map(|_: ()| 0));
    assert_eq!(advance(&calendar, TimeUnit::WorkingHours, old, 1000), Err(NoCalendar { year: 2025 }));
    assert_eq!(advance(&calendar, TimeUnit::WorkingHours, new, -1000), Err(NoCalendar { year: 2025 }));
    assert_eq!(
        due(&calendar, old, Limit { unit: TimeUnit::WorkingDays, amount: 1 }),
        Err(NoCalendar { year: 2025 })
    );
    let none = Calendar::new(shifts, vec![], vec![]).unwrap();
    assert_eq!(advance(&none, TimeUnit::WorkingDays, old, 1), Err(NoCalendar { year: 2024 }));
}
