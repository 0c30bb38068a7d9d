//! Why the storage of files fails, as a caller is told; the log has the cause.

use std::error::Error as StdError;
use std::io::{self, ErrorKind};

use crate::error::Error;

/// Why the storage fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// It does not answer, or not as it should.
    Unavailable,
    /// There is no room left.
    Full,
}

impl From<object_store::Error> for Error {
    fn from(error: object_store::Error) -> Self {
        match &error {
            // What a row says is there: lost, which no repeat mends.
            object_store::Error::NotFound { .. } => Self::Problem(jingwei_kit::status::internal(&error)),
            _ => told(&error),
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        told(&error)
    }
}

fn told(error: &(dyn StdError + 'static)) -> Error {
    let mut causes = std::iter::successors(Some(error), |e: &&(dyn StdError + 'static)| (*e).source());
    let failure = if causes.any(is_full) { Failure::Full } else { Failure::Unavailable };
    tracing::warn!(%error, ?failure, "the storage of files failed");
    Error::Storage(failure)
}

/// No room on the disk, none for this user, or none for a file of that size.
fn is_full(cause: &(dyn StdError + 'static)) -> bool {
    let full = [ErrorKind::StorageFull, ErrorKind::QuotaExceeded, ErrorKind::FileTooLarge];
    let kind = cause.downcast_ref::<io::Error>().map(io::Error::kind);
    kind.is_some_and(|kind| full.contains(&kind))
}
