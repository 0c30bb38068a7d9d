//! A database whose disk is full. The disk is a small one in memory, which only root can mount: for others the test says so.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use jingwei_tests::{Clients, Error, Options, Way};
use sqlx::{Connection as _, PgConnection};

use crate::site::{Site, until};

/// How large the disk is: a cluster needs half of it.
const SIZE: &str = "size=160m";

/// A disk in memory, until it is dropped.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: &Path) -> Result<Option<Self>, Error> {
        fs::create_dir_all(at)?;
        let told = Command::new("mount").args(["-t", "tmpfs", "-o", SIZE, "tmpfs"]).arg(at).output();
        Ok(told.is_ok_and(|told| told.status.success()).then(|| Self(at.to_owned())))
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
    let Some(disk) = Disk::mount(&folder.path().join("postgres"))? else {
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
