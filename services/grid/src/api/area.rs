//! The area service.

use jingwei_kit::caller::{self, Caller};
use jingwei_kit::mask;
use jingwei_kit::page::Page;
use jingwei_kit::status::{Violations, invalid};
use jingwei_kit::{etag, status};
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::area_service_server::AreaService;
use sqlx::PgConnection;
use time::OffsetDateTime;
use tonic::{Request, Response, Status};

use super::core::{Asked, Core};
use super::repeat::violates;
use super::wire::{area as wire, name, point, time as wire_time};
use crate::error::Error;
use crate::model::area::AreaCode;
use crate::model::card::public_id;
use crate::model::position::{Boundary, BoundaryError};
use crate::store::area::{self as store, AreaVersion};

/// The area service.
#[derive(Clone)]
pub struct Areas(pub Core);

/// What an update may change.
const CHANGEABLE: [&str; 3] = ["display_name", "boundary_geojson", "service_phone"];

impl Areas {
    async fn get(&self, request: &pb::GetAreaRequest) -> Result<pb::Area, Error> {
        let area = name::read_area(&request.name)?;
        let mut violations = Violations::new();
        let at = wire_time::read_option("read_time", request.read_time.as_ref(), &mut violations);
        violations.finish()?;
        let at = at.unwrap_or_else(|| self.0.clock.now());
        let found = store::get(&self.0.pool, area, at).await?;
        Ok(wire::write(&found.ok_or_else(|| Error::NotFound { name: request.name.clone() })?))
    }

    async fn list(&self, request: &pb::ListAreasRequest) -> Result<pb::ListAreasResponse, Error> {
        let district = name::read_district(&request.parent)?;
        let page = Page::<String>::of(request, 50, 200)?;
        let mut violations = Violations::new();
        let ancestor = name::read_area_in("ancestor", &request.ancestor, district, &mut violations);
        violations.finish()?;
        let ancestor = match ancestor {
            Some(ancestor) => ancestor,
            None => district_area(district)?,
        };
        let depth = request.depth.and_then(|d| i16::try_from(d).ok());
        let (after, now) = (page.after.clone().unwrap_or_default(), self.0.clock.now());
        let mut rows = store::list(&self.0.pool, ancestor, depth, &after, now, page.limit()).await?;
        let next_page_token = page.cut(&mut rows, |a| a.code.to_string());
        Ok(pb::ListAreasResponse { areas: rows.iter().map(wire::write).collect(), next_page_token })
    }

    async fn create(&self, caller: &Caller, request: &pb::CreateAreaRequest) -> Result<pb::Area, Error> {
        let district = name::read_district(&request.parent)?;
        let given = request.area.clone().unwrap_or_default();
        let code = name::read_area(&given.name).map_err(|_| wrong_name())?;
        if code.district() != district {
            return Err(wrong_name().into());
        }
        let mut violations = Violations::new();
        mask::ALL.require("area", "display_name", !given.display_name.is_empty(), &mut violations);
        violations.finish()?;
        let boundary = read_boundary(&given)?;
        let now = self.0.clock.now();
        let area = AreaVersion {
            code,
            version: 1,
            last_version: 1,
            display_name: given.display_name.clone(),
            service_phone: given.service_phone.clone(),
            boundary,
            boundary_source: boundary_source(&given),
            effective_time: now,
        };
        let public_id = public_id(self.0.clock.id());
        let asked =
            Asked { caller, district, method: "CreateArea", request, request_id: &request.request_id };
        let create = async |conn: &mut PgConnection| {
            if let Some(parent) = code.parent()
                && store::version(&mut *conn, parent, now).await?.is_none()
            {
                return Err(Error::ParentAreaMissing { code: parent.to_string() });
            }
            match store::insert(conn, code, now).await {
                Err(e) if violates(&e, "area_pkey") => {
                    return Err(Error::AlreadyExists { name: name::area(code) });
                }
                done => done?,
            }
            store::insert_version(conn, &area, now).await?;
            crate::store::card::insert(conn, code, &public_id, now).await?;
            Ok((name::area(code), wire::write(&area)))
        };
        self.0.change(asked, create).await
    }

    async fn update(&self, caller: &Caller, request: &pb::UpdateAreaRequest) -> Result<pb::Area, Error> {
        let given = request.area.clone().unwrap_or_default();
        let code = name::read_area(&given.name).map_err(|_| wrong_name())?;
        let mut violations = Violations::new();
        let mask = mask::read(request.update_mask.as_ref(), &CHANGEABLE, &mut violations);
        mask.require("area", "display_name", !given.display_name.is_empty(), &mut violations);
        let from = wire_time::read_option("effective_time", request.effective_time.as_ref(), &mut violations);
        violations.finish()?;
        let boundary = read_boundary(&given)?;
        let now = self.0.clock.now();
        let asked = Asked {
            caller,
            district: code.district(),
            method: "UpdateArea",
            request,
            request_id: &request.request_id,
        };
        let update = async |conn: &mut PgConnection| {
            let mut area = last(conn, code).await?;
            etag::check(&given.etag, area.last_version)?;
            let from = effective(from, &area, now)?;
            mask.set("display_name", &mut area.display_name, given.display_name.clone());
            mask.set("service_phone", &mut area.service_phone, given.service_phone.clone());
            if mask.names("boundary_geojson") {
                (area.boundary, area.boundary_source) = (boundary.clone(), boundary_source(&given));
            }
            if !store::next_version(conn, code, area.last_version).await? {
                return Err(etag::mismatch(area.last_version + 1).into());
            }
            area.last_version += 1;
            (area.version, area.effective_time) = (area.last_version, from);
            store::insert_version(conn, &area, now).await?;
            crate::store::card::refresh_below(conn, code, now).await?;
            Ok((name::area(code), wire::write(&area)))
        };
        self.0.change(asked, update).await
    }

