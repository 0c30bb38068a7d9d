//! Health: whether the gateway runs, and how each backend and its replicas are.

use std::{collections::HashMap, sync::Arc, time::Duration};

use http::{Response, StatusCode};
use serde_json::json;
use tokio_util::task::AbortOnDropHandle;
use tonic::body::Body;
use tonic_health::ServingStatus;

use crate::{
    Gateway,
    backend::Backend,
    problem::json_response,
    replica::{Replica, State},
};

/// How often a replica that is not well is asked.
const IMPATIENT: Duration = Duration::from_millis(250);

/// How often it is looked up where the replicas are.
const LOOK_UP: Duration = Duration::from_secs(2);

impl Gateway {
    /// `/healthz`: the process answers.
    pub(crate) fn alive() -> Response<Body> {
        json_response(json!({"status": "SERVING"}).to_string().into_bytes())
    }

    /// `/health` and `/readyz`: the state of every backend, which is the best of its replicas', and of every replica. 503
    /// where none serves, or the gateway is going away.
    pub(crate) fn health(&self) -> Response<Body> {
        let replicas = self.backends.iter().map(|backend| backend.replicas()).collect::<Vec<_>>();
        let is_well = |state: State| state == State::Serving;
        let status = if self.stop.is_cancelled() {
            "DRAINING"
        } else if !self.backends.iter().any(|backend| is_well(backend.state())) {
            "NOT_SERVING"
        } else if replicas.iter().all(|own| !own.is_empty() && own.iter().all(|own| is_well(own.state()))) {
            "SERVING"
        } else {
            "DEGRADED"
        };
        let replica = |replica: &Arc<Replica>| {
            let breaker = if replica.breaker.is_open() { "OPEN" } else { "CLOSED" };
            json!({"address": replica.address.to_string(), "state": replica.state(), "breaker": breaker})
        };
        let backends = self.backends.iter().zip(&replicas).map(|(backend, own)| {
            let replicas = own.iter().map(replica).collect::<Vec<_>>();
            json!({"name": backend.name, "state": backend.state(), "replicas": replicas})
        });
        let report = json!({"status": status, "backends": backends.collect::<Vec<_>>()});
        let mut response = json_response(report.to_string().into_bytes());
        if matches!(status, "DRAINING" | "NOT_SERVING") {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        response
    }

    /// Keeps the replicas of a backend and what is known of their health, and tells the gateway's own gRPC health
    /// service, until the gateway stops: then nothing of it serves.
    pub(crate) async fn watch(self, backend: Arc<Backend>, services: Vec<String>) {
        let mut watches = HashMap::new();
        let mut ticks = tokio::time::interval(LOOK_UP);
        while !self.stop.is_cancelled() {
            keep_watches(&backend, &mut watches, self.settings.check);
            self.tell(&services, backend.state() == State::Serving).await;
            tokio::select! {
                _ = ticks.tick() => backend.look_up().await,
                () = backend.changed.notified() => (),
                () = self.stop.cancelled() => (),
            }
        }
        self.tell(&services, false).await;
        self.drain.cancelled().await;
        // Ends the streams of those who watch it: they would keep the gateway from draining.
        let mut reporter = self.health.clone();
        for service in &services {
            reporter.clear_service_status(service).await;
        }
        std::future::pending::<()>().await;
    }

    async fn tell(&self, services: &[String], serves: bool) {
        let status = if serves { ServingStatus::Serving } else { ServingStatus::NotServing };
        for service in services {
            self.health.set_service_status(service, status).await;
        }
    }
}

type Watches = HashMap<std::net::SocketAddr, AbortOnDropHandle<()>>;

/// One task for each replica that is there.
fn keep_watches(backend: &Arc<Backend>, watches: &mut Watches, pause: Duration) {
    let replicas = backend.replicas();
    watches.retain(|address, _| {
        let stays = replicas.iter().any(|replica| replica.address == *address);
        if !stays {
            metrics::gauge!("gateway_backend_serving", "backend" => backend.name.clone(), "address" => address.to_string()).set(0.0);
        }
        stays
    });
    for replica in replicas.iter() {
        watches.entry(replica.address).or_insert_with(|| {
            let watch = watch(Arc::clone(backend), Arc::clone(replica), pause);
            AbortOnDropHandle::new(tokio::spawn(watch))
        });
    }
}

/// Asks a replica for its health again and again: at once where a call failed, and soon where it says itself that it is
/// not well.
async fn watch(backend: Arc<Backend>, replica: Arc<Replica>, pause: Duration) {
    loop {
        let found = |state| {
            if replica.found(&backend.name, state) {
                backend.changed.notify_one();
            }
        };
        let state = replica.check().await;
        found(state);
        if state == State::Serving {
            tokio::select! {
                () = tokio::time::sleep(pause) => continue,
                () = replica.doubted.notified() => continue,
                ill = replica.falls_ill() => found(ill),
            }
        }
        tokio::time::sleep(pause.min(IMPATIENT)).await;
    }
}
