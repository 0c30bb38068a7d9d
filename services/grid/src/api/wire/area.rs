//! Areas: model → wire.

use jingwei_kit::etag;
use jingwei_proto::grid::v1 as pb;

use super::{name, time};
use crate::store::area::AreaVersion;

/// The local name of a level: in Zhengzhou the street is level one and the base grid level three.
pub fn level_name(depth: u8) -> &'static str {
    match depth {
        0 => "区县",
        1 => "一级网格（街道）",
        2 => "二级网格（社区）",
        3 => "三级网格",
        _ => "微网格",
    }
}

/// The same in English.
pub fn level_name_en(depth: u8) -> &'static str {
    match depth {
        0 => "district",
        1 => "level one (street)",
        2 => "level two (community)",
        3 => "level three (base grid)",
        _ => "micro-grid",
    }
}

/// An area as one of its versions has it.
pub fn write(area: &AreaVersion) -> pb::Area {
    pb::Area {
        name: name::area(area.code),
        display_name: area.display_name.clone(),
        depth: area.code.depth().into(),
        level_name: level_name(area.code.depth()).to_owned(),
        level_name_en: level_name_en(area.code.depth()).to_owned(),
        parent_area: area.code.parent().map(name::area).unwrap_or_default(),
        boundary_geojson: area.boundary.clone(),
        boundary_source: area.boundary_source.into(),
        service_phone: area.service_phone.clone(),
        version: area.version,
        effective_time: Some(time::write(area.effective_time)),
        etag: etag::of(area.last_version),
    }
}
