//! The sync service: a batch of what was done offline, item by item; nothing is done twice and nothing spoils the others.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jingwei_kit::caller::{self, Caller};
use jingwei_kit::idempotency::{self, Key};
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::event_service_server::EventService;
use jingwei_proto::grid::v1::note_service_server::NoteService;
use jingwei_proto::grid::v1::patrol_service_server::PatrolService;
use jingwei_proto::grid::v1::sync_service_server::SyncService;
use pb::SyncOutcome::{Applied, Repeated};
use pb::sync_item::Item as Kind;
use pb::sync_verdict::Answer;
use tonic::{Code, Request, Response, Status};

use super::note::Notes;
use super::note_taking::{Draft, take};
use super::patrol::Patrols;
use super::wire::sync::{self as wire, Item};
use super::wire::{name, note as wire_note};
use crate::error::Error;

/// The sync service: what it applies are the other services' requests.
#[derive(Clone)]
pub struct Syncs {
    /// Takes notes, reports events and acts on them.
    pub notes: Notes,
    /// Walks patrols.
    pub patrols: Patrols,
}

/// A batch on its way: the items that can be tried, and the verdicts so far.
struct Batch<'a> {
    caller: Arc<Caller>,
    district: i32,
    given: &'a [pb::SyncItem],
    items: Vec<Option<Item>>,
    verdicts: Vec<Option<pb::SyncVerdict>>,
}

impl Syncs {
    async fn apply(
        &self,
        caller: Arc<Caller>,
        request: &pb::SyncRequest,
    ) -> Result<pb::SyncResponse, Status> {
        let district = name::read_district(&request.parent).map_err(Error::from)?;
        let mut batch = Batch::read(caller, district, &request.items);
        self.look_up(&mut batch).await?;
        self.take_notes(&mut batch).await?;
        let mut refused = HashMap::<String, String>::new();
        for i in 0..batch.items.len() {
            if batch.verdicts[i].is_none()
                && let Some(item) = &batch.items[i]
            {
                let id = &batch.given[i].id;
                let by = wire::about(&batch.given[i]).and_then(|about| refused.get(&about));
                let verdict = match by {
                    Some(by) => wire::blocked(id, by),
                    None => self.one(&batch.caller, district, id, item).await?,
                };
                batch.verdicts[i] = Some(verdict);
            }
            batch.note_refusal(i, &mut refused);
        }
        Ok(pb::SyncResponse { verdicts: batch.verdicts.into_iter().flatten().collect() })
    }

    /// Finds the items that were applied before, in one statement.
    async fn look_up(&self, batch: &mut Batch<'_>) -> Result<(), Status> {
        let (district, subject) = (batch.district, &batch.caller.subject);
        let keys: Vec<Option<Key>> =
            batch.items.iter().map(|item| Some(item.as_ref()?.key(district, subject))).collect();
        let asked: Vec<&Key> = keys.iter().flatten().collect();
        let kept = idempotency::answers(&self.notes.core.pool, &asked).await.map_err(Error::from)?;
        for (i, key) in keys.iter().enumerate() {
            let (Some(item), Some(key)) = (&batch.items[i], key) else { continue };
            let verdict = match kept.get(&key.request_id).map(|first| first.of(key)) {
                None => continue,
                Some(kept) => repeated(&batch.given[i].id, item, kept)?,
            };
            batch.verdicts[i] = Some(verdict);
        }
        Ok(())
    }

    /// Takes the notes that are new, all in one statement. What that refuses is tried again by itself, which says why.
    async fn take_notes(&self, batch: &mut Batch<'_>) -> Result<(), Status> {
        let (clock, pool) = (&self.notes.core.clock, &self.notes.core.pool);
        let (mut places, mut drafts) = (Vec::new(), Vec::new());
        let (mut requests, mut notes) = (HashSet::new(), HashSet::new());
        for (i, item) in batch.items.iter().enumerate().filter(|(i, _)| batch.verdicts[*i].is_none()) {
            let Some(item) = item else { continue };
            let Kind::CreateNote(request) = &item.request else { continue };
            let key = item.key(batch.district, &batch.caller.subject);
            let Ok(draft) = Draft::read(request, batch.district, clock, Some(key)) else { continue };
            // The second of two with one id comes after the first.
            if requests.insert(item.id) && notes.insert(draft.id()) {
                places.push(i);
                drafts.push(draft);
            }
        }
        if drafts.is_empty() {
            return Ok(());
        }
        let Ok(taken) = take(pool, &batch.caller, batch.district, &drafts, clock.now()).await else {
            return Ok(());
        };
        for (i, note) in places.into_iter().zip(taken) {
            if let Ok(note) = note {
                let answer = Answer::Note(wire_note::write(&note));
                batch.verdicts[i] = Some(wire::applied(&batch.given[i].id, Applied, answer));
            }
        }
        self.notes.core.feed.wake(batch.district);
        Ok(())
    }

