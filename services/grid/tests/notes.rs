//! Casual notes (随手记) through the API: taken, changed for a day, found, made events of once, counted exactly.

mod common;

use common::district::{COMMUNITY, GRID, OTHER_GRID, PESTS, STREET};
use common::{DISTRICT, Session, Site, mask, metadata, moment, refusal, request_id, wrong_fields};
use futures::future::join_all;
use jingwei_grid::model::period::Period;
use jingwei_grid::store::note_count::{counts, recount};
use jingwei_grid::store::note_list::{Filter, list};
use jingwei_kit::pg::Database;
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::event_service_client::EventServiceClient;
use jingwei_proto::grid::v1::note_service_client::NoteServiceClient;
use sqlx::PgPool;
use time::Duration;
use time::macros::date;
use tonic::Code;
use uuid::Uuid;

fn new_note(area: &str, text: &str) -> pb::CreateNoteRequest {
    let note = pb::Note { area: area.into(), text: text.into(), ..Default::default() };
    pb::CreateNoteRequest { parent: DISTRICT.into(), note: Some(note), ..Default::default() }
}

fn notes(session: Session) -> NoteServiceClient<Session> {
    NoteServiceClient::new(session)
}

fn chief(site: &Site) -> Session {
    site.session("chief", &[(Role::GridChief, GRID)])
}

async fn take(session: Session, area: &str) -> pb::Note {
    notes(session).create_note(new_note(area, "路灯不亮")).await.expect("taken").into_inner()
}

fn report(note: &pb::Note) -> pb::ReportNoteRequest {
    pb::ReportNoteRequest { name: note.name.clone(), category: PESTS.into(), ..Default::default() }
}

fn uuid(name: &str) -> Uuid {
    name.rsplit('/').next().and_then(|id| id.parse().ok()).expect("a name ends with its id")
}

/// Notes of an area, and those that became events, as the counters and as the rows have them.
async fn counted(pool: &PgPool, area: &str) -> (i64, i64) {
    let mut connection = pool.acquire().await.expect("a connection");
    assert_eq!(
        recount(&mut connection, 410_182, false).await.expect("recounted"),
        [],
        "the counters are right"
    );
    let code = area.rsplit('/').next().unwrap_or_default().to_owned();
    let found = counts(&mut connection, 410_182, &[code], Period::default()).await.expect("counted");
    found.first().map_or((0, 0), |(_, notes, events)| (*notes, *events))
}

#[tokio::test]
async fn a_note_is_taken_once_and_read_where_it_lies() {
    let site = Site::with_district().await;
    let mut worker = notes(site.worker());
    let mut request = new_note(GRID, "路灯不亮");
    request.note_id = request_id();
    request.request_id = request_id();
    let note = request.note.as_mut().expect("given");
    note.evidence = vec![pb::Evidence { uri: "districts/410182/attachments/1".into(), ..Default::default() }];
    note.take_time = Some(moment(site.clock.now() - Duration::hours(3)));
    note.point = Some(pb::Point { latitude: 34.79, longitude: 113.38 });
    let taken = worker.create_note(request.clone()).await.expect("taken").into_inner();
    assert_eq!(taken.name, format!("{DISTRICT}/notes/{}", request.note_id));
    assert_eq!((taken.author.as_str(), taken.area.as_str(), taken.event.as_str()), ("worker", GRID, ""));
    assert_eq!(taken.create_time, Some(moment(site.clock.now())));
    assert_eq!(taken.take_time, Some(moment(site.clock.now() - Duration::hours(3))));
    assert_eq!(worker.create_note(request.clone()).await.expect("repeated").into_inner(), taken);
    let other = pb::CreateNoteRequest { note: new_note(GRID, "别的").note, ..request.clone() };
    let reused = worker.create_note(other).await;
    assert_eq!(refusal(reused), (Code::InvalidArgument, "REQUEST_ID_REUSED".into()));
    let again = pb::CreateNoteRequest { request_id: request_id(), ..request };
    assert_eq!(refusal(worker.create_note(again).await), (Code::AlreadyExists, "ALREADY_EXISTS".into()));
    let get = pb::GetNoteRequest { name: taken.name.clone() };
    assert_eq!(worker.get_note(get.clone()).await.expect("there").into_inner(), taken);
    let mut elsewhere = notes(site.session("other", &[(Role::GridWorker, OTHER_GRID)]));
    assert_eq!(refusal(elsewhere.get_note(get).await), (Code::NotFound, "NOT_FOUND".into()));
    assert_eq!(counted(&site.pool().await, DISTRICT).await, (1, 0));
}

