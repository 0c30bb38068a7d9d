//! The staff service: postings.

use jingwei_kit::caller::Caller;
use jingwei_kit::etag;
use jingwei_kit::page::Page;
use jingwei_kit::status::Violations;
use jingwei_proto::grid::v1 as pb;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::core::Asked;
use super::hand_over::hand_over;
use super::repeat::violates;
use super::staff::{Staff, read_name};
use super::wire::{name, staff as wire, time as wire_time};
use crate::error::Error;
use crate::model::staff::{Posting, PostingRole};
use crate::store::{card, staff as store};

impl Staff {
    pub(super) async fn get_one_posting(
        &self,
        request: &pb::GetPostingRequest,
    ) -> Result<pb::Posting, Error> {
        let (district, id) = read_name(&request.name, "postings")?;
        let posting = store::get_posting(&self.0.pool, district, id).await?;
        Ok(wire::write_posting(&posting.ok_or_else(|| Error::NotFound { name: request.name.clone() })?))
    }

    pub(super) async fn list_all_postings(
        &self,
        request: &pb::ListPostingsRequest,
    ) -> Result<pb::ListPostingsResponse, Error> {
        let district = name::read_district(&request.parent)?;
        let page = Page::<Uuid>::of(request, 50, 200)?;
        let mut violations = Violations::new();
        let filter = store::PostingFilter {
            area: name::read_area_in("area", &request.area, district, &mut violations),
            staff: Uuid::parse_str(&name::read_in(
                "staff_member",
                &request.staff_member,
                district,
                &mut violations,
            ))
            .ok(),
            role: wire::read_role(request.role()),
            show_ended: request.show_ended,
        };
        violations.finish()?;
        let after = page.after.unwrap_or(Uuid::nil());
        let mut rows = store::list_postings(&self.0.pool, district, &filter, after, page.limit()).await?;
        let next_page_token = page.cut(&mut rows, |p| p.id);
        Ok(pb::ListPostingsResponse {
            postings: rows.iter().map(wire::write_posting).collect(),
            next_page_token,
        })
    }

    pub(super) async fn post(
        &self,
        caller: &Caller,
        request: &pb::CreatePostingRequest,
    ) -> Result<pb::Posting, Error> {
        let district = name::read_district(&request.parent)?;
        let now = self.0.clock.now();
        let posting = self.read(request, district, now)?;
        let asked =
            Asked { caller, district, method: "CreatePosting", request, request_id: &request.request_id };
        let post = async |conn: &mut PgConnection| {
            let name = name::of(district, "postings", posting.id);
            match store::insert_posting(conn, &posting).await {
                Err(e) if violates(&e, "posting_pkey") => return Err(Error::AlreadyExists { name }),
                Err(e) if violates(&e, "posting_active") => return Err(Error::PostingExists),
                Err(e) if violates(&e, "posting_one_chief") => return Err(Error::ChiefExists),
                Err(e) if violates(&e, "posting_staff") => {
                    return Err(Error::ReferenceMissing { field: "posting.staff_member" });
                }
                Err(e) if violates(&e, "posting_area") => {
                    return Err(Error::ReferenceMissing { field: "posting.area" });
                }
                done => done?,
            }
            card::refresh(conn, district, &[posting.area.to_string()], now).await?;
            let posted =
                store::get_posting(&mut *conn, district, posting.id).await?.unwrap_or(posting.clone());
            Ok((name, wire::write_posting(&posted)))
        };
        self.0.change(asked, post).await
    }

    fn read(
        &self,
        request: &pb::CreatePostingRequest,
        district: i32,
        now: OffsetDateTime,
    ) -> Result<Posting, Error> {
        let given = request.posting.clone().unwrap_or_default();
        let mut violations = Violations::new();
        let staff = name::read_in("posting.staff_member", &given.staff_member, district, &mut violations);
        let area = name::read_area_in("posting.area", &given.area, district, &mut violations);
        let start = wire_time::read_option("posting.start_time", given.start_time.as_ref(), &mut violations);
        let end = wire_time::read_option(
            "posting.planned_end_time",
            given.planned_end_time.as_ref(),
            &mut violations,
        );
        let start = start.unwrap_or(now);
        if end.is_some_and(|end| end <= start) {
            let zh = "须晚于开始时间";
            violations.add("posting.planned_end_time", "order", zh, "must be after the start");
        }
        violations.finish()?;
        let id = match request.posting_id.as_str() {
            "" => self.0.clock.id(),
            text => name::read_uuid("posting_id", text)?,
        };
        Ok(Posting {
            district,
            id,
            staff_id: name::read_uuid("posting.staff_member", &staff)?,
            staff_name: String::new(),
            area: area.ok_or(Error::ReferenceMissing { field: "posting.area" })?,
            role: wire::read_role(given.role()).unwrap_or(PostingRole::GridMember),
            start_time: start,
            planned_end_time: end,
            end_time: None,
            end_reason: String::new(),
            hand_over: None,
            version: 1,
        })
    }

    pub(super) async fn end(
        &self,
        caller: &Caller,
        request: &pb::EndPostingRequest,
    ) -> Result<pb::Posting, Error> {
        let (district, id) = read_name(&request.name, "postings")?;
        let now = self.0.clock.now();
        let mut violations = Violations::new();
        let at = wire_time::read_option("end_time", request.end_time.as_ref(), &mut violations);
        let successor = name::read_in("successor", &request.successor, district, &mut violations);
        violations.finish()?;
        let (successor, hand_over_id) = (Uuid::parse_str(&successor).ok(), self.0.clock.id());
        let asked =
            Asked { caller, district, method: "EndPosting", request, request_id: &request.request_id };
        let end = async |conn: &mut PgConnection| {
            let found = store::get_posting(&mut *conn, district, id).await?;
            let mut posting = found.ok_or_else(|| Error::NotFound { name: request.name.clone() })?;
            etag::check(&request.etag, posting.version)?;
            if posting.end_time.is_some() {
                return Err(Error::PostingEnded);
            }
            let at = at.unwrap_or(now.max(posting.start_time));
            if at < posting.start_time {
                let zh = "不能早于开始时间";
                return Err(jingwei_kit::status::invalid(
                    "end_time",
                    "order",
                    zh,
                    "must not be before the start",
                )
                .into());
            }
            posting.end_time = Some(at);
            posting.end_reason.clone_from(&request.reason);
            posting.version += 1;
            if !store::end_posting(conn, &posting).await? {
                // Nothing else changes a posting: another call has ended it since it was read.
                return Err(Error::PostingEnded);
            }
            posting.hand_over = hand_over(conn, &posting, successor, hand_over_id, now).await?;
            card::refresh(conn, district, &[posting.area.to_string()], now).await?;
            Ok((request.name.clone(), wire::write_posting(&posting)))
        };
        self.0.change(asked, end).await
    }
}
