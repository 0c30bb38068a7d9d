//! Offline sync (离线同步): every item has its verdict, nothing spoils the others, and nothing is done twice.

mod common;

use std::collections::BTreeMap;

use common::district::{GRID, OTHER_GRID, PESTS, STREET};
use common::{DISTRICT, Session, Site, moment, request_id};
use jingwei_proto::access::v1::Role;
use jingwei_proto::google::rpc;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::note_service_client::NoteServiceClient;
use jingwei_proto::grid::v1::patrol_service_client::PatrolServiceClient;
use jingwei_proto::grid::v1::staff_service_client::StaffServiceClient;
use jingwei_proto::grid::v1::sync_service_client::SyncServiceClient;
use pb::SyncOutcome::{Applied, Blocked, Refused, Repeated};
use pb::sync_item::Item;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use prost::{Message, Name};
use sqlx::{AssertSqlSafe, PgPool};
use time::Duration;

fn item(item: Item) -> pb::SyncItem {
    pb::SyncItem { id: request_id(), item: Some(item) }
}

fn note(area: &str, text: &str) -> pb::SyncItem {
    let note = pb::Note { area: area.into(), text: text.into(), ..Default::default() };
    item(Item::CreateNote(pb::CreateNoteRequest {
        parent: DISTRICT.into(),
        note: Some(note),
        ..Default::default()
    }))
}

fn report(category: &str) -> pb::SyncItem {
    item(Item::ReportEvent(pb::ReportEventRequest {
        parent: DISTRICT.into(),
        category: category.into(),
        area: GRID.into(),
        description: "行道树生虫".into(),
        ..Default::default()
    }))
}

fn event_of(report: &pb::SyncItem) -> String {
    format!("{DISTRICT}/events/{}", report.id)
}

fn comment(event: &str, note: &str) -> pb::SyncItem {
    item(Item::CommentEvent(pb::CommentEventRequest {
        name: event.into(),
        note: note.into(),
        ..Default::default()
    }))
}

async fn send(session: Session, items: &[pb::SyncItem]) -> Vec<pb::SyncVerdict> {
    let request = pb::SyncRequest { parent: DISTRICT.into(), items: items.to_vec() };
    let verdicts =
        SyncServiceClient::new(session).sync(request).await.expect("answered").into_inner().verdicts;
    let ids = |ids: Vec<&str>| ids.into_iter().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(
        ids(verdicts.iter().map(|v| v.id.as_str()).collect()),
        ids(items.iter().map(|i| i.id.as_str()).collect())
    );
    verdicts
}

fn outcomes(verdicts: &[pb::SyncVerdict]) -> Vec<pb::SyncOutcome> {
    verdicts.iter().map(pb::SyncVerdict::outcome).collect()
}

fn detail<M: Message + Name + Default>(verdict: &pb::SyncVerdict) -> M {
    let details = &verdict.status.as_ref().expect("a status").details;
    let url = format!("/{}", M::full_name());
    let any = details.iter().find(|any| any.type_url.ends_with(&url)).expect("the detail");
    M::decode(any.value.as_slice()).expect("of its type")
}

fn fields(verdict: &pb::SyncVerdict) -> Vec<String> {
    let wrong: rpc::BadRequest = detail(verdict);
    wrong.field_violations.into_iter().map(|v| v.field).collect()
}

fn reason(verdict: &pb::SyncVerdict) -> String {
    detail::<rpc::ErrorInfo>(verdict).reason
}

/// How many rows each table of the database has.
async fn rows(pool: &PgPool) -> BTreeMap<String, i64> {
    let tables: Vec<String> =
        sqlx::query_scalar("select tablename::text from pg_tables where schemaname = 'public'")
            .fetch_all(pool)
            .await
            .expect("tables");
    let mut rows = BTreeMap::new();
    for table in tables {
        let sql = AssertSqlSafe(format!("select count(*) from {table}"));
        rows.insert(table, sqlx::query_scalar(sql).fetch_one(pool).await.expect("counted"));
    }
    rows
}

