//! Numbers: how often things happened and how long they took, of an area and one member of a dimension.

use std::collections::HashMap;

use super::count::Metric;
use super::rate::Rate;
use super::unit::Unit;

/// A dimension and one of its members: what is counted, crossed with the area.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Member {
    /// Everything.
    All,
    /// What a unit leads.
    Lead(Unit),
    /// What falls under a main category, by its code.
    MainCategory(String),
    /// What falls under a sub-category, by its code.
    Category(String),
    /// What a level of this depth accepted.
    Level(u8),
}

impl Member {
    /// Whether things are reported to it: to a unit they are given, and a level takes them.
    pub fn has_reports(&self) -> bool {
        !matches!(self, Member::Lead(_) | Member::Level(_))
    }
}

/// How often something happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// The area's code.
    pub area: String,
    /// Which of the members that were asked for, from 0.
    pub member: usize,
    /// Which of the periods, from 0.
    pub period: usize,
    /// The code of a `Metric`.
    pub metric: i32,
    /// How often.
    pub count: i64,
}

/// How long something took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Times {
    /// The area's code.
    pub area: String,
    /// Which of the members that were asked for, from 0.
    pub member: usize,
    /// Which of the periods, from 0.
    pub period: usize,
    /// The code of a `Metric` that is a time.
    pub metric: i32,
    /// How often.
    pub count: i64,
    /// The least number of minutes that half of them did not exceed.
    pub median: i32,
    /// The least number of minutes that nine in ten did not exceed.
    pub p90: i32,
}

/// How often things happened, by the codes of their metrics.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Numbers(pub HashMap<i32, i64>);

impl Numbers {
    /// How often; 0 where never.
    pub fn of(&self, metric: Metric) -> i64 {
        self.0.get(&metric.code()).copied().unwrap_or(0)
    }

    /// One metric of another.
    pub fn rate(&self, numerator: Metric, denominator: Metric) -> Rate {
        Rate { numerator: self.of(numerator), denominator: self.of(denominator) }
    }

    /// What was reported and has not ended 在办.
    pub fn open(&self) -> i64 {
        let ended = [Metric::Closed, Metric::Rejected, Metric::Voided, Metric::Merged];
        self.of(Metric::Reported) - ended.into_iter().map(|metric| self.of(metric)).sum::<i64>()
    }

    /// On-time closing 按时结案率: what is overdue and open counts in the denominator only.
    pub fn on_time_closing(&self) -> Rate {
        self.rate(Metric::DueOnTime, Metric::Due)
    }
}
