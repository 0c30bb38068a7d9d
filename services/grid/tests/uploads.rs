//! Uploads: resumable, by one uploader or with a secret, in a folder and in S3 alike.

mod common;
#[path = "../src/files/clean/tests/pictures.rs"]
#[allow(dead_code, reason = "the other half is for the tests of cleaning")]
mod pictures;

use common::upload::{CSV, append, begin, body, file, get, id, rows, sha256};
use common::{DISTRICT, Site, metadata, refusal, request_id, wrong_fields};
use futures::StreamExt;
use jingwei_grid::files::Location;
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::upload_service_client::UploadServiceClient;
use jingwei_proto::grid::v1::{UploadPurpose, UploadState};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use time::Duration;
use tonic::Code;

/// The whole way, larger than one part of S3's, by two replicas that take turns and, at one chunk, do not.
async fn a_file_comes_in_by_two_replicas(site: Site) {
    let other = site.replica().await;
    let (mut here, mut there) = (site.uploads("worker"), other.uploads("worker"));
    let rows = rows(9 << 20);
    let wanted = pb::Upload { sha256: sha256(&rows), ..file(rows.len(), UploadPurpose::Import) };
    let begun = begin(&mut here, wanted).await.expect("begun");
    assert_eq!((begun.state(), begun.received_bytes), (UploadState::Receiving, 0));
    let pieces: Vec<&[u8]> = rows.chunks(1 << 20).collect();
    for (place, piece) in pieces.iter().enumerate() {
        let uploads = if place % 2 == 0 { &mut here } else { &mut there };
        append(uploads, &begun.name, place << 20, piece).await.expect("taken");
        if place == 2 {
            // Both send the same chunk, and one of another length: whoever comes first, each byte is there once.
            let next = pieces[3];
            let (mut twin, at) = (here.clone(), 3 << 20);
            let (a, b, c) = tokio::join!(
                append(&mut here, &begun.name, at, next),
                append(&mut there, &begun.name, at, next),
                append(&mut twin, &begun.name, at, &next[..1000]),
            );
            assert!([&a, &b, &c].iter().any(|answer| answer.is_ok()));
            for refused in [a, b, c].into_iter().filter(Result::is_err) {
                assert_eq!(refusal(refused), (Code::FailedPrecondition, "UPLOAD_OFFSET".into()));
            }
            let received = get(&mut there, &begun.name).await.expect("there").received_bytes;
            append(&mut there, &begun.name, received as usize, &next[received as usize - (3 << 20)..])
                .await
                .expect("the rest of it, which may be nothing");
        }
    }
    let done = get(&mut there, &begun.name).await.expect("there");
    assert_eq!((done.state(), done.content_type.as_str()), (UploadState::Finished, "text/csv"));
    assert_eq!((done.received_bytes, done.attachment.as_str()), (done.size_bytes, ""));
    assert!(site.fetched(&done).await == rows, "the same bytes");
    let last = append(&mut here, &begun.name, 8 << 20, pieces[8]).await.expect("repeated after the end");
    assert_eq!(last, done);
}

#[tokio::test]
async fn a_file_comes_into_a_folder() {
    let site = Site::start().await;
    let (database, files) = (site.replica().await, site.files.clone());
    assert!(matches!(files, Location::Folder(_)));
    a_file_comes_in_by_two_replicas(site).await;
    assert_eq!(database.kept(), 1, "no chunk is left");
}

#[tokio::test]
async fn a_file_comes_into_s3() {
    let (location, folder) = common::s3::bucket().await;
    a_file_comes_in_by_two_replicas(Site::with_files(location).await).await;
    let prefix = folder.path().join("files/jingwei/grid/410182");
    let left = std::fs::read_dir(prefix.join("uploads")).map_or(0, |uploads| {
        uploads.flat_map(|u| std::fs::read_dir(u.expect("an entry").path()).into_iter().flatten()).count()
    });
    assert!(prefix.is_dir() && left == 0, "{left} chunks are left");
}

