//! Statistics of issues, store → wire.

use std::collections::BTreeMap;

use jingwei_proto::business_environment_monitor::v1 as pb;

use crate::model::issue::tally::Measure;
use crate::store::issue_statistics::{Dimension, Sum, Wanted};

/// What figures are crossed with.
pub fn read_dimension(dimension: pb::IssueDimension) -> Dimension {
    match dimension {
        pb::IssueDimension::Unspecified => Dimension::None,
        pb::IssueDimension::Department => Dimension::Department,
        pb::IssueDimension::Class => Dimension::Class,
        pb::IssueDimension::Indicator => Dimension::Indicator,
        pb::IssueDimension::Task => Dimension::Task,
        pb::IssueDimension::Month => Dimension::Month,
    }
}

/// Sums on the wire: in all, and by the members of the dimension.
pub fn write(wanted: &Wanted, sums: Vec<Sum>, states: &[(i16, i64)]) -> pb::IssueStatistics {
    let (mut total, mut groups) = (Counts::default(), BTreeMap::<(usize, String), Counts>::new());
    for sum in sums {
        if sum.key.is_none() || !wanted.dimension.is_tag() {
            total.add(&sum);
        }
        if let Some(key) = sum.key.clone() {
            // 2 comes before 10.
            groups.entry((key.len(), key)).or_default().add(&sum);
        }
    }
    let key = |key: String| match wanted.dimension {
        Dimension::Class => class_code(&key),
        _ => key,
    };
    let group = |((_, of), counts): ((usize, String), Counts)| pb::IssueFiguresOf {
        key: key(of),
        figures: Some(counts.write()),
    };
    let state = |(state, count): &(i16, i64)| pb::IssueStateCount { state: i32::from(*state), count: *count };
    pb::IssueStatistics {
        total: Some(total.write()),
        groups: groups.into_iter().map(group).collect(),
        states: states.iter().map(state).collect(),
    }
}

/// `A`, `B`, `C` of a class's number; empty for none.
fn class_code(number: &str) -> String {
    let class = number.parse().ok().and_then(|number: i32| pb::IssueClass::try_from(number).ok());
    let class = class.filter(|class| *class != pb::IssueClass::Unspecified);
    class.map(|class| class.as_str_name().trim_start_matches("ISSUE_CLASS_").to_owned()).unwrap_or_default()
}

/// How many of each measure.
#[derive(Default)]
struct Counts([i64; Measure::ALL.len()]);

impl Counts {
    fn add(&mut self, sum: &Sum) {
        let place = usize::try_from(sum.measure - 1).ok();
        if let Some(count) = place.and_then(|place| self.0.get_mut(place)) {
            *count += sum.count;
        }
    }

    fn of(&self, measure: Measure) -> i64 {
        self.0[measure as usize]
    }

    fn write(&self) -> pb::IssueFigures {
        use Measure::*;
        let ratings = [OneStar, TwoStars, ThreeStars, FourStars, FiveStars];
        pb::IssueFigures {
            submitted: self.of(Submitted),
            accepted: self.of(Accepted),
            deemed_accepted: self.of(DeemedAccepted),
            not_accepted: self.of(NotAccepted),
            transferred: self.of(Transferred),
            closed_in_time: self.of(ClosedInTime),
            closed_late: self.of(ClosedLate),
            returned: self.of(Returned),
            reopened: self.of(Reopened),
            terminated: self.of(Terminated),
            ratings: ratings.map(|stars| self.of(stars)).to_vec(),
            called_back: self.of(CalledBack),
            amber: self.of(Amber),
            red: self.of(Red),
        }
    }
}
