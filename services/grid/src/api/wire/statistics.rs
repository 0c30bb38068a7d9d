//! Numbers to their messages, and the fields of a request for them to the model.

use jingwei_kit::status::{Problem, Violations};
use jingwei_proto::grid::v1 as pb;
use time::Date;
use time::macros::format_description;

use crate::model::count::Metric;
use crate::model::numbers::{Numbers, Spread, Times};
use crate::model::period::Period;
use crate::model::rate::Rate;

/// How often things happened.
pub fn counts(numbers: &Numbers, has_reports: bool) -> pb::StatisticCounts {
    let of = |metric| numbers.of(metric);
    pb::StatisticCounts {
        reported: of(Metric::Reported),
        accepted: of(Metric::Accepted),
        accepted_in_time: of(Metric::AcceptedInTime),
        rejected: of(Metric::Rejected),
        registered: of(Metric::Registered),
        voided: of(Metric::Voided),
        dispatched: of(Metric::Dispatched),
        returned: of(Metric::Returned),
        extended: of(Metric::Extended),
        verified: of(Metric::Verified),
        reworked: of(Metric::Reworked),
        closed: of(Metric::Closed),
        self_settled: of(Metric::SelfSettled),
        reopened: of(Metric::Reopened),
        merged: of(Metric::Merged),
        overdue: of(Metric::Overdue),
        due: of(Metric::Due),
        due_closed: of(Metric::DueClosed),
        due_on_time: of(Metric::DueOnTime),
        answered: of(Metric::Answered),
        answered_solved: of(Metric::AnsweredSolved),
        rated: of(Metric::Rated),
        satisfied: of(Metric::Satisfied),
        open: if has_reports { numbers.open() } else { 0 },
    }
}

/// The rates made of them.
pub fn rates(numbers: &Numbers) -> pb::Rates {
    let of = |numerator, denominator| Some(rate(numbers.rate(numerator, denominator)));
    let on_time = numbers.on_time_closing();
    let late = Rate { numerator: on_time.denominator - on_time.numerator, ..on_time };
    pb::Rates {
        acceptance: of(Metric::Accepted, Metric::Reported),
        registration: of(Metric::Registered, Metric::Accepted),
        closing: of(Metric::DueClosed, Metric::Due),
        on_time_closing: Some(rate(on_time)),
        overdue: Some(rate(late)),
        rework: of(Metric::Reworked, Metric::Verified),
        returns: of(Metric::Returned, Metric::Dispatched),
        extension: of(Metric::Extended, Metric::Dispatched),
        response: of(Metric::AcceptedInTime, Metric::Accepted),
        participation: of(Metric::Answered, Metric::Closed),
        solution: of(Metric::AnsweredSolved, Metric::Answered),
        satisfaction: of(Metric::Satisfied, Metric::Rated),
    }
}

fn rate(rate: Rate) -> pb::Rate {
    pb::Rate { numerator: rate.numerator, denominator: rate.denominator, percent: rate.percent() }
}

/// How long things took, of the rows that are about one subject.
pub fn durations(times: &[Times]) -> pb::Durations {
    let mut durations = pb::Durations {
        acceptance: Some(pb::Duration::default()),
        handling: Some(pb::Duration::default()),
        total: Some(pb::Duration::default()),
    };
    for row in times {
        let Spread { count, median, p90 } = row.spread;
        let duration = pb::Duration { count, median_minutes: median.into(), p90_minutes: p90.into() };
        match row.metric {
            metric if metric == Metric::AcceptanceTime.code() => durations.acceptance = Some(duration),
            metric if metric == Metric::HandlingTime.code() => durations.handling = Some(duration),
            _ => durations.total = Some(duration),
        }
    }
    durations
}

/// A period from its two fields; either may be empty.
pub fn read_period(from: &str, to: &str) -> Result<Period, Problem> {
    let mut violations = Violations::new();
    let mut read = |field: &str, text: &str| {
        let date = Date::parse(text, format_description!("[year]-[month]-[day]")).ok();
        if date.is_none() && !text.is_empty() {
            violations.add(field, "date", "没有这一天；格式为 YYYY-MM-DD", "is no date: YYYY-MM-DD");
        }
        date
    };
    let period = Period { from: read("from_date", from), to: read("to_date", to) };
    if let (Some(from), Some(to)) = (period.from, period.to)
        && from > to
    {
        violations.add("to_date", "order", "不能早于 from_date", "must not be before from_date");
    }
    violations.finish()?;
    Ok(period)
}

/// A local day, YYYY-MM-DD.
pub fn date(day: Date) -> String {
    format!("{:04}-{:02}-{:02}", day.year(), u8::from(day.month()), day.day())
}
