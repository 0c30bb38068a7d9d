//! An S3 server over a folder, in this process, on loopback.

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use jingwei_grid::files::{Bucket, Location};
use jingwei_kit::config::Secret;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::net::TcpListener;

/// A server with a bucket; it keeps its folder until the end of the test.
pub(crate) async fn bucket() -> (Location, TempDir) {
    let folder = TempDir::new().expect("a temporary folder");
    std::fs::create_dir(folder.path().join("files")).expect("a bucket is a folder");
    let mut service = S3ServiceBuilder::new(FileSystem::new(folder.path()).expect("a folder"));
    service.set_auth(SimpleAuth::from_single("key", "secret"));
    let service = service.build();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it listens");
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let service = service.clone();
            tokio::spawn(async move {
                Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), service).await.ok();
            });
        }
    });
    let bucket = Bucket {
        name: "files".into(),
        prefix: "jingwei/grid".into(),
        endpoint: Some(format!("http://{address}")),
        region: "us-east-1".into(),
        access_key: "key".into(),
        secret_key: Secret::new("secret"),
    };
    (Location::Bucket(bucket), folder)
}
