//! The listener: one port for HTTP/1.1 and HTTP/2, who answers what, and the drain.

use std::{convert::Infallible, io, net::IpAddr, panic::AssertUnwindSafe, time::Duration};

use futures::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version, header};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use jingwei_kit::status::Problem;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tonic::body::Body;
use tonic_web::GrpcWebLayer;
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_http::{
    compression::{CompressionLayer, Predicate, predicate::SizeAbove},
    cors::{AllowHeaders, AllowOrigin, CorsLayer},
};

use crate::{Gateway, Settings, StartError, problem, relay::Protocol};

/// How long a client may take for the head of a request.
const HEAD: Duration = Duration::from_secs(10);

/// How large the head of a request may be: half of what the services take, so that none reaches them that is too large.
const HEAD_BYTES: u32 = 16 << 10;

/// How often the rate limits forget.
const TIDY: Duration = Duration::from_secs(30);

/// Serves until `stop`, then says so (`/readyz`, gRPC health) and lingers: it still takes calls, and closes HTTP/1
/// connections with their next answer. Then it drains: no new connections, streams end with UNAVAILABLE, and running calls
/// have the grace period to end.
pub async fn run(
    settings: Settings,
    listener: TcpListener,
    stop: CancellationToken,
) -> Result<(), StartError> {
    let (linger, grace) = (settings.linger, settings.grace);
    let gateway = Gateway::new(settings, stop.clone())?;
    futures::future::join_all(gateway.backends.iter().map(|backend| backend.look_up())).await;
    let drain = gateway.drain.clone();
    let _lingering = AbortOnDropHandle::new(tokio::spawn({
        let drain = drain.clone();
        async move {
            stop.cancelled().await;
            tokio::time::sleep(linger).await;
            drain.cancel();
        }
    }));
    let _tasks = tasks(&gateway);
    let connections = GracefulShutdown::new();
    let server = server();
    let cors = cors(&gateway.settings);
    while let Some(accepted) = drain.run_until_cancelled(listener.accept()).await {
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                refused(&error).await;
                continue;
            }
        };
        let gateway = gateway.clone();
        let answer = service_fn(move |request: Request<Incoming>| {
            let gateway = gateway.clone();
            async move { Ok::<_, Infallible>(gateway.answer(request.map(Body::new), peer.ip()).await) }
        });
        let service = TowerToHyperService::new(tower::util::option_layer(cors.clone()).layer(answer));
        let connection = server.serve_connection(io(stream), service).into_owned();
        tokio::spawn(connections.watch(connection));
    }
    drop(listener);
    if tokio::time::timeout(grace, connections.shutdown()).await.is_err() {
        tracing::warn!("connections were still open after the grace period");
    }
    Ok(())
}

/// The tasks beside the requests; they end when dropped.
fn tasks(gateway: &Gateway) -> Vec<AbortOnDropHandle<()>> {
    let mut tasks = Vec::new();
    metrics::counter!("gateway_rate_limited_total").increment(0);
    for backend in &gateway.backends {
        for counter in ["gateway_retries_total", "gateway_reroutes_total"] {
            metrics::counter!(counter, "backend" => backend.name.clone()).increment(0);
        }
        let services = gateway
            .rpcs
            .values()
            .filter(|rpc| rpc.backend.name == backend.name)
            .map(|rpc| rpc.service.clone());
        let services = services.collect::<std::collections::BTreeSet<_>>().into_iter().collect();
        let watch = gateway.clone().watch(backend.clone(), services);
        tasks.push(AbortOnDropHandle::new(tokio::spawn(watch)));
    }
    let gateway = gateway.clone();
    tasks.push(AbortOnDropHandle::new(tokio::spawn(async move {
        loop {
            tokio::time::sleep(TIDY).await;
            gateway.limits.iter().for_each(crate::limit::Limits::tidy);
        }
    })));
    tasks
}

fn server() -> auto::Builder<TokioExecutor> {
    let mut server = auto::Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(HEAD_BYTES as usize);
    server
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(256)
        .max_header_list_size(HEAD_BYTES)
        .adaptive_window(true)
        // A stream's reader that vanished without a word is found out.
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(20));
    server
}

fn io(stream: TcpStream) -> TokioIo<TcpStream> {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection that is gone already");
    }
    TokioIo::new(stream)
}

/// Out of files or memory: waits a little instead of trying again at once.
async fn refused(error: &io::Error) {
    tracing::warn!(%error, "cannot accept a connection");
    tokio::time::sleep(Duration::from_millis(100)).await;
}

