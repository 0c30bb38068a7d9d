//! Actor: a person in one of the roles granted to them, the system, or the public.
use serde::{Deserialize, Serialize};

use super::area::AreaCode;
use super::unit::Unit;

/// What a person does in a district (角色); the roles of a grant, the system itself, and the public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "NAMES says what each is called")]
pub enum Role {
    GridWorker,
    GridChief,
    Community,
    Street,
    Dispatcher,
    Department,
    Supervisor,
    Administrator,
    Operator,
    System,
    Public,
}

/// Every role in the order of the variants: as in a grant, and in Chinese.
const NAMES: [(Role, &str, &str); 11] = [
    (Role::GridWorker, "grid_worker", "网格员"),
    (Role::GridChief, "grid_chief", "网格长"),
    (Role::Community, "community", "社区（村）"),
    (Role::Street, "street", "街道（乡镇）"),
    (Role::Dispatcher, "dispatcher", "区县调度员"),
    (Role::Department, "department", "职能部门"),
    (Role::Supervisor, "supervisor", "督查员"),
    (Role::Administrator, "administrator", "区县管理员"),
    (Role::Operator, "operator", "运维"),
    (Role::System, "system", "系统"),
    (Role::Public, "public", "公众"),
];

impl Role {
    /// Every role, once.
    pub fn all() -> impl Iterator<Item = Role> {
        NAMES.iter().map(|name| name.0)
    }

    /// As in a grant, e.g. `grid_worker`.
    pub fn code(self) -> &'static str {
        NAMES[self as usize].1
    }

    /// In Chinese, e.g. 网格员.
    pub fn chinese(self) -> &'static str {
        NAMES[self as usize].2
    }

    /// The role of that code. `system` and `public` are among them: whoever reads grants must not let them in.
    pub fn from_code(code: &str) -> Option<Role> {
        Role::all().find(|role| role.code() == code)
    }
}

/// How far a grant reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// A whole district, acting for the district's own office; departments are apart.
    District(i32),
    /// An area with all below it.
    Area(AreaCode),
    /// One department.
    Department(String),
}

impl Scope {
    /// Whether it reaches the unit: an area from above by prefix, a department only from itself.
    pub fn covers(&self, unit: &Unit) -> bool {
        match (self, unit) {
            (Scope::District(district), Unit::Area(area)) => area.district() == *district,
            (Scope::Area(own), Unit::Area(area)) => own.contains(area),
            (Scope::Department(own), Unit::Department(code)) => own == code,
            _ => false,
        }
    }

    /// Whether it reaches the area.
    pub fn covers_area(&self, area: AreaCode) -> bool {
        self.covers(&Unit::Area(area))
    }
}

/// One grant of a caller: who, as what, how far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The subject of the caller's token; `system` for the system.
    pub subject: String,
    /// The role of the grant.
    pub role: Role,
    /// Its reach.
    pub scope: Scope,
}

impl Actor {
    /// The system at work in a district: the sweep.
    pub fn system(district: i32) -> Actor {
        Actor { subject: "system".to_owned(), role: Role::System, scope: Scope::District(district) }
    }

    /// Somebody without a name in a district: a resident who reports, or who has shown that a report is theirs.
    pub fn public(district: i32) -> Actor {
        Actor { subject: "public".to_owned(), role: Role::Public, scope: Scope::District(district) }
    }

    /// The area that the actor acts for on a case in `place`; `None` for a department.
    pub(super) fn area(&self, place: AreaCode) -> Option<AreaCode> {
        match &self.scope {
            Scope::District(_) => Some(district_of(place)),
            Scope::Area(area) => Some(*area),
            Scope::Department(_) => None,
        }
    }

    /// The unit that the actor acts for on a case in `place`.
    pub(super) fn unit(&self, place: AreaCode) -> Unit {
        match &self.scope {
            Scope::Department(code) => Unit::Department(code.clone()),
            Scope::District(_) => Unit::Area(district_of(place)),
            Scope::Area(area) => Unit::Area(*area),
        }
    }
}

/// The district's own area.
fn district_of(area: AreaCode) -> AreaCode {
    area.ancestors().last().unwrap_or(area)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_has_its_row_and_serialises_as_its_code() {
        for (index, role) in Role::all().enumerate() {
            assert_eq!(role as usize, index);
            assert_eq!(serde_json::to_value(role).unwrap(), role.code());
            assert_eq!(Role::from_code(role.code()), Some(role));
        }
        assert_eq!(Role::from_code("mayor"), None);
    }

    #[test]
    fn a_scope_reaches_down_and_never_across() {
        let area = |text: &str| Unit::Area(text.parse().unwrap());
        let street = Scope::Area("410182002".parse().unwrap());
        assert!(street.covers(&area("410182002")) && street.covers(&area("410182002011001")));
        assert!(!street.covers(&area("410182")) && !street.covers(&area("410182001")));
        assert!(Scope::District(410182).covers(&area("410182002")));
        assert!(!Scope::District(410183).covers(&area("410182002")));
        let water = Unit::Department("water".to_owned());
        assert!(Scope::Department("water".to_owned()).covers(&water));
        assert!(!Scope::Department("garden".to_owned()).covers(&water));
        assert!(!Scope::District(410182).covers(&water), "the district's office is not the department");
    }
}
