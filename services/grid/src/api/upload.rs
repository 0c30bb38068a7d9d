//! The upload service: chunks in, checked content out.

use std::time::Duration;

use jingwei_kit::caller::{self, Caller};
use jingwei_kit::idempotency::{Key, once};
use jingwei_kit::pg::bounded;
use jingwei_kit::status::{Violations, internal, invalid};
use jingwei_proto::google::api::HttpBody;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::upload_service_server::UploadService;
use sqlx::PgConnection;
use tonic::{Request, Response, Status};
use tracing::Instrument;
use uuid::Uuid;

use super::core::Core;
use super::public_upload;
use super::repeat::violates;
use super::staff::read_name;
use super::wire::{name, upload as wire};
use crate::error::Error;
use crate::files::{Failure, Files};
use crate::model::upload::{Content, MAX_CHUNK, Progress, Purpose, Refusal, Step, Upload};
use crate::store::{content, upload as store};

/// How long a file may take to be checked, cleaned and stored.
const LONGEST: Duration = Duration::from_secs(600);

/// The upload service.
#[derive(Clone)]
pub struct Uploads {
    /// What every handler works with.
    pub core: Core,
    /// Where the bytes go.
    pub files: Files,
    /// The largest file, in bytes.
    pub max_bytes: i64,
}

/// An upload as its uploader asks for it: for everybody else there is none.
pub async fn own(core: &Core, caller: &Caller, name: &str) -> Result<Upload, Error> {
    let (district, id) = read_name(name, "uploads")?;
    let found = store::get(&core.pool, district, id).await?;
    let is_own = |upload: &Upload| upload.uploader.as_ref() == Some(&caller.subject);
    found.filter(is_own).ok_or_else(|| Error::NotFound { name: name.to_owned() })
}

/// The content of the caller's own finished upload: what an import reads with [`Files::fetch`].
///
/// # Errors
/// NOT_FOUND; UPLOAD_UNFINISHED, why the content was refused, or UPLOAD_TYPE where the file was sent for something else.
pub async fn finished(core: &Core, caller: &Caller, name: &str, purpose: Purpose) -> Result<Content, Error> {
    let upload = own(core, caller, name).await?;
    let content = upload.content()?.clone();
    if upload.purpose == purpose {
        return Ok(content);
    }
    let allowed = Upload { purpose, ..upload }.allowed().into_iter().map(str::to_owned).collect();
    Err(Refusal::TypeNotAllowed { content_type: content.content_type, allowed }.into())
}

impl Uploads {
    async fn create(&self, caller: &Caller, request: &pb::CreateUploadRequest) -> Result<pb::Upload, Error> {
        let district = name::read_district(&request.parent)?;
        let given = request.upload.clone().unwrap_or_default();
        let id = match request.upload_id.as_str() {
            "" => self.core.clock.id(),
            text => name::read_uuid("upload_id", text)?,
        };
        let upload = self.begin(district, id, &given, self.max_bytes)?;
        let upload = Upload { uploader: Some(caller.subject.clone()), ..upload };
        let request_id = match request.request_id.as_str() {
            "" => self.core.clock.id(),
            text => name::read_uuid("request_id", text)?,
        };
        let key = Key::of(district, &caller.subject, request_id, "CreateUpload", request);
        // Not in the change feed: an upload is its uploader's alone.
        let create = async |conn: &mut PgConnection| {
            let written = wire::write(&upload);
            match store::insert(conn, &upload).await {
                Err(e) if violates(&e, "upload_pkey") => Err(Error::AlreadyExists { name: written.name }),
                done => Ok(done.map(|()| written)?),
            }
        };
        once(&self.core.pool, &key, upload.create_time, create).await
    }

    /// An upload of which nothing is there yet, and whose uploader is not said.
    pub(super) fn begin(
        &self,
        district: i32,
        id: Uuid,
        given: &pb::Upload,
        limit: i64,
    ) -> Result<Upload, Error> {
        let mut violations = Violations::new();
        wire::check_size(given.size_bytes, limit.min(self.max_bytes), &mut violations);
        violations.finish()?;
        let purpose = wire::read_purpose(given.purpose());
        Ok(Upload {
            district,
            id,
            uploader: None,
            secret_hash: None,
            file_name: given.file_name.clone(),
            size: given.size_bytes,
            wanted_sha256: wire::read_hash(&given.sha256),
            purpose: purpose.unwrap_or(Purpose::Attachment),
            received: 0,
            chunks: 0,
            progress: Progress::Receiving,
            create_time: self.core.clock.now(),
        })
    }

