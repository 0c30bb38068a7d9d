//! The tests of the kit that need a server or a database, in one binary.

mod admission;
mod feed;
mod metrics;
mod postgres;
mod repeats;
mod server;
mod site;
mod tokens;
