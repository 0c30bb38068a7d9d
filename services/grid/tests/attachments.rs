//! Attachments: found by who may read what refers to them, and by nobody else; told nothing about who made them where.

mod common;
#[path = "../src/files/clean/tests/pictures.rs"]
#[allow(dead_code, reason = "the other half is for the tests of cleaning")]
mod pictures;

use common::district::{COMMUNITY, GARDEN, GRID, OTHER_GRID, STREET};
use common::upload::{id, sha256, upload};
use common::{DISTRICT, Session, Site, refusal, wrong_fields};
use futures::StreamExt;
use image::ImageFormat;
use jingwei_grid::store;
use jingwei_proto::access::v1::Role;
use jingwei_proto::google::api::HttpBody;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::UploadPurpose;
use jingwei_proto::grid::v1::attachment_service_client::AttachmentServiceClient;
use jingwei_proto::grid::v1::event_service_client::EventServiceClient;
use tonic::{Code, Status};

/// An attachment as this session sees it.
async fn seen(session: Session, name: &str) -> Result<pb::Attachment, Status> {
    let request = pb::GetAttachmentRequest { name: name.into() };
    AttachmentServiceClient::new(session).get_attachment(request).await.map(tonic::Response::into_inner)
}

/// What a download brings, piece by piece.
async fn pieces(session: Session, name: &str) -> Result<Vec<HttpBody>, Status> {
    let request = pb::DownloadAttachmentRequest { name: name.into() };
    let stream = AttachmentServiceClient::new(session).download_attachment(request).await?.into_inner();
    stream
        .map(|piece| piece.map_err(|status| panic!("{status}")))
        .collect::<Vec<_>>()
        .await
        .into_iter()
        .collect()
}

fn joined(pieces: &[HttpBody]) -> Vec<u8> {
    pieces.iter().flat_map(|piece| piece.data.clone()).collect()
}

impl Site {
    /// What the worker has uploaded.
    async fn attached(&self, bytes: &[u8]) -> pb::Upload {
        let mut uploads = self.uploads("worker");
        upload(&mut uploads, bytes, UploadPurpose::Attachment, 1 << 20).await.expect("uploaded")
    }

    /// Notes that an event's evidence names attachments, as its report and its actions do.
    async fn link(&self, event: &pb::Event, attachments: &[&str]) -> sqlx::Result<()> {
        let pool = self.pool().await;
        let ids: Vec<_> = attachments.iter().map(|name| id(name)).collect();
        let mut connection = pool.acquire().await?;
        store::attachment::link(&mut connection, 410_182, &event.name, &ids).await
    }
}

#[tokio::test]
async fn a_photo_is_downloaded_without_its_position() {
    let site = Site::start().await;
    let photo = pictures::photo();
    assert!(pictures::fields(&photo).iter().any(|(tag, _)| *tag == exif::Tag::GPSLatitude));
    let name = site.attached(&photo).await.attachment;
    let found = seen(site.worker(), &name).await.expect("the uploader's");
    let pieces = pieces(site.worker(), &name).await.expect("the uploader's");
    let clean = joined(&pieces);
    assert_eq!(pieces[0].content_type, "image/jpeg");
    assert_eq!((found.content_type.as_str(), found.file_name.as_str()), ("image/jpeg", "文件"));
    assert_eq!((found.name, found.size_bytes as usize), (name, clean.len()));
    assert_eq!(found.sha256, sha256(&clean));
    let left: Vec<_> = pictures::fields(&clean).into_iter().map(|(tag, _)| tag).collect();
    assert_eq!(left, [exif::Tag::Orientation]);
    assert!(!clean.windows(pictures::SECRET.len()).any(|window| window == pictures::SECRET));
    assert_eq!(pictures::shown(&clean), pictures::shown(&photo));
}

async fn a_large_file_comes_in_pieces(site: Site) {
    let sound: Vec<u8> =
        b"#!AMR\n".iter().copied().chain((0..3_000_000u32).map(|i| (i % 251) as u8)).collect();
    let name = site.attached(&sound).await.attachment;
    let pieces = pieces(site.worker(), &name).await.expect("the uploader's");
    assert!(joined(&pieces) == sound);
    let (last, others) = pieces.split_last().expect("pieces");
    assert!(others.iter().all(|piece| piece.data.len() == 256 << 10) && last.data.len() <= 256 << 10);
    assert!(
        pieces[0].content_type == "audio/amr"
            && pieces[1..].iter().all(|piece| piece.content_type.is_empty())
    );
}

