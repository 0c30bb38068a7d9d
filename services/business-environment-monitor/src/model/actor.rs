//! Actor: a person in one of the roles granted to them, or the system.

use serde::{Deserialize, Serialize};

/// What a person does in a district (角色); the roles of a grant, and the system itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A monitor 监督员, of whatever kind.
    Monitor,
    /// Somebody for an enterprise 企业.
    Enterprise,
    /// The business-environment office 营商环境办.
    Office,
    /// A liaison officer 联络员, who looks after enterprises.
    Liaison,
    /// A department's handler 职能部门.
    Department,
    /// Somebody of an authority that transfers go to 移送接收人.
    Receiver,
    /// The system: the sweep.
    System,
}

impl Role {
    /// Every role, once.
    pub const ALL: [Role; 7] = [
        Role::Monitor,
        Role::Enterprise,
        Role::Office,
        Role::Liaison,
        Role::Department,
        Role::Receiver,
        Role::System,
    ];
}

/// One grant of a caller: who, as what, where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The subject of the caller's token; `system` for the system.
    pub subject: String,
    /// The role of the grant.
    pub role: Role,
    /// The district, e.g. 410183.
    pub district: i32,
    /// The department's, the enterprise's or the receiver's code; `None` for other roles.
    pub unit: Option<String>,
}

impl Actor {
    /// The system at work in a district: the sweep.
    #[must_use]
    pub fn system(district: i32) -> Actor {
        Actor { subject: "system".to_owned(), role: Role::System, district, unit: None }
    }
}
