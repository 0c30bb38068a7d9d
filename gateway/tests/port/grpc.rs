//! gRPC and gRPC-Web, at the port, with a real backend.

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{Method, StatusCode};
use jingwei_proto::grid::v1::{
    Area, CreateAreaRequest, GetAreaRequest, ListAreasRequest, ListAreasResponse, WatchEventsRequest,
    area_service_client::AreaServiceClient, event_service_client::EventServiceClient,
};
use prost::Message;
use tonic::{Code, Request};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::{
    backend::{area, backend, framed},
    support::{gateway, gateway_with, nobody},
};

const NAME: &str = "districts/410182/areas/410182002011";

#[tokio::test]
async fn a_call_passes_with_its_metadata_both_ways() {
    let backend = backend().await;
    let gateway = gateway(backend.address).await;
    let mut client = AreaServiceClient::new(gateway.channel().await);
    let mut request = Request::new(GetAreaRequest { name: NAME.into(), ..Default::default() });
    request.metadata_mut().insert("authorization", "Bearer t".parse().unwrap());
    request.metadata_mut().insert("x-own", "1".parse().unwrap());
    let response = client.get_area(request).await.expect("an answer");
    assert_eq!(response.metadata().get("x-from").unwrap(), "backend");
    assert_eq!(response.into_inner(), area(NAME));
    let metadata = backend.notes.metadata.lock().unwrap().clone();
    assert_eq!(
        (&metadata["authorization"], &metadata["x-own"]),
        (&"Bearer t".parse().unwrap(), &"1".parse().unwrap())
    );
}

#[tokio::test]
async fn a_deadline_goes_on_a_little_shorter() {
    let backend = backend().await;
    let gateway = gateway(backend.address).await;
    let mut client = AreaServiceClient::new(gateway.channel().await);
    let mut request = Request::new(GetAreaRequest { name: NAME.into(), ..Default::default() });
    request.set_timeout(std::time::Duration::from_secs(3));
    client.get_area(request).await.expect("an answer");
    let timeout = backend.notes.metadata.lock().unwrap()["grpc-timeout"].to_str().unwrap().to_owned();
    let microseconds: u32 = timeout.strip_suffix('u').expect("microseconds").parse().expect("a number");
    assert!((2_000_000..=2_990_000).contains(&microseconds), "{timeout}");
}

#[tokio::test]
async fn an_error_keeps_its_details() {
    let backend = backend().await;
    let gateway = gateway(backend.address).await;
    let mut client = AreaServiceClient::new(gateway.channel().await);
    let request = GetAreaRequest { name: "districts/410182/areas/missing".into(), ..Default::default() };
    let status = client.get_area(request).await.expect_err("missing");
    assert_eq!((status.code(), status.message()), (Code::NotFound, "there is no such area"));
    let details = jingwei_proto::google::rpc::Status::decode(status.details()).expect("a status").details;
    assert_eq!(details.len(), 3);
}

#[tokio::test]
async fn a_stream_passes_message_by_message() {
    let backend = backend().await;
    let gateway = gateway(backend.address).await;
    let mut client = EventServiceClient::new(gateway.channel().await);
    let request =
        WatchEventsRequest { area: "x/fails".into(), resume_token: "4".into(), ..Default::default() };
    let mut changes = client.watch_events(request).await.expect("a stream").into_inner();
    for token in ["5", "6"] {
        assert_eq!(changes.message().await.expect("no error").expect("a change").resume_token, token);
    }
    assert_eq!(changes.message().await.expect_err("it fails").code(), Code::OutOfRange);
}

