//! Any RPC by its descriptor: the smallest valid request, and a call with bytes.

use jingwei_proto::pool;
use jingwei_proto::prost_reflect::prost::Message;
use jingwei_proto::prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, Value,
};
use regex::Regex;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Request, Status};

use super::Session;

/// One text for each pattern of the .proto files: names of one district, one issue in it, one department.
const SAMPLES: &[&str] = &[
    "districts/410183",
    "districts/410183/departments/housing",
    "districts/410183/issues/019ce000-0000-7000-8000-000000000001",
    "districts/410183/batches/019ce000-0000-7000-8000-000000000001",
    "districts/410183/batches/019ce000-0000-7000-8000-000000000001/composition",
    "districts/410183/appointments/019ce000-0000-7000-8000-000000000001",
    "districts/410183/appointments/019ce000-0000-7000-8000-000000000001/duties/2026",
    "districts/410183/certificates/410183-2026-000001",
    "special-supervisor",
    "districts/410183/businessEnvironmentCalendar",
    "districts/410183/enterprises/91350100M000100Y43",
    "districts/410183/yearTasks/2026",
    "districts/410183/needs/019ce000-0000-7000-8000-000000000001",
    "districts/410183/visits/019ce000-0000-7000-8000-000000000001",
    "districts/410183/experiences/019ce000-0000-7000-8000-000000000001",
    "districts/410183/infoItems/019ce000-0000-7000-8000-000000000001",
    "districts/410183/receivers/discipline",
    "districts/410183/receivers/discipline/keys/019ce000-0000-7000-8000-000000000001",
    "districts/410183/symposiums/019ce000-0000-7000-8000-000000000001",
    "districts/410183/publishedSymposiums/019ce000-0000-7000-8000-000000000001",
    "districts/410183/transfers/019ce000-0000-7000-8000-000000000001",
    "districts/410183/confidentialReports/019ce000-0000-7000-8000-000000000001",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "2026-03-02",
    "2026-03",
];

/// Every RPC of the service.
pub(crate) fn methods() -> Vec<MethodDescriptor> {
    let ours =
        pool().services().filter(|s| s.full_name().starts_with("jingwei.business_environment_monitor.v1."));
    ours.flat_map(|service| service.methods().collect::<Vec<_>>()).collect()
}

/// The smallest request that the rules of its fields let through.
pub(crate) fn smallest(message: &MessageDescriptor) -> DynamicMessage {
    let mut made = DynamicMessage::new(message.clone());
    for field in message.fields() {
        if let Some(value) = needed(&field) {
            made.set_field(&field, value);
        }
    }
    made
}

/// What the field must hold; `None` where it may be left out.
fn needed(field: &FieldDescriptor) -> Option<Value> {
    let extension = pool().get_extension_by_name("buf.validate.field").expect("in the descriptors");
    let options = field.options();
    let rules = options.get_extension(&extension).as_message().expect("a message").clone();
    let required = part(&rules, "required").and_then(|v| v.as_bool()).unwrap_or(false);
    if field.is_list() {
        let list = part(&rules, "repeated").and_then(|list| list.as_message().cloned());
        let of = |rule: &str| list.as_ref().and_then(|list| part(list, rule));
        let least = of("min_items").and_then(|least| least.as_u64()).unwrap_or(0);
        let items = of("items").and_then(|items| items.as_message().cloned()).unwrap_or(rules);
        // Each its own: a text once, twice and so on.
        let item = |times: u64| match one(field, &items) {
            Value::String(text) => Value::String(text.repeat(usize::try_from(times).expect("few"))),
            item => item,
        };
        return (least > 0).then(|| Value::List((1..=least).map(item).collect()));
    }
    match field.kind() {
        Kind::Message(_) => required.then(|| one(field, &rules)),
        Kind::Bytes => part(&rules, "bytes").map(|_| one(field, &rules)),
        Kind::String if part(&rules, "ignore").is_some() => None,
        Kind::String | Kind::Enum(_) | Kind::Int32 | Kind::Int64 => Some(one(field, &rules)),
        _ => None,
    }
}

fn one(field: &FieldDescriptor, rules: &DynamicMessage) -> Value {
    let of = |kind: &str, rule: &str| part(part(rules, kind)?.as_message()?, rule);
    match field.kind() {
        Kind::Message(message) => Value::Message(smallest(&message)),
        Kind::Enum(_) => Value::EnumNumber(of("enum", "not_in").map_or(0, |_| 1)),
        Kind::Bytes => {
            let least = of("bytes", "min_len").and_then(|least| least.as_u64()).unwrap_or(0);
            Value::Bytes(vec![9; usize::try_from(least).expect("a few bytes")].into())
        }
        Kind::Int64 => Value::I64(of("int64", "gte").and_then(|v| v.as_i64()).unwrap_or(0).max(0)),
        Kind::Int32 => Value::I32(of("int32", "gte").and_then(|v| v.as_i32()).unwrap_or(0).max(0)),
        _ if of("string", "uuid").is_some() => Value::String("019ce000-0000-7000-8000-000000000001".into()),
        _ => match (of("string", "pattern"), of("string", "min_len")) {
            (Some(pattern), _) => sample(pattern.as_str().expect("a string"), field.name() == "name"),
            (None, Some(_)) => Value::String("x".into()),
            (None, None) => Value::String(String::new()),
        },
    }
}

/// A text of the pattern: the empty one where that is allowed, but of what is called a name the name.
fn sample(pattern: &str, is_name: bool) -> Value {
    let matching = Regex::new(pattern).expect("checked at the service's start");
    let empty = (!is_name).then_some("");
    let found = empty.into_iter().chain(SAMPLES.iter().copied()).find(|text| matching.is_match(text));
    Value::String(found.unwrap_or_else(|| panic!("no sample for {pattern}")).into())
}

fn part(message: &DynamicMessage, name: &str) -> Option<Value> {
    message.has_field_by_name(name).then(|| message.get_field_by_name(name).expect("it has it").into_owned())
}

/// Calls the RPC and answers with how the call began: of a stream nothing is read.
pub(crate) async fn call(
    session: Session,
    method: &MethodDescriptor,
    request: &DynamicMessage,
) -> Result<(), Status> {
    answer(session, method, request).await.map(drop)
}

/// Likewise; answers with the encoded answer, an empty one of a stream.
pub(crate) async fn answer(
    session: Session,
    method: &MethodDescriptor,
    request: &DynamicMessage,
) -> Result<Vec<u8>, Status> {
    let mut client = tonic::client::Grpc::new(session);
    client.ready().await.expect("the server listens");
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    let path: PathAndQuery = path.parse().expect("a path");
    let request = Request::new(request.encode_to_vec());
    if method.is_server_streaming() {
        client.server_streaming(request, path, Bytes).await.map(|_| Vec::new())
    } else {
        client.unary(request, path, Bytes).await.map(tonic::Response::into_inner)
    }
}

/// Messages as they are on the wire.
struct Bytes;

impl Codec for Bytes {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        prost::bytes::BufMut::put_slice(buffer, &item);
        Ok(())
    }
}

impl Decoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let length = prost::bytes::Buf::remaining(buffer);
        Ok(Some(prost::bytes::Buf::copy_to_bytes(buffer, length).to_vec()))
    }
}
