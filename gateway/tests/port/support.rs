//! A real backend on a loopback port, a gateway before it, and clients that speak what browsers and curl speak.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures::{StreamExt, future::BoxFuture, stream};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use jingwei_gateway::Settings;
use jingwei_kit::status::Problem;
use jingwei_proto::grid::v1::{
    Area, CreateAreaRequest, GetAreaRequest, ListAreaVersionsRequest, ListAreaVersionsResponse,
    ListAreasRequest, ListAreasResponse, LocatePointRequest, LocatePointResponse, UpdateAreaRequest,
    WatchEventsRequest, WatchEventsResponse,
    area_service_server::{AreaService, AreaServiceServer},
};
use prost::Message;
use serde_json::Value;
use tokio::{net::TcpListener, runtime::Runtime};
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status, body::Body, server::NamedService};

/// Longer than anything here takes, unless it hangs.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What the backend saw, and how it is to behave.
#[derive(Default)]
pub struct Notes {
    /// Calls that reached a handler.
    pub calls: AtomicUsize,
    /// So many of the next calls are answered with UNAVAILABLE.
    pub unavailable: AtomicUsize,
    /// The metadata of the last call.
    pub metadata: std::sync::Mutex<HeaderMap>,
}

/// The service of areas. What it does is in the code of the area that it is asked for.
#[derive(Clone, Default)]
pub struct Areas(pub Arc<Notes>);

impl Areas {
    async fn arrive<T>(&self, request: &tonic::Request<T>, name: &str) -> Result<(), Status> {
        self.0.calls.fetch_add(1, Ordering::SeqCst);
        *self.0.metadata.lock().unwrap() = request.metadata().clone().into_headers();
        if self.0.unavailable.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok() {
            return Err(Status::unavailable("not now"));
        }
        match name.rsplit('/').next() {
            Some("hangs") => std::future::pending().await,
            Some("missing") => {
                let problem =
                    Problem::new(Code::NotFound, "NOT_FOUND", "没有这个区域", "there is no such area");
                Err(problem.with("name", name).status("grid.jingwei"))
            }
            _ => Ok(()),
        }
    }
}

pub fn area(name: &str) -> Area {
    Area {
        name: name.to_owned(),
        display_name: "永安街社区".into(),
        version: 7,
        depth: 2,
        ..Default::default()
    }
}

#[tonic::async_trait]
impl AreaService for Areas {
    async fn get_area(
        &self,
        request: tonic::Request<GetAreaRequest>,
    ) -> Result<tonic::Response<Area>, Status> {
        self.arrive(&request, &request.get_ref().name).await?;
        let mut response = tonic::Response::new(area(&request.get_ref().name));
        response.metadata_mut().insert("x-from", "backend".parse().unwrap());
        Ok(response)
    }

    async fn list_areas(
        &self,
        request: tonic::Request<ListAreasRequest>,
    ) -> Result<tonic::Response<ListAreasResponse>, Status> {
        self.arrive(&request, &request.get_ref().parent).await?;
        let request = request.into_inner();
        let areas = (0..request.page_size).map(|n| area(&format!("{}/areas/{n}", request.parent)));
        Ok(tonic::Response::new(ListAreasResponse { areas: areas.collect(), next_page_token: String::new() }))
    }

    async fn create_area(
        &self,
        request: tonic::Request<CreateAreaRequest>,
    ) -> Result<tonic::Response<Area>, Status> {
        let name = request.get_ref().area.as_ref().map(|area| area.name.clone()).unwrap_or_default();
        self.arrive(&request, &name).await?;
        Ok(tonic::Response::new(request.into_inner().area.unwrap_or_default()))
    }

    async fn update_area(
        &self,
        request: tonic::Request<UpdateAreaRequest>,
    ) -> Result<tonic::Response<Area>, Status> {
        let name = request.get_ref().area.as_ref().map(|area| area.name.clone()).unwrap_or_default();
        self.arrive(&request, &name).await?;
        let request = request.into_inner();
        let paths = request.update_mask.map(|mask| mask.paths.join("+")).unwrap_or_default();
        Ok(tonic::Response::new(Area { etag: paths, ..request.area.unwrap_or_default() }))
    }

    async fn list_area_versions(
        &self,
        _: tonic::Request<ListAreaVersionsRequest>,
    ) -> Result<tonic::Response<ListAreaVersionsResponse>, Status> {
        Err(Status::unimplemented("not here"))
    }

    async fn locate_point(
        &self,
        request: tonic::Request<LocatePointRequest>,
    ) -> Result<tonic::Response<LocatePointResponse>, Status> {
        self.arrive(&request, "").await?;
        Ok(tonic::Response::new(LocatePointResponse { area: None, point: request.into_inner().point }))
    }
}

/// The one stream there is. It ends as the area that is followed says: `…/breaks`, `…/fails`, `…/stays`, or well.
#[derive(Clone)]
pub struct Events;

impl NamedService for Events {
    const NAME: &'static str = "jingwei.grid.v1.EventService";
}

impl tower::Service<Request<Body>> for Events {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(async move {
            let bytes = request.into_body().collect().await.expect("a request").to_bytes();
            Ok(watch(&WatchEventsRequest::decode(&bytes[5..]).expect("a message")))
        })
    }
}

