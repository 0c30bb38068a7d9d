//! The calendar's days in a row, with the working time summed up before each: answers are look-ups.

use std::collections::HashMap;

use time::{Date, Duration, Month, OffsetDateTime, UtcOffset};

use super::{CHINA_STANDARD_TIME, CalendarDay, DayKind, Shift};

/// The pattern of a day that is not worked; those before are the weekdays', from Monday.
const OFF: usize = 7;

/// The days from the first year to the last, with a guard day before and after: what is looked for beyond the
/// years is found on a guard day, and the year of that has no data.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Table {
    patterns: [Vec<Stretch>; OFF + 1],
    /// The date of the first row.
    first: Date,
    rows: Vec<Row>,
}

/// Working time of a day without a break.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Stretch {
    /// Since midnight.
    start: Duration,
    length: Duration,
}

/// A day.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Row {
    pattern: usize,
    /// Working time of all rows before.
    worked: Duration,
    /// Working days among all rows before.
    working_days: u32,
}

/// A local day and a time in it; 24:00 still belongs to the day.
pub(super) struct LocalTime {
    pub(super) date: Date,
    since_midnight: Duration,
}

impl LocalTime {
    pub(super) fn moment(&self) -> OffsetDateTime {
        (midnight(self.date) + self.since_midnight).to_offset(UtcOffset::UTC)
    }
}

impl Table {
    /// The table of valid data, `years` in order.
    pub(super) fn new(shifts: &[Shift], days: &[CalendarDay], years: &[i32]) -> Self {
        let patterns = patterns(shifts);
        let (&[first, ..], &[.., last]) = (years, years) else {
            return Self { patterns, first: Date::MIN, rows: Vec::new() };
        };
        let make_up = patterns.iter().position(|pattern| !pattern.is_empty()).unwrap_or(OFF);
        let special: HashMap<Date, DayKind> = days.iter().map(|day| (day.date, day.kind)).collect();
        let pattern = |date: Date| match special.get(&date) {
            _ if years.binary_search(&date.year()).is_err() => OFF,
            Some(DayKind::Off) => OFF,
            Some(DayKind::Work) => make_up,
            None => usize::from(date.weekday().number_days_from_monday()),
        };
        let (first, last) = (new_year(first) - Duration::DAY, new_year(last + 1));
        let (mut worked, mut working_days) = (Duration::ZERO, 0);
        let rows = (first.to_julian_day()..=last.to_julian_day())
            .map(|day| {
                let pattern = pattern(Date::from_julian_day(day).expect("between two dates"));
                let row = Row { pattern, worked, working_days };
                worked += patterns[pattern].iter().map(|stretch| stretch.length).sum::<Duration>();
                working_days += u32::from(!patterns[pattern].is_empty());
                row
            })
            .collect();
        Self { patterns, first, rows }
    }

    /// The working days of a year that has data.
    pub(super) fn working_days(&self, year: i32) -> u32 {
        self.row(new_year(year + 1)).working_days - self.row(new_year(year)).working_days
    }

    /// The working time from the table's start to a local moment in a year that has data.
    pub(super) fn worked_until(&self, at: OffsetDateTime) -> Duration {
        let row = self.row(at.date());
        let since_midnight = at - midnight(at.date());
        let worked_today = self.patterns[row.pattern]
            .iter()
            .map(|stretch| (since_midnight - stretch.start).clamp(Duration::ZERO, stretch.length))
            .sum::<Duration>();
        row.worked + worked_today
    }

    /// The first time at which so much has been worked, more than none.
    pub(super) fn reaching(&self, worked: Duration) -> LocalTime {
        self.time_of(worked, |before| before < worked)
    }

    /// The last time at which no more has been worked.
    pub(super) fn leaving(&self, worked: Duration) -> LocalTime {
        self.time_of(worked, |before| before <= worked)
    }

    /// The time at which `worked` has been worked: of all these times, the first or the last, as `passed`
    /// says of the working time before a day or at a shift's end whether the time looked for comes after it.
    fn time_of(&self, worked: Duration, passed: impl Fn(Duration) -> bool) -> LocalTime {
        let index = self.rows.partition_point(|row| passed(row.worked)).saturating_sub(1);
        let mut before = self.rows[index].worked;
        let mut since_midnight = Duration::ZERO;
        for stretch in &self.patterns[self.rows[index].pattern] {
            if !passed(before + stretch.length) {
                since_midnight = stretch.start + (worked - before);
                break;
            }
            before += stretch.length;
        }
        LocalTime { date: self.date(index), since_midnight }
    }

    /// The end of the last shift of the `count`-th working day (from 1), counted from a date in a year that
    /// has data.
    pub(super) fn end_of_day(&self, from: Date, count: u32) -> LocalTime {
        let target = self.row(from).working_days.saturating_add(count);
        let index = self.rows.partition_point(|row| row.working_days < target) - 1;
        let last = self.patterns[self.rows[index].pattern].last();
        let since_midnight = last.map_or(Duration::ZERO, |stretch| stretch.start + stretch.length);
        LocalTime { date: self.date(index), since_midnight }
    }

    fn row(&self, date: Date) -> Row {
        let index = date.to_julian_day() - self.first.to_julian_day();
        self.rows[usize::try_from(index).expect("its year has data")]
    }

    fn date(&self, index: usize) -> Date {
        self.first + Duration::days(i64::try_from(index).expect("few rows"))
    }
}

/// The stretches of each weekday in order, then those of a day off: none.
fn patterns(shifts: &[Shift]) -> [Vec<Stretch>; OFF + 1] {
    let mut patterns: [Vec<Stretch>; OFF + 1] = Default::default();
    for shift in shifts {
        patterns[usize::from(shift.weekday) - 1].push(Stretch {
            start: Duration::minutes(shift.start_minute.into()),
            length: Duration::minutes((shift.end_minute - shift.start_minute).into()),
        });
    }
    for pattern in &mut patterns {
        pattern.sort_unstable_by_key(|stretch| stretch.start);
    }
    patterns
}

fn new_year(year: i32) -> Date {
    Date::from_calendar_date(year, Month::January, 1).expect("from 1950 to 2201")
}

/// The moment at which a local day starts.
fn midnight(date: Date) -> OffsetDateTime {
    date.midnight().assume_offset(CHINA_STANDARD_TIME)
}
