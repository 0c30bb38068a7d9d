//! OpenAPI 3.1, made at start from the descriptors: routes, comments, limits, permissions and errors.

mod comments;
mod errors;
mod operation;
mod rules;
mod schema;

use std::collections::{BTreeMap, HashMap};

use jingwei_proto::prost_reflect::{DescriptorPool, MethodDescriptor};
use serde_json::{Map, Value as Json, json};

use crate::{
    rpc,
    transcode::{Route, Routes},
};
use schema::{Schemas, Side};

/// What stands above the operations.
const ABOUT: &str = "经纬：县区网格化治理平台。所有接口同时提供 gRPC、gRPC-Web 与 JSON。\n\n\
    Jingwei: governance by grids for a district. Every call is also there as gRPC and gRPC-Web.\n\n\
    写操作带 `requestId`（UUID），重复调用得到第一次的结果；修改带 `etag`。\n\
    A write carries a `requestId` (a UUID): a repeat gets the first answer; a change carries the `etag` that was read.";

/// The document of these routes.
pub(crate) fn document(pool: &DescriptorPool, routes: &Routes) -> Json {
    let mut schemas = Schemas::new(pool);
    let methods = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
    let methods: HashMap<String, MethodDescriptor> =
        methods.map(|method| (rpc::path(&method), method)).collect();
    let routes = routes
        .all()
        .iter()
        .filter_map(|route| Some((route, methods.get(&route.rpc)?)))
        .filter(|(route, _)| !route.client_streaming);
    let routes: Vec<(&Route, &MethodDescriptor)> = routes.collect();
    errors::add_schemas(pool, &mut schemas);
    // Answers first: see Schemas::message.
    for (_, method) in routes.iter().filter(|(route, _)| !route.gives_raw) {
        schemas.message(&method.output(), Side::Answer);
    }
    json!({
        "openapi": "3.1.0",
        "info": {"title": "经纬 Jingwei", "version": env!("CARGO_PKG_VERSION"), "description": ABOUT},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "tags": tags(&routes, &schemas),
        "paths": paths(pool, &routes, &mut schemas),
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            "responses": errors::responses(),
            "schemas": schemas.components,
        },
    })
}

fn paths(pool: &DescriptorPool, routes: &[(&Route, &MethodDescriptor)], schemas: &mut Schemas) -> Json {
    let mut paths: BTreeMap<String, Map<String, Json>> = BTreeMap::new();
    let mut seen: HashMap<String, u32> = HashMap::new();
    for (route, method) in routes {
        let (path, parameters) = operation::path(route, &method.input(), schemas);
        let mut operation = operation::operation(pool, route, method, schemas, parameters);
        // A second route to the same RPC needs an id of its own.
        let times = seen.entry(route.rpc.clone()).and_modify(|times| *times += 1).or_insert(1);
        if *times > 1 {
            operation["operationId"] = format!("{}_{times}", operation::id(method)).into();
        }
        paths.entry(path).or_default().insert(route.method.as_str().to_ascii_lowercase(), operation);
    }
    json!(paths)
}

/// The services, in the order of their first route.
fn tags(routes: &[(&Route, &MethodDescriptor)], schemas: &Schemas) -> Json {
    let mut tags: Vec<Json> = Vec::new();
    for (_, method) in routes {
        let service = method.parent_service();
        let name = operation::tag(service);
        if !tags.iter().any(|tag| tag["name"] == name) {
            tags.push(json!({"name": name, "description": schemas.comments.get(&service.parent_file(), service.path())}));
        }
    }
    tags.into()
}

#[cfg(test)]
mod tests;
