//! The storage of files: gone, full, and rid of what nobody needs.

mod common;
#[path = "../src/files/clean/tests/pictures.rs"]
#[allow(dead_code, reason = "the other half is for the tests of cleaning")]
mod pictures;

use common::upload::{CSV, append, begin, file, get, id, rows, upload};
use common::{Site, refusal};
use image::ImageFormat;
use jingwei_grid::files::Location;
use jingwei_grid::store;
use jingwei_proto::grid::v1::{UploadPurpose, UploadState};
use time::Duration;
use tonic::Code;

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
    let left = store::attachment::unusable(&pool, 410_182, &[id(&first.name), linked[0]], "worker", &[])
        .await
        .expect("read");
    assert_eq!(left, [id(&first.name)]);
    // Without the link the content goes too; a new upload brings it back.
    for sql in ["delete from attachment_link", "update attachment set linked = false"] {
        sqlx::query(sql).execute(&pool).await.expect("unlinked");
    }
    site.clock.advance(Duration::hours(2));
    site.tidy().await;
    assert_eq!(site.kept(), 0);
    let mut uploads = site.uploads("worker");
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
