//! The work record service.

use jingwei_kit::caller::{self, Caller};
use jingwei_kit::etag;
use jingwei_kit::mask;
use jingwei_kit::page::Page;
use jingwei_kit::status::Violations;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::work_record_service_server::WorkRecordService;
use prost::Message;
use sqlx::PgConnection;
use time::Date;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::core::{Asked, Core};
use super::evidence::link;
use super::reach::{self, Reach};
use super::repeat::violates;
use super::staff::read_name;
use super::wire::deliberation::read_date;
use super::wire::{event, name, work_record as wire};
use super::{actors, linked};
use crate::error::Error;
use crate::model::staff::Posting;
use crate::model::work_record::{
    Category, OVERSEERS, REVIEWERS, Refusal, Review, WorkRecord, covers, in_term,
};
use crate::store::{staff, work_record as store};

/// The work record service.
#[derive(Clone)]
pub struct WorkRecords(pub Core);

/// What an update may change.
const CHANGEABLE: [&str; 5] = ["date", "category", "text", "links", "evidence"];

impl WorkRecords {
    /// The record, where the caller may know of it.
    pub(super) async fn readable(
        &self,
        conn: &mut PgConnection,
        caller: &Caller,
        name: &str,
    ) -> Result<WorkRecord, Error> {
        let (district, id) = read_name(name, "workRecords")?;
        let found = store::get(conn, district, id).await?;
        let grants = actors::of(caller, district);
        let may = |r: &WorkRecord| r.is_of(&caller.subject) || covers(&grants, OVERSEERS, r.area);
        found.filter(may).ok_or_else(|| Error::NotFound { name: name.to_owned() })
    }

    async fn list(
        &self,
        caller: &Caller,
        request: &pb::ListWorkRecordsRequest,
    ) -> Result<pb::ListWorkRecordsResponse, Error> {
        let district = name::read_district(&request.parent)?;
        let page = Page::<store::Cursor>::of(request, 50, 200)?;
        let mut violations = Violations::new();
        let area = name::read_area_in("area", &request.area, district, &mut violations);
        let person = name::read_in("staff_member", &request.staff_member, district, &mut violations);
        let posting = name::read_in("posting", &request.posting, district, &mut violations);
        let mut day = |field: &str, text: &str| {
            if text.is_empty() { None } else { read_date(field, text, &mut violations) }
        };
        let (from, until) = (day("start_date", &request.start_date), day("end_date", &request.end_date));
        violations.finish()?;
        let person = Uuid::parse_str(&person).ok();
        let pool = &self.0.pool;
        let (area, staff) = match reach::of(pool, caller, district, OVERSEERS, area, person).await? {
            None => return Ok(pb::ListWorkRecordsResponse::default()),
            Some(Reach::Own(own)) => (area, Some(own)),
            Some(Reach::Area(area)) => (Some(area), person),
        };
        let posting = Uuid::parse_str(&posting).ok();
        let filter = store::Filter { area, staff, posting, from, until, unreviewed: request.unreviewed };
        let mut rows = store::list(pool, district, &filter, page.after, page.limit()).await?;
        let next_page_token = page.cut(&mut rows, |record| (record.day, record.id));
        let work_records = rows.iter().map(wire::write).collect();
        Ok(pb::ListWorkRecordsResponse { work_records, next_page_token })
    }

    async fn create(
        &self,
        caller: &Caller,
        request: &pb::CreateWorkRecordRequest,
    ) -> Result<pb::WorkRecord, Error> {
        let district = name::read_district(&request.parent)?;
        let given = request.work_record.clone().unwrap_or_default();
        let mut violations = Violations::new();
        let posting = name::read_in("work_record.posting", &given.posting, district, &mut violations);
        mask::ALL.require("work_record", "posting", !given.posting.is_empty(), &mut violations);
        let (day, category) = read(&mask::ALL, &given, district, &mut violations);
        let evidence = event::read_evidence(&given.evidence, &mut violations);
        violations.finish()?;
        let id = match request.work_record_id.as_str() {
            "" => self.0.clock.id(),
            text => name::read_uuid("work_record_id", text)?,
        };
        let posting = name::read_uuid("work_record.posting", &posting)?;
        let resource = name::of(district, "workRecords", id);
        link(&self.0.pool, (district, &resource), &caller.subject, &evidence).await?;
        let now = self.0.clock.now();
        linked::check(&self.0.pool, &actors::of(caller, district), district, &given.links).await?;
        let asked =
            Asked { caller, district, method: "CreateWorkRecord", request, request_id: &request.request_id };
        let create = async |conn: &mut PgConnection| {
            let posting = self.own_posting(conn, caller, district, posting).await?;
            let record = WorkRecord {
                district,
                id,
                posting: posting.id,
                staff: posting.staff_id,
                subject: Some(caller.subject.clone()),
                area: posting.area,
                day: day.unwrap_or(Date::MIN),
                category: category.unwrap_or(Category::Other),
                text: given.text.clone(),
                links: given.links.clone(),
                evidence,
                review: None,
                created: now,
                version: 1,
            };
            if !in_term(&posting, record.day, now) {
                return Err(Error::WorkRecord(Refusal::OutsideTerm));
            }
            match store::insert(conn, &record).await {
                Err(e) if violates(&e, "work_record_pkey") => {
                    Err(Error::AlreadyExists { name: wire::write(&record).name })
                }
                done => Ok(done.map(|()| told(&record))?),
            }
        };
        self.0.change_telling(asked, create).await
    }

