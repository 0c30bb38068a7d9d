//! Indicators (营商环境指标): the 18 by which the business environment is looked at; the same everywhere.

use std::sync::LazyLock;

/// An indicator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Indicator {
    /// Its number, 1 to 18.
    pub number: u8,
    /// What people call it.
    pub chinese: &'static str,
    /// The same in English.
    pub english: &'static str,
    /// Whether it is one of the 15 aspects of an enterprise's life cycle 企业全生命周期.
    pub life_cycle: bool,
}

/// All of them, in the order of their numbers.
pub static INDICATORS: LazyLock<Vec<Indicator>> = LazyLock::new(|| {
    include_str!("../../data/indicators.csv")
        .lines()
        .skip(1)
        .map(|line| row(line).expect("a test reads it"))
        .collect()
});

/// A line `number,name,name_en,life_cycle`; names with a comma are quoted.
fn row(line: &'static str) -> Option<Indicator> {
    let (number, rest) = line.split_once(',')?;
    let (chinese, rest) = rest.split_once(',')?;
    let (english, life_cycle) = rest.rsplit_once(',')?;
    Some(Indicator {
        number: number.parse().ok()?,
        chinese,
        english: english.trim_matches('"'),
        life_cycle: life_cycle.trim().parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_18_of_which_15_are_of_the_life_cycle() {
        let numbers: Vec<_> = INDICATORS.iter().map(|indicator| indicator.number).collect();
        assert_eq!(numbers, (1..=18).collect::<Vec<_>>());
        assert!(INDICATORS.iter().all(|indicator| indicator.life_cycle == (indicator.number <= 15)));
        let last = INDICATORS[17];
        assert_eq!((last.chinese, last.english), ("包容普惠创新", "inclusive, broadly shared innovation"));
    }
}
