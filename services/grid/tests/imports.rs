//! Ledgers come in (导入): every bad row told, all or nothing or the rest, and the same file twice changes nothing.

mod common;

use common::district::{GRID, STREET};
use common::ledger::{import, import_of, run, workbook};
use common::upload::upload;
use common::{DISTRICT, Session, Site, area, refusal, request_id};
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::area_service_client::AreaServiceClient;
use jingwei_proto::grid::v1::category_service_client::CategoryServiceClient;
use jingwei_proto::grid::v1::department_service_client::DepartmentServiceClient;
use jingwei_proto::grid::v1::event_service_client::EventServiceClient;
use jingwei_proto::grid::v1::import_service_client::ImportServiceClient;
use jingwei_proto::grid::v1::staff_service_client::StaffServiceClient;
use jingwei_proto::grid::v1::upload_service_client::UploadServiceClient;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tonic::Code;

fn all_or_nothing(kind: pb::LedgerKind) -> pb::ImportRowsRequest {
    pb::ImportRowsRequest { mode: pb::ImportMode::AllOrNothing.into(), ..import_of(kind) }
}

async fn area_names(session: &Session) -> Vec<(String, String)> {
    let mut areas = AreaServiceClient::new(session.clone());
    let request = pb::ListAreasRequest { parent: DISTRICT.into(), page_size: 200, ..Default::default() };
    let found = areas.list_areas(request).await.expect("a page").into_inner().areas;
    found
        .into_iter()
        .map(|a| (a.name.rsplit('/').next().unwrap_or_default().to_owned(), a.display_name))
        .collect()
}

const AREAS: &str = "区域代码,名称,服务电话\n\
    410182,荥阳市,\n\
    410182002,京城路街道,0371-64600001\n\
    410182002011,永安街社区,12x\n\
    410182002011001,第一网格,\n\
    4101830,别处,\n\
    410183,新密市,\n\
    410182003,,\n";