    /// The posting, which must be the caller's.
    async fn own_posting(
        &self,
        conn: &mut PgConnection,
        caller: &Caller,
        district: i32,
        id: Uuid,
    ) -> Result<Posting, Error> {
        let missing = || Error::ReferenceMissing { field: "work_record.posting" };
        let posting = staff::get_posting(&mut *conn, district, id).await?.ok_or_else(missing)?;
        let member = staff::get(conn, district, posting.staff_id).await?;
        if member.is_none_or(|member| member.subject.as_ref() != Some(&caller.subject)) {
            return Err(reach::denied());
        }
        Ok(posting)
    }

    async fn update(
        &self,
        caller: &Caller,
        request: &pb::UpdateWorkRecordRequest,
    ) -> Result<pb::WorkRecord, Error> {
        let given = request.work_record.clone().unwrap_or_default();
        let (district, _) = read_name(&given.name, "workRecords")?;
        let mut violations = Violations::new();
        let mask = mask::read(request.update_mask.as_ref(), &CHANGEABLE, &mut violations);
        let (day, category) = read(&mask, &given, district, &mut violations);
        let evidence = event::read_evidence(&given.evidence, &mut violations);
        violations.finish()?;
        link(&self.0.pool, (district, &given.name), &caller.subject, &evidence).await?;
        if mask.names("links") {
            linked::check(&self.0.pool, &actors::of(caller, district), district, &given.links).await?;
        }
        let asked =
            Asked { caller, district, method: "UpdateWorkRecord", request, request_id: &request.request_id };
        let update = async |conn: &mut PgConnection| {
            let mut record = self.readable(conn, caller, &given.name).await?;
            etag::check(&given.etag, record.version)?;
            let posting = self.own_posting(conn, caller, district, record.posting).await?;
            let (old_day, old_category) = (record.day, record.category);
            mask.set("date", &mut record.day, day.unwrap_or(old_day));
            mask.set("category", &mut record.category, category.unwrap_or(old_category));
            mask.set("text", &mut record.text, given.text.clone());
            mask.set("links", &mut record.links, given.links.clone());
            mask.set("evidence", &mut record.evidence, evidence);
            if !in_term(&posting, record.day, self.0.clock.now()) {
                return Err(Error::WorkRecord(Refusal::OutsideTerm));
            }
            write(conn, record).await
        };
        self.0.change_telling(asked, update).await
    }

    async fn review(
        &self,
        caller: &Caller,
        request: &pb::ReviewWorkRecordRequest,
    ) -> Result<pb::WorkRecord, Error> {
        let (district, _) = read_name(&request.name, "workRecords")?;
        let grade = wire::read_grade(request.grade()).expect("the proto's rules leave no other");
        let review = Review {
            grade,
            comment: request.comment.clone(),
            reviewer: caller.subject.clone(),
            at: self.0.clock.now(),
        };
        let grants = actors::of(caller, district);
        let asked =
            Asked { caller, district, method: "ReviewWorkRecord", request, request_id: &request.request_id };
        let judge = async |conn: &mut PgConnection| {
            let record = self.readable(conn, caller, &request.name).await?;
            etag::check(&request.etag, record.version)?;
            if record.is_of(&caller.subject) || !covers(&grants, REVIEWERS, record.area) {
                return Err(reach::denied());
            }
            if record.review.is_some() {
                return Err(Error::WorkRecord(Refusal::Reviewed));
            }
            write(conn, WorkRecord { review: Some(review), ..record }).await
        };
        self.0.change_telling(asked, judge).await
    }