#[tokio::test]
async fn a_message_may_be_only_so_large() {
    let backend = backend().await;
    let gateway = gateway_with(backend.address, |settings| settings.max_body = 1000).await;
    let mut client = AreaServiceClient::new(gateway.channel().await);
    let large = Area { display_name: "x".repeat(1000), ..Default::default() };
    let status = client
        .create_area(CreateAreaRequest { area: Some(large), ..Default::default() })
        .await
        .expect_err("too large");
    assert_eq!(status.code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn what_nobody_serves_is_unimplemented() {
    let gateway = gateway(nobody().await).await;
    let mut client = tonic::client::Grpc::new(gateway.channel().await);
    client.ready().await.expect("connected");
    let codec = tonic_prost::ProstCodec::<GetAreaRequest, Area>::default();
    let path = http::uri::PathAndQuery::from_static("/jingwei.grid.v1.AreaService/Conquer");
    let status =
        client.unary(Request::new(GetAreaRequest::default()), path, codec).await.expect_err("no such method");
    assert_eq!(status.code(), Code::Unimplemented);
}

#[tokio::test]
async fn health_and_reflection_are_the_gateways_own() {
    let backend = backend().await;
    let gateway = gateway(backend.address).await;
    gateway.until("/readyz", |answer| answer.status == StatusCode::OK).await;
    let request = HealthCheckRequest { service: "jingwei.grid.v1.AreaService".into() };
    let health =
        HealthClient::new(gateway.channel().await).check(request).await.expect("an answer").into_inner();
    assert_eq!(health.status(), ServingStatus::Serving);
    let request = ServerReflectionRequest {
        message_request: Some(MessageRequest::ListServices(String::new())),
        ..Default::default()
    };
    let mut client = ServerReflectionClient::new(gateway.channel().await);
    let mut answers =
        client.server_reflection_info(tokio_stream::once(request)).await.expect("an answer").into_inner();
    let Some(MessageResponse::ListServicesResponse(list)) =
        answers.message().await.expect("no error").expect("one").message_response
    else {
        panic!("no list");
    };
    let names = list.service.iter().map(|service| service.name.as_str()).collect::<Vec<_>>();
    assert!(names.contains(&"jingwei.grid.v1.EventService"), "{names:?}");
}

/// The frames of a gRPC-Web answer: flag and content.
fn frames(mut body: Bytes) -> Vec<(u8, Bytes)> {
    let mut frames = Vec::new();
    while !body.is_empty() {
        let prefix = body.split_to(5);
        let length = u32::from_be_bytes(prefix[1..].try_into().unwrap()) as usize;
        frames.push((prefix[0], body.split_to(length)));
    }
    frames
}

const GET_AREA: &str = "/jingwei.grid.v1.AreaService/GetArea";

#[tokio::test]
async fn grpc_web_in_binary_frames() {
    let backend = backend().await;
    let gateway = gateway(backend.address).await;
    let body = framed(&GetAreaRequest { name: NAME.into(), ..Default::default() });
    let answer =
        gateway.send(Method::POST, GET_AREA, &[("content-type", "application/grpc-web+proto")], body).await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (StatusCode::OK, "application/grpc-web+proto")
    );
    let frames = frames(answer.body);
    assert_eq!((frames.len(), frames[0].0, frames[1].0), (2, 0, 0x80));
    assert_eq!(Area::decode(frames[0].1.clone()).expect("an area"), area(NAME));
    assert!(frames[1].1.starts_with(b"grpc-status:0"), "{:?}", frames[1].1);
}

#[tokio::test]
async fn grpc_web_in_text() {
    let backend = backend().await;
    let gateway = gateway(backend.address).await;
    let body = BASE64_STANDARD.encode(framed(&ListAreasRequest {
        parent: "districts/410182".into(),
        page_size: 3,
        ..Default::default()
    }));
    let headers =
        [("content-type", "application/grpc-web-text+proto"), ("accept", "application/grpc-web-text+proto")];
    let answer = gateway.send(Method::POST, "/jingwei.grid.v1.AreaService/ListAreas", &headers, body).await;
    assert_eq!(answer.header("content-type"), "application/grpc-web-text+proto");
    // Each frame is base64 of its own, with padding.
    let frames = frames(
        answer.body.chunks(4).flat_map(|part| BASE64_STANDARD.decode(part).expect("base64")).collect(),
    );
    assert_eq!(ListAreasResponse::decode(frames[0].1.clone()).expect("a list").areas.len(), 3);
    assert!(frames[1].0 == 0x80 && frames[1].1.starts_with(b"grpc-status:0"), "{frames:?}");
}

#[tokio::test]
async fn grpc_web_errors_have_a_status() {
    let backend = backend().await;
    let gateway = gateway(backend.address).await;
    for (name, code) in [("districts/410182/areas/missing", "5"), ("", "0")] {
        let body = framed(&GetAreaRequest { name: name.into(), ..Default::default() });
        let answer =
            gateway.send(Method::POST, GET_AREA, &[("content-type", "application/grpc-web")], body).await;
        let in_body = frames(answer.body.clone())
            .iter()
            .any(|(flag, text)| *flag == 0x80 && text.starts_with(format!("grpc-status:{code}").as_bytes()));
        assert!(answer.header("grpc-status") == code || in_body, "{answer:?}");
    }
}

#[tokio::test]
async fn grpc_needs_http2() {
    let gateway = gateway(nobody().await).await;
    let answer = gateway.send(Method::POST, GET_AREA, &[("content-type", "application/grpc")], "").await;
    assert_eq!(answer.header("grpc-status"), "12");
}
