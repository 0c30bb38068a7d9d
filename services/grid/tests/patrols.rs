//! Patrols (巡查) through the API: planned, walked, covered, counted.

mod common;

use common::district::{COMMUNITY, GRID, OTHER_GRID, STREET};
use common::{DISTRICT, Session, Site, moment, refusal, request_id, wrong_fields};
use futures::future::join_all;
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::note_service_client::NoteServiceClient;
use jingwei_proto::grid::v1::patrol_service_client::PatrolServiceClient;
use jingwei_proto::grid::v1::staff_service_client::StaffServiceClient;
use time::Duration;
use tonic::Code;

type Patrols = PatrolServiceClient<Session>;

fn chief(site: &Site) -> Patrols {
    Patrols::new(site.session("chief", &[(Role::Community, COMMUNITY)]))
}

fn walker(site: &Site) -> Patrols {
    Patrols::new(site.worker())
}

async fn member(site: &Site, subject: &str) -> String {
    let staff_member =
        Some(pb::StaffMember { display_name: subject.into(), subject: subject.into(), ..Default::default() });
    let parent = DISTRICT.to_owned();
    let request = pb::CreateStaffMemberRequest { parent, staff_member, ..Default::default() };
    let mut staff = StaffServiceClient::new(site.administrator());
    staff.create_staff_member(request).await.expect("entered").into_inner().name
}

fn point(latitude: f64, longitude: f64) -> pb::Point {
    pb::Point { latitude, longitude }
}

fn checkpoint(at: pb::Point) -> pb::Checkpoint {
    pb::Checkpoint { place: Some(pb::checkpoint::Place::Point(at)), ..Default::default() }
}

/// A plan with two points, 1.1 km from each other.
fn plan(site: &Site, assignee: &str, area: &str) -> pb::CreatePatrolRequest {
    let patrol = pb::Patrol {
        area: area.into(),
        assignee: assignee.into(),
        due_time: Some(moment(site.clock.now() + Duration::hours(8))),
        checkpoints: vec![checkpoint(point(34.79, 113.38)), checkpoint(point(34.80, 113.38))],
        ..Default::default()
    };
    pb::CreatePatrolRequest { parent: DISTRICT.into(), patrol: Some(patrol), ..Default::default() }
}

async fn planned(site: &Site, assignee: &str) -> pb::Patrol {
    chief(site).create_patrol(plan(site, assignee, GRID)).await.expect("planned").into_inner()
}

fn start(patrol: &pb::Patrol) -> pb::StartPatrolRequest {
    pb::StartPatrolRequest { name: patrol.name.clone(), ..Default::default() }
}

fn end(patrol: &pb::Patrol) -> pb::EndPatrolRequest {
    pb::EndPatrolRequest { name: patrol.name.clone(), ..Default::default() }
}

/// Points of a track, a second apart from the moment on.
fn track(site: &Site, patrol: &pb::Patrol, points: &[pb::Point]) -> pb::AppendTrackPointsRequest {
    let at = |(i, point): (i64, &pb::Point)| pb::TrackPoint {
        time: Some(moment(site.clock.now() - Duration::minutes(5) + Duration::seconds(i))),
        point: Some(*point),
        accuracy_metres: 8.0,
    };
    let track_points = (0..).zip(points).map(at).collect();
    pb::AppendTrackPointsRequest { name: patrol.name.clone(), track_points, ..Default::default() }
}

async fn coverage(site: &Site, area: &str) -> Vec<(String, i64, i64, i64, i64)> {
    let request = pb::ListPatrolCoverageRequest { parent: area.into(), ..Default::default() };
    let street = site.session("street", &[(Role::Street, STREET)]);
    let page = Patrols::new(street).list_patrol_coverage(request).await.expect("counted").into_inner();
    let row = |c: pb::PatrolCoverage| {
        let code = c.area.rsplit('/').next().unwrap_or_default().to_owned();
        (code, c.patrols, c.done_patrols, c.due_count, c.done_count)
    };
    page.coverages.into_iter().map(row).collect()
}

