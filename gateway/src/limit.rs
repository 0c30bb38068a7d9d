//! Rate limits (限流): how many requests one caller, and one address, may send.

use std::{
    hash::{BuildHasher, Hash, RandomState},
    net::IpAddr,
    num::NonZeroU32,
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    state::keyed::HashMapStateStore,
};
use http::HeaderMap;

/// How many requests per second an address may send, as a multiple of a caller's: an office shares one address.
const CALLERS_PER_ADDRESS: u32 = 20;

/// A caller may send the requests of this many seconds at once.
const BURST_SECONDS: u32 = 2;

/// The limits of a gateway; buckets are kept for who sent something lately.
pub(crate) struct Limits {
    clock: DefaultClock,
    callers: Buckets<u64>,
    addresses: Buckets<IpAddr>,
    hasher: RandomState,
}

type Buckets<K> = RateLimiter<K, HashMapStateStore<K>, DefaultClock>;

impl Limits {
    /// `per_second` requests of one caller.
    pub(crate) fn new(per_second: NonZeroU32) -> Self {
        let per_address =
            per_second.saturating_mul(const { NonZeroU32::new(CALLERS_PER_ADDRESS).expect("not zero") });
        Self {
            clock: DefaultClock::default(),
            callers: buckets(per_second),
            addresses: buckets(per_address),
            hasher: RandomState::new(),
        }
    }

    /// Takes one request's place, or says how long to wait. A caller is a token, since what it says is not verified
    /// here; made-up tokens are held back by the limit of their address.
    pub(crate) fn check(&self, headers: &HeaderMap, address: IpAddr) -> Result<(), Duration> {
        take(&self.addresses, &address, &self.clock)?;
        let token = headers.get(http::header::AUTHORIZATION).map(http::HeaderValue::as_bytes);
        let caller = token.map_or_else(|| self.hasher.hash_one(address), |token| self.hasher.hash_one(token));
        take(&self.callers, &caller, &self.clock)
    }

    /// Forgets who has sent nothing lately.
    pub(crate) fn tidy(&self) {
        self.callers.retain_recent();
        self.callers.shrink_to_fit();
        self.addresses.retain_recent();
        self.addresses.shrink_to_fit();
    }
}

fn buckets<K: Hash + Eq + Clone>(per_second: NonZeroU32) -> Buckets<K> {
    let burst = per_second.saturating_mul(const { NonZeroU32::new(BURST_SECONDS).expect("not zero") });
    RateLimiter::hashmap(Quota::per_second(per_second).allow_burst(burst))
}

fn take<K: Hash + Eq + Clone>(buckets: &Buckets<K>, key: &K, clock: &DefaultClock) -> Result<(), Duration> {
    buckets.check_key(key).map_err(|not_until| not_until.wait_time_from(clock.now()))
}
