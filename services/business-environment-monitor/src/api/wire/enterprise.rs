//! Enterprises: model ↔ wire.

use jingwei_kit::etag;
use jingwei_kit::status::{Problem, Violations};
use jingwei_proto::business_environment_monitor::v1 as pb;

use super::name;
use crate::model::enterprise::Enterprise;

/// An enterprise on the wire.
pub fn write(enterprise: &Enterprise) -> pb::Enterprise {
    pb::Enterprise {
        name: name::enterprise(enterprise.district, enterprise.code.as_str()),
        display_name: enterprise.display_name.clone(),
        industry: enterprise.industry.clone(),
        scale: enterprise.scale.into(),
        street: enterprise.street.clone(),
        address: enterprise.address.clone(),
        liaison: enterprise.liaison.clone(),
        retired: enterprise.retired,
        etag: etag::of(enterprise.version),
    }
}

/// An enterprise as given, as its first version; what is wrong with it besides its name is noted.
///
/// # Errors
/// Its name is not one of an enterprise, or the code in it is wrong.
pub fn read(given: &pb::Enterprise, violations: &mut Violations) -> Result<Enterprise, Problem> {
    let (district, code) = name::read_enterprise("enterprise.name", &given.name)?;
    if !given.street.is_empty() && !given.street.starts_with(&district.to_string()) {
        let (zh, en) =
            (format!("须为区县 {district} 的街道或乡镇"), format!("must be a street or town of {district}"));
        violations.add("enterprise.street", "district", zh, en);
    }
    Ok(Enterprise {
        district,
        code,
        display_name: given.display_name.trim().to_owned(),
        industry: given.industry.clone(),
        street: given.street.clone(),
        address: given.address.clone(),
        liaison: given.liaison.clone(),
        // Its rule lets nothing else in than the enum's few values.
        scale: i16::try_from(given.scale).unwrap_or(0),
        retired: given.retired,
        version: 1,
    })
}
