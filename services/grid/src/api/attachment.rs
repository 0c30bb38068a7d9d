//! The attachment service: for who may read what refers to a file.

use std::pin::Pin;

use futures::{Stream, StreamExt};
use jingwei_kit::caller::{self, Caller};
use jingwei_proto::google::api::HttpBody;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::attachment_service_server::AttachmentService;
use tonic::{Request, Response, Status};

use super::actors;
use super::deliberation::Deliberations;
use super::note::Notes;
use super::staff::read_name;
use super::wire::{name, upload as wire};
use super::work_record::WorkRecords;
use crate::error::Error;
use crate::files::Files;
use crate::model::attachment::Attachment;
use crate::store::attachment as store;

/// How many references are read at once.
const PAGE: i64 = 100;

/// The attachment service.
#[derive(Clone)]
pub struct Attachments {
    /// The notes and events; whoever reads one of these, a deliberation or a work record may read what its evidence names.
    pub notes: Notes,
    /// Where the bytes are.
    pub files: Files,
}

type Bodies = Pin<Box<dyn Stream<Item = Result<HttpBody, Status>> + Send>>;

impl Attachments {
    /// The attachment, where the caller may know of it.
    async fn readable(&self, caller: &Caller, name: &str) -> Result<Attachment, Error> {
        let missing = || Error::NotFound { name: name.to_owned() };
        let (district, id) = read_name(name, "attachments")?;
        let found = store::get(&self.notes.core.pool, district, id).await?.ok_or_else(missing)?;
        if found.uploader.as_ref() == Some(&caller.subject) {
            return Ok(found);
        }
        let mut after = String::new();
        loop {
            let resources = store::resources(&self.notes.core.pool, district, id, &after, PAGE).await?;
            for resource in &resources {
                if self.may_read(caller, resource).await? {
                    return Ok(found);
                }
            }
            after = resources.into_iter().last().ok_or_else(missing)?;
        }
    }

    async fn may_read(&self, caller: &Caller, resource: &str) -> Result<bool, Error> {
        let pool = &self.notes.core.pool;
        let grants = |district| actors::of(caller, district);
        let core = || self.notes.core.clone();
        let read = if let Ok((district, id)) = name::read_event(resource) {
            self.notes.events.readable(&grants(district), district, id).await.map(drop)
        } else if let Ok((district, id)) = read_name(resource, "notes") {
            self.notes.readable(caller, district, id).await.map(drop)
        } else if let Ok((district, id)) = read_name(resource, "deliberations") {
            Deliberations(core())
                .readable(&mut *pool.acquire().await?, &grants(district), district, id)
                .await
                .map(drop)
        } else if read_name(resource, "workRecords").is_ok() {
            WorkRecords(core()).readable(&mut *pool.acquire().await?, caller, resource).await.map(drop)
        } else {
            return Ok(false);
        };
        match read {
            Err(Error::NotFound { .. }) => Ok(false),
            read => read.map(|()| true),
        }
    }

    async fn download(&self, caller: &Caller, name: &str) -> Result<Bodies, Error> {
        let content = self.readable(caller, name).await?.content;
        let pieces = self.files.read(&content).await?;
        let mut content_type = Some(content.content_type);
        let bodies = pieces.map(move |piece| {
            let content_type = content_type.take().unwrap_or_default();
            Ok(HttpBody { content_type, data: piece?.into(), extensions: Vec::new() })
        });
        Ok(Box::pin(bodies))
    }
}

#[tonic::async_trait]
impl AttachmentService for Attachments {
    type DownloadAttachmentStream = Bodies;

    async fn get_attachment(
        &self,
        request: Request<pb::GetAttachmentRequest>,
    ) -> Result<Response<pb::Attachment>, Status> {
        let found = self.readable(&caller::of(&request), &request.get_ref().name).await?;
        Ok(Response::new(wire::write_attachment(&found)))
    }

    async fn download_attachment(
        &self,
        request: Request<pb::DownloadAttachmentRequest>,
    ) -> Result<Response<Bodies>, Status> {
        let caller = caller::of(&request);
        Ok(Response::new(self.download(&caller, &request.get_ref().name).await?))
    }
}
