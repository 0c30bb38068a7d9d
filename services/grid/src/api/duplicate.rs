//! The duplicate service: what a new report could be the same as, and where reports pile up.

use jingwei_kit::caller::{self, Caller};
use jingwei_kit::status::Violations;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::duplicate_service_server::DuplicateService;
use time::Duration;
use tonic::{Request, Response, Status};

use super::wire::event::write_state;
use super::wire::time::write as moment;
use super::wire::{name, point};
use super::{Core, actors};
use crate::error::Error;
use crate::model::actor::Actor;
use crate::model::area::AreaCode;
use crate::model::event::Event;
use crate::model::position::Point;
use crate::model::relation::may_read;
use crate::model::spot;
use crate::store;
use crate::store::spot::HotSpot;

/// How many events are looked at, and how many suggested.
const LOOKED_AT: i64 = 200;
const SUGGESTED: usize = 20;
const HOT_SPOTS: i64 = 100;
/// How much of a description is shown.
const CHARACTERS: usize = 100;

/// The duplicate service.
#[derive(Clone)]
pub struct Duplicates(pub Core);

impl Duplicates {
    async fn suggest(
        &self,
        caller: &Caller,
        request: &pb::SuggestDuplicatesRequest,
    ) -> Result<pb::SuggestDuplicatesResponse, Error> {
        let district = name::read_district(&request.parent)?;
        let mut violations = Violations::new();
        let category = name::read_in("category", &request.category, district, &mut violations);
        let area = name::read_area_in("area", &request.area, district, &mut violations);
        let here = point::read("point", request.point.as_ref(), request.coordinate_system(), &mut violations);
        if area.is_none() && here.is_none() {
            violations.add(
                "point",
                "required",
                "area 与 point 至少填写一项",
                "an area or a point must be given",
            );
        }
        violations.finish()?;
        let radius = f64::from(or(request.radius_metres, 250));
        let since = self.0.clock.now() - Duration::days(or(request.days, 30).into());
        let cells = self.cells(district, here, area, radius).await?;
        let near = store::spot::near(&self.0.pool, district, &category, &cells, since, LOOKED_AT).await?;
        let grants = actors::of(caller, district);
        let mut near: Vec<_> = near.into_iter().map(|event| (distance(here, &event), event)).collect();
        near.retain(|(metres, _)| metres.is_none_or(|metres| metres <= radius));
        near.sort_by(|(a, _), (b, _)| a.unwrap_or(f64::MAX).total_cmp(&b.unwrap_or(f64::MAX)));
        let suggestions =
            near.iter().take(SUGGESTED).map(|(metres, event)| suggestion(*metres, event, &grants));
        Ok(pb::SuggestDuplicatesResponse { suggestions: suggestions.collect() })
    }

    /// Where to look: around the point and among those of its area that have none.
    async fn cells(
        &self,
        district: i32,
        here: Option<Point>,
        area: Option<AreaCode>,
        radius: f64,
    ) -> Result<Vec<i64>, Error> {
        let mut cells = here.map(|p| spot::around(p, radius)).unwrap_or_default();
        let located = match (here, area) {
            (Some(point), None) => {
                let found = store::area::locate(&self.0.pool, district, point, self.0.clock.now()).await?;
                found.map(|(area, _)| area)
            }
            _ => area,
        };
        cells.extend(located.map(spot::area_cell));
        Ok(cells)
    }

    async fn hot(&self, request: &pb::ListHotSpotsRequest) -> Result<pb::ListHotSpotsResponse, Error> {
        let area = name::read_area(&request.parent)?;
        let district = area.district();
        let mut violations = Violations::new();
        let category = name::read_in("category", &request.category, district, &mut violations);
        violations.finish()?;
        let category = Some(category.as_str()).filter(|c| !c.is_empty());
        let since = self.0.clock.now() - Duration::days(or(request.days, 30).into());
        let least = i64::from(or(request.min_reports, 3).max(2));
        let hot = store::spot::hot(&self.0.pool, area, category, since, least, HOT_SPOTS).await?;
        let hot_spots = hot.into_iter().map(|hot| write_hot(district, hot)).collect();
        Ok(pb::ListHotSpotsResponse { hot_spots })
    }
}

/// The number, or what counts where it is 0.
fn or(given: i32, default: i32) -> i32 {
    if given == 0 { default } else { given }
}

fn distance(here: Option<Point>, event: &Event) -> Option<f64> {
    here.zip(event.place.point).map(|(here, there)| here.metres_to(there))
}

fn suggestion(metres: Option<f64>, event: &Event, grants: &[Actor]) -> pb::DuplicateSuggestion {
    let readable = may_read(event, grants);
    let description = event.description.chars().take(CHARACTERS).collect();
    pb::DuplicateSuggestion {
        event: name::event(event.district, event.id),
        case_number: event.case_number.clone(),
        state: write_state(event.state).into(),
        distance_metres: metres.map(|metres| metres.round() as i32),
        report_time: Some(moment(event.times.reported)),
        description: if readable { description } else { String::new() },
        merged_into: event.merged.as_ref().map(|m| name::event(event.district, m.into)).unwrap_or_default(),
    }
}

fn write_hot(district: i32, hot: HotSpot) -> pb::HotSpot {
    let count = |count: i64| i32::try_from(count).unwrap_or(i32::MAX);
    pb::HotSpot {
        category: name::category(district, &hot.category),
        centre: hot.centre.map(|(latitude, longitude)| pb::Point { latitude, longitude }),
        report_count: count(hot.reports),
        open_count: count(hot.open),
        latest_report_time: Some(moment(hot.latest)),
        events: hot.events.into_iter().map(|id| name::event(district, id)).collect(),
    }
}

#[tonic::async_trait]
impl DuplicateService for Duplicates {
    async fn suggest_duplicates(
        &self,
        request: Request<pb::SuggestDuplicatesRequest>,
    ) -> Result<Response<pb::SuggestDuplicatesResponse>, Status> {
        let caller = caller::of(&request);
        Ok(Response::new(self.suggest(&caller, request.get_ref()).await?))
    }

    async fn list_hot_spots(
        &self,
        request: Request<pb::ListHotSpotsRequest>,
    ) -> Result<Response<pb::ListHotSpotsResponse>, Status> {
        Ok(Response::new(self.hot(request.get_ref()).await?))
    }
}
