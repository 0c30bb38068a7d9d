//! One HTTP route: the RPC it means, and the request message that path, query and body make together.

use http::Method;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor};

use super::{
    WireError,
    query::{self, put_within},
    scalar,
    tables::{Kind, MessageId, Shape, Tables},
    template::{Segment, Template, Variable, percent_decoded},
    violation::{MAX_VIOLATIONS, RequestError, Text, Violation},
    wire::{WireType, close, open, put_delimited, put_tag},
};

/// The message of raw bodies, and the numbers of its fields.
const RAW: &str = "google.api.HttpBody";
const RAW_CONTENT_TYPE: u32 = 1;
const RAW_DATA: u32 = 2;

/// A route that cannot be served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{rpc}: {what}")]
pub struct RouteError {
    /// The RPC, or the service that is not there.
    pub rpc: String,
    /// What is wrong.
    pub what: String,
}

/// What the HTTP body of a request is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyMode {
    /// There is none: what the path does not bind comes from the query.
    None,
    /// `*`: every field that the path does not bind.
    All,
    /// The field of this name in the .proto file, a field of the request itself; the others come from the query.
    Field(String),
}

/// One way to reach one RPC.
pub struct Route {
    /// The HTTP method.
    pub method: Method,
    /// The path.
    pub template: Template,
    /// What the body of a request is.
    pub body: BodyMode,
    /// The response field that is the body of an answer, by its name in the .proto file; none: the whole response.
    pub response_body: Option<String>,
    /// The gRPC path, `/package.Service/Method`.
    pub rpc: String,
    /// The request message.
    pub input: MessageId,
    /// The response message.
    pub output: MessageId,
    /// The body of a request is the bytes of a `google.api.HttpBody`, not JSON.
    pub takes_raw: bool,
    /// The body of an answer is the bytes of `google.api.HttpBody`, not JSON.
    pub gives_raw: bool,
    /// The RPC takes a stream of requests.
    pub client_streaming: bool,
    /// The RPC answers with a stream.
    pub server_streaming: bool,
    /// Where each variable of the template goes.
    pub(super) bound: Vec<Bound>,
    body_field: Option<u32>,
    response_field: Option<u32>,
}

/// A request field that the path binds: the numbers of the messages it lies in, its own, and its kind.
pub(super) struct Bound {
    pub(super) parents: Vec<u32>,
    pub(super) number: u32,
    kind: Kind,
}

/// The parts of a path that the variables of a template hold, still percent-encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captures<'p>(Vec<&'p str>);

/// The rule of an RPC and its additional bindings.
pub(super) fn rules(pool: &DescriptorPool, method: &MethodDescriptor) -> Vec<DynamicMessage> {
    let options = method.options();
    let extension = pool.get_extension_by_name("google.api.http").filter(|http| options.has_extension(http));
    let Some(rule) = extension.and_then(|http| options.get_extension(&http).as_message().cloned()) else {
        return Vec::new();
    };
    let additional: Vec<_> =
        rule.get_field_by_name("additional_bindings").map_or_else(Vec::new, |bindings| {
            bindings.as_list().unwrap_or_default().iter().filter_map(|b| b.as_message().cloned()).collect()
        });
    std::iter::once(rule).chain(additional).collect()
}

