//! Quorum, votes, and what follows from them: nobody types an outcome in.

use serde::{Deserialize, Serialize};

use super::Participant;

/// How many of those invited with a vote have to come 法定人数.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quorum {
    /// At least so many.
    Minimum(u32),
    /// At least this share, in percent; a fraction counts as one more person.
    Percent(u32),
}

impl Quorum {
    /// How many of so many that is; one at least.
    pub fn of(self, invited: u32) -> u32 {
        match self {
            Quorum::Minimum(minimum) => minimum.max(1),
            Quorum::Percent(percent) => (invited * percent).div_ceil(100).max(1),
        }
    }
}

/// How it is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// More than half of the votes present 过半数.
    SimpleMajority,
    /// At least two thirds of the votes present 三分之二以上.
    TwoThirds,
    /// Nobody present is against it, and somebody is for it 协商一致.
    Consensus,
}

/// A vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// For the one plan 同意.
    For,
    /// Against the plan, or against every option 反对.
    Against,
    /// Abstains 弃权; in a consensus: stands aside.
    Abstain,
    /// For the option of this number, from 1.
    Option(u32),
}

impl Choice {
    /// Whether it can be voted where there are so many options.
    pub fn fits(self, options: usize) -> bool {
        match self {
            Choice::For => options < 2,
            Choice::Option(number) => options >= 2 && (1..=options).contains(&(number as usize)),
            Choice::Against | Choice::Abstain => true,
        }
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Adopted 通过.
    Adopted {
        /// The option's number; `None` where there was one plan only.
        option: Option<u32>,
    },
    /// No plan had enough votes 未通过.
    Rejected,
    /// No consensus 未达成一致.
    NoConsensus,
}

/// The votes, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Invited with a vote.
    pub invited: u32,
    /// Of these, came.
    pub invited_present: u32,
    /// With a vote, came; invited or not.
    pub present: u32,
    /// Of these, voted.
    pub voted: u32,
    /// For each option in their order; one number for one plan.
    pub support: Vec<u32>,
    /// Against.
    pub against: u32,
    /// Abstained.
    pub abstained: u32,
}

/// Counts who came and how they voted, where there are so many options.
pub fn tally(participants: &[Participant], options: usize) -> Tally {
    let mut tally = Tally { support: vec![0; options.max(1)], ..Tally::default() };
    for participant in participants.iter().filter(|p| !p.non_voting) {
        tally.invited += u32::from(!participant.walk_in);
        tally.invited_present += u32::from(!participant.walk_in && participant.present);
        tally.present += u32::from(participant.present);
        tally.voted += u32::from(participant.vote.is_some());
        match participant.vote {
            Some(Choice::Against) => tally.against += 1,
            Some(Choice::Abstain) => tally.abstained += 1,
            Some(Choice::For) => tally.support[0] += 1,
            Some(Choice::Option(number)) => {
                if let Some(support) = super::place(number).and_then(|i| tally.support.get_mut(i)) {
                    *support += 1;
                }
            }
            None => {}
        }
    }
    tally
}

impl Tally {
    /// How many votes are missing before it can be decided: one must be there, for a consensus everyone's.
    pub fn missing(&self, mode: Mode) -> u32 {
        let needed = if mode == Mode::Consensus { self.present.max(1) } else { 1 };
        needed.saturating_sub(self.voted)
    }

    /// What follows from the votes.
    pub fn outcome(&self, mode: Mode) -> Outcome {
        let carries = |votes: u32| match mode {
            Mode::SimpleMajority => 2 * votes > self.present,
            Mode::TwoThirds => votes > 0 && 3 * votes >= 2 * self.present,
            Mode::Consensus => votes > 0 && self.missing(mode) == 0 && votes + self.abstained == self.present,
        };
        match self.support.iter().position(|votes| carries(*votes)) {
            Some(0) if self.support.len() == 1 => Outcome::Adopted { option: None },
            Some(place) => Outcome::Adopted { option: u32::try_from(place + 1).ok() },
            None if mode == Mode::Consensus => Outcome::NoConsensus,
            None => Outcome::Rejected,
        }
    }
}
