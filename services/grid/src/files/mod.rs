//! Files: the bytes of uploads and attachments in an object store, a local folder or S3. The only place that knows which.
//!
//! Content is stored under what it hashes to, `{district}/{first two hex}/{sha256}`: the same content once for a district.
//! Chunks of unfinished uploads lie under `{district}/uploads/{upload}/{chunk}`. A write appears whole or not at all: in a
//! folder a file is written beside its name, synced and renamed; S3 does the same for us.

mod clean;
mod failure;
mod inspect;
mod location;
mod sniff;

use std::io::{Seek, Write};
use std::sync::Arc;

use futures::stream::{BoxStream, StreamExt, TryStreamExt};
use object_store::buffered::BufWriter;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use prost::bytes::{Bytes, BytesMut};
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt;
use tokio::sync::Semaphore;
use uuid::Uuid;

pub use self::failure::Failure;
pub use self::inspect::Checked;
pub use self::location::{Bucket, Location};
use crate::error::Error;
use crate::model::upload::{Content, Hash, Refusal, Upload};

/// How many bytes of a content are handed on at once.
const PIECE: usize = 256 << 10;
/// How many bytes of a content are sent at once; S3 wants 5 MiB at least.
const PART: usize = 8 << 20;
/// How many uploads are looked at at once.
const INSPECTIONS: usize = 4;

/// Where files are.
#[derive(Clone)]
pub struct Files {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    /// Each holder has an image in memory.
    inspections: Arc<Semaphore>,
}

impl Files {
    /// Opens the storage; a folder is made where it is missing. S3 is asked at the first use.
    ///
    /// # Errors
    /// The folder cannot be made, or the bucket's address is none.
    pub fn open(location: &Location) -> Result<Self, object_store::Error> {
        let (store, prefix) = location.open()?;
        Ok(Self { store, prefix, inspections: Arc::new(Semaphore::new(INSPECTIONS)) })
    }

    /// A finished upload's content as a local temporary file, which goes away with the handle. Constant memory.
    pub async fn fetch(&self, content: &Content) -> Result<NamedTempFile, Error> {
        let mut file = temporary().await?;
        self.copy_to(&self.content(content.district, &content.sha256), &mut file).await?;
        rewound(file).await
    }