#[tokio::test]
async fn what_is_wrong_with_a_note_is_told_at_once() {
    let site = Site::with_district().await;
    let mut worker = notes(site.worker());
    let mut wrong = new_note("", "  ");
    let note = wrong.note.as_mut().expect("given");
    note.take_time = Some(moment(site.clock.now() + Duration::hours(1)));
    note.patrol = "districts/410183/patrols/019ce000-0000-7000-8000-000000000005".into();
    note.evidence = vec![pb::Evidence::default()];
    let mut fields = wrong_fields(worker.create_note(wrong).await);
    fields.sort();
    assert_eq!(fields, ["note.area", "note.evidence[0]", "note.patrol", "note.take_time", "note.text"]);
    let missing = new_note("districts/410182/areas/410182002011001009", "x");
    let refused = worker.create_note(missing).await;
    assert_eq!(metadata(refused, "field").as_deref(), Some("note.area"));
    let mut nowhere = new_note("", "x");
    nowhere.note.as_mut().expect("given").point = Some(pb::Point { latitude: 10.0, longitude: 100.0 });
    assert_eq!(refusal(worker.create_note(nowhere).await), (Code::NotFound, "POINT_OUTSIDE".into()));
    let elsewhere = worker.create_note(new_note(OTHER_GRID, "x")).await;
    assert_eq!(refusal(elsewhere), (Code::PermissionDenied, "PERMISSION_DENIED".into()));
    assert_eq!(counted(&site.pool().await, DISTRICT).await, (0, 0));
}

#[tokio::test]
async fn its_author_changes_its_text_for_a_day() {
    let site = Site::with_district().await;
    let taken = take(site.worker(), GRID).await;
    let change = |note: &pb::Note| pb::UpdateNoteRequest {
        note: Some(pb::Note { text: "路灯已亮".into(), ..note.clone() }),
        update_mask: mask(&["text"]),
        request_id: String::new(),
    };
    let others = notes(chief(&site)).update_note(change(&taken)).await;
    assert_eq!(refusal(others), (Code::PermissionDenied, "PERMISSION_DENIED".into()));
    let mut worker = notes(site.worker());
    let changed = worker.update_note(change(&taken)).await.expect("changed").into_inner();
    assert_eq!((changed.text.as_str(), changed.take_time), ("路灯已亮", taken.take_time));
    assert_eq!(refusal(worker.update_note(change(&taken)).await), (Code::Aborted, "ETAG_MISMATCH".into()));
    let place = pb::UpdateNoteRequest { update_mask: mask(&["area"]), ..change(&changed) };
    assert_eq!(wrong_fields(worker.update_note(place).await), ["update_mask"]);
    site.clock.advance(Duration::hours(25));
    let late = notes(site.worker()).update_note(change(&changed)).await;
    assert_eq!(refusal(late), (Code::FailedPrecondition, "NOTE_FIXED".into()));
}

#[tokio::test]
async fn sixteen_callers_make_one_event_of_a_note() {
    let site = Site::with_district().await;
    let other = site.replica().await;
    let note = take(site.worker(), GRID).await;
    let calls = (0..16).map(|i| {
        let mut client = notes(if i % 2 == 0 { site.worker() } else { other.worker() });
        let request = report(&note);
        async move { client.report_note(request).await }
    });
    let (won, lost): (Vec<_>, Vec<_>) = join_all(calls).await.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1, "one wins");
    let event = won.into_iter().next().expect("one").expect("it succeeded").into_inner();
    for refused in lost {
        assert_eq!(metadata(refused, "event"), Some(event.name.clone()));
    }
    assert_eq!((event.area.as_str(), event.description.as_str()), (GRID, "路灯不亮"));
    assert_eq!(event.evidence.last().map(|e| e.uri.as_str()), Some(note.name.as_str()));
    let mut worker = notes(site.worker());
    let found = worker.get_note(pb::GetNoteRequest { name: note.name.clone() }).await.expect("there");
    assert_eq!(found.into_inner().event, event.name);
    let by_event =
        pb::ListNotesRequest { parent: DISTRICT.into(), event: event.name.clone(), ..Default::default() };
    let page = worker.list_notes(by_event).await.expect("a page").into_inner().notes;
    assert_eq!(page.iter().map(|n| n.name.as_str()).collect::<Vec<_>>(), [note.name.as_str()]);
    let list = pb::ListEventsRequest { parent: DISTRICT.into(), ..Default::default() };
    let events = EventServiceClient::new(site.worker()).list_events(list).await.expect("a page");
    assert_eq!(events.into_inner().events.len(), 1);
    let pool = site.pool().await;
    for area in [GRID, COMMUNITY, STREET, DISTRICT] {
        assert_eq!(counted(&pool, area).await, (1, 1), "{area}");
    }
    let change =
        pb::UpdateNoteRequest { note: Some(pb::Note { etag: String::new(), ..note }), ..Default::default() };
    assert_eq!(refusal(worker.update_note(change).await), (Code::FailedPrecondition, "NOTE_REPORTED".into()));
}

