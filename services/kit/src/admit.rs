//! Who may call what: the check before every handler, made of the descriptors alone.
//!
//! Per call: token → caller; a role that has the RPC's permission; the message valid; a grant that reaches what the
//! request names. Then the handler gets the same bytes, and the caller in the request's extensions.

use std::{collections::HashMap, sync::Arc};

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use jingwei_proto::pool;
use prost_protovalidate::{Error, Validator, ValidatorOption};
use prost_reflect::DynamicMessage;
use tonic::{Code, body::Body};

use crate::{
    caller::{Caller, Language},
    keys::Keys,
    method::{AdmissionError, Method},
    rules,
    status::{Problem, internal, reason},
};

/// The bytes before a message: a flag and the length.
const PREFIX: usize = 5;

/// The RPCs of a server and what each needs.
pub struct Admission {
    methods: HashMap<String, Arc<Method>>,
    validator: Validator,
    keys: Keys,
    max_message: usize,
}

impl Admission {
    /// The table for the services of these full names. `max_message` is the largest request message, in bytes.
    ///
    /// Errors: an RPC whose permission is missing or cannot be enforced.
    pub fn new(services: &[&str], keys: Keys, max_message: usize) -> Result<Self, AdmissionError> {
        let mut methods = HashMap::new();
        for name in services {
            let service = pool()
                .get_service_by_name(name)
                .ok_or_else(|| AdmissionError::UnknownService((*name).to_owned()))?;
            for method in service.methods() {
                methods
                    .insert(format!("/{name}/{}", method.name()), Arc::new(Method::new(&service, &method)?));
            }
        }
        // Compiled now, not at the first call.
        let inputs = methods.values().map(|method| method.input.clone()).collect();
        let validator = Validator::with_options(&[ValidatorOption::MessageDescriptors(inputs)]);
        Ok(Self { methods, validator, keys, max_message })
    }

    /// The RPC of a request path; `None` where there is none.
    pub fn method(&self, path: &str) -> Option<&Arc<Method>> {
        self.methods.get(path)
    }

    /// Lets a call in, or says why not.
    pub async fn admit(&self, method: &Method, request: Request<Body>) -> Result<Request<Body>, Problem> {
        let (mut parts, body) = request.into_parts();
        if parts.headers.get("grpc-encoding").is_some_and(|encoding| encoding != "identity") {
            let (zh, en) = ("不接受压缩的请求", "compressed requests are not accepted: send identity");
            return Err(Problem::new(Code::Unimplemented, reason::UNIMPLEMENTED, zh, en));
        }
        let mut caller = self.identify(&parts.headers).await?;
        caller.admitted_by = method.granting(&caller)?;
        let body = if method.takes_stream {
            body
        } else {
            let bytes = self.collect(body).await?;
            let message = decode(method, &bytes)?;
            self.validate(&message)?;
            caller.admitted_by = method.reaching(caller.admitted_by, &message)?;
            Body::new(Full::new(bytes))
        };
        parts.extensions.insert(Arc::new(caller));
        Ok(Request::from_parts(parts, body))
    }

    async fn identify(&self, headers: &HeaderMap) -> Result<Caller, Problem> {
        let language = Language::of(headers);
        let Some(value) = headers.get(http::header::AUTHORIZATION) else {
            return Ok(Caller::anonymous(language));
        };
        let text = value.to_str().unwrap_or_default();
        let token = text
            .split_once(' ')
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim());
        let Some(token) = token else {
            return Err(unauthenticated(
                "authorization 应为 Bearer 令牌",
                "authorization must be a Bearer token",
            ));
        };
        let caller = self.keys.verify(token).await.map_err(|error| {
            tracing::debug!(error = %error, "token refused");
            unauthenticated(
                "令牌无效或已过期，请重新登录",
                "the token does not hold or has expired: sign in again",
            )
        })?;
        Ok(Caller { language, ..caller })
    }

    /// The one message of a request, with its prefix; refused as soon as it is known to be too large.
    async fn collect(&self, mut body: Body) -> Result<Bytes, Problem> {
        let mut bytes = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return Err(malformed()) };
            if let Ok(data) = frame.into_data() {
                bytes.extend_from_slice(&data);
            }
            let announced = bytes.get(1..PREFIX).map_or(0, |mut length| length.get_u32() as usize);
            if announced.max(bytes.len().saturating_sub(PREFIX)) > self.max_message {
                let max = self.max_message;
                let (zh, en) =
                    (format!("请求过大，最多 {max} 字节"), format!("the message is larger than {max} bytes"));
                return Err(Problem::new(Code::ResourceExhausted, reason::MESSAGE_TOO_LARGE, zh, en)
                    .with("max_bytes", max));
            }
        }
        Ok(bytes.freeze())
    }

    fn validate(&self, message: &DynamicMessage) -> Result<(), Problem> {
        match self.validator.validate(message) {
            Ok(()) => Ok(()),
            Err(Error::Validation(error)) => rules::violations(error.violations()).finish(),
            Err(error) => Err(internal(&error)),
        }
    }
}

fn decode(method: &Method, bytes: &Bytes) -> Result<DynamicMessage, Problem> {
    let prefix = bytes.first_chunk::<PREFIX>().filter(|prefix| prefix[0] == 0).ok_or_else(malformed)?;
    let message = &bytes[PREFIX..];
    if (&prefix[1..]).get_u32() as usize != message.len() {
        return Err(malformed());
    }
    DynamicMessage::decode(method.input.clone(), message).map_err(|_| malformed())
}

fn malformed() -> Problem {
    let (zh, en) =
        ("请求不是该方法的消息", "the request is not one message of the type that the method takes");
    Problem::new(Code::InvalidArgument, reason::INVALID_REQUEST, zh, en)
}

pub(crate) fn unauthenticated(zh: &str, en: &str) -> Problem {
    Problem::new(Code::Unauthenticated, reason::UNAUTHENTICATED, zh, en)
}

/// PERMISSION_DENIED: `permission` is missing, at `resource`. Also for handlers of RPCs with REACH_LOADED.
pub fn denied(permission: &str, resource: &str, zh: impl Into<Box<str>>, en: impl Into<Box<str>>) -> Problem {
    let problem = Problem::new(Code::PermissionDenied, reason::PERMISSION_DENIED, zh, en)
        .with("permission", permission);
    if resource.is_empty() { problem } else { problem.with("resource", resource) }
}
