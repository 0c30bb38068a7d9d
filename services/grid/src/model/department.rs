//! Department (职能部门) and public-service unit (公共服务单位).

use super::area::AreaCode;

/// What a department is. Stored as its place in this order, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DepartmentKind {
    /// A department of the government.
    Government,
    /// A unit that runs a public service.
    PublicService,
}

/// Who can be given work besides the areas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Department {
    /// The district.
    pub district: i32,
    /// Its code, unique in the district.
    pub code: String,
    /// Its Chinese name.
    pub display_name: String,
    /// What it is.
    pub kind: DepartmentKind,
    /// Its duty telephone.
    pub duty_phone: String,
    /// The codes of the categories that it answers for.
    pub duties: Vec<String>,
    /// The areas that it serves; empty = the whole district.
    pub served_areas: Vec<AreaCode>,
    /// The number of its changes, from 1.
    pub version: i64,
}
