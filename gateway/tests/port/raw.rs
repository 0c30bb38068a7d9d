//! Raw bodies over HTTP: what is brought arrives as it is, what is given comes as it is, and half a file is no success.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use futures::stream;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, Collected, StreamBody};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client, Error},
    rt::{TokioExecutor, TokioIo},
};
use jingwei_proto::google::api::HttpBody;
use proptest::{
    collection::vec,
    prelude::any,
    test_runner::{Config, TestRunner},
};
use serde_json::json;
use tokio::net::TcpSocket;
use tonic::{Status, body::Body};

use crate::{
    backend::{Backend, backend, framed},
    files::{GetFileRequest, PIECE, Shelf, only_files},
    support::{Answer, Gateway, PATIENCE, gateway_with},
};

const FILES: &str = "/v1/districts/410182/files";

async fn both() -> (Backend, Gateway) {
    let backend = backend().await;
    let gateway = gateway_with(backend.address, only_files).await;
    (backend, gateway)
}

fn part(content_type: &str, data: &[u8]) -> HttpBody {
    HttpBody { content_type: content_type.into(), data: data.into(), ..Default::default() }
}

/// The addresses of a file: in one message, and in a stream.
fn addresses(name: &str) -> [String; 2] {
    [format!("{FILES}/{name}"), format!("{FILES}/{name}:download")]
}

async fn until(shelf: &Shelf, wanted: impl Fn(&Shelf) -> bool) {
    let waiting = async {
        while !wanted(shelf) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("in time");
}

#[tokio::test]
async fn a_file_comes_as_it_is_and_without_rights() {
    let (backend, gateway) = both().await;
    let shelf = &backend.notes.files;
    *shelf.pieces.lock().unwrap() = vec![part("text/csv; charset=utf-8", "编号\n".as_bytes())];
    let disposition = "attachment; filename=\"ledger.csv\"; filename*=UTF-8''%E5%8F%B0%E8%B4%A6.csv";
    *shelf.metadata.lock().unwrap() = HeaderMap::from_iter([
        ("content-disposition".parse().unwrap(), disposition.parse().unwrap()),
        ("set-cookie".parse().unwrap(), "a=b".parse().unwrap()),
        ("content-security-policy".parse().unwrap(), "default-src *".parse().unwrap()),
    ]);
    for address in addresses("kept") {
        let answer = gateway.get(&address).await;
        assert_eq!((answer.status, answer.text()), (StatusCode::OK, "编号\n"), "{address}");
        let expected = [
            ("content-type", "text/csv; charset=utf-8"),
            ("content-disposition", disposition),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox"),
            ("cache-control", "private, no-store"),
            ("set-cookie", ""),
        ];
        for (name, value) in expected {
            assert_eq!(answer.header(name), value, "{address}: {name}");
        }
    }
}

#[tokio::test]
async fn the_bytes_of_a_stream_follow_each_other_and_the_first_type_counts() {
    let (backend, gateway) = both().await;
    let pieces = [part("image/png", b""), part("", b"\x89PNG"), part("text/html", b""), part("", b"\0\xff")];
    *backend.notes.files.pieces.lock().unwrap() = pieces.into();
    let answer = gateway.get(&addresses("kept")[1]).await;
    assert_eq!((answer.header("content-type"), &answer.body[..]), ("image/png", &b"\x89PNG\0\xff"[..]));
    assert_eq!((answer.header("transfer-encoding"), answer.header("content-disposition")), ("chunked", ""));
    backend.notes.files.pieces.lock().unwrap().clear();
    let answer = gateway.get(&addresses("kept")[1]).await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "application/octet-stream"));
    assert!(answer.body.is_empty());
}

#[tokio::test]
async fn an_error_before_the_first_byte_is_an_http_error() {
    let (_backend, gateway) = both().await;
    for address in ["missing", "missing-late"].iter().flat_map(|name| addresses(name)) {
        let answer = gateway.get(&address).await;
        assert_eq!(
            (answer.status, answer.reason().as_str()),
            (StatusCode::NOT_FOUND, "NOT_FOUND"),
            "{address}"
        );
        assert_eq!(
            (answer.header("content-type"), answer.header("content-disposition")),
            ("application/json", "")
        );
    }
}

