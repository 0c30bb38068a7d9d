//! Rules: how long each step of an issue may take; data of a district.

use serde::{Deserialize, Serialize};

use crate::model::term::Term;

/// How hard an issue is, and so how long it may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Class {
    /// Several departments or a policy have to be moved: a month.
    A,
    /// One department has to look into it: 15 working days.
    B,
    /// It can be settled at once: 5 working days.
    C,
}

impl Class {
    /// Every class, once.
    pub const ALL: [Class; 3] = [Class::A, Class::B, Class::C];
}

/// How long a class may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassRule {
    /// From acceptance, or a reopening, to closing.
    pub term: Term,
    /// The most that can be given at once besides, in working days.
    pub longest_extension: u32,
}

/// The rules of a district.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// From submission to registration.
    pub register: Term,
    /// From submission to a decision, after which it is accepted.
    pub decide: Term,
    /// From acceptance to the class.
    pub classify: Term,
    /// From the reply to its verification and closing.
    pub verify: Term,
    /// The classes A, B and C.
    pub classes: [ClassRule; 3],
    /// How often more time can be given in a round.
    pub max_extensions: u32,
}

impl Rules {
    /// The rule of a class.
    #[must_use]
    pub fn of(&self, class: Class) -> ClassRule {
        self.classes[class as usize]
    }
}

impl Default for Rules {
    fn default() -> Rules {
        let class = |term, longest_extension| ClassRule { term, longest_extension };
        Rules {
            register: Term::WorkingDays(1),
            decide: Term::WorkingDays(3),
            classify: Term::WorkingDays(1),
            verify: Term::WorkingDays(3),
            classes: [
                class(Term::Months(1), 20),
                class(Term::WorkingDays(15), 15),
                class(Term::WorkingDays(5), 5),
            ],
            max_extensions: 1,
        }
    }
}
