//! The bars of imports and exports, measured: `cargo test --release -p jingwei-grid --test ledger_bars -- --ignored --nocapture
//! --test-threads 1`. Not part of the suite: minutes, and figures to be read by people. Server and client are this process.

mod common;

use std::time::Instant;

use common::ledger::import_of;
use common::upload::upload;
use common::{DISTRICT, Session, Site};
use futures::{StreamExt, TryStreamExt};
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::export_service_client::ExportServiceClient;
use jingwei_proto::grid::v1::import_rows_response::News;
use jingwei_proto::grid::v1::import_service_client::ImportServiceClient;
use jingwei_proto::grid::v1::upload_service_client::UploadServiceClient;

/// Memory in KiB: now, or the most since `reset`.
fn memory(of: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with(of)).expect("it is there");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number")
}

fn reset() -> u64 {
    std::fs::write("/proc/self/clear_refs", "5").expect("Linux");
    memory("VmRSS:")
}

fn report(what: &str, begun: Instant, before: u64) {
    let (now, peak) = (memory("VmRSS:"), memory("VmHWM:"));
    println!("{what}: {:.1?}, memory before {before} KiB, peak {peak}, after {now}", begun.elapsed());
}

/// Runs an import without keeping what it tells: bad rows with their numbers' sum, and the summary.
async fn run(session: &Session, request: pb::ImportRowsRequest) -> (i64, i64, pb::ImportSummary) {
    let mut news =
        ImportServiceClient::new(session.clone()).import_rows(request).await.expect("begun").into_inner();
    let (mut bad, mut sum, mut summary) = (0, 0, pb::ImportSummary::default());
    while let Some(one) = news.try_next().await.expect("news") {
        match one.news {
            Some(News::BadRow(row)) => {
                assert!(!row.faults.is_empty());
                (bad, sum) = (bad + 1, sum + row.row);
            }
            Some(News::Summary(last)) => summary = last,
            _ => {}
        }
    }
    (bad, sum, summary)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "minutes: see above"]
async fn a_hundred_thousand_rows_come_in() {
    let site = Site::with_areas().await;
    let admin = site.administrator();
    let rows = 100_000;
    let row = |i: i64| {
        let phone = if i % 100 == 50 { "电话".to_owned() } else { format!("0371-{i}") };
        let posting = if i % 500 == 0 { "网格员,410182002011001" } else { "," };
        format!("张{i},{phone},,市直单位,{posting}\n")
    };
    let header = "姓名,值班电话,登录账号,派出单位,岗位,派驻区域\n";
    let file = format!("{header}{}", (0..rows).map(row).collect::<String>());
    let mut uploads = UploadServiceClient::new(admin.clone());
    let name =
        upload(&mut uploads, file.as_bytes(), pb::UploadPurpose::Import, 1 << 20).await.expect("there").name;
    drop(file);
    let numbers: i64 = (0..rows).filter(|i| i % 100 == 50).map(|i| i + 2).sum();
    let skip = pb::ImportRowsRequest { upload: name, ..import_of(pb::LedgerKind::Staff) };
    let all = pb::ImportRowsRequest { mode: pb::ImportMode::AllOrNothing.into(), ..skip.clone() };
    for (what, request, written) in
        [("tried, nothing", all, false), ("the rest", skip.clone(), true), ("again", skip, true)]
    {
        let (before, begun) = (reset(), Instant::now());
        let (bad, sum, summary) = run(&admin, request).await;
        report(&format!("{rows} rows, {bad} bad: {what}"), begun, before);
        assert_eq!(
            (bad, sum, summary.written),
            (rows / 100, numbers, written),
            "every bad row by its number"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "minutes: see above"]
async fn a_million_rows_go_out() {
    let site = Site::with_district().await;
    let event = site.report().await;
    let rows: i64 = std::env::var("ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(1_000_000);
    for _ in 0..rows / 2_000 {
        site.copy(&event, 2_000).await;
    }
    let dispatcher = site.session("dispatcher", &[(Role::Dispatcher, DISTRICT)]);
    let mut exports = ExportServiceClient::new(dispatcher);
    for format in [pb::LedgerFormat::Csv, pb::LedgerFormat::Xlsx] {
        let (before, begun) = (reset(), Instant::now());
        let kind = pb::LedgerKind::Events.into();
        let request = pb::CountExportRowsRequest { parent: DISTRICT.into(), kind, filter: None };
        let counted = exports.count_export_rows(request).await.expect("counted").into_inner();
        println!("counted {} in {:.1?}", counted.rows, begun.elapsed());
        let request =
            pb::ExportRowsRequest { parent: DISTRICT.into(), kind, format: format.into(), filter: None };
        let mut pieces = exports.export_rows(request).await.expect("begun").into_inner();
        let (mut bytes, mut lines) = (0, 0);
        while let Some(piece) = pieces.next().await {
            let data = piece.expect("a piece").data;
            bytes += data.len();
            lines += data.iter().filter(|byte| **byte == b'\n').count() as i64;
        }
        report(&format!("{rows} rows as {format:?}, {bytes} bytes"), begun, before);
        assert!(
            format == pb::LedgerFormat::Xlsx || (lines, counted.rows) == (rows + 2, rows + 1),
            "{lines} lines"
        );
    }
}
