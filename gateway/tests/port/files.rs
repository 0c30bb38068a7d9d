//! A service of files (files.proto) that gives and takes raw bodies, and its descriptors for a gateway.

use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use futures::{Stream, StreamExt, future::BoxFuture, stream};
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use jingwei_gateway::Settings;
use jingwei_kit::status::Problem;
use jingwei_proto::google::api::HttpBody;
use prost::Message;
use protox::file::{ChainFileResolver, DescriptorSetFileResolver, File, FileResolver, GoogleFileResolver};
use tonic::{Code, Status, body::Body, server::NamedService};

use crate::backend::framed;

/// How large a piece of a large file is.
pub const PIECE: usize = 64 << 10;

#[derive(Clone, PartialEq, Message)]
pub struct GetFileRequest {
    #[prost(string, tag = "1")]
    pub name: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct AppendFileRequest {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(int64, tag = "2")]
    pub offset: i64,
    #[prost(message, optional, tag = "3")]
    pub body: Option<HttpBody>,
}

#[derive(Clone, PartialEq, Message)]
pub struct AppendFileResponse {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(int64, tag = "2")]
    pub offset: i64,
    #[prost(int64, tag = "3")]
    pub size: i64,
    #[prost(string, tag = "4")]
    pub content_type: String,
}

/// What is in the service, and what it saw.
#[derive(Default)]
pub struct Shelf {
    /// The messages of the file `kept`.
    pub pieces: Mutex<Vec<HttpBody>>,
    /// The metadata of answers.
    pub metadata: Mutex<HeaderMap>,
    /// The bytes that were appended last.
    pub appended: Mutex<Vec<u8>>,
    /// How many bytes of large files were asked for by the transport.
    pub produced: AtomicUsize,
    /// How many large files are being read.
    pub open: AtomicUsize,
}

/// The descriptors of files.proto, and nothing else.
pub fn only_files(settings: &mut Settings) {
    static DESCRIPTORS: LazyLock<Vec<u8>> = LazyLock::new(descriptors);
    settings.descriptors = DESCRIPTORS.as_slice().into();
}

fn descriptors() -> Vec<u8> {
    struct Own;
    impl FileResolver for Own {
        fn open_file(&self, name: &str) -> Result<File, protox::Error> {
            match name {
                "files.proto" => File::from_source(name, include_str!("files.proto")),
                _ => Err(protox::Error::file_not_found(name)),
            }
        }
    }
    let mut resolver = ChainFileResolver::new();
    resolver.add(Own);
    resolver.add(DescriptorSetFileResolver::decode(jingwei_proto::DESCRIPTORS).unwrap());
    resolver.add(GoogleFileResolver::new());
    let mut compiler = protox::Compiler::with_file_resolver(resolver);
    compiler.include_imports(true).open_file("files.proto").unwrap();
    compiler.encode_file_descriptor_set()
}

#[derive(Clone)]
pub struct Files(pub Arc<Shelf>);

impl NamedService for Files {
    const NAME: &'static str = "jingwei.grid.v1.FileService";
}

impl tower::Service<Request<Body>> for Files {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let shelf = Arc::clone(&self.0);
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let bytes = body.collect().await.expect("a request").to_bytes().slice(5..);
            Ok(match head.uri.path().rsplit('/').next() {
                Some("AppendFile") => shelf.append(AppendFileRequest::decode(bytes).expect("a message")),
                Some("EchoFile") => answer(
                    HeaderMap::new(),
                    [piece(&HttpBody::decode(bytes).expect("a body"))],
                    &Status::new(Code::Ok, ""),
                ),
                _ => shelf.give(&GetFileRequest::decode(bytes).expect("a message").name),
            })
        })
    }
}

impl Shelf {
    fn append(&self, request: AppendFileRequest) -> Response<Body> {
        let body = request.body.unwrap_or_default();
        let size = body.data.len().try_into().unwrap();
        *self.appended.lock().unwrap() = body.data;
        let AppendFileRequest { name, offset, .. } = request;
        let response = AppendFileResponse { name, offset, size, content_type: body.content_type };
        answer(HeaderMap::new(), [Ok(framed(&response))], &Status::new(Code::Ok, ""))
    }

    /// Gives a file: which one, and how it ends, is in its name.
    fn give(self: &Arc<Self>, name: &str) -> Response<Body> {
        let metadata = self.metadata.lock().unwrap().clone();
        let text = |data: &str| {
            piece(&HttpBody { content_type: "text/csv".into(), data: data.into(), ..Default::default() })
        };
        let good = &Status::new(Code::Ok, "");
        match name.rsplit('/').next().unwrap_or_default() {
            "kept" => {
                let pieces: Vec<_> = self.pieces.lock().unwrap().iter().map(piece).collect();
                answer(metadata, pieces, good)
            }
            "missing" => missing().into_http(),
            "missing-late" => answer(metadata, [], &missing()),
            "fails" => answer(metadata, [text("一,二\n"), text("3,4\n")], &Status::internal("half of it")),
            "breaks" => answer(metadata, [text("1,2\n"), Err(Status::internal("cut"))], good),
            "silent" => response(metadata, stream::pending()),
            size => response(metadata, self.large(size.parse().expect("a number of bytes"))),
        }
    }

    /// So many bytes, made as they are asked for.
    fn large(
        self: &Arc<Self>,
        size: usize,
    ) -> impl Stream<Item = Result<Frame<Bytes>, Status>> + Send + 'static {
        struct Open(Arc<Shelf>);
        impl Drop for Open {
            fn drop(&mut self) {
                self.0.open.fetch_sub(1, Ordering::SeqCst);
            }
        }
        self.open.fetch_add(1, Ordering::SeqCst);
        let open = Open(Arc::clone(self));
        let piece = piece(&HttpBody {
            content_type: "image/png".into(),
            data: vec![b'x'; PIECE],
            ..Default::default()
        })
        .unwrap();
        let pieces = stream::repeat(piece).take(size / PIECE).map(move |piece| {
            open.0.produced.fetch_add(PIECE, Ordering::SeqCst);
            Ok(Frame::data(piece))
        });
        pieces.chain(stream::iter([trailers(&Status::new(Code::Ok, ""))]))
    }
}

fn missing() -> Status {
    Problem::new(Code::NotFound, "NOT_FOUND", "没有这个文件", "there is no such file").status("grid.jingwei")
}

fn piece(body: &HttpBody) -> Result<Bytes, Status> {
    Ok(framed(body))
}

fn trailers(status: &Status) -> Result<Frame<Bytes>, Status> {
    let mut trailers = HeaderMap::new();
    status.add_header(&mut trailers)?;
    Ok(Frame::trailers(trailers))
}

fn answer(
    metadata: HeaderMap,
    pieces: impl Into<VecDeque<Result<Bytes, Status>>>,
    end: &Status,
) -> Response<Body> {
    let pieces = pieces.into().into_iter().map(|piece| piece.map(Frame::data)).chain([trailers(end)]);
    response(metadata, stream::iter(pieces.collect::<Vec<_>>()))
}

fn response(
    metadata: HeaderMap,
    frames: impl Stream<Item = Result<Frame<Bytes>, Status>> + Send + 'static,
) -> Response<Body> {
    let mut response = Response::new(Body::new(StreamBody::new(frames)));
    *response.headers_mut() = metadata;
    response.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
    response
}
