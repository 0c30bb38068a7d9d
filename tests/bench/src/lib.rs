//! The load harness: what fills databases and calls services as fast as they answer.

pub mod fill;