#[tokio::test]
async fn a_patrol_is_planned_walked_and_counted() {
    let site = Site::with_district().await;
    let me = member(&site, "worker").await;
    let patrol = planned(&site, &me).await;
    assert_eq!((patrol.state(), patrol.radius_metres, patrol.due_count), (pb::PatrolState::Planned, 50, 2));
    let mut worker = walker(&site);
    let started = worker.start_patrol(start(&patrol)).await.expect("started").into_inner();
    assert_eq!(started.start_time, Some(moment(site.clock.now())));
    site.clock.advance(Duration::minutes(20));
    let walked = track(&site, &patrol, &[point(34.785, 113.38), point(34.7901, 113.3801)]);
    let first = worker.append_track_points(walked.clone()).await.expect("appended").into_inner();
    assert_eq!(
        (first.done_count, first.checkpoints[0].covered, first.checkpoints[1].covered),
        (1, true, false)
    );
    let again = worker.append_track_points(walked).await.expect("again").into_inner();
    assert_eq!(again, first, "the same points change nothing");
    assert_eq!(
        coverage(&site, COMMUNITY).await,
        [("410182002011".to_owned(), 1, 0, 2, 1), ("410182002011001".to_owned(), 1, 0, 2, 1)]
    );
    let note = pb::Note {
        text: "井盖松动".into(),
        area: GRID.into(),
        patrol: patrol.name.clone(),
        ..Default::default()
    };
    let request = pb::CreateNoteRequest { parent: DISTRICT.into(), note: Some(note), ..Default::default() };
    let mut notes = NoteServiceClient::new(site.worker());
    let note = notes.create_note(request).await.expect("taken").into_inner();
    let on_it =
        pb::ListNotesRequest { parent: DISTRICT.into(), patrol: patrol.name.clone(), ..Default::default() };
    assert_eq!(notes.list_notes(on_it).await.expect("a page").into_inner().notes, [note]);
    let done = worker.end_patrol(end(&patrol)).await.expect("ended").into_inner();
    assert_eq!((done.state(), done.end_time), (pb::PatrolState::Done, Some(moment(site.clock.now()))));
    let late = worker.append_track_points(track(&site, &patrol, &[point(34.8, 113.38)])).await;
    assert_eq!(refusal(late), (Code::FailedPrecondition, "PATROL_STATE".into()));
    assert_eq!(coverage(&site, GRID).await, [("410182002011001".to_owned(), 1, 1, 2, 1)]);
    let list = pb::ListTrackPointsRequest { parent: patrol.name.clone(), page_size: 1, ..Default::default() };
    let page = worker.list_track_points(list.clone()).await.expect("a page").into_inner();
    assert_eq!(page.track_points[0].point, Some(point(34.785, 113.38)));
    let next = pb::ListTrackPointsRequest { page_token: page.next_page_token, ..list };
    let page = worker.list_track_points(next).await.expect("a page").into_inner();
    assert_eq!((page.track_points.len(), page.next_page_token.as_str()), (1, ""));
}

#[tokio::test]
async fn only_its_assignee_walks_and_only_a_chief_plans() {
    let site = Site::with_district().await;
    let me = member(&site, "worker").await;
    let patrol = planned(&site, &me).await;
    let denied = (Code::PermissionDenied, "PERMISSION_DENIED".to_owned());
    let mut other = Patrols::new(site.session("other", &[(Role::GridWorker, GRID)]));
    assert_eq!(refusal(other.start_patrol(start(&patrol)).await), denied);
    assert_eq!(refusal(chief(&site).start_patrol(start(&patrol)).await), denied);
    assert_eq!(refusal(walker(&site).create_patrol(plan(&site, &me, GRID)).await), denied);
    assert_eq!(refusal(chief(&site).create_patrol(plan(&site, &me, STREET)).await), denied);
    let mut elsewhere = Patrols::new(site.session("x", &[(Role::GridWorker, OTHER_GRID)]));
    let get = pb::GetPatrolRequest { name: patrol.name.clone() };
    assert_eq!(refusal(elsewhere.get_patrol(get).await), (Code::NotFound, "NOT_FOUND".into()));
    let nobody = format!("{DISTRICT}/staff/{}", request_id());
    let refused = chief(&site).create_patrol(plan(&site, &nobody, GRID)).await;
    assert_eq!(refusal(refused), (Code::FailedPrecondition, "REFERENCE_MISSING".into()));
    let mut wrong = plan(&site, &me, GRID);
    let given = wrong.patrol.as_mut().expect("given");
    given.radius_metres = 3;
    given.due_time = Some(moment(site.clock.now()));
    given.checkpoints[0].place = Some(pb::checkpoint::Place::Area(OTHER_GRID.into()));
    given.checkpoints[1].place = None;
    let mut fields = wrong_fields(chief(&site).create_patrol(wrong).await);
    fields.sort();
    let points = ["patrol.checkpoints[0].area", "patrol.checkpoints[1]"];
    assert_eq!(fields, [points[0], points[1], "patrol.due_time", "patrol.radius_metres"]);
}

