//! One call: from a gRPC request to a gRPC answer of the backend, within a deadline, with retries and the breaker.

use std::{error::Error as _, pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header};
use http_body::Body as _;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy::Error;
use jingwei_kit::{
    deadline::{self, GRPC_TIMEOUT},
    status::{Problem, reason as kit},
    telemetry,
};
use tokio::time::Instant;
use tonic::{Code, Status, body::Body};
use tower::retry::budget::Budget;
use tracing::Instrument;

use crate::{
    Gateway, problem,
    relay::{Outcome, Protocol, Relay},
    replica::Replica,
    rpc::Rpc,
};

/// How much earlier than us the backend must answer, so that its own word arrives.
const CUT: Duration = Duration::from_millis(10);

/// How often a call is sent at most, and how long to wait before the second time; before the third, twice that.
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(25);

/// How long a call that may be sent twice waits for a replica that answers nobody, while there is another.
const PATIENCE: Duration = Duration::from_secs(1);

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

    /// Sends until there is an answer, as often as is allowed: what was certainly not taken goes to another replica at
    /// once; what may have been is sent again only where that changes nothing.
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
        let repeats = whole.as_ref().is_some_and(|message| rpc.repeats(message));
        let (mut tried, mut attempt) = (Vec::new(), 1);
        loop {
            let replica = backend.pick(&tried)?;
            let body = stream.take().or_else(|| whole.clone().map(|bytes| Body::new(Full::new(bytes))));
            let request = request(rpc, time, &headers, body.expect("a stream is sent once"));
            let failure = match send(rpc, &replica, request, time, repeats).await? {
                Sent::Answer(answer) => {
                    replica.breaker.succeeded();
                    return Ok(answer);
                }
                Sent::Failure(failure) => failure,
            };
            // A stream may break because its caller does.
            if failure.is_the_backends() && (whole.is_some() || !failure.taken) {
                replica.breaker.failed(Instant::now());
                replica.doubted.notify_one();
            }
            tried.push(replica.address);
            if whole.is_some() && !failure.taken && backend.has_another(&tried) {
                metrics::counter!("gateway_reroutes_total", "backend" => backend.name.clone()).increment(1);
                continue;
            }
            let may_repeat = whole.is_some() && (repeats || !failure.taken);
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
        let stop = (rpc.streams && !rpc.downloads).then(|| self.drain.clone());
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
    /// Whether the request may have been processed.
    taken: bool,
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
    fn over(&self, rpc: &Rpc, replica: &Replica) -> Problem {
        if self.limit == rpc.timeout {
            replica.breaker.failed(Instant::now());
            replica.doubted.notify_one();
        }
        problem::deadline_exceeded(self.limit)
    }
}

/// One attempt. A call that `repeats` is given up where its replica answers nobody and another one may answer.
async fn send(
    rpc: &Rpc,
    replica: &Replica,
    request: Request<Body>,
    time: Time,
    repeats: bool,
) -> Result<Sent, Problem> {
    let mut sent = pin!(replica.send(request));
    loop {
        let until = if repeats { time.end().min(Instant::now() + PATIENCE) } else { time.end() };
        match tokio::time::timeout_at(until, &mut sent).await {
            Ok(sent) => return Ok(judged(sent)),
            Err(_) if Instant::now() >= time.end() => return Err(time.over(rpc, replica)),
            Err(_) if replica.is_silent() && rpc.backend.has_another(&[replica.address]) => {
                tracing::debug!(address = %replica.address, "a replica answers nobody");
                return Ok(Sent::Failure(Failure { taken: true, response: None }));
            }
            Err(_) => (),
        }
    }
}

/// Tells an answer from a failure.
fn judged(sent: Result<Response<Incoming>, Error>) -> Sent {
    match sent {
        Ok(response) if is_answer(&response) => Sent::Answer(response),
        Ok(response) => {
            Sent::Failure(Failure { taken: !is_going_away(response.headers()), response: Some(response) })
        }
        Err(error) => {
            tracing::debug!(?error, "no answer");
            Sent::Failure(Failure { taken: !error.is_connect() && !was_handed_back(&error), response: None })
        }
    }
}

/// Whether a request was certainly not processed: the connection ended before it was sent, or the server said that it
/// did not take it (RFC 9113, 8.7).
fn was_handed_back(error: &Error) -> bool {
    std::iter::successors(error.source(), |error| (*error).source()).any(|error| {
        let unsent = error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_canceled);
        // h2 tells of a GOAWAY only to the streams that are behind its last one.
        let refused = error.downcast_ref::<h2::Error>().is_some_and(|error| {
            error.is_remote()
                && (error.is_go_away()
                    || error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM))
        });
        unsent || refused
    })
}

/// Whether a service refuses a call because it is about to go.
fn is_going_away(headers: &HeaderMap) -> bool {
    let reason = Status::from_header_map(headers).and_then(|status| problem::reason_of(&status));
    reason.as_deref() == Some(kit::SHUTTING_DOWN)
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
fn request(rpc: &Rpc, time: Time, headers: &HeaderMap, body: Body) -> Request<Body> {
    let mut request = Request::new(body);
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() = rpc.path.clone().into();
    *request.headers_mut() = headers.clone();
    let allowed = if rpc.streams { time.caller } else { Some(time.limit) };
    if let Some(allowed) = allowed {
        let left = allowed.saturating_sub(time.began.elapsed());
        request.headers_mut().insert(GRPC_TIMEOUT, deadline::value(left.saturating_sub(CUT).max(left / 2)));
    }
    request
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
