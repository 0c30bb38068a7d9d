//! JSON over HTTP, at the port, with a real backend.

use std::sync::atomic::Ordering;

use crate::{
    backend::backend,
    support::{gateway, gateway_with, nobody},
};
use http::{Method, StatusCode};
use serde_json::json;

const AREA: &str = "/v1/districts/410182/areas/410182002011";

#[tokio::test]
async fn a_get_becomes_a_call_and_its_answer_json() {
    let backend = backend().await;
    let gateway = gateway(backend.address).await;
    let headers = [
        ("authorization", "Bearer t"),
        ("accept-language", "en"),
        ("cookie", "secret=1"),
        ("x-request-id", "r-1"),
    ];
    let answer = gateway.send(Method::GET, AREA, &headers, "").await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "application/json"));
    let expected = json!({"name": "districts/410182/areas/410182002011", "displayName": "永安街社区", "depth": 2, "version": "7"});
    assert_eq!(answer.json(), expected);
    let metadata = backend.notes.metadata.lock().unwrap().clone();
    assert_eq!(
        (&metadata["authorization"], &metadata["accept-language"], &metadata["x-request-id"]),
        (&"Bearer t".parse().unwrap(), &"en".parse().unwrap(), &"r-1".parse().unwrap())
    );
    assert!(!metadata.contains_key("cookie"), "{metadata:?}");
}

