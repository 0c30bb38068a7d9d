//! Requests with an id: their key, the first answer to a repeat, and what a refused twin means.

use jingwei_kit::idempotency::{self, Key};
use jingwei_kit::pg::{Failure, classify};
use jingwei_kit::status::Problem;
use jingwei_proto::grid::v1 as pb;
use prost::Message;
use sqlx::PgPool;

use super::wire::name;
use crate::error::Error;
use crate::store::group::Shared;

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

/// The first answer to a request that was made before.
pub(super) async fn first_answer(pool: &PgPool, key: &Key) -> Result<Option<pb::Event>, Error> {
    Ok(idempotency::answered(pool, key).await?)
}

/// Whether a change was written: not where the same request did it at the same moment.
pub(super) fn written(update: Shared<bool>) -> Result<bool, Error> {
    match update {
        Err(error) if violates(&error, "idempotency_pkey") => Ok(false),
        done => Ok(done?),
    }
}

/// Whether a constraint of this name refused.
pub(super) fn violates(error: &sqlx::Error, constraint: &str) -> bool {
    matches!(classify(error), Failure::Unique(name) | Failure::ForeignKey(name) | Failure::Check(name) if name == constraint)
}
