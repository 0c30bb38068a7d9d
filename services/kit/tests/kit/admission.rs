//! Who is let in, through a real server.

use jingwei_kit::stack::Limits;
use jingwei_proto::{
    access::v1::Role,
    google::rpc,
    grid::v1::{
        Area, CreateAreaRequest, GetAreaRequest, GetEventRequest, GetPublicContactCardRequest,
        ReportEventRequest, UpdateAreaRequest, area_service_client::AreaServiceClient,
        contact_card_service_client::ContactCardServiceClient, event_service_client::EventServiceClient,
    },
};
use serde_json::json;
use time::Duration;
use tonic::{Code, Request, Status, codec::CompressionEncoding};

use crate::site::{EVENT, Site, all_details, detail, reason};

const AREA: &str = "districts/410182/areas/410182002";

fn get_area() -> GetAreaRequest {
    GetAreaRequest { name: AREA.into(), read_time: None }
}

async fn site() -> Site {
    Site::start(Limits::default()).await
}

fn refused<T: std::fmt::Debug>(answer: Result<T, Status>, code: Code, expected: &str) -> Status {
    let status = answer.expect_err("refused");
    assert_eq!((status.code(), reason(&status).as_str()), (code, expected), "{status:?}");
    status
}

#[tokio::test]
async fn without_a_good_token_nobody_enters() {
    let site = site().await;
    let mut areas = AreaServiceClient::new(site.channel.clone());
    let status = refused(areas.get_area(get_area()).await, Code::Unauthenticated, "UNAUTHENTICATED");
    let texts = all_details::<rpc::LocalizedMessage>(&status);
    assert_eq!(texts.iter().map(|t| t.locale.as_str()).collect::<Vec<_>>(), ["zh-CN", "en"]);
    assert_eq!(texts[1].message, status.message());
    assert_eq!(detail::<rpc::ErrorInfo>(&status).expect("info").domain, "grid.jingwei");

    let hour = (site.clock.now() + Duration::hours(1)).unix_timestamp();
    let worker = json!([{"role": "grid_worker", "scope": AREA}]);
    let good = site.issuer.sign(&json!({"sub": "u-1", "aud": "jingwei", "exp": hour, "grants": worker}));
    let (start, signature) = good.rsplit_once('.').expect("three parts");
    let other = site.issuer.sign(&json!({"sub": "u-2", "aud": "jingwei", "exp": hour, "grants": worker}));
    let wrong = [
        "Bearer nonsense".to_owned(),
        format!("Basic {good}"),
        format!("Bearer {}.{}", other.rsplit_once('.').expect("three parts").0, signature),
        format!("Bearer {start}."),
        format!("Bearer {}", site.issuer.sign(&json!({"sub": "u-1", "aud": "else", "exp": hour, "grants": worker}))),
        format!("Bearer {}", site.issuer.sign(&json!({"sub": "u-1", "exp": hour, "grants": worker}))),
        format!("Bearer {}", site.issuer.sign(&json!({"aud": "jingwei", "exp": hour, "grants": worker}))),
        format!("Bearer {}", site.issuer.sign(&json!({"sub": "u-1", "aud": "jingwei", "grants": worker}))),
        format!("Bearer {}", site.issuer.sign(&json!({"sub": "u-1", "aud": "jingwei", "exp": hour, "nbf": hour, "grants": worker}))),
        format!("Bearer {}", site.issuer.sign(&json!({"sub": "u-1", "aud": "jingwei", "exp": hour, "grants": [{"role": "grid_worker", "scope": "all"}]}))),
    ];
    let call = async |authorization: &str| {
        let mut request = Request::new(get_area());
        request.metadata_mut().insert("authorization", authorization.parse().expect("a header value"));
        AreaServiceClient::new(site.channel.clone()).get_area(request).await
    };
    for authorization in &wrong {
        refused(call(authorization).await, Code::Unauthenticated, "UNAUTHENTICATED");
    }
    let good = format!("Bearer {good}");
    assert_eq!(call(&good).await.expect("let in").into_inner().display_name, "u-1");
    site.clock.advance(Duration::minutes(61));
    refused(call(&good).await, Code::Unauthenticated, "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_role_without_the_permission_is_told_its_name() {
    let site = site().await;
    let mut areas = AreaServiceClient::new(site.channel.clone());
    let answer = areas.get_area(site.request(get_area(), &[(Role::Operator, "districts/-")])).await;
    let status = refused(answer, Code::PermissionDenied, "PERMISSION_DENIED");
    assert_eq!(detail::<rpc::ErrorInfo>(&status).expect("info").metadata["permission"], "grid.areas.get");
}

#[tokio::test]
async fn a_grant_must_reach_what_the_request_names() {
    let site = site().await;
    let mut areas = AreaServiceClient::new(site.channel.clone());
    // REACH_DISTRICT: any grant in the district.
    for scope in ["districts/410182/areas/410182999", "districts/410182", "districts/-"] {
        let area =
            areas.get_area(site.request(get_area(), &[(Role::GridWorker, scope)])).await.expect("let in");
        assert_eq!(area.into_inner().level_name, scope);
    }
    let elsewhere = areas.get_area(site.request(get_area(), &[(Role::GridWorker, "districts/410183")])).await;
    let status = refused(elsewhere, Code::PermissionDenied, "PERMISSION_DENIED");
    assert_eq!(detail::<rpc::ErrorInfo>(&status).expect("info").metadata["resource"], AREA);

    // REACH_RESOURCE: what the request names, also where its name is inside the resource.
    let area = Area { name: AREA.into(), display_name: "豫龙镇".into(), ..Area::default() };
    let create = CreateAreaRequest {
        parent: "districts/410182".into(),
        area: Some(area.clone()),
        ..Default::default()
    };
    let update = UpdateAreaRequest { area: Some(area), ..Default::default() };
    let (own, other) =
        ([(Role::Administrator, "districts/410182")], [(Role::Administrator, "districts/410183")]);
    areas.create_area(site.request(create.clone(), &own)).await.expect("let in");
    areas.update_area(site.request(update.clone(), &own)).await.expect("let in");
    areas.update_area(site.request(update.clone(), &[(Role::Administrator, AREA)])).await.expect("let in");
    refused(
        areas.create_area(site.request(create.clone(), &other)).await,
        Code::PermissionDenied,
        "PERMISSION_DENIED",
    );
    refused(
        areas.update_area(site.request(update.clone(), &other)).await,
        Code::PermissionDenied,
        "PERMISSION_DENIED",
    );
    let narrow = [(Role::Administrator, AREA)];
    refused(
        areas.create_area(site.request(create, &narrow)).await,
        Code::PermissionDenied,
        "PERMISSION_DENIED",
    );
    // A grant that reaches counts only with a role that has the permission.
    let split = [(Role::GridWorker, "districts/410182"), (Role::Administrator, "districts/410183")];
    refused(
        areas.update_area(site.request(update, &split)).await,
        Code::PermissionDenied,
        "PERMISSION_DENIED",
    );

    // REACH_LOADED: the handler decides among the grants in the district.
    let mut events = EventServiceClient::new(site.channel.clone());
    let get = GetEventRequest { name: format!("{EVENT}0") };
    events.get_event(site.request(get.clone(), &[(Role::GridWorker, AREA)])).await.expect("let in");
    let elsewhere = [(Role::GridWorker, "districts/410183/areas/410183001")];
    refused(
        events.get_event(site.request(get, &elsewhere)).await,
        Code::PermissionDenied,
        "PERMISSION_DENIED",
    );
}

#[tokio::test]
async fn everything_wrong_with_a_request_is_told_at_once_in_both_languages() {
    let site = site().await;
    let mut events = EventServiceClient::new(site.channel.clone());
    let wrong = ReportEventRequest {
        parent: "districts/41018".into(),
        event_id: "7".into(),
        coordinate_system: 99,
        address: "街".repeat(201),
        evidence: vec![Default::default(); 21],
        ..Default::default()
    };
    let answer = events.report_event(site.request(wrong, &[(Role::GridWorker, AREA)])).await;
    let status = refused(answer, Code::InvalidArgument, "INVALID_REQUEST");
    let violations = detail::<rpc::BadRequest>(&status).expect("violations").field_violations;
    let lines = violations.iter().map(|v| {
        let zh = v.localized_message.as_ref().expect("a Chinese text");
        assert_eq!(zh.locale, "zh-CN");
        format!("{} [{}] {} | {}", v.field, v.reason, zh.message, v.description)
    });
    insta::assert_snapshot!(format!("{}\n\n{}", status.message(), lines.collect::<Vec<_>>().join("\n")));
}

#[tokio::test]
async fn a_public_rpc_needs_no_token_but_refuses_a_bad_one() {
    let site = site().await;
    let mut cards = ContactCardServiceClient::new(site.channel.clone());
    let get = GetPublicContactCardRequest { name: "districts/410182/contactCards/abcdefghij12".into() };
    assert_eq!(
        cards.get_public_contact_card(get.clone()).await.expect("public").into_inner().name,
        "anonymous"
    );
    let known = cards.get_public_contact_card(site.request(get.clone(), &[])).await.expect("public");
    assert_eq!(known.into_inner().name, "known");
    let mut request = Request::new(get);
    request.metadata_mut().insert("authorization", "Bearer x".parse().expect("a header value"));
    refused(cards.get_public_contact_card(request).await, Code::Unauthenticated, "UNAUTHENTICATED");
    let wrong = cards.get_public_contact_card(GetPublicContactCardRequest { name: "x".into() }).await;
    refused(wrong, Code::InvalidArgument, "INVALID_REQUEST");
}

#[tokio::test]
async fn too_large_and_compressed_requests_are_refused() {
    let site = Site::start(Limits { message: 1000, ..Limits::default() }).await;
    let mut events = EventServiceClient::new(site.channel.clone());
    let large = ReportEventRequest { description: "x".repeat(1001), ..Default::default() };
    let status = refused(
        events.report_event(site.request(large, &[(Role::GridWorker, AREA)])).await,
        Code::ResourceExhausted,
        "MESSAGE_TOO_LARGE",
    );
    assert_eq!(detail::<rpc::ErrorInfo>(&status).expect("info").metadata["max_bytes"], "1000");
    let mut cards =
        ContactCardServiceClient::new(site.channel.clone()).send_compressed(CompressionEncoding::Gzip);
    let get = GetPublicContactCardRequest { name: "districts/410182/contactCards/abcdefghij12".into() };
    refused(cards.get_public_contact_card(get).await, Code::Unimplemented, "UNIMPLEMENTED");
}
