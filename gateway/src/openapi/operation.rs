//! Routes as operations: parameters, body, answers, and who may call.

use std::collections::HashSet;

use jingwei_kit::caller::role_text;
use jingwei_proto::{
    access::v1::Permission,
    prost_reflect::{
        DescriptorPool, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, ServiceDescriptor,
    },
};
use prost::Message;
use serde_json::{Map, Value as Json, json};

use super::{
    comments, errors,
    schema::{Schemas, Side},
};
use crate::{
    rpc,
    stream::Resume,
    transcode::{BodyMode, Route, Segment},
};

/// How deep a query looks into messages: `point.latitude` is two.
const QUERY_DEPTH: usize = 4;

/// What names an RPC among those of all backends, e.g. `grid_EventService_ListEvents`: two may have services of one name.
pub(super) fn id(method: &MethodDescriptor) -> String {
    format!("{}_{}", tag(method.parent_service()).replace('.', "_"), method.name())
}

/// The group that an RPC is shown in, e.g. `grid.EventService`.
pub(super) fn tag(service: &ServiceDescriptor) -> String {
    let package = service.package_name().split('.').rev().nth(1).unwrap_or_default();
    format!("{package}.{}", service.name())
}

/// The path of a route with a name for each of its wildcards, and their parameters.
pub(super) fn path(route: &Route, input: &MessageDescriptor, schemas: &Schemas) -> (String, Vec<Json>) {
    let (mut path, mut parameters, mut taken) = (String::new(), Vec::new(), HashSet::new());
    for (at, segment) in route.template.segments.iter().enumerate() {
        path.push('/');
        let collection = match segment {
            Segment::Literal(text) => {
                path.push_str(text);
                continue;
            }
            Segment::One | Segment::Rest => at.checked_sub(1).map(|before| &route.template.segments[before]),
        };
        let mut name = match collection {
            Some(Segment::Literal(plural)) => singular(plural),
            _ => "id".to_owned(),
        };
        while !taken.insert(name.clone()) {
            name.push('2');
        }
        path.push_str(&format!("{{{name}}}"));
        let mut schema = json!({"type": "string", "minLength": 1});
        if let Some(pattern) = segment_pattern(route, at, input, schemas) {
            schema["pattern"] = pattern.into();
        }
        parameters.push(json!({"name": name, "in": "path", "required": true, "schema": schema}));
    }
    if let Some(verb) = &route.template.verb {
        path = format!("{path}:{verb}");
    }
    (path, parameters)
}

/// The English singular of a collection's name: `districts`, `categories`, `staff`.
fn singular(plural: &str) -> String {
    match plural.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => plural.strip_suffix('s').unwrap_or(plural).to_owned(),
    }
}

/// The part of a name's pattern that one of its segments must match, where the pattern has as many segments as the template.
fn segment_pattern(route: &Route, at: usize, input: &MessageDescriptor, schemas: &Schemas) -> Option<String> {
    let variable = route.template.variables.iter().find(|variable| variable.segments.contains(&at))?;
    let mut names = variable.field.split('.');
    let mut field = input.get_field_by_name(names.next()?)?;
    for name in names {
        let Kind::Message(inner) = field.kind() else { return None };
        field = inner.get_field_by_name(name)?;
    }
    let pattern = schemas.rules.field(&field).pattern()?;
    let whole = pattern.strip_prefix('^')?.strip_suffix('$')?;
    // A name that may be left out of a message is never left out of a path.
    let whole = whole.strip_prefix('(').and_then(|inside| inside.strip_suffix(")?")).unwrap_or(whole);
    let parts = whole.split('/').collect::<Vec<_>>();
    let part = parts.get(at - variable.segments.start).filter(|_| parts.len() == variable.segments.len())?;
    let is_whole = part.matches('(').count() == part.matches(')').count();
    is_whole.then(|| format!("^{part}$"))
}

