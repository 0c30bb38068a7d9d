//! The body of a backend's answer on its way to the caller: watched for how it ends, and always ending in a status.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Response};
use http_body::Frame;
use hyper::body::Incoming;
use jingwei_kit::status::Problem;
use tokio::time::Instant;
use tonic::{Code, Status, body::Body};
use tracing::Span;

use crate::{problem, rpc::Rpc};

/// How a caller speaks to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Grpc,
    GrpcWeb,
    Json,
}

/// How a call ends: counted and logged when it is dropped, as cancelled where nothing else was noted.
pub(crate) struct Outcome {
    pub(crate) span: Span,
    rpc: Arc<Rpc>,
    protocol: Protocol,
    began: Instant,
    code: Option<Code>,
}

impl Outcome {
    pub(crate) fn new(rpc: Arc<Rpc>, protocol: Protocol, span: Span) -> Self {
        Self { span, rpc, protocol, began: Instant::now(), code: None }
    }

    pub(crate) fn note(&mut self, headers: &HeaderMap) {
        if let Some(status) = headers.get(Status::GRPC_STATUS) {
            self.code = Some(Code::from_bytes(status.as_bytes()));
        }
    }
}

impl Drop for Outcome {
    fn drop(&mut self) {
        let (seconds, code) =
            (self.began.elapsed().as_secs_f64(), format!("{:?}", self.code.unwrap_or(Code::Cancelled)));
        let protocol = match self.protocol {
            Protocol::Grpc => "grpc",
            Protocol::GrpcWeb => "grpc-web",
            Protocol::Json => "json",
        };
        let (service, method) = (self.rpc.service.clone(), self.rpc.method.clone());
        // How long a stream lives is no latency.
        if !self.rpc.streams {
            metrics::histogram!("gateway_handling_seconds", "protocol" => protocol, "grpc_service" => service.clone(), "grpc_method" => method.clone())
                .record(seconds);
        }
        metrics::counter!("gateway_handled_total", "protocol" => protocol, "grpc_service" => service, "grpc_method" => method, "grpc_code" => code.clone())
            .increment(1);
        self.span.record("code", &code);
        self.span.in_scope(|| tracing::debug!(protocol, code, seconds, "passed on"));
    }
}

/// The body.
pub(crate) struct Relay {
    body: Option<Incoming>,
    /// Comes when the answer must end, with the reason.
    over: BoxFuture<'static, Problem>,
    outcome: Outcome,
}

impl Relay {
    /// Wraps the body of a backend's answer.
    pub(crate) fn wrap(
        response: Response<Incoming>,
        outcome: Outcome,
        over: BoxFuture<'static, Problem>,
    ) -> Response<Body> {
        let mut relay = Self { body: None, over, outcome };
        relay.outcome.note(response.headers());
        response.map(|body| {
            relay.body = Some(body);
            Body::new(relay)
        })
    }

    fn end(&mut self, problem: Problem) -> Frame<Bytes> {
        self.body = None;
        let mut trailers = HeaderMap::new();
        let status = problem.status(problem::DOMAIN);
        if status.add_header(&mut trailers).is_err() {
            trailers.insert(Status::GRPC_STATUS, HeaderValue::from_static("13"));
        }
        self.outcome.note(&trailers);
        Frame::trailers(trailers)
    }
}

impl http_body::Body for Relay {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        let Some(body) = &mut this.body else { return Poll::Ready(None) };
        match Pin::new(body).poll_frame(context) {
            // The status was in the head.
            Poll::Ready(None) if this.outcome.code.is_some() => Poll::Ready(None),
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(trailers) = frame.trailers_ref() {
                    this.outcome.note(trailers);
                    this.body = None;
                }
                Poll::Ready(Some(Ok(frame)))
            }
            // It broke off, or ended without a status.
            Poll::Ready(_) => {
                let problem = problem::unavailable(&this.outcome.rpc.backend.name);
                Poll::Ready(Some(Ok(this.end(problem))))
            }
            Poll::Pending => match this.over.as_mut().poll(context) {
                Poll::Ready(problem) => Poll::Ready(Some(Ok(this.end(problem)))),
                Poll::Pending => Poll::Pending,
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(|body| body.is_end_stream() && self.outcome.code.is_some())
    }
}
