//! The shape in which holidays and shifts are shipped: a header, then one row a line, without quotes.

use time::{Date, Month, macros::format_description};

use super::{CalendarDay, DayKind, Shift};

/// A line that could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct CsvError {
    /// The line, from 1: the header.
    pub line: usize,
    /// What is wrong with it.
    pub problem: CsvProblem,
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CsvProblem {
    /// The first line is not this header.
    #[error("the header must be `{0}`")]
    Header(&'static str),
    /// It does not have three fields.
    #[error("a row has three fields")]
    Fields,
    /// The date is not an existing date written YYYY-MM-DD.
    #[error("a date is written YYYY-MM-DD")]
    Date,
    /// The kind is neither `off` nor `work`.
    #[error("a kind is `off` or `work`")]
    Kind,
    /// The weekday is not a number of 1 to 7.
    #[error("a weekday is 1 (Monday) to 7 (Sunday)")]
    Weekday,
    /// A time is not HH:MM from 00:00 to 24:00.
    #[error("a time is written HH:MM, 00:00 to 24:00")]
    Time,
}

/// Reads days off and make-up working days: `date,kind,name`, e.g. `2026-02-28,work,春节`.
///
/// # Errors
/// The first line that cannot be read.
pub fn parse_days(csv: &str) -> Result<Vec<CalendarDay>, CsvError> {
    parse(csv, "date,kind,name", |[date, kind, name]| {
        let format = format_description!("[year]-[month]-[day]");
        let date = Date::parse(date, format).map_err(|_| CsvProblem::Date)?;
        let kind = match kind {
            "off" => DayKind::Off,
            "work" => DayKind::Work,
            _ => return Err(CsvProblem::Kind),
        };
        Ok(CalendarDay { date, kind, display_name: name.to_owned() })
    })
}

/// Reads weekly shifts: `weekday,start,end`, e.g. `1,08:30,12:00`.
///
/// # Errors
/// The first line that cannot be read; [`super::Calendar::new`] checks how they fit together.
pub fn parse_shifts(csv: &str) -> Result<Vec<Shift>, CsvError> {
    parse(csv, "weekday,start,end", |[weekday, start, end]| {
        let weekday = weekday.parse().ok().filter(|day| (1..=7).contains(day)).ok_or(CsvProblem::Weekday)?;
        Ok(Shift { weekday, start_minute: minute(start)?, end_minute: minute(end)? })
    })
}

/// The years whose days are complete, in order: those with their National Day (国庆节, 1 October). A year's list
/// is published as a whole, and all of them have that day; a year known only by the last days of December,
/// which belong to the next New Year's holiday, is not complete.
#[must_use]
pub fn covered_years(days: &[CalendarDay]) -> Vec<i32> {
    let is_national_day = |day: &&CalendarDay| {
        day.kind == DayKind::Off && day.date.month() == Month::October && day.date.day() == 1
    };
    let mut years: Vec<i32> = days.iter().filter(is_national_day).map(|day| day.date.year()).collect();
    years.sort_unstable();
    years
}

/// Reads the rows below a header, past a byte order mark and over empty lines.
fn parse<T>(
    csv: &str,
    header: &'static str,
    row: impl Fn([&str; 3]) -> Result<T, CsvProblem>,
) -> Result<Vec<T>, CsvError> {
    let mut lines = csv.trim_start_matches('\u{feff}').lines();
    if lines.next().map(str::trim_end) != Some(header) {
        return Err(CsvError { line: 1, problem: CsvProblem::Header(header) });
    }
    (2..)
        .zip(lines)
        .filter(|(_, text)| !text.trim().is_empty())
        .map(|(line, text)| {
            let fields: Vec<&str> = text.split(',').map(str::trim).collect();
            <[&str; 3]>::try_from(fields)
                .map_err(|_| CsvProblem::Fields)
                .and_then(&row)
                .map_err(|problem| CsvError { line, problem })
        })
        .collect()
}

/// The minute of the day that `HH:MM` names.
fn minute(text: &str) -> Result<u16, CsvProblem> {
    let number = |digits: &str| match digits.as_bytes() {
        [b'0'..=b'9', b'0'..=b'9'] => digits.parse::<u16>().ok(),
        _ => None,
    };
    let (hour, minute) = text.split_once(':').ok_or(CsvProblem::Time)?;
    let (hour, minute) = number(hour).zip(number(minute)).ok_or(CsvProblem::Time)?;
    if minute < 60 && hour * 60 + minute <= 24 * 60 { Ok(hour * 60 + minute) } else { Err(CsvProblem::Time) }
}
