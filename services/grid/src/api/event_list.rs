//! Lists of events: what the caller may see of what was asked for.

use jingwei_kit::caller::Caller;
use jingwei_kit::page::Page;
use jingwei_kit::status::Violations;
use jingwei_proto::grid::v1 as pb;
use sqlx::PgPool;
use tonic::Code;

use super::actors;
use super::wire::{event as wire, name};
use crate::error::Error;
use crate::model::actor::{Actor, Scope};
use crate::model::area::AreaCode;
use crate::model::clock::Stage;
use crate::model::unit::Unit;
use crate::store::event_list::{Cursor, Filter, Whose, list as store_list};

/// A page of events.
pub async fn list(
    pool: &PgPool,
    caller: &Caller,
    request: &pb::ListEventsRequest,
) -> Result<pb::ListEventsResponse, Error> {
    let district = name::read_district(&request.parent)?;
    let page = Page::<Cursor>::of(request, 50, 200)?;
    let filter = filter(caller, request, district)?;
    let mut rows = store_list(pool, &filter, page.after, page.limit()).await?;
    let grants = actors::of(caller, district);
    let next_page_token = page.cut(&mut rows, |(time, event)| (*time, event.id));
    let events = rows.iter().map(|(_, event)| wire::write(event, &grants)).collect();
    Ok(pb::ListEventsResponse { events, next_page_token })
}

pub(super) fn filter(
    caller: &Caller,
    request: &pb::ListEventsRequest,
    district: i32,
) -> Result<Filter, Error> {
    let mut violations = Violations::new();
    let area = name::read_area_in("area", &request.area, district, &mut violations);
    let holder = name::read_unit_in("holder", &request.holder, district, &mut violations);
    if area.is_some() && holder.is_some() {
        violations.add(
            "holder",
            "exclusive",
            "area 与 holder 只能填写一项",
            "area and holder cannot both be given",
        );
    }
    let category = name::read_in("category", &request.category, district, &mut violations);
    violations.finish()?;
    let grants = actors::of(caller, district);
    let optional = |text: &str| Some(text.to_owned()).filter(|t| !t.is_empty());
    Ok(Filter {
        district,
        whose: whose(&grants, district, area, holder)?,
        states: request.states().filter_map(wire::read_state).collect(),
        category: optional(&category),
        case_number: optional(&request.case_number),
        min_alarm: min_alarm(request.min_alarm()),
        by_deadline: request.order() == pb::EventOrder::Due,
        in_review: request.in_review,
    })
}

/// What was asked for, where a grant covers it; where nothing was, what the first grant covers.
fn whose(
    grants: &[Actor],
    district: i32,
    area: Option<AreaCode>,
    holder: Option<Unit>,
) -> Result<Whose, Error> {
    let covered = |unit: &Unit| grants.iter().any(|g| g.scope.covers(unit));
    match (area, holder) {
        (Some(area), _) if covered(&Unit::Area(area)) => Ok(Whose::Area(area)),
        (None, Some(unit)) if covered(&unit) || is_district_wide(grants) => Ok(Whose::Holder(unit)),
        (None, None) => match grants.first().map(|g| &g.scope) {
            Some(Scope::Area(area)) => Ok(Whose::Area(*area)),
            Some(Scope::Department(code)) => Ok(Whose::Lead(Unit::Department(code.clone()))),
            Some(Scope::District(_)) => {
                AreaCode::of_district(district).map(Whose::Area).map_err(|_| denied())
            }
            None => Err(denied()),
        },
        _ => Err(denied()),
    }
}

fn is_district_wide(grants: &[Actor]) -> bool {
    grants.iter().any(|g| matches!(g.scope, Scope::District(_)))
}

fn denied() -> Error {
    let (zh, en) =
        ("您的管辖范围不包含所查的区域或单位", "none of your grants covers the area or unit asked for");
    jingwei_kit::status::Problem::new(Code::PermissionDenied, "PERMISSION_DENIED", zh, en).into()
}

fn min_alarm(alarm: pb::AlarmLevel) -> Stage {
    match alarm {
        pb::AlarmLevel::Unspecified => Stage::InTime,
        pb::AlarmLevel::Amber => Stage::Amber,
        pb::AlarmLevel::Red => Stage::Red,
        pb::AlarmLevel::Critical => Stage::Critical,
    }
}