#[tokio::test]
async fn path_query_and_body_make_one_message() {
    let backend = backend().await;
    let gateway = gateway(backend.address).await;
    let listed = gateway.get("/v1/districts/410182/areas?pageSize=2").await.json();
    assert_eq!(listed["areas"][1]["name"], "districts/410182/areas/1");
    let located = gateway
        .get("/v1/districts/410182/areas:locate?point.latitude=34.79&point.longitude=113.38")
        .await
        .json();
    assert_eq!(located, json!({"point": {"latitude": 34.79, "longitude": 113.38}}));
    let path = format!("{AREA}?updateMask=displayName,boundaryGeojson");
    let headers = [("content-type", "application/json; charset=utf-8")];
    let changed = gateway.send(Method::PATCH, &path, &headers, r#"{"displayName": "新名"}"#).await.json();
    assert_eq!(
        changed,
        json!({"name": "districts/410182/areas/410182002011", "displayName": "新名", "etag": "display_name+boundary_geojson"})
    );
}

#[tokio::test]
async fn the_backends_errors_keep_their_details() {
    let backend = backend().await;
    let gateway = gateway(backend.address).await;
    let answer = gateway.get("/v1/districts/410182/areas/missing").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let error = &answer.json()["error"];
    assert_eq!((&error["code"], &error["status"]), (&json!(404), &json!("NOT_FOUND")));
    assert_eq!(
        error["details"][0],
        json!({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "NOT_FOUND", "domain": "grid.jingwei", "metadata": {"name": "districts/410182/areas/missing"}})
    );
    assert_eq!(
        (&error["details"][1]["locale"], &error["details"][1]["message"]),
        (&json!("zh-CN"), &json!("没有这个区域"))
    );
}

#[tokio::test]
async fn every_wrong_field_is_told_at_once() {
    let backend = backend().await;
    let gateway = gateway(backend.address).await;
    let answer =
        gateway.post("/v1/districts/410182/areas?nonsense=1", r#"{"displayName": 5, "colour": "red"}"#).await;
    assert_eq!((answer.status, answer.reason().as_str()), (StatusCode::BAD_REQUEST, "INVALID_REQUEST"));
    let text = answer.text();
    for field in ["nonsense", "display_name", "colour"] {
        assert!(text.contains(field), "{field}: {text}");
    }
    assert_eq!(backend.notes.calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn addresses_methods_and_media_types_that_are_not_taken() {
    let gateway = gateway(nobody().await).await;
    let answer = gateway.get("/v1/nothing").await;
    assert_eq!((answer.status, answer.reason().as_str()), (StatusCode::NOT_FOUND, "NO_ROUTE"));
    let answer = gateway.send(Method::DELETE, "/v1/districts/410182/areas", &[], "").await;
    assert_eq!(
        (answer.status, answer.header("allow")),
        (StatusCode::METHOD_NOT_ALLOWED, "GET, POST, OPTIONS, HEAD")
    );
    assert_eq!(answer.json()["error"]["code"], 405);
    let answer = gateway.send(Method::OPTIONS, "/v1/districts/410182/areas", &[], "").await;
    assert_eq!(
        (answer.status, answer.header("allow"), answer.body.len()),
        (StatusCode::NO_CONTENT, "GET, POST, OPTIONS, HEAD", 0)
    );
    let answer = gateway
        .send(Method::POST, "/v1/districts/410182/areas", &[("content-type", "text/plain")], "x")
        .await;
    assert_eq!(
        (answer.status, answer.reason().as_str()),
        (StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE")
    );
}

#[tokio::test]
async fn a_head_is_a_get_without_the_body() {
    let backend = backend().await;
    let gateway = gateway(backend.address).await;
    let answer = gateway.send(Method::HEAD, AREA, &[], "").await;
    assert_eq!(
        (answer.status, answer.header("content-type"), answer.body.len()),
        (StatusCode::OK, "application/json", 0)
    );
    assert_eq!(backend.notes.calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_body_may_be_only_so_large() {
    let backend = backend().await;
    let gateway = gateway_with(backend.address, |settings| settings.max_body = 1000).await;
    let body = |length: usize| format!(r#"{{"displayName": "{}"}}"#, "x".repeat(length - 19));
    let answer = gateway.post("/v1/districts/410182/areas", &body(1000)).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let answer = gateway.post("/v1/districts/410182/areas", &body(1001)).await;
    assert_eq!(
        (answer.status, answer.reason().as_str()),
        (StatusCode::PAYLOAD_TOO_LARGE, "MESSAGE_TOO_LARGE")
    );
    assert_eq!(answer.json()["error"]["code"], 413);
}

#[tokio::test]
async fn long_answers_are_compressed_for_who_can_read_it() {
    let backend = backend().await;
    let gateway = gateway(backend.address).await;
    let path = "/v1/districts/410182/areas?pageSize=100";
    let plain = gateway.get(path).await;
    let packed = gateway.send(Method::GET, path, &[("accept-encoding", "gzip")], "").await;
    assert_eq!((plain.header("content-encoding"), packed.header("content-encoding")), ("", "gzip"));
    assert!(packed.body.len() * 5 < plain.body.len(), "{} {}", packed.body.len(), plain.body.len());
    let short = gateway.send(Method::GET, AREA, &[("accept-encoding", "gzip")], "").await;
    assert_eq!(short.header("content-encoding"), "");
}

#[tokio::test]
async fn an_open_document_and_a_page_are_served() {
    let gateway = gateway(nobody().await).await;
    let document = gateway.get("/openapi.json").await.json();
    assert_eq!(document["openapi"], "3.1.0");
    let start = gateway.get("/").await;
    assert_eq!((start.status, start.header("location")), (StatusCode::TEMPORARY_REDIRECT, "/docs/"));
    let page = gateway.get("/docs/").await;
    assert!(page.text().contains("经纬 接口清单"), "{page:?}");
    for file in ["/docs/list.js", "/docs/start.js"] {
        assert_eq!(
            gateway.get(file).await.header("content-type"),
            "text/javascript; charset=utf-8",
            "{file}"
        );
    }
    for nothing in ["/docs/swagger-ui.css", "/docs/../Cargo.toml", "/docs/openapi.json"] {
        assert_eq!(gateway.get(nothing).await.status, StatusCode::NOT_FOUND, "{nothing}");
    }
    assert_eq!(gateway.send(Method::POST, "/docs/", &[], "").await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn the_page_with_swagger_ui_is_served_where_it_is_installed() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("swagger-ui-bundle.js"), "// the bundle").unwrap();
    let gateway = gateway_with(nobody().await, |settings| settings.docs = folder.path().into()).await;
    assert!(gateway.get("/docs/").await.text().contains("swagger-ui-bundle.js"));
    assert_eq!(gateway.get("/docs/swagger-ui-bundle.js").await.text(), "// the bundle");
}