/// The operation of a route.
pub(super) fn operation(
    pool: &DescriptorPool,
    route: &Route,
    method: &MethodDescriptor,
    schemas: &mut Schemas,
    mut parameters: Vec<Json>,
) -> Json {
    let input = method.input();
    let bound: Vec<&str> = route.template.variables.iter().map(|variable| variable.field.as_str()).collect();
    match &route.body {
        BodyMode::All => (),
        BodyMode::None => query(schemas, &input, &bound, "", "", &mut parameters),
        BodyMode::Field(name) => {
            let bound = bound.iter().copied().chain([name.as_str()]).collect::<Vec<_>>();
            query(schemas, &input, &bound, "", "", &mut parameters);
        }
    }
    if Resume::of(method).is_some() && route.server_streaming {
        let text = "事件流断开后，浏览器以最后收到的 id 续传。What a browser sends after a break of the event stream: the last id it saw.";
        parameters.push(json!({"name": "Last-Event-ID", "in": "header", "schema": {"type": "string", "maxLength": 200}, "description": text}));
    }
    let permission = permission(pool, method);
    let (summary, rest) = comments::split(schemas.comments.get(&method.parent_file(), method.path()));
    let mut operation = json!({
        "operationId": id(method),
        "tags": [tag(method.parent_service())],
        "summary": summary,
        "description": format!("{rest}\n\n{}", who_may(&permission)).trim().to_owned(),
        "parameters": parameters,
        "responses": responses(route, method, schemas, &permission),
        "x-grpc-method": rpc::path(method),
        "x-permission": {"name": permission.name, "roles": roles(&permission), "reach": permission.reach().as_str_name()},
    });
    if permission.public {
        operation["security"] = json!([{}, {"bearer": []}]);
    }
    if route.takes_raw {
        let text =
            "文件本身，类型由 Content-Type 给出。The file itself; Content-Type says of which type it is.";
        operation["requestBody"] =
            json!({"required": true, "description": text, "content": {BYTES: {"schema": bytes()}}});
    } else if let Some(body) = body(route, &input, &bound, schemas) {
        operation["requestBody"] =
            json!({"required": true, "content": {"application/json": {"schema": body}}});
    }
    operation
}

/// The type of raw bodies, whatever they hold.
const BYTES: &str = "application/octet-stream";

/// The schema of raw bodies: OpenAPI 3.1 goes by `contentMediaType`, older tools by `format`.
fn bytes() -> Json {
    json!({"type": "string", "format": "binary", "contentMediaType": BYTES})
}

fn body(route: &Route, input: &MessageDescriptor, bound: &[&str], schemas: &mut Schemas) -> Option<Json> {
    match &route.body {
        BodyMode::None => None,
        BodyMode::Field(name) => {
            input.get_field_by_name(name).map(|field| schemas.field(&field, Side::Request))
        }
        BodyMode::All => Some(schemas.object(input, Side::Request, bound)),
    }
}

fn responses(
    route: &Route,
    method: &MethodDescriptor,
    schemas: &mut Schemas,
    permission: &Permission,
) -> Json {
    let mut responses = Map::from_iter([("200".to_owned(), success(route, method, schemas))]);
    for (code, applies) in [
        (400, true),
        (401, true),
        (403, !permission.public),
        (404, true),
        (405, true),
        (409, route.method != http::Method::GET),
        (413, route.body != BodyMode::None),
        (415, route.body != BodyMode::None && !route.takes_raw),
        (429, true),
        (500, true),
        (501, true),
        (503, true),
        (504, true),
    ] {
        if applies {
            responses.insert(code.to_string(), json!({"$ref": format!("#/components/responses/{code}")}));
        }
    }
    responses.into()
}

