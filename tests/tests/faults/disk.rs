//! Full disks, of the database and of the files. The disk is a small one in memory, which only root can mount: for others the
//! tests say so.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use jingwei_proto::access::v1::Role;
use jingwei_proto::google::api::HttpBody;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::upload_service_client::UploadServiceClient;
use jingwei_tests::answer::{reason, speaks_both};
use jingwei_tests::{Clients, Error, Options, Session, Way, session};
use sqlx::{Connection as _, PgConnection};
use tonic::transport::Endpoint;
use tonic::{Code, Status};

use crate::site::{Site, until};

/// How large the disk of the database is: a cluster needs half of it.
const DATABASE: &str = "size=160m";
/// How large the disk of the files is.
const FILES: &str = "size=8m";
/// How large a file is, and a chunk of it: each chunk fits the disk.
const FILE: usize = 1 << 20;
const CHUNK: usize = FILE / 4;

/// A disk in memory, until it is dropped.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: &Path, size: &str) -> Result<Option<Self>, Error> {
        fs::create_dir_all(at)?;
        let told = Command::new("mount").args(["-t", "tmpfs", "-o", size, "tmpfs"]).arg(at).output();
        Ok(told.is_ok_and(|told| told.status.success()).then(|| Self(at.to_owned())))
    }

    /// Leaves so many bytes; the file that takes the rest.
    fn leave(&self, bytes: usize) -> Result<PathBuf, Error> {
        let ballast = self.fill()?;
        let file = File::options().write(true).open(&ballast)?;
        file.set_len(file.metadata()?.len() - bytes as u64)?;
        Ok(ballast)
    }

    /// Leaves no room; the file that takes it.
    fn fill(&self) -> Result<PathBuf, Error> {
        let ballast = self.0.join("ballast");
        let mut file = File::create(&ballast)?;
        loop {
            match file.write_all(&[0; 4096]) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => return Ok(ballast),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: PostgreSQL may be on its way out.
        Command::new("umount").arg("-l").arg(&self.0).status().ok();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_of_the_database_is_told_and_is_over_once_there_is_space() -> Result<(), Error> {
    let folder = tempfile::tempdir()?;
    let Some(disk) = Disk::mount(&folder.path().join("postgres"), DATABASE)? else {
        println!("skipped: a disk cannot be mounted here (not root)");
        return Ok(());
    };
    // A checkpoint would want space at a moment that nobody knows.
    let postgres = vec![("checkpoint_timeout".to_owned(), "1h".to_owned())];
    let site = Site::over(Options { postgres, ..Options::new(folder.path()) }, folder).await?;
    let clients = Clients::start(&site.processes, &site.district, 2).await?;
    // The log's next file is there before the disk is full: without one PostgreSQL would stop altogether.
    let mut connection = PgConnection::connect(&site.processes.database()).await?;
    sqlx::query("select pg_switch_wal()").execute(&mut connection).await?;
    connection.close().await?;
    clients.progress(&Way::ALL, 8).await?;
    let ballast = disk.fill()?;
    until("the full disk is told", async || Ok(clients.put_off("DATABASE_UNAVAILABLE") > 8)).await?;
    fs::remove_file(&ballast)?;
    clients.progress(&Way::ALL, 16).await?;
    site.check(&clients.finish().await?).await?;
    // The processes first.
    drop(site);
    drop(disk);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_of_the_files_is_told_and_uploads_go_on_once_there_is_space() -> Result<(), Error> {
    let folder = tempfile::tempdir()?;
    let Some(disk) = Disk::mount(&folder.path().join("disk"), FILES)? else {
        println!("skipped: a disk cannot be mounted here (not root)");
        return Ok(());
    };
    let grid = vec![("FILES".to_owned(), disk.0.join("files").display().to_string())];
    let site = Site::over(Options { grid, ..Options::new(folder.path()) }, folder).await?;
    let mut uploads = uploads(&site).await?;
    let rows: Vec<u8> = "姓名,电话\n张三,0371\n".bytes().cycle().take(FILE - FILE % 26).collect();
    let name = begin(&mut uploads, &site, rows.len()).await?;
    append(&mut uploads, &name, &rows, 0).await?;
    // A full one is nothing to what needs no files.
    let clients = Clients::start(&site.processes, &site.district, 2).await?;
    let ballast = disk.fill()?;
    for _ in 0..3 {
        let refused = append(&mut uploads, &name, &rows, CHUNK).await;
        assert_full(&refused.err().ok_or("taken without room")?);
        clients.progress(&Way::ALL, 4).await?;
    }
    assert_eq!(kept(&disk.0)?, 2, "the first chunk and the ballast: no half file");
    // All chunks, but no room for the whole.
    fs::remove_file(&ballast)?;
    append(&mut uploads, &name, &rows, CHUNK).await?;
    append(&mut uploads, &name, &rows, 2 * CHUNK).await?;
    let last = disk.leave(CHUNK + CHUNK / 2)?;
    let refused = append(&mut uploads, &name, &rows, 3 * CHUNK).await;
    assert_full(&refused.err().ok_or("taken without room")?);
    assert_eq!(kept(&disk.0)?, 5, "four chunks and the ballast: no half file");
    let seen = uploads.get_upload(pb::GetUploadRequest { name: name.clone() }).await?.into_inner();
    assert_eq!((seen.state(), seen.received_bytes), (pb::UploadState::Receiving, seen.size_bytes));
    // Where it stopped, as soon as there is room.
    fs::remove_file(&last)?;
    let done = append(&mut uploads, &name, &rows, rows.len()).await?;
    assert_eq!(done.state(), pb::UploadState::Finished);
    assert_eq!(kept(&disk.0)?, 1, "the content");
    site.check(&clients.finish().await?).await?;
    // The processes first.
    drop(site);
    drop(disk);
    Ok(())
}

#[track_caller]
fn assert_full(status: &Status) {
    assert_eq!((status.code(), reason(status).as_str()), (Code::ResourceExhausted, "STORAGE_FULL"));
    assert!(speaks_both(status), "{status:?}");
}

async fn uploads(site: &Site) -> Result<UploadServiceClient<Session>, Error> {
    let address = format!("http://{}", site.processes.grids[0].address());
    let channel = Endpoint::from_shared(address)?.connect().await?;
    let token = site.processes.token("worker", Role::Dispatcher, &site.district.code.to_string())?;
    Ok(UploadServiceClient::new(session(&channel, &token)?))
}

async fn begin(
    uploads: &mut UploadServiceClient<Session>,
    site: &Site,
    size: usize,
) -> Result<String, Error> {
    let upload = pb::Upload {
        file_name: "名册".to_owned(),
        size_bytes: size.try_into()?,
        purpose: pb::UploadPurpose::Import.into(),
        ..Default::default()
    };
    let request =
        pb::CreateUploadRequest { parent: site.district.name(), upload: Some(upload), ..Default::default() };
    Ok(uploads.create_upload(request).await?.into_inner().name)
}

/// Sends the chunk that begins there.
async fn append(
    uploads: &mut UploadServiceClient<Session>,
    name: &str,
    rows: &[u8],
    offset: usize,
) -> Result<pb::Upload, Status> {
    let data = rows[offset..rows.len().min(offset + CHUNK)].to_vec();
    let body = Some(HttpBody { data, ..Default::default() });
    let request = pb::AppendUploadRequest { name: name.to_owned(), offset: offset as i64, body };
    Ok(uploads.append_upload(request).await?.into_inner())
}

/// How many files there are in a folder.
fn kept(folder: &Path) -> Result<usize, Error> {
    let mut count = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        count += if path.is_dir() { kept(&path)? } else { 1 };
    }
    Ok(count)
}
