//! What tests of services need and no mock gives: a PostgreSQL database and tokens of their own.

mod database;
mod issuer;

pub use database::database;
pub use issuer::Issuer;