#[tokio::test]
async fn an_error_after_the_first_byte_breaks_the_transfer_off() {
    let (_backend, gateway) = both().await;
    for address in ["fails", "breaks"].map(|name| addresses(name)[1].clone()) {
        for packed in ["identity", "gzip"] {
            let uri = format!("http://{}{address}", gateway.address);
            let request = Request::get(uri).header("accept-encoding", packed).body(Body::empty()).unwrap();
            let end = whole(Client::builder(TokioExecutor::new()).build_http().request(request).await).await;
            assert!(end.is_err(), "{address} {packed}: {end:?}");
        }
    }
    // One message is whole, or it is an error.
    for name in ["fails", "breaks"] {
        let answer = gateway.get(&addresses(name)[0]).await;
        assert!(answer.status.is_server_error(), "{answer:?}");
    }
}

/// The bytes of an answer, where all of it comes: an error may overtake the first byte, and the head.
async fn whole(answer: Result<Response<Incoming>, Error>) -> Result<Bytes, String> {
    let answer = answer.map_err(|error| format!("{error:?}"))?;
    if answer.status() != StatusCode::OK {
        return Err(answer.status().to_string());
    }
    let body = tokio::time::timeout(PATIENCE, answer.into_body().collect()).await.expect("an end in time");
    body.map(Collected::to_bytes).map_err(|error| format!("{error:?}"))
}

#[tokio::test]
async fn over_http2_a_broken_transfer_is_a_reset_stream() {
    let (_backend, gateway) = both().await;
    let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http::<Body>();
    let uri = format!("http://{}{}", gateway.address, addresses("fails")[1]).parse().unwrap();
    let error = whole(client.get(uri).await).await.expect_err("not whole");
    assert!(error.contains("INTERNAL_ERROR"), "{error}");
}

#[tokio::test]
async fn a_backend_that_dies_breaks_the_transfer_off() {
    let (backend, gateway) = both().await;
    let mut body = gateway.open(Method::GET, &addresses("1073741824")[1], &[], "").await.into_body();
    body.frame().await.expect("a beginning").expect("no error yet");
    drop(backend);
    whole(Ok(Response::new(body))).await.expect_err("not whole");
}

#[tokio::test]
async fn a_head_tells_of_the_file_and_ends_the_call() {
    let (backend, gateway) = both().await;
    *backend.notes.files.pieces.lock().unwrap() = vec![part("text/csv", b"12345")];
    let answer = gateway.send(Method::HEAD, &addresses("kept")[0], &[], "").await;
    assert_eq!((answer.header("content-type"), answer.header("content-length")), ("text/csv", "5"));
    let answer = gateway.send(Method::HEAD, &addresses("1073741824")[1], &[], "").await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "image/png"));
    assert_eq!((answer.header("content-length"), answer.body.len()), ("", 0));
    until(&backend.notes.files, |shelf| shelf.open.load(Ordering::SeqCst) == 0).await;
    let answer = gateway.send(Method::HEAD, &addresses("missing")[1], &[], "").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn who_goes_away_ends_the_call() {
    let (backend, gateway) = both().await;
    let shelf = &backend.notes.files;
    let answer = gateway.open(Method::GET, &addresses("1073741824")[1], &[], "").await;
    until(shelf, |shelf| shelf.open.load(Ordering::SeqCst) == 1).await;
    drop(answer);
    until(shelf, |shelf| shelf.open.load(Ordering::SeqCst) == 0).await;
    assert!(shelf.produced.load(Ordering::SeqCst) < 1 << 30);
}

