//! The information service: visits, experiences, items of market information and what they count.

use jingwei_kit::caller::{self, Caller};
use jingwei_kit::page::Page;
use jingwei_proto::business_environment_monitor::v1 as pb;
use jingwei_proto::business_environment_monitor::v1::information_service_server::InformationService;
use jingwei_proto::business_environment_monitor::v1::promote_info_item_request::Becomes;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::act::act;
use super::actors;
use super::core::{Asked, Core};
use super::info_item::{Wish, create, decide, readable};
use super::observation::{self, Wanted, whose};
use super::wire::{info_item as wire, name, observation as wire_observation};
use crate::error::Error;
use crate::model::actor::Role;
use crate::model::info_item::apply::Command;
use crate::store::info_item::{self as store, Cursor, Filter, Stored};
use crate::store::info_item_link as link;

/// The information service.
#[derive(Clone)]
pub struct Information(pub Core);

type Answer<T> = Result<Response<T>, Status>;

/// What a list of visits or experiences asks for.
macro_rules! wanted {
    ($request:expr, $experience:literal) => {
        Wanted {
            experience: $experience,
            parent: &$request.parent,
            person: &$request.person,
            enterprise: &$request.enterprise,
            from: &$request.from_date,
            to: &$request.to_date,
        }
    };
}

impl Information {
    async fn visit(&self, caller: &Caller, request: &pb::CreateVisitRequest) -> Result<pb::Visit, Error> {
        let district = name::read_district("parent", &request.parent)?;
        let (method, request_id) = ("CreateVisit", request.request_id.as_str());
        let asked = Asked { caller, district, method, request, request_id };
        let read = |frame: &wire_observation::Frame<'_>| wire_observation::read_visit(request, frame);
        let write = |one: &_| wire_observation::write_visit(one).map(|visit| (visit.name.clone(), visit));
        observation::create(&self.0, asked, &request.enterprise, read, write).await
    }

    async fn experience(
        &self,
        caller: &Caller,
        request: &pb::CreateExperienceRequest,
    ) -> Result<pb::Experience, Error> {
        let district = name::read_district("parent", &request.parent)?;
        let (method, request_id) = ("CreateExperience", request.request_id.as_str());
        let asked = Asked { caller, district, method, request, request_id };
        let read = |frame: &wire_observation::Frame<'_>| wire_observation::read_experience(request, frame);
        let write = |one: &_| wire_observation::write_experience(one).map(|made| (made.name.clone(), made));
        observation::create(&self.0, asked, &request.enterprise, read, write).await
    }

    async fn get_visit(&self, caller: &Caller, request: &pb::GetVisitRequest) -> Result<pb::Visit, Error> {
        let found = observation::get(&self.0, caller, &request.name, false).await?;
        wire_observation::write_visit(&found).ok_or_else(|| Error::NotFound { name: request.name.clone() })
    }

    async fn get_experience(
        &self,
        caller: &Caller,
        request: &pb::GetExperienceRequest,
    ) -> Result<pb::Experience, Error> {
        let found = observation::get(&self.0, caller, &request.name, true).await?;
        wire_observation::write_experience(&found)
            .ok_or_else(|| Error::NotFound { name: request.name.clone() })
    }

    async fn visits(
        &self,
        caller: &Caller,
        request: &pb::ListVisitsRequest,
    ) -> Result<pb::ListVisitsResponse, Error> {
        let listed = observation::list(&self.0, caller, request, wanted!(request, false)).await?;
        let visits = listed.0.iter().filter_map(wire_observation::write_visit).collect();
        Ok(pb::ListVisitsResponse { visits, next_page_token: listed.1 })
    }

    async fn experiences(
        &self,
        caller: &Caller,
        request: &pb::ListExperiencesRequest,
    ) -> Result<pb::ListExperiencesResponse, Error> {
        let listed = observation::list(&self.0, caller, request, wanted!(request, true)).await?;
        let experiences = listed.0.iter().filter_map(wire_observation::write_experience).collect();
        Ok(pb::ListExperiencesResponse { experiences, next_page_token: listed.1 })
    }

    /// The item of that name, where the caller may know of it.
    async fn item(&self, caller: &Caller, field: &str, asked: &str) -> Result<Stored, Error> {
        let (district, id) = name::read_info_item(field, asked)?;
        let found = store::get(&self.0.pool, district, id).await?;
        readable(found, &actors::of(caller, district), asked)
    }

    async fn get(&self, caller: &Caller, request: &pb::GetInfoItemRequest) -> Result<pb::InfoItem, Error> {
        let stored = self.item(caller, "name", &request.name).await?;
        Ok(wire::write(&stored, &actors::of(caller, stored.item.district)))
    }

