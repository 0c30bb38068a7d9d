//! Rates, times and dimensions: whatever was done, each number is the one computed the slow way from all that happened.

mod common;

use common::backstage::id;
use common::district::{PESTS, STREET, WATER};
use common::naive::{Naive, Wanted, Wanting};
use common::walk::{Dice, Walk};
use common::{DISTRICT, Session, Site, area, moment, refusal, wrong_fields};
use jingwei_grid::model::count::local_day;
use jingwei_grid::model::unit::Unit;
use jingwei_grid::recount::{Difference, Recount, Usage};
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::statistics_service_client::StatisticsServiceClient;
use sqlx::PgPool;
use time::Date;
use tonic::Code;

const AREAS: [&str; 6] =
    ["410182", "410182002", "410182002011", "410182002011001", "410182002011002", "410182003"];

fn statistics(site: &Site) -> StatisticsServiceClient<Session> {
    StatisticsServiceClient::new(site.session("supervisor", &[(Role::Supervisor, DISTRICT)]))
}

fn text(day: Option<Date>) -> String {
    day.map_or_else(String::new, |day| day.to_string())
}

/// The request that a want is.
fn request(wanted: &Wanted) -> pb::GetStatisticsRequest {
    let mut request = pb::GetStatisticsRequest {
        name: area(&wanted.area),
        from_date: text(wanted.from),
        to_date: text(wanted.to),
        ..Default::default()
    };
    match &wanted.member {
        Wanting::All => (),
        Wanting::Lead(unit) => request.lead = format!("{DISTRICT}/{unit}"),
        Wanting::Category(code) => request.category = format!("{DISTRICT}/categories/{code}"),
        Wanting::Level(depth) => request.level = Some((*depth).into()),
    }
    request
}

async fn check(site: &Site, naive: &Naive, wanted: &Wanted) {
    let got = statistics(site).get_statistics(request(wanted)).await.expect("counted").into_inner();
    let (counts, durations) = naive.count(wanted, local_day(site.clock.now()));
    assert_eq!(got.counts, Some(counts), "{wanted:?}");
    assert_eq!(got.durations, Some(durations), "{wanted:?}");
}

fn members() -> Vec<Wanting> {
    let unit = |text: &str| Wanting::Lead(text.parse::<Unit>().expect("a unit"));
    let units = ["departments/garden", "departments/water", "areas/410182002011001"].map(unit);
    let categories = ["trees", "pests"].map(|code| Wanting::Category(code.into()));
    let levels = (0..5).map(Wanting::Level);
    [Wanting::All].into_iter().chain(units).chain(categories).chain(levels).collect()
}

/// Something to ask, whatever it is.
fn any(dice: &mut Dice, naive: &Naive, today: Date) -> Wanted {
    let members = members();
    let mut days = naive.days();
    days.extend([today.next_day().expect("a day"), today - time::Duration::days(400)]);
    let day = |dice: &mut Dice| Some(days[dice.roll(days.len())]).filter(|_| dice.roll(3) > 0);
    let (one, other) = (day(dice), day(dice));
    let (from, to) = match (one, other) {
        (Some(one), Some(other)) => (Some(one.min(other)), Some(one.max(other))),
        ends => ends,
    };
    let member = members[dice.roll(members.len())].clone();
    Wanted { area: AREAS[dice.roll(AREAS.len())].to_owned(), member, from, to }
}

async fn list(site: &Site, parent: &str, dimension: pb::Dimension) -> Vec<pb::Statistics> {
    let request =
        pb::ListStatisticsRequest { parent: area(parent), dimension: dimension.into(), ..Default::default() };
    statistics(site).list_statistics(request).await.expect("listed").into_inner().statistics
}

