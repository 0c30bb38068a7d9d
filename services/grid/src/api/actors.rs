//! Grants of a caller as the model's actors.

use jingwei_kit::caller::{Caller, Grant, Scope as GrantScope};
use jingwei_proto::access::v1::Role as GrantRole;

use crate::model::actor::{Actor, Role, Scope};

/// The grants that let the caller in, as far as they lie in the district.
pub fn of(caller: &Caller, district: i32) -> Vec<Actor> {
    caller.admitted_by.iter().filter_map(|grant| actor(&caller.subject, grant, district)).collect()
}

fn actor(subject: &str, grant: &Grant, district: i32) -> Option<Actor> {
    let scope = match &grant.scope {
        GrantScope::Everywhere => Scope::District(district),
        GrantScope::District(own) if *own == district => Scope::District(district),
        GrantScope::Area { district: own, code } if *own == district => match code.parse().ok()? {
            // The area of a whole district is the district.
            area if code.len() == 6 => Scope::District(crate::model::area::AreaCode::district(&area)),
            area => Scope::Area(area),
        },
        GrantScope::Department { district: own, code } if *own == district => Scope::Department(code.clone()),
        _ => return None,
    };
    Some(Actor { subject: subject.to_owned(), role: role(grant.role)?, scope })
}

fn role(role: GrantRole) -> Option<Role> {
    Some(match role {
        GrantRole::GridWorker => Role::GridWorker,
        GrantRole::GridChief => Role::GridChief,
        GrantRole::Community => Role::Community,
        GrantRole::Street => Role::Street,
        GrantRole::Dispatcher => Role::Dispatcher,
        GrantRole::Department => Role::Department,
        GrantRole::Supervisor => Role::Supervisor,
        GrantRole::Administrator => Role::Administrator,
        GrantRole::Operator => Role::Operator,
        // No part in the grid.
        GrantRole::Unspecified
        | GrantRole::Monitor
        | GrantRole::Enterprise
        | GrantRole::BusinessEnvironmentOffice
        | GrantRole::Liaison
        | GrantRole::TransferReceiver => return None,
    })
}
