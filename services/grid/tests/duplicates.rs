//! Duplicates: what a new report could be the same as, and where reports pile up.

mod common;

use common::district::{GARDEN, GRID, OTHER_GRID, PESTS, STREET};
use common::{DISTRICT, Session, Site, refusal, wrong_fields};
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::duplicate_service_client::DuplicateServiceClient;
use time::Duration;
use tonic::Code;

/// Some hundred metres are some thousandths of a degree.
const HERE: pb::Point = pb::Point { latitude: 34.78, longitude: 113.38 };

fn duplicates(site: &Site, role: Role, scope: &str) -> DuplicateServiceClient<Session> {
    DuplicateServiceClient::new(site.session("somebody", &[(role, scope)]))
}

fn near(point: Option<pb::Point>, area: &str) -> pb::SuggestDuplicatesRequest {
    pb::SuggestDuplicatesRequest {
        parent: DISTRICT.into(),
        category: PESTS.into(),
        point,
        area: area.into(),
        ..Default::default()
    }
}

async fn report_at(site: &Site, north: f64) -> String {
    let point = pb::Point { latitude: HERE.latitude + north, ..HERE };
    let request = pb::ReportEventRequest { point: Some(point), ..site.new_report() };
    site.events(Role::Street, STREET).report_event(request).await.expect("reported").into_inner().name
}

async fn suggested(site: &Site, request: pb::SuggestDuplicatesRequest) -> Vec<pb::DuplicateSuggestion> {
    let mut street = duplicates(site, Role::Street, STREET);
    street.suggest_duplicates(request).await.expect("suggested").into_inner().suggestions
}

#[tokio::test]
async fn what_is_near_and_recent_is_suggested_the_nearest_first_closed_ones_too() {
    let site = Site::with_district().await;
    let far = report_at(&site, 0.004).await;
    let old = report_at(&site, 0.0).await;
    site.clock.advance(Duration::days(31));
    let (second, first) = (report_at(&site, 0.002).await, report_at(&site, 0.0005).await);
    let of_area = site.report().await.name;
    let reject =
        pb::RejectEventRequest { name: first.clone(), reason: "不属实".into(), ..Default::default() };
    site.events(Role::Street, STREET).reject_event(reject).await.expect("rejected");

    let found = suggested(&site, near(Some(HERE), GRID)).await;
    let names: Vec<_> = found.iter().map(|s| s.event.as_str()).collect();
    assert_eq!(names, [&first, &second, &of_area]);
    assert_eq!(found[0].state(), pb::EventState::Rejected);
    let metres: Vec<_> = found.iter().map(|s| s.distance_metres).collect();
    assert_eq!(metres, [Some(56), Some(222), None]);
    assert!(!found[0].description.is_empty());

    let wider = pb::SuggestDuplicatesRequest { radius_metres: 500, days: 60, ..near(Some(HERE), GRID) };
    let names: Vec<_> = suggested(&site, wider).await.into_iter().map(|s| s.event).collect();
    assert_eq!(names, [old, first, second, far, of_area]);
}

#[tokio::test]
async fn without_a_point_the_area_counts() {
    let site = Site::with_district().await;
    let here = site.report().await.name;
    let names: Vec<_> = suggested(&site, near(None, GRID)).await.into_iter().map(|s| s.event).collect();
    assert_eq!(names, [here]);
    assert!(suggested(&site, near(None, OTHER_GRID)).await.is_empty());
    let mut street = duplicates(&site, Role::Street, STREET);
    assert_eq!(wrong_fields(street.suggest_duplicates(near(None, "")).await), ["point"]);
}

#[tokio::test]
async fn what_is_not_the_callers_to_read_is_suggested_without_its_text() {
    let site = Site::with_district().await;
    report_at(&site, 0.0).await;
    let mut garden = duplicates(&site, Role::Department, GARDEN);
    let found = garden.suggest_duplicates(near(Some(HERE), GRID)).await.expect("suggested").into_inner();
    assert_eq!(found.suggestions.len(), 1);
    assert_eq!(found.suggestions[0].description, "");
}

#[tokio::test]
async fn reports_pile_up_to_a_hot_spot() {
    let site = Site::with_district().await;
    for north in [0.0001, 0.0002, 0.0003, 0.0004] {
        report_at(&site, north).await;
    }
    let last = report_at(&site, 0.02).await;
    let reject = pb::RejectEventRequest {
        name: report_at(&site, 0.0).await,
        reason: "不属实".into(),
        ..Default::default()
    };
    site.events(Role::Street, STREET).reject_event(reject).await.expect("rejected");
    let list =
        |parent: &str, days| pb::ListHotSpotsRequest { parent: parent.into(), days, ..Default::default() };
    let mut street = duplicates(&site, Role::Street, STREET);
    let hot = street.list_hot_spots(list(STREET, 0)).await.expect("listed").into_inner().hot_spots;
    assert_eq!(hot.len(), 1, "one report is no hot spot");
    assert_eq!((hot[0].report_count, hot[0].open_count, hot[0].category.as_str()), (5, 4, PESTS));
    assert!(!hot[0].events.contains(&last));
    let centre = hot[0].centre.expect("known");
    assert!((centre.latitude - 34.7802).abs() < 1e-9 && centre.longitude == HERE.longitude);
    site.clock.advance(Duration::days(2));
    let mut street = duplicates(&site, Role::Street, STREET);
    assert!(street.list_hot_spots(list(STREET, 1)).await.expect("listed").into_inner().hot_spots.is_empty());
    assert_eq!(refusal(street.list_hot_spots(list(DISTRICT_AREA, 0)).await).0, Code::PermissionDenied);
}

/// The district's own area.
const DISTRICT_AREA: &str = "districts/410182/areas/410182";
