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
    /// The minutes.
    pub spread: Spread,
}

/// A distribution of minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spread {
    /// How many values.
    pub count: i64,
    /// The least value that half of them did not exceed.
    pub median: i32,
    /// The least value that nine in ten did not exceed.
    pub p90: i32,
}

impl Spread {
    /// Of values and how often each is added (or, below zero, taken back), in any order; nothing where nothing is left.
    pub fn of(mut values: Vec<(i32, i64)>) -> Option<Self> {
        values.sort_unstable();
        let count: i64 = values.iter().map(|(_, times)| times).sum();
        let least = |tenths: i64| {
            let mut upto = 0;
            let same = values.chunk_by(|(a, _), (b, _)| a == b).find(|same| {
                let times: i64 = same.iter().map(|(_, times)| times).sum();
                upto += times;
                times > 0 && upto * 10 >= count * tenths
            })?;
            Some(same[0].0)
        };
        Some(Self { count, median: least(5)?, p90: least(9)? })
    }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// As if each value stood in a sorted row as often as it was added and not taken back.
        #[test]
        fn a_spread_is_that_of_the_row_of_values(
            kept in prop::collection::vec((0..50_i32, 1..5_i64), 0..40),
            undone in prop::collection::vec((0..50_i32, 1..5_i64), 0..10),
        ) {
            let mut row: Vec<i32> = kept.iter().flat_map(|(value, times)| vec![*value; *times as usize]).collect();
            row.sort_unstable();
            let both = undone.iter().flat_map(|(value, times)| [(*value, *times), (*value, -times)]);
            let expected = (!row.is_empty()).then(|| Spread {
                count: row.len() as i64,
                median: row[row.len().div_ceil(2) - 1],
                p90: row[(row.len() * 9).div_ceil(10) - 1],
            });
            prop_assert_eq!(Spread::of(kept.into_iter().chain(both).collect()), expected);
        }
    }
}
