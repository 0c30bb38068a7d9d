//! The day's notes: in the evening the worker of each grid sends those of the day, as a telephone does that was offline.

use futures::{StreamExt, TryStreamExt};
use jingwei_kit::clock::Clock;
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::sync_service_client::SyncServiceClient;
use pb::sync_item::Item;

use super::super::{id, name, parent};
use super::play::{AT_ONCE, Stage};
use super::{plan, texts};
use crate::Error;

impl Stage<'_> {
    /// All grids' notes of a day.
    pub(super) async fn notes(&self, day: usize, clock: &Clock) -> Result<(), Error> {
        let now = clock.now();
        let taken = prost_types::Timestamp { seconds: now.unix_timestamp() - 3600, nanos: 0 };
        let all = futures::stream::iter(0..self.grids.len()).map(|grid| self.notes_of(day, grid, taken));
        all.buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await.map(drop)
    }

    async fn notes_of(&self, day: usize, grid: usize, taken: prost_types::Timestamp) -> Result<(), Error> {
        let code = &self.grids[grid];
        let item = |number: usize| {
            let id = id(&format!("note {code} {day} {number}")).to_string();
            let note = pb::Note {
                text: texts::note(day + grid + number).to_owned(),
                area: name("areas", code),
                take_time: Some(taken),
                ..Default::default()
            };
            let request = pb::CreateNoteRequest {
                parent: parent(),
                note: Some(note),
                note_id: id.clone(),
                ..Default::default()
            };
            pb::SyncItem { id, item: Some(Item::CreateNote(request)) }
        };
        let items: Vec<_> = (0..plan::notes(grid, self.grids.len())).map(item).collect();
        let session = self.session(Role::GridWorker, &format!("{code}-member-1"), code)?;
        let answer = SyncServiceClient::new(session).sync(pb::SyncRequest { parent: parent(), items }).await;
        let verdicts = answer.map_err(|status| format!("示范历史 / demo history: {}", status.message()))?;
        let refused = verdicts.into_inner().verdicts.into_iter().find_map(|verdict| verdict.status);
        refused.map_or(Ok(()), |status| Err(format!("示范历史 / demo history: {}", status.message).into()))
    }
}
