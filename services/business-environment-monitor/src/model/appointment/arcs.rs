//! The state table of appointments: one row for each action says from which states, to which, who may, and where the batch stands.

use serde::{Deserialize, Serialize};

use super::Appointment;
use super::State::{self, *};
use super::batch::State as Batch;
use crate::model::actor::{Actor, Role};

/// What can be done with an appointment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "NAMES says what each is called")]
pub enum ActionKind {
    Nominate,
    Vet,
    Decline,
    Publicise,
    Recall,
    Approve,
    Certify,
    Begin,
    Suspend,
    Reinstate,
    Dismiss,
    Resign,
    Expire,
}
use ActionKind::*;

/// Every action in the order of the variants: code, Chinese, English.
const NAMES: [(ActionKind, &str, &str, &str); 13] = [
    (Nominate, "NOMINATE", "提名", "nominated"),
    (Vet, "VET", "审核通过", "vetted"),
    (Decline, "DECLINE", "不予聘任", "not appointed"),
    (Publicise, "PUBLICISE", "公示", "publicised"),
    (Recall, "RECALL", "因异议退回审核", "back to vetting after an objection"),
    (Approve, "APPROVE", "批准", "approved"),
    (Certify, "CERTIFY", "颁发聘书", "given a certificate"),
    (Begin, "BEGIN", "聘期开始", "begun"),
    (Suspend, "SUSPEND", "暂停履职", "suspended"),
    (Reinstate, "REINSTATE", "恢复履职", "reinstated"),
    (Dismiss, "DISMISS", "解聘", "dismissed"),
    (Resign, "RESIGN", "辞聘", "resigned"),
    (Expire, "EXPIRE", "聘期届满", "expired"),
];

/// The state after an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// This one.
    To(State),
    /// `Active`, or the one before while the first day of the term has not come.
    Begun,
    /// `Nominated` where the objection is against this person, else `Vetted`.
    Recalled,
}
use Next::To;

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Arc {
    /// What is done.
    pub action: ActionKind,
    /// In which states it can be done.
    pub from: &'static [State],
    /// The state after.
    pub to: Next,
    /// In which of these roles, in the appointment's district; the person as whom in role `Monitor`.
    pub who: &'static [Role],
    /// Where the batch has to stand; anywhere if empty.
    pub batch: &'static [Batch],
}

const OFFICE: &[Role] = &[Role::Office];
const SYSTEM: &[Role] = &[Role::System];

/// The table, in the order of `ActionKind`.
#[rustfmt::skip] // a row is a line
pub const ARCS: [Arc; 13] = [
    arc(Nominate, &[], To(Nominated), OFFICE, &[Batch::Nominating]),
    arc(Vet, &[Nominated], To(Vetted), OFFICE, &[Batch::Vetting]),
    arc(Decline, &[Nominated, Vetted], To(Declined), OFFICE, &[Batch::Nominating, Batch::Vetting]),
    arc(Publicise, &[Vetted], To(Publicised), OFFICE, &[Batch::Vetting]),
    arc(Recall, &[Publicised], Next::Recalled, OFFICE, &[Batch::Publicity]),
    arc(Approve, &[Publicised], To(Approved), OFFICE, &[Batch::Publicity]),
    arc(Certify, &[Approved], Next::Begun, OFFICE, &[Batch::Approved]),
    arc(Begin, &[Approved], To(Active), SYSTEM, &[Batch::Certified, Batch::Closed]),
    arc(Suspend, &[Active], To(Suspended), OFFICE, &[]),
    arc(Reinstate, &[Suspended], To(Active), OFFICE, &[]),
    arc(Dismiss, &[Approved, Active, Suspended], To(Dismissed), OFFICE, &[]),
    arc(Resign, &[Approved, Active, Suspended], To(Resigned), &[Role::Office, Role::Monitor], &[]),
    arc(Expire, &[Active, Suspended], To(Expired), SYSTEM, &[]),
];

const fn arc(
    action: ActionKind,
    from: &'static [State],
    to: Next,
    who: &'static [Role],
    batch: &'static [Batch],
) -> Arc {
    Arc { action, from, to, who, batch }
}

impl ActionKind {
    /// Every action, once.
    pub fn all() -> impl Iterator<Item = ActionKind> {
        NAMES.iter().map(|row| row.0)
    }

    /// The action of a code.
    #[must_use]
    pub fn of_code(code: &str) -> Option<ActionKind> {
        ActionKind::all().find(|action| action.code() == code)
    }

    /// Its code, e.g. `REINSTATE`.
    #[must_use]
    pub fn code(self) -> &'static str {
        NAMES[self as usize].1
    }

    /// In Chinese, e.g. 恢复履职.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        NAMES[self as usize].2
    }

    /// In English, e.g. `reinstated`.
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
    /// Whether the actor may do it to the appointment, whatever its state.
    #[must_use]
    pub fn allows(&self, appointment: &Appointment, actor: &Actor) -> bool {
        let own = actor.role != Role::Monitor || actor.subject == appointment.nomination.person;
        actor.district == appointment.district && self.who.contains(&actor.role) && own
    }
}
