//! Time and new ids as an argument: the one place that asks the system for either.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use time::{Duration, OffsetDateTime};
use uuid::{NoContext, Timestamp, Uuid};

/// Where the time comes from. Clones share it.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    System,
    Manual(Arc<Mutex<OffsetDateTime>>),
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands at `now` until it is moved: for tests.
    pub fn manual(now: OffsetDateTime) -> Self {
        Self(Source::Manual(Arc::new(Mutex::new(now))))
    }

    /// The time in UTC, cut to microseconds: what PostgreSQL keeps, so what is read back equals what was written.
    #[expect(clippy::disallowed_methods, reason = "this is the place")]
    pub fn now(&self) -> OffsetDateTime {
        let now = match &self.0 {
            Source::System => OffsetDateTime::now_utc(),
            Source::Manual(now) => *now.lock().unwrap_or_else(PoisonError::into_inner),
        };
        now.truncate_to_microsecond()
    }

    /// A new UUIDv7 of this time.
    pub fn id(&self) -> Uuid {
        let now = self.now();
        let seconds = u64::try_from(now.unix_timestamp()).unwrap_or(0);
        Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, now.nanosecond()))
    }

    /// Moves a manual clock to `now`; the system's clock does not listen.
    pub fn set(&self, now: OffsetDateTime) {
        if let Source::Manual(time) = &self.0 {
            *time.lock().unwrap_or_else(PoisonError::into_inner) = now;
        }
    }

    /// Moves a manual clock on by `step`.
    pub fn advance(&self, step: Duration) {
        self.set(self.now() + step);
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::System => "Clock::System",
            Source::Manual(_) => "Clock::Manual",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn a_manual_clock_moves_when_told_and_its_ids_carry_its_time() {
        let clock = Clock::manual(datetime!(2026-01-02 03:04:05.123456789 UTC));
        assert_eq!(clock.now(), datetime!(2026-01-02 03:04:05.123456 UTC));
        clock.clone().advance(Duration::hours(1));
        assert_eq!(clock.now(), datetime!(2026-01-02 04:04:05.123456 UTC));
        let (a, b) = (clock.id(), clock.id());
        assert_ne!(a, b);
        let (seconds, _) = a.get_timestamp().expect("version 7 has a time").to_unix();
        assert_eq!(i64::try_from(seconds), Ok(clock.now().unix_timestamp()));
    }

    #[test]
    fn the_system_clock_cannot_be_moved() {
        let clock = Clock::system();
        clock.set(datetime!(1970-01-01 00:00 UTC));
        assert!(clock.now() > datetime!(2025-01-01 00:00 UTC));
    }
}