#[tokio::test]
async fn good_rows_are_written_and_bad_ones_told() {
    let site = Site::start().await;
    let admin = site.administrator();
    let told = import(&admin, import_of(pb::LedgerKind::Areas), AREAS.as_bytes()).await.expect("imported");
    insta::assert_snapshot!(told.faults().join("\n"), @"
    4: 服务电话 [12x] must match ^[0-9+() -]{0,20}$
    5: 区域代码 [410182002011001] the area above, 410182002011, does not exist: create it first
    6: 区域代码 [4101830] an area code has 6, 9, 12, 15 or 18 digits, not 7 characters
    7: 区域代码 [410183] must be of the district 410182
    8: 名称 [] must not be empty
    ");
    assert_eq!(told.counts(), (2, 0, 0, 5, true));
    assert_eq!(told.progress.last().map(|p| (p.rows, p.good_rows, p.bad_rows)), Some((7, 2, 5)));
    let names = area_names(&admin).await;
    assert_eq!(names, [("410182".into(), "荥阳市".into()), ("410182002".into(), "京城路街道".into())]);
    let again = import(&admin, import_of(pb::LedgerKind::Areas), AREAS.as_bytes()).await.expect("imported");
    assert_eq!(again.counts(), (0, 0, 2, 5, true));
    let changed = AREAS.replace("京城路街道", "京城路").replace("12x", "12");
    let again = import(&admin, import_of(pb::LedgerKind::Areas), changed.as_bytes()).await.expect("imported");
    assert_eq!(again.counts(), (2, 1, 1, 3, true));
}

#[tokio::test]
async fn all_rows_or_none() {
    let site = Site::start().await;
    let admin = site.administrator();
    let request = all_or_nothing(pb::LedgerKind::Areas);
    let told = import(&admin, request.clone(), AREAS.as_bytes()).await.expect("tried");
    assert_eq!(told.counts(), (2, 0, 0, 5, false));
    assert!(area_names(&admin).await.is_empty());
    let good = "code,display name\n410182,荥阳市\n410182002,京城路街道\n";
    let dry = pb::ImportRowsRequest { dry_run: true, ..request.clone() };
    assert_eq!(import(&admin, dry, good.as_bytes()).await.expect("tried").counts(), (2, 0, 0, 0, false));
    assert!(area_names(&admin).await.is_empty());
    let mut uploads = UploadServiceClient::new(admin.clone());
    let file =
        upload(&mut uploads, good.as_bytes(), pb::UploadPurpose::Import, 1 << 20).await.expect("there");
    let request = pb::ImportRowsRequest { upload: file.name, request_id: request_id(), ..request };
    let first = run(&admin, request.clone()).await.expect("imported");
    assert_eq!(first.counts(), (2, 0, 0, 0, true));
    let repeated = run(&admin, request.clone()).await.expect("answered");
    assert_eq!((repeated.summary, repeated.progress.len()), (first.summary, 0), "the first answer");
    let new =
        run(&admin, pb::ImportRowsRequest { request_id: String::new(), ..request }).await.expect("imported");
    assert_eq!(new.counts(), (0, 0, 2, 0, true));
}

/// A district with areas, categories and departments that were imported.
async fn furnished() -> Site {
    let site = Site::with_areas().await;
    let admin = site.administrator();
    let categories = workbook(&[
        &["类别代码", "大类代码", "名称", "处置时限", "立案条件", "停用"],
        &["water", "", "供水", "", "", ""],
        &["burst-pipe", "water", "水管爆裂", "2 工作日", "fenced|有围挡|处置=8 急时;unfenced|无围挡", "否"],
    ]);
    let told = import(&admin, import_of(pb::LedgerKind::Categories), &categories).await.expect("imported");
    assert_eq!(told.counts(), (2, 0, 0, 0, true));
    let departments = "部门代码\t名称\t类型\t职责类别\t服务区域\nwater-co\t自来水公司\t公共服务单位\twater；burst-pipe\t410182002\n";
    let (gb18030, _, _) = encoding_rs::GB18030.encode(departments);
    let told = import(&admin, import_of(pb::LedgerKind::Departments), &gb18030).await.expect("imported");
    assert_eq!(told.counts(), (1, 0, 0, 0, true));
    site.load_calendar().await;
    site
}

#[tokio::test]
async fn categories_and_departments() {
    let site = furnished().await;
    let admin = site.administrator();
    let mut categories = CategoryServiceClient::new(admin.clone());
    let name = format!("{DISTRICT}/categories/burst-pipe");
    let found = categories.get_category(pb::GetCategoryRequest { name }).await.expect("there").into_inner();
    let hours = pb::Limit { unit: pb::TimeUnit::EmergencyHours.into(), amount: 480 };
    assert_eq!(found.conditions[0].limits.and_then(|l| l.handle), Some(hours));
    assert_eq!(
        (found.conditions[1].code.as_str(), found.parent_category.ends_with("/water")),
        ("unfenced", true)
    );
    let mut departments = DepartmentServiceClient::new(admin.clone());
    let name = format!("{DISTRICT}/departments/water-co");
    let found =
        departments.get_department(pb::GetDepartmentRequest { name }).await.expect("there").into_inner();
    assert_eq!((found.duties.len(), &found.served_areas), (2, &vec![area("410182002")]));
    assert_eq!(found.kind(), pb::DepartmentKind::PublicService);
    let bad = "code,parent,display_name,handle_limit,conditions,retired\n\
        burst-pipe,,水管爆裂,5 天,x|y|z,maybe\nsub,burst-pipe,三级,,,\nBad Code,water,名,,,\nnew,nowhere,名,,,\n,,,,,\n,water,,,,\n";
    let told = import(&admin, import_of(pb::LedgerKind::Categories), bad.as_bytes()).await.expect("read");
    insta::assert_snapshot!(told.faults().join("\n"), @r#"
    2: handle_limit [5 天] must look like 5 working days, 1.5 working hours or 3 emergency hours; conditions [x|y|z] must look like code|name|handle=8 emergency hours, with ; between conditions; retired [maybe] must be one of: yes, no, true, false; parent [] the category belongs elsewhere, and stays there
    3: parent [burst-pipe] what parent_category refers to does not exist
    4: code [Bad Code] a code is 1 to 40 of a-z, 0-9 and -
    5: parent [nowhere] what parent_category refers to does not exist
    7: code [] must not be empty; display_name [] must not be empty
    "#);
    let bad = "code,display_name,kind,duty_phone,duties,served_areas\n\
        a,甲,别的,x,none;Bad,410182999;4101\nb,乙,government,,water,410182002\n";
    let told = import(&admin, import_of(pb::LedgerKind::Departments), bad.as_bytes()).await.expect("read");
    insta::assert_snapshot!(told.faults().join("\n"), @r#"
    2: duties [none;Bad] a code is 1 to 40 of a-z, 0-9 and -; served_areas [410182999;4101] an area code has 6, 9, 12, 15 or 18 digits, not 4 characters; kind [别的] must be one of: government, public_service; duty_phone [x] must match ^[0-9+() -]{0,20}$
    "#);
    assert_eq!(told.counts(), (1, 0, 0, 1, true));
}

const STAFF: &str = "姓名,值班电话,登录账号,派出单位,岗位,派驻区域,派驻开始\n\
    张三,0371-1,zhang,,网格长,410182002011001,2026-03-01\n\
    李四,0371-2,,市委办,下沉年轻干部,410182002011001,2026/3/1 9:00\n\
    李四,0371-2,,市委办,网格员,410182002011,\n\
    王五,0371-3,,,网格长,410182002011001,\n\
    赵六,0371-4,,,网格员,410182009,\n\
    孙七,电话,,,网格员,,\n\
    周八,0371-5,,,,,\n";

#[tokio::test]
async fn people_and_their_postings() {
    let site = Site::with_areas().await;
    let admin = site.administrator();
    let told = import(&admin, import_of(pb::LedgerKind::Staff), STAFF.as_bytes()).await.expect("imported");
    insta::assert_snapshot!(told.faults().join("\n"), @r#"
    5: 岗位 [网格长] the area has a chief: end that posting first
    6: 派驻区域 [410182009] what area refers to does not exist
    7: 派驻区域 [] must not be empty; 值班电话 [] must match ^[0-9+() -]{0,20}$
    "#);
    assert_eq!(told.counts(), (4, 0, 0, 3, true));
    let again = import(&admin, import_of(pb::LedgerKind::Staff), STAFF.as_bytes()).await.expect("imported");
    assert_eq!(again.counts(), (0, 0, 4, 3, true));
    let mut staff = StaffServiceClient::new(admin.clone());
    let request = pb::ListPostingsRequest { parent: DISTRICT.into(), ..Default::default() };
    assert_eq!(staff.list_postings(request).await.expect("a page").into_inner().postings.len(), 3);
    let moved = "display name,duty phone,subject\n张三,0371-9,zhang\n";
    let told = import(&admin, import_of(pb::LedgerKind::Staff), moved.as_bytes()).await.expect("imported");
    assert_eq!(told.counts(), (0, 1, 0, 0, true));
    let mut cards =
        jingwei_proto::grid::v1::contact_card_service_client::ContactCardServiceClient::new(admin);
    let request = pb::GetContactCardRequest { name: format!("{GRID}/contactCard") };
    let card = cards.get_contact_card(request).await.expect("there").into_inner();
    let people: Vec<_> =
        card.people.iter().map(|p| (p.display_name.as_str(), p.duty_phone.as_str())).collect();
    assert_eq!(people, [("张三", "0371-9"), ("李四", "0371-2")], "the card follows");
}

#[tokio::test]
async fn two_imports_at_once_make_nobody_twice() {
    let site = Site::with_areas().await;
    let admin = site.administrator();
    let people: String = (0..300).map(|i| format!("人{i},0371-{i},网格员,410182002011001\n")).collect();
    let file = format!("姓名,值班电话,岗位,派驻区域\n{people}");
    let calls = (0..4).map(|_| import(&admin, import_of(pb::LedgerKind::Staff), file.as_bytes()));
    let created: i64 = futures::future::join_all(calls)
        .await
        .into_iter()
        .map(|told| told.expect("imported").counts().0)
        .sum();
    assert_eq!(created, 300);
    let pool = site.pool().await;
    let rows: i64 =
        sqlx::query_scalar("select count(*) from posting").fetch_one(&pool).await.expect("counted");
    assert_eq!(rows, 300);
    let gap: i64 = sqlx::query_scalar(
        "select h.seq - count(*) from feed_head h left join outbox o using (district) group by h.seq",
    )
    .fetch_one(&pool)
    .await
    .expect("counted");
    assert_eq!(gap, 0, "the feed is dense");
}

#[tokio::test]
async fn boundaries_come_as_geojson() {
    let site = Site::with_areas().await;
    let admin = site.administrator();
    let square = |code: &str, left: f64| {
        let right = left + 0.1;
        format!(
            r#"{{"type": "Feature", "properties": {{"code": "{code}"}}, "geometry": {{"type": "Polygon",
            "coordinates": [[[{left}, 34.7], [{right}, 34.7], [{right}, 34.8], [{left}, 34.8], [{left}, 34.7]]]}}}}"#
        )
    };
    let features = [
        square("410182002", 113.3),
        square("410182099", 113.4),
        square("410182", 200.0),
        r#"{"geometry": null}"#.into(),
    ];
    let file = format!(r#"{{"type": "FeatureCollection", "features": [{}]}}"#, features.join(","));
    let told =
        import(&admin, import_of(pb::LedgerKind::Boundaries), file.as_bytes()).await.expect("imported");
    insta::assert_snapshot!(told.faults().join("\n"), @r#"
    2: code [410182099] districts/410182/areas/410182099 does not exist, or is not yours to see
    3: boundary [{"coordinates":[[[200,34.7],[200.1,34.7]…] must be a GeoJSON Polygon or MultiPolygon with closed rings of four positions or more, in range
    4: code [] must not be empty; boundary [] must not be empty
    "#);
    assert_eq!(told.counts(), (0, 1, 0, 3, true));
    let again =
        import(&admin, import_of(pb::LedgerKind::Boundaries), file.as_bytes()).await.expect("imported");
    assert_eq!(again.counts(), (0, 0, 1, 3, true));
    let point = Some(pb::Point { latitude: 34.75, longitude: 113.35 });
    let request = pb::LocatePointRequest { parent: DISTRICT.into(), point, ..Default::default() };
    let found = site.areas().locate_point(request).await.expect("located").into_inner();
    assert_eq!(found.area.expect("an area").name, STREET);
}

const EVENTS: &str = "台账编号,类别代码,立案条件,区域代码,地址,描述,上报时间,上报人类型,上报人,上报人电话\n\
    2026-1,burst-pipe,fenced,410182002011001,永安街,水管爆裂,2026-02-27 10:00,居民,王五,13800005678\n\
    ,burst-pipe,,410182002011,,积水,,,,\n\
    2026-3,water,,410182002011001,,大类,,,,\n\
    2026-4,burst-pipe,other,410182002011001,,条件,,,,\n\
    2026-5,burst-pipe,,410182009,,没有这里,2027-01-01,匿名,名字,1\n\
    2026-6,burst-pipe,,,,,昨天,,,\n";

#[tokio::test]
async fn events_on_paper_become_reports() {
    let site = furnished().await;
    let dispatcher = site.session("dispatcher", &[(Role::Dispatcher, DISTRICT)]);
    let request = import_of(pb::LedgerKind::Events);
    let told = import(&dispatcher, request.clone(), EVENTS.as_bytes()).await.expect("imported");
    insta::assert_snapshot!(told.faults().join("\n"), @r#"
    4: 类别代码 [water] category water is a main category or retired: report under one of its sub-categories
    5: 立案条件 [other] must be one of: fenced, unfenced
    6: 上报时间 [2027-01-01] must not be in the future; 上报人 [] must be empty in an anonymous report; 上报人电话 [] must be empty in an anonymous report; 区域代码 [410182009] what area refers to does not exist
    7: 上报时间 [昨天] must look like 2026-03-02 09:30 (UTC+8), or a date alone; 描述 [] must not be empty; 区域代码 [] an area or a point must be given
    "#);
    assert_eq!(told.counts(), (2, 0, 0, 4, true));
    let again = import(&dispatcher, request.clone(), EVENTS.as_bytes()).await.expect("imported");
    assert_eq!(again.counts(), (0, 0, 2, 4, true));
    let other = EVENTS.replace("水管爆裂", "另一件事");
    let told = import(&dispatcher, request, other.as_bytes()).await.expect("imported");
    assert_eq!(told.counts(), (0, 0, 1, 5, true), "a number is one event");
    let mut events = EventServiceClient::new(dispatcher);
    let request = pb::ListEventsRequest { parent: DISTRICT.into(), ..Default::default() };
    let found = events.list_events(request).await.expect("a page").into_inner().events;
    let days: Vec<_> = found.iter().map(|e| e.case_number.split('-').nth(1).unwrap_or_default()).collect();
    assert_eq!(days, ["20260302", "20260227"], "numbered by the day of the report");
    assert!(!format!("{found:?}").contains("13800005678"));
}

#[tokio::test]
async fn who_may_import_what() {
    let site = furnished().await;
    let street = site.session("street", &[(Role::Street, STREET)]);
    let refused = import(&street, import_of(pb::LedgerKind::Areas), AREAS.as_bytes()).await;
    assert_eq!(refusal(refused), (Code::PermissionDenied, "PERMISSION_DENIED".into()));
    let admin = site.administrator();
    let refused = import(&admin, import_of(pb::LedgerKind::Events), EVENTS.as_bytes()).await;
    assert_eq!(refusal(refused), (Code::PermissionDenied, "PERMISSION_DENIED".into()));
    let mut uploads = UploadServiceClient::new(admin);
    let file =
        upload(&mut uploads, EVENTS.as_bytes(), pb::UploadPurpose::Import, 1 << 20).await.expect("there");
    let request = pb::ImportRowsRequest { upload: file.name, ..import_of(pb::LedgerKind::Events) };
    assert_eq!(
        refusal(run(&street, request).await),
        (Code::NotFound, "NOT_FOUND".into()),
        "another's upload"
    );
    let elsewhere = site.session("far", &[(Role::Street, "districts/410182/areas/410182003")]);
    let told = import(&elsewhere, import_of(pb::LedgerKind::Events), EVENTS.as_bytes()).await.expect("read");
    assert_eq!(told.counts(), (0, 0, 0, 6, true), "the rows lie outside of the street's area");
}

#[tokio::test]
async fn what_is_no_table_is_refused() {
    let site = Site::start().await;
    let admin = site.administrator();
    for (file, reason) in [
        ("名称,电话\n", "LEDGER_COLUMNS"),
        ("区域代码,名称,名称\n", "LEDGER_COLUMNS"),
        (",,\n", "LEDGER_COLUMNS"),
    ] {
        let refused = import(&admin, import_of(pb::LedgerKind::Areas), file.as_bytes()).await;
        assert_eq!(refusal(refused), (Code::InvalidArgument, reason.into()), "{file}");
    }
    let refused = import(&admin, import_of(pb::LedgerKind::Boundaries), AREAS.as_bytes()).await;
    assert_eq!(refusal(refused), (Code::InvalidArgument, "LEDGER_UNREADABLE".into()));
}

#[tokio::test]
async fn of_thousands_of_rows_each_bad_one_is_named() {
    let site = Site::with_areas().await;
    let admin = site.administrator();
    let row = |i: usize| match i % 100 {
        7 => format!("410182002011{:03},,x\n", i % 1000),
        _ => format!("410182002011{:03}{:03},微网格{i},\n", 1 + i / 1000, i % 1000),
    };
    let file = format!("区域代码,名称,服务电话\n{}", (0..5000).map(row).collect::<String>());
    // Their base grids: the first one is there.
    let grids: String = (2..6).map(|i| format!("410182002011{i:03},网格{i}\n")).collect();
    import(&admin, import_of(pb::LedgerKind::Areas), format!("code,display_name\n{grids}").as_bytes())
        .await
        .expect("imported");
    let told = import(&admin, all_or_nothing(pb::LedgerKind::Areas), file.as_bytes()).await.expect("tried");
    assert_eq!(told.counts(), (4950, 0, 0, 50, false));
    let told = import(&admin, import_of(pb::LedgerKind::Areas), file.as_bytes()).await.expect("imported");
    assert_eq!(told.counts(), (4950, 0, 0, 50, true));
    let numbers: Vec<_> = told.bad_rows.iter().map(|row| row.row).collect();
    assert_eq!(numbers, (0..50).map(|i| i * 100 + 9).collect::<Vec<_>>());
    assert!(told.bad_rows.iter().all(|row| row.faults.len() == 2), "all that is wrong with a row");
    let good: String =
        file.lines().filter(|line| !line.ends_with('x')).map(|line| format!("{line}\n")).collect();
    let told =
        import(&admin, all_or_nothing(pb::LedgerKind::Areas), good.replace("微网格", "微格").as_bytes())
            .await;
    assert_eq!(told.expect("imported").counts(), (0, 4950, 0, 0, true));
    let pool = site.pool().await;
    let (told, seq): (i64, i64) = sqlx::query_as("select (select count(*) from outbox), seq from feed_head")
        .fetch_one(&pool)
        .await
        .expect("counted");
    assert_eq!((told, seq), (4 + 4 + 2 * 4950, told), "the feed tells of each, without a gap");
    let kept: i64 =
        sqlx::query_scalar("select count(*) from import_feed").fetch_one(&pool).await.expect("counted");
    assert_eq!(kept, 0);
}

#[tokio::test]
async fn a_template_can_be_imported() {
    let site = furnished().await;
    let admin = site.administrator();
    let mut imports = ImportServiceClient::new(admin.clone());
    for kind in [
        pb::LedgerKind::Areas,
        pb::LedgerKind::Staff,
        pb::LedgerKind::Departments,
        pb::LedgerKind::Categories,
    ] {
        for format in [pb::LedgerFormat::Csv, pb::LedgerFormat::Xlsx] {
            let request = pb::GetImportTemplateRequest {
                parent: DISTRICT.into(),
                kind: kind.into(),
                format: format.into(),
            };
            let answer = imports.get_import_template(request).await.expect("a template");
            assert!(answer.metadata().get("content-disposition").is_some());
            let file = answer.into_inner().data;
            let dry = pb::ImportRowsRequest { dry_run: true, ..import_of(kind) };
            let told =
                import(&admin, dry, &file).await.unwrap_or_else(|e| panic!("{kind:?} {format:?}: {e}"));
            assert_eq!(told.summary.rows, 1, "{kind:?} {format:?}");
        }
    }
}

#[tokio::test]
async fn no_file_is_a_fault_of_ours() {
    let site = furnished().await;
    let dispatcher = site.session("both", &[(Role::Dispatcher, DISTRICT), (Role::Administrator, DISTRICT)]);
    let mut runner = TestRunner::deterministic();
    let kinds = [
        pb::LedgerKind::Areas,
        pb::LedgerKind::Staff,
        pb::LedgerKind::Departments,
        pb::LedgerKind::Categories,
        pb::LedgerKind::Events,
    ];
    let cell = prop_oneof![
        "[\"',;；|=\r\n\t 中]{0,5}",
        "\\PC{0,10}",
        "410182(002){0,4}",
        "[a-z-]{1,50}",
        "[0-9./: -]{0,20}",
        "是|网格员|government|water|burst-pipe",
        Just("\u{0}\u{7f}".to_owned()),
    ];
    let rows = proptest::collection::vec(proptest::collection::vec(cell, 0..14), 1..30);
    for round in 0..60 {
        let kind = kinds[round % kinds.len()];
        let header =
            jingwei_grid::api::import::columns(kind).iter().map(|c| c.zh).collect::<Vec<_>>().join(",");
        let rows = rows.new_tree(&mut runner).expect("a value").current();
        let body: String = rows.iter().map(|row| row.join(",") + "\n").collect();
        let mut file = format!("{header}\n{body}").into_bytes();
        if round % 3 == 0 {
            let at = round * 7 % file.len();
            file[at] = 0xFF;
        }
        let mode = if round % 2 == 0 { pb::ImportMode::AllOrNothing } else { pb::ImportMode::SkipBadRows };
        let request = pb::ImportRowsRequest { mode: mode.into(), ..import_of(kind) };
        match import(&dispatcher, request, &file).await {
            Ok(told) => assert_eq!(told.counts().3 as usize, told.bad_rows.len()),
            Err(status) => assert!(
                [Code::InvalidArgument, Code::FailedPrecondition].contains(&status.code()),
                "{status}: {}",
                String::from_utf8_lossy(&file)
            ),
        }
    }
}
