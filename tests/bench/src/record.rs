//! What one measurement found: how often, how long, what failed, at what cost.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use tonic::{Code, Status};

use crate::usage::Usage;

/// What one measurement found.
pub(crate) struct Record {
    /// What was measured.
    pub(crate) name: String,
    /// How many were done in which time.
    pub(crate) done: u64,
    /// How many calls make one of what is counted, e.g. a lifecycle.
    pub(crate) per: u32,
    /// How long it took.
    pub(crate) elapsed: Duration,
    /// How long each took, in microseconds.
    pub(crate) times: Histogram<u64>,
    /// Calls that were shed: RESOURCE_EXHAUSTED or UNAVAILABLE, to be made again later.
    pub(crate) shed: u64,
    /// Calls that failed otherwise, by code.
    pub(crate) failed: BTreeMap<String, u64>,
    /// What each process used meanwhile.
    pub(crate) usage: Vec<Usage>,
}

impl Record {
    /// Nothing found yet.
    pub(crate) fn new(name: impl Into<String>) -> Self {
        // From a microsecond to two minutes, in three digits.
        let times = Histogram::new_with_bounds(1, 120_000_000, 3).expect("valid bounds");
        Self {
            name: name.into(),
            done: 0,
            per: 1,
            elapsed: Duration::ZERO,
            times,
            shed: 0,
            failed: BTreeMap::new(),
            usage: Vec::new(),
        }
    }

    /// Notes one that was done, or failed, after that time.
    pub(crate) fn note(&mut self, took: Duration, outcome: &Result<(), Status>) {
        match outcome {
            Ok(()) => {
                self.done += 1;
                self.times.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1));
            }
            Err(status) if matches!(status.code(), Code::ResourceExhausted | Code::Unavailable) => {
                self.shed += 1;
            }
            Err(status) => {
                *self.failed.entry(format!("{:?}: {}", status.code(), status.message())).or_default() += 1;
            }
        }
    }

    /// Adds what another found side by side with this.
    pub(crate) fn join(&mut self, other: &Self) {
        self.done += other.done;
        self.shed += other.shed;
        self.times.add(&other.times).expect("the same bounds");
        for (code, count) in &other.failed {
            *self.failed.entry(code.clone()).or_default() += count;
        }
    }

    /// How many a second.
    pub(crate) fn rate(&self) -> f64 {
        self.done as f64 / f64::from(self.per) / self.elapsed.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// A quantile of the times, in milliseconds.
    pub(crate) fn quantile(&self, q: f64) -> f64 {
        self.times.value_at_quantile(q) as f64 / 1000.0
    }
}

/// Whether a call is to be made again later.
pub(crate) fn is_shed(status: &Status) -> bool {
    matches!(status.code(), Code::ResourceExhausted | Code::Unavailable)
}
