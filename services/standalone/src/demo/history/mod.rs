//! The demo's history: sixty days in the life of 京城路街道, with the figures of the newspaper page, lived through the public gRPC
//! API in front of a clock that is moved from hour to hour.
//!
//! `plan` says who does what when, the same in every load; `play` does it.

mod notes;
mod plan;
mod play;
mod texts;

pub(super) use plan::DAYS;
pub use plan::{EVENTS, LEVEL_THREE, NOTES};
pub(super) use play::play;
