//! Month bulletins: what they tell is what the statistics say, and the workbook has the same numbers as numbers.

mod common;

use std::io::Cursor;

use calamine::{Data, Range, Reader, Xlsx};
use common::district::{GARDEN, STREET, WATER};
use common::{DISTRICT, Session, Site, area, refusal, wrong_fields};
use futures::TryStreamExt;
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::month_bulletin_service_client::MonthBulletinServiceClient;
use time::Duration;
use tonic::Code;

const MONTH: &str = "2026-03";

fn bulletins(site: &Site) -> MonthBulletinServiceClient<Session> {
    MonthBulletinServiceClient::new(site.session("supervisor", &[(Role::Supervisor, DISTRICT)]))
}

/// An event that the street gives to a department, which resolves it after some days; then the street passes it.
async fn handle(site: &Site, department: &str, days: i64) {
    let mut street = site.events(Role::Street, STREET);
    let name = site.report().await.name;
    street
        .accept_event(pb::AcceptEventRequest { name: name.clone(), ..Default::default() })
        .await
        .expect("accepted");
    let register = pb::RegisterEventRequest { name: name.clone(), ..Default::default() };
    street.register_event(register).await.expect("registered");
    let lead = Some(pb::Unit { kind: Some(pb::unit::Kind::Department(department.into())) });
    let dispatch = pb::DispatchEventRequest { name: name.clone(), lead, ..Default::default() };
    street.dispatch_event(dispatch).await.expect("dispatched");
    site.clock.advance(Duration::days(days));
    let mut handler = site.events(Role::Department, department);
    let sign = pb::SignForEventRequest { name: name.clone(), ..Default::default() };
    handler.sign_for_event(sign).await.expect("signed for");
    let resolve = pb::ResolveEventRequest {
        name: name.clone(),
        outcome: pb::EventOutcome::Solved.into(),
        note: "已处置".into(),
        evidence: vec![pb::Evidence { text: "照片".into(), ..Default::default() }],
        ..Default::default()
    };
    handler.resolve_event(resolve).await.expect("resolved");
    let pass = pb::PassEventRequest { name, ..Default::default() };
    // A token holds for an hour.
    site.events(Role::Street, STREET).pass_event(pass).await.expect("passed");
}

/// In March two events in time by the garden centre, one too late by the water company; April is not over yet.
async fn month(site: &Site) {
    site.areas().create_area(common::new_area("410182003", "=1+1 索河街道")).await.expect("created");
    handle(site, GARDEN, 0).await;
    handle(site, GARDEN, 0).await;
    handle(site, WATER, 20).await;
    site.clock.advance(Duration::days(20));
    handle(site, GARDEN, 0).await;
}

fn request(name: &str, month: &str) -> pb::GetMonthBulletinRequest {
    pb::GetMonthBulletinRequest { name: area(name), month: month.into() }
}

#[tokio::test]
async fn a_bulletin_ranks_and_compares() {
    let site = Site::with_district().await;
    month(&site).await;
    let mut client = bulletins(&site);
    let march = client.get_month_bulletin(request("410182", MONTH)).await.expect("a bulletin").into_inner();
    let on_time = |row: &pb::MonthBulletinRow| {
        let rates = row.current.as_ref().and_then(|s| s.rates.clone()).expect("rates");
        (
            row.rank,
            row.current.as_ref().map(|s| s.display_name.clone()),
            rates.on_time_closing.map(|r| r.percent),
        )
    };
    let line = |rank, name: &str, percent: &str| (rank, Some(name.to_owned()), Some(percent.to_owned()));
    assert_eq!(
        march.departments.iter().map(on_time).collect::<Vec<_>>(),
        [line(1, "园林绿化中心", "100.00"), line(2, "自来水公司", "0.00")]
    );
    assert_eq!(
        march.areas.iter().map(on_time).collect::<Vec<_>>(),
        [line(1, "京城路街道", "66.67"), line(0, "=1+1 索河街道", "")]
    );
    assert_eq!(on_time(march.total.as_ref().expect("a total")), line(0, "荥阳市", "66.67"));
    let reported = |statistics: &Option<pb::Statistics>| {
        statistics.as_ref().and_then(|s| s.counts).expect("counts").reported
    };
    let top: Vec<_> = march.top_categories.iter().map(|row| reported(&row.current)).collect();
    assert_eq!(top, [3]);
    let april =
        client.get_month_bulletin(request("410182", "2026-04")).await.expect("a bulletin").into_inner();
    let total = april.total.expect("a total");
    assert_eq!((reported(&total.current), reported(&total.previous)), (1, 3));
    let quiet =
        client.get_month_bulletin(request("410182003", "2026-01")).await.expect("a bulletin").into_inner();
    assert_eq!((quiet.departments.len(), quiet.top_categories.len(), quiet.areas.len()), (0, 0, 0));
}

