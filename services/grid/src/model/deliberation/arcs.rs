//! The state table of deliberations: one row for each action says from which states, to which, and who may.

use serde::{Deserialize, Serialize};

use super::State::{self, *};
use super::{Deliberation, Item};
use crate::model::actor::{Actor, Role};

/// What can be done with a deliberation. Stored as its place in this order, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "NAMES says what each is called")]
pub enum ActionKind {
    Create,
    Update,
    Convene,
    Hold,
    Vote,
    Resolve,
    AddItem,
    Publicise,
    Object,
    EndPublicity,
    CompleteItem,
    GiveUpItem,
    Complete,
    Cancel,
}
use ActionKind::*;

/// Every action in the order of the variants: code, Chinese.
const NAMES: [(ActionKind, &str, &str); 14] = [
    (Create, "CREATE", "拟议"),
    (Update, "UPDATE", "修改"),
    (Convene, "CONVENE", "召集"),
    (Hold, "HOLD", "召开"),
    (Vote, "VOTE", "表决"),
    (Resolve, "RESOLVE", "形成决议"),
    (AddItem, "ADD_ITEM", "增加落实事项"),
    (Publicise, "PUBLICISE", "公示"),
    (Object, "OBJECT", "记录异议"),
    (EndPublicity, "END_PUBLICITY", "结束公示"),
    (CompleteItem, "COMPLETE_ITEM", "落实事项"),
    (GiveUpItem, "GIVE_UP_ITEM", "放弃事项"),
    (Complete, "COMPLETE", "完成落实"),
    (Cancel, "CANCEL", "取消"),
];

impl ActionKind {
    /// Every action, once.
    pub fn all() -> impl Iterator<Item = ActionKind> {
        NAMES.iter().map(|row| row.0)
    }

    /// Its code, e.g. `CONVENE`.
    pub fn code(self) -> &'static str {
        NAMES[self as usize].1
    }

    /// In Chinese, e.g. 召集.
    pub fn chinese(self) -> &'static str {
        NAMES[self as usize].2
    }

    /// The stored number.
    pub fn number(self) -> i16 {
        self as i16 + 1
    }

    /// The action of a stored number.
    pub fn of_number(number: i16) -> Option<Self> {
        Self::all().find(|action| action.number() == number)
    }

    /// The action's row of the table.
    pub fn arc(self) -> &'static Arc {
        &ARCS[self as usize]
    }
}

/// How a grant has to stand to a deliberation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// It covers the area that convenes.
    Convener,
    /// It covers the unit that owns the action item.
    Owner,
}

/// The states after an action: one of these. Empty = the one before.
type Next = &'static [State];

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Arc {
    /// What is done.
    pub action: ActionKind,
    /// In which states it can be done.
    pub from: &'static [State],
    /// What it can lead to; empty where the state stays.
    pub to: Next,
    /// Who may: one of the roles, standing to the deliberation as told.
    pub who: &'static [(&'static [Role], Relation)],
}

const CONVENERS: &[Role] = &[Role::GridChief, Role::Community, Role::Street];
const OWNERS: &[Role] = &[Role::GridChief, Role::Community, Role::Street, Role::Department];
/// Whoever may read a deliberation at all.
pub const READERS: &[Role] = &[
    Role::GridWorker,
    Role::GridChief,
    Role::Community,
    Role::Street,
    Role::Dispatcher,
    Role::Department,
    Role::Supervisor,
];

const BY_CONVENER: &[(&[Role], Relation)] = &[(CONVENERS, Relation::Convener)];
const BY_OWNER: &[(&[Role], Relation)] = &[(CONVENERS, Relation::Convener), (OWNERS, Relation::Owner)];

/// The table, in the order of `ActionKind`. A meeting can be convened again from RESOLVED where no plan was adopted, and from
/// PUBLICISED where somebody objected.
#[rustfmt::skip] // a row is a line
pub const ARCS: [Arc; 14] = [
    arc(Create, &[], &[Draft], BY_CONVENER),
    arc(Update, &[Draft, NotQuorate], &[], BY_CONVENER),
    arc(Convene, &[Draft, Convened, NotQuorate, Resolved, Publicised], &[Convened], BY_CONVENER),
    arc(Hold, &[Convened], &[Held, NotQuorate], BY_CONVENER),
    arc(Vote, &[Held], &[], BY_CONVENER),
    arc(Resolve, &[Held], &[Resolved], BY_CONVENER),
    arc(AddItem, &[Resolved, Publicised, FollowUp], &[], BY_CONVENER),
    arc(Publicise, &[Resolved], &[Publicised], BY_CONVENER),
    arc(Object, &[Publicised], &[], BY_CONVENER),
    arc(EndPublicity, &[Publicised], &[FollowUp], BY_CONVENER),
    arc(CompleteItem, &[FollowUp], &[], BY_OWNER),
    arc(GiveUpItem, &[FollowUp], &[], BY_CONVENER),
    arc(Complete, &[FollowUp], &[Completed], BY_CONVENER),
    arc(Cancel, &[Draft, Convened, NotQuorate, Held, Resolved, Publicised], &[Cancelled], BY_CONVENER),
];

const fn arc(
    action: ActionKind,
    from: &'static [State],
    to: Next,
    who: &'static [(&'static [Role], Relation)],
) -> Arc {
    Arc { action, from, to, who }
}

impl Arc {
    /// Whether some relation would let the role do it.
    pub fn is_for(&self, role: Role) -> bool {
        self.who.iter().any(|(roles, _)| roles.contains(&role))
    }

    /// The first of the grants that may do it, whatever the state; `item` is the one that it is about.
    pub fn granted<'a>(
        &self,
        deliberation: &Deliberation,
        item: Option<&Item>,
        grants: &'a [Actor],
    ) -> Option<&'a Actor> {
        let holds = |relation: Relation, actor: &Actor| match relation {
            Relation::Convener => actor.scope.covers_area(deliberation.area),
            Relation::Owner => item.is_some_and(|item| actor.scope.covers(&item.owner)),
        };
        let may = |actor: &&Actor| {
            self.who.iter().any(|(roles, relation)| roles.contains(&actor.role) && holds(*relation, actor))
        };
        grants.iter().find(may)
    }
}
