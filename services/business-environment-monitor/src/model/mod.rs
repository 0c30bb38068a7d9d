//! Types and rules, pure: no I/O, no clock, no randomness.

pub mod social_credit;
