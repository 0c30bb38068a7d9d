//! The gateway's own errors: their reasons and texts, and how an error looks in JSON.

use std::time::Duration;

use http::{HeaderValue, Response, StatusCode, header};
use jingwei_kit::status::{Problem, reason as kit};
use jingwei_proto::google::rpc;
use prost::{Message, Name};
use prost_types::Any;
use tonic::{Code, Status, body::Body};

use crate::transcode::{self, Tables};

/// The domain of the gateway's reasons in ErrorInfo.
pub const DOMAIN: &str = "gateway.jingwei";

/// The reasons that only the gateway gives; it also gives `INVALID_REQUEST`, `MESSAGE_TOO_LARGE`, `DEADLINE_EXCEEDED`,
/// `UNIMPLEMENTED`, `SHUTTING_DOWN` and `INTERNAL` of [`jingwei_kit::status::reason`].
pub mod reason {
    /// NOT_FOUND: nothing is at this address.
    pub const NO_ROUTE: &str = "NO_ROUTE";
    /// UNIMPLEMENTED (405): the address takes other methods.
    pub const METHOD_NOT_ALLOWED: &str = "METHOD_NOT_ALLOWED";
    /// INVALID_ARGUMENT (415): the body is not JSON.
    pub const UNSUPPORTED_MEDIA_TYPE: &str = "UNSUPPORTED_MEDIA_TYPE";
    /// RESOURCE_EXHAUSTED: too many requests of one caller.
    pub const RATE_LIMITED: &str = "RATE_LIMITED";
    /// UNAVAILABLE: the service does not answer.
    pub const BACKEND_UNAVAILABLE: &str = "BACKEND_UNAVAILABLE";
    /// UNAVAILABLE: the service did not answer lately, and is asked again only now and then.
    pub const CIRCUIT_OPEN: &str = "CIRCUIT_OPEN";
    /// All of them.
    pub const ALL: [&str; 6] = [
        NO_ROUTE,
        METHOD_NOT_ALLOWED,
        UNSUPPORTED_MEDIA_TYPE,
        RATE_LIMITED,
        BACKEND_UNAVAILABLE,
        CIRCUIT_OPEN,
    ];
}

pub(crate) fn no_route(path: &str) -> Problem {
    let (zh, en) = (format!("没有地址 {path}"), format!("there is nothing at {path}"));
    Problem::new(Code::NotFound, reason::NO_ROUTE, zh, en).with("path", path)
}

pub(crate) fn method_not_allowed(method: &http::Method, allowed: &str) -> Problem {
    let zh = format!("此地址不接受 {method}，可用：{allowed}");
    let en = format!("this address does not take {method}, but {allowed}");
    Problem::new(Code::Unimplemented, reason::METHOD_NOT_ALLOWED, zh, en)
        .with("method", method)
        .with("allowed", allowed)
}

pub(crate) fn unsupported_media_type(found: &str) -> Problem {
    let zh = format!("请求体的类型应为 application/json，而不是 {found:?}");
    let en = format!("the body must be application/json, not {found:?}");
    Problem::new(Code::InvalidArgument, reason::UNSUPPORTED_MEDIA_TYPE, zh, en).with("content_type", found)
}

pub(crate) fn too_large(max: usize) -> Problem {
    let (zh, en) = (format!("请求过大，最多 {max} 字节"), format!("the request is larger than {max} bytes"));
    Problem::new(Code::ResourceExhausted, kit::MESSAGE_TOO_LARGE, zh, en).with("max_bytes", max)
}

pub(crate) fn rate_limited(wait: Duration) -> Problem {
    let (zh, en) = ("请求过于频繁，请稍后重试", "too many requests: try again later");
    Problem::new(Code::ResourceExhausted, reason::RATE_LIMITED, zh, en).retry_after(wait)
}

pub(crate) fn unavailable(backend: &str) -> Problem {
    let zh = format!("服务 {backend} 暂时没有应答，请稍后重试");
    let en = format!("the service {backend} does not answer: try again in a second");
    Problem::new(Code::Unavailable, reason::BACKEND_UNAVAILABLE, zh, en)
        .with("backend", backend)
        .retry_after(Duration::from_secs(1))
}

pub(crate) fn circuit_open(backend: &str, wait: Duration) -> Problem {
    let zh = format!("服务 {backend} 近来没有应答，请稍后重试");
    let en = format!("the service {backend} has not answered lately: try again later");
    Problem::new(Code::Unavailable, reason::CIRCUIT_OPEN, zh, en).with("backend", backend).retry_after(wait)
}

pub(crate) fn deadline_exceeded(limit: Duration) -> Problem {
    let milliseconds = limit.as_millis();
    let zh = format!("处理超时：{milliseconds} 毫秒内没有完成");
    let en = format!("the call did not end within {milliseconds} ms");
    Problem::new(Code::DeadlineExceeded, kit::DEADLINE_EXCEEDED, zh, en).with("milliseconds", milliseconds)
}

