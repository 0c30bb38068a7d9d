//! The wire: messages, clients and servers generated from the .proto files of this folder, and their descriptors.
//!
//! The .proto files say everything about an RPC (see README.md): its shape, HTTP route, permission and limits.
//! [`pool`] is how the rest of the code reads that.

use std::sync::LazyLock;

pub use prost_reflect;
use prost_reflect::DescriptorPool;

/// The encoded `FileDescriptorSet` of every file, with imports, comments and custom options.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.binpb"));

/// The descriptors of every file.
pub fn pool() -> &'static DescriptorPool {
    static POOL: LazyLock<DescriptorPool> =
        LazyLock::new(|| DescriptorPool::decode(DESCRIPTORS).expect("protox wrote it at build time"));
    &POOL
}

// Generated code is not linted, and the docs of its items are the comments of the .proto files.

/// Google's packages.
pub mod google {
    /// HTTP: routes, and `HttpBody`, a body that is not a message.
    #[allow(missing_docs, unreachable_pub, clippy::all)]
    pub mod api {
        tonic::include_proto!("google.api");
    }
    /// Errors: `Status` and its details.
    #[allow(missing_docs, unreachable_pub, clippy::all)]
    pub mod rpc {
        tonic::include_proto!("google.rpc");
    }
}

pub use jingwei::{access, business_environment_monitor, gateway, grid};

/// Our own packages, where generated paths from one package to another expect them.
pub mod jingwei {
    /// Who may call what.
    pub mod access {
        /// Version 1.
        #[allow(missing_docs, unreachable_pub, clippy::all)]
        pub mod v1 {
            tonic::include_proto!("jingwei.access.v1");
        }
    }

    /// The business-environment monitor (营商环境监督).
    pub mod business_environment_monitor {
        /// Version 1.
        #[allow(missing_docs, unreachable_pub, clippy::all)]
        pub mod v1 {
            tonic::include_proto!("jingwei.business_environment_monitor.v1");
        }
    }

    /// The gateway's own errors.
    pub mod gateway {
        /// Version 1.
        #[allow(missing_docs, unreachable_pub, clippy::all)]
        pub mod v1 {
            tonic::include_proto!("jingwei.gateway.v1");
        }
    }

    /// Grid governance (网格化治理).
    pub mod grid {
        /// Version 1.
        #[allow(missing_docs, unreachable_pub, clippy::all)]
        pub mod v1 {
            tonic::include_proto!("jingwei.grid.v1");
        }
    }
}
