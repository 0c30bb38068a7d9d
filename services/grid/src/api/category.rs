//! The category service.

use jingwei_kit::caller::{self, Caller};
use jingwei_kit::etag;
use jingwei_kit::mask;
use jingwei_kit::page::Page;
use jingwei_kit::status::Violations;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::category_service_server::CategoryService;
use sqlx::PgConnection;
use tonic::{Request, Response, Status};

use super::core::{Asked, Core};
use super::repeat::violates;
use super::wire::{category as wire, name};
use crate::error::Error;
use crate::store::category as store;

/// The category service.
#[derive(Clone)]
pub struct Categories(pub Core);

/// What an update may change: the place in the tree stays.
const CHANGEABLE: [&str; 5] = ["display_name", "limits", "conditions", "verify_public_reports", "retired"];

impl Categories {
    async fn get(&self, request: &pb::GetCategoryRequest) -> Result<pb::Category, Error> {
        let missing = || Error::NotFound { name: request.name.clone() };
        let (district, code) = name::read(&request.name, "categories").ok_or_else(missing)?;
        Ok(wire::write(&store::get(&self.0.pool, district, code).await?.ok_or_else(missing)?))
    }

    async fn list(&self, request: &pb::ListCategoriesRequest) -> Result<pb::ListCategoriesResponse, Error> {
        let district = name::read_district(&request.parent)?;
        let page = Page::<String>::of(request, 50, 200)?;
        let mut violations = Violations::new();
        let parent = name::read_in("parent_category", &request.parent_category, district, &mut violations);
        violations.finish()?;
        let parent = Some(parent.as_str()).filter(|p| !p.is_empty());
        let after = page.after.clone().unwrap_or_default();
        let mut rows = store::list(&self.0.pool, district, parent, &after, page.limit()).await?;
        let next_page_token = page.cut(&mut rows, |c| c.code.clone());
        Ok(pb::ListCategoriesResponse { categories: rows.iter().map(wire::write).collect(), next_page_token })
    }

    async fn create(
        &self,
        caller: &Caller,
        request: &pb::CreateCategoryRequest,
    ) -> Result<pb::Category, Error> {
        let district = name::read_district(&request.parent)?;
        let given = request.category.clone().unwrap_or_default();
        let mut violations = Violations::new();
        let category = wire::read(&given, district, &mut violations);
        mask::ALL.require("category", "display_name", !given.display_name.is_empty(), &mut violations);
        if given.name.is_empty() {
            violations.add("category.name", "required", "必填", "is required");
        }
        violations.finish()?;
        let asked =
            Asked { caller, district, method: "CreateCategory", request, request_id: &request.request_id };
        let create = async |conn: &mut PgConnection| {
            if let Some(parent) = &category.parent {
                // Two levels: the main category must exist and be one.
                let main = store::get(&mut *conn, district, parent).await?;
                if main.is_none_or(|m| m.parent.is_some()) {
                    return Err(Error::ReferenceMissing { field: "category.parent_category" });
                }
            }
            match store::insert(conn, &category).await {
                Err(e) if violates(&e, "category_pkey") => {
                    Err(Error::AlreadyExists { name: given.name.clone() })
                }
                done => Ok(done.map(|()| (given.name.clone(), wire::write(&category)))?),
            }
        };
        self.0.change(asked, create).await
    }

    async fn update(
        &self,
        caller: &Caller,
        request: &pb::UpdateCategoryRequest,
    ) -> Result<pb::Category, Error> {
        let given = request.category.clone().unwrap_or_default();
        let missing = || Error::NotFound { name: given.name.clone() };
        let (district, code) = name::read(&given.name, "categories").ok_or_else(missing)?;
        let mut violations = Violations::new();
        let mask = mask::read(request.update_mask.as_ref(), &CHANGEABLE, &mut violations);
        let new = wire::read(&given, district, &mut violations);
        mask.require("category", "display_name", !given.display_name.is_empty(), &mut violations);
        violations.finish()?;
        let asked =
            Asked { caller, district, method: "UpdateCategory", request, request_id: &request.request_id };
        let update = async |conn: &mut PgConnection| {
            let mut category = store::get(&mut *conn, district, code).await?.ok_or_else(missing)?;
            etag::check(&given.etag, category.version)?;
            mask.set("display_name", &mut category.display_name, new.display_name.clone());
            mask.set("limits", &mut category.limits, new.limits);
            mask.set("conditions", &mut category.conditions, new.conditions.clone());
            mask.set("verify_public_reports", &mut category.verify_public_reports, new.verify_public_reports);
            mask.set("retired", &mut category.retired, new.retired);
            category.version += 1;
            if !store::update(conn, &category).await? {
                return Err(etag::mismatch(category.version).into());
            }
            Ok((given.name.clone(), wire::write(&category)))
        };
        self.0.change(asked, update).await
    }
}

#[tonic::async_trait]
impl CategoryService for Categories {
    async fn get_category(
        &self,
        request: Request<pb::GetCategoryRequest>,
    ) -> Result<Response<pb::Category>, Status> {
        Ok(Response::new(self.get(request.get_ref()).await?))
    }

    async fn list_categories(
        &self,
        request: Request<pb::ListCategoriesRequest>,
    ) -> Result<Response<pb::ListCategoriesResponse>, Status> {
        Ok(Response::new(self.list(request.get_ref()).await?))
    }

    async fn create_category(
        &self,
        request: Request<pb::CreateCategoryRequest>,
    ) -> Result<Response<pb::Category>, Status> {
        Ok(Response::new(self.create(&caller::of(&request), request.get_ref()).await?))
    }

    async fn update_category(
        &self,
        request: Request<pb::UpdateCategoryRequest>,
    ) -> Result<Response<pb::Category>, Status> {
        Ok(Response::new(self.update(&caller::of(&request), request.get_ref()).await?))
    }
}