    async fn list(
        &self,
        caller: &Caller,
        request: &pb::ListInfoItemsRequest,
    ) -> Result<pb::ListInfoItemsResponse, Error> {
        let district = name::read_district("parent", &request.parent)?;
        let page = Page::<Cursor>::of(request, 50, 200)?;
        let enterprise = name::read_enterprise_of("enterprise", &request.enterprise, district)?;
        let grants = actors::of(caller, district);
        let filter = Filter {
            district,
            state: wire::read_state(request.state()),
            collector: whose(&grants, &request.collector)?,
            enterprise: enterprise.map(|code| code.to_string()),
        };
        let mut rows = store::list(&self.0.pool, &filter, page.after, page.limit()).await?;
        let next_page_token = page.cut(&mut rows, |stored| (stored.item.collected, stored.item.id));
        let info_items = rows.iter().map(|stored| wire::write(stored, &grants)).collect();
        Ok(pb::ListInfoItemsResponse { info_items, next_page_token })
    }

    async fn records(
        &self,
        caller: &Caller,
        request: &pb::ListInfoItemRecordsRequest,
    ) -> Result<pb::ListInfoItemRecordsResponse, Error> {
        let page = Page::<i64>::of(request, 50, 200)?;
        let item = self.item(caller, "parent", &request.parent).await?.item;
        let (district, id, after) = (item.district, item.id, page.after.unwrap_or(0));
        let mut rows = store::records(&self.0.pool, district, id, after, page.limit()).await?;
        let next_page_token = page.cut(&mut rows, |record| record.version);
        let records = rows.iter().map(|record| wire::write_record(&item, record)).collect();
        Ok(pb::ListInfoItemRecordsResponse { records, next_page_token })
    }

    async fn promote(
        &self,
        caller: &Caller,
        request: &pb::PromoteInfoItemRequest,
    ) -> Result<pb::InfoItem, Error> {
        let (district, _) = name::read_info_item("name", &request.name)?;
        let wish = match &request.becomes {
            Some(Becomes::NewIssue(new)) => Wish::NewIssue(new),
            Some(Becomes::Issue(issue)) => {
                let issue = name::read_issue_of("issue", issue, district)?;
                Wish::Plain(Command::Promote { issue })
            }
            None => return Err(name::wrong("becomes", "issue").into()),
        };
        decide(&self.0, caller, act!("PromoteInfoItem", request), wish).await
    }

    async fn merge(
        &self,
        caller: &Caller,
        request: &pb::MergeInfoItemRequest,
    ) -> Result<pb::InfoItem, Error> {
        let (district, _) = name::read_info_item("name", &request.name)?;
        let (of, into) = name::read_info_item("into", &request.into)?;
        if of != district {
            return Err(name::elsewhere("into", district).into());
        }
        decide(&self.0, caller, act!("MergeInfoItem", request), Wish::MergeInto(into)).await
    }

    async fn link(&self, caller: &Caller, request: &pb::LinkInfoItemRequest) -> Result<pb::InfoItem, Error> {
        let (district, _) = name::read_info_item("name", &request.name)?;
        let issue = name::read_issue_of("issue", &request.issue, district)?;
        decide(&self.0, caller, act!("LinkInfoItem", request), Wish::Plain(Command::Link { issue })).await
    }

    async fn unlink(
        &self,
        caller: &Caller,
        request: &pb::UnlinkInfoItemRequest,
    ) -> Result<pb::InfoItem, Error> {
        let (district, _) = name::read_info_item("name", &request.name)?;
        let issue = name::read_issue_of("issue", &request.issue, district)?;
        let command = Command::Unlink { issue, reason: request.reason.clone() };
        decide(&self.0, caller, act!("UnlinkInfoItem", request), Wish::Plain(command)).await
    }

    async fn issues(
        &self,
        caller: &Caller,
        request: &pb::ListInfoItemIssuesRequest,
    ) -> Result<pb::ListInfoItemIssuesResponse, Error> {
        let page = Page::<i64>::of(request, 50, 200)?;
        let stored = self.item(caller, "parent", &request.parent).await?;
        let (district, after) = (stored.item.district, page.after.unwrap_or(0));
        let mut rows = link::issues(&self.0.pool, district, stored.root, after, page.limit()).await?;
        let next_page_token = page.cut(&mut rows, |linked| linked.version);
        let issues = rows.iter().map(|linked| wire::write_link(district, linked)).collect();
        Ok(pb::ListInfoItemIssuesResponse { issues, next_page_token })
    }

