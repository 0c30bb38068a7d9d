//! Uploads as their users make them, and small files of many kinds.

use jingwei_grid::files::{Files, Location};
use jingwei_grid::store;
use jingwei_grid::tidy::Tidy;
use jingwei_proto::access::v1::Role;
use jingwei_proto::google::api::HttpBody;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::upload_service_client::UploadServiceClient;
use sha2::{Digest, Sha256};
use tonic::Status;

use super::district::GRID;
use super::{DISTRICT, Session, Site};

/// Rows of people.
pub(crate) const CSV: &[u8] = "姓名,电话\n张三,0371\n".as_bytes();

/// Rows, so many bytes at most.
pub(crate) fn rows(bytes: usize) -> Vec<u8> {
    CSV.iter().copied().cycle().take(bytes - bytes % CSV.len()).collect()
}

/// SHA-256 in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A client of uploads.
pub(crate) type Uploads = UploadServiceClient<Session>;

impl Site {
    /// Uploads of a worker of the grid of the tests.
    pub(crate) fn uploads(&self, subject: &str) -> Uploads {
        UploadServiceClient::new(self.session(subject, &[(Role::GridWorker, GRID)]))
    }

    /// The bytes of a finished upload, as imports get them.
    pub(crate) async fn fetched(&self, upload: &pb::Upload) -> Vec<u8> {
        let pool = self.pool().await;
        let found = store::upload::get(&pool, 410_182, id(&upload.name)).await.expect("read").expect("there");
        let files = Files::open(&self.files).expect("opened");
        let file = files.fetch(found.content().expect("finished")).await.expect("fetched");
        pool.close().await;
        std::fs::read(file.path()).expect("read")
    }

    /// How many files the site's folder holds.
    pub(crate) fn kept(&self) -> usize {
        fn count(folder: &std::path::Path) -> usize {
            let entries = std::fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").path());
            entries.map(|path| if path.is_dir() { count(&path) } else { 1 }).sum()
        }
        let Location::Folder(folder) = &self.files else { panic!("it is a bucket") };
        count(folder)
    }

    /// What one more replica does to files that nobody needs.
    pub(crate) async fn tidy(&self) {
        let files = Files::open(&self.files).expect("opened");
        let tidy = Tidy { pool: self.pool().await, clock: self.clock.clone(), files };
        tidy.once().await.expect("tidied");
    }

    /// Uploads of a resident.
    pub(crate) fn public_uploads(&self) -> Uploads {
        UploadServiceClient::new(self.anonymous())
    }
}

/// A file of a purpose.
pub(crate) fn file(size: usize, purpose: pb::UploadPurpose) -> pb::Upload {
    pb::Upload {
        file_name: "文件".into(),
        size_bytes: size as i64,
        purpose: purpose.into(),
        ..Default::default()
    }
}

/// Begins an upload.
pub(crate) async fn begin(uploads: &mut Uploads, upload: pb::Upload) -> Result<pb::Upload, Status> {
    let request =
        pb::CreateUploadRequest { parent: DISTRICT.into(), upload: Some(upload), ..Default::default() };
    uploads.create_upload(request).await.map(tonic::Response::into_inner)
}

/// Sends a chunk.
pub(crate) async fn append(
    uploads: &mut Uploads,
    name: &str,
    offset: usize,
    bytes: &[u8],
) -> Result<pb::Upload, Status> {
    let request =
        pb::AppendUploadRequest { name: name.into(), offset: offset as i64, body: Some(body(bytes)) };
    uploads.append_upload(request).await.map(tonic::Response::into_inner)
}

/// How far an upload is.
pub(crate) async fn get(uploads: &mut Uploads, name: &str) -> Result<pb::Upload, Status> {
    uploads.get_upload(pb::GetUploadRequest { name: name.into() }).await.map(tonic::Response::into_inner)
}

/// The id at the end of a name.
pub(crate) fn id(name: &str) -> uuid::Uuid {
    name.rsplit('/').next().and_then(|id| id.parse().ok()).expect("a name ends with a UUID")
}

/// Uploads a whole file in chunks of this size.
pub(crate) async fn upload(
    uploads: &mut Uploads,
    bytes: &[u8],
    purpose: pb::UploadPurpose,
    chunk: usize,
) -> Result<pb::Upload, Status> {
    let mut upload = begin(uploads, file(bytes.len(), purpose)).await?;
    for (place, piece) in bytes.chunks(chunk).enumerate() {
        upload = append(uploads, &upload.name, place * chunk, piece).await?;
    }
    Ok(upload)
}

/// A chunk's bytes.
pub(crate) fn body(bytes: &[u8]) -> HttpBody {
    HttpBody { content_type: String::new(), data: bytes.to_vec(), extensions: Vec::new() }
}
