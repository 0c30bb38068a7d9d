//! The month bulletin service: an area's month beside the month before, as data and as a workbook.

use jingwei_kit::clock::Clock;
use jingwei_kit::status::internal;
use jingwei_proto::google::api::HttpBody;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::month_bulletin_service_server::MonthBulletinService;
use sqlx::{PgConnection, PgPool};
use time::{Month, OffsetDateTime};
use tokio_stream::Iter;
use tonic::{Request, Response, Status};

use super::download;
use super::numbers::{self, Facts, Listing, Subject, facts};
use super::statistics::one_moment;
use super::wire::name;
use super::workbook::workbook;
use crate::error::Error;
use crate::model::area::AreaCode;
use crate::model::count::Metric;
use crate::model::period::{Period, first_of, last_of};
use crate::model::rate::ranks;

/// How many categories the bulletin tells of.
const TOP: usize = 10;
/// More areas, departments or categories than any district has.
const ALL: i64 = 10_000;
/// The bytes of one message of a download.
const CHUNK: usize = 256 * 1024;

/// The month bulletin service.
#[derive(Clone)]
pub struct MonthBulletins {
    /// The database.
    pub pool: PgPool,
    /// The time: names are those of now.
    pub clock: Clock,
}

/// The area, the month and the month before, and one moment to read them at.
struct Compiler<'a> {
    conn: &'a mut PgConnection,
    area: AreaCode,
    periods: [Period; 2],
    now: OffsetDateTime,
}

impl MonthBulletins {
    async fn compile(&self, name: &str, month: &str) -> Result<pb::MonthBulletin, Error> {
        let (area, periods) = (name::read_area(name)?, periods(month));
        let (mut moment, now) = (one_moment(&self.pool).await?, self.clock.now());
        let subject = numbers::area(&mut moment, area, now).await?;
        let mut compiler = Compiler { conn: &mut moment, area, periods, now };
        let total = compiler.rows(vec![subject.clone()]).await?.remove(0);
        Ok(pb::MonthBulletin {
            area: subject.name,
            display_name: subject.display_name,
            month: month.to_owned(),
            total: Some(total.write(None)),
            areas: ranked(compiler.list(pb::Dimension::Area).await?),
            departments: ranked(busy(compiler.list(pb::Dimension::Department).await?)),
            top_categories: top(compiler.list(pb::Dimension::Category).await?),
        })
    }
}

/// A subject with its facts of the two months.
struct Row {
    subject: Subject,
    facts: Vec<Facts>,
}

impl Row {
    fn write(&self, rank: Option<usize>) -> pb::MonthBulletinRow {
        pb::MonthBulletinRow {
            rank: rank.and_then(|rank| i32::try_from(rank).ok()).unwrap_or(0),
            current: Some(self.subject.write(&self.facts[0])),
            previous: Some(self.subject.write(&self.facts[1])),
        }
    }

    fn reported(&self) -> i64 {
        self.facts[0].numbers.of(Metric::Reported)
    }
}

impl Compiler<'_> {
    async fn list(&mut self, dimension: pb::Dimension) -> sqlx::Result<Vec<Row>> {
        let listing = Listing { area: self.area, dimension, after: "", limit: ALL, now: self.now };
        let subjects = numbers::list(self.conn, &listing).await?;
        self.rows(subjects).await
    }

    async fn rows(&mut self, subjects: Vec<Subject>) -> sqlx::Result<Vec<Row>> {
        let facts = facts(self.conn, &subjects, &self.periods, self.now, true).await?;
        Ok(subjects.into_iter().zip(facts).map(|(subject, facts)| Row { subject, facts }).collect())
    }
}

/// The month and the one before. Its form was checked before (buf.validate).
fn periods(month: &str) -> [Period; 2] {
    let (year, month) = month.split_once('-').unwrap_or_default();
    let (year, month) = (year.parse().unwrap_or(0), month.parse::<u8>().unwrap_or(1));
    let month = Month::try_from(month).unwrap_or(Month::January);
    let before = if month == Month::January { year - 1 } else { year };
    [(year, month), (before, month.previous())]
        .map(|(year, month)| Period::of(first_of(year, month), last_of(year, month)))
}

/// In the order of their ranks, those without one last.
fn ranked(rows: Vec<Row>) -> Vec<pb::MonthBulletinRow> {
    let rates: Vec<_> =
        rows.iter().map(|row| row.facts[0].numbers.on_time_closing().basis_points()).collect();
    let mut rows: Vec<_> = ranks(&rates).into_iter().zip(rows).collect();
    rows.sort_by_key(|(rank, _)| rank.unwrap_or(usize::MAX));
    rows.into_iter().map(|(rank, row)| row.write(rank)).collect()
}

fn busy(mut rows: Vec<Row>) -> Vec<Row> {
    rows.retain(|row| row.facts.iter().any(|facts| facts.numbers.0.values().any(|count| *count != 0)));
    rows
}

fn top(mut rows: Vec<Row>) -> Vec<pb::MonthBulletinRow> {
    rows.retain(|row| row.reported() > 0);
    rows.sort_by_key(|row| std::cmp::Reverse(row.reported()));
    rows.truncate(TOP);
    rows.into_iter().map(|row| row.write(None)).collect()
}

#[tonic::async_trait]
impl MonthBulletinService for MonthBulletins {
    type ExportMonthBulletinStream = Iter<std::vec::IntoIter<Result<HttpBody, Status>>>;

    async fn get_month_bulletin(
        &self,
        request: Request<pb::GetMonthBulletinRequest>,
    ) -> Result<Response<pb::MonthBulletin>, Status> {
        let request = request.get_ref();
        Ok(Response::new(self.compile(&request.name, &request.month).await?))
    }

    async fn export_month_bulletin(
        &self,
        request: Request<pb::ExportMonthBulletinRequest>,
    ) -> Result<Response<Self::ExportMonthBulletinStream>, Status> {
        let request = request.get_ref();
        let bulletin = self.compile(&request.name, &request.month).await?;
        let bytes = workbook(&bulletin).map_err(|error| Error::from(internal(&error)))?;
        let chunks = bytes.chunks(CHUNK).map(|chunk| {
            let content_type = download::XLSX.content_type.to_owned();
            Ok(HttpBody { content_type, data: chunk.to_vec(), ..Default::default() })
        });
        let name = format!("月通报-{}-{}", bulletin.display_name, bulletin.month);
        let mut response = Response::new(tokio_stream::iter(chunks.collect::<Vec<_>>()));
        download::name(response.metadata_mut(), &name, download::XLSX);
        Ok(response)
    }
}
