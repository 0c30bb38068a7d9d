//! Backends that are dead, slow or overwhelmed, and callers that ask for too much.

use std::{num::NonZeroU32, sync::atomic::Ordering, time::Duration};

use http::{HeaderValue, Method, StatusCode};
use jingwei_proto::grid::v1::{GetAreaRequest, area_service_client::AreaServiceClient};
use serde_json::json;
use tokio::net::TcpListener;
use tonic::{Code, Request};

use crate::{
    backend::{Notes, backend, backend_at},
    support::{gateway, gateway_with, nobody},
};

const AREA: &str = "/v1/districts/410182/areas/410182002011";
const AREAS: &str = "/v1/districts/410182/areas";
const BODY: &str = r#"{"displayName": "x"}"#;

fn calls(notes: &Notes) -> usize {
    notes.calls.load(Ordering::SeqCst)
}

#[tokio::test]
async fn a_dead_backend_is_said_to_be_and_then_left_alone() {
    let gateway =
        gateway_with(nobody().await, |settings| settings.breaker_wait = Duration::from_secs(3600)).await;
    let answer = gateway.get(AREA).await;
    assert_eq!(
        (answer.status, answer.reason().as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, "BACKEND_UNAVAILABLE")
    );
    assert_eq!(answer.header("retry-after"), "1");
    let answer = gateway.until(AREA, |answer| answer.reason() == "CIRCUIT_OPEN").await;
    assert_eq!((answer.status, answer.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "3600"));
    let health = gateway.until("/health", |answer| answer.text().contains("UNREACHABLE")).await;
    assert_eq!(health.status, StatusCode::SERVICE_UNAVAILABLE);
    let address = &health.json()["backends"][0]["replicas"][0]["address"];
    let replica = json!({"address": address, "state": "UNREACHABLE", "breaker": "OPEN"});
    let backend = json!({"name": "grid", "state": "UNREACHABLE", "replicas": [replica]});
    assert_eq!(health.json(), json!({"status": "NOT_SERVING", "backends": [backend]}));
    assert_eq!(gateway.get("/healthz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_backend_that_comes_back_is_found_by_a_probe() {
    let address = nobody().await;
    let gateway = gateway_with(address, |settings| settings.breaker_wait = Duration::from_millis(1)).await;
    gateway.until(AREA, |answer| answer.reason() == "CIRCUIT_OPEN").await;
    let backend = backend_at(address).await.expect("the port is still free");
    gateway.until(AREA, |answer| answer.status == StatusCode::OK).await;
    gateway.until("/readyz", |answer| answer.text().contains("CLOSED")).await;
    assert!(calls(&backend.notes) >= 1);
}

#[tokio::test]
async fn a_backend_that_goes_away_between_two_calls() {
    let first = backend().await;
    let gateway = gateway(first.address).await;
    assert_eq!(gateway.get(AREA).await.status, StatusCode::OK);
    let address = first.address;
    drop(first);
    gateway.until(AREA, |answer| answer.status == StatusCode::SERVICE_UNAVAILABLE).await;
    let second = loop {
        if let Ok(second) = backend_at(address).await {
            break second;
        }
    };
    gateway.until(AREA, |answer| answer.status == StatusCode::OK).await;
    assert!(calls(&second.notes) >= 1);
}

#[tokio::test]
async fn a_backend_that_hangs_costs_no_more_than_the_routes_time() {
    // The system takes the connection; nobody reads.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = gateway_with(silent.local_addr().unwrap(), |settings| {
        settings.timeouts =
            [("jingwei.grid.v1.AreaService/GetArea".to_owned(), Duration::from_millis(50))].into();
    })
    .await;
    for _ in 0..5 {
        let answer = gateway.get(AREA).await;
        assert_eq!(
            (answer.status, answer.reason().as_str()),
            (StatusCode::GATEWAY_TIMEOUT, "DEADLINE_EXCEEDED")
        );
        assert_eq!(answer.json()["error"]["details"][0]["metadata"]["milliseconds"], "50");
    }
    assert_eq!(gateway.get(AREA).await.reason(), "CIRCUIT_OPEN");
}

