//! Period: some local days, and the whole years, months and days that it is made of.

use time::{Date, Duration, Month};

/// The local days to count, first and last included; an open end reaches as far as there is anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Period {
    /// The first day.
    pub from: Option<Date>,
    /// The last day.
    pub to: Option<Date>,
}

/// What counters are kept for. The numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// A day.
    Day = 1,
    /// A calendar month.
    Month = 2,
    /// A calendar year.
    Year = 3,
}

/// How long a step of a trend is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "named like the calendar's")]
pub enum Step {
    Day,
    Week,
    Month,
    Year,
}

/// Spans of one kind that follow each other without a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Of which kind.
    pub span: Span,
    /// The first day of the first.
    pub first: Date,
    /// The last day of the last.
    pub last: Date,
}

impl Period {
    /// The days from one to another.
    pub fn of(from: Date, to: Date) -> Self {
        Self { from: Some(from), to: Some(to) }
    }

    /// The period up to today in the fewest spans: days, months, years, months, days. A deadline of tomorrow is nobody's yet,
    /// and nothing else happens in the future.
    pub fn pieces(self, today: Date) -> Vec<Piece> {
        let last = self.to.map_or(today, |to| to.min(today));
        let first = self.from.unwrap_or_else(|| first_of(1, Month::January));
        let mut pieces: Vec<Piece> = Vec::new();
        let mut next = Some(first);
        while let Some(day) = next.filter(|day| *day <= last) {
            let piece = longest(day, last);
            match pieces.last_mut().filter(|before| before.span == piece.span) {
                Some(before) => before.last = piece.last,
                None => pieces.push(piece),
            }
            next = piece.last.next_day();
        }
        pieces
    }
}

impl Period {
    /// As `pieces`, for what never lies in the future: a period up to today ends with the year, and so with fewer pieces.
    pub fn pieces_of_past(self, today: Date) -> Vec<Piece> {
        if self.to.is_some_and(|to| to < today) {
            return self.pieces(today);
        }
        Self { to: None, ..self }.pieces(last_of(today.year(), Month::December))
    }

    /// The steps of the period up to today, each with its first and last day; the first and the last step are cut by its ends.
    /// A period without a beginning has none.
    pub fn steps(self, step: Step, today: Date) -> impl Iterator<Item = (Date, Date)> {
        let last = self.to.map_or(today, |to| to.min(today));
        let end = move |day: Date| match step {
            Step::Day => day,
            Step::Week => day + Duration::days(7 - i64::from(day.weekday().number_from_monday())),
            Step::Month => last_of(day.year(), day.month()),
            Step::Year => last_of(day.year(), Month::December),
        };
        let with_end = move |day: Date| (day, end(day).min(last));
        let first = self.from.filter(|first| *first <= last).map(with_end);
        std::iter::successors(first, move |(_, end)| end.next_day().filter(|day| *day <= last).map(with_end))
    }
}

/// The longest span that starts with a day and ends by another.
fn longest(day: Date, last: Date) -> Piece {
    let year = last_of(day.year(), Month::December);
    let month = last_of(day.year(), day.month());
    let (span, end) = match day.day() {
        1 if day.month() == Month::January && year <= last => (Span::Year, year),
        1 if month <= last => (Span::Month, month),
        _ => (Span::Day, day),
    };
    Piece { span, first: day, last: end }
}

/// The first day of a month.
pub fn first_of(year: i32, month: Month) -> Date {
    Date::from_calendar_date(year, month, 1).expect("every month has a first day")
}

