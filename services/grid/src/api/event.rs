//! The event service: report, read, and one script for all the actions.

use std::sync::Arc;

use jingwei_kit::caller::{self, Caller};
use jingwei_kit::clock::Clock;
use jingwei_kit::etag;
use jingwei_kit::idempotency::Key;
use jingwei_kit::outbox::Feed;
use jingwei_kit::page::Page;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::event_service_server::EventService;
use sqlx::PgPool;
use time::Duration;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::deadlines::{Deadlines, Reference};
use super::evidence::attachments;
use super::repeat::{first_answer, key, written};
use super::wire::action_request::ActionRequest;
use super::wire::{event as wire, name, transition as wire_transition};
use super::write::{self, Beside};
use super::{actors, event_list, watch};
use crate::error::Error;
use crate::model::action::{Action, Command};
use crate::model::actor::Actor;
use crate::model::apply::{Context, MergeRoot, apply};
use crate::model::event::Event;
use crate::model::refusal::Refusal;
use crate::model::relation::may_read;
use crate::model::transition::Transition;
use crate::seal::Keyring;
use crate::store;
use crate::store::change::{Change, New};
use crate::store::event::{Sought, Stored};
use crate::store::group::Group;

/// The event service.
#[derive(Clone)]
pub struct Events {
    /// The database.
    pub pool: PgPool,
    /// Readers of events for an action.
    pub sought: Group<Sought>,
    /// Writers of new events.
    pub news: Group<New>,
    /// Writers of changes of events.
    pub changes: Group<Change>,
    /// The time, and ids.
    pub clock: Clock,
    /// Where readers of changes are woken.
    pub feed: Feed,
    /// Calendars and limits.
    pub deadlines: Deadlines,
    /// What telephone numbers are sealed with.
    pub data_keys: Keyring,
    /// How long after its closing an event can be reopened.
    pub reopen_window: Duration,
    /// How long after its closing its reporter can answer.
    pub answer_window: Duration,
}

type Answer<T> = Result<Response<T>, Status>;

impl Events {
    async fn act<R: ActionRequest<Command>>(&self, request: Request<R>) -> Answer<pb::Event> {
        let caller = caller::of(&request);
        Ok(Response::new(self.perform(&caller, &request.into_inner()).await?))
    }

    /// Any action: read, decide, write; of two at the same moment one is written, the other ABORTED. What fails may be the
    /// repeat of a request that succeeded: then its first answer is given.
    pub(super) async fn perform<R: ActionRequest<Command>>(
        &self,
        caller: &Caller,
        request: &R,
    ) -> Result<pb::Event, Error> {
        let (district, _) = name::read_event(request.name())?;
        let grants = actors::of(caller, district);
        let key = key(&caller.subject, district, request.request_id(), R::METHOD, request)?;
        let event = match (self.try_act(caller, &grants, request, key.as_ref()).await, &key) {
            (Ok(event), _) => wire::write(&event, &grants),
            (Err(error), None) => return Err(error),
            (Err(error), Some(key)) => first_answer(&self.pool, key).await?.ok_or(error)?,
        };
        self.feed.wake(district);
        Ok(event)
    }

    async fn try_act<R: ActionRequest<Command>>(
        &self,
        caller: &Caller,
        grants: &[Actor],
        request: &R,
        key: Option<&Key>,
    ) -> Result<Event, Error> {
        let (district, id) = name::read_event(request.name())?;
        let command = request.command()?;
        let found = self.sought.run(Sought { district, id }).await?;
        let found = found.filter(|(stored, _)| may_read(&stored.event, grants));
        let (stored, basis) = found.ok_or_else(|| missing(district, id))?;
        etag::check(request.etag(), stored.event.version)?;
        let reference = self.deadlines.of_basis(basis, &stored.event.condition).await?;
        let mut context = self.context(&reference, &stored);
        context.merge_root = self.merge_root(grants, district, &command.action).await?;
        let (after, transition) = apply(&stored.event, &command, grants, &context)?;
        let with = (district, &[request.name()][..]);
        let attachments = attachments(&self.pool, with, &caller.subject, &command.evidence).await?;
        let beside = Beside { key, grants, attachments: &attachments };
        if self.write(&stored.event, &after, transition, &command, beside).await? {
            Ok(after)
        } else {
            Err(etag::mismatch(after.version).into())
        }
    }