/// The answer where nothing went wrong.
fn success(route: &Route, method: &MethodDescriptor, schemas: &mut Schemas) -> Json {
    if route.gives_raw {
        let text = "文件本身；中断的传输不完整，不可当作成功。The file itself; a transfer that breaks off is not whole.";
        let name = "另存时的文件名。The name to save the file by.";
        return json!({
            "description": text,
            "headers": {"Content-Disposition": {"description": name, "schema": {"type": "string"}}},
            "content": {BYTES: {"schema": bytes()}, "*/*": {"schema": bytes()}},
        });
    }
    let output = method.output();
    let schema = match &route.response_body {
        Some(name) => {
            output.get_field_by_name(name).map_or(Json::Null, |field| schemas.field(&field, Side::Answer))
        }
        None => schemas.message(&output, Side::Answer),
    };
    let (text, content) = if route.server_streaming {
        let lines = json!({"schema": {"anyOf": [schema, errors::reference()]}});
        let text = "消息流：每行一个 JSON，或服务器推送事件；出错时最后一条是错误。A stream: a line of JSON for each message, or server-sent events; one that fails ends with the error.";
        (text, json!({"application/x-ndjson": lines, "text/event-stream": {"schema": {"type": "string"}}}))
    } else {
        ("成功 OK", json!({"application/json": {"schema": schema}}))
    };
    json!({"description": text, "content": content})
}

/// The query parameters of the fields that neither path nor body holds.
fn query(
    schemas: &mut Schemas,
    message: &MessageDescriptor,
    bound: &[&str],
    names: &str,
    json_names: &str,
    parameters: &mut Vec<Json>,
) {
    for field in message.fields() {
        let (name, json_name) =
            (format!("{names}{}", field.name()), format!("{json_names}{}", field.json_name()));
        if bound.contains(&name.as_str()) || schemas.is_output_only(&field) {
            continue;
        }
        let Some(inner) = nested(&field) else {
            parameters.push(parameter(schemas, &field, &json_name));
            continue;
        };
        // A query can say neither lists of messages nor maps.
        if !field.is_list() && !field.is_map() && name.matches('.').count() + 1 < QUERY_DEPTH {
            query(schemas, &inner, bound, &format!("{name}."), &format!("{json_name}."), parameters);
        }
    }
}

fn parameter(schemas: &mut Schemas, field: &FieldDescriptor, name: &str) -> Json {
    let mut schema = schemas.field(field, Side::Request);
    let text = schema.as_object_mut().and_then(|schema| schema.remove("description")).unwrap_or_default();
    // A field of a message that may be left out may be left out with it.
    let required = schemas.rules.field(field).is_required(field) && !name.contains('.');
    json!({"name": name, "in": "query", "required": required, "schema": schema, "description": text})
}

/// The message of a field that has no text form of its own.
fn nested(field: &FieldDescriptor) -> Option<MessageDescriptor> {
    match field.kind() {
        Kind::Message(message) if !message.full_name().starts_with("google.protobuf.") || field.is_map() => {
            Some(message)
        }
        _ => None,
    }
}

/// The permission that an RPC declares.
fn permission(pool: &DescriptorPool, method: &MethodDescriptor) -> Permission {
    let options = method.options();
    let extension = pool
        .get_extension_by_name("jingwei.access.v1.permission")
        .filter(|extension| options.has_extension(extension));
    let declared = extension
        .and_then(|extension| options.get_extension(&extension).as_message().map(Message::encode_to_vec));
    declared.and_then(|bytes| Permission::decode(bytes.as_slice()).ok()).unwrap_or_default()
}

fn roles(permission: &Permission) -> Vec<String> {
    let mut roles = permission.roles().map(role_text).collect::<Vec<_>>();
    roles.dedup();
    roles
}

fn who_may(permission: &Permission) -> String {
    if permission.public {
        return "公开，无需令牌。Public: no token is needed.".to_owned();
    }
    let roles = roles(permission).join("`, `");
    format!("权限 Permission: `{}`，角色 roles: `{roles}`", permission.name)
}