pub(crate) fn unimplemented(path: &str) -> Problem {
    let (zh, en) = (format!("没有方法 {path}"), format!("there is no method {path}"));
    Problem::new(Code::Unimplemented, kit::UNIMPLEMENTED, zh, en).with("method", path)
}

pub(crate) fn needs_http2() -> Problem {
    let (zh, en) = ("gRPC 需要 HTTP/2", "gRPC needs HTTP/2");
    Problem::new(Code::Unimplemented, kit::UNIMPLEMENTED, zh, en)
}

pub(crate) fn no_streamed_requests() -> Problem {
    let (zh, en) =
        ("此方法接受消息流，请用 gRPC 调用", "this method takes a stream of messages: call it by gRPC");
    Problem::new(Code::Unimplemented, kit::UNIMPLEMENTED, zh, en)
}

pub(crate) fn shutting_down() -> Problem {
    let (zh, en) = ("网关正在停止，请重新连接", "the gateway is going away: connect again");
    Problem::new(Code::Unavailable, kit::SHUTTING_DOWN, zh, en).retry_after(Duration::from_millis(500))
}

pub(crate) fn broken_request() -> Problem {
    let (zh, en) = ("请求不完整", "the request is incomplete");
    Problem::new(Code::InvalidArgument, kit::INVALID_REQUEST, zh, en)
}

/// The HTTP answer for a problem that the gateway found itself.
pub(crate) fn answer(tables: &Tables, problem: Problem) -> Response<Body> {
    json(tables, &problem.status(DOMAIN))
}

/// The HTTP answer for a status, as AIP-193 has it; RetryInfo becomes `Retry-After`.
pub(crate) fn json(tables: &Tables, status: &Status) -> Response<Body> {
    let (http, mut text) =
        transcode::status_json(tables, status.code() as i32, status.message(), status.details());
    let mut http = StatusCode::from_u16(http).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let details = rpc::Status::decode(status.details()).map(|status| status.details).unwrap_or_default();
    if let Some(narrower) = detail::<rpc::ErrorInfo>(&details).and_then(|info| narrower(&info.reason)) {
        let mut error: serde_json::Value = serde_json::from_slice(&text).expect("we wrote it");
        error["error"]["code"] = narrower.as_u16().into();
        (http, text) = (narrower, error.to_string().into_bytes());
    }
    let mut response = json_response(text);
    *response.status_mut() = http;
    if let Some(seconds) = detail::<rpc::RetryInfo>(&details).and_then(|info| seconds(&info)) {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// The reason in the ErrorInfo of a status.
pub(crate) fn reason_of(status: &Status) -> Option<String> {
    let details = rpc::Status::decode(status.details()).ok()?.details;
    Some(detail::<rpc::ErrorInfo>(&details)?.reason)
}

/// The HTTP status of the reasons for which HTTP says more than gRPC.
fn narrower(reason: &str) -> Option<StatusCode> {
    match reason {
        reason::METHOD_NOT_ALLOWED => Some(StatusCode::METHOD_NOT_ALLOWED),
        reason::UNSUPPORTED_MEDIA_TYPE => Some(StatusCode::UNSUPPORTED_MEDIA_TYPE),
        kit::MESSAGE_TOO_LARGE => Some(StatusCode::PAYLOAD_TOO_LARGE),
        _ => None,
    }
}

/// An answer of JSON text.
pub(crate) fn json_response(text: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::new(http_body_util::Full::from(text)));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The detail of a type, where it is there.
fn detail<M: Message + Name + Default>(details: &[Any]) -> Option<M> {
    let any = details.iter().find(|any| any.type_url.ends_with(&M::full_name()))?;
    M::decode(any.value.as_slice()).ok()
}

/// The whole seconds to wait, at least one.
fn seconds(info: &rpc::RetryInfo) -> Option<u64> {
    let delay = info.retry_delay?;
    let seconds = u64::try_from(delay.seconds).ok()? + u64::from(delay.nanos > 0);
    Some(seconds.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jingwei_proto::gateway::v1::ErrorReason;

    #[test]
    fn every_reason_is_in_the_proto_and_no_other() {
        let of_kit = [
            kit::INVALID_REQUEST,
            kit::MESSAGE_TOO_LARGE,
            kit::DEADLINE_EXCEEDED,
            kit::SHUTTING_DOWN,
            kit::UNIMPLEMENTED,
            kit::INTERNAL,
        ];
        let given: std::collections::BTreeSet<_> = reason::ALL.into_iter().chain(of_kit).collect();
        let known: std::collections::BTreeSet<_> = (1..100)
            .filter_map(|number| ErrorReason::try_from(number).ok())
            .map(|value| value.as_str_name().trim_start_matches("ERROR_REASON_"))
            .collect();
        assert_eq!(given, known);
    }
}