    /// What an action on the event needs to know, but for merges.
    pub(super) fn context<'a>(&self, reference: &'a Reference, stored: &Stored) -> Context<'a> {
        Context {
            reopen_window: self.reopen_window,
            answer_window: self.answer_window,
            has_merged_events: stored.has_merged_events,
            ..reference.context(self.clock.now())
        }
    }

    async fn write(
        &self,
        before: &Event,
        after: &Event,
        transition: Transition,
        command: &Command,
        beside: Beside<'_>,
    ) -> Result<bool, Error> {
        let merge = match &command.action {
            Action::Merge { root } => Some((*root, 1)),
            Action::Unmerge => before.merged.as_ref().map(|m| (m.into, -1)),
            _ => None,
        };
        let change = write::change(Some(before), after, transition, beside);
        let Some((root, by)) = merge else { return written(self.changes.run(change).await) };
        let mut transaction = self.pool.begin().await?;
        let counted = store::event::count_merged(&mut transaction, after.district, root, by).await?;
        if !counted || !written(write::alone(&mut transaction, change).await.map_err(Arc::new))? {
            return Ok(false);
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// The event, where the owner of the grants may know of it.
    pub(super) async fn readable(&self, grants: &[Actor], district: i32, id: Uuid) -> Result<Stored, Error> {
        let stored = store::event::get(&self.pool, district, id).await?;
        stored.filter(|s| may_read(&s.event, grants)).ok_or_else(|| missing(district, id))
    }

    async fn merge_root(
        &self,
        grants: &[Actor],
        district: i32,
        action: &Action,
    ) -> Result<Option<MergeRoot>, Error> {
        let Action::Merge { root } = action else { return Ok(None) };
        Ok(Some(MergeRoot::of(&self.readable(grants, district, *root).await?.event)))
    }

    /// Tells the number of an event's reporter, once that is recorded.
    async fn reveal(
        &self,
        caller: &Caller,
        request: &pb::RevealReporterRequest,
    ) -> Result<pb::RevealReporterResponse, Error> {
        self.perform(caller, request).await?;
        let (district, id) = name::read_event(&request.name)?;
        let sealed = store::contact::sealed(&self.pool, district, id).await?.ok_or(Refusal::NoContact)?;
        let phone = self.data_keys.open(id, &sealed)?;
        Ok(pb::RevealReporterResponse { phone: phone.number().to_owned() })
    }

    async fn transitions(
        &self,
        caller: &Caller,
        request: &pb::ListEventTransitionsRequest,
    ) -> Result<pb::ListEventTransitionsResponse, Error> {
        let (district, id) = name::read_event(&request.parent)?;
        let page = Page::<i64>::of(request, 50, 200)?;
        self.readable(&actors::of(caller, district), district, id).await?;
        let after = page.after.unwrap_or(0);
        let mut rows = store::transition::list(&self.pool, district, id, after, page.limit()).await?;
        let next_page_token = page.cut(&mut rows, |t| t.version);
        let transitions = rows.iter().map(|t| wire_transition::write(district, t)).collect();
        Ok(pb::ListEventTransitionsResponse { transitions, next_page_token })
    }
}

/// NOT_FOUND, also for an event that the caller may not know of.
fn missing(district: i32, id: Uuid) -> Error {
    Error::NotFound { name: name::event(district, id) }
}

#[tonic::async_trait]
impl EventService for Events {
    type WatchEventsStream = watch::EventStream;

    async fn report_event(&self, request: Request<pb::ReportEventRequest>) -> Answer<pb::Event> {
        let caller = caller::of(&request);
        Ok(Response::new(self.report_for(&caller, request.get_ref()).await?))
    }

    async fn get_event(&self, request: Request<pb::GetEventRequest>) -> Answer<pb::Event> {
        let caller = caller::of(&request);
        let (district, id) = name::read_event(&request.get_ref().name).map_err(Error::from)?;
        let grants = actors::of(&caller, district);
        let stored = self.readable(&grants, district, id).await?;
        Ok(Response::new(wire::write(&stored.event, &grants)))
    }

    async fn list_events(&self, request: Request<pb::ListEventsRequest>) -> Answer<pb::ListEventsResponse> {
        let caller = caller::of(&request);
        Ok(Response::new(event_list::list(&self.pool, &caller, &request.into_inner()).await?))
    }

    async fn list_event_transitions(
        &self,
        request: Request<pb::ListEventTransitionsRequest>,
    ) -> Answer<pb::ListEventTransitionsResponse> {
        let caller = caller::of(&request);
        Ok(Response::new(self.transitions(&caller, &request.into_inner()).await?))
    }

    async fn watch_events(
        &self,
        request: Request<pb::WatchEventsRequest>,
    ) -> Answer<Self::WatchEventsStream> {
        let caller = caller::of(&request);
        Ok(Response::new(watch::watch(&self.feed, &caller, &request.into_inner()).await?))
    }

    async fn confirm_event(&self, request: Request<pb::ConfirmEventRequest>) -> Answer<pb::Event> {
        self.act(request).await
    }

    async fn accept_event(&self, request: Request<pb::AcceptEventRequest>) -> Answer<pb::Event> {
        self.act(request).await
    }

    async fn reject_event(&self, request: Request<pb::RejectEventRequest>) -> Answer<pb::Event> {
        self.act(request).await
    }

    async fn register_event(&self, request: Request<pb::RegisterEventRequest>) -> Answer<pb::Event> {
        self.act(request).await
    }

    async fn void_event(&self, request: Request<pb::VoidEventRequest>) -> Answer<pb::Event> {
        self.act(request).await
    }

    async fn dispatch_event(&self, request: Request<pb::DispatchEventRequest>) -> Answer<pb::Event> {
        self.act(request).await
    }

    async fn sign_for_event(&self, request: Request<pb::SignForEventRequest>) -> Answer<pb::Event> {
        self.act(request).await
    }

    async fn complete_co_handling(
        &self,
        request: Request<pb::CompleteCoHandlingRequest>,
    ) -> Answer<pb::Event> {
        self.act(request).await
    }

    async fn resolve_event(&self, request: Request<pb::ResolveEventRequest>) -> Answer<pb::Event> {
        self.act(request).await
    }

    async fn pass_event(&self, request: Request<pb::PassEventRequest>) -> Answer<pb::Event> {
        self.act(request).await
    }

    async fn fail_event(&self, request: Request<pb::FailEventRequest>) -> Answer<pb::Event> {
        self.act(request).await
    }

    async fn request_return(&self, request: Request<pb::RequestReturnRequest>) -> Answer<pb::Event> {
        self.act(request).await
    }

    async fn approve_return(&self, request: Request<pb::ApproveReturnRequest>) -> Answer<pb::Event> {
        self.act(request).await
    }

    async fn rule_on_return(&self, request: Request<pb::RuleOnReturnRequest>) -> Answer<pb::Event> {
        self.act(request).await
    }

    async fn request_extension(&self, request: Request<pb::RequestExtensionRequest>) -> Answer<pb::Event> {
        self.act(request).await
    }

    async fn approve_extension(&self, request: Request<pb::ApproveExtensionRequest>) -> Answer<pb::Event> {
        self.act(request).await
    }

    async fn request_suspension(&self, request: Request<pb::RequestSuspensionRequest>) -> Answer<pb::Event> {
        self.act(request).await
    }

    async fn approve_suspension(&self, request: Request<pb::ApproveSuspensionRequest>) -> Answer<pb::Event> {
        self.act(request).await
    }

    async fn deny_request(&self, request: Request<pb::DenyRequestRequest>) -> Answer<pb::Event> {
        self.act(request).await
    }

    async fn withdraw_request(&self, request: Request<pb::WithdrawRequestRequest>) -> Answer<pb::Event> {
        self.act(request).await
    }

    async fn resume_event(&self, request: Request<pb::ResumeEventRequest>) -> Answer<pb::Event> {
        self.act(request).await
    }

    async fn escalate_event(&self, request: Request<pb::EscalateEventRequest>) -> Answer<pb::Event> {
        self.act(request).await
    }

    async fn delegate_event(&self, request: Request<pb::DelegateEventRequest>) -> Answer<pb::Event> {
        self.act(request).await
    }

    async fn transfer_event(&self, request: Request<pb::TransferEventRequest>) -> Answer<pb::Event> {
        self.act(request).await
    }

    async fn settle_event(&self, request: Request<pb::SettleEventRequest>) -> Answer<pb::Event> {
        self.act(request).await
    }

    async fn reopen_event(&self, request: Request<pb::ReopenEventRequest>) -> Answer<pb::Event> {
        self.act(request).await
    }

    async fn merge_event(&self, request: Request<pb::MergeEventRequest>) -> Answer<pb::Event> {
        self.act(request).await
    }

    async fn unmerge_event(&self, request: Request<pb::UnmergeEventRequest>) -> Answer<pb::Event> {
        self.act(request).await
    }

    async fn urge_event(&self, request: Request<pb::UrgeEventRequest>) -> Answer<pb::Event> {
        self.act(request).await
    }

    async fn supervise_event(&self, request: Request<pb::SuperviseEventRequest>) -> Answer<pb::Event> {
        self.act(request).await
    }

    async fn uphold_event(&self, request: Request<pb::UpholdEventRequest>) -> Answer<pb::Event> {
        self.act(request).await
    }

    async fn reveal_reporter(
        &self,
        request: Request<pb::RevealReporterRequest>,
    ) -> Answer<pb::RevealReporterResponse> {
        let caller = caller::of(&request);
        Ok(Response::new(self.reveal(&caller, request.get_ref()).await?))
    }

    async fn comment_event(&self, request: Request<pb::CommentEventRequest>) -> Answer<pb::Event> {
        self.act(request).await
    }
}
