//! JSON over HTTP: any RPC by the route its .proto file gives it.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header, request::Parts,
};
use http_body_util::BodyExt;
use jingwei_kit::status::{Problem, Violations, internal};
use tonic::{Status, body::Body};

use crate::{
    Gateway,
    grpc::{self, Message},
    messages::{PREFIX, failure},
    problem,
    relay::Protocol,
    rpc::Rpc,
    transcode::{BodyMode, Captures, Match, RequestError, Route},
};

/// The headers of a JSON request that a backend needs.
const PASSED_ON: [HeaderName; 6] = [
    header::AUTHORIZATION,
    header::ACCEPT_LANGUAGE,
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("grpc-timeout"),
];

impl Gateway {
    /// A request in JSON; every error is google.rpc.Status in JSON.
    pub(crate) async fn json(&self, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let method = if parts.method == Method::HEAD { Method::GET } else { parts.method.clone() };
        let (route, captures) = match self.routes.find(&method, parts.uri.path()) {
            Match::Found { route, captures } => (route, captures),
            Match::WrongMethod { allowed } => return self.other_method(&method, &allowed),
            Match::NotFound => return problem::answer(&self.tables, problem::no_route(parts.uri.path())),
        };
        let Some(rpc) = self.rpcs.get(&route.rpc) else {
            return problem::answer(&self.tables, problem::unimplemented(&route.rpc));
        };
        if route.client_streaming {
            return problem::answer(&self.tables, problem::no_streamed_requests());
        }
        let wire = match self.request(route, rpc, &captures, &parts, body).await {
            Ok(wire) => wire,
            Err(problem) => return problem::answer(&self.tables, problem),
        };
        if route.gives_raw {
            return self.raw(rpc, &parts.headers, &wire).await;
        }
        if route.server_streaming {
            return self.stream(route, rpc, &parts, wire).await;
        }
        self.unary(route, rpc, backend_headers(&parts.headers), &wire).await
    }

    /// A method that no route of this address takes: OPTIONS is answered, others are refused.
    fn other_method(&self, method: &Method, allowed: &[Method]) -> Response<Body> {
        let mut names = allowed.iter().map(Method::as_str).chain(["OPTIONS"]).collect::<Vec<_>>();
        if allowed.contains(&Method::GET) {
            names.push("HEAD");
        }
        let names = names.join(", ");
        let mut response = if method == Method::OPTIONS {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            response
        } else {
            problem::answer(&self.tables, problem::method_not_allowed(method, &names))
        };
        response.headers_mut().insert(header::ALLOW, HeaderValue::try_from(names).expect("names of methods"));
        response
    }

    /// The message that path, query and body make together.
    async fn request(
        &self,
        route: &Route,
        rpc: &Rpc,
        captures: &Captures<'_>,
        parts: &Parts,
        body: Body,
    ) -> Result<Vec<u8>, Problem> {
        let body = self.body(route, rpc, &parts.headers, body).await?;
        let query = parts.uri.query().unwrap_or_default();
        let read = if route.takes_raw {
            route.raw_request(&self.tables, captures, query, content_type(&parts.headers), &body)
        } else {
            route.request(&self.tables, captures, query, &body)
        };
        read.map_err(invalid)
    }

    /// The body of a request whose route takes one: JSON or, where that is taken, anything; and not too large.
    async fn body(
        &self,
        route: &Route,
        rpc: &Rpc,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Bytes, Problem> {
        if route.body == BodyMode::None {
            return Ok(Bytes::new());
        }
        if headers.contains_key(header::CONTENT_TYPE) && !route.takes_raw {
            let kind = content_type(headers);
            let essence = kind.split(';').next().unwrap_or_default().trim();
            if !essence.eq_ignore_ascii_case("application/json") {
                return Err(problem::unsupported_media_type(kind));
            }
        }
        let read = tokio::time::timeout(rpc.timeout, grpc::read(body, self.settings.max_body)).await;
        read.map_err(|_| problem::deadline_exceeded(rpc.timeout))?
    }

    /// One message for one message.
    async fn unary(&self, route: &Route, rpc: &Arc<Rpc>, headers: HeaderMap, wire: &[u8]) -> Response<Body> {
        let response = self.call(rpc, Protocol::Json, headers, Message::Whole(framed(wire))).await;
        match message(response).await {
            Ok(wire) => {
                // JSON is larger than the wire: names, quotes.
                let mut text = Vec::with_capacity(wire.len() * 2 + 64);
                match route.response(&self.tables, &wire, &mut text) {
                    Ok(()) => problem::json_response(text),
                    Err(error) => problem::answer(&self.tables, internal(&error)),
                }
            }
            Err(status) => problem::json(&self.tables, &status),
        }
    }
}

/// The type of a request's body; empty where it has none.
fn content_type(headers: &HeaderMap) -> &str {
    headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default()
}

/// INVALID_ARGUMENT with everything that is wrong.
fn invalid(error: RequestError) -> Problem {
    let mut violations = Violations::new();
    for wrong in error.violations {
        violations.add(wrong.field, wrong.rule, wrong.zh, wrong.en);
    }
    violations.finish().expect_err("there is at least one")
}

/// The headers that a backend gets of a JSON request.
pub(crate) fn backend_headers(headers: &HeaderMap) -> HeaderMap {
    let mut passed: HeaderMap =
        PASSED_ON.iter().filter_map(|name| Some((name.clone(), headers.get(name)?.clone()))).collect();
    passed.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    passed
}

/// A message with its prefix.
pub(crate) fn framed(wire: &[u8]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(PREFIX + wire.len());
    bytes.put_u8(0);
    bytes.put_u32(u32::try_from(wire.len()).expect("a body is at most 256 MiB"));
    bytes.put_slice(wire);
    bytes.freeze()
}

/// The one message of a gRPC answer, without its prefix, or the status of the error.
pub(crate) async fn message(response: Response<Body>) -> Result<Bytes, Status> {
    let (head, body) = response.into_parts();
    failure(&head.headers).map_or(Ok(()), Err)?;
    let collected = body.collect().await?;
    collected.trailers().and_then(failure).map_or(Ok(()), Err)?;
    let mut bytes = collected.to_bytes();
    let broken = || Status::internal("the service's answer is not one gRPC message");
    if bytes.len() < PREFIX {
        return Err(broken());
    }
    let prefix = bytes.split_to(PREFIX);
    let length = u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]) as usize;
    if prefix[0] != 0 || length != bytes.len() { Err(broken()) } else { Ok(bytes) }
}
