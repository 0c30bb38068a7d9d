//! Category (事件类别): a tree of two levels with the limits of each step, by condition (立案条件).

use jingwei_work_calendar::{Limit, TimeUnit};
use serde::{Deserialize, Serialize};

use super::clock::StepLimits;

/// Limits of some of the steps; what is missing is inherited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PartialLimits {
    /// From the report to acceptance.
    pub accept: Option<Limit>,
    /// From acceptance to registration.
    pub register: Option<Limit>,
    /// From registration to dispatch.
    pub dispatch: Option<Limit>,
    /// From dispatch to resolution.
    pub handle: Option<Limit>,
    /// From resolution to verification.
    pub verify: Option<Limit>,
}

/// What holds where neither condition, category nor main category says otherwise.
pub const DEFAULTS: StepLimits = StepLimits {
    accept: Limit { unit: TimeUnit::WorkingHours, amount: 120 },
    register: Limit { unit: TimeUnit::WorkingHours, amount: 60 },
    dispatch: Limit { unit: TimeUnit::WorkingHours, amount: 60 },
    handle: Limit { unit: TimeUnit::WorkingDays, amount: 5 },
    verify: Limit { unit: TimeUnit::WorkingHours, amount: 90 },
};

/// A circumstance that changes the limits, e.g. a burst pipe that is fenced off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// Unique in the category.
    pub code: String,
    /// Its Chinese name.
    pub display_name: String,
    /// What it changes.
    pub limits: PartialLimits,
}

/// A kind of event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Category {
    /// The district.
    pub district: i32,
    /// Its code, unique in the district.
    pub code: String,
    /// The main category (大类) that it belongs to; `None` for a main category.
    pub parent: Option<String>,
    /// Its Chinese name.
    pub display_name: String,
    /// Its limits.
    pub limits: PartialLimits,
    /// Its conditions.
    pub conditions: Vec<Condition>,
    /// Whether a report by the public is verified first.
    pub verify_public_reports: bool,
    /// Whether it may no longer be reported.
    pub retired: bool,
    /// The number of its changes, from 1.
    pub version: i64,
}

impl Category {
    /// Whether an event can be reported under it: a sub-category (小类) in use.
    pub fn is_reportable(&self) -> bool {
        self.parent.is_some() && !self.retired
    }

    /// The limits under a condition (empty = none): the condition's, else the category's, else the main category's, else the
    /// defaults. A condition that has been taken away since leaves the category's.
    pub fn limits(&self, condition: &str, main: &PartialLimits) -> StepLimits {
        let under =
            self.conditions.iter().find(|c| c.code == condition).map(|c| c.limits).unwrap_or_default();
        let pick = |of: fn(&PartialLimits) -> Option<Limit>| of(&under).or(of(&self.limits)).or(of(main));
        StepLimits {
            accept: pick(|l| l.accept).unwrap_or(DEFAULTS.accept),
            register: pick(|l| l.register).unwrap_or(DEFAULTS.register),
            dispatch: pick(|l| l.dispatch).unwrap_or(DEFAULTS.dispatch),
            handle: pick(|l| l.handle).unwrap_or(DEFAULTS.handle),
            verify: pick(|l| l.verify).unwrap_or(DEFAULTS.verify),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_limit_counts() {
        let days = |amount| Some(Limit { unit: TimeUnit::WorkingDays, amount });
        let fenced = PartialLimits { handle: days(1), ..PartialLimits::default() };
        let category = Category {
            district: 410182,
            code: "burst-pipe".into(),
            parent: Some("water".into()),
            display_name: "水管爆裂".into(),
            limits: PartialLimits { handle: days(2), verify: days(2), ..PartialLimits::default() },
            conditions: vec![Condition {
                code: "fenced".into(),
                display_name: "有围挡".into(),
                limits: fenced,
            }],
            verify_public_reports: false,
            retired: false,
            version: 1,
        };
        let main = PartialLimits { handle: days(3), dispatch: days(3), ..PartialLimits::default() };
        let limits = category.limits("fenced", &main);
        assert_eq!(Some(limits.handle), days(1), "the condition's");
        assert_eq!(Some(limits.verify), days(2), "the category's");
        assert_eq!(Some(limits.dispatch), days(3), "the main category's");
        assert_eq!(limits.accept, DEFAULTS.accept);
        assert_eq!(Some(category.limits("", &main).handle), days(2));
    }
}