impl Route {
    pub(super) fn new(
        tables: &Tables,
        method: &MethodDescriptor,
        rule: &DynamicMessage,
    ) -> Result<Route, String> {
        let id = |name: &str| tables.message(name).ok_or_else(|| format!("{name} is not in the tables"));
        let (input, output) = (id(method.input().full_name())?, id(method.output().full_name())?);
        let (http_method, path) = pattern(rule)?;
        let template = Template::parse(&path).ok_or_else(|| format!("{path} is no path template"))?;
        let bound =
            template.variables.iter().map(|v| bind(tables, input, &v.field)).collect::<Result<_, _>>()?;
        let body = match text(rule, "body") {
            name if name.is_empty() => BodyMode::None,
            name if name == "*" => BodyMode::All,
            name => BodyMode::Field(name),
        };
        let number = |message: MessageId, name: &str| {
            let field = tables.get(message).fields.iter().find(|f| *f.name == *name);
            field
                .map(|f| f.number)
                .ok_or_else(|| format!("{name} is no field of {}", tables.get(message).full_name))
        };
        let body_field = if let BodyMode::Field(name) = &body { Some(number(input, name)?) } else { None };
        let is_raw = |message: MessageId| *tables.get(message).full_name == *RAW;
        let takes_raw = match body_field {
            Some(number) => tables.get(input).by_number(number).is_some_and(|field| {
                field.shape == Shape::Single && matches!(field.kind, Kind::Message(id) if is_raw(id))
            }),
            None => body == BodyMode::All && is_raw(input),
        };
        let response_body = Some(text(rule, "response_body")).filter(|name| !name.is_empty());
        let response_field = response_body.as_deref().map(|name| number(output, name)).transpose()?;
        Ok(Route {
            method: http_method,
            template,
            body,
            takes_raw,
            gives_raw: is_raw(output) && response_body.is_none(),
            response_body,
            rpc: format!("/{}/{}", method.parent_service().full_name(), method.name()),
            input,
            output,
            client_streaming: method.is_client_streaming(),
            server_streaming: method.is_server_streaming(),
            bound,
            body_field,
            response_field,
        })
    }

    pub(super) fn captures<'p>(&self, inner: &'p str, segments: &[&str]) -> Captures<'p> {
        // The variables are slices of the path: where each segment begins, and one more past the end.
        let starts: Vec<usize> = std::iter::once(0)
            .chain(segments.iter().scan(0, |at, segment| {
                *at += segment.len() + 1;
                Some(*at)
            }))
            .collect();
        let template = &self.template;
        Captures(
            template
                .variables
                .iter()
                .map(|Variable { segments, .. }| {
                    let rest = template.segments[segments.clone()].last() == Some(&Segment::Rest);
                    let end = if rest { starts.len() - 1 } else { segments.end };
                    if end == segments.start { "" } else { &inner[starts[segments.start]..starts[end] - 1] }
                })
                .collect(),
        )
    }

    /// The wire bytes of the request message. An empty body stands for `{}`; what the path says wins over the body.
    pub fn request(
        &self,
        tables: &Tables,
        captures: &Captures<'_>,
        query: &str,
        body: &[u8],
    ) -> Result<Vec<u8>, RequestError> {
        let mut wire = Vec::new();
        let read = match (&self.body, self.body_field) {
            _ if body.is_empty() => Ok(()),
            (BodyMode::All, _) => tables.to_wire(self.input, body, &mut wire),
            (_, Some(field)) => tables.field_to_wire((self.input, field), body, &mut wire),
            _ => {
                let text = Text::new("此请求不接受请求体", "this request takes no body");
                Err(RequestError { violations: vec![text.at(String::new(), "body.unexpected")] })
            }
        };
        let violations = read.err().map_or_else(Vec::new, |error| error.violations);
        self.with_names(tables, captures, query, wire, violations)
    }

    /// The wire bytes of the request message of a route that takes raw bodies.
    pub fn raw_request(
        &self,
        tables: &Tables,
        captures: &Captures<'_>,
        query: &str,
        content_type: &str,
        data: &[u8],
    ) -> Result<Vec<u8>, RequestError> {
        let mut wire = Vec::with_capacity(content_type.len() + data.len() + 64);
        let put = |wire: &mut Vec<u8>| {
            for (number, bytes) in [(RAW_CONTENT_TYPE, content_type.as_bytes()), (RAW_DATA, data)] {
                put_tag(wire, number, WireType::Delimited);
                put_delimited(wire, bytes);
            }
        };
        match self.body_field {
            Some(number) => {
                put_tag(&mut wire, number, WireType::Delimited);
                let start = open(&mut wire);
                put(&mut wire);
                close(&mut wire, start);
            }
            None => put(&mut wire),
        }
        self.with_names(tables, captures, query, wire, Vec::new())
    }

    /// Adds what query and path say.
    fn with_names(
        &self,
        tables: &Tables,
        captures: &Captures<'_>,
        query: &str,
        mut wire: Vec<u8>,
        mut violations: Vec<Violation>,
    ) -> Result<Vec<u8>, RequestError> {
        query::read(self, tables, query, &mut wire, &mut violations);
        // Last, as the last of two encodings of a field counts.
        self.put_captures(tables, captures, &mut wire, &mut violations);
        violations.truncate(MAX_VIOLATIONS);
        if violations.is_empty() { Ok(wire) } else { Err(RequestError { violations }) }
    }

    fn put_captures(
        &self,
        tables: &Tables,
        captures: &Captures<'_>,
        wire: &mut Vec<u8>,
        violations: &mut Vec<Violation>,
    ) {
        for ((bound, variable), raw) in self.bound.iter().zip(&self.template.variables).zip(&captures.0) {
            let multi = variable.segments.len() > 1
                || self.template.segments[variable.segments.start] == Segment::Rest;
            let put = percent_decoded(raw, false, multi).and_then(|text| {
                put_within(wire, &bound.parents, |wire| {
                    put_tag(wire, bound.number, bound.kind.wire_type());
                    scalar::put_text(wire, tables, bound.kind, &text)
                })
            });
            if put.is_none() {
                let Text { zh, en } = scalar::expected(tables, bound.kind);
                let text = Text::new(format!("路径中的值{zh}"), format!("its value in the path {en}"));
                violations.push(text.at(variable.field.clone(), "path.value"));
            }
        }
    }

    /// Appends the JSON of a response's wire bytes: of all of it, or of the field that is the body.
    pub fn response(&self, tables: &Tables, wire: &[u8], out: &mut Vec<u8>) -> Result<(), WireError> {
        match self.response_field {
            Some(field) => tables.field_to_json((self.output, field), wire, out),
            None => tables.to_json(self.output, wire, out),
        }
    }
}

