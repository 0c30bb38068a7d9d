//! The export service: what the caller may list, as a file of any size.

mod columns;
mod rows;

use jingwei_kit::caller::{self, Caller};
use jingwei_kit::status::internal;
use jingwei_proto::google::api::HttpBody;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::export_service_server::ExportService;
use std::fs::File;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use self::rows::Rows;
use super::Core;
use super::download::{self, Form};
use super::wire::name;
use crate::error::Error;
use crate::ledger::write::{Cell, Csv, WriteError, Xlsx};

/// The export service.
#[derive(Clone)]
pub struct Exports(pub Core);

/// A file in pieces.
pub type Pieces = ReceiverStream<Result<HttpBody, Status>>;

/// The least bytes of a piece of CSV, and the bytes of one of a workbook.
const PIECE: usize = 64 << 10;
/// Pieces that wait for a caller who reads slowly.
const WAITING: usize = 8;
/// Pages of rows that wait for the writing of a workbook.
const PAGES: usize = 2;

impl Exports {
    async fn export(
        &self,
        caller: &Caller,
        request: &pb::ExportRowsRequest,
    ) -> Result<Response<Pieces>, Error> {
        let district = name::read_district(&request.parent)?;
        let filter = request.filter.clone().unwrap_or_default();
        let rows = Rows::of(&self.0, caller, district, request.kind(), &filter)?;
        let form = if request.format() == pb::LedgerFormat::Xlsx { download::XLSX } else { download::CSV };
        let title = download::title(request.kind());
        let (sender, receiver) = mpsc::channel(WAITING);
        let out = Out { sender, form };
        tokio::spawn(async move {
            let done = match form {
                download::XLSX => workbook(rows, title, &out).await,
                _ => csv(rows, &out).await,
            };
            if let Err(error) = done {
                // Nobody hears it where the caller is gone.
                let _ = out.sender.send(Err(error.into())).await;
            }
        });
        let mut response = Response::new(Pieces::new(receiver));
        let day = self.0.clock.now().to_offset(jingwei_work_calendar::CHINA_STANDARD_TIME).date();
        download::name(response.metadata_mut(), &format!("{title}-{district}-{day}"), form);
        Ok(response)
    }

    async fn count(
        &self,
        caller: &Caller,
        request: &pb::CountExportRowsRequest,
    ) -> Result<pb::CountExportRowsResponse, Error> {
        let district = name::read_district(&request.parent)?;
        let filter = request.filter.clone().unwrap_or_default();
        let (rows, at_most) = Rows::of(&self.0, caller, district, request.kind(), &filter)?.count().await?;
        Ok(pb::CountExportRowsResponse { rows, at_most })
    }
}

/// Where the pieces go.
struct Out {
    sender: mpsc::Sender<Result<HttpBody, Status>>,
    form: Form,
}

impl Out {
    /// Hands on a piece; false where nobody listens any more.
    async fn send(&self, data: Vec<u8>) -> bool {
        let body = HttpBody { content_type: self.form.content_type.to_owned(), data, extensions: Vec::new() };
        self.sender.send(Ok(body)).await.is_ok()
    }
}

/// Writes CSV as the rows are read.
async fn csv(mut rows: Rows, out: &Out) -> Result<(), Error> {
    let mut csv = Csv::new(&rows.header());
    loop {
        let page = rows.next().await?;
        for row in &page {
            csv.row(row);
        }
        let is_due = csv.len() >= PIECE || (page.is_empty() && !csv.is_empty());
        let is_heard = !is_due || out.send(csv.take()).await;
        if page.is_empty() || !is_heard {
            return Ok(());
        }
    }
}

/// Puts a workbook together on a thread of its own, then hands it on.
async fn workbook(mut rows: Rows, title: &'static str, out: &Out) -> Result<(), Error> {
    let (sender, receiver) = mpsc::channel::<Vec<Vec<Cell>>>(PAGES);
    let header = rows.header();
    let writing = tokio::task::spawn_blocking(move || write(title, &header, receiver));
    loop {
        let page = rows.next().await?;
        // The writer is gone where it has failed: its answer says why.
        if page.is_empty() || out.sender.is_closed() || sender.send(page).await.is_err() {
            break;
        }
    }
    drop(sender);
    let written = writing.await.map_err(|panic| internal(&panic))?;
    let mut file = tokio::fs::File::from_std(written.map_err(|error| internal(&error))?);
    loop {
        let mut piece = Vec::with_capacity(PIECE);
        let read = tokio::io::AsyncReadExt::read_buf(&mut file, &mut piece).await;
        if read.map_err(|error| internal(&error))? == 0 || !out.send(piece).await {
            return Ok(());
        }
    }
}

fn write(
    title: &str,
    header: &[&str],
    mut pages: mpsc::Receiver<Vec<Vec<Cell>>>,
) -> Result<File, WriteError> {
    let mut book = Xlsx::new(title, header)?;
    while let Some(page) = pages.blocking_recv() {
        for row in &page {
            book.row(row)?;
        }
    }
    book.finish()
}

#[tonic::async_trait]
impl ExportService for Exports {
    type ExportRowsStream = Pieces;

    async fn export_rows(&self, request: Request<pb::ExportRowsRequest>) -> Result<Response<Pieces>, Status> {
        Ok(self.export(&caller::of(&request), request.get_ref()).await?)
    }

    async fn count_export_rows(
        &self,
        request: Request<pb::CountExportRowsRequest>,
    ) -> Result<Response<pb::CountExportRowsResponse>, Status> {
        Ok(Response::new(self.count(&caller::of(&request), request.get_ref()).await?))
    }
}
