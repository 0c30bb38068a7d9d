//! Streams over HTTP: server-sent events and lines, how they resume, and how they end.

use crate::{
    backend::backend,
    support::{PATIENCE, gateway, nobody},
};
use http::{Method, StatusCode};
use http_body_util::BodyExt;

const WATCH: &str = "/v1/districts/410182/events:watch";
const EVENTS: [(&str, &str); 1] = [("accept", "text/event-stream")];

#[tokio::test]
async fn lines_of_json() {
    let backend = backend().await;
    let gateway = gateway(backend.address).await;
    let answer = gateway.get(WATCH).await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "application/x-ndjson"));
    assert_eq!(
        answer.text(),
        "{\"event\":\"events/1\",\"resumeToken\":\"1\"}\n{\"event\":\"events/2\",\"resumeToken\":\"2\"}\n"
    );
}

#[tokio::test]
async fn events_carry_their_token_as_id_and_resume_by_it() {
    let backend = backend().await;
    let gateway = gateway(backend.address).await;
    let answer = gateway.send(Method::GET, WATCH, &EVENTS, "").await;
    assert_eq!(
        (answer.header("content-type"), answer.header("cache-control")),
        ("text/event-stream", "no-cache")
    );
    let first = "id: 1\ndata: {\"event\":\"events/1\",\"resumeToken\":\"1\"}\n\n";
    assert!(answer.text().starts_with(first), "{}", answer.text());
    let headers = [EVENTS[0], ("last-event-id", "41")];
    let answer = gateway.send(Method::GET, &format!("{WATCH}?resumeToken=7"), &headers, "").await;
    assert!(answer.text().starts_with("id: 42\n"), "{}", answer.text());
}

#[tokio::test]
async fn a_stream_that_fails_ends_with_the_error() {
    let backend = backend().await;
    let gateway = gateway(backend.address).await;
    let path = format!("{WATCH}?area=fails");
    let lines = gateway.get(&path).await;
    let last = lines.text().lines().last().unwrap();
    assert!(last.starts_with(r#"{"error":{"code":400,"status":"OUT_OF_RANGE""#), "{last}");
    let events = gateway.send(Method::GET, &path, &EVENTS, "").await;
    assert!(events.text().contains("\n\nevent: error\ndata: {\"error\":{\"code\":400"), "{}", events.text());
}

#[tokio::test]
async fn a_stream_that_breaks_ends_with_an_error_of_the_gateway() {
    let backend = backend().await;
    let gateway = gateway(backend.address).await;
    let answer = gateway.get(&format!("{WATCH}?area=breaks")).await;
    assert!(
        answer.text().lines().last().unwrap().contains(r#""reason":"BACKEND_UNAVAILABLE""#),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn an_error_before_the_first_message_is_an_http_error() {
    let gateway = gateway(nobody().await).await;
    let answer = gateway.send(Method::GET, WATCH, &EVENTS, "").await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (StatusCode::SERVICE_UNAVAILABLE, "application/json")
    );
}

#[tokio::test]
async fn a_stream_comes_message_by_message_and_ends_when_the_gateway_stops() {
    let backend = backend().await;
    let mut gateway = gateway(backend.address).await;
    let mut body = gateway.open(Method::GET, &format!("{WATCH}?area=stays"), &[], "").await.into_body();
    let mut text = String::new();
    while text.lines().count() < 2 {
        let frame = body.frame().await.expect("a frame").expect("data");
        text.push_str(std::str::from_utf8(&frame.into_data().expect("data")).unwrap());
    }
    gateway.stop.cancel();
    let rest = tokio::time::timeout(PATIENCE, body.collect())
        .await
        .expect("an end in time")
        .expect("a whole body")
        .to_bytes();
    assert!(std::str::from_utf8(&rest).unwrap().contains(r#""reason":"SHUTTING_DOWN""#), "{rest:?}");
    tokio::time::timeout(PATIENCE, &mut gateway.task)
        .await
        .expect("the gateway ends")
        .expect("without a panic");
}

#[tokio::test]
async fn a_head_opens_no_stream() {
    let gateway = gateway(nobody().await).await;
    let answer = gateway.send(Method::HEAD, WATCH, &EVENTS, "").await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "text/event-stream"));
}
