//! The program under test of the official protobuf conformance runner: the gateway's transcoder behind stdin and stdout.
//!
//! Each request is a payload in protobuf or JSON and the format wanted back. Where both are the same it goes through the
//! other one, so that the runner sees both directions. Its argument is the folder of the runner's .proto files.

use std::{
    env,
    error::Error,
    io::{ErrorKind, Read, Write},
};

use jingwei_gateway::transcode::{MessageId, Tables, WireError};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, Value};

/// `conformance.WireFormat`.
const PROTOBUF: i32 = 1;
const JSON: i32 = 2;
/// `conformance.TestCategory`: unknown fields in JSON are to be ignored.
const IGNORE_UNKNOWN: i32 = 3;

/// A field of `conformance.ConformanceResponse`.
type Answer = (&'static str, Value);

fn main() -> Result<(), Box<dyn Error>> {
    let include = env::args().nth(1).ok_or("usage: conformance-testee FOLDER_OF_PROTOS")?;
    let mut compiler = protox::Compiler::new([&include])?;
    compiler.include_imports(true);
    compiler.open_files(["conformance/conformance.proto", "google/protobuf/test_messages_proto3.proto"])?;
    let pool = DescriptorPool::decode(compiler.encode_file_descriptor_set().as_slice())?;
    let tables = Tables::new(&pool);
    let message = |name| pool.get_message_by_name(name).ok_or(format!("the runner's protos lack {name}"));
    let (request, response) =
        (message("conformance.ConformanceRequest")?, message("conformance.ConformanceResponse")?);
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    let mut length = [0; 4];
    loop {
        match input.read_exact(&mut length) {
            Err(end) if end.kind() == ErrorKind::UnexpectedEof => return Ok(()),
            read => read?,
        }
        let mut wire = vec![0; u32::from_le_bytes(length) as usize];
        input.read_exact(&mut wire)?;
        let asked = DynamicMessage::decode(request.clone(), wire.as_slice())?;
        let wire = answered(&response, answer(&tables, &asked)?);
        output.write_all(&u32::try_from(wire.len())?.to_le_bytes())?;
        output.write_all(&wire)?;
        output.flush()?;
    }
}

fn answered(response: &MessageDescriptor, (field, value): Answer) -> Vec<u8> {
    let mut message = DynamicMessage::new(response.clone());
    message.set_field_by_name(field, value);
    message.encode_to_vec()
}

fn answer(tables: &Tables, asked: &DynamicMessage) -> Result<Answer, Box<dyn Error>> {
    let field = |name| asked.get_field_by_name(name).ok_or(format!("the request lacks {name}"));
    let name = field("message_type")?;
    let name = name.as_str().ok_or("message_type is no string")?;
    if name == "conformance.FailureSet" {
        // The first question of all: which failures we expect. The runner has our list.
        return Ok(("protobuf_payload", Value::Bytes(Default::default())));
    }
    let format = field("requested_output_format")?.as_enum_number().ok_or("no format")?;
    let Some(message) = tables.message(name).filter(|_| matches!(format, PROTOBUF | JSON)) else {
        return Ok(skipped("not proto3 in protobuf or JSON"));
    };
    let lenient = field("test_category")?.as_enum_number() == Some(IGNORE_UNKNOWN);
    if asked.has_field_by_name("json_payload") {
        let json = field("json_payload")?;
        Ok(from_json(tables, message, json.as_str().ok_or("no text")?.as_bytes(), (format, lenient)))
    } else if asked.has_field_by_name("protobuf_payload") {
        let wire = field("protobuf_payload")?;
        Ok(from_wire(tables, message, wire.as_bytes().ok_or("no bytes")?, format))
    } else {
        Ok(skipped("not proto3 in protobuf or JSON"))
    }
}

fn skipped(why: &str) -> Answer {
    ("skipped", Value::String(why.to_owned()))
}

fn from_json(tables: &Tables, message: MessageId, json: &[u8], (format, lenient): (i32, bool)) -> Answer {
    let mut wire = Vec::new();
    let read = if lenient {
        tables.to_wire_ignoring_unknown(message, json, &mut wire)
    } else {
        tables.to_wire(message, json, &mut wire)
    };
    match read {
        Err(error) => ("parse_error", Value::String(error.to_string())),
        Ok(()) if format == JSON => from_wire(tables, message, &wire, format),
        Ok(()) => ("protobuf_payload", Value::Bytes(wire.into())),
    }
}

fn from_wire(tables: &Tables, message: MessageId, wire: &[u8], format: i32) -> Answer {
    let mut json = Vec::new();
    match tables.to_json(message, wire, &mut json) {
        Err(error @ WireError::Inexpressible(_)) => ("serialize_error", Value::String(error.to_string())),
        Err(error) => ("parse_error", Value::String(error.to_string())),
        Ok(()) if format == PROTOBUF => from_json(tables, message, &json, (format, false)),
        Ok(()) => ("json_payload", Value::String(String::from_utf8_lossy(&json).into_owned())),
    }
}
