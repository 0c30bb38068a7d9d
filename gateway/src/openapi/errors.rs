//! The errors of every operation: their shape and their HTTP codes.

use jingwei_proto::prost_reflect::DescriptorPool;
use serde_json::{Map, Value as Json, json};

use super::schema::{self, Schemas, Side};

/// The HTTP codes of errors, and what each says in Chinese and English. Those with `true` say when to come back.
const CODES: [(u16, bool, &str); 13] = [
    (400, false, "请求有误或当前状态不允许。The request is wrong, or the state does not allow it."),
    (401, false, "未登录或令牌失效。No token, or one that does not hold."),
    (403, false, "没有权限。The permission is missing."),
    (404, false, "不存在。There is no such thing."),
    (405, false, "此地址不接受该方法。The address takes other methods."),
    (
        409,
        false,
        "与已有数据或同时的修改冲突。In conflict with what exists, or with a change at the same moment.",
    ),
    (413, false, "请求体过大。The body is too large."),
    (415, false, "请求体应为 application/json。The body must be application/json."),
    (429, true, "请求过多，请稍后重试。Too many requests: try again later."),
    (500, false, "系统内部错误。A fault of ours."),
    (501, false, "没有此功能。There is no such function."),
    (503, true, "服务暂不可用，请稍后重试。Not available: try again later."),
    (504, false, "处理超时。The time was over."),
];

/// The names of the gRPC codes but OK.
const STATUSES: [&str; 16] = [
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// The details that an error may carry.
const DETAILS: [&str; 4] =
    ["google.rpc.ErrorInfo", "google.rpc.BadRequest", "google.rpc.RetryInfo", "google.rpc.LocalizedMessage"];

/// The schema of an error.
pub(super) fn reference() -> Json {
    schema::reference("Error")
}

/// Adds the schemas of errors.
pub(super) fn add_schemas(pool: &DescriptorPool, schemas: &mut Schemas) {
    let mut details = Vec::new();
    for name in DETAILS {
        let Some(message) = pool.get_message_by_name(name) else { continue };
        let mut detail = schemas.object(&message, Side::Answer, &[]);
        detail["properties"]["@type"] = json!({"const": format!("type.googleapis.com/{name}")});
        detail["required"] = json!(["@type"]);
        let short = format!("{name}.Detail");
        details.push(schema::reference(&short));
        schemas.components.insert(short, detail);
    }
    let error = json!({
        "type": "object",
        "description": "错误（AIP-193）：details 中有机器可读的原因，以及中文、英文两种文字。An error as AIP-193 has it: the details hold a reason for machines, and the text in Chinese and English.",
        "required": ["error"],
        "additionalProperties": false,
        "properties": {"error": {
            "type": "object",
            "required": ["code", "status", "message"],
            "additionalProperties": false,
            "properties": {
                "code": {"type": "integer", "description": "HTTP 状态码 The HTTP code."},
                "status": {"type": "string", "enum": STATUSES, "description": "gRPC 状态码 The gRPC code."},
                "message": {"type": "string", "description": "英文说明 The text in English."},
                "details": {"type": "array", "items": {"anyOf": details}},
            },
        }},
    });
    schemas.components.insert("Error".to_owned(), error);
}

/// The answers that operations refer to.
pub(super) fn responses() -> Json {
    let mut responses = Map::new();
    for (code, waits, text) in CODES {
        let mut response =
            json!({"description": text, "content": {"application/json": {"schema": reference()}}});
        if waits {
            let seconds = "至少等待的秒数。The least number of seconds to wait.";
            response["headers"] =
                json!({"Retry-After": {"description": seconds, "schema": {"type": "integer", "minimum": 1}}});
        }
        if code == 405 {
            response["headers"] = json!({"Allow": {"description": "可用的方法。The methods it takes.", "schema": {"type": "string"}}});
        }
        responses.insert(code.to_string(), response);
    }
    responses.into()
}
