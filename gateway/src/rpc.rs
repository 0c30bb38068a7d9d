//! The RPCs that the gateway passes on: which backend each goes to, and with which limits.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use http::uri::PathAndQuery;
use jingwei_proto::{
    google::api::HttpBody,
    prost_reflect::{DescriptorPool, MethodDescriptor},
};
use prost::Name;

use crate::{
    backend::Backend,
    field,
    messages::PREFIX,
    settings::{BACKENDS, Settings},
};

/// One RPC.
pub(crate) struct Rpc {
    /// The service's full name.
    pub(crate) service: String,
    /// The method's name.
    pub(crate) method: String,
    /// `/package.Service/Method`.
    pub(crate) path: PathAndQuery,
    pub(crate) backend: Arc<Backend>,
    /// How long it may take; for a stream, until it begins.
    pub(crate) timeout: Duration,
    /// Whether it changes nothing, so that it may be sent twice: it has a GET route.
    pub(crate) reads: bool,
    /// The field `request_id` of the request: with it, a write that comes twice happens once.
    request_id: Option<u32>,
    /// Whether the request is a stream.
    pub(crate) takes_stream: bool,
    /// Whether the answer is a stream.
    pub(crate) streams: bool,
    /// Whether that stream is a download, which ends by itself.
    pub(crate) downloads: bool,
}

impl Rpc {
    /// Whether this request (one message with its prefix) may be sent twice.
    pub(crate) fn repeats(&self, message: &[u8]) -> bool {
        let plain = message.split_at_checked(PREFIX).filter(|(prefix, _)| prefix[0] == 0);
        let has_id = |number| plain.is_some_and(|(_, wire)| field::text(wire, number).is_some());
        self.reads || self.request_id.is_some_and(has_id)
    }
}

/// All RPCs, by path: `/package.Service/Method`.
pub(crate) type Rpcs = HashMap<String, Arc<Rpc>>;

/// The names of the services whose backend is set, and their backends.
pub(crate) fn services<'a>(
    pool: &DescriptorPool,
    backends: &'a [Arc<Backend>],
) -> Vec<(String, &'a Arc<Backend>)> {
    let backend = |package: &str| {
        let (name, _) = BACKENDS.iter().find(|(_, served)| *served == package)?;
        backends.iter().find(|backend| backend.name == *name)
    };
    pool.services()
        .filter_map(|service| Some((service.full_name().to_owned(), backend(service.package_name())?)))
        .collect()
}

/// The table of the RPCs of `services`. Errors: the names in the settings' timeouts that are no RPC.
pub(crate) fn table(
    pool: &DescriptorPool,
    services: &[(String, &Arc<Backend>)],
    reads: &HashSet<String>,
    settings: &Settings,
) -> Result<Rpcs, Vec<String>> {
    let mut timeouts: BTreeMap<&str, Duration> =
        settings.timeouts.iter().map(|(name, time)| (name.as_str(), *time)).collect();
    let mut rpcs = Rpcs::new();
    for (name, backend) in services {
        let methods = pool
            .get_service_by_name(name)
            .into_iter()
            .flat_map(|service| service.methods().collect::<Vec<_>>());
        for method in methods {
            let path = path(&method);
            let rpc = Rpc {
                service: name.clone(),
                method: method.name().to_owned(),
                path: path.parse().expect("names of a descriptor make a path"),
                backend: Arc::clone(backend),
                timeout: timeouts.remove(&path[1..]).unwrap_or(settings.timeout),
                reads: reads.contains(&path),
                request_id: (!method.is_client_streaming() && !method.is_server_streaming())
                    .then(|| field::number(&method.input(), "request_id"))
                    .flatten(),
                takes_stream: method.is_client_streaming(),
                streams: method.is_server_streaming(),
                downloads: method.is_server_streaming()
                    && method.output().full_name() == HttpBody::full_name(),
            };
            rpcs.insert(path, Arc::new(rpc));
        }
    }
    if timeouts.is_empty() { Ok(rpcs) } else { Err(timeouts.into_keys().map(str::to_owned).collect()) }
}

/// `/package.Service/Method`.
pub(crate) fn path(method: &MethodDescriptor) -> String {
    format!("/{}/{}", method.parent_service().full_name(), method.name())
}
