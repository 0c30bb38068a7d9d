//! The patrol service.

use jingwei_kit::admit::denied;
use jingwei_kit::caller::{self, Caller};
use jingwei_kit::etag;
use jingwei_kit::page::Page;
use jingwei_kit::status::Violations;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::patrol_service_server::PatrolService;
use time::OffsetDateTime;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::actors;
use super::core::Core;
use super::note::visible;
use super::staff::read_name;
use super::wire::statistics::read_period;
use super::wire::{name, patrol as wire};
use crate::error::Error;
use crate::model::patrol::Patrol;
use crate::store::patrol::{self as store, Coverage, Cursor};

/// The patrol service.
#[derive(Clone)]
pub struct Patrols(pub Core);

impl Patrols {
    /// The patrol with the subject of its assignee, where the caller may know of it.
    pub(super) async fn readable(
        &self,
        caller: &Caller,
        patrol: &str,
    ) -> Result<(Patrol, Option<String>), Error> {
        let (district, id) = read_name(patrol, "patrols")?;
        let grants = actors::of(caller, district);
        let found = store::get(&self.0.pool, district, id).await?;
        let found = found.filter(|(p, _)| grants.iter().any(|grant| grant.scope.covers_area(p.area)));
        found.ok_or_else(|| Error::NotFound { name: patrol.to_owned() })
    }

    async fn list(
        &self,
        caller: &Caller,
        request: &pb::ListPatrolsRequest,
    ) -> Result<pb::ListPatrolsResponse, Error> {
        let district = name::read_district(&request.parent)?;
        let page = Page::<Cursor>::of(request, 50, 200)?;
        let mut violations = Violations::new();
        let area = name::read_area_in("area", &request.area, district, &mut violations);
        let assignee = name::read_in("assignee", &request.assignee, district, &mut violations);
        violations.finish()?;
        let area = visible(caller, district, area)?;
        let assignee = Uuid::parse_str(&assignee).ok();
        let mut rows = store::list(&self.0.pool, area, assignee, page.after, page.limit()).await?;
        let next_page_token = page.cut(&mut rows, |p| (p.due, p.id));
        let now = self.0.clock.now();
        let patrols = rows.iter().map(|p| wire::write(p, now)).collect();
        Ok(pb::ListPatrolsResponse { patrols, next_page_token })
    }

    async fn track(
        &self,
        caller: &Caller,
        request: &pb::ListTrackPointsRequest,
    ) -> Result<pb::ListTrackPointsResponse, Error> {
        let page = Page::<OffsetDateTime>::of(request, 500, 1000)?;
        let (patrol, _) = self.readable(caller, &request.parent).await?;
        let after = page.after.unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let limit = page.limit();
        let mut rows = store::track(&self.0.pool, patrol.district, patrol.id, after, limit).await?;
        let next_page_token = page.cut(&mut rows, |p| p.time);
        let track_points = rows.iter().map(wire::write_track_point).collect();
        Ok(pb::ListTrackPointsResponse { track_points, next_page_token })
    }

    async fn coverage(
        &self,
        request: &pb::ListPatrolCoverageRequest,
    ) -> Result<pb::ListPatrolCoverageResponse, Error> {
        let area = name::read_area(&request.parent)?;
        let page = Page::<String>::of(request, 1000, 1000)?;
        let period = read_period(&request.from_date, &request.to_date)?;
        let after = page.after.clone().unwrap_or_default();
        let mut rows = store::coverage(&self.0.pool, area, period, &after, page.limit()).await?;
        let next_page_token = page.cut(&mut rows, |c| c.area.clone());
        let write = |c: Coverage| pb::PatrolCoverage {
            area: name::of(area.district(), "areas", c.area),
            patrols: c.patrols,
            done_patrols: c.done_patrols,
            due_count: c.due,
            done_count: c.done,
        };
        let coverages = rows.into_iter().map(write).collect();
        Ok(pb::ListPatrolCoverageResponse { coverages, next_page_token })
    }
}

/// Refused where no grant of the caller covers the place of a plan.
pub(super) fn must_cover(caller: &Caller, patrol: &Patrol, permission: &str) -> Result<(), Error> {
    if actors::of(caller, patrol.district).iter().any(|grant| grant.scope.covers_area(patrol.area)) {
        return Ok(());
    }
    let (zh, en) = ("该区域不在您的管辖范围内", "none of your grants covers the area");
    Err(denied(permission, &name::area(patrol.area), zh, en).into())
}

/// The version that the caller read is the one that is changed.
pub(super) fn check(etag: &str, patrol: &Patrol) -> Result<(), Error> {
    Ok(etag::check(etag, patrol.version)?)
}

#[tonic::async_trait]
impl PatrolService for Patrols {
    async fn get_patrol(
        &self,
        request: Request<pb::GetPatrolRequest>,
    ) -> Result<Response<pb::Patrol>, Status> {
        let (patrol, _) = self.readable(&caller::of(&request), &request.get_ref().name).await?;
        Ok(Response::new(wire::write(&patrol, self.0.clock.now())))
    }

    async fn list_patrols(
        &self,
        request: Request<pb::ListPatrolsRequest>,
    ) -> Result<Response<pb::ListPatrolsResponse>, Status> {
        Ok(Response::new(self.list(&caller::of(&request), request.get_ref()).await?))
    }

    async fn create_patrol(
        &self,
        request: Request<pb::CreatePatrolRequest>,
    ) -> Result<Response<pb::Patrol>, Status> {
        Ok(Response::new(self.plan(&caller::of(&request), request.get_ref()).await?))
    }

    async fn start_patrol(
        &self,
        request: Request<pb::StartPatrolRequest>,
    ) -> Result<Response<pb::Patrol>, Status> {
        Ok(Response::new(self.start(&caller::of(&request), request.get_ref()).await?))
    }

    async fn append_track_points(
        &self,
        request: Request<pb::AppendTrackPointsRequest>,
    ) -> Result<Response<pb::Patrol>, Status> {
        Ok(Response::new(self.append(&caller::of(&request), request.get_ref()).await?))
    }

    async fn end_patrol(
        &self,
        request: Request<pb::EndPatrolRequest>,
    ) -> Result<Response<pb::Patrol>, Status> {
        Ok(Response::new(self.end(&caller::of(&request), request.get_ref()).await?))
    }

    async fn cancel_patrol(
        &self,
        request: Request<pb::CancelPatrolRequest>,
    ) -> Result<Response<pb::Patrol>, Status> {
        Ok(Response::new(self.cancel(&caller::of(&request), request.get_ref()).await?))
    }

    async fn list_track_points(
        &self,
        request: Request<pb::ListTrackPointsRequest>,
    ) -> Result<Response<pb::ListTrackPointsResponse>, Status> {
        Ok(Response::new(self.track(&caller::of(&request), request.get_ref()).await?))
    }

    async fn list_patrol_coverage(
        &self,
        request: Request<pb::ListPatrolCoverageRequest>,
    ) -> Result<Response<pb::ListPatrolCoverageResponse>, Status> {
        Ok(Response::new(self.coverage(request.get_ref()).await?))
    }
}