#[tokio::test]
async fn a_head_that_is_too_large_never_reaches_the_backend() {
    let backend = backend().await;
    let gateway = gateway(backend.address).await;
    let ask = async |length: usize| {
        gateway.send(Method::GET, AREA, &[("authorization", &"x".repeat(length))], "").await.status
    };
    assert_eq!(ask(15_000).await, StatusCode::OK);
    for _ in 0..6 {
        assert_eq!(ask(17_000).await, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    }
    assert_eq!((ask(1).await, calls(&backend.notes)), (StatusCode::OK, 2));
}

#[tokio::test]
async fn an_impatient_caller_does_not_open_the_breaker() {
    let backend = backend().await;
    let gateway = gateway(backend.address).await;
    let mut client = AreaServiceClient::new(gateway.channel().await);
    for _ in 0..10 {
        let mut request = Request::new(GetAreaRequest { name: "hangs".into(), ..Default::default() });
        request.set_timeout(Duration::from_millis(20));
        let code = client.get_area(request).await.expect_err("over").code();
        // tonic's own clock says CANCELLED, where it is the faster one.
        assert!(matches!(code, Code::DeadlineExceeded | Code::Cancelled), "{code:?}");
    }
    assert_eq!(gateway.get(AREA).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_only_reads_is_asked_again_and_what_writes_is_not() {
    let backend = backend().await;
    let gateway = gateway(backend.address).await;
    backend.notes.unavailable.store(2, Ordering::SeqCst);
    assert_eq!(gateway.get(AREA).await.status, StatusCode::OK);
    assert_eq!(calls(&backend.notes), 3);
    backend.notes.unavailable.store(1, Ordering::SeqCst);
    let answer = gateway.post(AREAS, BODY).await;
    assert_eq!((answer.status, calls(&backend.notes)), (StatusCode::SERVICE_UNAVAILABLE, 4));
    // The backend's own words.
    assert_eq!(answer.json()["error"]["message"], "not now");
}

#[tokio::test]
async fn a_native_read_is_asked_again_too() {
    let backend = backend().await;
    let gateway = gateway(backend.address).await;
    backend.notes.unavailable.store(1, Ordering::SeqCst);
    AreaServiceClient::new(gateway.channel().await)
        .get_area(GetAreaRequest::default())
        .await
        .expect("the second answer");
    assert_eq!(calls(&backend.notes), 2);
}

#[tokio::test]
async fn retries_have_a_budget() {
    let backend = backend().await;
    let gateway = gateway(backend.address).await;
    for _ in 0..60 {
        // Between two good calls, so that the breaker stays closed.
        backend.notes.unavailable.store(1, Ordering::SeqCst);
        gateway.get(AREA).await;
        backend.notes.unavailable.store(0, Ordering::SeqCst);
        gateway.post(AREAS, BODY).await;
    }
    // 120 calls give 24 retries, and twenty are given at once: two a second for ten seconds.
    let retries = calls(&backend.notes) - 120;
    assert!((20..=50).contains(&retries), "{retries}");
}

#[tokio::test]
async fn a_caller_has_a_rate_and_its_neighbours_have_theirs() {
    let backend = backend().await;
    let gateway = gateway_with(backend.address, |settings| settings.rate = NonZeroU32::new(1)).await;
    let ask = async |token: &str| gateway.send(Method::GET, AREA, &[("authorization", token)], "").await;
    let mut refused = ask("Bearer a").await;
    while refused.status == StatusCode::OK {
        refused = ask("Bearer a").await;
    }
    assert_eq!((refused.status, refused.reason().as_str()), (StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED"));
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(ask("Bearer b").await.status, StatusCode::OK);
    assert_eq!(gateway.get("/healthz").await.status, StatusCode::OK);
    let headers = [("authorization", "Bearer a"), ("content-type", "application/grpc-web")];
    let web = gateway.send(Method::POST, "/jingwei.grid.v1.AreaService/GetArea", &headers, "").await;
    assert_eq!(
        (web.status, web.header("grpc-status"), web.header("content-type")),
        (StatusCode::OK, "8", "application/grpc-web+proto")
    );
}

#[tokio::test]
async fn made_up_tokens_share_the_rate_of_their_address() {
    let backend = backend().await;
    let gateway = gateway_with(backend.address, |settings| settings.rate = NonZeroU32::new(1)).await;
    let mut answered = 0;
    loop {
        let token = format!("Bearer {answered}");
        if gateway.send(Method::GET, AREA, &[("authorization", &token)], "").await.status != StatusCode::OK {
            break;
        }
        answered += 1;
    }
    assert!((40..200).contains(&answered), "{answered}");
}

#[tokio::test]
async fn behind_a_proxy_the_address_is_what_the_proxy_saw() {
    let backend = backend().await;
    let gateway = gateway_with(backend.address, |settings| {
        settings.rate = NonZeroU32::new(1);
        settings.behind_proxy = true;
    })
    .await;
    let ask =
        async |chain: &str| gateway.send(Method::GET, AREA, &[("x-forwarded-for", chain)], "").await.status;
    while ask("9.9.9.9, 10.0.0.1").await == StatusCode::OK {}
    // The first entry is the caller's own invention.
    assert_eq!(ask("8.8.8.8, 10.0.0.1").await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(ask("10.0.0.2").await, StatusCode::OK);
}

#[tokio::test]
async fn pages_of_the_origins_that_are_set_may_call() {
    let backend = backend().await;
    let gateway = gateway_with(backend.address, |settings| {
        settings.origins = vec![HeaderValue::from_static("https://a.example")];
    })
    .await;
    let preflight = [
        ("origin", "https://a.example"),
        ("access-control-request-method", "PATCH"),
        ("access-control-request-headers", "authorization,content-type"),
    ];
    let answer = gateway.send(Method::OPTIONS, AREA, &preflight, "").await;
    assert_eq!(answer.header("access-control-allow-origin"), "https://a.example");
    assert_eq!(answer.header("access-control-allow-headers"), "authorization,content-type");
    let answer = gateway.send(Method::GET, AREA, &[("origin", "https://a.example")], "").await;
    assert!(answer.header("access-control-expose-headers").contains("grpc-status-details-bin"));
    let answer = gateway.send(Method::GET, AREA, &[("origin", "https://b.example")], "").await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (StatusCode::OK, ""));
}

#[tokio::test]
async fn without_origins_no_page_may_call() {
    let backend = backend().await;
    let gateway = gateway(backend.address).await;
    let answer = gateway.send(Method::GET, AREA, &[("origin", "https://a.example")], "").await;
    assert_eq!(answer.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn a_timeout_for_an_rpc_that_is_not_there_stops_the_start() {
    let mut settings =
        jingwei_gateway::Settings::new([("grid".to_owned(), "http://127.0.0.1:1".parse().unwrap())]);
    settings.timeouts = [("jingwei.grid.v1.AreaService/Conquer".to_owned(), Duration::from_secs(1))].into();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let error = jingwei_gateway::run(settings, listener, Default::default()).await.expect_err("no such RPC");
    assert!(error.to_string().contains("AreaService/Conquer"), "{error}");
}

#[tokio::test]
async fn a_running_call_may_end_when_the_gateway_stops() {
    let backend = backend().await;
    let mut gateway =
        gateway_with(backend.address, |settings| settings.timeout = Duration::from_millis(300)).await;
    let client = gateway.channel().await;
    let call = tokio::spawn(async move {
        let request = GetAreaRequest { name: "hangs".into(), ..Default::default() };
        AreaServiceClient::new(client).get_area(request).await.expect_err("over").code()
    });
    while calls(&backend.notes) == 0 {
        tokio::task::yield_now().await;
    }
    gateway.stop.cancel();
    // Its own end, not that of its connection. A tonic server says CANCELLED when the time is over.
    let code = call.await.expect("an answer");
    assert!(matches!(code, Code::DeadlineExceeded | Code::Cancelled), "{code:?}");
    (&mut gateway.task).await.expect("it ends");
}
