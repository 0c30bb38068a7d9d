//! What issues are tagged with: indicators that anybody may read, tasks that an office sets for its district and year.

mod common;

use common::{DISTRICT, Session, Site, refusal, wrong_fields};
use futures::future::join_all;
use jingwei_proto::access::v1::Role;
use jingwei_proto::business_environment_monitor::v1 as pb;
use jingwei_proto::business_environment_monitor::v1::tag_service_client::TagServiceClient;
use tonic::Code;

fn office(site: &Site) -> TagServiceClient<Session> {
    TagServiceClient::new(site.session("li", &[(Role::BusinessEnvironmentOffice, DISTRICT)]))
}

fn ten(prefix: &str, etag: &str) -> pb::UpdateYearTasksRequest {
    let tasks = (1..=10).map(|number| format!("{prefix}{number}")).collect();
    let year_tasks =
        pb::YearTasks { name: format!("{DISTRICT}/yearTasks/2026"), tasks, etag: etag.to_owned() };
    pb::UpdateYearTasksRequest { year_tasks: Some(year_tasks), ..Default::default() }
}

#[tokio::test]
async fn anybody_reads_the_indicators_page_by_page() {
    let site = Site::start().await;
    let mut anybody = TagServiceClient::new(site.anonymous());
    let (mut names, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = pb::ListIndicatorsRequest { page_size: 7, page_token };
        let page = anybody.list_indicators(request).await.expect("indicators").into_inner();
        names.extend(page.indicators.into_iter().map(|indicator| indicator.display_name));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!((names.len(), names[0].as_str(), names[14].as_str()), (18, "开办企业", "办理破产"));
}

#[tokio::test]
async fn an_office_sets_the_ten_tasks_of_its_year() {
    let site = Site::start().await;
    let get = pb::GetYearTasksRequest { name: format!("{DISTRICT}/yearTasks/2026") };
    let none = office(&site).get_year_tasks(get.clone()).await;
    assert_eq!(refusal(none), (Code::NotFound, "NOT_FOUND".into()));
    let mut nine = ten("任务", "");
    nine.year_tasks.as_mut().expect("tasks").tasks.pop();
    assert_eq!(wrong_fields(office(&site).update_year_tasks(nine).await), ["year_tasks.tasks"]);

    let first = office(&site).update_year_tasks(ten("任务", "")).await.expect("set").into_inner();
    let mut monitor = TagServiceClient::new(site.session("zhang", &[(Role::Monitor, DISTRICT)]));
    assert_eq!(monitor.get_year_tasks(get.clone()).await.expect("tasks").into_inner(), first);

    let replica = site.replica().await;
    let change = (0..8).map(|i| {
        let (mut office, request) =
            (office([&site, &replica][i % 2]), ten(&format!("任务{i}-"), &first.etag));
        async move { office.update_year_tasks(request).await }
    });
    let (won, lost): (Vec<_>, Vec<_>) = join_all(change).await.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 7), "of eight who have read the same one changes it");
    assert!(lost.into_iter().all(|answer| refusal(answer).0 == Code::Aborted));
    let stale = office(&site).update_year_tasks(ten("旧任务", &first.etag)).await;
    assert_eq!(refusal(stale).0, Code::Aborted);
    let elsewhere = pb::GetYearTasksRequest { name: "districts/410182/yearTasks/2026".into() };
    assert_eq!(refusal(office(&site).get_year_tasks(elsewhere).await).0, Code::PermissionDenied);
}
