//! Tests of the transcoder as a whole, on the messages and routes of all.proto.

mod oracle;
mod requests;
mod responses;
mod routes;

use std::sync::LazyLock;

use prost_reflect::{DescriptorPool, MessageDescriptor};
use protox::file::{ChainFileResolver, DescriptorSetFileResolver, File, FileResolver, GoogleFileResolver};

use super::{MessageId, Tables};

struct Own;

impl FileResolver for Own {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        if name == "all.proto" {
            File::from_source(name, include_str!("all.proto"))
        } else {
            Err(protox::Error::file_not_found(name))
        }
    }
}

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    let mut resolver = ChainFileResolver::new();
    resolver.add(Own);
    resolver.add(DescriptorSetFileResolver::decode(jingwei_proto::DESCRIPTORS).unwrap());
    resolver.add(GoogleFileResolver::new());
    let mut compiler = protox::Compiler::with_file_resolver(resolver);
    compiler.include_imports(true).open_file("all.proto").unwrap();
    DescriptorPool::decode(compiler.encode_file_descriptor_set().as_slice()).unwrap()
});

static TABLES: LazyLock<Tables> = LazyLock::new(|| Tables::new(&POOL));

fn all() -> MessageId {
    TABLES.message("test.All").unwrap()
}

fn descriptor() -> MessageDescriptor {
    POOL.get_message_by_name("test.All").unwrap()
}

/// Our JSON of wire bytes of `test.All`.
fn json(wire: &[u8]) -> Result<String, super::WireError> {
    let mut out = b"kept".to_vec();
    let done = TABLES.to_json(all(), wire, &mut out);
    let written = String::from_utf8(out.split_off(4)).unwrap();
    assert!(done.is_ok() || written.is_empty(), "what failed left something behind");
    done.map(|()| written)
}

/// Our wire bytes of JSON of `test.All`.
fn wire(json: &str) -> Result<Vec<u8>, super::RequestError> {
    let mut out = b"kept".to_vec();
    let done = TABLES.to_wire(all(), json.as_bytes(), &mut out);
    let written = out.split_off(4);
    assert!(done.is_ok() || written.is_empty(), "what failed left something behind");
    done.map(|()| written)
}
