//! The enterprise service: the register.

use jingwei_kit::caller::{self, Caller};
use jingwei_kit::page::Page;
use jingwei_kit::status::Violations;
use jingwei_kit::{etag, mask};
use jingwei_proto::business_environment_monitor::v1 as pb;
use jingwei_proto::business_environment_monitor::v1::enterprise_service_server::EnterpriseService;
use sqlx::PgConnection;
use tonic::{Request, Response, Status};

use super::core::{Asked, Core};
use super::repeat::violates;
use super::wire::{enterprise as wire, name};
use crate::error::Error;
use crate::store::enterprise as store;

/// The enterprise service.
#[derive(Clone)]
pub struct Enterprises(pub Core);

/// What an update may change.
const CHANGEABLE: [&str; 7] =
    ["display_name", "industry", "scale", "street", "address", "liaison", "retired"];

impl Enterprises {
    async fn get(&self, request: &pb::GetEnterpriseRequest) -> Result<pb::Enterprise, Error> {
        let missing = || Error::NotFound { name: request.name.clone() };
        let (district, code) = name::read_enterprise("name", &request.name)?;
        Ok(wire::write(&store::get(&self.0.pool, district, &code).await?.ok_or_else(missing)?))
    }

    async fn list(&self, request: &pb::ListEnterprisesRequest) -> Result<pb::ListEnterprisesResponse, Error> {
        let district = name::read_district("parent", &request.parent)?;
        let page = Page::<String>::of(request, 50, 200)?;
        let pb::ListEnterprisesRequest { industry, street, liaison, .. } = request;
        let filter = store::Filter { district, industry, street, liaison };
        let after = page.after.clone().unwrap_or_default();
        let mut rows = store::list(&self.0.pool, &filter, &after, page.limit()).await?;
        let next_page_token = page.cut(&mut rows, |enterprise| enterprise.code.to_string());
        let enterprises = rows.iter().map(wire::write).collect();
        Ok(pb::ListEnterprisesResponse { enterprises, next_page_token })
    }

    async fn create(
        &self,
        caller: &Caller,
        request: &pb::CreateEnterpriseRequest,
    ) -> Result<pb::Enterprise, Error> {
        let district = name::read_district("parent", &request.parent)?;
        let given = request.enterprise.clone().unwrap_or_default();
        let mut violations = Violations::new();
        let enterprise = wire::read(&given, &mut violations)?;
        if enterprise.district != district {
            let (zh, en) = ("须属于 parent 的区县", "must be of the district in parent");
            violations.add("enterprise.name", "district", zh, en);
        }
        let named = !enterprise.display_name.is_empty();
        mask::ALL.require("enterprise", "display_name", named, &mut violations);
        violations.finish()?;
        let (method, request_id) = ("CreateEnterprise", request.request_id.as_str());
        let asked = Asked { caller, district, method, request, request_id };
        let create = async |conn: &mut PgConnection| match store::insert(conn, &enterprise).await {
            Err(e) if violates(&e, "enterprise_pkey") => {
                Err(Error::AlreadyExists { name: given.name.clone() })
            }
            done => Ok(done.map(|()| (given.name.clone(), wire::write(&enterprise)))?),
        };
        self.0.change(asked, create).await
    }

    async fn update(
        &self,
        caller: &Caller,
        request: &pb::UpdateEnterpriseRequest,
    ) -> Result<pb::Enterprise, Error> {
        let given = request.enterprise.clone().unwrap_or_default();
        let mut violations = Violations::new();
        let mask = mask::read(request.update_mask.as_ref(), &CHANGEABLE, &mut violations);
        let new = wire::read(&given, &mut violations)?;
        mask.require("enterprise", "display_name", !new.display_name.is_empty(), &mut violations);
        violations.finish()?;
        let (district, method, request_id) = (new.district, "UpdateEnterprise", request.request_id.as_str());
        let asked = Asked { caller, district, method, request, request_id };
        let update = async |conn: &mut PgConnection| {
            let found = store::get(&mut *conn, district, &new.code).await?;
            let mut old = found.ok_or_else(|| Error::NotFound { name: given.name.clone() })?;
            etag::check(&given.etag, old.version)?;
            mask.set("display_name", &mut old.display_name, new.display_name.clone());
            mask.set("industry", &mut old.industry, new.industry.clone());
            mask.set("scale", &mut old.scale, new.scale);
            mask.set("street", &mut old.street, new.street.clone());
            mask.set("address", &mut old.address, new.address.clone());
            mask.set("liaison", &mut old.liaison, new.liaison.clone());
            mask.set("retired", &mut old.retired, new.retired);
            old.version += 1;
            if !store::update(conn, &old).await? {
                return Err(etag::mismatch(old.version).into());
            }
            Ok((given.name.clone(), wire::write(&old)))
        };
        self.0.change(asked, update).await
    }
}

#[tonic::async_trait]
impl EnterpriseService for Enterprises {
    async fn create_enterprise(
        &self,
        request: Request<pb::CreateEnterpriseRequest>,
    ) -> Result<Response<pb::Enterprise>, Status> {
        Ok(Response::new(self.create(&caller::of(&request), request.get_ref()).await?))
    }

    async fn update_enterprise(
        &self,
        request: Request<pb::UpdateEnterpriseRequest>,
    ) -> Result<Response<pb::Enterprise>, Status> {
        Ok(Response::new(self.update(&caller::of(&request), request.get_ref()).await?))
    }

    async fn get_enterprise(
        &self,
        request: Request<pb::GetEnterpriseRequest>,
    ) -> Result<Response<pb::Enterprise>, Status> {
        Ok(Response::new(self.get(request.get_ref()).await?))
    }

    async fn list_enterprises(
        &self,
        request: Request<pb::ListEnterprisesRequest>,
    ) -> Result<Response<pb::ListEnterprisesResponse>, Status> {
        Ok(Response::new(self.list(request.get_ref()).await?))
    }
}