    /// Takes a chunk of an upload that the caller may append to; finishes what has all its bytes then.
    pub(super) async fn append(
        &self,
        upload: Upload,
        offset: i64,
        body: Option<HttpBody>,
    ) -> Result<pb::Upload, Error> {
        let bytes = body.unwrap_or_default().data;
        if bytes.len() > MAX_CHUNK {
            let (zh, en) =
                (format!("每块最多 {MAX_CHUNK} 字节"), format!("at most {MAX_CHUNK} bytes a chunk"));
            return Err(invalid("body.data", "bytes.max_len", zh, en).into());
        }
        let length = bytes.len() as i64;
        let upload = match upload.take(offset, length)? {
            Step::Known => upload,
            Step::Next => {
                let (district, id, chunk) = (upload.district, upload.id, self.core.clock.id());
                self.files.put_chunk(district, id, chunk, bytes.into()).await?;
                if !store::append(&self.core.pool, &upload, chunk, length, self.core.clock.now()).await? {
                    self.files.remove_chunk(district, id, chunk).await?;
                }
                let upload = self.again(&upload).await?;
                // Where another came first with other bytes than these, this says so.
                upload.take(offset, length)?;
                upload
            }
        };
        let upload = if upload.is_complete() { self.finish_anyway(upload).await? } else { upload };
        if let Progress::Refused(refusal) = upload.progress {
            return Err(refusal.into());
        }
        Ok(wire::write(&upload))
    }

    /// In a task of its own: a large file takes longer than a call is given.
    async fn finish_anyway(&self, upload: Upload) -> Result<Upload, Error> {
        let uploads = self.clone();
        let task = async move { bounded(LONGEST, uploads.finish(&upload)).await? };
        tokio::spawn(task.in_current_span()).await.map_err(|panic| Error::Problem(internal(&panic)))?
    }

    /// Checks, cleans and stores what is complete; whoever does it at the same moment does the same.
    async fn finish(&self, upload: &Upload) -> Result<Upload, Error> {
        let (pool, now) = (&self.core.pool, self.core.clock.now());
        let chunks = store::chunks(pool, upload.district, upload.id).await?;
        if chunks.is_empty() {
            return self.again(upload).await;
        }
        let file = self.files.assemble(upload.district, upload.id, &chunks).await?;
        match self.files.inspect(upload, file).await? {
            Err(refusal) => {
                store::refuse(pool, upload, &refusal, now).await?;
            }
            Ok(checked) => {
                let being_removed = Error::Storage(Failure::Unavailable);
                if !content::claim(pool, &checked.content, now).await? {
                    return Err(being_removed);
                }
                self.files.store(&checked.content, &checked.file).await?;
                store::finish(pool, upload, &checked.content, self.core.clock.now()).await?;
            }
        }
        let done = self.again(upload).await?;
        if done.progress == Progress::Receiving {
            return Err(Error::Storage(Failure::Unavailable));
        }
        self.files.remove_chunks(upload.district, upload.id).await?;
        Ok(done)
    }

    async fn again(&self, upload: &Upload) -> Result<Upload, Error> {
        let found = store::get(&self.core.pool, upload.district, upload.id).await?;
        found.ok_or_else(|| Error::NotFound { name: wire::write(upload).name })
    }
}

#[tonic::async_trait]
impl UploadService for Uploads {
    async fn get_upload(
        &self,
        request: Request<pb::GetUploadRequest>,
    ) -> Result<Response<pb::Upload>, Status> {
        let upload = own(&self.core, &caller::of(&request), &request.get_ref().name).await?;
        Ok(Response::new(wire::write(&upload)))
    }

    async fn create_upload(
        &self,
        request: Request<pb::CreateUploadRequest>,
    ) -> Result<Response<pb::Upload>, Status> {
        Ok(Response::new(self.create(&caller::of(&request), request.get_ref()).await?))
    }

    async fn append_upload(
        &self,
        request: Request<pb::AppendUploadRequest>,
    ) -> Result<Response<pb::Upload>, Status> {
        let caller = caller::of(&request);
        let pb::AppendUploadRequest { name, offset, body } = request.into_inner();
        let upload = own(&self.core, &caller, &name).await?;
        Ok(Response::new(self.append(upload, offset, body).await?))
    }

    async fn create_public_upload(
        &self,
        request: Request<pb::CreatePublicUploadRequest>,
    ) -> Result<Response<pb::CreatePublicUploadResponse>, Status> {
        Ok(Response::new(public_upload::create(self, request.get_ref()).await?))
    }

    async fn append_public_upload(
        &self,
        request: Request<pb::AppendPublicUploadRequest>,
    ) -> Result<Response<pb::Upload>, Status> {
        Ok(Response::new(public_upload::append(self, request.into_inner()).await?))
    }
}