#[tokio::test]
async fn chunks_come_in_their_order() {
    let site = Site::start().await;
    let mut uploads = site.uploads("worker");
    let rows = rows(1000);
    let name = begin(&mut uploads, file(rows.len(), UploadPurpose::Import)).await.expect("begun").name;
    append(&mut uploads, &name, 0, &rows[..400]).await.expect("taken");
    for (offset, piece) in [(401, &rows[401..500]), (300, &rows[300..500]), (500, &rows[500..])] {
        let refused = append(&mut uploads, &name, offset, piece).await;
        assert_eq!(metadata(refused.clone(), "received_bytes").as_deref(), Some("400"));
        assert_eq!(refusal(refused), (Code::FailedPrecondition, "UPLOAD_OFFSET".into()));
    }
    for (offset, piece) in [(0, &rows[..400]), (100, &rows[100..200]), (400, &[][..])] {
        let same = append(&mut uploads, &name, offset, piece).await.expect("nothing new");
        assert_eq!((same.received_bytes, same.state()), (400, UploadState::Receiving));
    }
    let beyond = append(&mut uploads, &name, 400, &[&rows[400..], b"more"].concat()).await;
    assert_eq!(refusal(beyond), (Code::FailedPrecondition, "UPLOAD_TOO_LARGE".into()));
    let large = append(&mut uploads, &name, 400, &vec![b' '; (1 << 20) + 1]).await;
    assert_eq!(wrong_fields(large), ["body.data"]);
    let done = append(&mut uploads, &name, 400, &rows[400..]).await.expect("the rest");
    assert_eq!(site.fetched(&done).await, rows);
}

/// A call that is cut off at any moment, its answer lost: whoever asks how far it came goes on from there.
#[tokio::test]
async fn a_dropped_connection_costs_no_byte() {
    let site = Site::start().await;
    let rows = rows(60 << 10);
    let mut uploads = site.uploads("worker");
    let name = begin(&mut uploads, file(rows.len(), UploadPurpose::Import)).await.expect("begun").name;
    for cut in 1.. {
        // Another connection each time, to another replica.
        let other = site.replica().await;
        let mut uploads = other.uploads("worker");
        let seen = get(&mut uploads, &name).await.expect("there");
        if seen.state() == UploadState::Finished {
            assert!(site.fetched(&seen).await == rows);
            break;
        }
        let at = seen.received_bytes as usize;
        let chunk = &rows[at..rows.len().min(at + (16 << 10))];
        let mut call = std::pin::pin!(append(&mut uploads, &name, at, chunk));
        let mut polls = 0;
        let cut_off = std::future::poll_fn(|context| {
            polls += 1;
            match call.as_mut().poll(context) {
                std::task::Poll::Pending if polls >= cut => std::task::Poll::Ready(None),
                answer => answer.map(Some),
            }
        });
        if let Some(answer) = cut_off.await
            && let Err(status) = answer
        {
            // The call before this one, which nobody waits for any more, was still on its way.
            assert_eq!(refusal(Err::<(), _>(status)).1, "UPLOAD_OFFSET");
        }
    }
}

#[tokio::test]
async fn an_upload_is_begun_once_and_its_uploaders_alone() {
    let site = Site::start().await;
    let (mut own, mut other) = (site.uploads("worker"), site.uploads("neighbour"));
    let upload_id = request_id();
    let request = pb::CreateUploadRequest {
        parent: DISTRICT.into(),
        upload: Some(file(CSV.len(), UploadPurpose::Import)),
        upload_id: upload_id.clone(),
        request_id: request_id(),
    };
    let begun = own.create_upload(request.clone()).await.expect("begun").into_inner();
    assert_eq!(begun.name, format!("{DISTRICT}/uploads/{upload_id}"));
    assert_eq!(own.create_upload(request.clone()).await.expect("repeated").into_inner(), begun);
    let again = pb::CreateUploadRequest { request_id: request_id(), ..request };
    assert_eq!(refusal(own.create_upload(again).await), (Code::AlreadyExists, "ALREADY_EXISTS".into()));
    let missing = (Code::NotFound, "NOT_FOUND".to_owned());
    assert_eq!(refusal(get(&mut other, &begun.name).await), missing);
    assert_eq!(refusal(append(&mut other, &begun.name, 0, CSV).await), missing);
    let mut supervisor = UploadServiceClient::new(site.session("boss", &[(Role::Supervisor, DISTRICT)]));
    assert_eq!(refusal(get(&mut supervisor, &begun.name).await).0, Code::PermissionDenied);
    append(&mut own, &begun.name, 0, CSV).await.expect("taken");
    // The public way in is none.
    let public = pb::AppendPublicUploadRequest {
        name: begun.name.replace("uploads", "publicUploads"),
        secret: "x".into(),
        offset: 0,
        body: Some(body(b"")),
    };
    assert_eq!(refusal(site.public_uploads().append_public_upload(public).await), missing);
}

#[tokio::test]
async fn files_have_a_size() {
    let site = Site::start().await;
    let mut uploads = site.uploads("worker");
    for size in [0, (100 << 20) + 1, i64::MAX] {
        let wanted = pb::Upload { size_bytes: size, ..file(0, UploadPurpose::Import) };
        assert_eq!(wrong_fields(begin(&mut uploads, wanted).await), ["upload.size_bytes"], "{size}");
    }
    begin(&mut uploads, file(100 << 20, UploadPurpose::Import)).await.expect("the largest");
    let wanted = pb::Upload { file_name: "../x".into(), sha256: "XY".into(), ..Default::default() };
    let fields = ["upload.file_name", "upload.purpose", "upload.sha256", "upload.size_bytes"];
    let mut wrong = wrong_fields(begin(&mut uploads, wanted).await);
    wrong.sort();
    assert_eq!(wrong, fields);
}