#[tokio::test]
async fn a_large_file_comes_from_a_folder() {
    a_large_file_comes_in_pieces(Site::start().await).await;
}

#[tokio::test]
async fn a_large_file_comes_from_s3() {
    let (location, _folder) = common::s3::bucket().await;
    a_large_file_comes_in_pieces(Site::with_files(location).await).await;
}

#[tokio::test]
async fn who_may_read_an_event_may_read_what_it_refers_to() {
    let site = Site::with_district().await;
    let name = site.attached(&pictures::picture(ImageFormat::Png)).await.attachment;
    let sessions = [
        (Role::GridChief, GRID, true),
        (Role::Community, COMMUNITY, true),
        (Role::Street, STREET, true),
        (Role::Dispatcher, DISTRICT, true),
        (Role::Supervisor, DISTRICT, true),
        (Role::GridWorker, OTHER_GRID, false),
        (Role::Department, GARDEN, false),
        (Role::Administrator, DISTRICT, false),
    ];
    let session = |(role, scope, _): (Role, &str, bool)| site.session("somebody", &[(role, scope)]);
    let missing = (Code::NotFound, "NOT_FOUND".to_owned());
    for reader in sessions {
        assert_eq!(refusal(seen(session(reader), &name).await), missing, "nothing refers to it: {reader:?}");
    }
    let event = site.report().await;
    site.link(&event, &[&name, &name]).await.expect("linked");
    site.link(&event, &[&name]).await.expect("once more is once");
    for reader in sessions {
        let (found, pieces) = (seen(session(reader), &name).await, pieces(session(reader), &name).await);
        if reader.2 {
            assert_eq!(found.expect("readable").name, name, "{reader:?}");
            assert!(pieces.is_ok_and(|pieces| pieces.len() == 1), "{reader:?}");
        } else {
            assert_eq!(refusal(found), missing, "{reader:?}");
            assert_eq!(refusal(pieces), missing, "{reader:?}");
        }
    }
    assert_eq!(refusal(seen(site.anonymous(), &name).await).0, Code::Unauthenticated);
}

#[tokio::test]
async fn evidence_shows_what_its_bringer_uploaded_and_nothing_else() {
    let site = Site::with_district().await;
    let name = site.attached(&pictures::picture(ImageFormat::Png)).await.attachment;
    let photo = || vec![pb::Evidence { text: "照片".into(), uri: name.clone() }];
    let report = |evidence| pb::ReportEventRequest { evidence, ..site.new_report() };
    let mut other = site.events(Role::Street, STREET);
    let refused = other.report_event(report(photo())).await;
    assert_eq!(wrong_fields(refused), ["evidence[0].uri"], "somebody else's");
    let elsewhere = vec![pb::Evidence { uri: name.replace("410182", "410183"), ..Default::default() }];
    let mut worker = EventServiceClient::new(site.worker());
    assert_eq!(wrong_fields(worker.report_event(report(elsewhere)).await), ["evidence[0].uri"]);

    let event = worker.report_event(report(photo())).await.expect("reported").into_inner();
    let chief = || site.session("chief", &[(Role::GridChief, GRID)]);
    assert_eq!(seen(chief(), &name).await.expect("with the event").name, name);
    let comment = |event: &pb::Event, note: &str| pb::CommentEventRequest {
        name: event.name.clone(),
        note: note.into(),
        evidence: photo(),
        ..Default::default()
    };
    other.comment_event(comment(&event, "同上")).await.expect("it is there already");
    let second = other.report_event(report(Vec::new())).await.expect("reported").into_inner();
    assert_eq!(wrong_fields(other.comment_event(comment(&second, "别处的照片")).await), ["evidence[0].uri"]);
    worker.comment_event(comment(&second, "我的照片")).await.expect("the uploader's own");
}

