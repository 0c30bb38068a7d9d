//! Grants of a caller as the model's actors.

use jingwei_kit::caller::{Caller, Grant, Scope};
use jingwei_proto::access::v1::Role as GrantRole;

use crate::model::actor::{Actor, Role};

/// The grants that let the caller in, as far as they reach the district.
pub fn of(caller: &Caller, district: i32) -> Vec<Actor> {
    caller.admitted_by.iter().filter_map(|grant| actor(&caller.subject, grant, district)).collect()
}

/// Every grant of the caller that reaches the district, whether or not it let this call in: what keeps somebody out counts, too.
pub fn all(caller: &Caller, district: i32) -> Vec<Actor> {
    caller.grants.iter().filter_map(|grant| actor(&caller.subject, grant, district)).collect()
}

/// A department's and a receiver's grant is of a department, an enterprise's of an enterprise; the others' are of the whole district.
fn actor(subject: &str, grant: &Grant, district: i32) -> Option<Actor> {
    let role = role(grant.role)?;
    if !grant.scope.touches(district) {
        return None;
    }
    let unit = match (&grant.scope, role) {
        (Scope::Department { code, .. }, Role::Department | Role::Receiver)
        | (Scope::Enterprise { code, .. }, Role::Enterprise) => Some(code.clone()),
        (_, Role::Department | Role::Enterprise | Role::Receiver) => return None,
        (Scope::Everywhere | Scope::District(_), _) => None,
        _ => return None,
    };
    Some(Actor { subject: subject.to_owned(), role, district, unit })
}

/// What each role of a grant is here.
fn role(role: GrantRole) -> Option<Role> {
    match role {
        GrantRole::Monitor => Some(Role::Monitor),
        GrantRole::Enterprise => Some(Role::Enterprise),
        GrantRole::BusinessEnvironmentOffice => Some(Role::Office),
        GrantRole::Liaison => Some(Role::Liaison),
        GrantRole::Department => Some(Role::Department),
        GrantRole::TransferReceiver => Some(Role::Receiver),
        _ => None,
    }
}
