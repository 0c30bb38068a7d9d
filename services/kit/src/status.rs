//! Errors as the wire shows them: a code, a reason for machines, a text in Chinese and English, typed details.

use std::{collections::BTreeMap, error::Error, time::Duration};

use jingwei_proto::google::rpc::{self, bad_request::FieldViolation};
use prost::{Message, Name};
use prost_types::Any;
use tonic::{Code, Status};

use crate::clock::Clock;

/// The reasons that this crate gives; each is a value of every service's ErrorReason enum in errors.proto.
pub mod reason {
    /// Fields of the request are wrong.
    pub const INVALID_REQUEST: &str = "INVALID_REQUEST";
    /// No token, or one that does not hold.
    pub const UNAUTHENTICATED: &str = "UNAUTHENTICATED";
    /// No grant has the permission, or none reaches the resource.
    pub const PERMISSION_DENIED: &str = "PERMISSION_DENIED";
    /// There is no such resource.
    pub const NOT_FOUND: &str = "NOT_FOUND";
    /// Changed since it was read, or at the same moment by another call.
    pub const ETAG_MISMATCH: &str = "ETAG_MISMATCH";
    /// The request_id was used for another request.
    pub const REQUEST_ID_REUSED: &str = "REQUEST_ID_REUSED";
    /// Too many calls at once.
    pub const OVERLOADED: &str = "OVERLOADED";
    /// The caller's time, or a stream's, was over.
    pub const DEADLINE_EXCEEDED: &str = "DEADLINE_EXCEEDED";
    /// The database cannot be reached.
    pub const DATABASE_UNAVAILABLE: &str = "DATABASE_UNAVAILABLE";
    /// The server is going away; another replica answers.
    pub const SHUTTING_DOWN: &str = "SHUTTING_DOWN";
    /// A fault of ours.
    pub const INTERNAL: &str = "INTERNAL";
    /// The message is larger than allowed.
    pub const MESSAGE_TOO_LARGE: &str = "MESSAGE_TOO_LARGE";
    /// No such RPC, or an encoding that is not spoken here.
    pub const UNIMPLEMENTED: &str = "UNIMPLEMENTED";
    /// The resume token points before or after what the change feed has.
    pub const FEED_TOKEN_EXPIRED: &str = "FEED_TOKEN_EXPIRED";
    /// All of them.
    pub const ALL: [&str; 14] = [
        INVALID_REQUEST,
        UNAUTHENTICATED,
        PERMISSION_DENIED,
        NOT_FOUND,
        ETAG_MISMATCH,
        REQUEST_ID_REUSED,
        OVERLOADED,
        DEADLINE_EXCEEDED,
        DATABASE_UNAVAILABLE,
        SHUTTING_DOWN,
        INTERNAL,
        MESSAGE_TOO_LARGE,
        UNIMPLEMENTED,
        FEED_TOKEN_EXPIRED,
    ];
}

/// The error of this crate's functions, and what a service's own errors become. Texts hold no driver message and
/// nothing personal.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{code:?} {reason}: {en}")]
pub struct Problem {
    /// The gRPC code.
    pub code: Code,
    /// A value of ErrorReason without its prefix.
    pub reason: &'static str,
    /// Every value that the texts mention, by name.
    pub metadata: BTreeMap<String, String>,
    /// The text in Chinese.
    pub zh: Box<str>,
    /// The text in English, also the status message.
    pub en: Box<str>,
    /// When a repeated call may succeed.
    pub retry_after: Option<Duration>,
    /// The wrong fields.
    pub violations: Vec<Violation>,
}

/// One wrong field of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The path of the field, e.g. `event.place.point.latitude`.
    pub field: String,
    /// The rule, e.g. `string.max_len`.
    pub rule: String,
    /// What is wrong and what would be right, in Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

/// Collects the wrong fields of a request, so that all are told at once.
#[derive(Debug, Default)]
pub struct Violations(Vec<Violation>);

impl Problem {
    /// A problem without details.
    pub fn new(code: Code, reason: &'static str, zh: impl Into<Box<str>>, en: impl Into<Box<str>>) -> Self {
        let (zh, en) = (zh.into(), en.into());
        Self { code, reason, metadata: BTreeMap::new(), zh, en, retry_after: None, violations: Vec::new() }
    }

