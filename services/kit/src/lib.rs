//! The mechanism that every service shares: what would be wrong to do differently in two of them. No domain noun.
//!
//! | module | what it is for | what others call |
//! |---|---|---|
//! | [`clock`] | time and ids as arguments | `Clock::system()`, `Clock::manual(t)`, `.now()`, `.id()` |
//! | [`config`] | settings from the environment, all problems at once | `Settings::from_env("GRID_")`, getters, `.finish()` |
//! | [`telemetry`] | logs, metrics, traces of a process | `Options::read`, `start(options)`, `inject(headers)` |
//! | [`status`] | errors with a reason, in Chinese and English | `Problem::new(…).with(…).status(domain)`, `Violations`, `invalid`, `internal` |
//! | [`keys`] | the keys that tokens are verified with | `KeySource::read`, `Keys::load(source, clock)` |
//! | [`caller`] | who calls, and what grants cover | `caller::of(&request)`, `Caller::covers`, `Scope` |
//! | [`admit`] | who may call what, from the descriptors | `Admission` (used by `serve`), `admit::denied` |
//! | [`method`] | what one RPC needs | used by `admit` |
//! | [`rules`] | the texts of broken validation rules | used by `admit`, `check` for what is no request |
//! | [`stack`] | what happens around every call | `Limits::read` |
//! | [`serve`] | bind, serve, drain | `Server::new(domain, limits, keys).service(s).database(pool).bind(addr)?.run(stop)` |
//! | [`page`] | pages of a list | `Page::of(&request, 50, 200)?`, `.limit()`, `.cut(&mut rows, key)` |
//! | [`etag`] | versions as etags | `of`, `check`, `version`, `mismatch` |
//! | [`mask`] | which fields an update changes | `mask::read(request.update_mask.as_ref(), &CHANGEABLE, …)`, `.set(…)` |
//! | [`idempotency`] | the same answer to a repeated request | `Key::of`, `once(pool, &key, now, async \|tx\| …)`, `answered` |
//! | [`pg`] | pool, migrations, meaning of errors | `Database::read`, `.connect()`, `.migrate(&MIGRATOR)`, `classify`, `problem` |
//! | [`outbox`] | the change feed | `append` (or its SQL in `APPEND`), `Feed::start`, `.wake`, `.stream`, `place` |
//! | `testing` | a database of one's own for a test (feature `testing`) | `testing::database(&MIGRATOR)` |
//!
//! A kit function fails with a [`status::Problem`], which knows code, reason and texts; a service's own error type has
//! `From<Problem>` and becomes a [`tonic::Status`] with the service's domain in one place.
//!
//! The tables of [`idempotency`] and [`outbox`] are given there as SQL, and repeated in each service's first migration.

pub mod admit;
pub mod caller;
mod claims;
pub mod clock;
pub mod config;
pub mod deadline;
pub mod etag;
mod guard;
pub mod idempotency;
pub mod keys;
pub mod mask;
pub mod method;
pub mod outbox;
pub mod page;
pub mod pg;
mod published;
pub mod rules;
mod scope;
pub mod serve;
pub mod stack;
pub mod status;
pub mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