/// Each member listed has the numbers that it has when asked for alone; of additive ones, the parts are the whole.
async fn check_lists(site: &Site) {
    for parent in ["410182", "410182002"] {
        let whole = get(site, &area(parent)).await.counts.expect("counts");
        for dimension in [pb::Dimension::Area, pb::Dimension::MainCategory, pb::Dimension::Category] {
            let parts: Vec<_> =
                list(site, parent, dimension).await.into_iter().flat_map(|s| s.counts).collect();
            let sum = |of: fn(&pb::StatisticCounts) -> i64| parts.iter().map(of).sum::<i64>();
            assert_eq!(sum(|c| c.reported), whole.reported, "{dimension:?}");
            assert_eq!(sum(|c| c.accepted), whole.accepted, "{dimension:?}");
            assert_eq!(sum(|c| c.closed), whole.closed, "{dimension:?}");
            assert_eq!(sum(|c| c.due), whole.due, "{dimension:?}");
            assert_eq!(sum(|c| c.due_on_time), whole.due_on_time, "{dimension:?}");
            assert_eq!(sum(|c| c.open), whole.open, "{dimension:?}");
        }
        let levels = list(site, parent, pb::Dimension::Level).await;
        assert_eq!(levels.iter().flat_map(|s| s.counts).map(|c| c.accepted).sum::<i64>(), whole.accepted);
    }
    for child in list(site, "410182002", pb::Dimension::Area).await {
        assert_eq!(get(site, &child.subject).await, child);
    }
    for department in list(site, "410182", pb::Dimension::Department).await {
        assert_eq!(get(site, &department.subject).await, department);
    }
}

async fn get(site: &Site, name: &str) -> pb::Statistics {
    let request = pb::GetStatisticsRequest { name: name.to_owned(), ..Default::default() };
    statistics(site).get_statistics(request).await.expect("counted").into_inner()
}

/// Day by day, week by week, month by month: the sums of a trend are the whole.
async fn check_trend(site: &Site, naive: &Naive) {
    let (days, today) = (naive.days(), local_day(site.clock.now()));
    let first = days[0];
    let wanted = Wanted { area: "410182".into(), member: Wanting::All, from: Some(first), to: Some(today) };
    let whole = naive.count(&wanted, today).0;
    for step in [pb::TrendStep::Day, pb::TrendStep::Week, pb::TrendStep::Month, pb::TrendStep::Year] {
        let request = pb::GetTrendRequest {
            name: area("410182"),
            from_date: first.to_string(),
            to_date: today.to_string(),
            step: step.into(),
            ..Default::default()
        };
        let points = statistics(site).get_trend(request).await.expect("a trend").into_inner().points;
        let sum =
            |of: fn(&pb::StatisticCounts) -> i64| points.iter().flat_map(|p| &p.counts).map(of).sum::<i64>();
        assert_eq!((sum(|c| c.reported), sum(|c| c.due)), (whole.reported, whole.due), "{step:?}");
        assert_eq!(points[0].from_date, first.to_string());
        assert_eq!(points[points.len() - 1].to_date, today.to_string());
    }
}

#[tokio::test]
async fn after_every_step_each_number_is_what_it_is_the_slow_way() {
    let site = Site::with_district().await;
    site.areas().create_area(common::new_area("410182003", "索河街道")).await.expect("created");
    let mut walk = Walk::new(&site, Dice(20_261_122)).await;
    let mut naive = Naive::default();
    for step in 0..400 {
        walk.step().await;
        naive.look(&walk.pool).await;
        let today = local_day(site.clock.now());
        for _ in 0..3 {
            let wanted = any(&mut walk.dice, &naive, today);
            check(&site, &naive, &wanted).await;
        }
        if walk.dice.roll(15) == 0 {
            walk.sweep.roll_up().await.expect("rolled up");
        }
        if step % 100 == 99 {
            for member in members() {
                for code in AREAS {
                    let wanted = Wanted { area: code.into(), member: member.clone(), from: None, to: None };
                    check(&site, &naive, &wanted).await;
                }
            }
            check_lists(&site).await;
            check_trend(&site, &naive).await;
        }
    }
    assert!(walk.done > 300, "only {} of 400 steps were possible", walk.done);
    let all = Wanted { area: "410182".into(), member: Wanting::All, from: None, to: None };
    let (counts, durations) = naive.count(&all, local_day(site.clock.now()));
    println!("{counts:?} {durations:?}");
    for (what, count) in [
        ("returned", counts.returned),
        ("extended", counts.extended),
        ("reworked", counts.reworked),
        ("reopened", counts.reopened),
        ("merged", counts.merged),
        ("due and late", counts.due - counts.due_on_time),
        ("on time", counts.due_on_time),
        ("handled", durations.handling.expect("durations").count),
    ] {
        assert!(count > 0, "nothing was {what}: {counts:?}");
    }
    walk.sweep.roll_up().await.expect("rolled up");
    let found = Recount::default().run(&walk.pool, |_, difference| println!("{difference}")).await;
    assert_eq!(found.expect("recounted"), 0);
}

