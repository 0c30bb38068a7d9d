//! A clock that jumps: forth, so that deadlines pass, and back again, also over midnight.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use jingwei_grid::model::transition::verify_chain;
use jingwei_grid::recount::Recount;
use jingwei_grid::store::transition;
use jingwei_kit::clock::Clock;
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::event_service_client::EventServiceClient;
use jingwei_standalone::keys::{Grant, read_scope};
use jingwei_standalone::{Options, Suite};
use jingwei_tests::{District, Error, Session, session};
use sqlx::PgPool;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use tonic::transport::Endpoint;
use uuid::Uuid;

use crate::site::until;

/// Nine o'clock on a Monday: an event must be accepted within two hours, with a warning after 96 minutes.
const NINE: OffsetDateTime = datetime!(2026-03-02 09:00 +8);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_jumps_repeats_nothing_and_leaves_no_gap() -> Result<(), Error> {
    let folder = tempfile::tempdir()?;
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
    let clock = Clock::manual(NINE - Duration::days(1));
    let options =
        Options { dir: folder.path().to_owned(), port: 0, database_url: None, clock: clock.clone() };
    let suite = Suite::start(options).await?;
    let pool = suite.grid_database().connect().await?;
    let district = District::all().into_iter().find(|d| d.code == 410_182).ok_or("no such district")?;
    district
        .set_up(&person(&suite, "administrator", Role::Administrator, NINE - Duration::days(1)).await?)
        .await?;
    clock.set(NINE);
    let worker = person(&suite, "worker", Role::Dispatcher, NINE + Duration::days(1)).await?;
    let mut events = EventServiceClient::new(worker);

    let request = new_report(&district);
    let first = events.report_event(request.clone()).await?.into_inner();
    let id: Uuid = first.name.rsplit('/').next().unwrap_or_default().parse()?;
    // Forth and back and forth: the warning and the alarm of the event come once.
    for (minutes, alarms) in [(135, 3), (30, 3), (140, 3), (45, 3)] {
        clock.set(NINE + Duration::minutes(minutes));
        until("the alarms are given", async || Ok(transitions(&pool, id).await? >= alarms)).await?;
        swept(&pool, &mut events, &district).await?;
        assert_eq!(transitions(&pool, id).await?, alarms, "at {minutes} minutes");
    }
    // Earlier than its last transition: it is accepted all the same, and the request may be repeated.
    let accept = pb::AcceptEventRequest {
        name: first.name.clone(),
        request_id: clock.id().to_string(),
        ..Default::default()
    };
    let accepted = events.accept_event(accept.clone()).await?.into_inner();
    clock.set(NINE - Duration::hours(10));
    assert_eq!(events.accept_event(accept).await?.into_inner(), accepted);
    assert_eq!(events.report_event(request).await?.into_inner(), first);
    let yesterday = events.report_event(new_report(&district)).await?.into_inner();
    assert_eq!(yesterday.case_number, "410182-20260301-000001");
    clock.set(NINE);
    swept(&pool, &mut events, &district).await?;
    all_is_whole(&pool, id).await?;
    pool.close().await;
    suite.stop().await
}

/// Someone whose token is made at that time, and valid for three days.
async fn person(suite: &Suite, subject: &str, role: Role, at: OffsetDateTime) -> Result<Session, Error> {
    let channel = Endpoint::from_shared(format!("http://{}", suite.grid()))?.connect().await?;
    let grant = Grant { role, scope: read_scope("410182")? };
    session(&channel, &suite.key().token(subject, None, &grant, at, Duration::days(3))?)
}

fn new_report(district: &District) -> pb::ReportEventRequest {
    pb::ReportEventRequest {
        parent: district.name(),
        category: district.category(0),
        area: district.resource("areas", &district.grids[0]),
        description: "井盖缺失".to_owned(),
        request_id: Clock::system().id().to_string(),
        ..Default::default()
    }
}

/// Waits until the sweep has come by since now: it counts what it finds, last of all.
async fn swept(
    pool: &PgPool,
    events: &mut EventServiceClient<Session>,
    district: &District,
) -> Result<(), Error> {
    // Two: the sweep that counts the first may have looked for alarms before the clock jumped.
    for _ in 0..2 {
        events.report_event(new_report(district)).await?;
        let behind =
            "select count(*) from feed_head h join statistic_head s using (district) where s.seq < h.seq";
        until("the sweep has come by", async || {
            Ok(sqlx::query_scalar::<_, i64>(behind).fetch_one(pool).await? == 0)
        })
        .await?;
    }
    Ok(())
}

async fn transitions(pool: &PgPool, event: Uuid) -> Result<usize, Error> {
    Ok(transition::list(pool, 410_182, event, 0, 1000).await?.len())
}

/// Histories hold, the feed has no gap and the order of commits, no duration is negative, the counters are right.
async fn all_is_whole(pool: &PgPool, event: Uuid) -> Result<(), Error> {
    verify_chain(&transition::list(pool, 410_182, event, 0, 1000).await?)?;
    let wrong = [
        "select count(*) from statistic_minutes where minutes < 0",
        "select coalesce(sum(h.seq - (select count(*) from outbox o where o.district = h.district)), 0)::bigint from feed_head h",
        "select count(*) from event_transition a join event_transition b using (district, event_id) where b.version = a.version + 1 and b.seq <= a.seq",
        "select (select sum(last) from case_day)::bigint - (select count(distinct case_number) from event)",
    ];
    for sql in wrong {
        assert_eq!(sqlx::query_scalar::<_, i64>(sql).fetch_one(pool).await?, 0, "{sql}");
    }
    let differences = Recount::default().run(pool, |district, found| println!("{district}: {found}")).await?;
    assert_eq!(differences, 0);
    Ok(())
}
