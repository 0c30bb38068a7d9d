//! Tests of the repository as a whole: `tests/architecture.rs` here; `clients`, `conformance` and `schemathesis` are scripts
//! that `make test` runs against the built binary.
