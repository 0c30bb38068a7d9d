//! The rows of an export: pages read one after the other, never more than one in memory.

use jingwei_kit::caller::Caller;
use jingwei_kit::status::Violations;
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_work_calendar::CHINA_STANDARD_TIME;
use time::{Duration, OffsetDateTime, Time};
use uuid::Uuid;

use super::columns;
use crate::api::area::district_area;
use crate::api::wire::statistics::read_period;
use crate::api::wire::{category, department, event as wire, name};
use crate::api::{Core, import};
use crate::api::{actors, event_list};
use crate::error::Error;
use crate::ledger::write::Cell;
use crate::model::actor::Actor;
use crate::model::area::AreaCode;
use crate::model::count::{Metric, local_day};
use crate::model::numbers::Member;
use crate::model::period::Period;
use crate::store::batch::export as batch;
use crate::store::count::Asked;
use crate::store::event_list::{Cursor, Filter, Whose};
use crate::store::{self, count};

/// Rows that are read at once.
const PAGE: i64 = 1000;

/// The rows of an export that were not read yet.
pub(super) struct Rows {
    core: Core,
    district: i32,
    kind: pb::LedgerKind,
    now: OffsetDateTime,
    which: Which,
    ended: bool,
}

/// Which rows, and where the next page begins.
enum Which {
    Areas { ancestor: AreaCode, after: String },
    Staff { area: Option<AreaCode>, after: (Uuid, Uuid) },
    Departments { after: String },
    Categories { after: String },
    Events(Box<Events>),
}

struct Events {
    filter: Filter,
    period: Period,
    after: Option<Cursor>,
    /// What the caller may see of who reported.
    grants: Vec<Actor>,
}

impl Rows {
    /// The rows of a kind that the caller may list.
    ///
    /// # Errors
    /// The filter is wrong, or asks for what the caller may not list.
    pub(super) fn of(
        core: &Core,
        caller: &Caller,
        district: i32,
        kind: pb::LedgerKind,
        filter: &pb::LedgerFilter,
    ) -> Result<Self, Error> {
        let mut violations = Violations::new();
        let area = name::read_area_in("filter.area", &filter.area, district, &mut violations);
        violations.finish()?;
        let which = match kind {
            pb::LedgerKind::Events => Which::Events(Box::new(events(caller, district, filter)?)),
            pb::LedgerKind::Staff => Which::Staff { area, after: (Uuid::nil(), Uuid::nil()) },
            pb::LedgerKind::Departments => Which::Departments { after: String::new() },
            pb::LedgerKind::Categories => Which::Categories { after: String::new() },
            _ => {
                let ancestor = area.map_or_else(|| district_area(district), Ok)?;
                Which::Areas { ancestor, after: String::new() }
            }
        };
        Ok(Self { core: core.clone(), district, kind, now: core.clock.now(), which, ended: false })
    }