#[tokio::test]
async fn a_large_file_is_never_held() {
    const SIZE: usize = 200 << 20;
    let (backend, gateway) = both().await;
    let shelf = &backend.notes.files;
    // The system holds little for this reader.
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(256 << 10).unwrap();
    let stream = TokioIo::new(socket.connect(gateway.address).await.expect("a connection"));
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.expect("connected");
    tokio::spawn(connection);
    let request = Request::get(&addresses(&SIZE.to_string())[1]).body(Body::empty()).unwrap();
    let mut body = sender.send_request(request).await.expect("an answer").into_body();
    // Nobody reads while others are served: what is made stops at what connections hold.
    for _ in 0..200 {
        let answer = gateway.send(Method::POST, "/v1/files:echo", &[], "x").await;
        assert_eq!((answer.status, answer.text()), (StatusCode::OK, "x"), "a slow caller holds nobody up");
    }
    // Between the maker and the reader is the gateway, and all that it holds.
    let (mut read, mut held) = (0, 0);
    while let Some(frame) = tokio::time::timeout(PATIENCE, body.frame()).await.expect("more in time") {
        held = held.max(shelf.produced.load(Ordering::SeqCst) - read);
        let data = frame.expect("no error").into_data().expect("data");
        read += data.len();
    }
    assert_eq!(read, SIZE / PIECE * PIECE);
    println!("at most {held} bytes between them");
    assert!(held < 12 << 20, "{held}");
}

#[tokio::test]
async fn a_download_may_end_when_the_gateway_stops() {
    let (_backend, mut gateway) = both().await;
    let size: usize = 50 << 20;
    let body = gateway.open(Method::GET, &addresses(&size.to_string())[1], &[], "").await.into_body();
    gateway.stop.cancel();
    let read = tokio::time::timeout(PATIENCE, body.collect())
        .await
        .expect("in time")
        .expect("a whole file")
        .to_bytes();
    assert_eq!(read.len(), size);
    tokio::time::timeout(PATIENCE, &mut gateway.task)
        .await
        .expect("the gateway ends")
        .expect("without a panic");
}

#[tokio::test]
async fn text_is_packed_and_pictures_are_not() {
    let (backend, gateway) = both().await;
    for (content_type, encoding) in
        [("text/csv; charset=utf-8", "gzip"), ("image/jpeg", ""), ("application/zip", "")]
    {
        *backend.notes.files.pieces.lock().unwrap() =
            vec![part(content_type, &[b'a'; 5000]), part("", &[b'b'; 5000])];
        let answer =
            gateway.send(Method::GET, &addresses("kept")[1], &[("accept-encoding", "gzip")], "").await;
        assert_eq!(
            (answer.status, answer.header("content-encoding")),
            (StatusCode::OK, encoding),
            "{content_type}"
        );
        assert_eq!(answer.body.len() < 5000, encoding == "gzip", "{content_type}");
    }
}

