//! Templates: a header and an example row, to be filled in.

use jingwei_proto::google::api::HttpBody;
use jingwei_proto::grid::v1 as pb;
use serde_json::json;
use tonic::Response;

use super::columns;
use crate::api::download;
use crate::api::wire::name;
use crate::error::Error;
use crate::ledger::heading::Column;
use crate::ledger::write::{self, Cell, Csv, Xlsx};

/// The template of a kind.
pub(super) fn of(request: &pb::GetImportTemplateRequest) -> Result<Response<HttpBody>, Error> {
    let district = name::read_district(&request.parent)?;
    let kind = request.kind();
    let title = download::title(kind);
    let header: Vec<&str> = columns(kind).iter().map(|column| column.zh).collect();
    let example: Vec<Cell> = columns(kind).iter().map(example).collect();
    let (bytes, form) = match (kind, request.format()) {
        (pb::LedgerKind::Boundaries, _) => (geojson(), download::GEOJSON),
        (_, pb::LedgerFormat::Xlsx) => (workbook(title, &header, &example)?, download::XLSX),
        _ => {
            let mut csv = Csv::new(&header);
            csv.row(&example);
            (csv.take(), download::CSV)
        }
    };
    let body = HttpBody { content_type: form.content_type.to_owned(), data: bytes, extensions: Vec::new() };
    let mut response = Response::new(body);
    download::name(response.metadata_mut(), &format!("{title}模板-{district}"), form);
    Ok(response)
}

fn example(column: &Column) -> Cell {
    Cell::from(column.example)
}

fn workbook(title: &str, header: &[&str], example: &[Cell]) -> Result<Vec<u8>, Error> {
    let failed = |error: write::WriteError| Error::from(jingwei_kit::status::internal(&error));
    let mut book = Xlsx::new(title, header).map_err(failed)?;
    book.row(example).map_err(failed)?;
    let file = book.finish().map_err(failed)?;
    Ok(write::bytes(file).map_err(|error| jingwei_kit::status::internal(&error))?)
}

fn geojson() -> Vec<u8> {
    let ring = json!([[113.38, 34.78], [113.40, 34.78], [113.40, 34.80], [113.38, 34.80], [113.38, 34.78]]);
    let feature = json!({
        "type": "Feature",
        "properties": {"code": "410182002011001"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    });
    json!({"type": "FeatureCollection", "features": [feature]}).to_string().into_bytes()
}
