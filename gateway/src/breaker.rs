//! The circuit breaker (熔断器) of one backend: after failures in a row it lets nothing through but a probe now and then.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// How many failures in a row open the breaker.
const FAILURES: u32 = 5;

/// The longest time between two probes.
const LONGEST: Duration = Duration::from_secs(30);

/// One backend's breaker.
#[derive(Debug)]
pub(crate) struct Breaker {
    /// The time between the opening and the first probe; it doubles with each probe that fails.
    shortest: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    wait: Duration,
    /// When the next probe may go.
    probe: Instant,
    /// Whether one is on its way.
    probing: bool,
}

impl Breaker {
    /// A closed breaker.
    pub(crate) fn new(shortest: Duration) -> Self {
        Self { shortest, state: Mutex::default() }
    }

    /// Whether a call may go now; else how long to wait. While open, one call per wait goes through: the probe.
    pub(crate) fn enter(&self, now: Instant) -> Result<(), Duration> {
        let mut state = self.state();
        let Some(open) = &mut state.open else { return Ok(()) };
        if now < open.probe {
            return Err(open.probe - now);
        }
        // A probe whose caller goes away reports nothing: then the next one goes after the same wait.
        open.probe = now + open.wait;
        open.probing = true;
        Ok(())
    }

    /// Tells that the backend answered: closes the breaker.
    pub(crate) fn succeeded(&self) {
        *self.state() = State::default();
    }

    /// Tells that the backend did not answer.
    pub(crate) fn failed(&self, now: Instant) {
        let mut state = self.state();
        state.failures = state.failures.saturating_add(1);
        let wait = match &state.open {
            Some(open) if open.probing => (open.wait * 2).min(LONGEST),
            // A call that began before it opened: known already.
            Some(_) => return,
            None if state.failures >= FAILURES => self.shortest,
            None => return,
        };
        state.open = Some(Open { wait, probe: now + wait, probing: false });
    }

    /// Whether calls are held back.
    pub(crate) fn is_open(&self) -> bool {
        self.state().open.is_some()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A breaker that has just opened, and when.
    fn open() -> (Breaker, Instant) {
        let (breaker, now) = (Breaker::new(SECOND), Instant::now());
        for _ in 0..FAILURES {
            assert_eq!(breaker.enter(now), Ok(()));
            breaker.failed(now);
        }
        (breaker, now)
    }

    #[test]
    fn failures_in_a_row_open_it_and_a_success_between_does_not_let_it_come_to_that() {
        let (breaker, now) = (Breaker::new(SECOND), Instant::now());
        for _ in 0..3 {
            (1..FAILURES).for_each(|_| breaker.failed(now));
            breaker.succeeded();
        }
        assert!(!breaker.is_open());
        let (breaker, now) = open();
        assert_eq!(breaker.enter(now), Err(SECOND));
    }

    #[test]
    fn one_probe_goes_per_wait_and_its_success_closes() {
        let (breaker, now) = open();
        let later = now + SECOND;
        assert_eq!((breaker.enter(later), breaker.enter(later)), (Ok(()), Err(SECOND)));
        breaker.succeeded();
        assert_eq!((breaker.enter(later), breaker.is_open()), (Ok(()), false));
    }

    #[test]
    fn the_wait_doubles_with_each_probe_that_fails_up_to_a_bound() {
        let (breaker, mut now) = open();
        let mut waits = Vec::new();
        for _ in 0..7 {
            let wait = breaker.enter(now).expect_err("open");
            waits.push(wait.as_secs());
            now += wait;
            assert_eq!(breaker.enter(now), Ok(()));
            breaker.failed(now);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
    }

    #[test]
    fn a_call_from_before_the_opening_changes_nothing_and_a_lost_probe_is_followed_by_another() {
        let (breaker, now) = open();
        breaker.failed(now + SECOND / 2);
        assert_eq!(breaker.enter(now + SECOND / 2), Err(SECOND / 2));
        assert_eq!(breaker.enter(now + SECOND), Ok(()));
        assert_eq!(breaker.enter(now + SECOND * 2), Ok(()));
    }
}