/// Adds transitions of an event that was reported, each with one contribution of this metric on a day: in bulk, as the
/// handlers would write them one by one.
async fn contribute(pool: &PgPool, event: &pb::Event, metric: i32, day: &str, times: i32) {
    let sql = "with head as (
        update feed_head set seq = seq + $4 where district = 410182 returning seq - $4 as before),
      last as (select max(version) as version from event_transition where district = 410182 and event_id = $1)
      insert into event_transition (district, event_id, version, seq, action, to_state, actor, role, unit, area, area_version,
        create_time, reason, note, details, previous_hash, hash, contributions)
      select district, event_id, last.version + i, head.before + i, action, to_state, actor, role, unit, area, area_version,
        create_time, reason, note, details, previous_hash, hash,
        jsonb_build_array(jsonb_build_object('metric', $2, 'day', $3, 'amount', 1, 'category', 'pests',
          'lead', 'departments/water', 'level', 3))
      from event_transition t cross join head cross join last cross join generate_series(1, $4) as i
      where t.district = 410182 and t.event_id = $1 and t.version = 1";
    let query = sqlx::query(sql).bind(id(event)).bind(metric).bind(day).bind(times);
    query.execute(pool).await.expect("written");
}

fn rate(rate: Option<pb::Rate>) -> (i64, i64, String) {
    let rate = rate.expect("a rate");
    (rate.numerator, rate.denominator, rate.percent)
}

#[tokio::test]
async fn the_golden_rates() {
    let site = Site::with_district().await;
    let (pool, event) = (site.pool().await, site.report().await);
    // With the report itself 36,314 reports.
    let day = "2026-03-02";
    for (metric, times) in
        [(1, 36_313), (2, 33_928), (17, 972), (18, 911), (19, 737), (20, 50), (21, 40), (22, 30), (23, 29)]
    {
        contribute(&pool, &event, metric, day, times).await;
    }
    // Due tomorrow: not yet in anybody's denominator, whatever the period.
    contribute(&pool, &event, 17, "2026-03-03", 5).await;
    let sweep = site.sweep().await;
    for rolled_up in [false, true] {
        let mut all =
            vec![get(&site, DISTRICT_AREA).await, list(&site, "410182", pb::Dimension::Area).await.remove(0)];
        let wanted = Wanted { area: "410182".into(), member: Wanting::All, from: None, to: Date::MAX.into() };
        let year = pb::GetStatisticsRequest {
            from_date: "2026-01-01".into(),
            to_date: "2026-12-31".into(),
            category: PESTS.into(),
            ..request(&Wanted { to: None, ..wanted })
        };
        all.push(statistics(&site).get_statistics(year).await.expect("counted").into_inner());
        for statistics in all {
            let rates = statistics.rates.expect("rates");
            assert_eq!(rate(rates.acceptance), (33_928, 36_314, "93.43".into()), "rolled up: {rolled_up}");
            assert_eq!(rate(rates.closing), (911, 972, "93.72".into()));
            assert_eq!(rate(rates.on_time_closing), (737, 972, "75.82".into()));
            assert_eq!(rate(rates.overdue), (235, 972, "24.18".into()));
            assert_eq!(rate(rates.solution), (40, 50, "80.00".into()));
            assert_eq!(rate(rates.satisfaction), (29, 30, "96.67".into()));
            assert_eq!(rate(rates.rework), (0, 0, String::new()));
        }
        let water = get(&site, WATER).await;
        let counts = water.counts.expect("counts");
        assert_eq!((counts.reported, counts.due, counts.open), (36_313, 972, 0), "led by the water company");
        sweep.roll_up().await.expect("rolled up");
    }
    site.clock.advance(time::Duration::days(1));
    assert_eq!(get(&site, DISTRICT_AREA).await.counts.expect("counts").due, 977);
}

