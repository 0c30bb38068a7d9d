//! One backend: the replicas of a service, which of them a call goes to, and the retry budget.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::Uri;
use jingwei_kit::status::Problem;
use tokio::{net::lookup_host, sync::Notify, time::Instant};
use tower::retry::budget::TpsBudget;

use crate::{
    problem,
    replica::{Replica, State},
};

/// How long a name may take to be looked up.
const LOOK_UP: Duration = Duration::from_secs(2);

/// One backend.
pub(crate) struct Backend {
    /// Its name, e.g. `grid`.
    pub(crate) name: String,
    /// Retries: two a second, and one for every five calls.
    pub(crate) retries: TpsBudget,
    /// The health of a replica has changed.
    pub(crate) changed: Notify,
    origins: Vec<Uri>,
    breaker_wait: Duration,
    replicas: RwLock<Arc<[Arc<Replica>]>>,
    turn: AtomicUsize,
}

impl Backend {
    /// A backend whose replicas are still to be looked up.
    pub(crate) fn new(name: String, origins: Vec<Uri>, breaker_wait: Duration) -> Self {
        Self {
            name,
            retries: TpsBudget::new(Duration::from_secs(10), 2, 0.2),
            changed: Notify::new(),
            origins,
            breaker_wait,
            replicas: RwLock::new(Arc::new([])),
            turn: AtomicUsize::new(0),
        }
    }

    /// The replicas that are known now.
    pub(crate) fn replicas(&self) -> Arc<[Arc<Replica>]> {
        Arc::clone(&self.replicas.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks up where the replicas are; those that stay are kept as they are. Where a name is not known now, nothing
    /// changes: the replicas that were there may well still be.
    pub(crate) async fn look_up(&self) {
        let mut found = BTreeSet::new();
        for origin in &self.origins {
            match tokio::time::timeout(LOOK_UP, addresses(origin)).await {
                Ok(Ok(addresses)) => found.extend(addresses),
                Ok(Err(error)) => return tracing::warn!(%origin, %error, "cannot look up a backend"),
                Err(_) => return tracing::warn!(%origin, "looking up a backend takes too long"),
            }
        }
        let before = self.replicas();
        if before.len() == found.len() && before.iter().all(|replica| found.contains(&replica.address)) {
            return;
        }
        let kept = |address| before.iter().find(|replica| replica.address == address).cloned();
        let replica =
            |address| kept(address).unwrap_or_else(|| Arc::new(Replica::new(address, self.breaker_wait)));
        tracing::info!(backend = self.name, addresses = ?found, "replicas of a backend");
        *self.replicas.write().unwrap_or_else(PoisonError::into_inner) =
            found.into_iter().map(replica).collect();
    }

    /// The replica for the next call: of those that are well and whose breaker lets it through the one with the least
    /// waiting calls, in turn where there are several; one that was `tried` only where there is no other.
    pub(crate) fn pick(&self, tried: &[SocketAddr]) -> Result<Arc<Replica>, Problem> {
        let replicas = self.replicas();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let mut order =
            (0..replicas.len()).map(|n| &replicas[turn.wrapping_add(n) % replicas.len()]).collect::<Vec<_>>();
        order.sort_by_cached_key(|replica| (tried.contains(&replica.address), replica.reluctance()));
        let (now, mut wait) = (Instant::now(), None::<Duration>);
        for replica in order {
            match replica.breaker.enter(now) {
                Ok(()) => return Ok(Arc::clone(replica)),
                Err(other) => wait = Some(wait.map_or(other, |wait| wait.min(other))),
            }
        }
        Err(wait
            .map_or_else(|| problem::unavailable(&self.name), |wait| problem::circuit_open(&self.name, wait)))
    }

    /// Whether a replica that was not `tried` takes calls.
    pub(crate) fn has_another(&self, tried: &[SocketAddr]) -> bool {
        self.replicas().iter().any(|replica| !tried.contains(&replica.address) && replica.takes_calls())
    }

    /// The best that any replica is.
    pub(crate) fn state(&self) -> State {
        self.replicas().iter().map(|replica| replica.state()).min().unwrap_or(State::Unknown)
    }
}

/// The addresses of an origin. Of one family only: a replica that has an address of each is not two.
async fn addresses(origin: &Uri) -> std::io::Result<Vec<SocketAddr>> {
    let host = origin.host().unwrap_or_default().trim_matches(['[', ']']);
    let found = lookup_host((host, origin.port_u16().unwrap_or(80))).await?.collect::<Vec<_>>();
    let any_v4 = found.iter().any(SocketAddr::is_ipv4);
    Ok(found.into_iter().filter(|address| address.is_ipv4() == any_v4).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backend(origins: &[&'static str]) -> Backend {
        let origins = origins.iter().map(|origin| Uri::from_static(origin)).collect();
        Backend::new("grid".into(), origins, Duration::from_secs(1))
    }

    #[tokio::test]
    async fn calls_go_round_among_those_that_are_well() {
        let backend = backend(&["http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:3"]);
        backend.look_up().await;
        let replicas = backend.replicas();
        replicas[0].found("grid", State::NotServing);
        let ports = |tried: &[SocketAddr]| {
            let picks = (0..6).map(|_| backend.pick(tried).expect("one is well").address.port());
            picks.collect::<BTreeSet<_>>()
        };
        assert_eq!(ports(&[]), [2, 3].into());
        assert_eq!(ports(&[replicas[1].address]), [3].into());
        assert_eq!(ports(&[replicas[1].address, replicas[2].address]), [1].into(), "better than none");
        replicas[0].found("grid", State::Unreachable);
        assert!(!backend.has_another(&[replicas[1].address, replicas[2].address]));
    }

    #[tokio::test]
    async fn a_replica_that_stays_is_kept_and_one_with_two_addresses_is_one() {
        let backend =
            backend(&["http://127.0.0.1:1", "http://localhost:2", "http://[::1]:3", "http://127.0.0.1"]);
        backend.look_up().await;
        let before = backend.replicas();
        let ports = before.iter().map(|replica| replica.address.port()).collect::<Vec<_>>();
        assert_eq!(ports, [1, 2, 80, 3]);
        backend.look_up().await;
        assert!(Arc::ptr_eq(&before[0], &backend.replicas()[0]));
    }

    #[tokio::test]
    async fn without_a_replica_there_is_a_defined_answer() {
        let backend = backend(&["http://no-such-host.invalid:1"]);
        backend.look_up().await;
        let Err(problem) = backend.pick(&[]) else { panic!("there is none") };
        assert_eq!(problem.status(problem::DOMAIN).code(), tonic::Code::Unavailable);
        assert_eq!(backend.state(), State::Unknown);
    }
}
