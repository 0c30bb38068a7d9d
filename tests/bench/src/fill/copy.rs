//! PostgreSQL's binary COPY format, and the streams that it goes down.

use serde::Serialize;
use sqlx::PgPool;
use time::{Date, OffsetDateTime};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::Error;

/// What a stream begins with: the signature, no flags, no extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What it ends with.
const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();
/// PostgreSQL's times count from 2000.
const EPOCH: Date = time::macros::date!(2000 - 01 - 01);
/// How many bytes are sent at a time.
const CHUNK: usize = 1 << 20;
/// How many chunks wait for a slow table.
const WAITING: usize = 4;

/// Rows of one table on their way.
pub struct Stream {
    bytes: Vec<u8>,
    columns: i16,
    /// How many rows have been begun.
    pub rows: u64,
    out: Option<mpsc::Sender<Vec<u8>>>,
}

impl Stream {
    /// A stream of that many columns into nothing: what is written is counted and forgotten.
    pub fn nowhere(columns: i16) -> Self {
        Self { bytes: Vec::new(), columns, rows: 0, out: None }
    }

    /// A stream into a table, and the task that feeds it there and answers with how many rows arrived.
    pub fn into_table(
        pool: &PgPool,
        table: &'static str,
        columns: &'static str,
    ) -> (Self, tokio::task::JoinHandle<Result<u64, Error>>) {
        let (out, chunks) = mpsc::channel(WAITING);
        let task = tokio::spawn(send(pool.clone(), table, columns, chunks));
        let count = i16::try_from(columns.split(',').count()).expect("few columns");
        let mut stream = Self::nowhere(count);
        stream.out = Some(out);
        (stream, task)
    }

    /// Begins a row; its columns follow in their order. Sends what has gathered: not to be called within the runtime.
    pub fn row(&mut self) {
        if self.bytes.len() >= CHUNK {
            self.flush();
        }
        self.rows += 1;
        self.bytes.extend(self.columns.to_be_bytes());
    }

    /// Sends what has gathered.
    pub fn flush(&mut self) {
        let chunk = std::mem::take(&mut self.bytes);
        match &self.out {
            // Closed only where the table's task has failed, which tells its own error.
            Some(out) => drop(out.blocking_send(chunk)),
            None => self.bytes = chunk,
        }
        self.bytes.clear();
        self.bytes.reserve(CHUNK + CHUNK / 4);
    }

    /// A missing value where there is none.
    pub fn option<T>(&mut self, value: Option<T>, put: impl FnOnce(&mut Self, T)) {
        match value {
            Some(value) => put(self, value),
            None => self.bytes.extend((-1_i32).to_be_bytes()),
        }
    }

    /// `smallint`.
    pub fn int2(&mut self, value: i16) {
        self.raw(&value.to_be_bytes());
    }

    /// `integer`.
    pub fn int4(&mut self, value: i32) {
        self.raw(&value.to_be_bytes());
    }

    /// `bigint`.
    pub fn int8(&mut self, value: i64) {
        self.raw(&value.to_be_bytes());
    }

    /// `double precision`.
    pub fn double(&mut self, value: f64) {
        self.raw(&value.to_be_bytes());
    }

    /// `text`.
    pub fn text(&mut self, value: &str) {
        self.raw(value.as_bytes());
    }

    /// `bytea`, and whatever else is sent as it is.
    pub fn raw(&mut self, value: &[u8]) {
        self.bytes.extend(length(value.len()));
        self.bytes.extend(value);
    }

    /// `uuid`.
    pub fn uuid(&mut self, value: Uuid) {
        self.raw(value.as_bytes());
    }

    /// `timestamptz`.
    pub fn moment(&mut self, value: OffsetDateTime) {
        let micros = (value - EPOCH.midnight().assume_utc()).whole_microseconds();
        self.int8(i64::try_from(micros).expect("within 290,000 years"));
    }

    /// `date`.
    pub fn date(&mut self, value: Date) {
        self.int4(value.to_julian_day() - EPOCH.to_julian_day());
    }

    /// `jsonb`: version 1, then the text.
    pub fn json(&mut self, value: &impl Serialize) {
        let start = self.bytes.len();
        self.bytes.extend([0, 0, 0, 0, 1]);
        serde_json::to_writer(&mut self.bytes, value).expect("the model's values are JSON");
        let written = length(self.bytes.len() - start - 4);
        self.bytes[start..start + 4].copy_from_slice(&written);
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if self.out.is_some() && !self.bytes.is_empty() {
            self.flush();
        }
    }
}

fn length(bytes: usize) -> [u8; 4] {
    i32::try_from(bytes).expect("a value has less than 2 GiB").to_be_bytes()
}

async fn send(
    pool: PgPool,
    table: &'static str,
    columns: &'static str,
    mut chunks: mpsc::Receiver<Vec<u8>>,
) -> Result<u64, Error> {
    let sql = format!("copy {table} ({columns}) from stdin (format binary)");
    let mut connection = pool.acquire().await?;
    let mut copy = connection.copy_in_raw(&sql).await?;
    copy.send(HEADER).await?;
    while let Some(chunk) = chunks.recv().await {
        copy.send(chunk).await?;
    }
    copy.send(&TRAILER[..]).await?;
    Ok(copy.finish().await?)
}
