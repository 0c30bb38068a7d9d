//! The issue service: submit, read, and one script for all the actions.

use jingwei_kit::caller::{self, Caller};
use jingwei_kit::etag;
use jingwei_kit::idempotency::{self, Key};
use jingwei_kit::page::Page;
use jingwei_proto::business_environment_monitor::v1 as pb;
use jingwei_proto::business_environment_monitor::v1::issue_service_server::IssueService;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::core::Core;
use super::repeat::{key, violates, written};
use super::wire::command::ActionRequest;
use super::wire::{issue as wire, name, transition as wire_transition};
use super::{actors, issue_list, watch, write};
use crate::error::Error;
use crate::model::actor::Actor;
use crate::model::issue::apply::{Context, apply, submit};
use crate::model::issue::arcs::ActionKind;
use crate::model::issue::command::{Command, Refusal};
use crate::model::issue::rules::Rules;
use crate::model::issue::transition::Transition;
use crate::model::issue::{Issue, Submission};
use crate::store;
use crate::store::issue::{Found, Stored};

/// The issue service.
#[derive(Clone)]
pub struct Issues(pub Core);

type Answer<T> = Result<Response<T>, Status>;

impl Issues {
    async fn act<R: ActionRequest>(&self, request: Request<R>) -> Answer<pb::Issue> {
        let caller = caller::of(&request);
        Ok(Response::new(self.perform(&caller, request.get_ref()).await?))
    }

    /// Any action: read, decide, write; of two at the same moment one is written, the other ABORTED.
    async fn perform<R: ActionRequest>(&self, caller: &Caller, request: &R) -> Result<pb::Issue, Error> {
        let (district, _) = name::read_issue(request.name())?;
        let grants = actors::of(caller, district);
        let key = key(&caller.subject, district, request.request_id(), R::METHOD, request)?;
        let done = self.try_act(&grants, request, key.as_ref()).await;
        self.answer(district, &grants, key.as_ref(), done).await
    }

    /// What fails may be the repeat of a request that succeeded: then its first answer is given.
    async fn answer(
        &self,
        district: i32,
        grants: &[Actor],
        key: Option<&Key>,
        done: Result<Stored, Error>,
    ) -> Result<pb::Issue, Error> {
        let issue = match (done, key) {
            (Ok(stored), _) => wire::write(&stored, grants),
            (Err(error), None) => return Err(error),
            (Err(error), Some(key)) => idempotency::answered(&self.0.pool, key).await?.ok_or(error)?,
        };
        self.0.feed.wake(district);
        Ok(issue)
    }

    async fn try_act<R: ActionRequest>(
        &self,
        grants: &[Actor],
        request: &R,
        key: Option<&Key>,
    ) -> Result<Stored, Error> {
        let (district, id) = name::read_issue(request.name())?;
        let command = request.command()?;
        let Found { stored, calendar_version, raisers } = self.readable(grants, district, id).await?;
        etag::check(request.etag(), stored.issue.version)?;
        let calendar = self.0.calendars.of(district, calendar_version).await?;
        let (now, rules) = (self.0.clock.now(), Rules::default());
        let context = Context { now, calendar: &calendar, rules: &rules, raisers: &raisers };
        let (issue, transition) = first_allowed(&stored.issue, &command, grants, &context)?;
        let after = Stored { issue, case_number: stored.case_number };
        let asked = key.map(|key| (key, grants));
        if written(write::update(&self.0.pool, &stored.issue, &after, &transition, asked).await)? {
            Ok(after)
        } else {
            Err(etag::mismatch(after.issue.version).into())
        }
    }

    async fn submit(&self, caller: &Caller, request: &pb::SubmitIssueRequest) -> Result<pb::Issue, Error> {
        let district = name::read_district("parent", &request.parent)?;
        let grants = actors::of(caller, district);
        let key = key(&caller.subject, district, &request.request_id, "SubmitIssue", request)?;
        let submission = wire::read_submission(request, district, || self.0.clock.id())?;
        let done = self.try_submit(&grants, submission, key.as_ref()).await;
        self.answer(district, &grants, key.as_ref(), done).await
    }

