//! Raw bodies (google.api.HttpBody): a request's body becomes the bytes of a message, and the bytes of an answer's
//! messages become its body, as they are.
//!
//! What the bytes are is the word of whoever brought them, so a browser gets them without rights: it must not guess
//! another type, run scripts, or keep them. Of the service's metadata only `content-disposition` is passed on, and only
//! where it is what RFC 6266 says.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use http::{HeaderMap, HeaderValue, Response, header};
use http_body::Frame;
use http_body_util::{Full, StreamBody};
use jingwei_kit::status::internal;
use jingwei_proto::google::api::HttpBody;
use prost::Message as _;
use regex::Regex;
use tonic::{Status, body::Body};

use crate::{
    Gateway,
    grpc::Message,
    json::{backend_headers, framed, message},
    messages::{Messages, failure},
    problem,
    relay::Protocol,
    rpc::Rpc,
};

/// The type of bytes that nobody gave a type.
const BYTES: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// A page made of somebody's file may style itself, and nothing else.
const POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox");

static MEDIA_TYPE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^[a-z0-9!#$&^_.+-]{1,100}/[a-z0-9!#$&^_.+-]{1,100}(;[\x20-\x7e]{0,200})?$")
        .expect("a pattern")
});

static DISPOSITION: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r#"(?i)^(attachment|inline)(; ?filename="[\x20!\x23-\x5b\x5d-\x7e]{1,255}")?(; ?filename\*=UTF-8''[a-z0-9!#$&+.^_`|~%-]{1,1000})?$"#;
    Regex::new(pattern).expect("a pattern")
});

impl Gateway {
    /// Answers with bytes: those of one message, or of a stream's, one after the other. An error before the first byte is
    /// an HTTP error; one after it breaks the transfer off, so that half a file is never taken for a whole one.
    pub(crate) async fn raw(&self, rpc: &Arc<Rpc>, headers: &HeaderMap, wire: &[u8]) -> Response<Body> {
        let message = Message::Whole(framed(wire));
        let response = self.call(rpc, Protocol::Json, backend_headers(headers), message).await;
        let answered = if rpc.streams { streamed(response).await } else { whole(response).await };
        answered.unwrap_or_else(|status| problem::json(&self.tables, &status))
    }
}

/// The answer of one message.
async fn whole(response: Response<Body>) -> Result<Response<Body>, Status> {
    let metadata = response.headers().clone();
    let HttpBody { content_type, data, .. } = read(message(response).await?)?;
    let length = HeaderValue::from(data.len());
    let mut response = answer(&metadata, &content_type, Body::new(Full::from(data)));
    response.headers_mut().insert(header::CONTENT_LENGTH, length);
    Ok(response)
}

/// The answer of a stream, once its first byte is there. Whoever drops it ends the call.
async fn streamed(response: Response<Body>) -> Result<Response<Body>, Status> {
    let (head, body) = response.into_parts();
    failure(&head.headers).map_or(Ok(()), Err)?;
    let mut messages = Messages::new(body);
    let mut first = messages.next().await?.map_or_else(|| Ok(HttpBody::default()), read)?;
    if first.data.is_empty() {
        first.data = following(&mut messages).await?.unwrap_or_default().into();
    }
    let begin = stream::iter([Ok(Frame::data(Bytes::from(first.data)))]);
    let body = Body::new(StreamBody::new(begin.chain(rest(messages))));
    Ok(answer(&head.headers, &first.content_type, body))
}

/// What comes after the first bytes.
fn rest(messages: Messages) -> impl Stream<Item = Result<Frame<Bytes>, Status>> + Send {
    stream::try_unfold(messages, async |mut messages| {
        Ok(following(&mut messages).await?.map(|data| (Frame::data(data), messages)))
    })
}

/// The bytes of the next message that has any.
async fn following(messages: &mut Messages) -> Result<Option<Bytes>, Status> {
    while let Some(wire) = messages.next().await? {
        let data = read(wire)?.data;
        if !data.is_empty() {
            return Ok(Some(data.into()));
        }
    }
    Ok(None)
}

fn read(wire: Bytes) -> Result<HttpBody, Status> {
    HttpBody::decode(wire).map_err(|error| internal(&error).status(problem::DOMAIN))
}

fn answer(metadata: &HeaderMap, content_type: &str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, media_type(content_type));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    if let Some(disposition) = metadata.get(header::CONTENT_DISPOSITION) {
        headers.insert(header::CONTENT_DISPOSITION, checked(disposition));
    }
    response
}

fn media_type(text: &str) -> HeaderValue {
    let found = HeaderValue::from_str(text).ok().filter(|_| MEDIA_TYPE.is_match(text));
    found.unwrap_or(BYTES)
}

/// What cannot be passed on as it is becomes a file without a name.
fn checked(disposition: &HeaderValue) -> HeaderValue {
    let is_good = disposition.to_str().is_ok_and(|text| DISPOSITION.is_match(text));
    if is_good { disposition.clone() } else { HeaderValue::from_static("attachment") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_media_type_is_one() {
        for good in ["text/csv; charset=utf-8", "image/png", "application/vnd.ms-excel", "a/b;c=\"d e\""] {
            assert_eq!(media_type(good), good);
        }
        for bad in
            ["", "text", "text/", "text/csv\r\nx: y", "te xt/csv", "text/csv;\u{7f}", "文/本", "a/b, c/d"]
        {
            assert_eq!(media_type(bad), "application/octet-stream", "{bad:?}");
        }
    }

    #[test]
    fn only_a_disposition_is_one() {
        let good = [
            "attachment",
            "inline",
            "attachment; filename=\"ledger 2026.csv\"",
            "attachment; filename=\"a.csv\"; filename*=UTF-8''%E5%8F%B0%E8%B4%A6.csv",
        ];
        for good in good {
            assert_eq!(checked(&HeaderValue::from_static(good)), good);
        }
        let bad = [
            "form-data",
            "attachment; filename=\"a\\\"b\"",
            "attachment; x=y",
            "inline, inline",
            "attachment; filename=a b",
        ];
        for bad in bad {
            assert_eq!(checked(&HeaderValue::from_static(bad)), "attachment", "{bad}");
        }
        assert_eq!(
            checked(&HeaderValue::from_bytes(b"attachment; filename=\"\xe5\"").expect("a value")),
            "attachment"
        );
    }
}
