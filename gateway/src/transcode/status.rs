//! A gRPC error as HTTP: the status code and the JSON of AIP-193.

use super::{
    output,
    tables::Tables,
    wire::{Reader, WireType},
};

/// By gRPC code: the name, and the HTTP status of google/rpc/code.proto.
const CODES: [(&str, u16); 17] = [
    ("OK", 200),
    ("CANCELLED", 499),
    ("UNKNOWN", 500),
    ("INVALID_ARGUMENT", 400),
    ("DEADLINE_EXCEEDED", 504),
    ("NOT_FOUND", 404),
    ("ALREADY_EXISTS", 409),
    ("PERMISSION_DENIED", 403),
    ("RESOURCE_EXHAUSTED", 429),
    ("FAILED_PRECONDITION", 400),
    ("ABORTED", 409),
    ("OUT_OF_RANGE", 400),
    ("UNIMPLEMENTED", 501),
    ("INTERNAL", 500),
    ("UNAVAILABLE", 503),
    ("DATA_LOSS", 500),
    ("UNAUTHENTICATED", 401),
];

fn code(grpc: i32) -> (&'static str, u16) {
    usize::try_from(grpc).ok().and_then(|code| CODES.get(code)).copied().unwrap_or(CODES[2])
}

/// The HTTP status of a gRPC code; 500 for one that is none.
pub fn http_status(grpc: i32) -> u16 {
    code(grpc).1
}

/// The HTTP status and the body `{"error":{"code","status","message","details"}}` of a gRPC error.
///
/// `details` is the value of `grpc-status-details-bin`, base64 undone: a `google.rpc.Status`, whose details are written
/// as their own messages with `@type`. Details that cannot be read are left out: the error itself is worth more.
pub fn status_json(tables: &Tables, grpc: i32, message: &str, details: &[u8]) -> (u16, Vec<u8>) {
    let (name, http) = code(grpc);
    let mut out = b"{\"error\":{\"code\":".to_vec();
    output::integer(&mut out, http.into());
    out.extend_from_slice(b",\"status\":");
    output::string(&mut out, name);
    out.extend_from_slice(b",\"message\":");
    output::string(&mut out, message);
    out.extend_from_slice(b",\"details\":[");
    let start = out.len();
    let mut reader = Reader::new(details);
    while let Ok(Some(tag)) = reader.tag() {
        if (tag.number, tag.wire) != (3, WireType::Delimited) {
            if reader.skip(tag).is_err() {
                break;
            }
            continue;
        }
        let Ok(any) = reader.delimited() else { break };
        if tables.any_to_json(any, &mut out).is_ok() {
            out.push(b',');
        }
    }
    out.truncate(out.len() - usize::from(out.len() > start));
    out.extend_from_slice(b"]}}");
    (http, out)
}
