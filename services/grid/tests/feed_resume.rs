//! The feed under load: readers who break off a hundred times, at any point and between replicas, miss nothing and see
//! nothing twice; and what the feed no longer reaches back to is told.

mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use common::district::{COMMUNITY, GRID, OTHER_GRID, PESTS};
use common::{DISTRICT, Session, Site, refusal, request_id};
use futures::future::join_all;
use jingwei_grid::api::wire::calendar;
use jingwei_kit::outbox::{place, token};
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::area_service_client::AreaServiceClient;
use jingwei_proto::grid::v1::calendar_service_client::CalendarServiceClient;
use jingwei_proto::grid::v1::category_service_client::CategoryServiceClient;
use jingwei_proto::grid::v1::event_service_client::EventServiceClient;
use jingwei_work_calendar::{Calendar, covered_years, parse_days, parse_shifts};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Response, Status, Streaming};

/// How often a reader breaks off.
const BREAKS: usize = 100;
/// 上街区, where others write at the same time.
const OTHER_DISTRICT: &str = "districts/410106";
const PATIENCE: Duration = Duration::from_secs(20);

type Client = EventServiceClient<Session>;

/// What a reader has seen, and where it goes on.
struct Reader {
    /// The replicas that it goes to.
    replicas: [Client; 2],
    district: &'static str,
    seen: Vec<pb::WatchEventsResponse>,
    token: String,
    /// The state of a generator of numbers.
    random: u64,
}

impl Reader {
    /// Reads from the district's first change on.
    fn new(sites: [&Site; 2], grant: (Role, &str), district: &'static str) -> Self {
        let replicas = sites.map(|site| EventServiceClient::new(site.session("reader", &[grant])));
        let token = token(number(district), 0);
        Self { replicas, district, seen: Vec::new(), token, random: 410_182 }
    }

    /// The next of an endless row of numbers below `end`: xorshift.
    fn random(&mut self, end: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        usize::try_from(self.random >> 33).expect("31 bits") % end
    }

    /// Opens a stream at one of the replicas, where the last one broke off.
    async fn resume(&mut self) -> Result<Streaming<pb::WatchEventsResponse>, Status> {
        let (parent, resume_token) = (self.district.to_owned(), self.token.clone());
        let request = pb::WatchEventsRequest { parent, resume_token, ..Default::default() };
        let replica = self.random(2);
        self.replicas[replica].watch_events(request).await.map(Response::into_inner)
    }

    /// Takes one change; false where the service asks to come back, which is a break like any other.
    async fn next(&mut self, stream: &mut Streaming<pb::WatchEventsResponse>) -> bool {
        let next = tokio::time::timeout(PATIENCE, stream.message()).await.expect("a change comes");
        let Some(next) = unless_busy(next) else { return false };
        let change = next.expect("the feed does not end");
        self.token.clone_from(&change.resume_token);
        self.seen.push(change);
        true
    }

    /// Breaks off a hundred times, after some changes or none, however many are on their way.
    async fn break_off(&mut self) {
        for _ in 0..BREAKS {
            let Some(mut stream) = unless_busy(self.resume().await) else { continue };
            for _ in 0..self.random(4) {
                if !self.next(&mut stream).await {
                    break;
                }
            }
        }
    }

    /// Reads on until this event has come.
    async fn finish(&mut self, last: &str) {
        while self.seen.last().is_none_or(|change| change.event != last) {
            let Some(mut stream) = unless_busy(self.resume().await) else { continue };
            while self.next(&mut stream).await && self.seen.last().is_some_and(|change| change.event != last)
            {
            }
        }
    }
}

/// `None` where a machine that is busy with other things answered late; the service says so, and may be asked again.
fn unless_busy<T>(answer: Result<T, Status>) -> Option<T> {
    match answer {
        Ok(answer) => Some(answer),
        Err(status) if matches!(status.code(), Code::Unavailable | Code::DeadlineExceeded) => None,
        Err(status) => panic!("{status:?}"),
    }
}

fn number(district: &str) -> i32 {
    district
        .rsplit('/')
        .next()
        .and_then(|code| code.parse().ok())
        .expect("a district's name ends with its code")
}

/// Who reports, accepts and comments at one of the replicas.
fn writer(site: &Site, community: &'static str) -> Client {
    EventServiceClient::new(site.session("writer", &[(Role::Community, community)]))
}

