//! How often the public may report: one number a few times an hour, all anonymous reporters of a district together.

use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::DefaultClock;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::model::contact::Phone;

/// A number reports so often at once, and once more in ten minutes.
const PER_NUMBER: NonZeroU32 = NonZeroU32::new(5).expect("not zero");
const NUMBER_PERIOD: Duration = Duration::from_secs(600);
/// Anonymous reporters of a district report so often in a minute.
const ANONYMOUS: NonZeroU32 = NonZeroU32::new(60).expect("not zero");

type Buckets = RateLimiter<u64, HashMapStateStore<u64>, DefaultClock>;

/// The limits of this replica. Numbers are known to it by a hash only.
#[derive(Clone)]
pub struct ReportLimit(Arc<Inner>);

struct Inner {
    hasher: RandomState,
    numbers: Buckets,
    anonymous: Buckets,
}

impl ReportLimit {
    /// With nothing reported yet.
    #[expect(clippy::new_without_default, reason = "a limit that starts anew is no default")]
    pub fn new() -> Self {
        let per_number = Quota::with_period(NUMBER_PERIOD).expect("not zero").allow_burst(PER_NUMBER);
        Self(Arc::new(Inner {
            hasher: RandomState::new(),
            numbers: RateLimiter::new(per_number, HashMapStateStore::default(), DefaultClock::default()),
            anonymous: RateLimiter::new(
                Quota::per_minute(ANONYMOUS),
                HashMapStateStore::default(),
                DefaultClock::default(),
            ),
        }))
    }

    /// Whether one more report may be made in the district, under this number or anonymously.
    pub fn allows(&self, district: i32, phone: Option<&Phone>) -> bool {
        let Inner { hasher, numbers, anonymous } = &*self.0;
        numbers.retain_recent();
        let key = hasher.hash_one((district, phone.map(Phone::number)));
        let buckets = if phone.is_some() { numbers } else { anonymous };
        buckets.check_key(&key).is_ok()
    }
}
