//! One call: from a gRPC request to a gRPC answer of the backend, within a deadline, with retries and the breaker.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header};
use http_body::Body as _;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy::Error;
use jingwei_kit::{
    deadline::{self, GRPC_TIMEOUT},
    status::Problem,
    telemetry,
};
use tokio::time::Instant;
use tonic::{Code, Status, body::Body};
use tower::retry::budget::Budget;
use tracing::Instrument;

use crate::{
    Gateway, problem,
    relay::{Outcome, Protocol, Relay},
    rpc::Rpc,
};

/// How much earlier than us the backend must answer, so that its own word arrives.
const CUT: Duration = Duration::from_millis(10);

/// How often a call is sent at most, and how long to wait before the second time; before the third, twice that.
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(25);

/// Headers of one connection only (RFC 9110, 7.6.1), and those that we write ourselves.
const NOT_PASSED_ON: [HeaderName; 9] = [
    header::CONNECTION,
    header::HOST,
    header::CONTENT_LENGTH,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
];

/// What is sent to a backend.
pub(crate) enum Message {
    /// One message with its prefix: can be sent again.
    Whole(Bytes),
    /// A stream of messages.
    Stream(Body),
}

/// When a call must end, and who said so.
#[derive(Clone, Copy)]
struct Time {
    began: Instant,
    /// For the head of the answer; without a stream, for all of it.
    limit: Duration,
    /// What the caller allows.
    caller: Option<Duration>,
}

impl Gateway {
    /// A gRPC request of any origin; every error is a gRPC status.
    pub(crate) async fn grpc(&self, request: Request<Body>) -> Response<Body> {
        let path = request.uri().path();
        if path.starts_with("/grpc.") {
            return self.own_services(request).await;
        }
        let Some(rpc) = self.rpcs.get(path).cloned() else {
            return problem::unimplemented(path).status(problem::DOMAIN).into_http();
        };
        let protocol = request.extensions().get::<Protocol>().copied().unwrap_or(Protocol::Grpc);
        let (parts, body) = request.into_parts();
        let message =
            if rpc.takes_stream { Ok(Message::Stream(body)) } else { self.collect(&rpc, body).await };
        match message {
            Ok(message) => self.call(&rpc, protocol, parts.headers, message).await,
            Err(problem) => problem.status(problem::DOMAIN).into_http(),
        }
    }

    /// The one message of a request: a slow or broken caller never reaches the backend.
    async fn collect(&self, rpc: &Rpc, body: Body) -> Result<Message, Problem> {
        let max = self.settings.max_body;
        let collected = tokio::time::timeout(rpc.timeout, read(body, max)).await;
        collected.map_err(|_| problem::deadline_exceeded(rpc.timeout))?.map(Message::Whole)
    }

    /// Calls the backend; the answer is its own, or has a status of ours.
    pub(crate) async fn call(
        &self,
        rpc: &Arc<Rpc>,
        protocol: Protocol,
        headers: HeaderMap,
        message: Message,
    ) -> Response<Body> {
        let span = telemetry::span(&rpc.service, &rpc.method, &headers);
        let mut outcome = Outcome::new(Arc::clone(rpc), protocol, span.clone());
        let time = Time::of(rpc, &headers);
        let answer = self.attempts(rpc, time, passed_on(headers), message).instrument(span).await;
        match answer {
            Ok(response) => {
                let over = self.over(rpc, time);
                Relay::wrap(response, outcome, over)
            }
            Err(problem) => {
                let response = problem.status(problem::DOMAIN).into_http();
                outcome.note(response.headers());
                response
            }
        }
    }

