//! Compositions, model → wire.

use jingwei_proto::business_environment_monitor::v1 as pb;

use crate::model::appointment::composition::Composition;
use crate::model::appointment::role::MonitorRole;

/// A report on the wire.
pub fn write(name: &str, total: &Composition, roles: &[(MonitorRole, Composition)]) -> pb::Composition {
    let role = |(role, report): &(MonitorRole, Composition)| pb::RoleComposition {
        role: role.code.clone(),
        role_display_name: role.display_name.clone(),
        figures: Some(figures(report)),
    };
    pb::Composition {
        name: name.to_owned(),
        total: Some(figures(total)),
        roles: roles.iter().map(role).collect(),
    }
}

fn figures(report: &Composition) -> pb::CompositionFigures {
    let mut groups: Vec<_> = report.groups.iter().collect();
    // Those with as many stay in the order of their names.
    groups.sort_by_key(|(_, people)| std::cmp::Reverse(**people));
    let group =
        |(group, people): (&String, &u32)| pb::GroupCount { group: group.clone(), people: small(*people) };
    pb::CompositionFigures {
        people: small(report.people),
        groups_covered: small(report.breadth.of),
        main_groups: small(report.breadth.all),
        groups: groups.into_iter().map(group).collect(),
        representation: report.representation,
        balance: report.balance,
        exceptions: small(report.exceptions.of),
    }
}

fn small(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