#[tokio::test]
async fn a_person_walks_one_patrol_at_a_time() {
    let site = Site::with_district().await;
    let other = site.replica().await;
    let me = member(&site, "worker").await;
    let mut all = Vec::new();
    for _ in 0..8 {
        all.push(planned(&site, &me).await);
    }
    let calls = all.iter().enumerate().map(|(i, patrol)| {
        let mut worker = walker(if i % 2 == 0 { &site } else { &other });
        async move { worker.start_patrol(start(patrol)).await }
    });
    let (won, lost): (Vec<_>, Vec<_>) = join_all(calls).await.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 7));
    for refused in lost {
        assert_eq!(refusal(refused), (Code::FailedPrecondition, "PATROL_ONGOING".into()));
    }
    let ongoing = won.into_iter().next().expect("one").expect("started").into_inner();
    walker(&site).end_patrol(end(&ongoing)).await.expect("ended");
    let next = all.iter().find(|p| p.name != ongoing.name).expect("another");
    walker(&site).start_patrol(start(next)).await.expect("now it may");
}

#[tokio::test]
async fn the_same_points_at_the_same_moment_are_counted_once() {
    let site = Site::with_district().await;
    let other = site.replica().await;
    let me = member(&site, "worker").await;
    let patrol = planned(&site, &me).await;
    walker(&site).start_patrol(start(&patrol)).await.expect("started");
    site.clock.advance(Duration::hours(1));
    let points = [point(34.79, 113.38), point(34.795, 113.38), point(34.80, 113.38)];
    let calls = (0..8).map(|i| {
        let mut worker = walker(if i % 2 == 0 { &site } else { &other });
        let request = track(&site, &patrol, &points);
        async move { worker.append_track_points(request).await.expect("appended").into_inner().done_count }
    });
    assert_eq!(join_all(calls).await, [2; 8]);
    assert_eq!(coverage(&site, GRID).await, [("410182002011001".to_owned(), 1, 0, 2, 2)]);
}

#[tokio::test]
async fn what_was_not_started_in_time_is_missed_and_what_is_cancelled_counts_nowhere() {
    let site = Site::with_district().await;
    let me = member(&site, "worker").await;
    let (missed, cancelled) = (planned(&site, &me).await, planned(&site, &me).await);
    let cancel = |p: &pb::Patrol| pb::CancelPatrolRequest { name: p.name.clone(), ..Default::default() };
    let after = chief(&site).cancel_patrol(cancel(&cancelled)).await.expect("cancelled").into_inner();
    assert_eq!(after.state(), pb::PatrolState::Cancelled);
    site.clock.advance(Duration::hours(9));
    let refused = walker(&site).start_patrol(start(&missed)).await;
    assert_eq!(refusal(refused), (Code::FailedPrecondition, "PATROL_STATE".into()));
    let refused = chief(&site).cancel_patrol(cancel(&missed)).await;
    assert_eq!(refusal(refused), (Code::FailedPrecondition, "PATROL_STATE".into()));
    let list = pb::ListPatrolsRequest { parent: DISTRICT.into(), assignee: me, ..Default::default() };
    let page = walker(&site).list_patrols(list).await.expect("a page").into_inner().patrols;
    let states: Vec<_> = page.iter().map(|p| (p.name.clone(), p.state())).collect();
    assert!(states.contains(&(missed.name, pb::PatrolState::Missed)), "{states:?}");
    assert_eq!(coverage(&site, GRID).await, [("410182002011001".to_owned(), 1, 0, 2, 0)]);
}