/// What a resident asks for.
fn public(bytes: usize) -> pb::CreatePublicUploadRequest {
    let upload = Some(file(bytes, UploadPurpose::Attachment));
    pb::CreatePublicUploadRequest { parent: DISTRICT.into(), upload }
}

#[tokio::test]
async fn a_resident_uploads_an_image_with_a_secret() {
    let site = Site::start().await;
    let mut residents = site.public_uploads();
    let photo = pictures::photo();
    let begun = residents.create_public_upload(public(photo.len())).await.expect("begun").into_inner();
    let name = begun.upload.expect("an upload").name;
    assert_eq!(begun.secret.len(), 64);
    let chunk = |secret: &str, offset: usize, bytes: &[u8]| pb::AppendPublicUploadRequest {
        name: name.clone(),
        secret: secret.into(),
        offset: offset as i64,
        body: Some(body(bytes)),
    };
    let refused = residents.append_public_upload(chunk("guessed", 0, &photo)).await;
    assert_eq!(refusal(refused), (Code::NotFound, "NOT_FOUND".into()));
    let half = photo.len() / 2;
    residents.append_public_upload(chunk(&begun.secret, 0, &photo[..half])).await.expect("taken");
    let there =
        residents.append_public_upload(chunk(&begun.secret, 0, b"")).await.expect("asked").into_inner();
    assert_eq!(there.received_bytes as usize, half);
    let rest = residents.append_public_upload(chunk(&begun.secret, half, &photo[half..])).await;
    let done = rest.expect("taken").into_inner();
    assert_eq!(done.content_type, "image/jpeg");
    assert_eq!(done.attachment, format!("{DISTRICT}/attachments/{}", id(&name)));
    // A document is none of theirs, nor are rows, nor what is large.
    let begun = residents.create_public_upload(public(8)).await.expect("begun").into_inner();
    let name = begun.upload.expect("an upload").name;
    let chunk = pb::AppendPublicUploadRequest {
        name,
        secret: begun.secret,
        offset: 0,
        body: Some(body(b"%PDF-1.7")),
    };
    let refused = residents.append_public_upload(chunk).await;
    assert_eq!(refusal(refused), (Code::FailedPrecondition, "UPLOAD_TYPE".into()));
    let import = pb::CreatePublicUploadRequest { upload: Some(file(8, UploadPurpose::Import)), ..public(8) };
    assert_eq!(wrong_fields(residents.create_public_upload(import).await), ["upload.purpose"]);
    let large = residents.create_public_upload(public((10 << 20) + 1)).await;
    assert_eq!(wrong_fields(large), ["upload.size_bytes"]);
}

#[tokio::test]
async fn residents_begin_twenty_uploads_a_minute_and_no_more() {
    let site = Site::start().await;
    let residents = site.public_uploads();
    let begin = async |_| residents.clone().create_public_upload(public(8)).await;
    let answers: Vec<_> = futures::stream::iter(0..30).map(begin).buffer_unordered(30).collect().await;
    let (begun, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!((begun.len(), refused.len()), (20, 10), "however many come at once");
    for answer in refused {
        assert_eq!(refusal(answer), (Code::ResourceExhausted, "TOO_MANY_PUBLIC_UPLOADS".into()));
    }
    let elsewhere = pb::CreatePublicUploadRequest { parent: "districts/410183".into(), ..public(8) };
    residents.clone().create_public_upload(elsewhere).await.expect("another district");
    site.clock.advance(Duration::MINUTE);
    residents.clone().create_public_upload(public(8)).await.expect("a minute later");
}

#[tokio::test]
async fn names_and_secrets_of_no_upload_find_none() {
    let site = Site::start().await;
    let mut runner = TestRunner::deterministic();
    let cases = (any::<[u8; 16]>(), "\\PC{1,100}", any::<i64>());
    for _ in 0..60 {
        let (id, secret, offset) = cases.new_tree(&mut runner).expect("a case").current();
        let name = format!("{DISTRICT}/publicUploads/{}", uuid::Uuid::from_bytes(id));
        let chunk = pb::AppendPublicUploadRequest { name, secret, offset, body: Some(body(b"x")) };
        let (code, reason) = refusal(site.public_uploads().append_public_upload(chunk).await);
        let expected = if offset < 0 {
            (Code::InvalidArgument, "INVALID_REQUEST")
        } else {
            (Code::NotFound, "NOT_FOUND")
        };
        assert_eq!((code, reason.as_str()), expected);
    }
}
