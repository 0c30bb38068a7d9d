//! The business-environment monitor (营商环境监督): who watches how a district treats its enterprises, and what comes of it.
//!
//! **Nouns** (`model`): unified social credit code (统一社会信用代码).
//!
//! **Invariants**: a code that stands is one whose both check digits are right.
//!
//! `model` is pure: no I/O, no clock, no randomness.

pub mod model;
