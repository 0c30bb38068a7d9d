//! Relation: how a grant stands to an event, and who may read it.
use super::action::ActionKind;
use super::actor::{Actor, Role, Scope};
use super::arcs::{ARCS, Arc, READERS};
use super::event::Event;

/// How a grant stands to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// It covers the desk.
    Desk,
    /// It covers the holder.
    Holder,
    /// It covers a co-handler that has not finished.
    CoHandler,
    /// It covers the event's area; a department is at home in the whole district.
    Area,
    /// It covers the whole district.
    District,
    /// It may read the event.
    Reader,
    /// It is the system's own.
    System,
    /// It is the reporter's, who has shown the number's tail or the tracking code.
    Reporter,
}

impl Relation {
    /// Whether the grant stands so to the event.
    pub fn holds(self, event: &Event, actor: &Actor) -> bool {
        let scope = &actor.scope;
        match self {
            Relation::Desk => scope.covers_area(event.desk),
            Relation::Holder => scope.covers(&event.holder()),
            Relation::CoHandler => event.open_co_handlers().any(|handler| scope.covers(&handler.unit)),
            Relation::Area => scope.covers_area(event.place.area) || is_department(actor),
            Relation::District => *scope == Scope::District(event.district),
            Relation::Reader => may_read(event, std::slice::from_ref(actor)),
            Relation::System => actor.role == Role::System,
            Relation::Reporter => actor.role == Role::Public,
        }
    }
}

fn is_department(actor: &Actor) -> bool {
    actor.role == Role::Department && matches!(actor.scope, Scope::Department(_))
}

/// Whether one of the grants, all of the event's district, lets its owner read the event: it covers the event's area,
/// its desk, its lead or a co-handler. Administrators and operators see that the system runs, not what people wrote.
pub fn may_read(event: &Event, grants: &[Actor]) -> bool {
    let handlers = || event.lead.iter().chain(event.co_handlers.iter().map(|handler| &handler.unit));
    let reaches = |scope: &Scope| {
        scope.covers_area(event.place.area)
            || scope.covers_area(event.desk)
            || handlers().any(|unit| scope.covers(unit))
    };
    grants.iter().any(|grant| READERS.contains(&grant.role) && reaches(&grant.scope))
}

impl Arc {
    /// The first of the grants that may do it to the event, whatever its state.
    pub fn granted<'a>(&self, event: &Event, grants: &'a [Actor]) -> Option<&'a Actor> {
        grants.iter().find(|actor| {
            self.who
                .iter()
                .any(|(roles, relation)| roles.contains(&actor.role) && relation.holds(event, actor))
        })
    }
}

/// What the owner of the grants could do to the event in its state, in the order of the table.
/// An action among them can still be refused for what the table does not show.
pub fn allowed_actions(event: &Event, grants: &[Actor]) -> Vec<ActionKind> {
    let open = ARCS.iter().filter(|arc| arc.from.contains(&event.state));
    open.filter(|arc| arc.granted(event, grants).is_some()).map(|arc| arc.action).collect()
}
