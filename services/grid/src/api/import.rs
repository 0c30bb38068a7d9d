//! The import service: a file's rows become resources, by the rules that single calls obey.
//!
//! `table` says what a kind of ledger is, `run` takes a file through it; the kinds are beside them.

mod areas;
mod boundaries;
mod categories;
pub mod cells;
pub mod departments;
pub mod events;
pub mod limits;
mod run;
mod source;
pub mod staff;
mod table;
mod template;
mod told;

use jingwei_kit::caller::{self, Caller};
use jingwei_kit::status::Problem;
use jingwei_proto::access::v1::Role;
use jingwei_proto::google::api::HttpBody;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::import_service_server::ImportService;
use std::sync::Arc;
use tempfile::NamedTempFile;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Response, Status};

use self::run::Run;
use super::event::Events;
use super::wire::name;
use super::{Core, actors, upload};
use crate::error::Error;
use crate::files::Files;
use crate::ledger::heading::Column;
use crate::model::upload::Purpose;

/// The import service.
#[derive(Clone)]
pub struct Imports {
    /// The database, the time, the feed.
    pub core: Core,
    /// What reports are made with.
    pub events: Events,
    /// Where uploads are.
    pub files: Files,
}

/// The answers of ImportRows.
pub type News = ReceiverStream<Result<pb::ImportRowsResponse, Status>>;

/// The columns of a kind.
pub fn columns(kind: pb::LedgerKind) -> &'static [Column] {
    match kind {
        pb::LedgerKind::Unspecified => &[],
        pb::LedgerKind::Areas => areas::COLUMNS,
        pb::LedgerKind::Boundaries => boundaries::COLUMNS,
        pb::LedgerKind::Staff => staff::COLUMNS,
        pb::LedgerKind::Departments => departments::COLUMNS,
        pb::LedgerKind::Categories => categories::COLUMNS,
        pb::LedgerKind::Events => events::COLUMNS,
    }
}

impl Imports {
    /// Imports a file, and tells of it while it is read.
    ///
    /// # Errors
    /// The caller may not, or the file is no such table.
    pub async fn import(
        &self,
        caller: Arc<Caller>,
        request: pb::ImportRowsRequest,
        file: NamedTempFile,
    ) -> Result<News, Error> {
        let district = name::read_district(&request.parent)?;
        let (core, now) = (self.core.clone(), self.core.clock.now());
        let run = Run::new(core.clone(), &caller, district, &request, file)?;
        match request.kind() {
            pb::LedgerKind::Unspecified | pb::LedgerKind::Areas => {
                run.start(areas::Areas { core, district, now }).await
            }
            pb::LedgerKind::Boundaries => {
                let system = request.coordinate_system();
                run.start(boundaries::Boundaries { district, now, system }).await
            }
            pb::LedgerKind::Staff => run.start(staff::Staff { core, district, now }).await,
            pb::LedgerKind::Departments => run.start(departments::Departments { district }).await,
            pb::LedgerKind::Categories => run.start(categories::Categories { district }).await,
            pb::LedgerKind::Events => {
                let grants = actors::of(&caller, district);
                let (events, system) = (self.events.clone(), request.coordinate_system());
                let subject = caller.subject.clone();
                run.start(events::Reports { events, district, now, grants, subject, system }).await
            }
        }
    }
}

/// Events are imported by who dispatches them, all else by the district's administrator.
fn allow(caller: &Caller, district: i32, kind: pb::LedgerKind) -> Result<(), Problem> {
    let whole = name::district(district);
    let may = match kind {
        pb::LedgerKind::Events => caller.is(Role::Street) || caller.is(Role::Dispatcher),
        _ => caller.admitted_by.iter().any(|g| g.role == Role::Administrator && g.scope.covers(&whole)),
    };
    if may {
        return Ok(());
    }
    let (zh, en) = match kind {
        pb::LedgerKind::Events => {
            ("事件台账由街道或区县调度员导入", "events are imported by a street or a dispatcher")
        }
        _ => ("此类台账由区县管理员导入", "this ledger is imported by the district's administrator"),
    };
    Err(Problem::new(Code::PermissionDenied, "PERMISSION_DENIED", zh, en))
}

#[tonic::async_trait]
impl ImportService for Imports {
    type ImportRowsStream = News;

    async fn import_rows(&self, request: Request<pb::ImportRowsRequest>) -> Result<Response<News>, Status> {
        let caller = caller::of(&request);
        let request = request.into_inner();
        let district = name::read_district(&request.parent).map_err(Error::from)?;
        allow(&caller, district, request.kind()).map_err(Error::from)?;
        let content = upload::finished(&self.core, &caller, &request.upload, Purpose::Import).await?;
        if content.district != district {
            return Err(Error::NotFound { name: request.upload }.into());
        }
        let file = self.files.fetch(&content).await?;
        Ok(Response::new(self.import(caller, request, file).await?))
    }

    async fn get_import_template(
        &self,
        request: Request<pb::GetImportTemplateRequest>,
    ) -> Result<Response<HttpBody>, Status> {
        Ok(template::of(request.get_ref())?)
    }
}
