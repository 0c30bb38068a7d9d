//! JSON ↔ protobuf wire bytes in one pass, and HTTP ↔ RPC, from tables made once out of the descriptors.
//!
//! - [`Tables`]: every message as compact tables; [`Tables::to_json`] writes a response, [`Tables::to_wire`] reads a body.
//! - [`Routes`]: the HTTP routes (`google.api.http`); [`Route::request`] joins path, query and body into one message.
//! - [`status_json`]: a gRPC error as the JSON of AIP-193.
//!
//! No message is ever held as an object: merging is left to protobuf's own rule that the concatenation of two
//! encodings is their merge. The mapping is proto3 JSON (protobuf.dev/programming-guides/json) and passes the official
//! conformance runner (tests/conformance). What that text leaves open is decided here:
//!
//! | case | decision |
//! |---|---|
//! | order of fields in responses | the order on the wire; map entries by key |
//! | unknown fields | ignored in responses; refused by name in requests, unless asked to ignore |
//! | a name twice in one JSON object | refused, also in maps |
//! | an `Any` of a type not in the tables | in responses its bytes in base64 under `value`; refused in requests |
//! | depth | 100 messages within each other, both ways, as prost |
//! | groups, extensions (proto2) | skipped |

mod decode;
mod encode;
mod json;
mod output;
mod query;
mod route;
mod routes;
mod scalar;
mod status;
mod tables;
mod template;
#[cfg(test)]
mod tests;
mod violation;
mod wellknown;
mod wire;

pub use encode::WireError;
pub use route::{BodyMode, Captures, Route, RouteError};
pub use routes::{Match, Routes};
pub use status::{http_status, status_json};
pub use tables::{MessageId, Tables};
pub use template::{Segment, Template, Variable};
pub use violation::{RequestError, Violation};

/// How many messages may sit within each other, both ways: what prost's own decoder allows.
const MAX_DEPTH: usize = 100;