const DISTRICT_AREA: &str = "districts/410182/areas/410182";

/// On a Monday at nine, with the limits of the tests' category; answers with the event's name.
async fn dispatched(site: &Site) -> pb::Event {
    let mut street = site.events(Role::Street, STREET);
    let name = site.report().await.name;
    street
        .accept_event(pb::AcceptEventRequest { name: name.clone(), ..Default::default() })
        .await
        .expect("accepted");
    let register = pb::RegisterEventRequest { name: name.clone(), ..Default::default() };
    street.register_event(register).await.expect("registered");
    let lead = Some(pb::Unit { kind: Some(pb::unit::Kind::Department(WATER.into())) });
    let dispatch = pb::DispatchEventRequest { name, lead, ..Default::default() };
    street.dispatch_event(dispatch).await.expect("dispatched").into_inner()
}

#[tokio::test]
async fn what_is_overdue_and_open_counts_against_closing_in_time() {
    let site = Site::with_district().await;
    let event = dispatched(&site).await;
    let on_time = async || rate(get(&site, WATER).await.rates.expect("rates").on_time_closing);
    assert_eq!(on_time().await, (0, 0, String::new()), "not due today");
    site.clock.advance(time::Duration::days(30));
    assert_eq!(on_time().await, (0, 1, "0.00".into()), "overdue, open, and without a sweep");
    let mut water = site.events(Role::Department, WATER);
    let sign = pb::SignForEventRequest { name: event.name.clone(), ..Default::default() };
    water.sign_for_event(sign).await.expect("signed for");
    let resolve = pb::ResolveEventRequest {
        name: event.name.clone(),
        outcome: pb::EventOutcome::Solved.into(),
        note: "已修".into(),
        evidence: vec![pb::Evidence { text: "照片".into(), ..Default::default() }],
        ..Default::default()
    };
    water.resolve_event(resolve).await.expect("resolved");
    let pass = pb::PassEventRequest { name: event.name, ..Default::default() };
    site.events(Role::Street, STREET).pass_event(pass).await.expect("passed");
    let statistics = get(&site, WATER).await;
    let rates = statistics.rates.expect("rates");
    assert_eq!(rate(rates.on_time_closing), (0, 1, "0.00".into()), "closed, but late");
    assert_eq!(rate(rates.closing), (1, 1, "100.00".into()));
    let handling = statistics.durations.expect("durations").handling.expect("handling");
    assert_eq!((handling.count, handling.median_minutes, handling.p90_minutes), (1, 30 * 1440, 30 * 1440));
}

#[tokio::test]
async fn what_is_suspended_is_not_due_until_it_goes_on() {
    let site = Site::with_district().await;
    let name = dispatched(&site).await.name;
    let mut water = site.events(Role::Department, WATER);
    let sign = pb::SignForEventRequest { name: name.clone(), ..Default::default() };
    water.sign_for_event(sign).await.expect("signed for");
    let ask = pb::RequestSuspensionRequest {
        name: name.clone(),
        resume_time: Some(moment(site.clock.now() + time::Duration::days(60))),
        reason: "等待配件".into(),
        ..Default::default()
    };
    water.request_suspension(ask).await.expect("asked");
    let approve = pb::ApproveSuspensionRequest { name: name.clone(), ..Default::default() };
    site.events(Role::Street, STREET).approve_suspension(approve).await.expect("suspended");
    site.clock.advance(time::Duration::days(30));
    let due = async || get(&site, WATER).await.counts.expect("counts").due;
    assert_eq!(due().await, 0, "its deadline would have passed");
    let resume = pb::ResumeEventRequest { name, ..Default::default() };
    site.events(Role::Street, STREET).resume_event(resume).await.expect("resumed");
    assert_eq!(due().await, 0, "its deadline is still to come");
    site.clock.advance(time::Duration::days(30));
    assert_eq!(due().await, 1, "it has passed");
}

