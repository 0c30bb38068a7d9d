//! Unit: an organisation that can hold work, an area's office or a department.
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::area::AreaCode;

/// Who can hold work. Written `areas/410182002011` or `departments/water`, the tail of its resource name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Unit {
    /// The office of an area: a district, street, community or grid.
    Area(AreaCode),
    /// A department or public-service unit 职能部门, by its code.
    Department(String),
}

/// A text that names no unit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither areas/CODE nor departments/CODE")]
pub struct BadUnit(pub String);

impl Unit {
    /// The area's code, of a unit that is an area.
    pub fn area(&self) -> Option<AreaCode> {
        match self {
            Unit::Area(code) => Some(*code),
            Unit::Department(_) => None,
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unit::Area(code) => write!(f, "areas/{code}"),
            Unit::Department(code) => write!(f, "departments/{code}"),
        }
    }
}

impl FromStr for Unit {
    type Err = BadUnit;

    fn from_str(text: &str) -> Result<Unit, BadUnit> {
        let bad = || BadUnit(text.to_owned());
        match text.split_once('/') {
            Some(("areas", code)) => code.parse().map(Unit::Area).map_err(|_| bad()),
            Some(("departments", code)) if !code.is_empty() => Ok(Unit::Department(code.to_owned())),
            _ => Err(bad()),
        }
    }
}

impl TryFrom<String> for Unit {
    type Error = BadUnit;

    fn try_from(text: String) -> Result<Unit, BadUnit> {
        text.parse()
    }
}

impl From<Unit> for String {
    fn from(unit: Unit) -> String {
        unit.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_reads_back_what_it_writes_and_nothing_else() {
        for text in ["areas/410182", "areas/410182002011001", "departments/water"] {
            assert_eq!(text.parse::<Unit>().unwrap().to_string(), text);
        }
        for text in ["", "410182", "areas/", "areas/4101", "departments/", "people/7"] {
            assert_eq!(text.parse::<Unit>(), Err(BadUnit(text.to_owned())));
        }
    }
}