    /// A content in pieces of 256 KiB, the last one smaller. Constant memory.
    pub async fn read(&self, content: &Content) -> Result<BoxStream<'static, Result<Bytes, Error>>, Error> {
        let found = self.store.get(&self.content(content.district, &content.sha256)).await?;
        let source = found.into_stream().map_err(Error::from);
        let pieces =
            futures::stream::try_unfold((source, BytesMut::new()), async |(mut source, mut held)| {
                while held.len() < PIECE {
                    let Some(more) = source.try_next().await? else { break };
                    held.extend_from_slice(&more);
                }
                let piece = held.split_to(held.len().min(PIECE)).freeze();
                Ok((!piece.is_empty()).then_some((piece, (source, held))))
            });
        Ok(pieces.boxed())
    }

    /// Stores a content that is in a local file. Doing it twice is doing it once.
    pub async fn store(&self, content: &Content, file: &NamedTempFile) -> Result<(), Error> {
        let path = self.content(content.district, &content.sha256);
        let mut source = tokio::fs::File::open(file.path()).await?;
        let mut target = BufWriter::with_capacity(self.store.clone(), path, PART);
        let mut source = tokio::io::BufReader::with_capacity(PIECE, &mut source);
        if let Err(error) = tokio::io::copy_buf(&mut source, &mut target).await {
            target.abort().await.ok();
            return Err(error.into());
        }
        // Cleans up by itself where it fails, and must not be told to.
        Ok(target.shutdown().await?)
    }

    /// Removes a content; fine where there is none.
    pub async fn remove(&self, district: i32, sha256: &Hash) -> Result<(), Error> {
        self.delete(&self.content(district, sha256)).await
    }

    /// Keeps one chunk of an upload.
    pub async fn put_chunk(
        &self,
        district: i32,
        upload: Uuid,
        chunk: Uuid,
        bytes: Bytes,
    ) -> Result<(), Error> {
        self.store.put(&self.chunk(district, upload, chunk), bytes.into()).await?;
        Ok(())
    }

    /// Removes one chunk of an upload; fine where there is none.
    pub async fn remove_chunk(&self, district: i32, upload: Uuid, chunk: Uuid) -> Result<(), Error> {
        self.delete(&self.chunk(district, upload, chunk)).await
    }

    /// The chunks of an upload, one after the other, in a local temporary file. Constant memory.
    pub async fn assemble(
        &self,
        district: i32,
        upload: Uuid,
        chunks: &[Uuid],
    ) -> Result<NamedTempFile, Error> {
        let mut file = temporary().await?;
        for chunk in chunks {
            self.copy_to(&self.chunk(district, upload, *chunk), &mut file).await?;
        }
        rewound(file).await
    }

    /// Checks and cleans the bytes of an upload; within, why the content is refused.
    pub async fn inspect(
        &self,
        upload: &Upload,
        file: NamedTempFile,
    ) -> Result<Result<Checked, Refusal>, Error> {
        let _permit = self.inspections.acquire().await.expect("never closed");
        let upload = upload.clone();
        Ok(blocking(move || inspect::inspect(&upload, file)).await?)
    }

    /// Removes every chunk of an upload, also those that lost a race or were cut off by a crash.
    pub async fn remove_chunks(&self, district: i32, upload: Uuid) -> Result<(), Error> {
        let folder = self.uploads(district).join(upload.to_string());
        let found = self.store.list(Some(&folder)).map_ok(|object| object.location).boxed();
        self.store.delete_stream(found).try_for_each(async |_| Ok(())).await.or_else(absent)?;
        Ok(())
    }

    async fn copy_to(&self, path: &Path, file: &mut NamedTempFile) -> Result<(), Error> {
        let mut source = self.store.get(path).await?.into_stream();
        let mut target = tokio::fs::File::from_std(file.as_file().try_clone()?);
        while let Some(bytes) = source.try_next().await? {
            target.write_all(&bytes).await?;
        }
        Ok(target.flush().await?)
    }

    async fn delete(&self, path: &Path) -> Result<(), Error> {
        Ok(self.store.delete(path).await.or_else(absent)?)
    }

    fn content(&self, district: i32, sha256: &Hash) -> Path {
        let hash = hex(sha256);
        let folder = self.prefix.clone().join(district.to_string()).join(&hash[..2]);
        folder.join(hash)
    }

    fn uploads(&self, district: i32) -> Path {
        self.prefix.clone().join(district.to_string()).join("uploads")
    }

    fn chunk(&self, district: i32, upload: Uuid, chunk: Uuid) -> Path {
        self.uploads(district).join(upload.to_string()).join(chunk.to_string())
    }
}

/// A hash in hexadecimal.
pub fn hex(hash: &[u8]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn absent(error: object_store::Error) -> Result<(), object_store::Error> {
    if matches!(error, object_store::Error::NotFound { .. }) { Ok(()) } else { Err(error) }
}

async fn temporary() -> Result<NamedTempFile, Error> {
    Ok(blocking(NamedTempFile::new).await?)
}

async fn rewound(mut file: NamedTempFile) -> Result<NamedTempFile, Error> {
    let rewind = move || {
        file.flush()?;
        file.rewind()?;
        Ok(file)
    };
    Ok(blocking(rewind).await?)
}

/// Runs what waits for a disk where it keeps no other call waiting.
async fn blocking<T: Send + 'static>(
    run: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> std::io::Result<T> {
    tokio::task::spawn_blocking(run).await.map_err(std::io::Error::other)?
}