/// A planned patrol of the grid's worker.
async fn patrol(site: &Site) -> String {
    let (parent, mut staff) = (DISTRICT.to_owned(), StaffServiceClient::new(site.administrator()));
    let list = pb::ListStaffMembersRequest {
        parent: parent.clone(),
        subject: "worker".into(),
        ..Default::default()
    };
    let known = staff.list_staff_members(list).await.expect("a page").into_inner().staff_members;
    let assignee = match known.into_iter().next() {
        Some(member) => member.name,
        None => {
            let member = pb::StaffMember {
                display_name: "张三".into(),
                subject: "worker".into(),
                ..Default::default()
            };
            let request = pb::CreateStaffMemberRequest {
                parent: parent.clone(),
                staff_member: Some(member),
                ..Default::default()
            };
            staff.create_staff_member(request).await.expect("entered").into_inner().name
        }
    };
    let point = pb::Point { latitude: 34.79, longitude: 113.38 };
    let checkpoint =
        pb::Checkpoint { place: Some(pb::checkpoint::Place::Point(point)), ..Default::default() };
    let patrol = pb::Patrol {
        area: GRID.into(),
        assignee,
        due_time: Some(moment(site.clock.now() + Duration::hours(8))),
        checkpoints: vec![checkpoint],
        ..Default::default()
    };
    let request = pb::CreatePatrolRequest { parent, patrol: Some(patrol), ..Default::default() };
    let chief = site.session("chief", &[(Role::GridChief, GRID)]);
    PatrolServiceClient::new(chief).create_patrol(request).await.expect("planned").into_inner().name
}

/// A day in the field: notes, an event with two remarks, a patrol walked.
async fn a_day(site: &Site) -> Vec<pb::SyncItem> {
    let name = patrol(site).await;
    let event = report(PESTS);
    let at = pb::TrackPoint {
        time: Some(moment(site.clock.now())),
        point: Some(pb::Point { latitude: 34.79, longitude: 113.38 }),
        accuracy_metres: 5.0,
    };
    let track =
        pb::AppendTrackPointsRequest { name: name.clone(), track_points: vec![at], ..Default::default() };
    vec![
        note(GRID, "路灯不亮"),
        item(Item::StartPatrol(pb::StartPatrolRequest { name: name.clone(), ..Default::default() })),
        event.clone(),
        note(GRID, "井盖松动"),
        item(Item::AppendTrackPoints(track)),
        comment(&event_of(&event), "树干有洞"),
        comment(&event_of(&event), "已围挡"),
        item(Item::EndPatrol(pb::EndPatrolRequest { name, ..Default::default() })),
        note(GRID, "占道经营"),
    ]
}

#[tokio::test]
async fn a_bad_item_spoils_nothing_but_what_depends_on_it() {
    let site = Site::with_district().await;
    let mut unnamed = note(GRID, "没有编号");
    unnamed.id = "x".into();
    let bad = report("districts/410182/categories/trees");
    let good = report(PESTS);
    let foreign = pb::CommentEventRequest {
        name: event_of(&good).replace("410182", "410183"),
        note: "越界".into(),
        ..Default::default()
    };
    let items = [
        note(GRID, "路灯不亮"),
        note(GRID, ""),
        unnamed,
        bad.clone(),
        comment(&event_of(&bad), "依赖被拒的上报"),
        good.clone(),
        comment(&event_of(&good), ""),
        comment(&event_of(&good), "依赖被拒的备注"),
        item(Item::CommentEvent(foreign)),
        pb::SyncItem { id: request_id(), item: None },
        note(OTHER_GRID, "不在辖区"),
        note(GRID, "井盖松动"),
    ];
    let verdicts = send(site.worker(), &items).await;
    assert_eq!(
        outcomes(&verdicts),
        [
            Applied, Refused, Refused, Refused, Blocked, Applied, Refused, Blocked, Refused, Refused,
            Refused, Applied
        ]
    );
    assert_eq!(fields(&verdicts[1]), ["items[1].create_note.note.text"]);
    assert_eq!(fields(&verdicts[2]), ["items[2].id"]);
    assert_eq!(reason(&verdicts[3]), "CATEGORY_NOT_REPORTABLE");
    assert_eq!(verdicts[4].blocked_by, bad.id);
    assert_eq!(fields(&verdicts[6]), ["items[6].comment_event.note"]);
    assert_eq!(verdicts[7].blocked_by, items[6].id);
    assert_eq!(fields(&verdicts[8]), ["items[8].comment_event.name"]);
    assert_eq!(reason(&verdicts[10]), "PERMISSION_DENIED");
    let languages: Vec<_> = verdicts[3].status.as_ref().expect("a status").details.iter().collect();
    assert_eq!(languages.iter().filter(|any| any.type_url.ends_with("LocalizedMessage")).count(), 2);
    let again = send(site.worker(), &items).await;
    for (first, again) in verdicts.iter().zip(&again) {
        let expected = if first.outcome() == Applied { Repeated } else { first.outcome() };
        assert_eq!((again.outcome(), &again.answer), (expected, &first.answer));
    }
}