    /// Applies one item. Errors: the database cannot be reached; nobody knows of the items after this one, so send all again.
    async fn one(
        &self,
        caller: &Arc<Caller>,
        district: i32,
        id: &str,
        item: &Item,
    ) -> Result<pb::SyncVerdict, Status> {
        let key = item.key(district, &caller.subject);
        let kept = idempotency::answers(&self.notes.core.pool, &[&key]).await.map_err(Error::from)?;
        if let Some(first) = kept.get(&key.request_id) {
            return repeated(id, item, first.of(&key));
        }
        match self.call(caller, item.request.clone()).await {
            Ok(answer) => Ok(wire::applied(id, Applied, answer)),
            Err(status) if matches!(status.code(), Code::Unavailable | Code::ResourceExhausted) => {
                Err(status)
            }
            Err(status) => Ok(wire::refused(id, &item.place, &status)),
        }
    }

    async fn call(&self, caller: &Arc<Caller>, request: Kind) -> Result<Answer, Status> {
        let (notes, events, patrols) = (&self.notes, &self.notes.events, &self.patrols);
        let event = |answer: Response<pb::Event>| Answer::Event(answer.into_inner());
        let patrol = |answer: Response<pb::Patrol>| Answer::Patrol(answer.into_inner());
        Ok(match request {
            Kind::CreateNote(r) => Answer::Note(notes.create_note(by(caller, r)).await?.into_inner()),
            Kind::ReportEvent(r) => event(events.report_event(by(caller, r)).await?),
            Kind::CommentEvent(r) => event(events.comment_event(by(caller, r)).await?),
            Kind::SignForEvent(r) => event(events.sign_for_event(by(caller, r)).await?),
            Kind::ResolveEvent(r) => event(events.resolve_event(by(caller, r)).await?),
            Kind::CompleteCoHandling(r) => event(events.complete_co_handling(by(caller, r)).await?),
            Kind::StartPatrol(r) => patrol(patrols.start_patrol(by(caller, r)).await?),
            Kind::AppendTrackPoints(r) => patrol(patrols.append_track_points(by(caller, r)).await?),
            Kind::EndPatrol(r) => patrol(patrols.end_patrol(by(caller, r)).await?),
        })
    }
}

impl<'a> Batch<'a> {
    fn read(caller: Arc<Caller>, district: i32, given: &'a [pb::SyncItem]) -> Self {
        let (mut items, mut verdicts) = (Vec::new(), Vec::new());
        for (i, item) in given.iter().enumerate() {
            match wire::read(i, item, district) {
                Ok(item) => {
                    items.push(Some(item));
                    verdicts.push(None);
                }
                Err(problem) => {
                    items.push(None);
                    verdicts.push(Some(wire::refused(&item.id, "", &Error::from(problem).into())));
                }
            }
        }
        Self { caller, district, given, items, verdicts }
    }

    /// Whatever comes later about the same event or patrol is blocked by the first that was refused.
    fn note_refusal(&self, i: usize, refused: &mut HashMap<String, String>) {
        let was = self.verdicts[i].as_ref().is_some_and(|v| v.outcome() == pb::SyncOutcome::Refused);
        if let Some(about) = wire::about(&self.given[i]).filter(|_| was) {
            refused.entry(about).or_insert_with(|| self.given[i].id.clone());
        }
    }
}

/// The verdict on an item whose id was used before: for the same, or for something else.
fn repeated(
    id: &str,
    item: &Item,
    kept: Result<&[u8], jingwei_kit::status::Problem>,
) -> Result<pb::SyncVerdict, Status> {
    match kept {
        Err(reused) => Ok(wire::refused(id, &item.place, &Error::from(reused).into())),
        Ok(kept) => {
            let answer = item.answer(kept).map_err(|e| Error::from(sqlx::Error::Decode(e.into())))?;
            Ok(wire::applied(id, Repeated, answer))
        }
    }
}

/// The request as the caller's own.
fn by<T>(caller: &Arc<Caller>, request: T) -> Request<T> {
    let mut request = Request::new(request);
    request.extensions_mut().insert(caller.clone());
    request
}

#[tonic::async_trait]
impl SyncService for Syncs {
    async fn sync(&self, request: Request<pb::SyncRequest>) -> Result<Response<pb::SyncResponse>, Status> {
        Ok(Response::new(self.apply(caller::of(&request), request.get_ref()).await?))
    }
}
