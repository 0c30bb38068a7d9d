//! Uploads: resumable, checked, by one uploader, in a folder and in S3 alike.

mod common;
#[path = "../src/files/clean/tests/pictures.rs"]
#[allow(dead_code, reason = "the other half is for the tests of cleaning")]
mod pictures;

use common::upload::{append, begin, body, file, get, id, upload};
use common::{DISTRICT, Site, metadata, refusal, request_id, wrong_fields};
use futures::StreamExt;
use image::ImageFormat;
use jingwei_grid::files::Location;
use jingwei_grid::store;
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::upload_service_client::UploadServiceClient;
use jingwei_proto::grid::v1::{UploadPurpose, UploadState};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sha2::{Digest, Sha256};
use time::Duration;
use tonic::Code;

const CSV: &[u8] = "姓名,电话\n张三,0371\n".as_bytes();

/// Rows, so many bytes at most.
fn rows(bytes: usize) -> Vec<u8> {
    CSV.iter().copied().cycle().take(bytes - bytes % CSV.len()).collect()
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

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

#[tokio::test]
async fn what_hashes_to_something_else_is_refused_for_good() {
    let site = Site::start().await;
    let mut uploads = site.uploads("worker");
    let wanted = pb::Upload { sha256: sha256(b"else"), ..file(CSV.len(), UploadPurpose::Import) };
    let name = begin(&mut uploads, wanted).await.expect("begun").name;
    for _ in 0..2 {
        let refused = append(&mut uploads, &name, 0, CSV).await;
        assert_eq!(metadata(refused.clone(), "sha256"), Some(sha256(CSV)));
        assert_eq!(refusal(refused), (Code::FailedPrecondition, "UPLOAD_HASH".into()));
    }
    let seen = get(&mut uploads, &name).await.expect("there");
    assert_eq!((seen.state(), seen.refusal.as_str()), (UploadState::Refused, "UPLOAD_HASH"));
    assert_eq!(site.kept(), 0);
}

/// A zip without compression, of files with these names.
fn zip(names: &[&str]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for name in names {
        let options =
            zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        writer.start_file(*name, options).expect("begun");
    }
    writer.finish().expect("written").into_inner()
}

#[tokio::test]
async fn types_are_told_by_content() {
    use UploadPurpose::{Attachment, Import};
    let site = Site::start().await;
    let mut uploads = site.uploads("worker");
    let (types, book, text) = ("[Content_Types].xml", "xl/workbook.xml", "word/document.xml");
    let gb18030 = encoding_rs::GB18030.encode("姓名,电话\n张三,0371\n").0.into_owned();
    let taken: [(&[u8], _, _); 9] = [
        (&pictures::picture(ImageFormat::Png), Attachment, "image/png"),
        (&pictures::photo(), Attachment, "image/jpeg"),
        (b"%PDF-1.7 and so on", Attachment, "application/pdf"),
        (
            &zip(&[types, text]),
            Attachment,
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        (
            &zip(&["x", book, types]),
            Import,
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ),
        (b"#!AMR\n\0 and sound", Attachment, "audio/amr"),
        (&gb18030, Import, "text/csv"),
        (b"BM,PK\n1,2\n", Import, "text/csv"),
        (b" {\"type\": \"FeatureCollection\", \"features\": []}", Import, "application/geo+json"),
    ];
    for (bytes, purpose, content_type) in taken {
        let done = upload(&mut uploads, bytes, purpose, 1 << 20).await.expect(content_type);
        assert_eq!((done.content_type.as_str(), done.state()), (content_type, UploadState::Finished));
        assert_eq!(done.attachment.is_empty(), purpose == Import);
    }
    let heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic and a photo";
    let refused: [(&[u8], _, _); 10] = [
        (CSV, Attachment, "UPLOAD_TYPE"),
        (&pictures::picture(ImageFormat::Png), Import, "UPLOAD_TYPE"),
        (b"MZ\x90\0 is a program", Attachment, "UPLOAD_TYPE"),
        (b"<!DOCTYPE html><script>", Attachment, "UPLOAD_TYPE"),
        (b"<!DOCTYPE html><script>", Import, "UPLOAD_TYPE"),
        (b"a,b\0\n", Import, "UPLOAD_TYPE"),
        (heic, Attachment, "UPLOAD_TYPE"),
        (&zip(&[types, text, "word/vbaProject.bin"]), Attachment, "UPLOAD_TYPE"),
        (&pictures::photo()[..500], Attachment, "UPLOAD_DAMAGED"),
        (b"{\"type\": ", Import, "UPLOAD_DAMAGED"),
    ];
    for (bytes, purpose, reason) in refused {
        let answer = upload(&mut uploads, bytes, purpose, 1 << 20).await;
        assert_eq!(
            refusal(answer),
            (Code::FailedPrecondition, reason.into()),
            "{}",
            String::from_utf8_lossy(bytes)
        );
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
async fn a_storage_that_does_not_answer_is_told_and_the_upload_goes_on() {
    let (location, _folder) = common::s3::bucket().await;
    let Location::Bucket(bucket) = location.clone() else { panic!("a bucket") };
    let dead = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = Some(format!("http://{}", dead.local_addr().expect("bound")));
    drop(dead);
    let lost = Location::Bucket(jingwei_grid::files::Bucket { endpoint, ..bucket });
    let site = Site::with_files(location).await;
    let cut_off = site.elsewhere(lost).await;
    let (mut uploads, mut cut_off) = (site.uploads("worker"), cut_off.uploads("worker"));
    let name = begin(&mut cut_off, file(CSV.len(), UploadPurpose::Import)).await.expect("begun").name;
    append(&mut uploads, &name, 0, &CSV[..4]).await.expect("taken");
    for offset in [4, 4] {
        let refused = append(&mut cut_off, &name, offset, &CSV[offset..]).await;
        assert_eq!(refusal(refused), (Code::Unavailable, "STORAGE_UNAVAILABLE".into()));
    }
    let done = append(&mut uploads, &name, 4, &CSV[4..]).await.expect("taken");
    assert_eq!(site.fetched(&done).await, CSV);
}

/// In a process of its own, where no file may grow beyond 256 KiB: the disk is full for whoever writes more.
#[tokio::test]
async fn a_full_disk_is_told() {
    // The database, if it is not there yet, is not to be started with that limit.
    drop(Site::start().await);
    let test = std::env::current_exe().expect("this test");
    let script = "trap '' XFSZ; ulimit -f 256 || exit 1; exec \"$0\" --ignored --exact on_a_full_disk";
    let inner =
        std::process::Command::new("bash").args(["-c", script]).arg(test).output().expect("bash runs");
    let told = String::from_utf8_lossy(&inner.stdout);
    assert!(
        inner.status.success() && told.contains("1 passed"),
        "{told}{}",
        String::from_utf8_lossy(&inner.stderr)
    );
}

#[tokio::test]
#[ignore = "a_full_disk_is_told runs it with a limit"]
async fn on_a_full_disk() {
    let site = Site::start().await;
    let mut uploads = site.uploads("worker");
    let rows = rows(300 << 10);
    let name = begin(&mut uploads, file(rows.len(), UploadPurpose::Import)).await.expect("begun").name;
    let refused = append(&mut uploads, &name, 0, &rows).await;
    assert_eq!(refusal(refused), (Code::ResourceExhausted, "STORAGE_FULL".into()), "a chunk");
    append(&mut uploads, &name, 0, &rows[..200 << 10]).await.expect("there is room for this");
    let refused = append(&mut uploads, &name, 200 << 10, &rows[200 << 10..]).await;
    assert_eq!(refusal(refused), (Code::ResourceExhausted, "STORAGE_FULL".into()), "the whole");
    let seen = get(&mut uploads, &name).await.expect("there");
    assert_eq!((seen.state(), seen.received_bytes), (UploadState::Receiving, seen.size_bytes));
    assert_eq!(site.kept(), 2, "the chunks, no half file");
}

#[tokio::test]
async fn what_nobody_needs_is_removed() {
    let site = Site::start().await;
    let mut uploads = site.uploads("worker");
    let half = begin(&mut uploads, file(CSV.len(), UploadPurpose::Import)).await.expect("begun").name;
    append(&mut uploads, &half, 0, &CSV[..8]).await.expect("taken");
    let picture = pictures::picture(ImageFormat::Png);
    let first = upload(&mut uploads, &picture, UploadPurpose::Attachment, 100).await.expect("done");
    let again = upload(&mut uploads, &picture, UploadPurpose::Attachment, 1000).await.expect("done");
    assert_eq!(site.kept(), 2, "half of one, and the same picture once");
    let pool = site.pool().await;
    let mut connection = pool.acquire().await.expect("a connection");
    let linked = [id(&again.attachment)];
    store::attachment::link(&mut connection, 410_182, "districts/410182/events/x", &linked)
        .await
        .expect("linked");
    site.clock.advance(Duration::hours(23));
    site.tidy().await;
    // A token does not last that long.
    let mut uploads = site.uploads("worker");
    get(&mut uploads, &half).await.expect("there");
    site.clock.advance(Duration::hours(2));
    site.tidy().await;
    let mut uploads = site.uploads("worker");
    assert_eq!(refusal(get(&mut uploads, &half).await), (Code::NotFound, "NOT_FOUND".into()));
    assert_eq!(site.kept(), 1);
    site.clock.advance(Duration::days(8));
    site.tidy().await;
    let mut uploads = site.uploads("worker");
    assert_eq!(refusal(get(&mut uploads, &first.name).await), (Code::NotFound, "NOT_FOUND".into()));
    assert_eq!(site.kept(), 1, "the other one is referred to");
    let left = store::attachment::unusable(&pool, 410_182, &[id(&first.name), linked[0]], "worker", "")
        .await
        .expect("read");
    assert_eq!(left, [id(&first.name)]);
    // Without the link the content goes too; a new upload brings it back.
    for sql in ["delete from attachment_link", "update attachment set linked = false"] {
        sqlx::query(sql).execute(&pool).await.expect("unlinked");
    }
    site.tidy().await;
    assert_eq!(site.kept(), 0);
    let back = upload(&mut uploads, &picture, UploadPurpose::Attachment, 1000).await.expect("done");
    assert!(site.fetched(&back).await == picture);
}

#[tokio::test]
async fn content_that_is_being_removed_is_not_referred_to() {
    let site = Site::start().await;
    let mut uploads = site.uploads("worker");
    let done = upload(&mut uploads, CSV, UploadPurpose::Import, 100).await.expect("done");
    let pool = site.pool().await;
    site.clock.advance(Duration::days(8));
    let mut uploads = site.uploads("worker");
    let now = site.clock.now();
    store::upload::forget_finished(&pool, 410_182, now).await.expect("forgotten");
    let doom =
        async || store::content::doom(&pool, 410_182, now - Duration::HOUR, now, 10).await.expect("doomed");
    let (a, b) = tokio::join!(doom(), doom());
    assert_eq!(a.len() + b.len(), 1, "one removes it");
    assert_eq!(refusal(get(&mut uploads, &done.name).await).0, Code::NotFound);
    let name = begin(&mut uploads, file(CSV.len(), UploadPurpose::Import)).await.expect("begun").name;
    let refused = append(&mut uploads, &name, 0, CSV).await;
    assert_eq!(refusal(refused), (Code::Unavailable, "STORAGE_UNAVAILABLE".into()));
    // Who doomed it did not come to the end; an hour later another does.
    site.clock.advance(Duration::HOUR + Duration::SECOND);
    site.tidy().await;
    let mut uploads = site.uploads("worker");
    let done = append(&mut uploads, &name, CSV.len(), b"").await.expect("asked again");
    assert_eq!(site.fetched(&done).await, CSV);
}

/// Bytes that begin like something.
fn anything() -> impl Strategy<Value = Vec<u8>> {
    let photo = pictures::photo();
    let signs = [
        Vec::new(),
        b"\xff\xd8\xff".to_vec(),
        b"PK\x03\x04".to_vec(),
        b"%PDF-".to_vec(),
        b"RIFF\x10\0\0\0WAVE".to_vec(),
        b"\0\0\0\x10ftypisom".to_vec(),
        b"{\"a\":".to_vec(),
        b"ID3".to_vec(),
        photo,
        pictures::webp(),
        zip(&["[Content_Types].xml", "xl/workbook.xml"]),
    ];
    (
        prop::sample::select(signs.to_vec()),
        prop::collection::vec(any::<u8>(), 0..300),
        any::<prop::sample::Index>(),
    )
        .prop_map(|(sign, noise, cut)| {
            let all = [sign, noise].concat();
            all[..cut.index(all.len() + 1)].to_vec()
        })
        .prop_filter("a file has a byte", |bytes| !bytes.is_empty())
}

/// Any file, in chunks of any sizes, at offsets that are now and then wrong: it is finished or refused, and never a fault of ours.
#[tokio::test]
async fn whatever_comes_is_taken_or_refused() {
    let site = Site::start().await;
    let mut runner = TestRunner::deterministic();
    let purposes = prop::sample::select(vec![UploadPurpose::Attachment, UploadPurpose::Import]);
    let chunks = prop::collection::vec((1..400usize, 0..4i64), 1..12);
    let cases = (anything(), purposes, chunks);
    let (mut finished, mut refused) = (0, 0);
    for _ in 0..150 {
        let (bytes, purpose, chunks) = cases.new_tree(&mut runner).expect("a case").current();
        let mut uploads = site.uploads("worker");
        let name = begin(&mut uploads, file(bytes.len(), purpose)).await.expect("begun").name;
        let mut chunks = chunks.into_iter().cycle();
        let seen = loop {
            let seen = get(&mut uploads, &name).await.expect("there");
            if seen.state() != UploadState::Receiving {
                break seen;
            }
            let (length, wrong) = chunks.next().expect("endless");
            let at = seen.received_bytes as usize;
            if wrong == 3 {
                let astray = append(&mut uploads, &name, at + 7, &bytes[at..]).await;
                assert_eq!(refusal(astray).1, "UPLOAD_OFFSET");
            }
            if let Err(status) =
                append(&mut uploads, &name, at, &bytes[at..][..length.min(bytes.len() - at)]).await
            {
                assert_eq!(status.code(), Code::FailedPrecondition, "{status}");
            }
        };
        if seen.state() == UploadState::Finished {
            assert!(purpose == UploadPurpose::Attachment || site.fetched(&seen).await == bytes);
            finished += 1;
        } else {
            refused += 1;
        }
    }
    assert!(finished > 10 && refused > 10, "{finished} {refused}");
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
