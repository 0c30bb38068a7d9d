//! Lists of deliberations, of their records and of action items: what the caller may see of what was asked for.

use jingwei_kit::caller::Caller;
use jingwei_kit::page::Page;
use jingwei_kit::status::{Problem, Violations};
use jingwei_proto::grid::v1 as pb;
use tonic::Code;
use uuid::Uuid;

use super::actors;
use super::deliberation::Deliberations;
use super::staff::read_name;
use super::wire::{deliberation as wire, name};
use crate::error::Error;
use crate::model::actor::{Actor, Scope};
use crate::model::area::AreaCode;
use crate::model::deliberation::{State, View};
use crate::model::unit::Unit;
use crate::store::deliberation::{self as store, Cursor, Filter, ItemCursor, OpenItem};

impl Deliberations {
    pub(super) async fn list(
        &self,
        caller: &Caller,
        request: &pb::ListDeliberationsRequest,
    ) -> Result<pb::ListDeliberationsResponse, Error> {
        let district = name::read_district(&request.parent)?;
        let page = Page::<Cursor>::of(request, 50, 200)?;
        let mut violations = Violations::new();
        let area = name::read_area_in("area", &request.area, district, &mut violations).map(Unit::Area);
        let department = name::read_unit_in("department", &request.department, district, &mut violations);
        let event = name::read_in("event", &request.event, district, &mut violations);
        if area.is_some() && department.is_some() {
            let zh = "area 与 department 只能填写一项";
            violations.add("department", "exclusive", zh, "area and department cannot both be given");
        }
        violations.finish()?;
        let now = self.0.clock.now();
        let states: Vec<State> = request.states().filter_map(wire::read_state).collect();
        let states = if states.is_empty() { State::all().collect() } else { states };
        let unit = asked_for(area.or(department), &actors::of(caller, district), district)?;
        let filter = Filter { unit, states, now };
        let (pool, after, limit) = (&self.0.pool, page.after, page.limit());
        let mut rows = match Uuid::parse_str(&event) {
            Ok(event) => store::list_of_event(pool, district, &filter, event, after, limit).await?,
            Err(_) => store::list(pool, district, &filter, after, limit).await?,
        };
        let next_page_token = page.cut(&mut rows, |d| (d.created, d.id));
        let deliberations = rows.iter().map(|d| wire::write(d, View::WithoutPeople, now)).collect();
        Ok(pb::ListDeliberationsResponse { deliberations, next_page_token })
    }

    pub(super) async fn list_items(
        &self,
        caller: &Caller,
        request: &pb::ListActionItemsRequest,
    ) -> Result<pb::ListActionItemsResponse, Error> {
        let district = name::read_district(&request.parent)?;
        let page = Page::<ItemCursor>::of(request, 50, 200)?;
        let mut violations = Violations::new();
        let owner = name::read_unit_in("owner", &request.owner, district, &mut violations);
        violations.finish()?;
        let now = self.0.clock.now();
        let owner = asked_for(owner, &actors::of(caller, district), district)?;
        let mut rows = store::list_items(&self.0.pool, district, &owner, page.after, page.limit()).await?;
        let next_page_token = page.cut(&mut rows, |row| (row.item.due, row.of.id, row.number));
        let write = |row: &OpenItem| wire::write_item(&row.of, row.number, &row.item, now);
        let action_items = rows.iter().map(write).collect();
        Ok(pb::ListActionItemsResponse { action_items, next_page_token })
    }

    pub(super) async fn list_records(
        &self,
        caller: &Caller,
        request: &pb::ListDeliberationRecordsRequest,
    ) -> Result<pb::ListDeliberationRecordsResponse, Error> {
        let (district, id) = read_name(&request.parent, "deliberations")?;
        let page = Page::<i64>::of(request, 50, 200)?;
        let mut conn = self.0.pool.acquire().await?;
        self.readable(&mut conn, &actors::of(caller, district), district, id).await?;
        let after = page.after.unwrap_or(0);
        let mut rows = store::list_records(&mut *conn, district, id, after, page.limit()).await?;
        let next_page_token = page.cut(&mut rows, |record| record.version);
        let records = rows.iter().map(|record| wire::write_record(district, id, record)).collect();
        Ok(pb::ListDeliberationRecordsResponse { records, next_page_token })
    }
}

/// The unit asked for, where a grant covers it; where none was, what the first grant covers. A department's list is also open to
/// whoever has the whole district.
fn asked_for(unit: Option<Unit>, grants: &[Actor], district: i32) -> Result<Unit, Error> {
    let covered = |unit: &Unit| {
        let reaches = |scope: &Scope| scope.covers(unit) || matches!(scope, Scope::District(_));
        grants.iter().any(|grant| reaches(&grant.scope))
    };
    let unit = match (unit, grants.first().map(|grant| &grant.scope)) {
        (Some(unit), _) => covered(&unit).then_some(unit),
        (None, Some(Scope::Area(area))) => Some(Unit::Area(*area)),
        (None, Some(Scope::Department(code))) => Some(Unit::Department(code.clone())),
        (None, Some(Scope::District(_))) => AreaCode::of_district(district).ok().map(Unit::Area),
        (None, None) => None,
    };
    unit.ok_or_else(|| {
        let (zh, en) =
            ("您的管辖范围不包含所查的区域或单位", "none of your grants covers the area or unit asked for");
        Problem::new(Code::PermissionDenied, "PERMISSION_DENIED", zh, en).into()
    })
}
