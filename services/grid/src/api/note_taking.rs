//! Taking notes: from what their authors give to rows, one or a batch of them in one statement.

use std::collections::HashSet;

use jingwei_kit::admit::denied;
use jingwei_kit::caller::Caller;
use jingwei_kit::clock::Clock;
use jingwei_kit::idempotency::Key;
use jingwei_kit::status::Violations;
use jingwei_proto::grid::v1 as pb;
use prost::Message;
use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

use super::actors;
use super::evidence::link;
use super::wire::{event, name, note as wire, point, time as wire_time};
use crate::error::Error;
use crate::model::area::AreaCode;
use crate::model::note::{Note, deepest, device_time};
use crate::model::position::Point;
use crate::store;
use crate::store::note::New;

/// A note as its fields read, without its place yet.
pub(super) struct Draft {
    id: Uuid,
    report_id: Uuid,
    area: Option<AreaCode>,
    point: Option<Point>,
    text: String,
    evidence: Vec<crate::model::event::Evidence>,
    patrol: Option<Uuid>,
    taken: OffsetDateTime,
    key: Option<Key>,
}

impl Draft {
    /// Reads a request. Errors: all fields that are wrong, at once.
    pub(super) fn read(
        request: &pb::CreateNoteRequest,
        district: i32,
        clock: &Clock,
        key: Option<Key>,
    ) -> Result<Self, Error> {
        let given = request.note.clone().unwrap_or_default();
        let mut violations = Violations::new();
        if given.text.trim().is_empty() {
            violations.add("note.text", "required", "不能为空", "must not be empty");
        }
        if given.area.is_empty() && given.point.is_none() {
            let zh = "area 与 point 至少填写一项";
            violations.add("note.area", "required", zh, "an area or a point must be given");
        }
        let patrol = name::read_in("note.patrol", &given.patrol, district, &mut violations);
        let now = clock.now();
        let said = wire_time::read_option("note.take_time", given.take_time.as_ref(), &mut violations);
        let taken = device_time(said, now);
        if taken.is_none() {
            violations.add("note.take_time", "past", "不能是将来的时间", "must not be in the future");
        }
        let system = given.coordinate_system();
        let area = name::read_area_in("note.area", &given.area, district, &mut violations);
        let point = point::read("note.point", given.point.as_ref(), system, &mut violations);
        let mut pieces = Violations::new();
        let evidence = event::read_evidence(&given.evidence, &mut pieces);
        violations.add_under("note.", pieces);
        violations.finish()?;
        let id = Some(&request.note_id).filter(|id| !id.is_empty());
        Ok(Self {
            id: id.map(|id| name::read_uuid("note_id", id)).transpose()?.unwrap_or_else(|| clock.id()),
            report_id: clock.id(),
            area,
            point,
            text: given.text,
            evidence,
            patrol: Uuid::parse_str(&patrol).ok(),
            taken: taken.unwrap_or(now),
            key,
        })
    }

    /// The note's id.
    pub(super) fn id(&self) -> Uuid {
        self.id
    }

    fn note(&self, area: AreaCode, author: &str, now: OffsetDateTime) -> Note {
        Note {
            district: area.district(),
            id: self.id,
            area,
            point: self.point,
            text: self.text.clone(),
            evidence: self.evidence.clone(),
            author: author.to_owned(),
            patrol: self.patrol,
            taken: self.taken,
            created: now,
            report_id: self.report_id,
            reported: false,
            version: 1,
        }
    }
}

/// Writes notes, all with different ids: of each the note, or why it is refused. One statement, and one before it where points
/// have to be located, and one after it where notes are refused.
pub(super) async fn take(
    pool: &PgPool,
    caller: &Caller,
    district: i32,
    drafts: &[Draft],
    now: OffsetDateTime,
) -> Result<Vec<Result<Note, Error>>, Error> {
    let mut notes = places(pool, caller, district, drafts, now).await?;
    for note in &mut notes {
        if let Ok(placed) = note {
            let resource = name::of(district, "notes", placed.id);
            let linked = link(pool, (district, &resource), &caller.subject, &placed.evidence).await;
            if let Err(error) = linked {
                *note = Err(error);
            }
        }
    }
    let new: Vec<New<'_>> =
        drafts.iter().zip(&notes).filter_map(|(d, n)| Some(new(d, n.as_ref().ok()?))).collect();
    if new.is_empty() {
        return Ok(notes);
    }
    let made = store::note::insert(pool, district, &caller.subject, now, &new).await?;
    drop(new);
    let made: HashSet<Uuid> = made.into_iter().collect();
    for note in notes.iter_mut() {
        if let Ok(refused) = note
            && !made.contains(&refused.id)
        {
            *note = Err(why(pool, refused).await?);
        }
    }
    Ok(notes)
}

fn new<'a>(draft: &'a Draft, note: &'a Note) -> New<'a> {
    New {
        note,
        resource: name::of(note.district, "notes", note.id),
        payload: wire::payload(note),
        answer: draft.key.as_ref().map(|key| (key, wire::write(note).encode_to_vec())),
    }
}

/// The notes with their areas, where a grant of the caller covers those.
async fn places(
    pool: &PgPool,
    caller: &Caller,
    district: i32,
    drafts: &[Draft],
    now: OffsetDateTime,
) -> Result<Vec<Result<Note, Error>>, Error> {
    let points: Vec<Point> = drafts.iter().filter_map(|d| d.point).collect();
    let mut located = match points.as_slice() {
        [] => Vec::new(),
        points => store::area::locate_all(pool, district, points, now).await?,
    }
    .into_iter();
    let grants = actors::of(caller, district);
    let notes = drafts.iter().map(|draft| {
        let located = draft.point.and_then(|_| located.next().flatten());
        let area = deepest(draft.area, located).ok_or(Error::PointOutside)?;
        if !grants.iter().any(|grant| grant.scope.covers_area(area)) {
            let (zh, en) = ("该地点不在您的管辖范围内", "none of your grants covers the place");
            return Err(denied("grid.notes.create", &name::area(area), zh, en).into());
        }
        Ok(draft.note(area, &caller.subject, now))
    });
    Ok(notes.collect())
}

/// Why a note was not written.
async fn why(pool: &PgPool, note: &Note) -> Result<Error, Error> {
    if store::note::get(pool, note.district, note.id).await?.is_some() {
        return Ok(Error::AlreadyExists { name: name::of(note.district, "notes", note.id) });
    }
    let known = match note.patrol {
        Some(patrol) => store::patrol::get(pool, note.district, patrol).await?.is_some(),
        None => true,
    };
    Ok(Error::ReferenceMissing { field: if known { "note.area" } else { "note.patrol" } })
}