    /// Adds a value that the texts mention.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers have numbers and texts at hand, not references"
    )]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.metadata.insert(name.to_owned(), value.to_string());
        self
    }

    /// Says when a repeated call may succeed.
    #[must_use]
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.retry_after = Some(delay);
        self
    }

    /// The status of a service whose error domain is `domain`, e.g. `grid.jingwei`, with google.rpc.Status as details:
    /// ErrorInfo, BadRequest and RetryInfo where they apply, LocalizedMessage zh-CN, then en.
    pub fn status(self, domain: &str) -> Status {
        let Self { code, reason, mut metadata, zh, en, retry_after, violations } = self;
        let (zh, en) = (String::from(zh), String::from(en));
        let violations = fitting(&violations, &mut metadata);
        let metadata = metadata.into_iter().collect();
        let mut details =
            vec![any(&rpc::ErrorInfo { reason: reason.to_owned(), domain: domain.to_owned(), metadata })];
        if !violations.is_empty() {
            details.push(any(&rpc::BadRequest { field_violations: violations }));
        }
        if let Some(delay) = retry_after {
            let retry_delay = prost_types::Duration::try_from(delay).ok();
            details.push(any(&rpc::RetryInfo { retry_delay }));
        }
        details.push(any(&localized("zh-CN", zh)));
        details.push(any(&localized("en", en.clone())));
        let status = rpc::Status { code: code as i32, message: en.clone(), details };
        Status::with_details(code, en, status.encode_to_vec().into())
    }
}

impl Violations {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a wrong field.
    pub fn add(
        &mut self,
        field: impl Into<String>,
        rule: impl Into<String>,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) {
        self.0.push(Violation { field: field.into(), rule: rule.into(), zh: zh.into(), en: en.into() });
    }

    /// Adds what another one has noted.
    pub fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Each of them, in the order in which they were noted.
    pub fn into_vec(self) -> Vec<Violation> {
        self.0
    }

    /// Notes the wrong fields of a part of the request, whose fields begin with `prefix`, e.g. `note.`.
    pub fn add_under(&mut self, prefix: &str, part: Self) {
        self.0.extend(part.0.into_iter().map(|v| Violation { field: format!("{prefix}{}", v.field), ..v }));
    }

    /// Whether none was noted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Ok where none was noted, else INVALID_ARGUMENT with all of them.
    pub fn finish(self) -> Result<(), Problem> {
        let Some(first) = self.0.first() else { return Ok(()) };
        let more = self.0.len() - 1;
        let (zh, en) = match more {
            0 => (format!("{}：{}", first.field, first.zh), format!("{}: {}", first.field, first.en)),
            _ => (
                format!("{}：{}；另有 {more} 处", first.field, first.zh),
                format!("{}: {}; and {more} more", first.field, first.en),
            ),
        };
        let mut problem = Problem::new(Code::InvalidArgument, reason::INVALID_REQUEST, zh, en);
        problem.violations = self.0;
        Err(problem)
    }
}

/// INVALID_ARGUMENT for one wrong field.
pub fn invalid(field: &str, rule: &str, zh: impl Into<String>, en: impl Into<String>) -> Problem {
    let mut violations = Violations::new();
    violations.add(field, rule, zh, en);
    violations.finish().expect_err("one was added")
}

