//! What every request has that acts on one resource.

/// The fields that every such request has.
pub struct Act<'a, Q> {
    /// The RPC.
    pub method: &'static str,
    /// The request.
    pub request: &'a Q,
    /// What it acts on.
    pub name: &'a str,
    /// The etag that the caller read; may be empty.
    pub etag: &'a str,
    /// The id of the request; may be empty.
    pub request_id: &'a str,
}

/// These fields of a request, whose type has them by those names.
macro_rules! act {
    ($method:literal, $request:expr) => {
        $crate::api::act::Act {
            method: $method,
            request: $request,
            name: &$request.name,
            etag: &$request.etag,
            request_id: &$request.request_id,
        }
    };
}
pub(super) use act;