#[tokio::test]
async fn a_repeat_gives_the_event_and_finishes_what_broke_off() {
    let site = Site::with_district().await;
    let (note, pool) = (take(site.worker(), GRID).await, site.pool().await);
    let report_id: Uuid =
        sqlx::query_scalar("select report_id from note where district = 410182 and id = $1")
            .bind(uuid(&note.name))
            .fetch_one(&pool)
            .await
            .expect("there");
    let mut worker = notes(site.worker());
    let wrong = pb::ReportNoteRequest { category: format!("{DISTRICT}/categories/trees"), ..report(&note) };
    let refused = worker.report_note(wrong).await;
    assert_eq!(refusal(refused), (Code::FailedPrecondition, "CATEGORY_NOT_REPORTABLE".into()));
    assert_eq!(counted(&pool, GRID).await, (1, 0), "what is refused leaves nothing");
    // The server stopped after the event was written and before the note was.
    let broken = pb::ReportEventRequest { event_id: report_id.to_string(), ..site.new_report() };
    EventServiceClient::new(site.worker()).report_event(broken).await.expect("reported");
    assert_eq!(counted(&pool, GRID).await, (1, 0));
    let refused = worker.report_note(report(&note)).await;
    assert_eq!(refusal(refused), (Code::FailedPrecondition, "NOTE_REPORTED".into()));
    assert_eq!(counted(&pool, GRID).await, (1, 1));
    let second = take(site.worker(), GRID).await;
    let request = pb::ReportNoteRequest { request_id: request_id(), ..report(&second) };
    let event = worker.report_note(request.clone()).await.expect("reported").into_inner();
    assert_eq!(worker.report_note(request).await.expect("repeated").into_inner().name, event.name);
    assert_eq!(counted(&pool, GRID).await, (2, 2));
}

#[tokio::test]
async fn notes_are_found_newest_first() {
    let site = Site::with_district().await;
    let mut names = Vec::new();
    for (subject, area) in [("li", GRID), ("li", OTHER_GRID), ("wang", GRID), ("wang", COMMUNITY)] {
        site.clock.advance(Duration::seconds(1));
        names.push(take(site.session(subject, &[(Role::Community, COMMUNITY)]), area).await.name);
    }
    let wang = pb::Note { name: names[2].clone(), ..Default::default() };
    notes(site.worker()).report_note(report(&wang)).await.expect("reported");
    let all = pb::ListNotesRequest { parent: DISTRICT.into(), ..Default::default() };
    let author = |author: &str| pb::ListNotesRequest { author: author.into(), ..all.clone() };
    let expected = [
        (all.clone(), vec![3, 2, 1, 0]),
        (pb::ListNotesRequest { area: GRID.into(), ..all.clone() }, vec![2, 0]),
        (author("li"), vec![1, 0]),
        (pb::ListNotesRequest { area: OTHER_GRID.into(), ..author("li") }, vec![1]),
        (pb::ListNotesRequest { reported: Some(true), ..all.clone() }, vec![2]),
        (pb::ListNotesRequest { reported: Some(false), ..author("wang") }, vec![3]),
    ];
    let mut street = notes(site.session("street", &[(Role::Street, STREET)]));
    for (request, places) in expected {
        let found = street.list_notes(request.clone()).await.expect("a page").into_inner().notes;
        let found: Vec<_> = found.into_iter().map(|n| n.name).collect();
        assert_eq!(
            found,
            places.iter().map(|i: &usize| names[*i].clone()).collect::<Vec<_>>(),
            "{request:?}"
        );
    }
    let first = pb::ListNotesRequest { page_size: 3, ..all.clone() };
    let page_token = street.list_notes(first.clone()).await.expect("a page").into_inner().next_page_token;
    let second = street.list_notes(pb::ListNotesRequest { page_token, ..first }).await.expect("a page");
    assert_eq!(second.into_inner().notes.len(), 1);
    let above = pb::ListNotesRequest { area: STREET.into(), ..all };
    let refused = notes(site.worker()).list_notes(above).await;
    assert_eq!(refusal(refused), (Code::PermissionDenied, "PERMISSION_DENIED".into()));
}

