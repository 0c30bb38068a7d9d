//! Health: whether the gateway runs, and how each backend is.

use std::{sync::Arc, time::Duration};

use http::{Response, StatusCode};
use serde_json::json;
use tonic::body::Body;
use tonic_health::{ServingStatus, server::HealthReporter};

use crate::{
    Gateway,
    backend::{Backend, State},
    problem::json_response,
};

/// How often a backend that is not well is asked.
const IMPATIENT: Duration = Duration::from_millis(250);

impl Gateway {
    /// `/healthz`: the process answers.
    pub(crate) fn alive() -> Response<Body> {
        json_response(json!({"status": "SERVING"}).to_string().into_bytes())
    }

    /// `/health` and `/readyz`: every backend's state. 503 where none serves, or the gateway is going away.
    pub(crate) fn health(&self) -> Response<Body> {
        let serves = self.backends.iter().filter(|backend| backend.state() == State::Serving).count();
        let status = match serves {
            _ if self.stop.is_cancelled() => "DRAINING",
            0 => "NOT_SERVING",
            some if some < self.backends.len() => "DEGRADED",
            _ => "SERVING",
        };
        let backends = self.backends.iter().map(|backend| {
            let breaker = if backend.breaker.is_open() { "OPEN" } else { "CLOSED" };
            json!({"name": backend.name, "state": backend.state(), "breaker": breaker})
        });
        let report = json!({"status": status, "backends": backends.collect::<Vec<_>>()});
        let mut response = json_response(report.to_string().into_bytes());
        if matches!(status, "DRAINING" | "NOT_SERVING") {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        response
    }
}

/// Asks a backend for its health again and again, and tells the gateway's own gRPC health service.
pub(crate) async fn watch(
    backend: Arc<Backend>,
    services: Vec<String>,
    reporter: HealthReporter,
    pause: Duration,
) {
    loop {
        let state = backend.check().await;
        let status = if state == State::Serving { ServingStatus::Serving } else { ServingStatus::NotServing };
        for service in &services {
            reporter.set_service_status(service, status).await;
        }
        tokio::time::sleep(if state == State::Serving { pause } else { pause.min(IMPATIENT) }).await;
    }
}
