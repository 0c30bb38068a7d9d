//! Where a grant holds, and which resources that covers.

use std::{fmt, str::FromStr};

/// Where a grant holds. Its text form is a resource name, e.g. `districts/410182/areas/410182002011`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// `districts/-`.
    Everywhere,
    /// `districts/410182`.
    District(i32),
    /// An area with all areas below it: those whose codes start with its code.
    Area {
        /// The district of the area.
        district: i32,
        /// The code: 6, 9, 12, 15 or 18 digits.
        code: String,
    },
    /// One department or unit.
    Department {
        /// The district of the department.
        district: i32,
        /// Its code.
        code: String,
    },
    /// One enterprise.
    Enterprise {
        /// The district of the enterprise.
        district: i32,
        /// Its unified social credit code: 18 capitals and digits; its check digits are the issuer's to look at.
        code: String,
    },
}

/// A text that is no scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a scope is districts/-, districts/D, or in D areas/CODE, departments/CODE or enterprises/CODE")]
pub struct NoScope;

/// The district of a resource name, `districts/410182/…`; `None` for another text or for all (`districts/-`).
pub fn district_of(resource: &str) -> Option<i32> {
    let segment = resource.strip_prefix("districts/")?.split('/').next()?;
    let digits = segment.len() == 6 && segment.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| segment.parse().ok()).flatten()
}

impl Scope {
    /// Whether `resource` lies in the scope: is it, is below it, or, for an area, is an area below it.
    pub fn covers(&self, resource: &str) -> bool {
        match self {
            Self::Everywhere => true,
            Self::District(district) => district_of(resource) == Some(*district),
            Self::Area { district, code } => {
                district_of(resource) == Some(*district)
                    && segment(resource, "areas").is_some_and(|c| c.starts_with(code))
            }
            Self::Department { district, code } => {
                district_of(resource) == Some(*district) && segment(resource, "departments") == Some(code)
            }
            Self::Enterprise { district, code } => {
                district_of(resource) == Some(*district) && segment(resource, "enterprises") == Some(code)
            }
        }
    }

    /// Whether the scope has anything in `district`.
    pub fn touches(&self, district: i32) -> bool {
        self.district().is_none_or(|own| own == district)
    }

    /// The scope's district; `None` is all.
    pub fn district(&self) -> Option<i32> {
        match self {
            Self::Everywhere => None,
            Self::District(district)
            | Self::Area { district, .. }
            | Self::Department { district, .. }
            | Self::Enterprise { district, .. } => Some(*district),
        }
    }
}

/// The id after the collection `kind` that directly follows the district: `districts/D/{kind}/{id}…`.
fn segment<'a>(resource: &'a str, kind: &str) -> Option<&'a str> {
    let mut segments = resource.split('/').skip(2);
    (segments.next()? == kind).then(|| segments.next()).flatten()
}

impl FromStr for Scope {
    type Err = NoScope;

    fn from_str(text: &str) -> Result<Self, NoScope> {
        if text == "districts/-" {
            return Ok(Self::Everywhere);
        }
        let district = district_of(text).ok_or(NoScope)?;
        match text.split('/').skip(2).collect::<Vec<_>>()[..] {
            [] => Ok(Self::District(district)),
            ["areas", code] if is_area_code(code) => Ok(Self::Area { district, code: code.to_owned() }),
            ["departments", code] if !code.is_empty() => {
                Ok(Self::Department { district, code: code.to_owned() })
            }
            ["enterprises", code] if is_credit_code(code) => {
                Ok(Self::Enterprise { district, code: code.to_owned() })
            }
            _ => Err(NoScope),
        }
    }
}

/// 18 capitals and digits.
fn is_credit_code(code: &str) -> bool {
    code.len() == 18 && code.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
}

/// 6, 9, 12, 15 or 18 digits.
fn is_area_code(code: &str) -> bool {
    matches!(code.len(), 6 | 9 | 12 | 15 | 18) && code.bytes().all(|b| b.is_ascii_digit())
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everywhere => f.write_str("districts/-"),
            Self::District(district) => write!(f, "districts/{district}"),
            Self::Area { district, code } => write!(f, "districts/{district}/areas/{code}"),
            Self::Department { district, code } => write!(f, "districts/{district}/departments/{code}"),
            Self::Enterprise { district, code } => write!(f, "districts/{district}/enterprises/{code}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_round_trip_and_others_are_refused() {
        for text in [
            "districts/-",
            "districts/410182",
            "districts/410182/areas/410182002011",
            "districts/410182/departments/water",
            "districts/410182/enterprises/91350100M000100Y43",
        ] {
            assert_eq!(text.parse::<Scope>().expect("a scope").to_string(), text);
        }
        for text in [
            "",
            "districts",
            "districts/",
            "districts/41",
            "districts/-/areas/410182",
            "districts/410182/areas/4101",
            "districts/410182/areas/41018200x",
            "districts/410182/areas/410182/x",
            "districts/410182/departments/",
            "districts/410182/enterprises/91350100m000100y43",
            "districts/410182/enterprises/91350100M000100Y4",
            "districts/410182/events/1",
            "districts/41018x",
            "districts/+10182",
        ] {
            assert_eq!(text.parse::<Scope>(), Err(NoScope), "{text}");
        }
    }

    #[test]
    fn what_a_scope_covers() {
        let covers = |scope: &str, resource: &str| scope.parse::<Scope>().expect("a scope").covers(resource);
        assert!(covers("districts/-", "districts/410182/events/1") && covers("districts/-", "districts/-"));
        assert!(
            covers("districts/410182", "districts/410182/events/1")
                && covers("districts/410182", "districts/410182")
        );
        assert!(
            !covers("districts/410182", "districts/410183/events/1")
                && !covers("districts/410182", "districts/-")
        );
        let area = "districts/410182/areas/410182002";
        assert!(
            covers(area, area)
                && covers(area, "districts/410182/areas/410182002011")
                && covers(area, "districts/410182/areas/410182002011/versions")
        );
        assert!(
            !covers(area, "districts/410182/areas/410182003")
                && !covers(area, "districts/410182/areas/410182")
        );
        assert!(!covers(area, "districts/410182") && !covers(area, "districts/410182/events/410182002"));
        let enterprise = "districts/410182/enterprises/91350100M000100Y43";
        assert!(
            covers(enterprise, &format!("{enterprise}/needs/1")) && !covers(enterprise, "districts/410182")
        );
        let department = "districts/410182/departments/water";
        assert!(
            covers(department, department)
                && covers(department, "districts/410182/departments/water/members/1")
        );
        assert!(
            !covers(department, "districts/410182/departments/waterworks")
                && !covers(department, "districts/410183/departments/water")
        );
    }
}
