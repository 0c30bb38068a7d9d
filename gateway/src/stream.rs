//! Server streams over HTTP: server-sent events where they are asked for, else a line of JSON for each message.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures::{Stream, stream};
use http::{HeaderValue, Method, Response, header, request::Parts};
use http_body::Frame;
use http_body_util::StreamBody;
use jingwei_proto::prost_reflect::MethodDescriptor;
use prost::encoding::string;
use tonic::{Status, body::Body};

use crate::{
    Gateway, field,
    grpc::Message,
    json::{backend_headers, framed},
    messages::{Messages, failure},
    problem,
    relay::Protocol,
    rpc::Rpc,
    transcode::Route,
};

/// How long a connection may be silent: proxies cut one that is longer.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// The field that a stream is resumed by, in the request and in each message of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Resume {
    request: u32,
    response: u32,
}

impl Resume {
    /// Where both messages have a text field `resume_token`.
    pub(crate) fn of(method: &MethodDescriptor) -> Option<Self> {
        let number = |message| field::number(&message, "resume_token");
        Some(Self { request: number(method.input())?, response: number(method.output())? })
    }
}

/// How a stream is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Events,
    Lines,
}

impl Gateway {
    /// Answers a request with a stream; an error before the first message is an HTTP error.
    pub(crate) async fn stream(
        &self,
        route: &Route,
        rpc: &Arc<Rpc>,
        parts: &Parts,
        mut wire: Vec<u8>,
    ) -> Response<Body> {
        let accept =
            parts.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        let form = if accept.contains("text/event-stream") { Form::Events } else { Form::Lines };
        if parts.method == Method::HEAD {
            return form.response(Body::empty());
        }
        let resume = self.resumes.get(&route.rpc).copied();
        let seen = parts.headers.get("last-event-id").and_then(|id| id.to_str().ok());
        if let (Some(resume), Some(seen)) = (resume, seen) {
            // The last value of a field counts.
            string::encode(resume.request, &seen.to_owned(), &mut wire);
        }
        let response = self
            .call(rpc, Protocol::Json, backend_headers(&parts.headers), Message::Whole(framed(&wire)))
            .await;
        let (head, body) = response.into_parts();
        if let Some(status) = failure(&head.headers) {
            return problem::json(&self.tables, &status);
        }
        let route =
            self.routes.all().iter().position(|other| std::ptr::eq(other, route)).expect("it is one of them");
        let records = Records { gateway: self.clone(), route, resume, form, messages: Messages::new(body) };
        form.response(Body::new(StreamBody::new(records.stream())))
    }
}

impl Form {
    fn response(self, body: Body) -> Response<Body> {
        let kind = match self {
            Self::Events => "text/event-stream",
            Self::Lines => "application/x-ndjson",
        };
        let mut response = Response::new(body);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        // nginx would keep events back until its buffer is full.
        headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
        response
    }
}

/// The messages of a stream on their way into text.
struct Records {
    gateway: Gateway,
    /// Its place among the routes.
    route: usize,
    resume: Option<Resume>,
    form: Form,
    messages: Messages,
}

impl Records {
    fn stream(self) -> impl Stream<Item = Result<Frame<Bytes>, Status>> + Send {
        stream::unfold(self, async |mut records| {
            let record = records.next().await?;
            Some((Ok(Frame::data(record)), records))
        })
    }

    /// The next piece of text; `None` at the end. One that tells of an error is the last.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            let record = match tokio::time::timeout(HEARTBEAT, self.messages.next()).await {
                Ok(message) => message.and_then(|wire| wire.map(|wire| self.record(&wire)).transpose()),
                Err(_) if self.form == Form::Events => return Some(Bytes::from_static(b":\n\n")),
                Err(_) => continue,
            };
            return record.unwrap_or_else(|status| {
                self.messages.end();
                Some(self.error(&status))
            });
        }
    }

    fn record(&self, wire: &[u8]) -> Result<Bytes, Status> {
        let mut text = Vec::with_capacity(wire.len() * 2 + 64);
        if self.form == Form::Events {
            if let Some(token) = self.resume.and_then(|resume| token(wire, resume.response)) {
                text.extend_from_slice(format!("id: {token}\n").as_bytes());
            }
            text.extend_from_slice(b"data: ");
        }
        let written = self.gateway.routes.all()[self.route].response(&self.gateway.tables, wire, &mut text);
        written.map_err(|error| jingwei_kit::status::internal(&error).status(problem::DOMAIN))?;
        text.extend_from_slice(if self.form == Form::Events { b"\n\n" } else { b"\n" });
        Ok(text.into())
    }

    /// The record of an error.
    fn error(&self, status: &Status) -> Bytes {
        let (_, error) = crate::transcode::status_json(
            &self.gateway.tables,
            status.code() as i32,
            status.message(),
            status.details(),
        );
        let (before, after): (&[u8], &[u8]) = match self.form {
            Form::Events => (b"event: error\ndata: ", b"\n\n"),
            Form::Lines => (b"", b"\n"),
        };
        [before, &error, after].concat().into()
    }
}

/// The token of a message, where it has one that fits into a line.
fn token(wire: &[u8], number: u32) -> Option<String> {
    field::text(wire, number).filter(|text| !text.contains(['\r', '\n', '\0']))
}

#[cfg(test)]
mod tests {
    use jingwei_proto::{grid::v1::WatchEventsResponse, pool};
    use prost::Message;

    use super::*;

    #[test]
    fn the_token_of_a_message_is_found() {
        let service = pool().get_service_by_name("jingwei.grid.v1.EventService").expect("the service");
        let method = |name: &str| service.methods().find(|method| method.name() == name).expect("the method");
        assert_eq!(Resume::of(&method("GetEvent")), None);
        let resume = Resume::of(&method("WatchEvents")).expect("it resumes");
        let message = |token: &str| WatchEventsResponse {
            event: "e".into(),
            resume_token: token.into(),
            ..Default::default()
        };
        let found = |token: &str| super::token(&message(token).encode_to_vec(), resume.response);
        assert_eq!(found("410182-17").as_deref(), Some("410182-17"));
        assert_eq!((found(""), found("a\nid: b")), (None, None));
        assert_eq!(super::token(b"\xff", resume.response), None);
    }
}
