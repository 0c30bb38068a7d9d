//! The ledger of areas 区域.

use std::collections::HashMap;

use jingwei_kit::etag;
use jingwei_kit::mask;
use jingwei_kit::status::{Problem, Violations};
use jingwei_proto::grid::v1 as pb;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::cells::Cells;
use super::table::{Done, Line, Table, records};
use crate::api::Core;
use crate::api::wire::{area as wire, name};
use crate::error::Error;
use crate::ledger::Row;
use crate::ledger::heading::{Column, Heading};
use crate::model::area::AreaCode;
use crate::model::card::public_id;
use crate::store::area::AreaVersion;
use crate::store::batch::area as batch;
use crate::store::card;

pub(super) const COLUMNS: &[Column] = &[
    Column::new("区域代码", "code", "name", "410182002011001").required(),
    Column::new("名称", "display_name", "display_name", "永安街社区第一网格").required(),
    Column::new("服务电话", "service_phone", "service_phone", "0371-64600001"),
];

/// Areas of a district.
pub(super) struct Areas {
    pub(super) core: Core,
    pub(super) district: i32,
    pub(super) now: OffsetDateTime,
}

impl Table for Areas {
    type Record = (AreaCode, pb::Area);
    const COLUMNS: &'static [Column] = COLUMNS;

    fn read(
        &self,
        heading: &Heading,
        row: &Row,
        violations: &mut Violations,
    ) -> Result<Option<Self::Record>, Problem> {
        let mut cells = Cells { heading, row, violations };
        cells.require("code");
        let code = cells.area("code", self.district);
        let area = pb::Area {
            name: code.map(name::area).unwrap_or_default(),
            display_name: cells.string("display_name"),
            service_phone: cells.string("service_phone"),
            ..Default::default()
        };
        mask::ALL.require("area", "display_name", !area.display_name.is_empty(), violations);
        violations.append(jingwei_kit::rules::check(&area)?);
        Ok(code.map(|code| (code, area)))
    }

    async fn load(
        &self,
        conn: &mut PgConnection,
        heading: &Heading,
        lines: &mut [Line<Self::Record>],
    ) -> Result<(), Error> {
        let mut loading = Loading::start(conn, self.district, self.now, records(lines).map(|r| r.0)).await?;
        let paths = heading.paths();
        for line in lines {
            let Some((code, given)) = &line.record else { continue };
            let code = *code;
            if let Some(parent) = code.parent()
                && !loading.is_in_force(parent)
            {
                line.refuse("name", Error::ParentAreaMissing { code: parent.to_string() });
                continue;
            }
            if !line.violations.is_empty() {
                continue;
            }
            let known = loading.last(code).cloned();
            let mut area = known.clone().unwrap_or_else(|| blank(code, self.now));
            let mask = mask::of(&paths);
            mask.set("display_name", &mut area.display_name, given.display_name.clone());
            mask.set("service_phone", &mut area.service_phone, given.service_phone.clone());
            if known.as_ref() == Some(&area) {
                continue;
            }
            let done = if known.is_some() { Done::Changed } else { Done::Created };
            let area = loading.put(area);
            line.wrote(done, name::area(code), &wire::write(area));
        }
        let ids = loading.written.iter().map(|_| public_id(self.core.clock.id())).collect::<Vec<_>>();
        loading.finish(conn, &ids).await
    }
}

/// An area as it is before it has been anything.
fn blank(code: AreaCode, now: OffsetDateTime) -> AreaVersion {
    AreaVersion {
        code,
        version: 0,
        last_version: 0,
        display_name: String::new(),
        service_phone: String::new(),
        boundary: String::new(),
        boundary_source: 0,
        effective_time: now,
    }
}

/// A batch of areas: what is there, and the versions to be written.
pub(super) struct Loading {
    district: i32,
    now: OffsetDateTime,
    /// The last versions with whether one is in force.
    known: HashMap<AreaCode, (AreaVersion, bool)>,
    /// The codes of those to be written.
    written: Vec<AreaCode>,
    /// Those whose service telephone is another.
    telephones: Vec<String>,
}

impl Loading {
    /// Reads what is there of these areas and of those above them.
    pub(super) async fn start(
        conn: &mut PgConnection,
        district: i32,
        now: OffsetDateTime,
        codes: impl Iterator<Item = AreaCode>,
    ) -> Result<Self, Error> {
        let mut wanted: Vec<String> =
            codes.flat_map(|code| [Some(code), code.parent()]).flatten().map(|c| c.to_string()).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let known = batch::known(conn, district, &wanted, now).await?;
        let known = known.into_iter().map(|k| (k.last.code, (k.last, k.in_force))).collect();
        Ok(Self { district, now, known, written: Vec::new(), telephones: Vec::new() })
    }

    /// Whether a version of the area is in force.
    pub(super) fn is_in_force(&self, code: AreaCode) -> bool {
        self.known.get(&code).is_some_and(|(_, in_force)| *in_force)
    }

    /// The last version of an area.
    pub(super) fn last(&self, code: AreaCode) -> Option<&AreaVersion> {
        self.known.get(&code).map(|(last, _)| last)
    }

    /// Notes what an area is to be: a version after the last one, in force from now on or with the last one.
    pub(super) fn put(&mut self, mut area: AreaVersion) -> &AreaVersion {
        let code = area.code;
        if !self.written.contains(&code) {
            area.last_version += 1;
            area.version = area.last_version;
            area.effective_time = area.effective_time.max(self.now);
            self.written.push(code);
        }
        let before = self.known.get(&code).map(|(last, _)| last.service_phone.clone());
        if before.is_some_and(|before| before != area.service_phone) {
            self.telephones.push(code.to_string());
        }
        let in_force = self.is_in_force(code) || area.effective_time <= self.now;
        &self.known.entry(code).insert_entry((area, in_force)).into_mut().0
    }

    /// Writes them, and brings the contact cards up to date. One of `public_ids` is for the card of each area.
    pub(super) async fn finish(self, conn: &mut PgConnection, public_ids: &[String]) -> Result<(), Error> {
        if self.written.is_empty() {
            return Ok(());
        }
        let areas: Vec<_> = self.written.iter().map(|code| self.known[code].0.clone()).collect();
        let written = batch::put(conn, self.district, &areas, public_ids, self.now).await?;
        if written < areas.len() as u64 {
            return Err(etag::mismatch(1).into());
        }
        let mut cards = batch::cards_below(conn, self.district, &self.telephones).await?;
        cards.extend(areas.iter().filter(|a| a.version == 1).map(|a| a.code.to_string()));
        if !cards.is_empty() {
            card::refresh(conn, self.district, &cards, self.now).await?;
        }
        Ok(())
    }
}
