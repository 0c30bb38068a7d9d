//! Casual notes: each change in one statement with its counts, its entry in the feed and the kept answer.

use jingwei_kit::idempotency::Key;
use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::model::note::Note;

/// A new note, ready to be written.
pub struct New<'a> {
    /// The note.
    pub note: &'a Note,
    /// Its resource name, under which the feed has it.
    pub resource: String,
    /// The feed's entry.
    pub payload: Vec<u8>,
    /// The request that it came with, where that has an id, and the encoded answer to it.
    pub answer: Option<(&'a Key, Vec<u8>)>,
}

/// One note as its row has it: the body and what changes beside it.
struct Row {
    body: Json<Note>,
    reported: bool,
    version: i64,
}

impl Row {
    fn note(self) -> Note {
        Note { reported: self.reported, version: self.version, ..self.body.0 }
    }
}

/// The note of that id.
pub async fn get(executor: impl PgExecutor<'_>, district: i32, id: Uuid) -> sqlx::Result<Option<Note>> {
    let row = sqlx::query_as!(
        Row,
        r#"select body as "body: Json<Note>", reported, version from note where district = $1 and id = $2"#,
        district,
        id,
    );
    Ok(row.fetch_optional(executor).await?.map(Row::note))
}

/// Writes new notes of one district, author and moment, whose ids are all different; answers with the ids of those written. Not
/// written is one whose id is in use or whose area or patrol does not exist.
///
/// Rows are locked in one order, by id, area and day, so that batches with the same notes in another order wait for each
/// other and no more. Errors: `idempotency_pkey` for a request answered at the same moment, with other notes.
pub async fn insert(
    pool: &PgPool,
    district: i32,
    author: &str,
    now: OffsetDateTime,
    notes: &[New<'_>],
) -> sqlx::Result<Vec<Uuid>> {
    let of = Columns::of(notes);
    sqlx::query_scalar!(
        r#"with given as materialized (
             select g.* from unnest($4::uuid[], $5::text[], $6::uuid[], $7::timestamptz[], $8::uuid[], $9::jsonb[], $10::text[],
               $11::bytea[], $12::uuid[], $13::text[], $14::bytea[], $15::bytea[])
               as g(id, area, patrol_id, take_time, report_id, body, resource, payload, request_id, method, fingerprint, response)
             where exists (select from area a where a.district = $1 and a.code = g.area)
               and (g.patrol_id is null or exists (select from patrol p where p.district = $1 and p.id = g.patrol_id))),
           made as (
             insert into note (district, id, area, author, patrol_id, take_time, create_time, report_id, body)
             select $1, id, area, $2, patrol_id, take_time, $3, report_id, body from given order by id
             on conflict (district, id) do nothing returning id, area),
           under as (
             select m.id, left(m.area, l.length) as area
             from made m join (values (6), (9), (12), (15), (18)) as l(length) on length(m.area) >= l.length),
           places as (
             insert into note_place (district, area, create_time, note_id) select $1, area, $3, id from under),
           counted as (
             insert into note_count as c (district, area, day, notes, became_events)
             select $1, u.area, d.day, count(*), 0
             from under u cross join (values (($3::timestamptz at time zone interval '8 hours')::date), ('0001-01-01')) as d(day)
             group by u.area, d.day order by u.area, d.day
             on conflict (district, area, day) do update set notes = c.notes + excluded.notes returning 1),
           head as (
             insert into feed_head as h (district, seq)
             select $1, count(*) from made having count(*) > 0 and (select count(*) from counted) > 0
             on conflict (district) do update set seq = h.seq + excluded.seq returning seq),
           told as (
             insert into outbox (district, seq, resource, payload, create_time)
             select $1, head.seq - count(*) over () + row_number() over (order by id), resource, payload, $3
             from made join given using (id) cross join head),
           kept as (
             insert into idempotency (district, subject, request_id, method, fingerprint, response, create_time)
             select $1, $2, request_id, method, fingerprint, response, $3
             from made join given using (id) where request_id is not null)
           select id from made"#,
        district,
        author,
        now,
        &of.ids,
        &of.areas,
        &of.patrols as &[Option<Uuid>],
        &of.taken,
        &of.report_ids,
        &of.bodies as _,
        &of.resources,
        &of.payloads as _,
        &of.requests as &[Option<Uuid>],
        &of.methods as _,
        &of.fingerprints as _,
        &of.responses as _,
    )
    .fetch_all(pool)
    .await
}