/// Logs a fault of ours, once, with its causes, under a new id; the caller gets that id and a fixed text.
pub fn internal(error: &(dyn Error + 'static)) -> Problem {
    let id = Clock::system().id().simple().to_string();
    let causes = std::iter::successors(Some(error), |e: &&(dyn Error + 'static)| (*e).source())
        .map(ToString::to_string)
        .collect::<Vec<_>>();
    tracing::error!(fault = id, error = causes.join(": "), "internal error");
    metrics::counter!("internal_errors_total").increment(1);
    let zh = format!("系统内部错误，请把编号 {id} 告诉运维人员");
    let en = format!("internal error; tell the operator the id {id}");
    Problem::new(Code::Internal, reason::INTERNAL, zh, en).with("id", id)
}

/// How many bytes of violations a status may carry: it travels in a header, and clients accept 8 KiB of those by default.
const VIOLATION_BYTES: usize = 4500;

/// The violations that fit into a header; where some do not, the metadata says how many there are.
fn fitting(violations: &[Violation], metadata: &mut BTreeMap<String, String>) -> Vec<FieldViolation> {
    let mut room = VIOLATION_BYTES;
    let wire = violations.iter().map(|v| FieldViolation {
        field: v.field.clone(),
        description: v.en.clone(),
        reason: v.rule.clone(),
        localized_message: Some(localized("zh-CN", v.zh.clone())),
    });
    let fitting: Vec<_> = wire
        .take_while(|v| {
            let size = v.encoded_len() + 4;
            let fits = size <= room;
            room = room.saturating_sub(size);
            fits
        })
        .collect();
    if fitting.len() < violations.len() {
        metadata.insert("violations".to_owned(), violations.len().to_string());
    }
    fitting
}

fn localized(locale: &str, message: String) -> rpc::LocalizedMessage {
    rpc::LocalizedMessage { locale: locale.to_owned(), message }
}

fn any<M: Message + Name>(message: &M) -> Any {
    Any { type_url: format!("type.googleapis.com/{}", M::full_name()), value: message.encode_to_vec() }
}

#[cfg(test)]
mod tests {
    use jingwei_proto::pool;

    use super::*;

    fn details(status: &Status) -> Vec<Any> {
        rpc::Status::decode(status.details()).expect("google.rpc.Status").details
    }

    #[test]
    fn a_problem_becomes_a_status_with_all_details_in_order() {
        let mut violations = Violations::new();
        violations.add("a", "required", "必填", "is required");
        violations.add("b.c", "max", "太大", "is too large");
        let problem =
            violations.finish().expect_err("two").with("limit", 7).retry_after(Duration::from_millis(1500));
        let status = problem.status("t.jingwei");
        assert_eq!((status.code(), status.message()), (Code::InvalidArgument, "a: is required; and 1 more"));
        let urls = details(&status).iter().map(|any| any.type_url.clone()).collect::<Vec<_>>();
        let names = ["ErrorInfo", "BadRequest", "RetryInfo", "LocalizedMessage", "LocalizedMessage"];
        assert_eq!(urls, names.map(|name| format!("type.googleapis.com/google.rpc.{name}")));
        let retry = rpc::RetryInfo::decode(details(&status)[2].value.as_slice()).expect("RetryInfo");
        assert_eq!(retry.retry_delay, Some(prost_types::Duration { seconds: 1, nanos: 500_000_000 }));
    }

    #[test]
    fn violations_that_do_not_fit_into_a_header_are_counted() {
        let mut violations = Violations::new();
        for row in 0..4000 {
            violations.add(format!("rows[{row}]"), "required", "必填", "is required");
        }
        let status = violations.finish().expect_err("many").status("t.jingwei");
        assert!(status.details().len() * 4 / 3 < 7000, "{} bytes", status.details().len());
        let details = details(&status);
        let info = rpc::ErrorInfo::decode(details[0].value.as_slice()).expect("ErrorInfo");
        let told = rpc::BadRequest::decode(details[1].value.as_slice()).expect("BadRequest").field_violations;
        assert!(told.len() > 20 && info.metadata["violations"] == "4000", "{} told", told.len());
    }

    #[test]
    fn every_service_declares_the_reasons_that_are_given_here() {
        // Of packages with a service: the gateway has reasons of its own and no server of this crate.
        let has_service = |package: &str| pool().services().any(|s| s.package_name() == package);
        let enums = pool().all_enums().filter(|e| e.name() == "ErrorReason" && has_service(e.package_name()));
        let mut services = 0;
        for reasons in enums {
            for reason in reason::ALL {
                let value = format!("ERROR_REASON_{reason}");
                assert!(reasons.get_value_by_name(&value).is_some(), "{} lacks {value}", reasons.full_name());
            }
            services += 1;
        }
        assert!(services > 0);
    }

    #[test]
    fn a_fault_of_ours_keeps_its_cause_to_itself() {
        let problem = internal(&std::io::Error::other("password of the database"));
        assert!(!format!("{problem:?}").contains("password"));
        assert!(problem.zh.contains(&problem.metadata["id"]));
    }
}
