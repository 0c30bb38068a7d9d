//! The end of a call: its answer's body, watched for how it ends, and what is then counted.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, Response};
use http_body::Frame;
use tokio::{sync::OwnedSemaphorePermit, time::Instant};
use tonic::{Code, Status, body::Body};
use tracing::Span;

use crate::{
    method::Method,
    status::{Problem, internal},
};

/// How a call ends: counted and logged when it is dropped, as cancelled where nothing else was noted.
pub(crate) struct Outcome {
    pub(crate) span: Span,
    method: Arc<Method>,
    began: Instant,
    code: Code,
}

impl Outcome {
    pub(crate) fn new(method: Arc<Method>, span: Span) -> Self {
        Self { span, method, began: Instant::now(), code: Code::Cancelled }
    }

    fn note(&mut self, headers: &HeaderMap) {
        if let Some(status) = headers.get(Status::GRPC_STATUS) {
            self.code = Code::from_bytes(status.as_bytes());
        }
    }
}

impl Drop for Outcome {
    fn drop(&mut self) {
        let (seconds, code) = (self.began.elapsed().as_secs_f64(), format!("{:?}", self.code));
        let (service, method) = (self.method.service.clone(), self.method.name.clone());
        let labels = [("grpc_service", service), ("grpc_method", method)];
        // How long a stream lives is no latency.
        if !self.method.streams {
            metrics::histogram!("grpc_server_handling_seconds", &labels).record(seconds);
        }
        let [service, method] = labels;
        metrics::counter!("grpc_server_handled_total", &[service, method, ("grpc_code", code.clone())])
            .increment(1);
        self.span.record("code", &code);
        self.span.in_scope(|| tracing::debug!(code, seconds, "handled"));
    }
}

/// A body that notes how its call ends, ends a stream when it is over, and turns a panic of a stream into a status.
pub(crate) struct Guarded {
    body: Option<Body>,
    over: Option<BoxFuture<'static, Problem>>,
    outcome: Outcome,
    domain: &'static str,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Guarded {
    /// Wraps the body of `response`; `over` comes when it must end, `permit` is held until it has ended.
    pub(crate) fn wrap(
        response: Response<Body>,
        mut outcome: Outcome,
        permit: Option<OwnedSemaphorePermit>,
        over: Option<BoxFuture<'static, Problem>>,
        domain: &'static str,
    ) -> Response<Body> {
        outcome.note(response.headers());
        response.map(|body| Body::new(Self { body: Some(body), over, outcome, domain, _permit: permit }))
    }

    fn end(&mut self, problem: Problem) -> Frame<Bytes> {
        self.body = None;
        let mut trailers = HeaderMap::new();
        let status = problem.status(self.domain);
        if status.add_header(&mut trailers).is_err() {
            trailers.insert(Status::GRPC_STATUS, http::HeaderValue::from_static("13"));
        }
        self.outcome.note(&trailers);
        Frame::trailers(trailers)
    }
}

impl http_body::Body for Guarded {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        let Some(body) = &mut this.body else { return Poll::Ready(None) };
        if let Some(Poll::Ready(problem)) = this.over.as_mut().map(|over| over.as_mut().poll(context)) {
            return Poll::Ready(Some(Ok(this.end(problem))));
        }
        let span = this.outcome.span.clone();
        let polled = span.in_scope(|| catch_unwind(AssertUnwindSafe(|| Pin::new(body).poll_frame(context))));
        match polled {
            Ok(Poll::Ready(Some(Ok(frame)))) => {
                if let Some(trailers) = frame.trailers_ref() {
                    this.outcome.note(trailers);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Ok(other) => other,
            Err(_) => Poll::Ready(Some(Ok(this.end(internal(&StreamPanicked))))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(http_body::Body::is_end_stream)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("a response stream panicked")]
struct StreamPanicked;