#[tokio::test]
async fn a_body_is_brought_with_its_type_and_the_rest_by_path_and_query() {
    let (backend, gateway) = both().await;
    let append = format!("{FILES}/a1:append?offset=7");
    let headers = [("content-type", "image/jpeg")];
    let answer = gateway.send(Method::POST, &append, &headers, &b"\xff\xd8{\0"[..]).await;
    let expected =
        json!({"name": "districts/410182/files/a1", "offset": "7", "size": "4", "contentType": "image/jpeg"});
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, expected));
    assert_eq!(*backend.notes.files.appended.lock().unwrap(), b"\xff\xd8{\0");
    // JSON is a file like any other, and nothing is one, too.
    let answer = gateway.post(&append, "{\"name\": 1}").await.json();
    assert_eq!((&answer["size"], &answer["contentType"]), (&json!("11"), &json!("application/json")));
    let answer = gateway.send(Method::POST, &append, &[], "").await.json();
    assert_eq!(
        (&answer["size"], &answer["contentType"], &answer["name"]),
        (&json!(null), &json!(null), &json!("districts/410182/files/a1"))
    );
    for wrong in ["body.data=eA", "offset=x", "nothing=1"] {
        let answer = gateway.send(Method::POST, &format!("{FILES}/a1:append?{wrong}"), &headers, "x").await;
        assert_eq!(
            (answer.status, answer.reason().as_str()),
            (StatusCode::BAD_REQUEST, "INVALID_REQUEST"),
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_before_it_is_read() {
    let backend = backend().await;
    let gateway = gateway_with(backend.address, |settings| {
        only_files(settings);
        settings.max_body = 1000;
    })
    .await;
    let append = format!("{FILES}/a1:append");
    let refused = (StatusCode::PAYLOAD_TOO_LARGE, "MESSAGE_TOO_LARGE".to_owned());
    let told = |answer: &Answer| (answer.status, answer.reason());
    assert_eq!(gateway.send(Method::POST, &append, &[], vec![0; 1000]).await.status, StatusCode::OK);
    assert_eq!(told(&gateway.send(Method::POST, &append, &[], vec![0; 1001]).await), refused);
    // Whose length is not known, and one that never comes.
    let piece = || Ok::<_, Status>(Frame::data(Bytes::from(vec![0; 600])));
    let body = Body::new(StreamBody::new(stream::iter([piece(), piece()])));
    assert_eq!(told(&Answer::read(gateway.bring(Method::POST, &append, &[], body).await).await), refused);
    let never = Body::new(StreamBody::new(stream::pending::<Result<Frame<Bytes>, Status>>()));
    let answer = gateway.bring(Method::POST, &append, &[("content-length", "1001")], never).await;
    assert_eq!(told(&Answer::read(answer).await), refused);
}

#[tokio::test]
async fn a_grpc_client_gets_the_messages() {
    let (backend, gateway) = both().await;
    let pieces = vec![part("text/csv", b"a"), part("", b"b")];
    backend.notes.files.pieces.lock().unwrap().clone_from(&pieces);
    let mut client = tonic::client::Grpc::new(gateway.channel().await);
    let ask = || tonic::Request::new(GetFileRequest { name: "districts/410182/files/kept".into() });
    let codec = tonic_prost::ProstCodec::<GetFileRequest, HttpBody>::default;
    client.ready().await.expect("connected");
    let path = http::uri::PathAndQuery::from_static("/jingwei.grid.v1.FileService/DownloadFile");
    let mut messages = client.server_streaming(ask(), path, codec()).await.expect("a stream").into_inner();
    for expected in &pieces {
        assert_eq!(messages.message().await.expect("no error").as_ref(), Some(expected));
    }
    let headers = [("content-type", "application/grpc-web+proto")];
    let body = framed(&GetFileRequest { name: "districts/410182/files/kept".into() });
    let answer =
        gateway.send(Method::POST, "/jingwei.grid.v1.FileService/DownloadFile", &headers, body).await;
    assert_eq!(answer.header("content-type"), "application/grpc-web+proto");
    let expected: Vec<u8> = pieces.iter().flat_map(framed).collect();
    assert!(answer.body.starts_with(&expected), "{:?}", answer.body);
}

/// Any bytes in any pieces, both ways.
#[test]
fn bytes_are_the_same_at_both_ends() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (backend, gateway) = runtime.block_on(both());
    let pieces = vec(vec(any::<u8>(), 0..3000), 0..9);
    let mut runner = TestRunner::new(Config { cases: 40, failure_persistence: None, ..Config::default() });
    runner
        .run(&pieces, |pieces| {
            runtime.block_on(async {
                let whole = pieces.concat();
                *backend.notes.files.pieces.lock().unwrap() =
                    pieces.iter().map(|data| part("a/b", data)).collect();
                assert_eq!(gateway.get(&addresses("kept")[1]).await.body, whole);
                let frames = pieces.into_iter().map(|data| Ok::<_, Status>(Frame::data(Bytes::from(data))));
                let body = Body::new(StreamBody::new(stream::iter(frames.collect::<Vec<_>>())));
                let answer =
                    gateway.bring(Method::POST, "/v1/files:echo", &[("content-type", "a/b")], body).await;
                let answer = Answer::read(answer).await;
                assert_eq!((answer.header("content-type"), &answer.body[..]), ("a/b", &whole[..]));
                Ok(())
            })
        })
        .expect("the same");
}