/// New notes, column by column.
#[derive(Default)]
struct Columns<'a> {
    ids: Vec<Uuid>,
    areas: Vec<String>,
    patrols: Vec<Option<Uuid>>,
    taken: Vec<OffsetDateTime>,
    report_ids: Vec<Uuid>,
    bodies: Vec<Json<&'a Note>>,
    resources: Vec<String>,
    payloads: Vec<&'a [u8]>,
    requests: Vec<Option<Uuid>>,
    methods: Vec<Option<&'a str>>,
    fingerprints: Vec<Option<&'a [u8]>>,
    responses: Vec<Option<&'a [u8]>>,
}

impl<'a> Columns<'a> {
    fn of(notes: &'a [New<'a>]) -> Self {
        let mut columns = Self::default();
        for New { note, resource, payload, answer } in notes {
            columns.ids.push(note.id);
            columns.areas.push(note.area.to_string());
            columns.patrols.push(note.patrol);
            columns.taken.push(note.taken);
            columns.report_ids.push(note.report_id);
            columns.bodies.push(Json(note));
            columns.resources.push(resource.clone());
            columns.payloads.push(payload);
            let key = answer.as_ref().map(|(key, _)| *key);
            columns.requests.push(key.map(|key| key.request_id));
            columns.methods.push(key.map(|key| key.method));
            columns.fingerprints.push(key.map(|key| &key.fingerprint[..]));
            columns.responses.push(answer.as_ref().map(|(_, response)| response.as_slice()));
        }
        columns
    }
}

/// Writes a change of a note's text of the version before this one; false where it has another or became an event.
pub async fn rewrite(conn: &mut PgConnection, note: &Note) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update note set body = $3, version = $4 where district = $1 and id = $2 and version = $4::bigint - 1 and not reported",
        note.district,
        note.id,
        Json(note) as _,
        note.version,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes on the note that it became its event, where that exists; once: later calls change nothing.
pub async fn mark_reported(
    pool: &PgPool,
    note: &Note,
    resource: &str,
    payload: &[u8],
    now: OffsetDateTime,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"with marked as (
             update note n set reported = true, version = version + 1
             where district = $1 and id = $2 and not reported
               and exists (select from event e where e.district = $1 and e.id = n.report_id)
             returning area, create_time),
           under as (
             select left(m.area, l.length) as area, create_time
             from marked m join (values (6), (9), (12), (15), (18)) as l(length) on length(m.area) >= l.length),
           places as (
             update note_place p set reported = true from under u
             where p.district = $1 and p.area = u.area and p.create_time = u.create_time and p.note_id = $2),
           counted as (
             insert into note_count as c (district, area, day, notes, became_events)
             select $1, u.area, d.day, 0, 1
             from under u cross join lateral
               (values ((u.create_time at time zone interval '8 hours')::date), ('0001-01-01')) as d(day)
             order by u.area, d.day
             on conflict (district, area, day) do update set became_events = c.became_events + 1 returning 1),
           head as (
             insert into feed_head as h (district, seq)
             select $1, 1 from marked where (select count(*) from counted) > 0
             on conflict (district) do update set seq = h.seq + 1 returning seq)
           insert into outbox (district, seq, resource, payload, create_time) select $1, seq, $3, $4, $5 from head"#,
        note.district,
        note.id,
        resource,
        payload,
        now,
    )
    .execute(pool)
    .await
    .map(|_| ())
}
