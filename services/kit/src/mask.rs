//! Update masks: which fields of a resource a request changes.

use prost_types::FieldMask;

use crate::status::Violations;

/// The fields that a mask names; all that may change where it is empty or unset.
pub struct Mask<'a>(Option<&'a [String]>);

/// Every field: what a creation writes.
pub const ALL: Mask<'static> = Mask(None);

/// The fields at these paths.
pub fn of(paths: &[String]) -> Mask<'_> {
    Mask(Some(paths))
}

/// Reads a mask; a violation for each path that is not one of `changeable`.
pub fn read<'a>(mask: Option<&'a FieldMask>, changeable: &[&str], violations: &mut Violations) -> Mask<'a> {
    let paths = mask.map(|m| m.paths.as_slice()).filter(|paths| !paths.is_empty());
    for path in paths.unwrap_or_default().iter().filter(|p| !changeable.contains(&p.as_str())) {
        let known = changeable.join(", ");
        let zh = format!("{path} 不能修改；可修改：{known}");
        let en = format!("{path} cannot be changed, only: {known}");
        violations.add("update_mask", "update_mask", zh, en);
    }
    Mask(paths)
}

impl Mask<'_> {
    /// Puts `new` into `old` where the mask names the field.
    pub fn set<T>(&self, field: &str, old: &mut T, new: T) {
        if self.0.is_none_or(|paths| paths.iter().any(|p| p == field)) {
            *old = new;
        }
    }

    /// Notes a violation where the field is written and has nothing in it. Not a rule of the proto: an update that does not
    /// name the field leaves it out.
    pub fn require(&self, resource: &str, field: &str, is_given: bool, violations: &mut Violations) {
        if self.names(field) && !is_given {
            violations.add(format!("{resource}.{field}"), "required", "不能为空", "must not be empty");
        }
    }

    /// Whether the mask names the field.
    pub fn names(&self, field: &str) -> bool {
        self.0.is_none_or(|paths| paths.iter().any(|p| p == field))
    }
}
