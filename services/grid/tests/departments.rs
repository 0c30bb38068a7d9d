//! Departments (职能部门) through the API.

mod common;

use common::{DISTRICT, Site, area, mask, metadata, refusal, request_id, wrong_fields};
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::category_service_client::CategoryServiceClient;
use jingwei_proto::grid::v1::department_service_client::DepartmentServiceClient;
use tonic::Code;

fn name(code: &str) -> String {
    format!("{DISTRICT}/departments/{code}")
}

fn category(code: &str) -> String {
    format!("{DISTRICT}/categories/{code}")
}

fn water() -> pb::Department {
    pb::Department {
        name: name("water"),
        display_name: "自来水公司".into(),
        kind: pb::DepartmentKind::PublicService.into(),
        duty_phone: "0371-64600110".into(),
        ..Default::default()
    }
}

fn create(department: pb::Department) -> pb::CreateDepartmentRequest {
    pb::CreateDepartmentRequest {
        parent: DISTRICT.into(),
        department: Some(department),
        request_id: String::new(),
    }
}

/// A server with areas and the categories pipes ⊃ burst-pipe and green.
async fn start() -> (Site, DepartmentServiceClient<common::Session>) {
    let site = Site::with_areas().await;
    let mut categories = CategoryServiceClient::new(site.administrator());
    for (code, parent) in [("pipes", ""), ("burst-pipe", "pipes"), ("green", "")] {
        let parent_category = if parent.is_empty() { String::new() } else { category(parent) };
        let new = pb::Category {
            name: category(code),
            parent_category,
            display_name: code.into(),
            ..Default::default()
        };
        let request = pb::CreateCategoryRequest {
            parent: DISTRICT.into(),
            category: Some(new),
            request_id: String::new(),
        };
        categories.create_category(request).await.expect("created");
    }
    let departments = DepartmentServiceClient::new(site.administrator());
    (site, departments)
}

#[tokio::test]
async fn a_department_is_created_read_and_changed() {
    let (_site, mut departments) = start().await;
    let duties = vec![category("pipes")];
    let wanted = pb::Department { duties: duties.clone(), served_areas: vec![area("410182002")], ..water() };
    let request = pb::CreateDepartmentRequest { request_id: request_id(), ..create(wanted.clone()) };
    let created = departments.create_department(request.clone()).await.expect("created").into_inner();
    assert_eq!(created, pb::Department { etag: created.etag.clone(), ..wanted });
    assert_eq!(departments.create_department(request).await.expect("repeated").into_inner(), created);
    let request = pb::GetDepartmentRequest { name: name("water") };
    assert_eq!(departments.get_department(request).await.expect("there").into_inner(), created);
    let wanted =
        pb::Department { display_name: "供水公司".into(), duties: Vec::new(), ..created.clone() };
    let request = pb::UpdateDepartmentRequest {
        department: Some(wanted.clone()),
        update_mask: mask(&["display_name"]),
        request_id: String::new(),
    };
    let changed = departments.update_department(request.clone()).await.expect("changed").into_inner();
    assert_eq!(
        (changed.display_name.as_str(), &changed.duties),
        ("供水公司", &duties),
        "duties are not in the mask"
    );
    assert_ne!(changed.etag, created.etag);
    let stale = departments.update_department(request).await;
    assert_eq!(refusal(stale), (Code::Aborted, "ETAG_MISMATCH".into()));
    let request = pb::UpdateDepartmentRequest {
        department: Some(pb::Department { etag: String::new(), ..wanted }),
        ..Default::default()
    };
    let changed =
        departments.update_department(request).await.expect("no mask is all, no etag is any").into_inner();
    assert!(changed.duties.is_empty());
}

#[tokio::test]
async fn departments_are_found_by_what_they_answer_for() {
    let (_site, mut departments) = start().await;
    for (code, duty) in [("water", "pipes"), ("repairs", "burst-pipe"), ("garden", "green")] {
        let wanted = pb::Department { name: name(code), duties: vec![category(duty)], ..water() };
        departments.create_department(create(wanted)).await.expect("created");
    }
    let mut found = async |category: &str, page_size: i32, page_token: &str| {
        let request = pb::ListDepartmentsRequest {
            parent: DISTRICT.into(),
            category: category.into(),
            page_size,
            page_token: page_token.into(),
        };
        let page = departments.list_departments(request).await.expect("a page").into_inner();
        (page.departments.into_iter().map(|d| d.name).collect::<Vec<_>>(), page.next_page_token)
    };
    assert_eq!(found(&category("burst-pipe"), 0, "").await.0, [name("repairs"), name("water")]);
    assert_eq!(found(&category("pipes"), 0, "").await.0, [name("water")]);
    assert_eq!(found(&category("green"), 0, "").await.0, [name("garden")]);
    let (first, token) = found("", 2, "").await;
    assert_eq!(first, [name("garden"), name("repairs")]);
    assert_eq!(found("", 2, &token).await, (vec![name("water")], String::new()));
}

#[tokio::test]
async fn what_does_not_fit_is_refused() {
    let (_site, mut departments) = start().await;
    let lost = pb::Department { duties: vec![category("none")], ..water() };
    let nowhere = pb::Department { served_areas: vec![area("410182099")], ..water() };
    for (wanted, field) in [(lost, "department.duties"), (nowhere, "department.served_areas")] {
        let refused = departments.create_department(create(wanted.clone())).await;
        assert_eq!(refusal(refused), (Code::FailedPrecondition, "REFERENCE_MISSING".into()));
        let refused = departments.create_department(create(wanted)).await;
        assert_eq!(metadata(refused, "field").as_deref(), Some(field));
    }
    let wanted = pb::Department {
        name: "districts/410183/departments/water".into(),
        duties: vec!["districts/410183/categories/pipes".into()],
        served_areas: vec![area("410182"), "districts/410183/areas/410183".into()],
        ..water()
    };
    let fields = ["department.name", "department.duties[0]", "department.served_areas[1]"];
    assert_eq!(wrong_fields(departments.create_department(create(wanted)).await), fields);
    let unnamed = pb::Department { name: String::new(), ..water() };
    assert_eq!(wrong_fields(departments.create_department(create(unnamed)).await), ["department.name"]);
    let nobody = departments.get_department(pb::GetDepartmentRequest { name: name("nobody") }).await;
    assert_eq!(refusal(nobody), (Code::NotFound, "NOT_FOUND".into()));
    let request = pb::UpdateDepartmentRequest {
        department: Some(water()),
        update_mask: mask(&["name", "kind", "code"]),
        request_id: String::new(),
    };
    let fields = wrong_fields(departments.update_department(request).await);
    assert_eq!(fields, ["update_mask", "update_mask"], "one for each path");
}

#[tokio::test]
async fn a_code_is_given_once() {
    let (site, _) = start().await;
    let twins = (0..6).map(|_| {
        let mut departments = DepartmentServiceClient::new(site.administrator());
        tokio::spawn(async move { departments.create_department(create(water())).await })
    });
    let mut created = 0;
    for twin in futures::future::join_all(twins).await {
        match twin.expect("no panic") {
            Ok(_) => created += 1,
            refused => assert_eq!(refusal(refused), (Code::AlreadyExists, "ALREADY_EXISTS".into())),
        }
    }
    assert_eq!(created, 1);
}