    async fn behind(
        &self,
        caller: &Caller,
        request: &pb::ListIssueInfoItemsRequest,
    ) -> Result<pb::ListIssueInfoItemsResponse, Error> {
        let (district, issue) = name::read_issue(&request.parent)?;
        let page = Page::<Uuid>::of(request, 50, 200)?;
        let grants = actors::of(caller, district);
        let office = grants.iter().any(|actor| actor.role == Role::Office);
        let missing = || Error::NotFound { name: request.parent.clone() };
        if !office {
            return Err(missing());
        }
        let after = page.after.unwrap_or(Uuid::nil());
        let mut rows = store::behind(&self.0.pool, district, issue, after, page.limit()).await?;
        if rows.is_empty() && page.after.is_none() {
            crate::store::issue::get(&self.0.pool, district, issue).await?.ok_or_else(missing)?;
        }
        let next_page_token = page.cut(&mut rows, |stored| stored.item.id);
        let info_items = rows.iter().map(|stored| wire::write(stored, &grants)).collect();
        Ok(pb::ListIssueInfoItemsResponse { info_items, next_page_token })
    }

    async fn counts(&self, request: &pb::GetInfoItemCountsRequest) -> Result<pb::InfoItemCounts, Error> {
        let district = name::read_district("parent", &request.parent)?;
        let (from, to) = wire::read_months(request)?;
        Ok(wire::write_counts(&link::counts(&self.0.pool, district, from, to).await?))
    }
}

/// `rpc(Request) -> Response = |handlers, caller, request| answer;` for each RPC.
macro_rules! rpcs {
    ($($rpc:ident($request:ident) -> $response:ident = |$s:ident, $c:ident, $r:ident| $answer:expr;)*) => {
        #[tonic::async_trait]
        impl InformationService for Information {
            $(async fn $rpc(&self, request: Request<pb::$request>) -> Answer<pb::$response> {
                let ($s, $c, $r) = (self, &*caller::of(&request), request.get_ref());
                let _ = $c;
                Ok(Response::new($answer.await?))
            })*
        }
    };
}

rpcs! {
    create_visit(CreateVisitRequest) -> Visit = |s, c, r| s.visit(c, r);
    get_visit(GetVisitRequest) -> Visit = |s, c, r| s.get_visit(c, r);
    list_visits(ListVisitsRequest) -> ListVisitsResponse = |s, c, r| s.visits(c, r);
    create_experience(CreateExperienceRequest) -> Experience = |s, c, r| s.experience(c, r);
    get_experience(GetExperienceRequest) -> Experience = |s, c, r| s.get_experience(c, r);
    list_experiences(ListExperiencesRequest) -> ListExperiencesResponse = |s, c, r| s.experiences(c, r);
    create_info_item(CreateInfoItemRequest) -> InfoItem = |s, c, r| create(&s.0, c, r);
    get_info_item(GetInfoItemRequest) -> InfoItem = |s, c, r| s.get(c, r);
    list_info_items(ListInfoItemsRequest) -> ListInfoItemsResponse = |s, c, r| s.list(c, r);
    list_info_item_records(ListInfoItemRecordsRequest) -> ListInfoItemRecordsResponse = |s, c, r| s.records(c, r);
    triage_info_item(TriageInfoItemRequest) -> InfoItem = |s, c, r|
        decide(&s.0, c, act!("TriageInfoItem", r), Wish::Plain(Command::Triage { text: r.text.clone() }));
    note_info_item(NoteInfoItemRequest) -> InfoItem = |s, c, r|
        decide(&s.0, c, act!("NoteInfoItem", r), Wish::Plain(Command::Note { text: r.text.clone() }));
    reject_info_item(RejectInfoItemRequest) -> InfoItem = |s, c, r|
        decide(&s.0, c, act!("RejectInfoItem", r), Wish::Plain(Command::Reject { reason: r.reason.clone() }));
    merge_info_item(MergeInfoItemRequest) -> InfoItem = |s, c, r| s.merge(c, r);
    unmerge_info_item(UnmergeInfoItemRequest) -> InfoItem = |s, c, r|
        decide(&s.0, c, act!("UnmergeInfoItem", r), Wish::Plain(Command::Unmerge { reason: r.reason.clone() }));
    promote_info_item(PromoteInfoItemRequest) -> InfoItem = |s, c, r| s.promote(c, r);
    link_info_item(LinkInfoItemRequest) -> InfoItem = |s, c, r| s.link(c, r);
    unlink_info_item(UnlinkInfoItemRequest) -> InfoItem = |s, c, r| s.unlink(c, r);
    list_info_item_issues(ListInfoItemIssuesRequest) -> ListInfoItemIssuesResponse = |s, c, r| s.issues(c, r);
    list_issue_info_items(ListIssueInfoItemsRequest) -> ListIssueInfoItemsResponse = |s, c, r| s.behind(c, r);
    get_info_item_counts(GetInfoItemCountsRequest) -> InfoItemCounts = |s, _c, r| s.counts(r);
}
