//! The staff service: people.

use jingwei_kit::caller::{self, Caller};
use jingwei_kit::etag;
use jingwei_kit::mask;
use jingwei_kit::page::Page;
use jingwei_kit::status::Violations;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::staff_service_server::StaffService;
use sqlx::PgConnection;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::core::{Asked, Core};
use super::repeat::violates;
use super::wire::{name, staff as wire};
use crate::error::Error;
use crate::model::staff::StaffMember;
use crate::store::staff as store;

/// The staff service.
#[derive(Clone)]
pub struct Staff(pub Core);

/// What an update may change.
const CHANGEABLE: [&str; 4] = ["display_name", "duty_phone", "subject", "home_unit"];

/// The district and id of a name in a collection.
pub(super) fn read_name(name: &str, collection: &str) -> Result<(i32, Uuid), Error> {
    let read = name::read(name, collection).and_then(|(d, id)| Some((d, Uuid::parse_str(id).ok()?)));
    read.ok_or_else(|| Error::NotFound { name: name.to_owned() })
}

fn subject(given: &str) -> Option<String> {
    Some(given.to_owned()).filter(|s| !s.is_empty())
}

fn subject_taken(member: &StaffMember) -> Error {
    Error::AlreadyExists { name: format!("subject {}", member.subject.as_deref().unwrap_or_default()) }
}

impl Staff {
    async fn get(&self, request: &pb::GetStaffMemberRequest) -> Result<pb::StaffMember, Error> {
        let (district, id) = read_name(&request.name, "staff")?;
        let member = store::get(&self.0.pool, district, id).await?;
        Ok(wire::write(&member.ok_or_else(|| Error::NotFound { name: request.name.clone() })?))
    }

    async fn list(
        &self,
        request: &pb::ListStaffMembersRequest,
    ) -> Result<pb::ListStaffMembersResponse, Error> {
        let district = name::read_district(&request.parent)?;
        let page = Page::<Uuid>::of(request, 50, 200)?;
        let subject = subject(&request.subject);
        let after = page.after.unwrap_or(Uuid::nil());
        let mut rows = store::list(&self.0.pool, district, subject.as_deref(), after, page.limit()).await?;
        let next_page_token = page.cut(&mut rows, |m| m.id);
        Ok(pb::ListStaffMembersResponse {
            staff_members: rows.iter().map(wire::write).collect(),
            next_page_token,
        })
    }

    async fn create(
        &self,
        caller: &Caller,
        request: &pb::CreateStaffMemberRequest,
    ) -> Result<pb::StaffMember, Error> {
        let district = name::read_district(&request.parent)?;
        let given = request.staff_member.clone().unwrap_or_default();
        let mut violations = Violations::new();
        mask::ALL.require("staff_member", "display_name", !given.display_name.is_empty(), &mut violations);
        violations.finish()?;
        let id = match request.staff_member_id.as_str() {
            "" => self.0.clock.id(),
            text => name::read_uuid("staff_member_id", text)?,
        };
        let member = StaffMember {
            district,
            id,
            display_name: given.display_name,
            duty_phone: given.duty_phone,
            subject: subject(&given.subject),
            home_unit: given.home_unit,
            version: 1,
        };
        let asked =
            Asked { caller, district, method: "CreateStaffMember", request, request_id: &request.request_id };
        let create = async |conn: &mut PgConnection| {
            let written = wire::write(&member);
            match store::insert(conn, &member).await {
                Err(e) if violates(&e, "staff_member_pkey") => {
                    Err(Error::AlreadyExists { name: written.name })
                }
                Err(e) if violates(&e, "staff_member_subject") => Err(subject_taken(&member)),
                done => Ok(done.map(|()| (written.name.clone(), written))?),
            }
        };
        self.0.change(asked, create).await
    }

    async fn update(
        &self,
        caller: &Caller,
        request: &pb::UpdateStaffMemberRequest,
    ) -> Result<pb::StaffMember, Error> {
        let given = request.staff_member.clone().unwrap_or_default();
        let (district, id) = read_name(&given.name, "staff")?;
        let mut violations = Violations::new();
        let mask = mask::read(request.update_mask.as_ref(), &CHANGEABLE, &mut violations);
        mask.require("staff_member", "display_name", !given.display_name.is_empty(), &mut violations);
        violations.finish()?;
        let now = self.0.clock.now();
        let asked =
            Asked { caller, district, method: "UpdateStaffMember", request, request_id: &request.request_id };
        let update = async |conn: &mut PgConnection| {
            let found = store::get(&mut *conn, district, id).await?;
            let mut member = found.ok_or_else(|| Error::NotFound { name: given.name.clone() })?;
            etag::check(&given.etag, member.version)?;
            mask.set("display_name", &mut member.display_name, given.display_name.clone());
            mask.set("duty_phone", &mut member.duty_phone, given.duty_phone.clone());
            mask.set("subject", &mut member.subject, subject(&given.subject));
            mask.set("home_unit", &mut member.home_unit, given.home_unit.clone());
            member.version += 1;
            match store::update(conn, &member).await {
                Err(e) if violates(&e, "staff_member_subject") => return Err(subject_taken(&member)),
                Ok(false) => return Err(etag::mismatch(member.version).into()),
                done => done?,
            };
            let areas = store::posted_areas(conn, district, id).await?;
            let areas: Vec<String> = areas.iter().map(ToString::to_string).collect();
            crate::store::card::refresh(conn, district, &areas, now).await?;
            Ok((given.name.clone(), wire::write(&member)))
        };
        self.0.change(asked, update).await
    }
}

#[tonic::async_trait]
impl StaffService for Staff {
    async fn get_staff_member(
        &self,
        request: Request<pb::GetStaffMemberRequest>,
    ) -> Result<Response<pb::StaffMember>, Status> {
        Ok(Response::new(self.get(request.get_ref()).await?))
    }

    async fn list_staff_members(
        &self,
        request: Request<pb::ListStaffMembersRequest>,
    ) -> Result<Response<pb::ListStaffMembersResponse>, Status> {
        Ok(Response::new(self.list(request.get_ref()).await?))
    }

    async fn create_staff_member(
        &self,
        request: Request<pb::CreateStaffMemberRequest>,
    ) -> Result<Response<pb::StaffMember>, Status> {
        Ok(Response::new(self.create(&caller::of(&request), request.get_ref()).await?))
    }

    async fn update_staff_member(
        &self,
        request: Request<pb::UpdateStaffMemberRequest>,
    ) -> Result<Response<pb::StaffMember>, Status> {
        Ok(Response::new(self.update(&caller::of(&request), request.get_ref()).await?))
    }

    async fn get_posting(
        &self,
        request: Request<pb::GetPostingRequest>,
    ) -> Result<Response<pb::Posting>, Status> {
        Ok(Response::new(self.get_one_posting(request.get_ref()).await?))
    }

    async fn list_postings(
        &self,
        request: Request<pb::ListPostingsRequest>,
    ) -> Result<Response<pb::ListPostingsResponse>, Status> {
        Ok(Response::new(self.list_all_postings(request.get_ref()).await?))
    }

    async fn create_posting(
        &self,
        request: Request<pb::CreatePostingRequest>,
    ) -> Result<Response<pb::Posting>, Status> {
        Ok(Response::new(self.post(&caller::of(&request), request.get_ref()).await?))
    }

    async fn end_posting(
        &self,
        request: Request<pb::EndPostingRequest>,
    ) -> Result<Response<pb::Posting>, Status> {
        Ok(Response::new(self.end(&caller::of(&request), request.get_ref()).await?))
    }
}
