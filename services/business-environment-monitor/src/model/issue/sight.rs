//! Sight: who may read an issue, and who learns which person submitted it.

use super::Issue;
use crate::model::actor::{Actor, Role};

impl Issue {
    /// Whether the actor may read it: the office all of its district, a department what it handles or handled, others what they
    /// submitted.
    #[must_use]
    pub fn is_readable_by(&self, actor: &Actor) -> bool {
        let theirs = match actor.role {
            Role::Office | Role::System => true,
            Role::Department => {
                actor.unit.is_some() && self.rounds.iter().any(|round| round.department == actor.unit)
            }
            Role::Liaison | Role::Receiver => false,
            Role::Monitor | Role::Enterprise => {
                (actor.role, &actor.subject) == (self.submitter.role, &self.submitter.subject)
            }
        };
        theirs && actor.district == self.submission.district
    }

    /// Whether the actor is a monitor who raised it, in whatever role here: who submitted it, or one of the `raisers` who collected
    /// what is behind it.
    #[must_use]
    pub fn is_raised_by(&self, actor: &Actor, raisers: &[String]) -> bool {
        let submitted = self.submitter.role == Role::Monitor && actor.subject == self.submitter.subject;
        submitted || raisers.contains(&actor.subject)
    }

    /// Whether the actor may read it as a monitor who raised it.
    #[must_use]
    pub fn is_readable_by_raiser(&self, actor: &Actor, raisers: &[String]) -> bool {
        let here = actor.district == self.submission.district;
        here && actor.role == Role::Monitor && self.is_raised_by(actor, raisers)
    }

    /// Whether the actor learns the submitter's name: whom an issue is about, or who handles it, does not.
    #[must_use]
    pub fn shows_submitter_to(&self, actor: &Actor) -> bool {
        actor.role != Role::Department && self.is_readable_by(actor)
    }
}
