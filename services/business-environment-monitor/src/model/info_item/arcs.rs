//! The state table of items: one row for each action says from which states, to which, and who may. The table is the code.

use super::InfoItem;
use super::State::{self, *};
use crate::model::actor::{Actor, Role};

/// What can be done with an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "NAMES says what each is called")]
pub enum ActionKind {
    Collect,
    Triage,
    Note,
    Reject,
    Merge,
    Unmerge,
    Promote,
    Link,
    Unlink,
}
use ActionKind::*;

/// Every action in the order of the variants: code, Chinese, English.
const NAMES: [(ActionKind, &str, &str, &str); 9] = [
    (Collect, "COLLECT", "采集", "collected"),
    (Triage, "TRIAGE", "初审", "triaged"),
    (Note, "NOTE", "留存", "noted"),
    (Reject, "REJECT", "不予采用", "not taken up"),
    (Merge, "MERGE", "合并", "merged into another"),
    (Unmerge, "UNMERGE", "撤销合并", "a merge undone"),
    (Promote, "PROMOTE", "转为问题", "made an issue"),
    (Link, "LINK", "关联问题", "linked to one more issue"),
    (Unlink, "UNLINK", "取消关联", "a link taken back"),
];

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Arc {
    /// What is done.
    pub action: ActionKind,
    /// In which states it can be done.
    pub from: &'static [State],
    /// The state after.
    pub to: State,
    /// In which role, in the item's district.
    pub who: Role,
}

/// The table, in the order of `ActionKind`.
#[rustfmt::skip] // a row is a line
pub const ARCS: [Arc; 9] = [
    arc(Collect, &[], Collected, Role::Monitor),
    arc(Triage, &[Collected], Triaged, Role::Office),
    arc(Note, &[Triaged], Noted, Role::Office),
    arc(Reject, &[Triaged], Rejected, Role::Office),
    arc(Merge, &[Triaged], Merged, Role::Office),
    arc(Unmerge, &[Merged], Triaged, Role::Office),
    arc(Promote, &[Triaged], Promoted, Role::Office),
    arc(Link, &[Promoted], Promoted, Role::Office),
    arc(Unlink, &[Promoted], Promoted, Role::Office),
];

/// What an item can be merged into: not what nobody has looked at, nor what is not taken up.
pub const TARGETS: &[State] = &[Triaged, Noted, Promoted];

const fn arc(action: ActionKind, from: &'static [State], to: State, who: Role) -> Arc {
    Arc { action, from, to, who }
}

impl ActionKind {
    /// Every action, once.
    pub fn all() -> impl Iterator<Item = ActionKind> {
        NAMES.iter().map(|row| row.0)
    }

    /// Its code, e.g. `UNMERGE`.
    #[must_use]
    pub fn code(self) -> &'static str {
        NAMES[self as usize].1
    }

    /// In Chinese, e.g. 撤销合并.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        NAMES[self as usize].2
    }

    /// In English, as an entry of a timeline.
    #[must_use]
    pub fn english(self) -> &'static str {
        NAMES[self as usize].3
    }

    /// The action's row of the table.
    #[must_use]
    pub fn arc(self) -> &'static Arc {
        &ARCS[self as usize]
    }
}

impl Arc {
    /// Whether the actor may do it to the item, whatever its state.
    #[must_use]
    pub fn allows(&self, item: &InfoItem, actor: &Actor) -> bool {
        actor.district == item.district && actor.role == self.who
    }
}

#[cfg(test)]
mod docs;
