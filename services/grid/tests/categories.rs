//! Categories (事件类别) through the API: two levels, limits, conditions.

mod common;

use common::{DISTRICT, Session, Site, mask, refusal, request_id, wrong_fields};
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::category_service_client::CategoryServiceClient;
use tonic::Code;

fn name(code: &str) -> String {
    format!("{DISTRICT}/categories/{code}")
}

fn new(code: &str, parent: &str) -> pb::CreateCategoryRequest {
    let parent_category = if parent.is_empty() { String::new() } else { name(parent) };
    let category =
        pb::Category { name: name(code), parent_category, display_name: code.into(), ..Default::default() };
    pb::CreateCategoryRequest { parent: DISTRICT.into(), category: Some(category), request_id: String::new() }
}

fn handle_within(unit: pb::TimeUnit, amount: i32) -> Option<pb::StepLimits> {
    let handle = Some(pb::Limit { unit: unit.into(), amount });
    Some(pb::StepLimits { handle, ..Default::default() })
}

async fn start() -> (Site, CategoryServiceClient<Session>) {
    let site = Site::start().await;
    let categories = CategoryServiceClient::new(site.administrator());
    (site, categories)
}

#[tokio::test]
async fn a_category_keeps_its_limits_and_conditions() {
    let (_site, mut categories) = start().await;
    categories.create_category(new("pipes", "")).await.expect("created");
    let mut request = pb::CreateCategoryRequest { request_id: request_id(), ..new("burst-pipe", "pipes") };
    let wanted = request.category.as_mut().expect("given");
    wanted.limits = handle_within(pb::TimeUnit::WorkingDays, 2);
    wanted.verify_public_reports = true;
    for (code, display_name, minutes) in [("fenced", "有围挡", 480), ("unfenced", "无围挡", 180)] {
        let limits = handle_within(pb::TimeUnit::EmergencyHours, minutes);
        wanted.conditions.push(pb::Condition {
            code: code.into(),
            display_name: display_name.into(),
            limits,
        });
    }
    let wanted = wanted.clone();
    let created = categories.create_category(request.clone()).await.expect("created").into_inner();
    assert_eq!(created, pb::Category { etag: created.etag.clone(), ..wanted });
    assert_eq!(categories.create_category(request).await.expect("repeated").into_inner(), created);
    let request = pb::GetCategoryRequest { name: name("burst-pipe") };
    assert_eq!(categories.get_category(request).await.expect("there").into_inner(), created);
    let wanted = pb::Category { retired: true, conditions: Vec::new(), ..created.clone() };
    let request = pb::UpdateCategoryRequest {
        category: Some(wanted),
        update_mask: mask(&["retired"]),
        request_id: String::new(),
    };
    let changed = categories.update_category(request.clone()).await.expect("changed").into_inner();
    assert!(changed.retired && changed.conditions == created.conditions, "conditions are not in the mask");
    assert_eq!(refusal(categories.update_category(request).await), (Code::Aborted, "ETAG_MISMATCH".into()));
}

#[tokio::test]
async fn there_are_two_levels() {
    let (_site, mut categories) = start().await;
    for (code, parent) in
        [("pipes", ""), ("burst-pipe", "pipes"), ("leak", "pipes"), ("green", ""), ("pests", "green")]
    {
        categories.create_category(new(code, parent)).await.expect("created");
    }
    assert_eq!(refusal(categories.create_category(new("x", "none")).await).0, Code::FailedPrecondition);
    assert_eq!(
        refusal(categories.create_category(new("x", "leak")).await).0,
        Code::FailedPrecondition,
        "a third level"
    );
    let taken = categories.create_category(new("leak", "green")).await;
    assert_eq!(refusal(taken), (Code::AlreadyExists, "ALREADY_EXISTS".into()));
    let mut list = async |parent: &str, page_size: i32, page_token: &str| {
        let request = pb::ListCategoriesRequest {
            parent: DISTRICT.into(),
            parent_category: parent.into(),
            page_size,
            page_token: page_token.into(),
        };
        let page = categories.list_categories(request).await.expect("a page").into_inner();
        (page.categories.into_iter().map(|c| c.name).collect::<Vec<_>>(), page.next_page_token)
    };
    assert_eq!(list(&name("pipes"), 0, "").await.0, [name("burst-pipe"), name("leak")]);
    let (first, token) = list("", 3, "").await;
    assert_eq!(first, [name("burst-pipe"), name("green"), name("leak")]);
    assert_eq!(list("", 3, &token).await, (vec![name("pests"), name("pipes")], String::new()));
}

#[tokio::test]
async fn what_does_not_fit_is_refused() {
    let (_site, mut categories) = start().await;
    categories.create_category(new("pipes", "")).await.expect("created");
    let mut request = new("burst-pipe", "pipes");
    let condition = pb::Condition { code: "fenced".into(), display_name: "有围挡".into(), limits: None };
    request.category.as_mut().expect("given").conditions = vec![condition.clone(), condition];
    assert_eq!(wrong_fields(categories.create_category(request).await), ["category.conditions[1].code"]);
    let mut request = new("x", "");
    let category = request.category.as_mut().expect("given");
    category.name = "districts/410183/categories/x".into();
    category.parent_category = "districts/410183/categories/pipes".into();
    let mut fields = wrong_fields(categories.create_category(request).await);
    fields.sort();
    assert_eq!(fields, ["category.name", "category.parent_category"]);
    let mut unnamed = new("x", "");
    unnamed.category.as_mut().expect("given").name.clear();
    assert_eq!(wrong_fields(categories.create_category(unnamed).await), ["category.name"]);
    let request = pb::UpdateCategoryRequest {
        category: new("pipes", "").category,
        update_mask: mask(&["parent_category"]),
        request_id: String::new(),
    };
    assert_eq!(
        wrong_fields(categories.update_category(request).await),
        ["update_mask"],
        "a category stays where it is"
    );
    let nothing = categories.get_category(pb::GetCategoryRequest { name: name("none") }).await;
    assert_eq!(refusal(nothing), (Code::NotFound, "NOT_FOUND".into()));
}

#[tokio::test]
async fn a_code_is_given_once() {
    let (site, _) = start().await;
    let twins = (0..6).map(|_| {
        let mut categories = CategoryServiceClient::new(site.administrator());
        tokio::spawn(async move { categories.create_category(new("pipes", "")).await })
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