#[tokio::test]
async fn a_recount_finds_what_is_wrong_and_repairs_it_while_people_write() {
    let site = Site::with_district().await;
    let (pool, sweep) = (site.pool().await, site.sweep().await);
    dispatched(&site).await;
    sweep.roll_up().await.expect("rolled up");
    let corrupt = [
        "update statistic_count set count = count + 3
        where area = '410182002' and dimension = 3 and member = 'pests' and span = 2 and metric = 2",
        "delete from statistic_minutes where area = '410182' and dimension = 0 and span = 1 and metric = 31",
        "insert into statistic_count values (410182, 0, '410182003', '', 1, '2026-01-05', 1, 7)",
    ];
    for sql in corrupt {
        assert_eq!(sqlx::query(sql).execute(&pool).await.expect("corrupted").rows_affected(), 1, "{sql}");
    }
    let recount = async |repair: bool| {
        let mut found = Vec::new();
        let recount = Recount { district: Some(410_182), repair };
        let told = recount.run(&pool, |_, d| found.push(events(d))).await;
        assert_eq!(told.expect("recounted"), found.len());
        found
    };
    let wrong = [
        ("410182".to_owned(), 31, 0, 1),
        ("410182002".to_owned(), 2, 4, 1),
        ("410182003".to_owned(), 1, 7, 0),
    ];
    assert_eq!(recount(false).await, wrong, "found, and left as it is");
    let write = async || {
        for _ in 0..40 {
            site.report().await;
        }
    };
    let roll_up = async || {
        for _ in 0..10 {
            sweep.roll_up().await.expect("rolled up");
        }
    };
    let (repaired, ..) = tokio::join!(recount(true), write(), write(), roll_up());
    assert_eq!(repaired, wrong);
    assert_eq!(recount(false).await, []);
    let counts = get(&site, DISTRICT_AREA).await.counts.expect("counts");
    assert_eq!((counts.reported, counts.accepted), (81, 1), "no report is lost, none counts twice");
    sweep.roll_up().await.expect("rolled up");
    assert_eq!(recount(false).await, []);
}

/// What a difference of the events' numbers says.
fn events(difference: &Difference) -> (String, i32, i64, i64) {
    match difference {
        Difference::Events(d) => (d.area.clone(), d.metric, d.counted, d.folded),
        Difference::Notes(notes) => panic!("nobody took notes: {notes:?}"),
    }
}

#[test]
fn recount_says_what_it_takes() {
    let read = |arguments: &[&str]| Recount::read(arguments.iter().map(|text| (*text).to_owned()));
    assert_eq!(read(&[]), Ok(Recount::default()));
    assert_eq!(
        read(&["--repair", "--district", "410182"]),
        Ok(Recount { district: Some(410_182), repair: true })
    );
    assert_eq!(read(&["--district"]), Err(Usage));
    assert_eq!(read(&["--fix"]), Err(Usage));
}

#[tokio::test]
async fn wrong_requests_are_refused() {
    let site = Site::with_district().await;
    let mut client = statistics(&site);
    let all = pb::GetStatisticsRequest { name: area("410182"), ..Default::default() };
    let two = pb::GetStatisticsRequest { lead: WATER.into(), level: Some(1), ..all.clone() };
    assert_eq!(wrong_fields(client.get_statistics(two).await), ["name"]);
    let foreign =
        pb::GetStatisticsRequest { category: "districts/410183/categories/pests".into(), ..all.clone() };
    assert_eq!(wrong_fields(client.get_statistics(foreign).await), ["category"]);
    let unknown =
        pb::GetStatisticsRequest { category: "districts/410182/categories/no".into(), ..all.clone() };
    let refused = refusal(client.get_statistics(unknown).await);
    assert_eq!(refused, (Code::FailedPrecondition, "REFERENCE_MISSING".into()));
    for name in [area("410182009"), format!("{DISTRICT}/departments/none")] {
        let missing = pb::GetStatisticsRequest { name, ..Default::default() };
        assert_eq!(refusal(client.get_statistics(missing).await), (Code::NotFound, "NOT_FOUND".into()));
    }
    let long = pb::GetTrendRequest {
        name: area("410182"),
        from_date: "2020-01-01".into(),
        to_date: "2026-01-01".into(),
        step: pb::TrendStep::Day.into(),
        ..Default::default()
    };
    assert_eq!(wrong_fields(client.get_trend(long).await), ["to_date"]);
}
