//! What uploads hold: hashed, told by its content, taken or refused whatever it is.

mod common;
#[path = "../src/files/clean/tests/pictures.rs"]
#[allow(dead_code, reason = "the other half is for the tests of cleaning")]
mod pictures;

use common::upload::{CSV, append, begin, file, get, sha256, upload};
use common::{Site, metadata, refusal};
use image::ImageFormat;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::{UploadPurpose, UploadState};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tonic::Code;

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
