//! Item of market information (市场信息): what a monitor heard or saw and brings in, and what the office makes of it.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::serde::rfc3339;
use uuid::Uuid;

use super::actor::{Actor, Role};
use super::social_credit::SocialCreditCode;

pub mod apply;
pub mod arcs;

use arcs::ActionKind;

/// Where an item stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "STATES says what each is called")]
pub enum State {
    Collected,
    Triaged,
    Noted,
    Merged,
    Promoted,
    Rejected,
}

/// Every state in the order of the variants: code, Chinese, English.
const STATES: [(State, &str, &str, &str); 6] = [
    (State::Collected, "COLLECTED", "已采集", "collected"),
    (State::Triaged, "TRIAGED", "已初审", "triaged, to be decided"),
    (State::Noted, "NOTED", "已留存", "noted"),
    (State::Merged, "MERGED", "已合并", "merged into another"),
    (State::Promoted, "PROMOTED", "已转问题", "behind an issue"),
    (State::Rejected, "REJECTED", "不予采用", "not taken up"),
];

impl State {
    /// Every state, once.
    pub fn all() -> impl Iterator<Item = State> {
        STATES.iter().map(|row| row.0)
    }

    /// Its code, e.g. `PROMOTED`.
    #[must_use]
    pub fn code(self) -> &'static str {
        STATES[self as usize].1
    }

    /// In Chinese, e.g. 已转问题.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        STATES[self as usize].2
    }

    /// In English, e.g. `merged into another`.
    #[must_use]
    pub fn english(self) -> &'static str {
        STATES[self as usize].3
    }
}

/// What a monitor brings in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// What it is about, in a line.
    pub title: String,
    /// What was heard or seen.
    pub text: String,
    /// The registered enterprise that it is about.
    pub enterprise: Option<SocialCreditCode>,
    /// The visit or experience that it comes from.
    pub source: Option<Source>,
    /// Whether the monitor works for a competitor of the enterprise.
    pub about_competitor: bool,
    /// What the monitor says of it; required then.
    pub disclosure: Option<String>,
}

/// The visit or experience that an item comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its id.
    pub id: Uuid,
    /// Whether it is an experience, not a visit.
    pub experience: bool,
}

/// An item. Changed by `apply` only; the fields are open so that a store can write and read them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InfoItem {
    /// Its id.
    pub id: Uuid,
    /// Its district, e.g. 410183.
    pub district: i32,
    /// The subject of the monitor. Personal: never in errors or logs.
    pub collector: String,
    /// What was brought in.
    pub content: Content,
    /// When.
    #[serde(with = "rfc3339")]
    pub collected: OffsetDateTime,
    /// Where it stands.
    pub state: State,
    /// What was said with the decision; empty before.
    pub decision: String,
    /// What it is merged into; `None` unless merged.
    pub merged_into: Option<Uuid>,
    /// The issues behind which it is, the first linked first; none unless promoted.
    pub issues: Vec<Uuid>,
    /// The number of changes, the collection being the first.
    pub version: i64,
}

impl InfoItem {
    /// Whether the actor may read it: the office its district's, a monitor what they collected.
    #[must_use]
    pub fn is_readable_by(&self, actor: &Actor) -> bool {
        let theirs = match actor.role {
            Role::Office => true,
            Role::Monitor => actor.subject == self.collector,
            Role::Enterprise | Role::Liaison | Role::Department | Role::Receiver | Role::System => false,
        };
        theirs && actor.district == self.district
    }
}

/// What was done with an item, by whom and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The item's version after it, from 1.
    pub version: i64,
    /// What was done.
    pub action: ActionKind,
    /// The state before; `None` for the collection.
    pub from: Option<State>,
    /// The state after.
    pub to: State,
    /// The subject who did it.
    pub subject: String,
    /// What was said with it; may be empty.
    pub text: String,
    /// The other item of a merge, or the issue of a link.
    pub other: Option<Uuid>,
    /// When.
    pub at: OffsetDateTime,
}

#[cfg(test)]
mod tests;
