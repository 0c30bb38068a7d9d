//! Who leaves: callers that vanish in the middle, and the gateway itself.

use std::{sync::atomic::Ordering, time::Duration};

use http::{Method, StatusCode};
use http_body_util::BodyExt;
use jingwei_proto::grid::v1::{GetAreaRequest, area_service_client::AreaServiceClient};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    backend::{Backend, backend},
    support::{Gateway, PATIENCE, gateway, gateway_with},
};

const AREA: &str = "/v1/districts/410182/areas/410182002011";
const WATCH: &str = "/v1/districts/410182/events:watch?area=stays";

/// Waits until nothing of the calls that were begun is left at the backend.
async fn until_idle(backend: &Backend) {
    let idle = async {
        while backend.notes.open.load(Ordering::SeqCst) > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, idle).await.expect("nothing is left");
}

async fn until_open(backend: &Backend, count: usize) {
    let open = async {
        while backend.notes.open.load(Ordering::SeqCst) < count {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, open).await.expect("they arrive");
}

/// Says something over a connection of its own.
async fn say(gateway: &Gateway, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(gateway.address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn half_a_body_reaches_nobody_and_the_gateway_goes_on() {
    let backend = backend().await;
    let gateway = gateway(backend.address).await;
    let half = "POST /v1/districts/410182/areas HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"displayName\":";
    for _ in 0..300 {
        drop(say(&gateway, half).await);
    }
    assert_eq!(gateway.get(AREA).await.status, StatusCode::OK);
    assert_eq!(backend.notes.calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn callers_that_vanish_while_they_wait_leave_nothing_behind() {
    let backend = backend().await;
    let gateway = gateway(backend.address).await;
    let waits = "GET /v1/districts/410182/areas/hangs HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut callers = Vec::new();
    for _ in 0..100 {
        callers.push(say(&gateway, waits).await);
    }
    until_open(&backend, 100).await;
    drop(callers);
    let mut client = AreaServiceClient::new(gateway.channel().await);
    for _ in 0..100 {
        let request = GetAreaRequest { name: "hangs".into(), ..Default::default() };
        let call = client.get_area(request);
        // Dropped while it waits.
        assert!(tokio::time::timeout(Duration::from_millis(2), call).await.is_err());
    }
    until_idle(&backend).await;
    assert_eq!(gateway.get(AREA).await.status, StatusCode::OK);
}

#[tokio::test]
async fn streams_whose_readers_vanish_or_do_not_read_end_at_the_backend_too() {
    let backend = backend().await;
    let gateway = gateway(backend.address).await;
    let mut readers = Vec::new();
    for _ in 0..50 {
        readers.push(gateway.open(Method::GET, WATCH, &[], "").await.into_body());
    }
    until_open(&backend, 50).await;
    // Others are served while these do not read.
    assert_eq!(gateway.get(AREA).await.status, StatusCode::OK);
    drop(readers);
    until_idle(&backend).await;
}

#[tokio::test]
async fn told_to_stop_it_says_so_still_answers_and_closes_connections_with_their_next_answer() {
    let backend = backend().await;
    let mut gateway =
        gateway_with(backend.address, |settings| settings.linger = Duration::from_secs(3)).await;
    gateway.until("/readyz", |answer| answer.status == StatusCode::OK).await;
    let request = format!("GET {AREA} HTTP/1.1\r\nhost: x\r\n\r\n");
    let mut kept = say(&gateway, &request).await;
    let mut read = [0; 4096];
    let length = kept.read(&mut read).await.unwrap();
    assert!(read[..length].starts_with(b"HTTP/1.1 200"));
    let mut native = AreaServiceClient::new(gateway.channel().await);
    native.get_area(GetAreaRequest::default()).await.expect("an answer");
    gateway.stop.cancel();
    let ready = gateway.get("/readyz").await;
    assert_eq!(
        (ready.status, ready.json()["status"].as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, Some("DRAINING"))
    );
    // The kept connection is answered once more, and told to go; so is a new one.
    kept.write_all(request.as_bytes()).await.unwrap();
    for mut stream in [kept, say(&gateway, &request).await] {
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        assert!(text.starts_with("HTTP/1.1 200") && text.contains("connection: close"), "{text}");
    }
    // HTTP/2 is told by GOAWAY, once the time is over.
    native.get_area(GetAreaRequest::default()).await.expect("an answer");
    tokio::time::timeout(PATIENCE, &mut gateway.task).await.expect("it ends").expect("without a panic");
    assert!(native.get_area(GetAreaRequest::default()).await.is_err());
}

#[tokio::test]
async fn a_stream_goes_on_while_the_gateway_lingers_and_then_ends_with_a_reason() {
    let backend = backend().await;
    let gateway = gateway(backend.address).await;
    let body = gateway.open(Method::GET, WATCH, &[], "").await.into_body();
    gateway.stop.cancel();
    let text =
        tokio::time::timeout(PATIENCE, body.collect()).await.expect("an end").expect("whole").to_bytes();
    let text = std::str::from_utf8(&text).unwrap();
    assert!(
        text.contains("events/2") && text.contains("SHUTTING_DOWN") && text.contains("retryDelay"),
        "{text}"
    );
    until_idle(&backend).await;
}