#[tokio::test]
async fn one_of_many_events_is_enough() {
    let site = Site::with_district().await;
    let name = site.attached(&pictures::picture(ImageFormat::Png)).await.attachment;
    let mut elsewhere = site.events(Role::GridWorker, OTHER_GRID);
    for _ in 0..4 {
        let report = pb::ReportEventRequest { area: OTHER_GRID.into(), ..site.new_report() };
        let event = elsewhere.report_event(report).await.expect("reported").into_inner();
        site.link(&event, &[&name]).await.expect("linked");
    }
    let reader = || site.session("chief", &[(Role::GridChief, GRID)]);
    assert_eq!(refusal(seen(reader(), &name).await).0, Code::NotFound);
    // What is no event gives nobody a right; many of them are gone through.
    let (pool, attachment) = (site.pool().await, id(&name));
    for note in 0..150 {
        let mut connection = pool.acquire().await.expect("a connection");
        let resource = format!("{DISTRICT}/aaa/{note}");
        store::attachment::link(&mut connection, 410_182, &resource, &[attachment]).await.expect("linked");
    }
    assert_eq!(refusal(seen(reader(), &name).await).0, Code::NotFound);
    let event = site.report().await;
    site.link(&event, &[&name]).await.expect("linked");
    seen(reader(), &name).await.expect("by the last one");
}

#[tokio::test]
async fn what_is_no_attachment_cannot_be_referred_to() {
    let site = Site::with_district().await;
    let photo = site.attached(&pictures::picture(ImageFormat::Png)).await.attachment;
    let mut uploads = site.uploads("worker");
    let rows = upload(&mut uploads, b"a,b\n", UploadPurpose::Import, 10).await.expect("uploaded");
    let (none, event) = (format!("{DISTRICT}/attachments/{}", uuid::Uuid::nil()), site.report().await);
    let pool = site.pool().await;
    let asked = [id(&photo), id(&rows.name), id(&none)];
    let mut missing = store::attachment::unusable(&pool, 410_182, &asked, "worker", &[]).await.expect("read");
    missing.sort();
    assert_eq!(missing, [id(&none), id(&rows.name)], "an import is none");
    let elsewhere =
        store::attachment::unusable(&pool, 410_183, &asked[..1], "worker", &[]).await.expect("read");
    assert_eq!(elsewhere, [id(&photo)], "of another district");
    let refused = site.link(&event, &[&photo, &none]).await.expect_err("refused");
    let constraint = refused.as_database_error().and_then(|error| error.constraint());
    assert_eq!(constraint, Some("attachment_link_attachment"));
}

/// Of linking an attachment and forgetting it as unused, at the same moment, one is done and the other is not.
#[tokio::test]
async fn what_is_referred_to_is_not_forgotten() {
    let site = Site::with_district().await;
    let (pool, event) = (site.pool().await, site.report().await);
    for round in 0..12u8 {
        let name = site.attached(&[&b"#!AMR\n\0 and sound"[..], &[round]].concat()).await.attachment;
        let later = site.clock.now() + time::Duration::HOUR;
        let names = [name.as_str()];
        let (linked, forgotten) =
            tokio::join!(site.link(&event, &names), store::attachment::forget_unused(&pool, 410_182, later));
        forgotten.expect("no deadlock");
        let gone = !store::attachment::unusable(&pool, 410_182, &[id(&name)], "worker", &[])
            .await
            .expect("read")
            .is_empty();
        assert_eq!(linked.is_err(), gone, "{linked:?}");
    }
}

#[tokio::test]
async fn a_resident_s_photo_is_read_by_readers_of_the_event_alone() {
    let site = Site::with_district().await;
    let photo = pictures::picture(ImageFormat::Jpeg);
    let mut residents = site.public_uploads();
    let wanted = common::upload::file(photo.len(), UploadPurpose::Attachment);
    let request = pb::CreatePublicUploadRequest { parent: DISTRICT.into(), upload: Some(wanted) };
    let begun = residents.create_public_upload(request).await.expect("begun").into_inner();
    let chunk = pb::AppendPublicUploadRequest {
        name: begun.upload.expect("an upload").name,
        secret: begun.secret,
        offset: 0,
        body: Some(common::upload::body(&photo)),
    };
    let name = residents.append_public_upload(chunk).await.expect("taken").into_inner().attachment;
    let chief = || site.session("chief", &[(Role::GridChief, GRID)]);
    assert_eq!(refusal(seen(chief(), &name).await).0, Code::NotFound);
    site.link(&site.report().await, &[&name]).await.expect("linked");
    assert_eq!(joined(&pieces(chief(), &name).await.expect("readable")), photo);
}