    async fn try_submit(
        &self,
        grants: &[Actor],
        submission: Submission,
        key: Option<&Key>,
    ) -> Result<Stored, Error> {
        let (district, id) = (submission.district, submission.id);
        let calendar = self.0.calendars.latest(district).await?;
        let (now, rules) = (self.0.clock.now(), Rules::default());
        let context = Context { now, calendar: &calendar, rules: &rules, raisers: &[] };
        let actor = grants.first().ok_or(Refusal::NotAllowed { action: ActionKind::Submit })?;
        let (issue, transition) = submit(&submission, actor, &context)?;
        let asked = key.map(|key| (key, grants));
        write::insert(&self.0.pool, issue, &transition, asked).await.map_err(|error| {
            let taken = violates(&error, "issue_pkey") || violates(&error, "idempotency_pkey");
            if taken { Error::AlreadyExists { name: name::issue(district, id) } } else { error.into() }
        })
    }

    /// The issue with all that decides an action on it, where the owner of the grants may know of it.
    async fn readable(&self, grants: &[Actor], district: i32, id: Uuid) -> Result<Found, Error> {
        let found = store::issue::get(&self.0.pool, district, id).await?;
        let may_read = |Found { stored: Stored { issue, .. }, raisers, .. }: &Found| {
            grants
                .iter()
                .any(|actor| issue.is_readable_by(actor) || issue.is_readable_by_raiser(actor, raisers))
        };
        found.filter(may_read).ok_or_else(|| Error::NotFound { name: name::issue(district, id) })
    }

    async fn get(&self, caller: &Caller, request: &pb::GetIssueRequest) -> Result<pb::Issue, Error> {
        let (district, id) = name::read_issue(&request.name)?;
        let grants = actors::of(caller, district);
        Ok(wire::write(&self.readable(&grants, district, id).await?.stored, &grants))
    }

    async fn transitions(
        &self,
        caller: &Caller,
        request: &pb::ListIssueTransitionsRequest,
    ) -> Result<pb::ListIssueTransitionsResponse, Error> {
        let (district, id) = name::read_issue(&request.parent)?;
        let page = Page::<i64>::of(request, 50, 200)?;
        let grants = actors::of(caller, district);
        let stored = self.readable(&grants, district, id).await?.stored;
        let after = page.after.unwrap_or(0);
        let mut rows = store::transition::list(&self.0.pool, district, id, after, page.limit()).await?;
        let next_page_token = page.cut(&mut rows, |transition| transition.version);
        let transitions = rows.iter().map(|t| wire_transition::write(&stored.issue, t, &grants)).collect();
        Ok(pb::ListIssueTransitionsResponse { transitions, next_page_token })
    }
}

/// Applies a command by the first grant that may do it; where none may, the first says why.
fn first_allowed(
    issue: &Issue,
    command: &Command,
    grants: &[Actor],
    context: &Context<'_>,
) -> Result<(Issue, Transition), Refusal> {
    let arc = command.kind().arc();
    let actor = grants.iter().find(|actor| arc.allows(issue, actor)).or(grants.first());
    let actor = actor.ok_or(Refusal::NotAllowed { action: command.kind() })?;
    apply(issue, command, actor, context)
}

#[tonic::async_trait]
impl IssueService for Issues {
    type WatchIssuesStream = watch::IssueStream;

    async fn watch_issues(
        &self,
        request: Request<pb::WatchIssuesRequest>,
    ) -> Answer<Self::WatchIssuesStream> {
        let caller = caller::of(&request);
        Ok(Response::new(watch::watch(&self.0.feed, &caller, request.get_ref()).await?))
    }

    async fn submit_issue(&self, request: Request<pb::SubmitIssueRequest>) -> Answer<pb::Issue> {
        let caller = caller::of(&request);
        Ok(Response::new(self.submit(&caller, request.get_ref()).await?))
    }

