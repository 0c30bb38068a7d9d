//! Rates: a numerator, a denominator, and the percent of the one in the other.

/// A rate with what it is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// The numerator 分子.
    pub numerator: i64,
    /// The denominator 分母.
    pub denominator: i64,
}

impl Rate {
    /// Hundredths of a percent, rounded half up; `None` where the denominator is not positive.
    pub fn basis_points(self) -> Option<i64> {
        let (numerator, denominator) = (i128::from(self.numerator), i128::from(self.denominator));
        let rounded = || (numerator * 20_000 + denominator).div_euclid(denominator * 2);
        (denominator > 0).then(|| i64::try_from(rounded()).unwrap_or(i64::MAX))
    }

    /// Percent with two decimals, rounded half up, e.g. `93.43`; empty where the denominator is not positive.
    pub fn percent(self) -> String {
        self.basis_points().map_or_else(String::new, |points| {
            let sign = if points < 0 { "-" } else { "" };
            format!("{sign}{}.{:02}", points.unsigned_abs() / 100, points.unsigned_abs() % 100)
        })
    }
}

/// The rank of each value, the greatest first: equal ones share a rank and the next one counts them all; none for none.
pub fn ranks(values: &[Option<i64>]) -> Vec<Option<usize>> {
    let rank = |value: i64| 1 + values.iter().flatten().filter(|other| **other > value).count();
    values.iter().map(|value| value.map(rank)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(numerator: i64, denominator: i64) -> String {
        Rate { numerator, denominator }.percent()
    }

    #[test]
    fn percents_have_two_decimals_and_round_half_up() {
        assert_eq!(percent(33_928, 36_314), "93.43");
        assert_eq!(percent(911, 972), "93.72");
        assert_eq!(percent(737, 972), "75.82");
        assert_eq!(percent(1, 8), "12.50");
        assert_eq!((percent(1, 20_000), percent(1, 20_001)), ("0.01".into(), "0.00".into()));
        assert_eq!(
            (percent(3, 2), percent(-1, 2), percent(-1, 200)),
            ("150.00".into(), "-50.00".into(), "-0.50".into())
        );
        assert_eq!(
            (percent(0, 0), percent(1, -1), percent(0, 5)),
            (String::new(), String::new(), "0.00".into())
        );
    }

    #[test]
    fn equal_values_share_a_rank() {
        let values = [Some(7), None, Some(9), Some(7), Some(1)];
        assert_eq!(ranks(&values), [Some(2), None, Some(1), Some(2), Some(4)]);
    }
}
