//! Everything in one process: the services and the gateway over loopback, on a private PostgreSQL or a server that exists.
//!
//! [`Suite`] is what `jingwei up` runs and what whole-suite tests start; [`keys`] signs its tokens; [`demo`] loads a district.

pub mod databases;
pub mod demo;
pub mod folder;
pub mod keys;
mod suite;

pub use suite::{Options, Suite};

/// An error of any part: the text says which, in Chinese and English where a person is meant to act on it.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
