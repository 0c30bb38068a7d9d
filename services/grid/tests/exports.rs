//! Ledgers go out (导出): what the caller may list, in two formats, and back in again the same.

mod common;

use common::backstage::id;
use common::district::{COMMUNITY, GRID, OTHER_GRID, PESTS};
use common::ledger::{export, import, import_of};
use common::{DISTRICT, Session, Site, area, refusal, wrong_fields};
use futures::StreamExt;
use jingwei_grid::ledger::read;
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::export_service_client::ExportServiceClient;
use std::io::{Seek, Write};
use std::ops::ControlFlow;
use tonic::Code;

fn export_of(kind: pb::LedgerKind) -> pb::ExportRowsRequest {
    pb::ExportRowsRequest { parent: DISTRICT.into(), kind: kind.into(), ..Default::default() }
}

fn as_workbook(request: &pb::ExportRowsRequest) -> pb::ExportRowsRequest {
    pb::ExportRowsRequest { format: pb::LedgerFormat::Xlsx.into(), ..request.clone() }
}

/// The cells of a file, without the header.
fn cells(bytes: &[u8]) -> Vec<Vec<String>> {
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(bytes).expect("written");
    file.rewind().expect("rewound");
    let mut rows = Vec::new();
    read::table(file, &mut |row| {
        rows.push(row.cells);
        ControlFlow::Continue(())
    })
    .expect("a table");
    rows.split_off(1)
}

async fn csv(session: &Session, request: &pb::ExportRowsRequest) -> Vec<Vec<String>> {
    cells(&export(session, request.clone()).await.expect("exported").2)
}

async fn count(session: &Session, request: &pb::ExportRowsRequest) -> (i64, bool) {
    let mut exports = ExportServiceClient::new(session.clone());
    let pb::ExportRowsRequest { parent, kind, filter, .. } = request.clone();
    let counted = exports.count_export_rows(pb::CountExportRowsRequest { parent, kind, filter }).await;
    let counted = counted.expect("counted").into_inner();
    (counted.rows, counted.at_most)
}

#[tokio::test]
async fn what_goes_out_comes_in_again_the_same() {
    let from = Site::with_district().await;
    let admin = from.administrator();
    let staff = "姓名,值班电话,登录账号,派出单位,岗位,派驻区域,派驻开始,计划结束\n\
        张三,+86 371-1,zhang,,网格长,410182002011001,2026-03-01,2027-03-01\n\
        李四,0371-2,,\"=市委\"\"办,公室\",下沉年轻干部,410182002011001,2026/3/1 9:00,\n\
        李四,0371-2,,\"=市委\"\"办,公室\",网格员,410182002011,,\n\
        周八,0371-5,,,,,\n";
    let told = import(&admin, import_of(pb::LedgerKind::Staff), staff.as_bytes()).await.expect("imported");
    assert_eq!(told.counts(), (4, 0, 0, 0, true));
    let departments =
        "code,display_name,kind,duties,served_areas\nwater,自来水公司,public_service,trees;pests,410182002\n";
    import(&admin, import_of(pb::LedgerKind::Departments), departments.as_bytes()).await.expect("imported");
    let to = Site::start().await;
    let target = to.administrator();
    let kinds = [
        pb::LedgerKind::Areas,
        pb::LedgerKind::Categories,
        pb::LedgerKind::Departments,
        pb::LedgerKind::Staff,
    ];
    for (kind, rows) in kinds.into_iter().zip([5, 2, 2, 4]) {
        let request = export_of(kind);
        let (content_type, name, file) = export(&admin, request.clone()).await.expect("exported");
        assert_eq!(content_type, "text/csv; charset=utf-8");
        assert!(
            name.starts_with("attachment; filename*=UTF-8''%E") && name.ends_with("-410182-2026-03-02.csv"),
            "{name}"
        );
        let told = import(&target, import_of(kind), &file).await.expect("imported");
        assert_eq!(told.counts(), (rows, 0, 0, 0, true), "{kind:?} {:?}", told.faults());
        // The postings of one person come in the order of their ids, which are new.
        let again = export(&target, request.clone()).await.expect("exported").2;
        assert_eq!(sorted_lines(&again), sorted_lines(&file), "{kind:?}");
        assert_eq!(count(&target, &request).await, (rows, false));
        let (content_type, _, book) = export(&admin, as_workbook(&request)).await.expect("exported");
        assert!(content_type.ends_with("spreadsheetml.sheet"));
        assert_eq!(cells(&book), cells(&file), "{kind:?}");
        let told = import(&target, import_of(kind), &book).await.expect("imported");
        assert_eq!(told.counts(), (0, 0, rows, 0, true), "{kind:?} {:?}", told.faults());
    }
    let below = pb::LedgerFilter { area: area("410182002011"), ..Default::default() };
    let request = pb::ExportRowsRequest { filter: Some(below), ..export_of(pb::LedgerKind::Staff) };
    assert_eq!((csv(&admin, &request).await.len(), count(&admin, &request).await), (3, (3, false)));
}

