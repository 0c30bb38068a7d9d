//! The ledger of boundaries 边界: features of a GeoJSON collection.

use jingwei_kit::status::{Problem, Violations};
use jingwei_proto::grid::v1 as pb;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::areas::Loading;
use super::cells::Cells;
use super::table::{Done, Line, Table, records};
use crate::api::area::{boundary_source, read_boundary};
use crate::api::wire::{area as wire, name};
use crate::error::Error;
use crate::ledger::Row;
use crate::ledger::heading::{Column, Heading};
use crate::model::area::AreaCode;

pub(super) const COLUMNS: &[Column] = &[
    Column::new("区域代码", "code", "name", "410182002011001").required(),
    Column::new("边界", "boundary", "boundary_geojson", "").required(),
];

/// Boundaries of a district's areas.
pub(super) struct Boundaries {
    pub(super) district: i32,
    pub(super) now: OffsetDateTime,
    pub(super) system: pb::CoordinateSystem,
}

/// A boundary that reads.
pub(super) struct Record {
    code: AreaCode,
    /// As it is kept.
    boundary: String,
    source: i16,
}

impl Table for Boundaries {
    type Record = Record;
    const COLUMNS: &'static [Column] = COLUMNS;
    const GEOJSON: bool = true;

    fn read(
        &self,
        heading: &Heading,
        row: &Row,
        violations: &mut Violations,
    ) -> Result<Option<Record>, Problem> {
        let mut cells = Cells { heading, row, violations };
        cells.require("code");
        cells.require("boundary");
        let code = cells.area("code", self.district);
        let area = pb::Area {
            boundary_geojson: cells.string("boundary"),
            boundary_source: self.system.into(),
            ..Default::default()
        };
        violations.append(jingwei_kit::rules::check(&area)?);
        let boundary = read_boundary(&area).unwrap_or_else(|error| {
            super::table::refuse(violations, "boundary_geojson", error);
            String::new()
        });
        let source = boundary_source(&area);
        Ok(code.map(|code| Record { code, boundary, source }))
    }

    async fn load(
        &self,
        conn: &mut PgConnection,
        _: &Heading,
        lines: &mut [Line<Record>],
    ) -> Result<(), Error> {
        let mut loading =
            Loading::start(conn, self.district, self.now, records(lines).map(|r| r.code)).await?;
        for line in lines {
            let Some(Record { code, boundary, source }) = &line.record else { continue };
            let (code, source) = (*code, *source);
            let Some(last) = loading.last(code) else {
                line.refuse("name", Error::NotFound { name: name::area(code) });
                continue;
            };
            if !line.violations.is_empty() || (last.boundary == *boundary && last.boundary_source == source) {
                continue;
            }
            let mut area = last.clone();
            (area.boundary, area.boundary_source) = (boundary.clone(), source);
            let area = loading.put(area);
            line.wrote(Done::Changed, name::area(code), &wire::write(area));
        }
        loading.finish(conn, &[]).await
    }
}
