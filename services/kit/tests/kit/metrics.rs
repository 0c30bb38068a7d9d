//! What a process tells about itself.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures::future::BoxFuture;
use http_body_util::BodyExt;
use jingwei_kit::{stack::Limits, telemetry};
use jingwei_proto::grid::v1::{
    GetPublicContactCardRequest, contact_card_service_client::ContactCardServiceClient,
};

use tokio::sync::mpsc;
use tonic::{body::Body, server::NamedService, transport::server::TcpIncoming};

use crate::site::Site;

/// Takes what is exported to it, as raw bytes.
#[derive(Clone)]
struct Collector(mpsc::UnboundedSender<Bytes>);

impl NamedService for Collector {
    const NAME: &'static str = "opentelemetry.proto.collector.trace.v1.TraceService";
}

impl tower::Service<http::Request<Body>> for Collector {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let taken = self.0.clone();
        Box::pin(async move {
            taken
                .send(request.into_body().collect().await.expect("a body").to_bytes())
                .expect("somebody listens");
            // An empty message.
            let answer = http_body_util::Full::new(Bytes::from_static(&[0; 5]));
            let trailers = http::HeaderMap::from_iter([(
                "grpc-status".parse().expect("a name"),
                http::HeaderValue::from_static("0"),
            )]);
            let body = Body::new(answer.with_trailers(std::future::ready(Some(Ok(trailers)))));
            Ok(http::Response::builder()
                .header("content-type", "application/grpc")
                .body(body)
                .expect("well formed"))
        })
    }
}

async fn collector() -> (String, mpsc::UnboundedReceiver<Bytes>) {
    let (sender, taken) = mpsc::unbounded_channel();
    let incoming = TcpIncoming::bind(([127, 0, 0, 1], 0).into()).expect("binds");
    let url = format!("http://{}", incoming.local_addr().expect("bound"));
    let server = tonic::transport::Server::builder().add_service(Collector(sender));
    tokio::spawn(server.serve_with_incoming(incoming));
    (url, taken)
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_counted_timed_and_traced() {
    let (otlp, mut traces) = collector().await;
    let options = telemetry::Options {
        service: "test",
        log: "info".into(),
        json: true,
        metrics: Some(([127, 0, 0, 1], 0).into()),
        otlp: Some(otlp),
    };
    let telemetry = telemetry::start(options.clone()).await.expect("starts");
    assert!(telemetry::start(options).await.is_err(), "once per process");
    let site = Site::start(Limits::default()).await;
    let mut cards = ContactCardServiceClient::new(site.channel.clone());
    for name in ["districts/410182/contactCards/abcdefghij12", "wrong", "wrong"] {
        let mut request = tonic::Request::new(GetPublicContactCardRequest { name: name.into() });
        let parent =
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse().expect("a header value");
        request.metadata_mut().insert("traceparent", parent);
        cards.get_public_contact_card(request).await.ok();
    }
    // The server counts a call when its answer's last frame is gone: told to stop, it has counted all.
    site.stop.cancel();
    drop(cards);
    site.done.await.expect("ends");
    let url = format!("http://{}/metrics", telemetry.metrics.expect("served"));
    let text = reqwest::get(url).await.expect("answers").text().await.expect("text");
    let count = |code: &str| {
        let wanted = [
            "grpc_server_handled_total{",
            "grpc_method=\"GetPublicContactCard\"",
            &format!("grpc_code=\"{code}\""),
        ];
        let line = text.lines().find(|line| wanted.iter().all(|part| line.contains(part)))?;
        line.rsplit(' ').next()?.parse::<u64>().ok()
    };
    assert!(count("Ok") >= Some(1) && count("InvalidArgument") >= Some(2), "{text}");
    assert!(text.contains("grpc_server_handling_seconds_bucket{"), "{text}");
    tokio::task::spawn_blocking(move || telemetry.stop()).await.expect("no panic");
    let exported = traces.recv().await.expect("traces");
    let holds = |part: &[u8]| exported.windows(part.len()).any(|window| window == part);
    assert!(holds(b"jingwei.grid.v1.ContactCardService/GetPublicContactCard"));
    assert!(
        holds(&0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128.to_be_bytes()),
        "the caller's trace goes on"
    );
}
