//! A real backend on a loopback port: tonic's server, with services that behave as a test wants.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures::{StreamExt, future::BoxFuture, stream};
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use jingwei_kit::status::Problem;
use jingwei_proto::grid::v1::{
    Area, CreateAreaRequest, GetAreaRequest, ListAreaVersionsRequest, ListAreaVersionsResponse,
    ListAreasRequest, ListAreasResponse, LocatePointRequest, LocatePointResponse, UpdateAreaRequest,
    WatchEventsRequest, WatchEventsResponse,
    area_service_server::{AreaService, AreaServiceServer},
};
use prost::Message;
use tokio::{net::TcpListener, runtime::Runtime};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Code, Status, body::Body, server::NamedService};
use tonic_health::{ServingStatus, server::HealthReporter};

use crate::files::{Files, Shelf};

/// What the backend saw, and how it is to behave.
#[derive(Default)]
pub struct Notes {
    /// Calls that reached a handler.
    pub calls: AtomicUsize,
    /// Calls and streams that are under way.
    pub open: AtomicUsize,
    /// So many of the next calls are answered with UNAVAILABLE.
    pub unavailable: AtomicUsize,
    /// Every call is refused, as by a service that is about to go.
    pub refuses: AtomicBool,
    /// How many milliseconds each call takes at least.
    pub delay: AtomicU64,
    /// The metadata of the last call.
    pub metadata: std::sync::Mutex<HeaderMap>,
    /// The service of files.
    pub files: Arc<Shelf>,
}

/// The service of areas. What it does is in the code of the area that it is asked for.
#[derive(Clone, Default)]
pub struct Areas(pub Arc<Notes>);

/// Something under way; over when dropped.
struct Open(Arc<Notes>);

impl Open {
    fn begin(notes: &Arc<Notes>) -> Self {
        notes.open.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(notes))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Areas {
    async fn arrive<T>(&self, request: &tonic::Request<T>, name: &str) -> Result<(), Status> {
        let _open = Open::begin(&self.0);
        self.0.calls.fetch_add(1, Ordering::SeqCst);
        *self.0.metadata.lock().unwrap() = request.metadata().clone().into_headers();
        if self.0.unavailable.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok() {
            return Err(Status::unavailable("not now"));
        }
        if self.0.refuses.load(Ordering::SeqCst) {
            let problem = Problem::new(Code::Unavailable, "SHUTTING_DOWN", "正在停止", "going away");
            return Err(problem.status("grid.jingwei"));
        }
        let delay = self.0.delay.load(Ordering::SeqCst);
        if delay > 0 {
            tokio::time::sleep(Duration::from_millis(delay)).await;
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
pub struct Events(Arc<Notes>);

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
        let open = Open::begin(&self.0);
        Box::pin(async move {
            let bytes = request.into_body().collect().await.expect("a request").to_bytes();
            Ok(watch(&WatchEventsRequest::decode(&bytes[5..]).expect("a message"), open))
        })
    }
}

/// Two changes after the one that was seen last, and an end.
fn watch(request: &WatchEventsRequest, open: Open) -> Response<Body> {
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
        Some("stays") => {
            let rest = stream::poll_fn(move |_| {
                let _held = &open;
                Poll::Pending
            });
            Body::new(StreamBody::new(changes.chain(rest)))
        }
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
    health: HealthReporter,
    runtime: Option<Runtime>,
}

impl Backend {
    /// What it says of its health.
    pub async fn serving(&self, serves: bool) {
        let status = if serves { ServingStatus::Serving } else { ServingStatus::NotServing };
        self.health.set_service_status("", status).await;
    }
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
    let (shelf, events) = (Arc::clone(&notes.files), Arc::clone(&notes));
    let started = runtime.spawn(async move {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (reporter, health) = tonic_health::server::health_reporter();
        reporter.set_service_status("", ServingStatus::Serving).await;
        let server = tonic::transport::Server::builder()
            .add_service(health)
            .add_service(AreaServiceServer::new(areas))
            .add_service(Events(events))
            .add_service(Files(shelf));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        Ok::<_, std::io::Error>((address, reporter))
    });
    // A port that is taken is an error; the runtime must not be dropped here then.
    match started.await.expect("no panic") {
        Ok((address, health)) => Ok(Backend { notes, health, runtime: Some(runtime), address }),
        Err(error) => {
            runtime.shutdown_background();
            Err(error)
        }
    }
}