async fn workbook(site: &Site) -> Xlsx<Cursor<Vec<u8>>> {
    let request = pb::ExportMonthBulletinRequest { name: area("410182"), month: MONTH.into() };
    let stream = bulletins(site).export_month_bulletin(request).await.expect("a download").into_inner();
    let parts: Vec<_> = stream.try_collect().await.expect("to its end");
    assert!(parts.iter().all(|part| part.content_type.ends_with("spreadsheetml.sheet")));
    let bytes: Vec<u8> = parts.into_iter().flat_map(|part| part.data).collect();
    Xlsx::new(Cursor::new(bytes)).expect("a workbook")
}

/// The texts of a row.
fn texts(range: &Range<Data>, row: usize, columns: usize) -> Vec<String> {
    (0..columns).map(|column| range[(row, column)].to_string()).collect()
}

#[tokio::test]
async fn the_workbook_reads_back() {
    let site = Site::with_district().await;
    month(&site).await;
    let mut book = workbook(&site).await;
    assert_eq!(book.sheet_names(), ["总览 Overview", "区域 Areas", "部门 Departments", "类别 Categories"]);
    let areas = book.worksheet_range("区域 Areas").expect("a sheet");
    assert_eq!(areas[(0, 0)], Data::String("荥阳市 2026-03 月通报 Month bulletin".into()));
    assert_eq!(texts(&areas, 1, 5), ["排名", "区域", "上报", "受理", "受理率"]);
    assert_eq!(texts(&areas, 2, 5), ["Rank", "Area", "Reported", "Accepted", "Acceptance"]);
    assert_eq!(areas[(3, 0)], Data::Float(1.0));
    assert_eq!(areas[(3, 2)], Data::Float(3.0), "a number, not a text");
    assert_eq!(areas[(4, 1)], Data::String("=1+1 索河街道".into()), "a text, not a formula");
    assert_eq!(
        (&areas[(4, 0)], &areas[(4, 4)]),
        (&Data::Empty, &Data::Empty),
        "no rank, and no rate of nothing"
    );
    let column = (0..areas.width()).find(|c| areas[(2, *c)] == Data::String("On-time closing".into()));
    let Data::Float(rate) = areas[(3, column.expect("the column"))] else { panic!("a rate is a number") };
    assert!((rate - 2.0 / 3.0).abs() < 1e-9, "{rate}");
    let overview = book.worksheet_range("总览 Overview").expect("a sheet");
    assert_eq!(texts(&overview, 3, 4), ["上报", "Reported", "3", "0"]);
    assert_eq!(overview.height(), 3 + 22);
    let departments = book.worksheet_range("部门 Departments").expect("a sheet");
    assert_eq!(texts(&departments, 4, 2), ["2", "自来水公司"]);
}

#[tokio::test]
async fn a_month_that_is_none_and_an_area_that_is_none_are_refused() {
    let site = Site::with_district().await;
    let mut client = bulletins(&site);
    assert_eq!(wrong_fields(client.get_month_bulletin(request("410182", "2026-13")).await), ["month"]);
    let missing = client.get_month_bulletin(request("410182009", MONTH)).await;
    assert_eq!(refusal(missing), (Code::NotFound, "NOT_FOUND".into()));
    let january = client.get_month_bulletin(request("410182", "0001-01")).await.expect("empty").into_inner();
    assert_eq!(january.top_categories.len(), 0);
}
