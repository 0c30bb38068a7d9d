//! Tests of the repository as a whole: `tests/*.rs` here; `clients`, `conformance` and `schemathesis` are scripts that
//! `make test` runs against the built binary; `bench` measures. This library starts the suite as separate processes.

pub mod answer;
mod checker;
mod district;
mod process;
mod processes;
mod proxy;
mod session;

pub use checker::{Clients, Ledger, Step, Way};
pub use district::District;
pub use process::Process;
pub use processes::{DATA_KEYS, Options, Processes};
pub use proxy::{Proxy, Weather};
pub use session::{Bearer, Session, session};

/// An error of any part, with a text for people.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
