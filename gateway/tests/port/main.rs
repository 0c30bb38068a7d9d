//! The gateway at its port: a real gateway before a real backend, each on a loopback port of its own.
#![allow(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a test program: a panic is its answer, and nothing leaves it"
)]

mod backend;
mod files;
mod grpc;
mod json;
mod leaving;
mod raw;
mod replicas;
mod streams;
mod support;
mod trouble;