fn pattern(rule: &DynamicMessage) -> Result<(Method, String), String> {
    let named = [
        ("get", Method::GET),
        ("put", Method::PUT),
        ("post", Method::POST),
        ("delete", Method::DELETE),
        ("patch", Method::PATCH),
    ];
    for (name, method) in named {
        if rule.has_field_by_name(name) {
            return Ok((method, text(rule, name)));
        }
    }
    let custom = rule.get_field_by_name("custom");
    let custom = custom.as_deref().and_then(|c| c.as_message()).ok_or("the rule has no path")?;
    let kind = text(custom, "kind");
    let method = Method::from_bytes(kind.as_bytes()).map_err(|_| format!("{kind:?} is no HTTP method"))?;
    Ok((method, text(custom, "path")))
}

fn text(message: &DynamicMessage, field: &str) -> String {
    message.get_field_by_name(field).and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Finds the field that a variable names: one scalar, in messages that are not repeated.
fn bind(tables: &Tables, input: MessageId, path: &str) -> Result<Bound, String> {
    let mut parents = Vec::new();
    let mut message = input;
    for name in path.split('.') {
        let field = tables.get(message).fields.iter().find(|f| *f.name == *name && f.shape == Shape::Single);
        match field.map(|f| (f.number, f.kind)) {
            Some((number, Kind::Message(id))) => {
                parents.push(number);
                message = id;
            }
            Some((number, kind)) if path.ends_with(name) && parents.len() == path.matches('.').count() => {
                return Ok(Bound { parents, number, kind });
            }
            _ => break,
        }
    }
    Err(format!("{{{path}}} is no single scalar field of {}", tables.get(input).full_name))
}