#[tokio::test]
async fn an_item_and_the_call_made_by_itself_are_one() {
    let site = Site::with_district().await;
    let sent = note(GRID, "路灯不亮");
    let Some(Item::CreateNote(alone)) = sent.item.clone() else { panic!("a note") };
    let alone = pb::CreateNoteRequest { note_id: sent.id.clone(), request_id: sent.id.clone(), ..alone };
    let direct = NoteServiceClient::new(site.worker()).create_note(alone).await.expect("taken").into_inner();
    let verdicts = send(site.worker(), std::slice::from_ref(&sent)).await;
    assert_eq!(outcomes(&verdicts), [Repeated]);
    assert_eq!(verdicts[0].answer, Some(pb::sync_verdict::Answer::Note(direct)));
    let other = pb::SyncItem { id: sent.id.clone(), ..note(GRID, "别的") };
    let verdicts = send(site.worker(), &[sent.clone(), other.clone(), sent]).await;
    assert_eq!(outcomes(&verdicts), [Repeated, Refused, Repeated]);
    assert_eq!(reason(&verdicts[1]), "REQUEST_ID_REUSED");
    let twice = note(GRID, "两次");
    let verdicts = send(site.worker(), &[twice.clone(), twice]).await;
    assert_eq!(outcomes(&verdicts), [Applied, Repeated]);
}

#[tokio::test]
async fn what_the_items_say_is_done() {
    let site = Site::with_district().await;
    let items = a_day(&site).await;
    let verdicts = send(site.worker(), &items).await;
    assert_eq!(outcomes(&verdicts), vec![Applied; items.len()]);
    let Some(pb::sync_verdict::Answer::Patrol(patrol)) = &verdicts[7].answer else { panic!("a patrol") };
    assert_eq!((patrol.state(), patrol.done_count), (pb::PatrolState::Done, 1));
    let Some(pb::sync_verdict::Answer::Event(event)) = &verdicts[6].answer else { panic!("an event") };
    assert_eq!((event.name.clone(), event.version), (event_of(&items[2]), 3));
    let street = site.session("street", &[(Role::Street, STREET)]);
    let list =
        pb::ListNotesRequest { parent: DISTRICT.into(), author: "worker".into(), ..Default::default() };
    let notes = NoteServiceClient::new(street).list_notes(list).await.expect("a page").into_inner().notes;
    assert_eq!(notes.len(), 3);
}

#[tokio::test]
async fn batches_at_the_same_moment_apply_each_item_once() {
    let site = Site::with_district().await;
    let other = site.replica().await;
    let items: Vec<_> = (0..40).map(|i| note(GRID, &format!("第{i}条"))).collect();
    let (pool, backwards): (_, Vec<_>) = (site.pool().await, items.iter().rev().cloned().collect());
    let before = rows(&pool).await;
    let calls = (0..8).map(|i| {
        let (site, items) = if i % 2 == 0 { (&site, &items) } else { (&other, &backwards) };
        send(site.worker(), items)
    });
    let verdicts: Vec<_> = futures::future::join_all(calls).await.into_iter().flatten().collect();
    assert!(verdicts.iter().all(|v| matches!(v.outcome(), Applied | Repeated)), "{verdicts:?}");
    let after = rows(&pool).await;
    assert_eq!(["note", "idempotency", "outbox"].map(|table| after[table] - before[table]), [40; 3]);
}

/// However a day's items are cut into batches and repeated, the same is done; sent again in any order, nothing is.
#[tokio::test]
async fn cut_repeated_and_shuffled_batches_change_nothing() {
    let site = Site::with_district().await;
    let pool = site.pool().await;
    let mut runner = TestRunner::deterministic();
    for _ in 0..8 {
        let day = a_day(&site).await;
        let before = rows(&pool).await;
        let mut first = BTreeMap::new();
        let mut sent = 0;
        while sent < day.len() {
            let (back, size) = (0..3_usize, 1..5_usize).new_tree(&mut runner).expect("drawn").current();
            let from = sent.saturating_sub(back);
            let until = (sent + size).min(day.len());
            for (i, verdict) in (from..).zip(send(site.worker(), &day[from..until]).await) {
                let expected = if i < sent { Repeated } else { Applied };
                assert_eq!(verdict.outcome(), expected, "{verdict:?}");
                assert_eq!(*first.entry(i).or_insert(verdict.answer.clone()), verdict.answer);
            }
            sent = until;
        }
        let after = rows(&pool).await;
        let added = |table: &str| after[table] - before[table];
        assert_eq!(
            ["note", "event", "event_transition", "patrol_point", "outbox"].map(added),
            [3, 1, 3, 1, 9]
        );
        let shuffled = Just(day).prop_shuffle().new_tree(&mut runner).expect("drawn").current();
        let size = (1..9_usize).new_tree(&mut runner).expect("drawn").current();
        for batch in shuffled.chunks(size) {
            let verdicts = send(site.worker(), batch).await;
            assert_eq!(outcomes(&verdicts), vec![Repeated; batch.len()]);
        }
        assert_eq!(rows(&pool).await, after);
    }
}