    async fn get_issue(&self, request: Request<pb::GetIssueRequest>) -> Answer<pb::Issue> {
        let caller = caller::of(&request);
        Ok(Response::new(self.get(&caller, request.get_ref()).await?))
    }

    async fn list_issues(&self, request: Request<pb::ListIssuesRequest>) -> Answer<pb::ListIssuesResponse> {
        let caller = caller::of(&request);
        Ok(Response::new(issue_list::list(&self.0.pool, &caller, request.get_ref()).await?))
    }

    async fn list_issue_transitions(
        &self,
        request: Request<pb::ListIssueTransitionsRequest>,
    ) -> Answer<pb::ListIssueTransitionsResponse> {
        let caller = caller::of(&request);
        Ok(Response::new(self.transitions(&caller, request.get_ref()).await?))
    }

    async fn register_issue(&self, request: Request<pb::RegisterIssueRequest>) -> Answer<pb::Issue> {
        self.act(request).await
    }

    async fn accept_issue(&self, request: Request<pb::AcceptIssueRequest>) -> Answer<pb::Issue> {
        self.act(request).await
    }

    async fn propose_refusal(&self, request: Request<pb::ProposeRefusalRequest>) -> Answer<pb::Issue> {
        self.act(request).await
    }

    async fn refuse_issue(&self, request: Request<pb::RefuseIssueRequest>) -> Answer<pb::Issue> {
        self.act(request).await
    }

    async fn classify_issue(&self, request: Request<pb::ClassifyIssueRequest>) -> Answer<pb::Issue> {
        self.act(request).await
    }

    async fn assign_issue(&self, request: Request<pb::AssignIssueRequest>) -> Answer<pb::Issue> {
        self.act(request).await
    }

    async fn start_issue(&self, request: Request<pb::StartIssueRequest>) -> Answer<pb::Issue> {
        self.act(request).await
    }

    async fn request_extension(&self, request: Request<pb::RequestExtensionRequest>) -> Answer<pb::Issue> {
        self.act(request).await
    }

    async fn request_pause(&self, request: Request<pb::RequestPauseRequest>) -> Answer<pb::Issue> {
        self.act(request).await
    }

    async fn grant_request(&self, request: Request<pb::GrantRequestRequest>) -> Answer<pb::Issue> {
        self.act(request).await
    }

    async fn deny_request(&self, request: Request<pb::DenyRequestRequest>) -> Answer<pb::Issue> {
        self.act(request).await
    }

    async fn resume_issue(&self, request: Request<pb::ResumeIssueRequest>) -> Answer<pb::Issue> {
        self.act(request).await
    }

    async fn reply_to_issue(&self, request: Request<pb::ReplyToIssueRequest>) -> Answer<pb::Issue> {
        self.act(request).await
    }

    async fn verify_issue(&self, request: Request<pb::VerifyIssueRequest>) -> Answer<pb::Issue> {
        self.act(request).await
    }

    async fn close_issue(&self, request: Request<pb::CloseIssueRequest>) -> Answer<pb::Issue> {
        self.act(request).await
    }

    async fn return_issue(&self, request: Request<pb::ReturnIssueRequest>) -> Answer<pb::Issue> {
        self.act(request).await
    }

    async fn reopen_issue(&self, request: Request<pb::ReopenIssueRequest>) -> Answer<pb::Issue> {
        self.act(request).await
    }

    async fn terminate_issue(&self, request: Request<pb::TerminateIssueRequest>) -> Answer<pb::Issue> {
        self.act(request).await
    }

    async fn rate_issue(&self, request: Request<pb::RateIssueRequest>) -> Answer<pb::Issue> {
        self.act(request).await
    }

    async fn call_back_issue(&self, request: Request<pb::CallBackIssueRequest>) -> Answer<pb::Issue> {
        self.act(request).await
    }
}
