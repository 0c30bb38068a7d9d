//! One replica of a backend: its connection, its breaker, its health, and the calls that wait for it.

use std::{
    net::SocketAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client, Error, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use tokio::{sync::Notify, time::Instant};
use tonic::body::Body;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::breaker::Breaker;

/// How long a connection, or an answer about health, may take.
const CONNECT: Duration = Duration::from_secs(2);

/// How long a replica may answer nobody, while calls wait, before others are preferred.
const SILENCE: Duration = Duration::from_millis(100);

/// How many bytes of one answer may wait for a caller who does not read, and how many of all answers: all calls share
/// one connection, so that the second must never be the limit, or one slow caller would stop the others.
const STREAM_WINDOW: u32 = 512 << 10;
const CONNECTION_WINDOW: u32 = (1 << 31) - 1;

/// One replica.
pub(crate) struct Replica {
    pub(crate) address: SocketAddr,
    pub(crate) breaker: Breaker,
    /// A call has failed: its health is asked for at once.
    pub(crate) doubted: Notify,
    origin: Uri,
    client: Client<HttpConnector, Body>,
    state: Mutex<State>,
    queue: Mutex<Queue>,
}

/// What a replica said when it was last asked for its health; from the best to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum State {
    /// It answers, and is well.
    Serving,
    /// Not asked yet.
    Unknown,
    /// It answers, and is not well or about to go.
    NotServing,
    /// It does not answer.
    Unreachable,
}

/// The calls that wait for the head of an answer.
#[derive(Default)]
struct Queue {
    waiting: usize,
    /// When it last answered, or began to owe an answer.
    since: Option<Instant>,
}

/// How much is to be said against sending a call to a replica; the least is best.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reluctance {
    /// Not well.
    state: u8,
    silent: bool,
    waiting: usize,
}

/// A call that waits.
struct Waiting<'a>(&'a Replica);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.queue().waiting -= 1;
    }
}

impl Replica {
    /// A replica that is connected to with the first call.
    pub(crate) fn new(address: SocketAddr, breaker_wait: Duration) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT));
        let client = Client::builder(TokioExecutor::new())
            .http2_only(true)
            .timer(TokioTimer::new())
            // A replica that vanished without a word is found out.
            .http2_keep_alive_interval(Duration::from_secs(10))
            .http2_keep_alive_timeout(Duration::from_secs(5))
            .http2_initial_stream_window_size(STREAM_WINDOW)
            .http2_initial_connection_window_size(CONNECTION_WINDOW)
            .build(connector);
        Self {
            address,
            breaker: Breaker::new(breaker_wait),
            doubted: Notify::new(),
            origin: format!("http://{address}").parse().expect("an address makes an origin"),
            client,
            state: Mutex::new(State::Unknown),
            queue: Mutex::default(),
        }
    }

    /// Sends a request, whose address is a path, and waits for the head of the answer.
    pub(crate) async fn send(&self, mut request: Request<Body>) -> Result<Response<Incoming>, Error> {
        let mut parts = self.origin.clone().into_parts();
        parts.path_and_query = request.uri().path_and_query().cloned();
        *request.uri_mut() = Uri::from_parts(parts).expect("an origin with a path");
        *request.version_mut() = http::Version::HTTP_2;
        let _waiting = self.wait();
        let response = self.client.request(request).await?;
        self.queue().since = Some(Instant::now());
        Ok(response)
    }

    fn wait(&self) -> Waiting<'_> {
        let mut queue = self.queue();
        if queue.waiting == 0 {
            queue.since = Some(Instant::now());
        }
        queue.waiting += 1;
        Waiting(self)
    }

    /// Whether it has answered nobody for a while, although calls wait.
    pub(crate) fn is_silent(&self) -> bool {
        let queue = self.queue();
        queue.waiting > 0 && queue.since.is_some_and(|since| since.elapsed() > SILENCE)
    }

    /// What is to be said against it.
    pub(crate) fn reluctance(&self) -> Reluctance {
        let state = match self.state() {
            State::Serving | State::Unknown => 0,
            State::NotServing => 1,
            State::Unreachable => 2,
        };
        Reluctance { state, silent: self.is_silent(), waiting: self.queue().waiting }
    }

    /// Whether a call that another replica did not take may go here.
    pub(crate) fn takes_calls(&self) -> bool {
        self.state() != State::Unreachable && !self.breaker.is_open()
    }

    /// What was found when it was last asked.
    pub(crate) fn state(&self) -> State {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what was found; tells whether that is new.
    pub(crate) fn found(&self, backend: &str, now: State) -> bool {
        let before = std::mem::replace(&mut *self.state.lock().unwrap_or_else(PoisonError::into_inner), now);
        let address = self.address.to_string();
        if before != now {
            tracing::info!(backend, address, ?before, ?now, "health of a replica");
        }
        if before == State::Unreachable && now == State::Serving {
            // It has come back: what was held against it is over.
            self.breaker.succeeded();
        }
        metrics::gauge!("gateway_backend_serving", "backend" => backend.to_owned(), "address" => address)
            .set(f64::from(u8::from(now == State::Serving)));
        before != now
    }

    /// Asks for its health.
    pub(crate) async fn check(&self) -> State {
        let asked = tokio::time::timeout(CONNECT, self.health().check(HealthCheckRequest::default())).await;
        match asked {
            Ok(Ok(answer)) if answer.get_ref().status() == ServingStatus::Serving => State::Serving,
            Ok(Ok(_)) => State::NotServing,
            Ok(Err(_)) | Err(_) => State::Unreachable,
        }
    }

    /// Watches its health; completes once it says that it is not well, or breaks off.
    pub(crate) async fn falls_ill(&self) -> State {
        let Ok(watch) = self.health().watch(HealthCheckRequest::default()).await else {
            // It offers no watch, or does not answer: the next check tells.
            return std::future::pending().await;
        };
        let mut watch = watch.into_inner();
        loop {
            match watch.message().await {
                Ok(Some(said)) if said.status() == ServingStatus::Serving => (),
                Ok(Some(_)) => return State::NotServing,
                Ok(None) | Err(_) => return State::Unreachable,
            }
        }
    }

    fn health(&self) -> HealthClient<Client<HttpConnector, Body>> {
        HealthClient::with_origin(self.client.clone(), self.origin.clone())
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