/// The last day of a month.
pub fn last_of(year: i32, month: Month) -> Date {
    Date::from_calendar_date(year, month, month.length(year)).expect("every month has a last day")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::date;

    use super::*;

    fn spans(period: Period, today: Date) -> Vec<(Span, Date, Date)> {
        period.pieces(today).iter().map(|piece| (piece.span, piece.first, piece.last)).collect()
    }

    #[test]
    fn a_long_period_is_a_few_pieces() {
        let today = date!(2026 - 11 - 23);
        assert_eq!(
            spans(Period::of(date!(2023 - 11 - 29), date!(2026 - 02 - 03)), today),
            [
                (Span::Day, date!(2023 - 11 - 29), date!(2023 - 11 - 30)),
                (Span::Month, date!(2023 - 12 - 01), date!(2023 - 12 - 31)),
                (Span::Year, date!(2024 - 01 - 01), date!(2025 - 12 - 31)),
                (Span::Month, date!(2026 - 01 - 01), date!(2026 - 01 - 31)),
                (Span::Day, date!(2026 - 02 - 01), date!(2026 - 02 - 03)),
            ]
        );
        assert_eq!(
            spans(Period::default(), today),
            [
                (Span::Year, date!(0001 - 01 - 01), date!(2025 - 12 - 31)),
                (Span::Month, date!(2026 - 01 - 01), date!(2026 - 10 - 31)),
                (Span::Day, date!(2026 - 11 - 01), today),
            ]
        );
        assert_eq!(spans(Period { from: today.next_day(), to: None }, today), []);
    }

    #[test]
    fn what_lies_in_the_past_only_is_in_fewer_pieces() {
        let today = date!(2026 - 11 - 23);
        let spans = |period: Period| {
            let pieces = period.pieces_of_past(today);
            pieces.iter().map(|piece| (piece.span, piece.first, piece.last)).collect::<Vec<_>>()
        };
        let whole = [(Span::Year, date!(0001 - 01 - 01), date!(2026 - 12 - 31))];
        assert_eq!(spans(Period::default()), whole);
        let months = [(Span::Month, date!(2026 - 11 - 01), date!(2026 - 12 - 31))];
        assert_eq!(spans(Period::of(date!(2026 - 11 - 01), today)), months);
        let ended = Period::of(date!(2026 - 11 - 01), date!(2026 - 11 - 22));
        assert_eq!(ended.pieces_of_past(today), ended.pieces(today));
    }

    #[test]
    fn steps_follow_the_calendar_and_are_cut_by_the_ends() {
        let period = Period::of(date!(2026 - 02 - 26), date!(2026 - 03 - 11));
        let weeks: Vec<_> = period.steps(Step::Week, date!(2026 - 03 - 10)).collect();
        assert_eq!(
            weeks,
            [
                (date!(2026 - 02 - 26), date!(2026 - 03 - 01)),
                (date!(2026 - 03 - 02), date!(2026 - 03 - 08)),
                (date!(2026 - 03 - 09), date!(2026 - 03 - 10)),
            ]
        );
        assert_eq!(period.steps(Step::Month, date!(2030 - 01 - 01)).count(), 2);
        assert_eq!(period.steps(Step::Year, date!(2030 - 01 - 01)).count(), 1);
        assert_eq!(period.steps(Step::Day, date!(2030 - 01 - 01)).count(), 14);
        assert_eq!(period.steps(Step::Day, date!(2026 - 01 - 01)).count(), 0);
    }

    proptest! {
        #[test]
        fn the_pieces_are_the_days_of_the_period_and_whole_spans(start in 0i64..3000, days in 0i64..3000, today in 0i64..4000) {
            let day = |number| date!(2020 - 01 - 01) + Duration::days(number);
            let (from, to, today) = (day(start), day(start + days), day(today));
            let pieces = Period::of(from, to).pieces(today);
            let mut next = from;
            for piece in &pieces {
                prop_assert_eq!(piece.first, next);
                prop_assert!(piece.first <= piece.last);
                next = piece.last.next_day().expect("not the last day of all");
                if piece.span != Span::Day {
                    prop_assert!(piece.first.day() == 1 && next.day() == 1);
                }
                if piece.span == Span::Year {
                    prop_assert!(piece.first.ordinal() == 1 && next.ordinal() == 1);
                }
            }
            let last = to.min(today);
            prop_assert_eq!(next, if from <= last { last.next_day().expect("one more") } else { from });
            prop_assert!(pieces.len() <= 5);
        }
    }
}
