//! The gateway: one address for everything outside.
//!
//! | what comes | who answers |
//! |---|---|
//! | `application/grpc` | `grpc`: passed through as it is, frames and trailers, to the backend of the service |
//! | `application/grpc-web…` | the same, behind tonic-web's translation |
//! | `/grpc.health…`, `/grpc.reflection…` | the gateway itself, for all services together |
//! | `/healthz`, `/readyz`, `/health` | `health` |
//! | `/`, `/docs`, `/openapi.json` | `docs`, made by `openapi` from the descriptors |
//! | anything else | `json`, `stream` and `raw`: an RPC by its HTTP route, transcoded by `transcode` |
//!
//! Every call ends in `grpc`: there are the deadline, the retries and the breaker, once for all protocols. A new RPC
//! needs no code here; a new service is a row of the table in `settings`. Permissions are the services' to check: the
//! gateway hands `authorization` on and trusts nobody.
//!
//! A service may have several replicas (`backend`, `replica`): calls go to those that are well, and what one certainly
//! did not take goes to another at once.
//!
//! Invariants: what may have been processed is sent again only where it changes nothing; a backend's answer reaches the
//! caller as it is; an error of the gateway's own has the same shape in every protocol; no caller can open the breaker.

mod backend;
mod breaker;
mod docs;
mod field;
mod grpc;
mod health;
mod json;
mod limit;
mod messages;
mod openapi;
mod problem;
mod raw;
mod relay;
mod replica;
mod rpc;
mod server;
mod settings;
mod stream;
pub mod transcode;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use bytes::Bytes;
use http::Method;
use jingwei_proto::prost_reflect::{DescriptorError, DescriptorPool};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes as Services;
use tonic_health::server::HealthReporter;

pub use problem::{DOMAIN, reason};
pub use server::run;
pub use settings::{Settings, listen};

use crate::{
    backend::Backend,
    limit::Limits,
    rpc::Rpcs,
    stream::Resume,
    transcode::{RouteError, Routes, Tables},
};

/// A gateway: what every request is answered with. Clones share it.
#[derive(Clone)]
pub(crate) struct Gateway(Arc<Shared>);

/// The shared parts.
pub(crate) struct Shared {
    settings: Settings,
    /// Told to stop: it says so, and still takes calls.
    stop: CancellationToken,
    /// Takes no more: streams end.
    drain: CancellationToken,
    backends: Vec<Arc<Backend>>,
    rpcs: Rpcs,
    tables: Tables,
    routes: Routes,
    /// How streams are resumed, by the path of their RPC.
    resumes: HashMap<String, Resume>,
    openapi: Bytes,
    limits: Option<Limits>,
    /// Health and reflection.
    services: Services,
    health: HealthReporter,
}

impl std::ops::Deref for Gateway {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// Why a gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The descriptors are broken.
    #[error("cannot read the descriptors")]
    Descriptors(#[from] DescriptorError),
    /// Two routes are the same, or one cannot be understood.
    #[error("a route in the .proto files is wrong")]
    Routes(#[from] RouteError),
    /// A name in the settings is no RPC.
    #[error("GATEWAY_TIMEOUTS 里没有这些方法 / GATEWAY_TIMEOUTS names no RPC of a backend: {}", .0.join(", "))]
    Timeouts(Vec<String>),
    /// Reflection cannot be offered.
    #[error("cannot offer reflection")]
    Reflection(#[from] tonic_reflection::server::Error),
}

impl Gateway {
    /// Reads the descriptors, once; nothing of them is kept but the tables.
    pub(crate) fn new(settings: Settings, stop: CancellationToken) -> Result<Self, StartError> {
        // Not the pool that a service in the same process may hold: this one is dropped.
        let pool = DescriptorPool::decode(settings.descriptors.as_ref())?;
        let mut origins = BTreeMap::<_, Vec<_>>::new();
        for (name, origin) in &settings.backends {
            origins.entry(name).or_default().push(origin.clone());
        }
        let backend = |(name, origins): (&String, _)| {
            Arc::new(Backend::new(name.clone(), origins, settings.breaker_wait))
        };
        let backends = origins.into_iter().map(backend).collect::<Vec<_>>();
        let served = rpc::services(&pool, &backends);
        let names = served.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>();
        let tables = Tables::new(&pool);
        let routes = Routes::new(&tables, &pool, &names)?;
        let reads: HashSet<String> = routes
            .all()
            .iter()
            .filter(|route| route.method == Method::GET)
            .map(|route| route.rpc.clone())
            .collect();
        let methods = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
        let resumes = methods.filter_map(|method| Some((rpc::path(&method), Resume::of(&method)?))).collect();
        let (services, health) = own_services(&pool, &names)?;
        Ok(Self(Arc::new(Shared {
            rpcs: rpc::table(&pool, &served, &reads, &settings).map_err(StartError::Timeouts)?,
            openapi: openapi::document(&pool, &routes).to_string().into(),
            limits: settings.rate.map(Limits::new),
            settings,
            stop,
            drain: CancellationToken::new(),
            backends,
            tables,
            routes,
            resumes,
            services,
            health,
        })))
    }
}

/// Health and reflection of the gateway: what a client asks of the one address, about all services.
fn own_services(pool: &DescriptorPool, names: &[&str]) -> Result<(Services, HealthReporter), StartError> {
    let mut files = jingwei_proto::prost_reflect::prost_types::FileDescriptorSet {
        file: pool.file_descriptor_protos().cloned().collect(),
    };
    for file in &mut files.file {
        file.source_code_info = None;
    }
    let reflection = || {
        let builder =
            tonic_reflection::server::Builder::configure().register_file_descriptor_set(files.clone());
        names.iter().fold(builder, |builder, name| builder.with_service_name(*name))
    };
    let (health, service) = tonic_health::server::health_reporter();
    let mut services = Services::builder();
    // Older clients know the alpha version only.
    services
        .add_service(service)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?);
    Ok((services.routes().prepare(), health))
}
