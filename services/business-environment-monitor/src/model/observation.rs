//! Observation: what a monitor saw for themselves, a visit (走访) or an experience (体验). Written once, in the term of an appointment.

use serde::{Deserialize, Serialize};
use time::serde::rfc3339;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::actor::{Actor, Role};
use super::social_credit::SocialCreditCode;

/// What is visited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum VisitKind {
    /// An enterprise 走访企业.
    Enterprise,
    /// A shop 走访商户.
    Shop,
    /// A market, a park, a service hall 走访场所.
    Place,
    /// Selling by livestream, watched 观看直播带货.
    Livestream,
    /// Hiring online, watched 观看网上招聘.
    Hiring,
}

/// How a service is gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ExperienceKind {
    /// For oneself 亲身办.
    InPerson,
    /// For somebody else 代理办.
    ByProxy,
    /// At the side of somebody 陪同办.
    Accompanied,
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// A visit 走访.
    Visit {
        /// What was visited.
        kind: VisitKind,
        /// Where, or which livestream or site.
        place: String,
        /// Who came along 同行.
        companions: Vec<String>,
    },
    /// An experience 体验 of a service at its counter.
    Experience {
        /// How.
        kind: ExperienceKind,
        /// Which matter 事项.
        matter: String,
        /// At which counter 窗口.
        window: String,
        /// How long it took until one was served.
        minutes_waited: u32,
        /// Whether the service was as promised.
        passed: bool,
    },
}

/// A visit or an experience.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// Its id.
    pub id: Uuid,
    /// Its district, e.g. 410183.
    pub district: i32,
    /// The subject of the monitor. Personal: never in errors or logs.
    pub person: String,
    /// The registered enterprise that it is about.
    pub enterprise: Option<SocialCreditCode>,
    /// The local day.
    pub day: Date,
    /// What was seen, in words.
    pub text: String,
    /// When it was recorded.
    #[serde(with = "rfc3339")]
    pub recorded: OffsetDateTime,
    /// What was seen.
    pub content: Content,
}

/// What the appointments of a person to any role say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whether one is active today.
    pub now: bool,
    /// Whether one was, or is, on the day asked about.
    pub then: bool,
}

/// Why it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No grant of the caller's may.
    NotAllowed,
    /// A text that must not be blank is.
    Missing {
        /// Its field.
        field: &'static str,
    },
    /// The day is still to come.
    InFuture,
    /// It takes an active appointment, on the day and today.
    NotActive,
}

impl Observation {
    /// Whether it is an experience, not a visit.
    #[must_use]
    pub fn is_experience(&self) -> bool {
        matches!(self.content, Content::Experience { .. })
    }

    /// Whether the actor may read it: the office its district's, a monitor their own.
    #[must_use]
    pub fn is_readable_by(&self, actor: &Actor) -> bool {
        let theirs = match actor.role {
            Role::Office => true,
            Role::Monitor => actor.subject == self.person,
            Role::Enterprise | Role::Liaison | Role::Department | Role::Receiver | Role::System => false,
        };
        theirs && actor.district == self.district
    }

    /// Whether the person may record it; `today` is the local day.
    ///
    /// # Errors
    /// In this order: `Missing`, `InFuture`, `NotActive`.
    pub fn check(&self, standing: Standing, today: Date) -> Result<(), Refusal> {
        let named = match &self.content {
            Content::Visit { place, .. } => vec![("place", place)],
            Content::Experience { matter, window, .. } => vec![("matter", matter), ("window", window)],
        };
        for (field, text) in named.into_iter().chain([("text", &self.text)]) {
            if text.trim().is_empty() {
                return Err(Refusal::Missing { field });
            }
        }
        if self.day > today {
            return Err(Refusal::InFuture);
        }
        if standing.now && standing.then { Ok(()) } else { Err(Refusal::NotActive) }
    }
}

#[cfg(test)]
mod tests {
    use time::Duration;
    use time::macros::{date, datetime};

    use super::*;

    const TODAY: Date = date!(2026 - 03 - 02);

    fn visit(place: &str, text: &str, day: Date) -> Observation {
        Observation {
            id: Uuid::nil(),
            district: 410_183,
            person: "zhang".to_owned(),
            enterprise: None,
            day,
            text: text.to_owned(),
            recorded: datetime!(2026-03-02 9:00 +8),
            content: Content::Visit {
                kind: VisitKind::Place,
                place: place.to_owned(),
                companions: Vec::new(),
            },
        }
    }

    #[test]
    fn it_takes_an_active_appointment_on_the_day_and_today() {
        let seen = visit("农贸市场", "秩序良好", TODAY);
        for (now, then) in [(false, false), (false, true), (true, false), (true, true)] {
            let expected = if now && then { Ok(()) } else { Err(Refusal::NotActive) };
            assert_eq!(seen.check(Standing { now, then }, TODAY), expected);
        }
    }

    #[test]
    fn nothing_is_blank_or_still_to_come() {
        let standing = Standing { now: true, then: true };
        let told = |place, text, day| visit(place, text, day).check(standing, TODAY);
        assert_eq!(told(" ", "x", TODAY), Err(Refusal::Missing { field: "place" }));
        assert_eq!(told("x", "\n", TODAY), Err(Refusal::Missing { field: "text" }));
        assert_eq!(told("x", "x", TODAY + Duration::DAY), Err(Refusal::InFuture));
        assert_eq!(told("x", "x", TODAY - Duration::DAY), Ok(()));
        let experience = |matter: &str, window: &str| Observation {
            content: Content::Experience {
                kind: ExperienceKind::ByProxy,
                matter: matter.to_owned(),
                window: window.to_owned(),
                minutes_waited: 12,
                passed: true,
            },
            ..visit("", "x", TODAY)
        };
        assert!(experience("x", "x").is_experience() && !visit("x", "x", TODAY).is_experience());
        let told = |matter, window| experience(matter, window).check(standing, TODAY);
        assert_eq!(told(" ", "x"), Err(Refusal::Missing { field: "matter" }));
        assert_eq!(told("x", ""), Err(Refusal::Missing { field: "window" }));
        assert_eq!(told("x", "x"), Ok(()));
    }
}