#[tokio::test]
async fn counts_are_by_day_and_a_wrong_one_is_found_and_repaired() {
    let site = Site::with_district().await;
    for area in [GRID, OTHER_GRID, GRID] {
        take(site.session("li", &[(Role::Community, COMMUNITY)]), area).await;
        site.clock.advance(Duration::hours(10));
    }
    let pool = site.pool().await;
    let mut connection = pool.acquire().await.expect("a connection");
    let codes = ["410182002011001".to_owned(), "410182002011002".to_owned()];
    let first = Some(date!(2026 - 03 - 02));
    let period = Period { from: first, to: first };
    let mut found = counts(&mut connection, 410_182, &codes, period).await.expect("counted");
    found.sort();
    assert_eq!(
        found,
        [(codes[0].clone(), 1, 0), (codes[1].clone(), 1, 0)],
        "the third came in after midnight"
    );
    let spoil = "update note_count set notes = notes + 5 where district = 410182 and area = '410182002' and day = '0001-01-01'";
    sqlx::query(spoil).execute(&pool).await.expect("spoilt");
    sqlx::query("delete from note_count where district = 410182 and area = '410182' and day = '2026-03-02'")
        .execute(&pool)
        .await
        .expect("spoilt");
    let differences = recount(&mut connection, 410_182, true).await.expect("recounted");
    let told: Vec<_> = differences.iter().map(|d| (d.area.as_str(), d.counted.0, d.folded.0)).collect();
    assert_eq!(told, [("410182", 0, 2), ("410182002", 8, 3)]);
    assert_eq!(counted(&pool, STREET).await, (3, 0));
}

#[tokio::test]
async fn a_page_of_many_notes_reads_no_more_than_it_shows() {
    let site = Site::with_district().await;
    take(site.worker(), GRID).await;
    let pool = site.pool().await;
    for sql in [
        "insert into note (district, id, area, author, take_time, create_time, report_id, reported, body)
         select n.district, gen_random_uuid(), n.area, 'li', n.take_time, n.create_time + i * interval '1 second',
           gen_random_uuid(), i % 100 = 0, n.body from note n cross join generate_series(1, 10000) as i",
        "insert into note_place (district, area, create_time, note_id, reported)
         select n.district, left(n.area, l), n.create_time, n.id, n.reported
         from note n cross join unnest(array[6, 9, 12, 15]) as l where n.author = 'li'",
        "analyze",
    ] {
        sqlx::query(sql).execute(&pool).await.expect("filled");
    }
    let area = "410182002".parse().expect("a code");
    let all = Filter { district: 410_182, area, author: None, patrol: None, event: None, reported: None };
    let filters = [
        all.clone(),
        Filter { reported: Some(true), ..all.clone() },
        Filter { reported: Some(false), ..all.clone() },
        Filter { author: Some("li".into()), ..all.clone() },
        Filter { author: Some("worker".into()), ..all.clone() },
        Filter { event: Some(Uuid::nil()), ..all },
    ];
    let database = Database { connections: 1, ..site.database.clone() };
    let one = database.connect().await.expect("the database answers");
    let total = async || -> (i64, i64) {
        sqlx::query("select pg_stat_force_next_flush()").execute(&one).await.expect("flushed");
        let sql = "select sum(seq_scan)::bigint, sum(idx_tup_fetch)::bigint from pg_stat_user_tables
            where relname in ('note', 'note_place')";
        sqlx::query_as(sql).fetch_one(&one).await.expect("counted")
    };
    for filter in filters {
        let before = total().await;
        for _ in 0..8 {
            list(&one, &filter, None, 20).await.expect("a page");
        }
        let after = total().await;
        assert_eq!(after.0 - before.0, 0, "{filter:?} read a table from end to end");
        assert!((after.1 - before.1) / 8 <= 45, "{filter:?} read {} rows", (after.1 - before.1) / 8);
    }
}
