//! One backend: its connection, its breaker, its retry budget and its health.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use http::{Request, Response, Uri, uri::PathAndQuery};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client, Error, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use tonic::body::Body;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tower::retry::budget::TpsBudget;

use crate::breaker::Breaker;

/// How long a connection, or an answer about health, may take.
const CONNECT: Duration = Duration::from_secs(2);

/// How many bytes of one answer may wait for a caller who does not read, and how many of all answers: all calls share
/// one connection, so that the second must never be the limit, or one slow caller would stop the others.
const STREAM_WINDOW: u32 = 512 << 10;
const CONNECTION_WINDOW: u32 = (1 << 31) - 1;

/// One backend.
pub(crate) struct Backend {
    /// Its name, e.g. `grid`.
    pub(crate) name: String,
    pub(crate) breaker: Breaker,
    /// Retries: two a second, and one for every five calls.
    pub(crate) retries: TpsBudget,
    origin: Uri,
    client: Client<HttpConnector, Body>,
    state: Mutex<State>,
}

/// What a backend said when it was last asked for its health.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum State {
    /// Not asked yet.
    Unknown,
    /// It answers, and is well.
    Serving,
    /// It answers, and is not well.
    NotServing,
    /// It does not answer.
    Unreachable,
}

impl Backend {
    /// A backend that is connected to with the first call.
    pub(crate) fn new(name: String, origin: Uri, breaker_wait: Duration) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT));
        let client = Client::builder(TokioExecutor::new())
            .http2_only(true)
            .timer(TokioTimer::new())
            // A backend that vanished without a word is found out.
            .http2_keep_alive_interval(Duration::from_secs(10))
            .http2_keep_alive_timeout(Duration::from_secs(5))
            .http2_initial_stream_window_size(STREAM_WINDOW)
            .http2_initial_connection_window_size(CONNECTION_WINDOW)
            .build(connector);
        let retries = TpsBudget::new(Duration::from_secs(10), 2, 0.2);
        Self {
            name,
            breaker: Breaker::new(breaker_wait),
            retries,
            origin,
            client,
            state: Mutex::new(State::Unknown),
        }
    }

    /// Sends a request, whose address is a path, and waits for the head of the answer.
    pub(crate) async fn send(&self, mut request: Request<Body>) -> Result<Response<Incoming>, Error> {
        let mut parts = self.origin.clone().into_parts();
        parts.path_and_query =
            Some(request.uri().path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/")));
        *request.uri_mut() = Uri::from_parts(parts).expect("an origin with a path");
        *request.version_mut() = http::Version::HTTP_2;
        self.client.request(request).await
    }

    /// What was found when it was last asked.
    pub(crate) fn state(&self) -> State {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for its health, and keeps the answer.
    pub(crate) async fn check(&self) -> State {
        let mut client = HealthClient::with_origin(self.client.clone(), self.origin.clone());
        let asked = tokio::time::timeout(CONNECT, client.check(HealthCheckRequest::default())).await;
        let state = match asked {
            Ok(Ok(answer)) if answer.get_ref().status() == ServingStatus::Serving => State::Serving,
            Ok(Ok(_)) => State::NotServing,
            Ok(Err(_)) | Err(_) => State::Unreachable,
        };
        let before =
            std::mem::replace(&mut *self.state.lock().unwrap_or_else(PoisonError::into_inner), state);
        if before != state {
            tracing::info!(backend = self.name, ?before, now = ?state, "health of a backend");
        }
        metrics::gauge!("gateway_backend_serving", "backend" => self.name.clone())
            .set(f64::from(u8::from(state == State::Serving)));
        state
    }
}
