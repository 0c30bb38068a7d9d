//! Grants of a caller as the model's actors.

use jingwei_kit::caller::{Caller, Grant, Scope};
use jingwei_proto::access::v1::Role as GrantRole;

use crate::model::actor::{Actor, Role};

/// The grants that let the caller in, as far as they reach the district.
pub fn of(caller: &Caller, district: i32) -> Vec<Actor> {
    caller.admitted_by.iter().filter_map(|grant| actor(&caller.subject, grant, district)).collect()
}

/// A department's grant is of a department; the others' are of the whole district.
fn actor(subject: &str, grant: &Grant, district: i32) -> Option<Actor> {
    let role = role(grant.role)?;
    let unit = match (&grant.scope, role) {
        (Scope::Department { district: own, code }, Role::Department) if *own == district => {
            Some(code.clone())
        }
        (_, Role::Department) => return None,
        (Scope::Everywhere, _) => None,
        (Scope::District(own), _) if *own == district => None,
        _ => return None,
    };
    Some(Actor { subject: subject.to_owned(), role, district, unit })
}

/// What each role of a grant is here: a district's dispatcher is its business-environment office, a supervisor a monitor.
fn role(role: GrantRole) -> Option<Role> {
    match role {
        GrantRole::Supervisor => Some(Role::Monitor),
        GrantRole::Dispatcher => Some(Role::Office),
        GrantRole::Department => Some(Role::Department),
        _ => None,
    }
}
