//! The department service.

use jingwei_kit::caller::{self, Caller};
use jingwei_kit::etag;
use jingwei_kit::mask;
use jingwei_kit::page::Page;
use jingwei_kit::status::Violations;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::department_service_server::DepartmentService;
use sqlx::PgConnection;
use tonic::{Request, Response, Status};

use super::core::{Asked, Core};
use super::repeat::violates;
use super::wire::{department as wire, name};
use crate::error::Error;
use crate::model::department::Department;
use crate::store::department as store;

/// The department service.
#[derive(Clone)]
pub struct Departments(pub Core);

/// What an update may change.
const CHANGEABLE: [&str; 5] = ["display_name", "kind", "duty_phone", "duties", "served_areas"];

impl Departments {
    async fn get(&self, request: &pb::GetDepartmentRequest) -> Result<pb::Department, Error> {
        let missing = || Error::NotFound { name: request.name.clone() };
        let (district, code) = name::read(&request.name, "departments").ok_or_else(missing)?;
        Ok(wire::write(&store::get(&self.0.pool, district, code).await?.ok_or_else(missing)?))
    }

    async fn list(&self, request: &pb::ListDepartmentsRequest) -> Result<pb::ListDepartmentsResponse, Error> {
        let district = name::read_district(&request.parent)?;
        let page = Page::<String>::of(request, 50, 200)?;
        let mut violations = Violations::new();
        let category = name::read_in("category", &request.category, district, &mut violations);
        violations.finish()?;
        let category = Some(category.as_str()).filter(|c| !c.is_empty());
        let after = page.after.clone().unwrap_or_default();
        let mut rows = store::list(&self.0.pool, district, category, &after, page.limit()).await?;
        let next_page_token = page.cut(&mut rows, |d| d.code.clone());
        Ok(pb::ListDepartmentsResponse {
            departments: rows.iter().map(wire::write).collect(),
            next_page_token,
        })
    }

    async fn create(
        &self,
        caller: &Caller,
        request: &pb::CreateDepartmentRequest,
    ) -> Result<pb::Department, Error> {
        let district = name::read_district(&request.parent)?;
        let mut violations = Violations::new();
        let given = request.department.clone().unwrap_or_default();
        let department = wire::read(&given, district, &mut violations);
        require(&mask::ALL, &given, &mut violations);
        if given.name.is_empty() {
            violations.add("department.name", "required", "必填", "is required");
        }
        violations.finish()?;
        let asked =
            Asked { caller, district, method: "CreateDepartment", request, request_id: &request.request_id };
        let create = async |conn: &mut PgConnection| {
            check_references(conn, &department).await?;
            match store::insert(conn, &department).await {
                Err(e) if violates(&e, "department_pkey") => {
                    Err(Error::AlreadyExists { name: given.name.clone() })
                }
                done => Ok(done.map(|()| (given.name.clone(), wire::write(&department)))?),
            }
        };
        self.0.change(asked, create).await
    }

    async fn update(
        &self,
        caller: &Caller,
        request: &pb::UpdateDepartmentRequest,
    ) -> Result<pb::Department, Error> {
        let given = request.department.clone().unwrap_or_default();
        let missing = || Error::NotFound { name: given.name.clone() };
        let (district, code) = name::read(&given.name, "departments").ok_or_else(missing)?;
        let mut violations = Violations::new();
        let mask = mask::read(request.update_mask.as_ref(), &CHANGEABLE, &mut violations);
        let new = wire::read(&given, district, &mut violations);
        require(&mask, &given, &mut violations);
        violations.finish()?;
        let asked =
            Asked { caller, district, method: "UpdateDepartment", request, request_id: &request.request_id };
        let update = async |conn: &mut PgConnection| {
            let mut department = store::get(&mut *conn, district, code).await?.ok_or_else(missing)?;
            etag::check(&given.etag, department.version)?;
            mask.set("display_name", &mut department.display_name, new.display_name.clone());
            mask.set("kind", &mut department.kind, new.kind);
            mask.set("duty_phone", &mut department.duty_phone, new.duty_phone.clone());
            mask.set("duties", &mut department.duties, new.duties.clone());
            mask.set("served_areas", &mut department.served_areas, new.served_areas.clone());
            department.version += 1;
            check_references(conn, &department).await?;
            if !store::update(conn, &department).await? {
                return Err(etag::mismatch(department.version).into());
            }
            Ok((given.name.clone(), wire::write(&department)))
        };
        self.0.change(asked, update).await
    }
}

fn require(mask: &mask::Mask<'_>, given: &pb::Department, violations: &mut Violations) {
    mask.require("department", "display_name", !given.display_name.is_empty(), violations);
    mask.require("department", "kind", given.kind() != pb::DepartmentKind::Unspecified, violations);
}

async fn check_references(conn: &mut PgConnection, department: &Department) -> Result<(), Error> {
    match store::references_exist(conn, department).await? {
        (false, _) => Err(Error::ReferenceMissing { field: "department.duties" }),
        (_, false) => Err(Error::ReferenceMissing { field: "department.served_areas" }),
        (true, true) => Ok(()),
    }
}

#[tonic::async_trait]
impl DepartmentService for Departments {
    async fn get_department(
        &self,
        request: Request<pb::GetDepartmentRequest>,
    ) -> Result<Response<pb::Department>, Status> {
        Ok(Response::new(self.get(request.get_ref()).await?))
    }

    async fn list_departments(
        &self,
        request: Request<pb::ListDepartmentsRequest>,
    ) -> Result<Response<pb::ListDepartmentsResponse>, Status> {
        Ok(Response::new(self.list(request.get_ref()).await?))
    }

    async fn create_department(
        &self,
        request: Request<pb::CreateDepartmentRequest>,
    ) -> Result<Response<pb::Department>, Status> {
        Ok(Response::new(self.create(&caller::of(&request), request.get_ref()).await?))
    }

    async fn update_department(
        &self,
        request: Request<pb::UpdateDepartmentRequest>,
    ) -> Result<Response<pb::Department>, Status> {
        Ok(Response::new(self.update(&caller::of(&request), request.get_ref()).await?))
    }
}