/// Two changes after the one that was seen last, and an end.
fn watch(request: &WatchEventsRequest) -> Response<Body> {
    let seen = request.resume_token.parse::<u32>().unwrap_or(0);
    let change = |n: u32| {
        let change = WatchEventsResponse {
            event: format!("events/{n}"),
            resume_token: n.to_string(),
            ..Default::default()
        };
        Ok(Frame::data(framed(&change)))
    };
    let status = match request.area.rsplit('/').next() {
        Some("fails") => Status::out_of_range("the token is too old"),
        _ => Status::new(Code::Ok, ""),
    };
    let mut trailers = HeaderMap::new();
    status.add_header(&mut trailers).expect("a status");
    let changes = stream::iter([change(seen + 1), change(seen + 2)]);
    let body = match request.area.rsplit('/').next() {
        Some("breaks") => {
            Body::new(StreamBody::new(changes.chain(stream::iter([Err(Status::internal("broken"))]))))
        }
        Some("stays") => Body::new(StreamBody::new(changes.chain(stream::pending()))),
        _ => Body::new(StreamBody::new(changes.chain(stream::iter([Ok(Frame::trailers(trailers))])))),
    };
    let mut response = Response::new(body);
    response.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
    response
}

/// A message with its prefix.
pub fn framed(message: &impl Message) -> Bytes {
    let wire = message.encode_to_vec();
    let mut bytes = BytesMut::from(&[0][..]);
    bytes.extend_from_slice(&u32::try_from(wire.len()).unwrap().to_be_bytes());
    bytes.extend_from_slice(&wire);
    bytes.freeze()
}

/// A running backend. When dropped it is gone at once, and its connections with it.
pub struct Backend {
    pub address: SocketAddr,
    pub notes: Arc<Notes>,
    runtime: Option<Runtime>,
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.runtime.take().into_iter().for_each(Runtime::shutdown_background);
    }
}

pub async fn backend() -> Backend {
    backend_at(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a free port")
}

pub async fn backend_at(address: SocketAddr) -> std::io::Result<Backend> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let areas = Areas::default();
    let notes = areas.0.clone();
    let started = runtime.spawn(async move {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (reporter, health) = tonic_health::server::health_reporter();
        reporter.set_service_status("", tonic_health::ServingStatus::Serving).await;
        let server = tonic::transport::Server::builder()
            .add_service(health)
            .add_service(AreaServiceServer::new(areas))
            .add_service(Events);
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        Ok::<_, std::io::Error>(address)
    });
    let address = started.await.expect("no panic");
    Ok(Backend { notes, runtime: Some(runtime), address: address? })
}

/// An address on which nobody listens.
pub async fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// A running gateway; it stops when dropped.
pub struct Gateway {
    pub address: SocketAddr,
    pub stop: CancellationToken,
    pub task: tokio::task::JoinHandle<()>,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// A gateway for the backend at `address`, without rate limit.
pub async fn gateway(address: SocketAddr) -> Gateway {
    gateway_with(address, |_| ()).await
}

pub async fn gateway_with(address: SocketAddr, change: impl FnOnce(&mut Settings)) -> Gateway {
    let mut settings = Settings::new([("grid".to_owned(), format!("http://{address}").parse().unwrap())]);
    settings.rate = None;
    settings.docs = "no such folder".into();
    change(&mut settings);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
    let run = jingwei_gateway::run(settings, listener, stop.clone());
    let task = tokio::spawn(async move { run.await.expect("the gateway starts") });
    let client = Client::builder(TokioExecutor::new()).build_http();
    Gateway { address, stop, task, client }
}

/// An answer that was read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The reason in ErrorInfo.
    pub fn reason(&self) -> String {
        self.json()["error"]["details"][0]["reason"].as_str().unwrap_or_default().to_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Gateway {
    /// Sends a request over HTTP/1.1 and waits for the head of the answer.
    pub async fn open(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Response<Incoming> {
        let mut request = Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into())).unwrap();
        tokio::time::timeout(PATIENCE, self.client.request(request))
            .await
            .expect("an answer in time")
            .expect("an answer")
    }

    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let (head, body) = self.open(method, path, headers, body).await.into_parts();
        let body = tokio::time::timeout(PATIENCE, body.collect())
            .await
            .expect("an end in time")
            .expect("a whole body");
        Answer { status: head.status, headers: head.headers, body: body.to_bytes() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], "").await
    }

    pub async fn post(&self, path: &str, body: &str) -> Answer {
        self.send(Method::POST, path, &[("content-type", "application/json")], body.to_owned()).await
    }

    /// Asks until the answer is as wanted.
    pub async fn until(&self, path: &str, wanted: impl Fn(&Answer) -> bool) -> Answer {
        let asking = async {
            loop {
                let answer = self.get(path).await;
                if wanted(&answer) {
                    return answer;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, asking).await.expect("the wanted answer in time")
    }

    /// A gRPC channel to it.
    pub async fn channel(&self) -> tonic::transport::Channel {
        let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{}", self.address)).unwrap();
        endpoint.connect().await.expect("a connection")
    }
}
