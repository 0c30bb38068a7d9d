//! The event service: report, read, and one script for all the actions.

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

use super::deadlines::Deadlines;
use super::repeat::{first_answer, key, written};
use super::wire::command::ActionRequest;
use super::wire::{event as wire, name, transition as wire_transition};
use super::{actors, event_list, watch, write};
use crate::error::Error;
use crate::model::action::{Action, Command};
use crate::model::apply::{MergeRoot, apply};
use crate::model::event::Event;
use crate::model::relation::may_read;
use crate::model::transition::Transition;
use crate::store;

/// The event service.
#[derive(Clone)]
pub struct Events {
    /// The database.
    pub pool: PgPool,
    /// The time, and ids.
    pub clock: Clock,
    /// Where readers of changes are woken.
    pub feed: Feed,
    /// Calendars and limits.
    pub deadlines: Deadlines,
    /// How long after its closing an event can be reopened.
    pub reopen_window: Duration,
}

type Answer<T> = Result<Response<T>, Status>;

impl Events {
    /// Any action: read, decide, write; of two at the same moment one is written, the other ABORTED. What fails may be the
    /// repeat of a request that succeeded: then its first answer is given.
    async fn act<R: ActionRequest>(&self, request: Request<R>) -> Answer<pb::Event> {
        let caller = caller::of(&request);
        let request = request.into_inner();
        let (district, id) = name::read_event(request.name()).map_err(Error::from)?;
        let key = key(&caller, district, request.request_id(), R::METHOD, &request).map_err(Error::from)?;
        let done = self.try_act(&caller, district, id, &request, key.as_ref()).await;
        let event = match (done, &key) {
            (Ok(event), _) => wire::write(&event),
            (Err(error), None) => return Err(error.into()),
            (Err(error), Some(key)) => first_answer(&self.pool, key).await?.ok_or(error)?,
        };
        self.feed.wake(district);
        Ok(Response::new(event))
    }

    async fn try_act<R: ActionRequest>(
        &self,
        caller: &Caller,
        district: i32,
        id: Uuid,
        request: &R,
        key: Option<&Key>,
    ) -> Result<Event, Error> {
        let command = request.command()?;
        let grants = actors::of(caller, district);
        let stored = self.readable(caller, district, id).await?;
        etag::check(request.etag(), stored.event.version)?;
        let reference = self.deadlines.of_event(&stored.event).await?;
        let mut context = reference.context(self.clock.now());
        context.reopen_window = self.reopen_window;
        context.has_merged_events = stored.has_merged_events;
        context.merge_root = self.merge_root(caller, district, &command.action).await?;
        let (after, transition) = apply(&stored.event, &command, &grants, &context)?;
        if self.write(&stored.event, &after, &transition, &command, key).await? {
            Ok(after)
        } else {
            Err(etag::mismatch(after.version).into())
        }
    }

    async fn write(
        &self,
        before: &Event,
        after: &Event,
        transition: &Transition,
        command: &Command,
        key: Option<&Key>,
    ) -> Result<bool, Error> {
        let merge = match &command.action {
            Action::Merge { root } => Some((*root, 1)),
            Action::Unmerge => before.merged.as_ref().map(|m| (m.into, -1)),
            _ => None,
        };
        let Some((root, by)) = merge else {
            let mut connection = self.pool.acquire().await?;
            return written(write::update(&mut connection, before, after, transition, key).await);
        };
        let mut transaction = self.pool.begin().await?;
        let counted = store::event::count_merged(&mut transaction, after.district, root, by).await?;
        let update = write::update(&mut transaction, before, after, transition, key);
        if !counted || !written(update.await)? {
            return Ok(false);
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// The event, where the caller may know of it.
    async fn readable(
        &self,
        caller: &Caller,
        district: i32,
        id: Uuid,
    ) -> Result<store::event::Stored, Error> {
        let stored = store::event::get(&self.pool, district, id).await?;
        let grants = actors::of(caller, district);
        let missing = || Error::NotFound { name: name::event(district, id) };
        stored.filter(|s| may_read(&s.event, &grants)).ok_or_else(missing)
    }

    async fn merge_root(
        &self,
        caller: &Caller,
        district: i32,
        action: &Action,
    ) -> Result<Option<MergeRoot>, Error> {
        let Action::Merge { root } = action else { return Ok(None) };
        let stored = self.readable(caller, district, *root).await?;
        Ok(Some(MergeRoot { id: *root, district, state: stored.event.state }))
    }

    async fn transitions(
        &self,
        caller: &Caller,
        request: &pb::ListEventTransitionsRequest,
    ) -> Result<pb::ListEventTransitionsResponse, Error> {
        let (district, id) = name::read_event(&request.parent)?;
        let page = Page::<i64>::of(request, 50, 200)?;
        self.readable(caller, district, id).await?;
        let after = page.after.unwrap_or(0);
        let mut rows = store::transition::list(&self.pool, district, id, after, page.limit()).await?;
        let next_page_token = page.cut(&mut rows, |t| t.version);
        let transitions = rows.iter().map(|t| wire_transition::write(district, t)).collect();
        Ok(pb::ListEventTransitionsResponse { transitions, next_page_token })
    }
}

#[tonic::async_trait]
impl EventService for Events {
    type WatchEventsStream = watch::EventStream;

    async fn report_event(&self, request: Request<pb::ReportEventRequest>) -> Answer<pb::Event> {
        let caller = caller::of(&request);
        Ok(Response::new(self.report(&caller, request.get_ref()).await?))
    }

    async fn get_event(&self, request: Request<pb::GetEventRequest>) -> Answer<pb::Event> {
        let caller = caller::of(&request);
        let (district, id) = name::read_event(&request.get_ref().name).map_err(Error::from)?;
        Ok(Response::new(wire::write(&self.readable(&caller, district, id).await?.event)))
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

    async fn comment_event(&self, request: Request<pb::CommentEventRequest>) -> Answer<pb::Event> {
        self.act(request).await
    }
}