/// The pages of which origins may call, and what they may read of the answer.
fn cors(settings: &Settings) -> Option<CorsLayer> {
    let origins = &settings.origins;
    if origins.is_empty() {
        return None;
    }
    let origins = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(origins.clone())
    };
    let exposed = [
        "grpc-status",
        "grpc-message",
        "grpc-status-details-bin",
        "retry-after",
        "x-request-id",
        "content-disposition",
    ];
    Some(
        CorsLayer::new()
            .allow_origin(origins)
            .allow_methods([
                Method::GET,
                Method::HEAD,
                Method::POST,
                Method::PUT,
                Method::PATCH,
                Method::DELETE,
            ])
            .allow_headers(AllowHeaders::mirror_request())
            .expose_headers(exposed.map(HeaderName::from_static))
            .max_age(Duration::from_secs(3600)),
    )
}

impl Gateway {
    /// The answer to any request; a panic is an answer, too.
    async fn answer(&self, request: Request<Body>, peer: IpAddr) -> Response<Body> {
        let version = request.version();
        let answered = AssertUnwindSafe(self.dispatch(request, peer)).catch_unwind().await;
        let mut response = answered
            .unwrap_or_else(|_| problem::answer(&self.tables, jingwei_kit::status::internal(&Panicked)));
        if self.stop.is_cancelled() && version < Version::HTTP_2 {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    async fn dispatch(&self, mut request: Request<Body>, peer: IpAddr) -> Response<Body> {
        let protocol = protocol(request.headers());
        let path = request.uri().path();
        if matches!(path, "/healthz" | "/readyz" | "/health") {
            return if path == "/healthz" { Self::alive() } else { self.health() };
        }
        let address = self.address(request.headers(), peer);
        if let Some(Err(wait)) = self.limits.as_ref().map(|limits| limits.check(request.headers(), address)) {
            metrics::counter!("gateway_rate_limited_total").increment(1);
            return self.refuse(protocol, problem::rate_limited(wait));
        }
        request.extensions_mut().insert(protocol);
        match protocol {
            Protocol::Grpc if request.version() < Version::HTTP_2 => {
                self.refuse(protocol, problem::needs_http2())
            }
            Protocol::Grpc => self.grpc(request).await,
            Protocol::GrpcWeb => self.grpc_web(request).await,
            Protocol::Json => self.web(request).await,
        }
    }

    /// The address that a limit counts for.
    fn address(&self, headers: &HeaderMap, peer: IpAddr) -> IpAddr {
        if !self.settings.behind_proxy {
            return peer;
        }
        let chain = headers.get_all("x-forwarded-for").iter().next_back();
        let last = chain.and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
        last.unwrap_or(peer)
    }

    /// A refusal before the request is read.
    fn refuse(&self, protocol: Protocol, problem: Problem) -> Response<Body> {
        if protocol == Protocol::Json {
            return problem::answer(&self.tables, problem);
        }
        let mut response: Response<Body> = problem.status(problem::DOMAIN).into_http();
        if protocol == Protocol::GrpcWeb {
            let kind = HeaderValue::from_static("application/grpc-web+proto");
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
        }
        response
    }

    async fn grpc_web(&self, request: Request<Body>) -> Response<Body> {
        let gateway = self.clone();
        let pass = service_fn(move |request: Request<Body>| {
            let gateway = gateway.clone();
            async move { Ok::<_, Infallible>(gateway.grpc(request).await) }
        });
        GrpcWebLayer::new().layer(pass).oneshot(request).await.unwrap_or_else(|never| match never {})
    }

    /// Health and reflection.
    pub(crate) async fn own_services(&self, request: Request<Body>) -> Response<Body> {
        self.services.clone().call(request).await.unwrap_or_else(|never| match never {})
    }

    /// Documentation and JSON, compressed where the client can read that.
    async fn web(&self, request: Request<Body>) -> Response<Body> {
        let gateway = self.clone();
        let is_head = request.method() == Method::HEAD;
        let plain = service_fn(move |request: Request<Body>| {
            let gateway = gateway.clone();
            async move {
                Ok::<_, Infallible>(
                    match gateway.documentation(request.method(), request.uri().path()).await {
                        Some(response) => response,
                        None => gateway.json(request).await,
                    },
                )
            }
        });
        let compression = CompressionLayer::new().compress_when(SizeAbove::new(1024).and(is_text));
        let response = compression.layer(plain).oneshot(request).await.unwrap_or_else(|never| match never {});
        if is_head { response.map(|_| Body::empty()) } else { response.map(Body::new) }
    }
}

/// Whether an answer is worth compressing: not a stream, whose messages would be held back, nor what is packed already,
/// as pictures and workbooks are.
fn is_text(_: StatusCode, _: Version, headers: &HeaderMap, _: &http::Extensions) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    ["application/json", "text/html", "text/css", "text/javascript", "text/csv"]
        .iter()
        .any(|text| kind.starts_with(text))
}

/// How a client speaks.
fn protocol(headers: &HeaderMap) -> Protocol {
    let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    if kind.starts_with(b"application/grpc-web") {
        Protocol::GrpcWeb
    } else if kind.starts_with(b"application/grpc") {
        Protocol::Grpc
    } else {
        Protocol::Json
    }
}

#[derive(Debug, thiserror::Error)]
#[error("a request made the gateway panic")]
struct Panicked;