    /// Sends until there is an answer, as often as is allowed: what was never sent may be sent again, what was sent only
    /// where it changes nothing.
    async fn attempts(
        &self,
        rpc: &Rpc,
        time: Time,
        mut headers: HeaderMap,
        message: Message,
    ) -> Result<Response<Incoming>, Problem> {
        let backend = &rpc.backend;
        telemetry::inject(&mut headers);
        backend.retries.deposit();
        let (whole, mut stream) = match message {
            Message::Whole(bytes) => (Some(bytes), None),
            Message::Stream(body) => (None, Some(body)),
        };
        let mut attempt = 1;
        loop {
            backend
                .breaker
                .enter(Instant::now())
                .map_err(|wait| problem::circuit_open(&backend.name, wait))?;
            let body = stream.take().or_else(|| whole.clone().map(|bytes| Body::new(Full::new(bytes))));
            let request = request(rpc, time, &headers, body.expect("a stream is sent once"))?;
            let sent = tokio::time::timeout_at(time.end(), backend.send(request)).await;
            let failure = match judged(sent.map_err(|_| time.over(rpc))?) {
                Sent::Answer(answer) => {
                    backend.breaker.succeeded();
                    return Ok(answer);
                }
                Sent::Failure(failure) => failure,
            };
            // A stream may break because its caller does.
            if failure.is_the_backends() && (whole.is_some() || !failure.sent) {
                backend.breaker.failed(Instant::now());
            }
            let may_repeat = whole.is_some() && (rpc.reads || !failure.sent);
            let pause = PAUSE * attempt;
            let has_time = Instant::now() + pause < time.end();
            if !(may_repeat && attempt < ATTEMPTS && has_time && backend.retries.withdraw()) {
                return failure.told(&backend.name);
            }
            metrics::counter!("gateway_retries_total", "backend" => backend.name.clone()).increment(1);
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }

    /// Comes when the answer must end. A stream ends with its caller's time, and when the gateway stops; a download has
    /// the grace period.
    fn over(&self, rpc: &Rpc, time: Time) -> futures::future::BoxFuture<'static, Problem> {
        let limit = if rpc.streams { time.caller } else { Some(time.limit) };
        let stop = (rpc.streams && !rpc.downloads).then(|| self.stop.clone());
        Box::pin(async move {
            let stopped = async {
                match stop {
                    Some(stop) => stop.cancelled_owned().await,
                    None => std::future::pending().await,
                }
            };
            let late = async {
                match limit {
                    Some(limit) => {
                        tokio::time::sleep_until(time.began + limit).await;
                        limit
                    }
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                limit = late => problem::deadline_exceeded(limit),
                () = stopped => problem::shutting_down(),
            }
        })
    }
}

/// What came of an attempt.
enum Sent {
    Answer(Response<Incoming>),
    Failure(Failure),
}

/// An attempt without an answer, or with UNAVAILABLE.
struct Failure {
    /// Whether the backend may have seen the request.
    sent: bool,
    response: Option<Response<Incoming>>,
}

impl Failure {
    /// Whether the backend is to blame: not where it speaks of the request, as HTTP 4xx does.
    fn is_the_backends(&self) -> bool {
        self.response.as_ref().is_none_or(|response| !response.status().is_client_error())
    }

    /// What the caller hears: the backend's own status where it gave one.
    fn told(self, backend: &str) -> Result<Response<Incoming>, Problem> {
        let own = self.response.filter(|response| response.headers().contains_key(Status::GRPC_STATUS));
        own.ok_or_else(|| problem::unavailable(backend))
    }
}

impl Time {
    fn of(rpc: &Rpc, headers: &HeaderMap) -> Self {
        let caller = deadline::read(headers);
        Self {
            began: Instant::now(),
            limit: caller.map_or(rpc.timeout, |caller| caller.min(rpc.timeout)),
            caller,
        }
    }

    fn end(&self) -> Instant {
        self.began + self.limit
    }

    /// The time is over. Only where it was the route's own does that say something about the backend.
    fn over(&self, rpc: &Rpc) -> Problem {
        if self.limit == rpc.timeout {
            rpc.backend.breaker.failed(Instant::now());
        }
        problem::deadline_exceeded(self.limit)
    }
}

/// Tells an answer from a failure.
fn judged(sent: Result<Response<Incoming>, Error>) -> Sent {
    match sent {
        Ok(response) if is_answer(&response) => Sent::Answer(response),
        Ok(response) => Sent::Failure(Failure { sent: true, response: Some(response) }),
        Err(error) => {
            tracing::debug!(?error, "no answer");
            Sent::Failure(Failure { sent: !error.is_connect(), response: None })
        }
    }
}

/// Whether a backend answered: it speaks gRPC, and does not say at once that it is unavailable.
fn is_answer(response: &Response<Incoming>) -> bool {
    let headers = response.headers();
    let is_grpc = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"));
    let code = headers.get(Status::GRPC_STATUS).map(|status| Code::from_bytes(status.as_bytes()));
    is_grpc && response.status().is_success() && code != Some(Code::Unavailable)
}

/// The request to the backend, with what is left of the time.
fn request(rpc: &Rpc, time: Time, headers: &HeaderMap, body: Body) -> Result<Request<Body>, Problem> {
    let mut request = Request::new(body);
    *request.method_mut() = http::Method::POST;
    let path = format!("/{}/{}", rpc.service, rpc.method);
    *request.uri_mut() = path.parse().map_err(|_| problem::unimplemented(&path))?;
    *request.headers_mut() = headers.clone();
    let allowed = if rpc.streams { time.caller } else { Some(time.limit) };
    if let Some(allowed) = allowed {
        let left = allowed.saturating_sub(time.began.elapsed());
        request.headers_mut().insert(GRPC_TIMEOUT, deadline::value(left.saturating_sub(CUT).max(left / 2)));
    }
    Ok(request)
}

/// The headers of a request as they go on to a backend.
fn passed_on(mut headers: HeaderMap) -> HeaderMap {
    for name in &NOT_PASSED_ON {
        headers.remove(name);
    }
    headers.insert(header::TE, HeaderValue::from_static("trailers"));
    headers
}

/// A body of at most `max` bytes.
pub(crate) async fn read(body: Body, max: usize) -> Result<Bytes, Problem> {
    // Said to be too large: a client that asks first (Expect: 100-continue) need not send it.
    if body.size_hint().lower() > max as u64 {
        return Err(problem::too_large(max));
    }
    match Limited::new(body, max).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(problem::too_large(max)),
        Err(_) => Err(problem::broken_request()),
    }
}
