//! A real server on loopback, with handlers whose behaviour a test can steer.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use futures::{Stream, StreamExt, future::BoxFuture};
use jingwei_kit::{caller, clock::Clock, serve::Server, stack::Limits, testing::Issuer};
use jingwei_proto::{
    google::rpc,
    grid::v1::{
        Area, ContactCard, ContactCardDelivery, CreateAreaRequest, Event, GetAreaRequest,
        GetContactCardRequest, GetEventRequest, GetPublicContactCardRequest, ListAreaVersionsRequest,
        ListAreaVersionsResponse, ListAreasRequest, ListAreasResponse, ListContactCardVersionsRequest,
        ListContactCardVersionsResponse, ListDeliveriesRequest, ListDeliveriesResponse, LocatePointRequest,
        LocatePointResponse, RecordDeliveryRequest, UpdateAreaRequest, WatchEventsRequest,
        WatchEventsResponse,
        area_service_server::{AreaService, AreaServiceServer},
        contact_card_service_server::{ContactCardService, ContactCardServiceServer},
    },
};
use prost::{Message, Name};
use time::macros::datetime;
use tokio::{
    sync::{Notify, Semaphore},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use tonic::{
    Request, Response, Status,
    body::Body,
    server::{Grpc, NamedService},
    transport::Channel,
};

pub(crate) const EVENT: &str = "districts/410182/events/00000000-0000-7000-8000-00000000000";

/// A server, its issuer of tokens, and what steers its handlers.
pub(crate) struct Site {
    pub(crate) channel: Channel,
    pub(crate) issuer: Issuer,
    pub(crate) clock: Clock,
    pub(crate) gate: Arc<Gate>,
    pub(crate) stop: CancellationToken,
    pub(crate) done: JoinHandle<()>,
}

/// Where a steered handler waits.
pub(crate) struct Gate {
    /// A handler is inside.
    pub(crate) entered: Notify,
    /// How many may leave.
    pub(crate) leave: Semaphore,
    /// A handler has ended.
    pub(crate) left: Notify,
    /// How many have.
    pub(crate) count: AtomicUsize,
}

impl Site {
    pub(crate) async fn start(limits: Limits) -> Self {
        let clock = Clock::manual(datetime!(2026-03-01 08:00 UTC));
        let issuer = Issuer::new(&clock);
        let gate = Arc::new(Gate {
            entered: Notify::new(),
            leave: Semaphore::new(0),
            left: Notify::new(),
            count: AtomicUsize::new(0),
        });
        let bound = Server::new("grid.jingwei", limits, issuer.keys().await)
            .service(AreaServiceServer::new(Areas))
            .service(
                ContactCardServiceServer::new(Cards)
                    .accept_compressed(tonic::codec::CompressionEncoding::Gzip),
            )
            .service(Events(gate.clone()))
            .bind("127.0.0.1:0".parse().expect("an address"))
            .expect("binds");
        let channel =
            Channel::from_shared(format!("http://{}", bound.address())).expect("an address").connect_lazy();
        let stop = CancellationToken::new();
        let run = bound.run(stop.clone());
        let done = tokio::spawn(async move { run.await.expect("serves") });
        Self { channel, issuer, clock, gate, stop, done }
    }

    /// A request with a token of these grants.
    pub(crate) fn request<M>(
        &self,
        message: M,
        grants: &[(jingwei_proto::access::v1::Role, &str)],
    ) -> Request<M> {
        let mut request = Request::new(message);
        let token = format!("Bearer {}", self.issuer.token("u-1", grants));
        request.metadata_mut().insert("authorization", token.parse().expect("a header value"));
        request
    }
}

/// The detail of type `D` in a status.
pub(crate) fn detail<D: Message + Name + Default>(status: &Status) -> Option<D> {
    all_details(status).into_iter().next()
}

pub(crate) fn all_details<D: Message + Name + Default>(status: &Status) -> Vec<D> {
    let details = rpc::Status::decode(status.details()).expect("google.rpc.Status").details;
    let own = details.iter().filter(|any| any.type_url.ends_with(&D::full_name()));
    own.map(|any| D::decode(any.value.as_slice()).expect("its type")).collect()
}

/// The reason in a status's ErrorInfo.
pub(crate) fn reason(status: &Status) -> String {
    detail::<rpc::ErrorInfo>(status).expect("every status has one").reason
}

/// Areas that say who asked.
struct Areas;

fn echo<T>(name: String, request: &Request<T>) -> Response<Area> {
    let caller = caller::of(request);
    let scopes = caller.admitted_by.iter().map(|grant| grant.scope.to_string()).collect::<Vec<_>>();
    Response::new(Area {
        name,
        display_name: caller.subject.clone(),
        level_name: scopes.join(" "),
        ..Area::default()
    })
}

#[tonic::async_trait]
impl AreaService for Areas {
    async fn get_area(&self, request: Request<GetAreaRequest>) -> Result<Response<Area>, Status> {
        Ok(echo(request.get_ref().name.clone(), &request))
    }
    async fn create_area(&self, request: Request<CreateAreaRequest>) -> Result<Response<Area>, Status> {
        Ok(echo(request.get_ref().parent.clone(), &request))
    }
    async fn update_area(&self, request: Request<UpdateAreaRequest>) -> Result<Response<Area>, Status> {
        Ok(echo(request.get_ref().area.clone().unwrap_or_default().name, &request))
    }
    async fn list_areas(&self, _: Request<ListAreasRequest>) -> Result<Response<ListAreasResponse>, Status> {
        Ok(Response::new(Default::default()))
    }
    async fn list_area_versions(
        &self,
        _: Request<ListAreaVersionsRequest>,
    ) -> Result<Response<ListAreaVersionsResponse>, Status> {
        Ok(Response::new(Default::default()))
    }
    async fn locate_point(
        &self,
        _: Request<LocatePointRequest>,
    ) -> Result<Response<LocatePointResponse>, Status> {
        Ok(Response::new(Default::default()))
    }
}

/// Cards for anybody.
struct Cards;

#[tonic::async_trait]
impl ContactCardService for Cards {
    async fn get_contact_card(
        &self,
        _: Request<GetContactCardRequest>,
    ) -> Result<Response<ContactCard>, Status> {
        Ok(Response::new(Default::default()))
    }
    async fn get_public_contact_card(
        &self,
        request: Request<GetPublicContactCardRequest>,
    ) -> Result<Response<ContactCard>, Status> {
        let anonymous = caller::of(&request).is_anonymous();
        Ok(Response::new(ContactCard {
            name: if anonymous { "anonymous".into() } else { "known".into() },
            ..ContactCard::default()
        }))
    }
    async fn list_contact_card_versions(
        &self,
        _: Request<ListContactCardVersionsRequest>,
    ) -> Result<Response<ListContactCardVersionsResponse>, Status> {
        Ok(Response::new(Default::default()))
    }
    async fn record_delivery(
        &self,
        _: Request<RecordDeliveryRequest>,
    ) -> Result<Response<ContactCardDelivery>, Status> {
        Ok(Response::new(Default::default()))
    }
    async fn list_deliveries(
        &self,
        _: Request<ListDeliveriesRequest>,
    ) -> Result<Response<ListDeliveriesResponse>, Status> {
        Ok(Response::new(Default::default()))
    }
}

/// Two RPCs of the events: GetEvent answers, panics (…1) or waits at the gate (…2), as the event's last digit says;
/// WatchEvents sends one change, then nothing; for the district 410183 it panics.
#[derive(Clone)]
struct Events(Arc<Gate>);

impl NamedService for Events {
    const NAME: &'static str = "jingwei.grid.v1.EventService";
}

impl tower::Service<http::Request<Body>> for Events {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let gate = self.0.clone();
        Box::pin(async move {
            if request.uri().path().ends_with("/WatchEvents") {
                let mut grpc =
                    Grpc::new(tonic_prost::ProstCodec::<WatchEventsResponse, WatchEventsRequest>::default());
                return Ok(grpc.server_streaming(tower::service_fn(watch_events), request).await);
            }
            let mut grpc = Grpc::new(tonic_prost::ProstCodec::<Event, GetEventRequest>::default());
            Ok(grpc.unary(tower::service_fn(move |r| get_event(gate.clone(), r)), request).await)
        })
    }
}

async fn get_event(gate: Arc<Gate>, request: Request<GetEventRequest>) -> Result<Response<Event>, Status> {
    let name = request.into_inner().name;
    match name.chars().last() {
        Some('1') => panic!("as asked"),
        Some('2') => {
            gate.entered.notify_one();
            gate.leave.acquire().await.expect("never closed").forget();
            gate.count.fetch_add(1, Ordering::SeqCst);
            gate.left.notify_one();
        }
        _ => (),
    }
    Ok(Response::new(Event { name, ..Event::default() }))
}

type Changes = std::pin::Pin<Box<dyn Stream<Item = Result<WatchEventsResponse, Status>> + Send>>;

async fn watch_events(request: Request<WatchEventsRequest>) -> Result<Response<Changes>, Status> {
    if request.get_ref().parent.ends_with('3') {
        return Ok(Response::new(futures::stream::poll_fn(|_| panic!("as asked")).boxed()));
    }
    let first = WatchEventsResponse { event: request.into_inner().parent, ..Default::default() };
    Ok(Response::new(futures::stream::iter([Ok(first)]).chain(futures::stream::pending()).boxed()))
}