#[tokio::test]
async fn events_with_where_they_stand() {
    let site = Site::with_district().await;
    let reporter = pb::Reporter {
        kind: pb::ReporterKind::Resident.into(),
        display_name: "=HYPERLINK(\"x\")".into(),
        phone: "13800005678".into(),
    };
    let request = pb::ReportEventRequest { reporter: Some(reporter), ..site.new_report() };
    let mut worker = site.events(Role::GridWorker, GRID);
    let event = worker.report_event(request).await.expect("reported").into_inner();
    site.clock.advance(time::Duration::days(1));
    site.report().await;
    let dispatcher = site.session("dispatcher", &[(Role::Dispatcher, DISTRICT)]);
    let all = export_of(pb::LedgerKind::Events);
    let (_, _, file) = export(&dispatcher, all.clone()).await.expect("exported");
    let text = String::from_utf8(file.clone()).expect("UTF-8");
    assert!(text.starts_with("\u{FEFF}案件编号,"), "a mark for Excel");
    assert!(text.contains("\"'=HYPERLINK(\"\"x\"\")\"") && !text.contains("13800005678"), "{text}");
    let rows = cells(&file);
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1][0], event.case_number, "newest first");
    assert_eq!((rows[1][11].as_str(), rows[1][13].as_str()), ("已上报", "410182002011001"));
    assert_eq!(cells(&export(&dispatcher, as_workbook(&all)).await.expect("exported").2), rows);
    let on = |from: &str, to: &str| {
        let filter = pb::LedgerFilter { from_date: from.into(), to_date: to.into(), ..Default::default() };
        pb::ExportRowsRequest { filter: Some(filter), ..all.clone() }
    };
    for (request, expected) in [
        (on("2026-03-02", "2026-03-02"), 1),
        (on("2026-03-03", ""), 1),
        (on("", "2026-03-02"), 1),
        (on("2026-03-02", "2026-03-03"), 2),
        (on("2026-03-04", ""), 0),
    ] {
        let found = csv(&dispatcher, &request).await.len();
        assert_eq!(
            (found as i64, count(&dispatcher, &request).await),
            (expected, (expected, false)),
            "{request:?}"
        );
    }
    let closed = pb::LedgerFilter { states: vec![pb::EventState::Closed.into()], ..Default::default() };
    let request = pb::ExportRowsRequest { filter: Some(closed), ..all.clone() };
    assert_eq!((csv(&dispatcher, &request).await.len(), count(&dispatcher, &request).await), (0, (2, true)));
    assert_eq!(wrong_fields(export(&dispatcher, on("2026-02-30", "")).await), ["from_date"]);
}

#[tokio::test]
async fn nobody_exports_what_they_may_not_list() {
    let site = Site::with_district().await;
    site.report().await;
    let all = export_of(pb::LedgerKind::Events);
    let own = site.session("other", &[(Role::GridWorker, OTHER_GRID)]);
    assert_eq!((csv(&own, &all).await.len(), count(&own, &all).await), (0, (0, false)));
    let filter = pb::LedgerFilter { area: COMMUNITY.into(), ..Default::default() };
    let above = pb::ExportRowsRequest { filter: Some(filter), ..all.clone() };
    assert_eq!(refusal(export(&own, above).await).0, Code::PermissionDenied);
    assert_eq!(refusal(export(&site.administrator(), all.clone()).await).0, Code::PermissionDenied);
    let department = site.session("water", &[(Role::Department, "districts/410182/departments/water")]);
    assert_eq!((csv(&department, &all).await.len(), count(&department, &all).await), (0, (0, false)));
}

#[tokio::test]
async fn thousands_of_rows_come_page_by_page_each_once() {
    let site = Site::with_district().await;
    let event = site.report().await;
    site.copy(&event, 3500).await;
    let dispatcher = site.session("dispatcher", &[(Role::Dispatcher, DISTRICT)]);
    let filter = pb::LedgerFilter { category: PESTS.into(), ..Default::default() };
    let request = pb::ExportRowsRequest { filter: Some(filter), ..export_of(pb::LedgerKind::Events) };
    assert_eq!(count(&dispatcher, &request).await, (3501, true));
    let mut exports = ExportServiceClient::new(dispatcher.clone());
    let pieces = exports.export_rows(request.clone()).await.expect("begun").into_inner();
    let pieces: Vec<_> = pieces.map(|piece| piece.expect("a piece").data).collect().await;
    assert!(pieces.len() >= 4 && pieces.iter().all(|p| p.len() < 1 << 20), "in pieces: {}", pieces.len());
    let mut numbers: Vec<_> = cells(&pieces.concat()).into_iter().map(|mut row| row.swap_remove(0)).collect();
    numbers.sort();
    numbers.dedup();
    assert_eq!((numbers.len(), id(&event).is_nil()), (3501, false));
    let book = export(&dispatcher, as_workbook(&request)).await.expect("exported").2;
    assert_eq!(cells(&book).len(), 3501);
}

fn sorted_lines(file: &[u8]) -> Vec<String> {
    let mut lines: Vec<_> = String::from_utf8_lossy(file).lines().map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}