    async fn summary(
        &self,
        caller: &Caller,
        request: &pb::GetWorkSummaryRequest,
    ) -> Result<pb::WorkSummary, Error> {
        let (district, id) = read_name(&request.name, "postings")?;
        let missing = || Error::NotFound { name: request.name.clone() };
        let mut conn = self.0.pool.acquire().await?;
        let posting = staff::get_posting(&mut *conn, district, id).await?.ok_or_else(missing)?;
        let own = reach::own(&self.0.pool, caller, district).await? == Some(posting.staff_id);
        if !own && !covers(&actors::of(caller, district), OVERSEERS, posting.area) {
            return Err(missing());
        }
        Ok(wire::write_summary(&request.name, &store::summarize(&mut conn, district, id).await?))
    }
}

/// Writes the next version of a record that was not reviewed.
async fn write(
    conn: &mut PgConnection,
    mut record: WorkRecord,
) -> Result<(String, Vec<u8>, pb::WorkRecord), Error> {
    record.version += 1;
    if store::update(conn, &record).await? {
        return Ok(told(&record));
    }
    // Another call was faster: with a review, or with another change.
    let found = store::get(conn, record.district, record.id).await?;
    match found.is_some_and(|found| found.review.is_some()) {
        true => Err(Error::WorkRecord(Refusal::Reviewed)),
        false => Err(etag::mismatch(record.version).into()),
    }
}

/// Name, what readers of the feed get, and the answer. The feed tells that there is a record, not what it says of people.
fn told(record: &WorkRecord) -> (String, Vec<u8>, pb::WorkRecord) {
    let answer = wire::write(record);
    let (text, evidence, review) = (String::new(), Vec::new(), None);
    let told = pb::WorkRecord { text, evidence, review, ..answer.clone() };
    (answer.name.clone(), told.encode_to_vec(), answer)
}

/// Day and category as given; violations for what is required and missing.
fn read(
    mask: &mask::Mask<'_>,
    given: &pb::WorkRecord,
    district: i32,
    violations: &mut Violations,
) -> (Option<Date>, Option<Category>) {
    mask.require("work_record", "date", !given.date.is_empty(), violations);
    mask.require("work_record", "text", !given.text.trim().is_empty(), violations);
    let category = wire::read_category(given.category());
    mask.require("work_record", "category", category.is_some(), violations);
    for (i, link) in given.links.iter().enumerate() {
        name::read_in(&format!("work_record.links[{i}]"), link, district, violations);
    }
    let day = Some(&given.date).filter(|date| !date.is_empty());
    (day.and_then(|date| read_date("work_record.date", date, violations)), category)
}

#[tonic::async_trait]
impl WorkRecordService for WorkRecords {
    async fn get_work_record(
        &self,
        request: Request<pb::GetWorkRecordRequest>,
    ) -> Result<Response<pb::WorkRecord>, Status> {
        let mut conn = self.0.pool.acquire().await.map_err(Error::from)?;
        let found = self.readable(&mut conn, &caller::of(&request), &request.get_ref().name).await?;
        Ok(Response::new(wire::write(&found)))
    }

    async fn list_work_records(
        &self,
        request: Request<pb::ListWorkRecordsRequest>,
    ) -> Result<Response<pb::ListWorkRecordsResponse>, Status> {
        Ok(Response::new(self.list(&caller::of(&request), request.get_ref()).await?))
    }

    async fn create_work_record(
        &self,
        request: Request<pb::CreateWorkRecordRequest>,
    ) -> Result<Response<pb::WorkRecord>, Status> {
        Ok(Response::new(self.create(&caller::of(&request), request.get_ref()).await?))
    }

    async fn update_work_record(
        &self,
        request: Request<pb::UpdateWorkRecordRequest>,
    ) -> Result<Response<pb::WorkRecord>, Status> {
        Ok(Response::new(self.update(&caller::of(&request), request.get_ref()).await?))
    }

    async fn review_work_record(
        &self,
        request: Request<pb::ReviewWorkRecordRequest>,
    ) -> Result<Response<pb::WorkRecord>, Status> {
        Ok(Response::new(self.review(&caller::of(&request), request.get_ref()).await?))
    }

    async fn get_work_summary(
        &self,
        request: Request<pb::GetWorkSummaryRequest>,
    ) -> Result<Response<pb::WorkSummary>, Status> {
        Ok(Response::new(self.summary(&caller::of(&request), request.get_ref()).await?))
    }
}