fn report(site: &Site, community: &str, area: &str, category: &str) -> pb::ReportEventRequest {
    pb::ReportEventRequest {
        parent: community.split("/areas/").next().expect("a district").to_owned(),
        category: category.into(),
        area: area.into(),
        request_id: request_id(),
        ..site.new_report()
    }
}

/// Reports until told to stop, each report twice at once (a client that did not hear the first answer), then accepts and
/// comments at either replica; comments race each other. Answers with the events' names.
async fn write(
    sites: [&Site; 2],
    community: &'static str,
    area: &str,
    category: &str,
    stop: &CancellationToken,
) -> Vec<String> {
    let mut names = Vec::new();
    let [mut one, mut other] = sites.map(|site| writer(site, community));
    while !stop.is_cancelled() {
        let request = report(sites[0], community, area, category);
        let (first, second) =
            tokio::join!(one.report_event(request.clone()), other.report_event(request.clone()));
        let mut answers: Vec<_> = [first, second].into_iter().filter_map(unless_busy).collect();
        while answers.is_empty() {
            answers.extend(unless_busy(one.report_event(request.clone()).await));
        }
        let name = answers[0].get_ref().name.clone();
        assert!(answers.iter().all(|answer| answer.get_ref().name == name), "twins are one");
        let accept = pb::AcceptEventRequest { name: name.clone(), ..Default::default() };
        unless_busy(one.accept_event(accept).await);
        let comment =
            pb::CommentEventRequest { name: name.clone(), note: "已到现场".into(), ..Default::default() };
        // Of two at once one may lose.
        let (first, second) = tokio::join!(one.comment_event(comment.clone()), other.comment_event(comment));
        for lost in [first, second].into_iter().filter_map(Result::err) {
            assert!(
                matches!(lost.code(), Code::Aborted | Code::Unavailable | Code::DeadlineExceeded),
                "{lost:?}"
            );
        }
        names.push(name);
    }
    names
}

/// The whole history of an event.
async fn history(client: &mut Client, name: &str) -> Vec<pb::EventTransition> {
    let request =
        pb::ListEventTransitionsRequest { parent: name.to_owned(), page_size: 200, ..Default::default() };
    client.list_event_transitions(request).await.expect("readable").into_inner().transitions
}

