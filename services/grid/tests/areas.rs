//! Areas (区域) through the API: the tree, versions, pages, and where a point lies.

mod common;

use common::{DISTRICT, Site, area, mask, metadata, moment, new_area, refusal, request_id, wrong_fields};
use coordtransform::wgs84_to_gcj02;
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::area_service_client::AreaServiceClient;
use time::Duration;
use tonic::Code;

fn get(code: &str) -> pb::GetAreaRequest {
    pb::GetAreaRequest { name: area(code), read_time: None }
}

fn update(area: &pb::Area, paths: &[&str]) -> pb::UpdateAreaRequest {
    pb::UpdateAreaRequest { area: Some(area.clone()), update_mask: mask(paths), ..Default::default() }
}

/// A square of 0.02° around a point, as GeoJSON.
fn square(longitude: f64, latitude: f64, half: f64) -> String {
    let (w, e, s, n) = (longitude - half, longitude + half, latitude - half, latitude + half);
    format!("[[{w},{s}],[{e},{s}],[{e},{n}],[{w},{n}],[{w},{s}]]")
}

fn polygon(rings: &[String]) -> String {
    format!(r#"{{"type":"Polygon","coordinates":[{}]}}"#, rings.join(","))
}

fn at(latitude: f64, longitude: f64) -> pb::LocatePointRequest {
    pb::LocatePointRequest {
        parent: DISTRICT.to_owned(),
        point: Some(pb::Point { latitude, longitude }),
        ..Default::default()
    }
}

#[tokio::test]
async fn an_area_keeps_every_version() {
    let site = Site::with_areas().await;
    let mut areas = site.areas();
    let first = areas.get_area(get("410182002011001")).await.expect("there").into_inner();
    assert_eq!((first.depth, first.version, first.display_name.as_str()), (3, 1, "第一网格"));
    assert_eq!(first.parent_area, area("410182002011"));
    assert!(first.level_name.starts_with("三级"), "{}", first.level_name);
    let before = site.clock.now();
    site.clock.advance(Duration::days(1));
    // A token lives for an hour.
    let mut areas = site.areas();
    let wanted =
        pb::Area { display_name: "永安第一网格".into(), service_phone: "1".into(), ..first.clone() };
    let second = areas.update_area(update(&wanted, &["display_name"])).await.expect("changed").into_inner();
    assert_eq!((second.version, second.display_name.as_str()), (2, "永安第一网格"));
    assert_eq!(second.service_phone, "", "not in the mask");
    assert_eq!(areas.get_area(get("410182002011001")).await.expect("there").into_inner(), second);
    let then = pb::GetAreaRequest { read_time: Some(moment(before)), ..get("410182002011001") };
    assert_eq!(areas.get_area(then).await.expect("it was there").into_inner().version, 1);
    let earlier =
        pb::GetAreaRequest { read_time: Some(moment(before - Duration::days(1))), ..get("410182002011001") };
    assert_eq!(refusal(areas.get_area(earlier).await), (Code::NotFound, "NOT_FOUND".into()));
    let request =
        pb::ListAreaVersionsRequest { parent: area("410182002011001"), page_size: 1, ..Default::default() };
    let newest = areas.list_area_versions(request.clone()).await.expect("versions").into_inner();
    assert_eq!(newest.versions.iter().map(|v| v.version).collect::<Vec<_>>(), [2]);
    let request = pb::ListAreaVersionsRequest { page_token: newest.next_page_token, ..request };
    let oldest = areas.list_area_versions(request).await.expect("versions").into_inner();
    assert_eq!(oldest.versions.iter().map(|v| v.version).collect::<Vec<_>>(), [1]);
    assert_eq!(oldest.next_page_token, "");
}

#[tokio::test]
async fn a_version_to_come_is_not_shown_yet() {
    let site = Site::with_areas().await;
    let mut areas = site.areas();
    let now = site.clock.now();
    let first = areas.get_area(get("410182002")).await.expect("there").into_inner();
    let wanted = pb::Area { display_name: "京城街道".into(), ..first.clone() };
    let request = pb::UpdateAreaRequest {
        effective_time: Some(moment(now + Duration::days(7))),
        ..update(&wanted, &[])
    };
    let coming = areas.update_area(request).await.expect("noted").into_inner();
    assert_eq!((coming.version, coming.display_name.as_str()), (2, "京城街道"));
    let shown = areas.get_area(get("410182002")).await.expect("there").into_inner();
    assert_eq!((shown.version, shown.display_name.as_str()), (1, "京城路街道"));
    assert_eq!(shown.etag, coming.etag, "the etag is of the last change, in force or not");
    let past = pb::UpdateAreaRequest {
        effective_time: Some(moment(now - Duration::days(1))),
        ..update(&shown, &[])
    };
    assert_eq!(wrong_fields(areas.update_area(past).await), ["effective_time"]);
    site.clock.advance(Duration::days(7));
    // A token lives for an hour.
    let shown = site.areas().get_area(get("410182002")).await.expect("there").into_inner();
    assert_eq!((shown.version, shown.display_name.as_str()), (2, "京城街道"));
}

#[tokio::test]
async fn a_repeated_request_gets_the_first_answer() {
    let site = Site::with_areas().await;
    let mut areas = site.areas();
    let request = pb::CreateAreaRequest { request_id: request_id(), ..new_area("410182003", "索河街道") };
    let first = areas.create_area(request.clone()).await.expect("created").into_inner();
    assert_eq!(areas.create_area(request.clone()).await.expect("repeated").into_inner(), first);
    let other =
        pb::CreateAreaRequest { request_id: request.request_id, ..new_area("410182004", "豫龙镇") };
    assert_eq!(refusal(areas.create_area(other).await), (Code::InvalidArgument, "REQUEST_ID_REUSED".into()));
    let again = areas.create_area(new_area("410182003", "索河街道")).await;
    assert_eq!(refusal(again), (Code::AlreadyExists, "ALREADY_EXISTS".into()));
}

#[tokio::test]
async fn what_does_not_fit_is_refused() {
    let site = Site::with_areas().await;
    let mut areas = site.areas();
    let orphan = areas.create_area(new_area("410182009001", "无主村")).await;
    assert_eq!(metadata(orphan, "code").as_deref(), Some("410182009"));
    let orphan = areas.create_area(new_area("410182009001", "无主村")).await;
    assert_eq!(refusal(orphan), (Code::FailedPrecondition, "PARENT_AREA_MISSING".into()));
    for name in ["", "districts/410183/areas/410183", "districts/410182/areas/410183002"] {
        let mut request = new_area("410182", "别处");
        request.area.as_mut().expect("given").name = name.to_owned();
        assert_eq!(wrong_fields(areas.create_area(request).await), ["area.name"], "{name}");
    }
    for boundary in
        ["[]", r#"{"type":"Point","coordinates":[1,2]}"#, &polygon(&["[[1,2],[3,4],[1,2]]".into()])]
    {
        let mut request = new_area("410182005", "刘河镇");
        request.area.as_mut().expect("given").boundary_geojson = boundary.to_owned();
        assert_eq!(wrong_fields(areas.create_area(request).await), ["area.boundary_geojson"], "{boundary}");
    }
    let street = areas.get_area(get("410182002")).await.expect("there").into_inner();
    assert_eq!(wrong_fields(areas.update_area(update(&street, &["depth"])).await), ["update_mask"]);
    let missing = pb::Area { name: area("410182099"), ..street };
    let missing = areas.update_area(update(&missing, &[])).await;
    assert_eq!(refusal(missing), (Code::NotFound, "NOT_FOUND".into()));
    let worker = site.session("worker", &[(Role::GridWorker, "districts/410182/areas/410182002")]);
    let denied = AreaServiceClient::new(worker).create_area(new_area("410182002012", "新社区")).await;
    assert_eq!(refusal(denied), (Code::PermissionDenied, "PERMISSION_DENIED".into()));
}

#[tokio::test]
async fn lists_go_by_ancestor_and_depth_page_by_page() {
    let site = Site::with_areas().await;
    let mut areas = site.areas();
    for code in ["410182003", "410182002012", "410182002012001", "410182002012001001"] {
        areas.create_area(new_area(code, code)).await.expect("created");
    }
    let street =
        pb::ListAreasRequest { parent: DISTRICT.into(), ancestor: area("410182002"), ..Default::default() };
    let mut seen = Vec::new();
    let mut request = pb::ListAreasRequest { page_size: 2, ..street.clone() };
    loop {
        let page = areas.list_areas(request.clone()).await.expect("a page").into_inner();
        assert!(page.areas.len() <= 2);
        seen.extend(page.areas.iter().map(|a| a.name.rsplit('/').next().expect("a code").to_owned()));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    let below = [
        "410182002",
        "410182002011",
        "410182002011001",
        "410182002012",
        "410182002012001",
        "410182002012001001",
    ];
    assert_eq!(seen, below);
    let grids = pb::ListAreasRequest { depth: Some(3), ..street };
    let grids = areas.list_areas(grids).await.expect("a page").into_inner().areas;
    let grids = grids.iter().map(|a| a.name.as_str()).collect::<Vec<_>>();
    assert_eq!(grids, [area("410182002011001"), area("410182002012001")]);
    let all = pb::ListAreasRequest { parent: DISTRICT.into(), depth: Some(0), ..Default::default() };
    assert_eq!(areas.list_areas(all).await.expect("a page").into_inner().areas.len(), 1);
    let other = pb::ListAreasRequest {
        parent: DISTRICT.into(),
        page_token: request.page_token,
        ..Default::default()
    };
    assert_eq!(wrong_fields(areas.list_areas(other).await), ["page_token"]);
}

#[tokio::test]
async fn of_several_at_once_one_is_written() {
    let site = Site::with_areas().await;
    let twins = (0..8).map(|_| {
        let mut areas = site.areas();
        tokio::spawn(async move { areas.create_area(new_area("410182003", "索河街道")).await })
    });
    let mut created = 0;
    for twin in futures::future::join_all(twins).await {
        match twin.expect("no panic") {
            Ok(_) => created += 1,
            refused => assert_eq!(refusal(refused), (Code::AlreadyExists, "ALREADY_EXISTS".into())),
        }
    }
    assert_eq!(created, 1);
    let street = site.areas().get_area(get("410182003")).await.expect("there").into_inner();
    let rivals = (0..8).map(|i| {
        let mut areas = site.areas();
        let wanted = pb::Area { service_phone: i.to_string(), ..street.clone() };
        tokio::spawn(async move { areas.update_area(update(&wanted, &[])).await })
    });
    let mut changed = 0;
    for rival in futures::future::join_all(rivals).await {
        match rival.expect("no panic") {
            Ok(_) => changed += 1,
            refused => assert_eq!(refusal(refused), (Code::Aborted, "ETAG_MISMATCH".into())),
        }
    }
    assert_eq!(changed, 1);
    assert_eq!(site.areas().get_area(get("410182003")).await.expect("there").into_inner().version, 2);
}

#[tokio::test]
async fn a_point_lies_in_the_deepest_area_around_it() {
    let site = Site::start().await;
    let mut areas = site.areas();
    // The community's square has a hole, which belongs to the street alone.
    let (longitude, latitude) = (113.39, 34.79);
    let street = polygon(&[square(longitude, latitude, 0.05)]);
    let community = polygon(&[square(longitude, latitude, 0.02), square(longitude, latitude, 0.002)]);
    for (code, boundary) in [("410182", String::new()), ("410182002", street), ("410182002011", community)] {
        let mut request = new_area(code, code);
        request.area.as_mut().expect("given").boundary_geojson = boundary;
        areas.create_area(request).await.expect("created");
    }
    let mut locate = async |latitude, longitude| {
        let found = areas.locate_point(at(latitude, longitude)).await?.into_inner();
        Ok::<_, tonic::Status>(found.area.expect("with it").name)
    };
    assert_eq!(locate(latitude + 0.01, longitude).await.expect("inside"), area("410182002011"));
    assert_eq!(locate(latitude, longitude).await.expect("in the hole"), area("410182002"));
    assert_eq!(locate(latitude + 0.03, longitude).await.expect("beside"), area("410182002"));
    assert_eq!(refusal(locate(latitude + 0.06, longitude).await), (Code::NotFound, "POINT_OUTSIDE".into()));
    // A boundary that no longer counts holds nothing.
    site.clock.advance(Duration::minutes(1));
    let moved = pb::Area {
        name: area("410182002011"),
        display_name: "永安街社区".into(),
        boundary_geojson: polygon(&[square(longitude + 0.03, latitude, 0.005)]),
        ..Default::default()
    };
    areas.update_area(update(&moved, &[])).await.expect("moved");
    let found = areas.locate_point(at(latitude + 0.01, longitude)).await.expect("inside").into_inner();
    assert_eq!(found.area.expect("with it").name, area("410182002"));
    let found = areas.locate_point(at(latitude, longitude + 0.03)).await.expect("inside").into_inner();
    assert_eq!(found.area.expect("with it").version, 2);
}

#[tokio::test]
async fn gcj_02_is_converted_on_entry() {
    let site = Site::start().await;
    let mut areas = site.areas();
    // 200 m across: GCJ-02 shifts by more than that.
    let (longitude, latitude) = (113.39, 34.79);
    let (gcj_longitude, gcj_latitude) = wgs84_to_gcj02(longitude, latitude);
    let mut request = new_area("410182", "荥阳市");
    let district = request.area.as_mut().expect("given");
    district.boundary_geojson = polygon(&[square(gcj_longitude, gcj_latitude, 0.001)]);
    district.boundary_source = pb::CoordinateSystem::Gcj02.into();
    let district = areas.create_area(request).await.expect("created").into_inner();
    assert_eq!(district.boundary_source(), pb::CoordinateSystem::Gcj02);
    let there = areas.locate_point(at(latitude, longitude)).await.expect("the boundary is in WGS-84 now");
    assert_eq!(there.into_inner().area.expect("with it").name, area("410182"));
    let raw = areas.locate_point(at(gcj_latitude, gcj_longitude)).await;
    assert_eq!(refusal(raw), (Code::NotFound, "POINT_OUTSIDE".into()));
    let request = pb::LocatePointRequest {
        coordinate_system: pb::CoordinateSystem::Gcj02.into(),
        ..at(gcj_latitude, gcj_longitude)
    };
    let point = areas.locate_point(request).await.expect("converted").into_inner().point.expect("with it");
    assert!(
        (point.latitude - latitude).abs() < 1e-6 && (point.longitude - longitude).abs() < 1e-6,
        "{point:?}"
    );
}

#[tokio::test]
async fn an_update_may_leave_out_what_it_does_not_name() {
    let site = Site::with_areas().await;
    let phone =
        pb::Area { name: area("410182002"), service_phone: "0371-64660200".to_owned(), ..Default::default() };
    let update =
        |update_mask| pb::UpdateAreaRequest { area: Some(phone.clone()), update_mask, ..Default::default() };
    let refused = site.areas().update_area(update(None)).await;
    assert_eq!(wrong_fields(refused), ["area.display_name"], "without a mask all fields are written");
    let changed =
        site.areas().update_area(update(mask(&["service_phone"]))).await.expect("changed").into_inner();
    assert_eq!(
        (changed.display_name.as_str(), changed.service_phone.as_str()),
        ("京城路街道", "0371-64660200")
    );
}
