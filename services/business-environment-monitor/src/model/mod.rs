//! Types and rules, pure: no I/O, no clock, no randomness.

pub mod actor;
pub mod appointment;
pub mod enterprise;
pub mod issue;
pub mod need;
pub mod social_credit;
pub mod term;
