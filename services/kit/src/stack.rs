//! What happens around every call: trace, metrics, load shedding, deadline, panics, the end of streams.
//!
//! A handler runs in a task of its own: where its caller goes away or its time is over, it still comes to its commit or
//! its rollback, and keeps its place under the concurrency limit until then. Only one that still waits long after that, for a
//! database that is silent, is given up.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures::future::BoxFuture;
use http::{HeaderMap, Request, Response};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::{Code, body::Body, service::Routes};
use tower::Service;
use tracing::{Instrument, Span};

use crate::{
    admit::Admission,
    config::Settings,
    deadline,
    guard::{Guarded, Outcome},
    method::Method,
    pg,
    status::{Problem, reason},
    telemetry,
};

/// How much earlier than the caller's deadline we answer, so that the answer is ours and arrives.
const CUT: Duration = Duration::from_millis(20);

/// The limits of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Calls at once, streams apart; more are refused with RESOURCE_EXHAUSTED.
    pub calls: usize,
    /// Streams at once.
    pub streams: usize,
    /// The largest request message, in bytes.
    pub message: usize,
    /// The deadline of a call that brings none.
    pub timeout: Duration,
    /// How long a stream lives; its reader resumes with a new one.
    pub stream_age: Duration,
    /// How long calls are still taken once the server is told to stop and its health says so.
    pub linger: Duration,
    /// How long calls may take to end after that.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let (timeout, stream_age, grace) =
            (Duration::from_secs(10), Duration::from_secs(3600), Duration::from_secs(10));
        let linger = Duration::from_millis(500);
        Self { calls: 512, streams: 1024, message: 4 << 20, timeout, stream_age, linger, grace }
    }
}

impl Limits {
    /// From `MAX_CALLS`, `MAX_STREAMS`, `MAX_MESSAGE_BYTES`, `TIMEOUT`, `STREAM_AGE`, `LINGER`, `GRACE`.
    pub fn read(settings: &mut Settings) -> Self {
        let default = Self::default();
        let mut size = |name, default: usize, max| {
            usize::try_from(settings.number(name, default as u64, 1..=max)).unwrap_or(default)
        };
        let (calls, streams) =
            (size("MAX_CALLS", default.calls, 100_000), size("MAX_STREAMS", default.streams, 100_000));
        let message = size("MAX_MESSAGE_BYTES", default.message, 1 << 30);
        let timeout = settings.duration("TIMEOUT", default.timeout);
        let stream_age = settings.duration("STREAM_AGE", default.stream_age);
        Self {
            calls,
            streams,
            message,
            timeout,
            stream_age,
            linger: settings.duration("LINGER", default.linger),
            grace: settings.duration("GRACE", default.grace),
        }
    }
}

/// The service that a server runs: every call goes through here.
#[derive(Clone)]
pub(crate) struct Stack {
    shared: Arc<Shared>,
    routes: Routes,
}

