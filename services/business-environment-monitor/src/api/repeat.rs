//! Requests with an id: their key, and what a refused twin means.

use jingwei_kit::idempotency::Key;
use jingwei_kit::pg::{Failure, classify};
use jingwei_kit::status::Problem;
use prost::Message;

use super::wire::name;
use crate::error::Error;

/// The key of a request that has an id.
pub(super) fn key(
    subject: &str,
    district: i32,
    request_id: &str,
    method: &'static str,
    request: &impl Message,
) -> Result<Option<Key>, Problem> {
    if request_id.is_empty() {
        return Ok(None);
    }
    let id = name::read_uuid("request_id", request_id)?;
    Ok(Some(Key::of(district, subject, id, method, request)))
}

/// Whether a change was written: not where the same request did it at the same moment.
pub(super) fn written(update: sqlx::Result<bool>) -> Result<bool, Error> {
    match update {
        Err(error) if violates(&error, "idempotency_pkey") => Ok(false),
        done => Ok(done?),
    }
}

/// Whether a unique constraint of this name refused.
pub(super) fn violates(error: &sqlx::Error, constraint: &str) -> bool {
    matches!(classify(error), Failure::Unique(name) if name == constraint)
}

/// Whether a foreign key of this name refused.
pub(super) fn refers_to_nothing(error: &sqlx::Error, constraint: &str) -> bool {
    matches!(classify(error), Failure::ForeignKey(name) if name == constraint)
}
