//! Tests of the repository as a whole: `tests/*.rs` here; `clients`, `conformance` and `schemathesis` are scripts that
//! `make test` runs against the built binary; `bench` measures. This library starts the suite as separate processes.

mod district;
mod process;
mod processes;
mod session;

pub use district::District;
pub use process::Process;
pub use processes::{DATA_KEYS, Options, Processes};
pub use session::{Bearer, Session, session};

/// An error of any part, with a text for people.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