    /// The names of the columns.
    pub(super) fn header(&self) -> Vec<&'static str> {
        match self.kind {
            pb::LedgerKind::Events => columns::EVENTS.to_vec(),
            kind => import::columns(kind).iter().map(|column| column.zh).collect(),
        }
    }

    /// The next rows; none after the last ones.
    pub(super) async fn next(&mut self) -> Result<Vec<Vec<Cell>>, Error> {
        if self.ended {
            return Ok(Vec::new());
        }
        let (pool, district) = (&self.core.pool, self.district);
        let rows: Vec<Vec<Cell>> = match &mut self.which {
            Which::Areas { ancestor, after } => {
                let page = store::area::list(pool, *ancestor, None, after, self.now, PAGE).await?;
                *after = page.last().map(|area| area.code.to_string()).unwrap_or_default();
                page.iter().map(columns::area).collect()
            }
            Which::Staff { area, after } => {
                let page = batch::staff(pool, district, *area, *after, PAGE).await?;
                *after = page
                    .last()
                    .map(|(s, p)| (s.id, p.as_ref().map_or(Uuid::nil(), |p| p.id)))
                    .unwrap_or_default();
                page.iter().map(|(member, posting)| columns::staff(member, posting.as_ref())).collect()
            }
            Which::Departments { after } => {
                let page = store::department::list(pool, district, None, after, PAGE).await?;
                *after = page.last().map(|d| d.code.clone()).unwrap_or_default();
                page.iter().map(|d| columns::department(&department::write(d))).collect()
            }
            Which::Categories { after } => {
                let page = batch::categories(pool, district, after, PAGE).await?;
                *after = page.last().map(batch::category_place).unwrap_or_default();
                page.iter().map(|c| columns::category(&category::write(c))).collect()
            }
            Which::Events(events) => {
                let page = store::event_list::list(pool, &events.filter, events.after, PAGE).await?;
                events.after = page.last().map(|(at, event)| (*at, event.id));
                let begin = events.period.from.map(midnight);
                let inside = page.iter().take_while(|(at, _)| begin.is_none_or(|begin| *at >= begin));
                inside.map(|(_, event)| columns::event(event, &wire::write(event, &events.grants))).collect()
            }
        };
        self.ended = (rows.len() as i64) < PAGE;
        Ok(rows)
    }

    /// How many there are, and whether there may be fewer.
    pub(super) async fn count(&self) -> Result<(i64, bool), Error> {
        let (pool, district) = (&self.core.pool, self.district);
        let exact = match &self.which {
            Which::Areas { ancestor, .. } => batch::count_areas(pool, *ancestor, self.now).await?,
            Which::Staff { area, .. } => batch::count_staff(pool, district, *area).await?,
            Which::Departments { .. } => batch::count_departments(pool, district).await?,
            Which::Categories { .. } => batch::count_categories(pool, district).await?,
            Which::Events(events) => return self.count_events(events).await,
        };
        Ok((exact, false))
    }

    async fn count_events(&self, events: &Events) -> Result<(i64, bool), Error> {
        let filtered = !events.filter.states.is_empty() || events.filter.category.is_some();
        let mut conn = self.core.pool.acquire().await?;
        let Whose::Area(area) = &events.filter.whose else {
            let (Whose::Holder(unit) | Whose::Lead(unit)) = &events.filter.whose else {
                return Ok((0, false));
            };
            let rows = batch::count_led(&mut conn, self.district, &unit.to_string()).await?;
            return Ok((rows, filtered || events.period != Period::default()));
        };
        let asked = Asked {
            district: self.district,
            areas: &[area.to_string()],
            members: &[Member::All],
            periods: &[events.period.pieces(local_day(self.now))],
        };
        let counts = count::read(&mut conn, &asked).await?;
        let reported = counts.iter().find(|count| count.metric == Metric::Reported.code());
        Ok((reported.map_or(0, |count| count.count), filtered))
    }
}

/// The events of a filter, newest first, from the end of its period on.
fn events(caller: &Caller, district: i32, filter: &pb::LedgerFilter) -> Result<Events, Error> {
    let list = pb::ListEventsRequest {
        area: filter.area.clone(),
        states: filter.states.clone(),
        category: filter.category.clone(),
        ..Default::default()
    };
    let period = read_period(&filter.from_date, &filter.to_date)?;
    // An administrator lists no events.
    let admitted_by =
        caller.admitted_by.iter().filter(|grant| grant.role != Role::Administrator).cloned().collect();
    let caller = &Caller { admitted_by, ..caller.clone() };
    let after = period.to.map(|last| (midnight(last) + Duration::days(1), Uuid::nil()));
    let grants = actors::of(caller, district);
    Ok(Events { filter: event_list::filter(caller, &list, district)?, period, after, grants })
}

fn midnight(day: time::Date) -> OffsetDateTime {
    day.with_time(Time::MIDNIGHT).assume_offset(CHINA_STANDARD_TIME)
}
