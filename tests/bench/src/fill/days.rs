//! When reports come: so many on each day, most of them while people are about.

use jingwei_work_calendar::CHINA_STANDARD_TIME;
use time::{Date, Duration, OffsetDateTime, UtcOffset, Weekday};

/// The reports of a district, day by day.
pub struct Days {
    /// The next day.
    day: Date,
    until: OffsetDateTime,
    left: u64,
    /// How much of all that comes from `day` on.
    weight: f64,
    /// The moments of the day under way, the next one last.
    today: Vec<OffsetDateTime>,
}

impl Days {
    /// So many reports from the morning of the first day up to a moment.
    pub fn new(first: Date, until: OffsetDateTime, reports: u64) -> Self {
        let mut days = Self { day: first, until, left: reports, weight: 0.0, today: Vec::new() };
        let mut day = first;
        while day <= days.last() {
            days.weight += days.weight_of(day);
            day = day.next_day().expect("not the last day of all");
        }
        days
    }

    /// When the next report comes.
    pub fn peek(&mut self, random: &mut fastrand::Rng) -> Option<OffsetDateTime> {
        while self.today.is_empty() && self.left > 0 {
            self.next_day(random);
        }
        self.today.last().copied()
    }

    /// Takes the one that `peek` told.
    pub fn take(&mut self) {
        self.today.pop();
    }

    fn last(&self) -> Date {
        self.until.to_offset(CHINA_STANDARD_TIME).date()
    }

    /// A day off sees half as many; of the last day only what has passed of it counts.
    fn weight_of(&self, day: Date) -> f64 {
        let off = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        let whole = if off { 0.5 } else { 1.0 };
        let passed = (self.until - day.midnight().assume_offset(CHINA_STANDARD_TIME)).as_seconds_f64();
        whole * (passed / 86_400.0).clamp(1e-9, 1.0)
    }

    fn next_day(&mut self, random: &mut fastrand::Rng) {
        let weight = self.weight_of(self.day);
        let share = if self.day == self.last() { 1.0 } else { (weight / self.weight).min(1.0) };
        let reports = ((self.left as f64 * share).round() as u64).min(self.left);
        let midnight = self.day.midnight().assume_offset(CHINA_STANDARD_TIME).to_offset(UtcOffset::UTC);
        let span = (self.until - midnight).min(Duration::DAY).whole_microseconds() as i64;
        self.today = (0..reports).map(|_| midnight + Duration::microseconds(moment(span, random))).collect();
        self.today.sort_unstable_by(|a, b| b.cmp(a));
        (self.left, self.weight) = (self.left - reports, self.weight - weight);
        self.day = self.day.next_day().expect("not the last day of all");
    }
}

/// Microseconds since midnight, below `span`: nearly all from seven in the morning to nine in the evening, where that has come.
fn moment(span: i64, random: &mut fastrand::Rng) -> i64 {
    const HOUR: i64 = 3_600_000_000;
    let (from, to) = (7 * HOUR, span.min(21 * HOUR));
    if to > from && random.u32(0..100) < 97 { random.i64(from..to) } else { random.i64(0..span.max(1)) }
}
