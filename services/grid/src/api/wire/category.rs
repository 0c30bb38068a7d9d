//! Categories with their limits: model ↔ wire.

use jingwei_kit::etag;
use jingwei_kit::status::Violations;
use jingwei_proto::grid::v1 as pb;

use super::{limit, name};
use crate::model::category::{Category, Condition, PartialLimits};

/// A category on the wire.
pub fn write(category: &Category) -> pb::Category {
    let parent = category.parent.as_ref();
    pb::Category {
        name: name::category(category.district, &category.code),
        parent_category: parent.map(|code| name::category(category.district, code)).unwrap_or_default(),
        display_name: category.display_name.clone(),
        limits: Some(write_limits(&category.limits)),
        conditions: category.conditions.iter().map(write_condition).collect(),
        verify_public_reports: category.verify_public_reports,
        retired: category.retired,
        etag: etag::of(category.version),
    }
}

fn write_condition(condition: &Condition) -> pb::Condition {
    pb::Condition {
        code: condition.code.clone(),
        display_name: condition.display_name.clone(),
        limits: Some(write_limits(&condition.limits)),
    }
}

fn write_limits(limits: &PartialLimits) -> pb::StepLimits {
    pb::StepLimits {
        accept: limits.accept.map(limit::write),
        register: limits.register.map(limit::write),
        dispatch: limits.dispatch.map(limit::write),
        handle: limits.handle.map(limit::write),
        verify: limits.verify.map(limit::write),
    }
}

/// A category as given, of version 1; violations for what is not of its district and for conditions given twice.
pub fn read(given: &pb::Category, district: i32, violations: &mut Violations) -> Category {
    let parent = name::read_in("category.parent_category", &given.parent_category, district, violations);
    let mut seen = std::collections::HashSet::new();
    for (i, condition) in given.conditions.iter().enumerate() {
        if !seen.insert(&condition.code) {
            let field = format!("category.conditions[{i}].code");
            violations.add(field, "unique", "立案条件代码重复", "is given twice");
        }
    }
    Category {
        district,
        code: name::read_in("category.name", &given.name, district, violations),
        parent: Some(parent).filter(|p| !p.is_empty()),
        display_name: given.display_name.clone(),
        limits: read_limits("category.limits", given.limits.as_ref(), violations),
        conditions: read_conditions(&given.conditions, violations),
        verify_public_reports: given.verify_public_reports,
        retired: given.retired,
        version: 1,
    }
}

fn read_conditions(given: &[pb::Condition], violations: &mut Violations) -> Vec<Condition> {
    let indexed = given.iter().enumerate();
    indexed
        .map(|(i, c)| Condition {
            code: c.code.clone(),
            display_name: c.display_name.clone(),
            limits: read_limits(&format!("category.conditions[{i}].limits"), c.limits.as_ref(), violations),
        })
        .collect()
}

fn read_limits(field: &str, given: Option<&pb::StepLimits>, violations: &mut Violations) -> PartialLimits {
    let Some(given) = given else { return PartialLimits::default() };
    let mut read = |step: &str, limit: Option<&pb::Limit>| {
        limit::read_option(&format!("{field}.{step}"), limit, violations)
    };
    PartialLimits {
        accept: read("accept", given.accept.as_ref()),
        register: read("register", given.register.as_ref()),
        dispatch: read("dispatch", given.dispatch.as_ref()),
        handle: read("handle", given.handle.as_ref()),
        verify: read("verify", given.verify.as_ref()),
    }
}