/// What was seen is the whole history of these events, each change once, and in the order of the feed.
async fn check(
    site: &Site,
    dispatcher: (Role, &'static str),
    names: &[String],
    seen: &[pb::WatchEventsResponse],
) {
    let places = seen
        .iter()
        .map(|change| place("resume_token", &change.resume_token, number(dispatcher.1)).expect("a token"));
    assert!(places.is_sorted_by(|a, b| a < b), "in order and none twice");
    let mut client = EventServiceClient::new(site.session("dispatcher", &[dispatcher]));
    let mut told: BTreeMap<&str, Vec<&pb::EventTransition>> = BTreeMap::new();
    for change in seen {
        told.entry(&change.event).or_default().push(change.transition.as_ref().expect("what changed"));
    }
    assert_eq!(told.len(), names.len(), "of these events and no other");
    for name in names {
        let happened = history(&mut client, name).await;
        assert_eq!(
            told.remove(name.as_str()).unwrap_or_default(),
            happened.iter().collect::<Vec<_>>(),
            "{name}"
        );
    }
}

/// Another district with an area of each depth, a calendar and a category.
async fn found_other_district(site: &Site) {
    let session = || site.session("admin", &[(Role::Administrator, OTHER_DISTRICT)]);
    let parent = OTHER_DISTRICT.to_owned();
    for code in ["410106", "410106001", "410106001001", "410106001001001"] {
        let area = pb::Area {
            name: format!("{parent}/areas/{code}"),
            display_name: code.into(),
            ..Default::default()
        };
        let request =
            pb::CreateAreaRequest { parent: parent.clone(), area: Some(area), ..Default::default() };
        AreaServiceClient::new(session()).create_area(request).await.expect("created");
    }
    for (code, above) in [("trees", ""), ("pests", "districts/410106/categories/trees")] {
        let name = format!("{parent}/categories/{code}");
        let category = pb::Category {
            name,
            parent_category: above.into(),
            display_name: code.into(),
            ..Default::default()
        };
        let request = pb::CreateCategoryRequest {
            parent: parent.clone(),
            category: Some(category),
            ..Default::default()
        };
        CategoryServiceClient::new(session()).create_category(request).await.expect("created");
    }
    let days =
        parse_days(include_str!("../../work-calendar/data/holidays-cn.csv")).expect("the shipped data read");
    let shifts = parse_shifts(include_str!("../../work-calendar/data/default-shifts.csv"))
        .expect("the shipped data read");
    let years = covered_years(&days);
    let calendar = calendar::write(410_106, 1, &Calendar::new(shifts, days, years).expect("valid"));
    let calendar = pb::WorkCalendar { etag: String::new(), ..calendar };
    let request = pb::UpdateWorkCalendarRequest { work_calendar: Some(calendar), ..Default::default() };
    CalendarServiceClient::new(session()).update_work_calendar(request).await.expect("entered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_breaks_under_load_lose_nothing_and_repeat_nothing() {
    const THERE: &str = "districts/410106/areas/410106001001";
    const THEIR_GRID: &str = "districts/410106/areas/410106001001001";
    const THEIR_PESTS: &str = "districts/410106/categories/pests";
    let mut site = Site::with_district().await;
    found_other_district(&site).await;
    // On a machine that is busy with other tests no call is to end as UNAVAILABLE.
    (site.database.acquire_timeout, site.database.statement_timeout) = (PATIENCE, PATIENCE);
    let (one, replica) = (site.replica().await, site.replica().await);
    let (sites, stop) = ([&one, &replica], CancellationToken::new());
    let write = |community, area, category| write(sites, community, area, category, &stop);
    let writers = join_all([
        write(COMMUNITY, GRID, PESTS),
        write(COMMUNITY, OTHER_GRID, PESTS),
        write(COMMUNITY, GRID, PESTS),
        write(THERE, THEIR_GRID, THEIR_PESTS),
    ]);
    let mut worker = Reader::new(sites, (Role::GridWorker, GRID), DISTRICT);
    let mut dispatcher = Reader::new(sites, (Role::Dispatcher, DISTRICT), DISTRICT);
    let mut there = Reader::new(sites, (Role::Dispatcher, OTHER_DISTRICT), OTHER_DISTRICT);
    let reading = async {
        tokio::join!(worker.break_off(), dispatcher.break_off(), there.break_off());
        stop.cancel();
    };
    let (mut written, ()) = tokio::join!(writers, reading);
    // The last change of all, so that a reader knows when it has everything.
    for (at, community, area, category) in [(0, COMMUNITY, GRID, PESTS), (3, THERE, THEIR_GRID, THEIR_PESTS)]
    {
        let request = report(&site, community, area, category);
        let last = writer(&replica, community).report_event(request).await.expect("reported");
        written[at].push(last.into_inner().name);
    }
    let (last, last_there) =
        (written[0].last().expect("one").clone(), written[3].last().expect("one").clone());
    tokio::join!(worker.finish(&last), dispatcher.finish(&last), there.finish(&last_there));

    let of = |writers: &[usize]| writers.iter().flat_map(|at| written[*at].clone()).collect::<Vec<_>>();
    let all = (Role::Dispatcher, DISTRICT);
    check(&site, all, &of(&[0, 2]), &worker.seen).await;
    check(&site, all, &of(&[0, 1, 2]), &dispatcher.seen).await;
    check(&site, (Role::Dispatcher, OTHER_DISTRICT), &of(&[3]), &there.seen).await;
}

#[tokio::test]
async fn the_feed_reaches_back_as_far_as_it_is_kept() {
    const DAY: Duration = Duration::from_secs(24 * 3600);
    let site = Site::with_district().await;
    let sweep = site.sweep().await;
    let old = site.report().await;
    site.clock.advance(time::Duration::days(20));
    let kept = site.report().await;
    site.clock.advance(time::Duration::days(11));
    sweep.expire(DAY, 30 * DAY).await.expect("swept");

    let mut late = Reader::new([&site, &site], (Role::Dispatcher, DISTRICT), DISTRICT);
    let mut stream = late.resume().await.expect("begun");
    assert_eq!(refusal(stream.message().await), (Code::OutOfRange, "FEED_TOKEN_EXPIRED".into()));
    // What was read before is as good as ever: what it says is in the events themselves.
    assert_eq!(history(&mut late.replicas[0], &old.name).await.len(), 1);
    let pool = site.pool().await;
    let first = sqlx::query_scalar::<_, i64>("select min(seq) from outbox where district = 410182");
    late.token = token(410_182, first.fetch_one(&pool).await.expect("asked") - 1);
    let mut stream = late.resume().await.expect("resumed");
    assert!(late.next(&mut stream).await);
    assert_eq!(late.seen[0].event, kept.name, "what is kept is read as ever");
}
