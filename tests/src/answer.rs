//! What a refusal tells.

use jingwei_proto::google::rpc;
use prost::{Message as _, Name};
use tonic::{Code, Status};

/// What is wrong with a refusal of the suite: a fault or a shed call must say why, in both languages, and when to try again.
pub fn lacking(status: &Status) -> Option<String> {
    let retries = matches!(status.code(), Code::Unavailable | Code::ResourceExhausted);
    let complete =
        !reason(status).is_empty() && speaks_both(status) && (!retries || retry_after(status).is_some());
    (!complete).then(|| format!("not a complete answer: {status:?}"))
}

/// The reason; empty where there is none: a connection broke.
pub fn reason(status: &Status) -> String {
    details::<rpc::ErrorInfo>(status).pop().map(|info| info.reason).unwrap_or_default()
}

/// When to try again.
pub fn retry_after(status: &Status) -> Option<prost_types::Duration> {
    details::<rpc::RetryInfo>(status).pop()?.retry_delay
}

/// Whether it says the same in Chinese and in English.
pub fn speaks_both(status: &Status) -> bool {
    let texts = details::<rpc::LocalizedMessage>(status);
    ["zh-CN", "en"]
        .iter()
        .all(|locale| texts.iter().any(|text| text.locale == *locale && !text.message.is_empty()))
}

fn details<M: Name + Default>(status: &Status) -> Vec<M> {
    let all = rpc::Status::decode(status.details()).unwrap_or_default().details;
    all.iter()
        .filter(|any| any.type_url.ends_with(&M::full_name()))
        .filter_map(|any| M::decode(any.value.as_slice()).ok())
        .collect()
}