struct Shared {
    domain: &'static str,
    limits: Limits,
    admission: Admission,
    calls: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Stack {
    pub(crate) fn new(
        domain: &'static str,
        limits: Limits,
        admission: Admission,
        routes: Routes,
        stop: CancellationToken,
    ) -> Self {
        let (calls, streams) =
            (Arc::new(Semaphore::new(limits.calls)), Arc::new(Semaphore::new(limits.streams)));
        let shared = Shared { domain, limits, admission, calls, streams, tasks: TaskTracker::new(), stop };
        Self { shared: Arc::new(shared), routes: routes.prepare() }
    }

    /// The handlers that are running, also those whose caller is gone.
    pub(crate) fn tasks(&self) -> TaskTracker {
        self.shared.tasks.clone()
    }

    async fn handle(mut self, request: Request<Body>) -> Response<Body> {
        let path = request.uri().path();
        if path.starts_with("/grpc.health.v1.") || path.starts_with("/grpc.reflection.v1.") {
            return self.routes.call(request).await.unwrap_or_else(|never| match never {});
        }
        let Some(method) = self.shared.admission.method(path).cloned() else {
            let (zh, en) = (format!("没有方法 {path}"), format!("there is no method {path}"));
            return self.answer(Problem::new(Code::Unimplemented, reason::UNIMPLEMENTED, zh, en));
        };
        let outcome =
            Outcome::new(method.clone(), telemetry::span(&method.service, &method.name, request.headers()));
        let deadline = self.deadline(&method, request.headers());
        let response = self.within(&method, deadline, request, outcome.span.clone()).await;
        let (response, permit) = response.unwrap_or_else(|problem| (self.answer(problem), None));
        let over = method.streams.then(|| self.over(deadline));
        Guarded::wrap(response, outcome, permit, over, self.shared.domain)
    }

    /// Runs the admission and the handler in a task of their own, until the deadline.
    async fn within(
        &self,
        method: &Arc<Method>,
        deadline: Instant,
        request: Request<Body>,
        span: Span,
    ) -> Result<(Response<Body>, Option<OwnedSemaphorePermit>), Problem> {
        let permits = if method.streams { &self.shared.streams } else { &self.shared.calls };
        let permit = permits.clone().try_acquire_owned().map_err(|_| overloaded())?;
        let (mut stack, method) = (self.clone(), method.clone());
        let longest = deadline.saturating_duration_since(Instant::now()) + self.shared.limits.timeout;
        let work = async move {
            let request = stack.shared.admission.admit(&method, request).await?;
            let response = stack.routes.call(request).await.unwrap_or_else(|never| match never {});
            Ok((response, Some(permit)))
        };
        let task = async move { pg::bounded(longest, work).await? };
        match tokio::time::timeout_at(deadline, self.shared.tasks.spawn(task.instrument(span))).await {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => Err(crate::status::internal(&panic)),
            Err(_) => Err(deadline_exceeded()),
        }
    }

    /// When the answer must be there: for a stream, when it ends.
    fn deadline(&self, method: &Method, headers: &HeaderMap) -> Instant {
        let limits = &self.shared.limits;
        let default = if method.streams { limits.stream_age } else { limits.timeout };
        let budget = deadline::read(headers).map(|t| t.saturating_sub(CUT).max(t / 2));
        let budget = budget.map_or(default, |b| if method.streams { b.min(default) } else { b });
        Instant::now() + budget
    }

    /// Comes when a stream must end, with the reason.
    fn over(&self, deadline: Instant) -> BoxFuture<'static, Problem> {
        let stop = self.shared.stop.clone().cancelled_owned();
        Box::pin(async move {
            tokio::select! {
                () = tokio::time::sleep_until(deadline) => deadline_exceeded(),
                () = stop => shutting_down(),
            }
        })
    }

    fn answer(&self, problem: Problem) -> Response<Body> {
        problem.status(self.shared.domain).into_http()
    }
}

impl Service<Request<Body>> for Stack {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let stack = self.clone();
        Box::pin(async move { Ok(stack.handle(request).await) })
    }
}

fn overloaded() -> Problem {
    metrics::counter!("grpc_server_shed_total").increment(1);
    let (zh, en) = ("系统繁忙，请稍后重试", "too many calls at once: try again in a second");
    Problem::new(Code::ResourceExhausted, reason::OVERLOADED, zh, en).retry_after(Duration::from_secs(1))
}

fn deadline_exceeded() -> Problem {
    let (zh, en) = ("处理超时", "the time for this call or stream is over");
    Problem::new(Code::DeadlineExceeded, reason::DEADLINE_EXCEEDED, zh, en)
}

fn shutting_down() -> Problem {
    let (zh, en) = ("服务正在停止，请重新连接", "the server is going away: connect again");
    Problem::new(Code::Unavailable, reason::SHUTTING_DOWN, zh, en).retry_after(Duration::from_millis(500))
}