    async fn versions(
        &self,
        request: &pb::ListAreaVersionsRequest,
    ) -> Result<pb::ListAreaVersionsResponse, Error> {
        let area = name::read_area(&request.parent)?;
        let page = Page::<i64>::of(request, 50, 200)?;
        let before = page.after.unwrap_or(i64::MAX);
        let mut rows = store::versions(&self.0.pool, area, before, page.limit()).await?;
        if rows.is_empty() && page.after.is_none() {
            return Err(Error::NotFound { name: request.parent.clone() });
        }
        let next_page_token = page.cut(&mut rows, |a| a.version);
        Ok(pb::ListAreaVersionsResponse { versions: rows.iter().map(wire::write).collect(), next_page_token })
    }

    async fn locate(&self, request: &pb::LocatePointRequest) -> Result<pb::LocatePointResponse, Error> {
        let district = name::read_district(&request.parent)?;
        let mut violations = Violations::new();
        let at = point::read("point", request.point.as_ref(), request.coordinate_system(), &mut violations);
        violations.finish()?;
        let at = at.ok_or(Error::PointOutside)?;
        let now = self.0.clock.now();
        let (code, _) = store::locate(&self.0.pool, district, at, now).await?.ok_or(Error::PointOutside)?;
        let area = store::get(&self.0.pool, code, now).await?;
        Ok(pb::LocatePointResponse { area: area.as_ref().map(wire::write), point: Some(point::write(at)) })
    }
}

/// The last version of an area, in force or not yet.
async fn last(conn: &mut PgConnection, code: AreaCode) -> Result<AreaVersion, Error> {
    let newest = store::versions(&mut *conn, code, i64::MAX, 1).await?;
    newest.into_iter().next().ok_or_else(|| Error::NotFound { name: name::area(code) })
}

/// From when a new version counts: not before the last one.
fn effective(
    from: Option<OffsetDateTime>,
    last: &AreaVersion,
    now: OffsetDateTime,
) -> Result<OffsetDateTime, Error> {
    let from = from.unwrap_or_else(|| now.max(last.effective_time));
    if from < last.effective_time {
        let zh = "不能早于上一版本的生效时间";
        return Err(invalid("effective_time", "order", zh, "must not be before the last version's").into());
    }
    Ok(from)
}

pub(super) fn district_area(district: i32) -> Result<AreaCode, status::Problem> {
    AreaCode::of_district(district)
        .map_err(|_| invalid("parent", "district", "没有这个区县", "is no district"))
}

pub(super) fn boundary_source(area: &pb::Area) -> i16 {
    if area.boundary_geojson.is_empty() { 0 } else { i16::try_from(area.boundary_source.max(1)).unwrap_or(1) }
}

/// The boundary as it is kept, in WGS-84.
pub(super) fn read_boundary(area: &pb::Area) -> Result<String, Error> {
    if area.boundary_geojson.is_empty() {
        return Ok(String::new());
    }
    let boundary = Boundary::from_geojson(&area.boundary_geojson, point::read_system(area.boundary_source()));
    let boundary = boundary.map_err(|error| {
        let (zh, en) = boundary_fault(&error);
        invalid("area.boundary_geojson", "boundary", zh, en)
    })?;
    Ok(boundary.to_geojson())
}

fn boundary_fault(error: &BoundaryError) -> (&'static str, String) {
    let zh = match error {
        BoundaryError::Position { .. } => "有坐标超出范围",
        _ => "须为 GeoJSON 的 Polygon 或 MultiPolygon，各环首尾相接，至少四个坐标",
    };
    let en =
        "must be a GeoJSON Polygon or MultiPolygon with closed rings of four positions or more, in range";
    (zh, en.to_owned())
}

fn wrong_name() -> status::Problem {
    let zh = "须为本区县的区域名，如 districts/410182/areas/410182002";
    invalid(
        "area.name",
        "name",
        zh,
        "must be the name of an area of the district, as districts/410182/areas/410182002",
    )
}

#[tonic::async_trait]
impl AreaService for Areas {
    async fn get_area(&self, request: Request<pb::GetAreaRequest>) -> Result<Response<pb::Area>, Status> {
        Ok(Response::new(self.get(request.get_ref()).await?))
    }

    async fn list_areas(
        &self,
        request: Request<pb::ListAreasRequest>,
    ) -> Result<Response<pb::ListAreasResponse>, Status> {
        Ok(Response::new(self.list(request.get_ref()).await?))
    }

    async fn create_area(
        &self,
        request: Request<pb::CreateAreaRequest>,
    ) -> Result<Response<pb::Area>, Status> {
        Ok(Response::new(self.create(&caller::of(&request), request.get_ref()).await?))
    }

    async fn update_area(
        &self,
        request: Request<pb::UpdateAreaRequest>,
    ) -> Result<Response<pb::Area>, Status> {
        Ok(Response::new(self.update(&caller::of(&request), request.get_ref()).await?))
    }

    async fn list_area_versions(
        &self,
        request: Request<pb::ListAreaVersionsRequest>,
    ) -> Result<Response<pb::ListAreaVersionsResponse>, Status> {
        Ok(Response::new(self.versions(request.get_ref()).await?))
    }

    async fn locate_point(
        &self,
        request: Request<pb::LocatePointRequest>,
    ) -> Result<Response<pb::LocatePointResponse>, Status> {
        Ok(Response::new(self.locate(request.get_ref()).await?))
    }
}
