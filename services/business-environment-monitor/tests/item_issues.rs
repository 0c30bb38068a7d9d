//! Items of market information behind issues: merges, promotions, links, and whom an issue keeps away.

mod common;

use common::batches::on;
use common::cast::{accept, register, reply, verify};
use common::information::{item, link, merge, promote, promote_to, unlink, unmerge};
use common::{DISTRICT, Site, metadata, refusal, request_id, wrong_fields};
use jingwei_proto::access::v1::Role;
use jingwei_proto::business_environment_monitor::v1 as pb;
use time::macros::datetime;
use tonic::Code;

const STEEL: &str = "districts/410183/enterprises/91350100M000100Y43";
const UNKNOWN: &str = "districts/410183/infoItems/019ce000-0000-7000-8000-000000000001";
const NO_ISSUE: &str = "districts/410183/issues/019ce000-0000-7000-8000-000000000001";

async fn seen(site: &Site, name: &str) -> pb::InfoItem {
    site.informed()
        .get_info_item(pb::GetInfoItemRequest { name: name.to_owned() })
        .await
        .expect("read")
        .into_inner()
}

/// The names of the items behind an issue.
async fn behind(site: &Site, issue: &str) -> Vec<String> {
    let request = pb::ListIssueInfoItemsRequest { parent: issue.to_owned(), ..Default::default() };
    let rows = site.informed().list_issue_info_items(request).await.expect("read").into_inner().info_items;
    rows.into_iter().map(|row| row.name).collect()
}

#[tokio::test]
async fn merges_keep_every_collector_and_can_be_undone() {
    let site = Site::with_monitors(&["zhang", "sun", "wu"]).await;
    let mut office = site.informed();
    let [a, b, c] = [site.triaged("zhang").await, site.triaged("sun").await, site.triaged("wu").await];
    let [a, b, c] = [a.name, b.name, c.name];
    let merged = office.merge_info_item(merge(&a, &b)).await.expect("merged").into_inner();
    assert_eq!((merged.state(), &merged.merged_into), (pb::InfoItemState::Merged, &b));
    assert!(merged.collectors.is_empty());
    // What is merged is no target: its target is named, also where that is what asks.
    for name in [&c, &b] {
        let refused = office.merge_info_item(merge(name, &a)).await.map(drop);
        assert_eq!(metadata(refused.clone(), "target"), Some(b.clone()));
        assert_eq!(refusal(refused), (Code::FailedPrecondition, "ITEM_MERGED".into()));
    }
    assert_eq!(wrong_fields(office.merge_info_item(merge(&b, &b)).await), ["into"]);
    office.merge_info_item(merge(&b, &c)).await.expect("merged, and A goes along");
    let d = site.triaged("sun").await.name;
    let refused = office.merge_info_item(merge(&d, &a)).await;
    assert_eq!(metadata(refused, "target"), Some(c.clone()), "the final one");
    let fresh = site.collected("zhang").await.name;
    assert_eq!(refusal(office.merge_info_item(merge(&d, &fresh)).await).1, "WRONG_STATE");
    assert_eq!(
        refusal(office.merge_info_item(merge(&d, UNKNOWN)).await),
        (Code::NotFound, "NOT_FOUND".into())
    );
    let elsewhere = UNKNOWN.replace("410183", "410182");
    assert_eq!(wrong_fields(office.merge_info_item(merge(&d, &elsewhere)).await), ["into"]);

    assert_eq!(seen(&site, &c).await.collectors, ["sun", "wu", "zhang"]);
    let mut wu = site.informant("wu");
    let own = wu.get_info_item(pb::GetInfoItemRequest { name: c.clone() }).await.expect("own").into_inner();
    assert!(own.collectors.is_empty(), "for the office only");
    let parted = office.unmerge_info_item(unmerge(&b)).await.expect("parted").into_inner();
    assert_eq!((parted.state(), parted.merged_into.as_str()), (pb::InfoItemState::Triaged, ""));
    assert_eq!(parted.collectors, ["sun", "zhang"], "what had been merged into it stays with it");
    assert_eq!(seen(&site, &c).await.collectors, ["wu"]);
    office.unmerge_info_item(unmerge(&a)).await.expect("parted");
    assert_eq!(seen(&site, &b).await.collectors, ["sun"]);
    let twice = office.unmerge_info_item(unmerge(&a)).await;
    assert_eq!(refusal(twice), (Code::FailedPrecondition, "WRONG_STATE".into()));
    let told: Vec<_> = site.item_history(&a).await.into_iter().map(|row| row.0).collect();
    assert_eq!(told, ["COLLECT", "TRIAGE", "MERGE", "UNMERGE"]);
}

#[tokio::test]
async fn a_promotion_submits_an_issue_in_the_name_of_the_collector() {
    let site = Site::with_monitors(&["zhang"]).await;
    site.enter(STEEL).await;
    let of_steel = pb::CreateInfoItemRequest { enterprise: STEEL.into(), ..item() };
    let name = site.informant("zhang").create_info_item(of_steel).await.expect("collected").into_inner().name;
    let mut office = site.informed();
    office.triage_info_item(on!(TriageInfoItemRequest, name)).await.expect("triaged");
    let nothing = office.promote_info_item(on!(PromoteInfoItemRequest, name)).await;
    assert_eq!(refusal(nothing), (Code::InvalidArgument, "INVALID_REQUEST".into()));
    let request = pb::PromoteInfoItemRequest { request_id: request_id(), ..promote(&name) };
    let promoted = office.promote_info_item(request.clone()).await.expect("promoted").into_inner();
    assert_eq!(office.promote_info_item(request).await.expect("the first answer").into_inner(), promoted);
    assert_eq!((promoted.state(), promoted.issues.len()), (pb::InfoItemState::Promoted, 1));
    let issue = site.seen(&promoted.issues[0]).await;
    assert_eq!(issue.case_number, "410183-20260316-000001", "one issue");
    assert_eq!((issue.submitter.as_str(), issue.submitter_kind()), ("zhang", pb::SubmitterKind::Monitor));
    assert_eq!((issue.title.as_str(), issue.tasks.as_slice()), ("停车位不足", [3].as_slice()));
    assert_eq!(format!("{DISTRICT}/enterprises/{}", issue.enterprise_code), STEEL);
    assert!(issue.due_time.is_some(), "its clocks run");
    assert_eq!(site.timeline(&issue.name).await, ["SUBMIT"]);
    let of_zhang = pb::GetIssueRequest { name: issue.name.clone() };
    site.monitor().get_issue(of_zhang).await.expect("Zhang's own");
    assert_eq!(behind(&site, &issue.name).await, [&*name]);
    let own = pb::ListInfoItemIssuesRequest { parent: name, ..Default::default() };
    let own = site.informant("zhang").list_info_item_issues(own).await.expect("own").into_inner().issues;
    assert_eq!(own.iter().map(|row| row.issue.as_str()).collect::<Vec<_>>(), [issue.name.as_str()]);
}

#[tokio::test]
async fn without_a_calendar_nothing_is_half_promoted() {
    let site = Site::with_monitors(&["zhang"]).await;
    let name = site.triaged("zhang").await.name;
    // A year that the calendar does not have.
    site.clock.set(datetime!(2026-12-31 16:00 +8));
    let mut office = site.informed();
    let refused = office.promote_info_item(promote(&name)).await;
    assert_eq!(refusal(refused), (Code::FailedPrecondition, "NO_CALENDAR".into()));
    let left = seen(&site, &name).await;
    assert_eq!((left.state(), left.issues.len()), (pb::InfoItemState::Triaged, 0));
    assert_eq!((site.counts().await.issue_count, site.counts().await.behind_issue_count), (0, 0));
    let unknown = office.promote_info_item(promote_to(&name, NO_ISSUE)).await;
    assert_eq!(refusal(unknown), (Code::NotFound, "NOT_FOUND".into()));
    assert_eq!(seen(&site, &name).await, left);
    assert_eq!(site.item_history(&name).await.len(), 2);
}

#[tokio::test]
async fn items_and_issues_are_many_to_many() {
    let site = Site::with_monitors(&["zhang", "sun"]).await;
    let mut office = site.informed();
    let (one, two) = (site.submitted().await.name, site.submitted().await.name);
    let (a, b) = (site.triaged("zhang").await.name, site.triaged("sun").await.name);
    let fresh = office.link_info_item(link(&a, &one)).await;
    assert_eq!(refusal(fresh), (Code::FailedPrecondition, "WRONG_STATE".into()));
    office.promote_info_item(promote_to(&a, &one)).await.expect("promoted");
    office.promote_info_item(promote_to(&b, &one)).await.expect("promoted");
    let linked = office.link_info_item(link(&b, &two)).await.expect("linked").into_inner();
    assert_eq!(linked.issues, [one.clone(), two.clone()]);
    assert_eq!(behind(&site, &one).await, [a.clone(), b.clone()]);
    assert_eq!(behind(&site, &two).await, [&*b]);
    let counts = site.counts().await;
    assert_eq!((counts.issue_count, counts.behind_issue_count, counts.collected_count), (2, 2, 2));

    let twice = office.link_info_item(link(&b, &two)).await;
    assert_eq!(refusal(twice), (Code::FailedPrecondition, "ISSUE_LINKED".into()));
    assert_eq!(refusal(office.link_info_item(link(&b, NO_ISSUE)).await).0, Code::NotFound);
    let elsewhere = NO_ISSUE.replace("410183", "410182");
    assert_eq!(wrong_fields(office.link_info_item(link(&b, &elsewhere)).await), ["issue"]);
    let none = office.unlink_info_item(unlink(&a, &two)).await;
    assert_eq!(refusal(none), (Code::FailedPrecondition, "ISSUE_NOT_LINKED".into()));
    let last = office.unlink_info_item(unlink(&a, &one)).await;
    assert_eq!(refusal(last), (Code::FailedPrecondition, "LAST_ISSUE".into()));
    office.unlink_info_item(unlink(&b, &two)).await.expect("unlinked");
    let counts = site.counts().await;
    assert_eq!((counts.issue_count, counts.behind_issue_count), (1, 2));
    office.link_info_item(link(&b, &two)).await.expect("linked again");
    let page = pb::ListInfoItemIssuesRequest { parent: b.clone(), page_size: 1, ..Default::default() };
    let first = office.list_info_item_issues(page.clone()).await.expect("a page").into_inner();
    let next = pb::ListInfoItemIssuesRequest { page_token: first.next_page_token, ..page };
    let second = office.list_info_item_issues(next).await.expect("a page").into_inner();
    assert_eq!((&first.issues[0].issue, &second.issues[0].issue), (&one, &two));
    let unknown = pb::ListIssueInfoItemsRequest { parent: NO_ISSUE.into(), ..Default::default() };
    assert_eq!(refusal(office.list_issue_info_items(unknown).await).0, Code::NotFound);
}

/// A monitor neither handles nor verifies an issue they raised: nor does anybody whose item was merged into the one behind it.
#[tokio::test]
async fn all_who_collected_what_is_behind_an_issue_are_kept_from_it() {
    let site = Site::with_monitors(&["zhang", "sun"]).await;
    let mut office = site.informed();
    let (a, b) = (site.triaged("zhang").await.name, site.triaged("sun").await.name);
    office.merge_info_item(merge(&b, &a)).await.expect("merged");
    let issue = office.promote_info_item(promote(&a)).await.expect("promoted").into_inner().issues.remove(0);
    assert_eq!(behind(&site, &issue).await, [a, b.clone()]);
    let own = (Code::FailedPrecondition, "OWN_ISSUE".to_owned());
    for person in ["zhang", "sun"] {
        let mut in_office = site.issues(person, Role::BusinessEnvironmentOffice, DISTRICT);
        assert_eq!(refusal(in_office.register_issue(register(&issue)).await), own, "{person}");
    }
    // Sun finds and reads the issue, and learns nobody's name.
    let found = pb::ListInfoItemIssuesRequest { parent: b.clone(), ..Default::default() };
    let found = site.informant("sun").list_info_item_issues(found).await.expect("own").into_inner().issues;
    assert_eq!(found[0].issue, issue);
    let read = pb::GetIssueRequest { name: issue.clone() };
    let mut sun = site.issues("sun", Role::Monitor, DISTRICT);
    assert_eq!(sun.get_issue(read.clone()).await.expect("raised by Sun too").into_inner().submitter, "");
    site.office().register_issue(register(&issue)).await.expect("registered");
    site.office().accept_issue(accept(&issue)).await.expect("accepted");
    office.unmerge_info_item(unmerge(&b)).await.expect("parted");
    assert_eq!(refusal(sun.get_issue(read).await).0, Code::NotFound);
    let classify =
        pb::ClassifyIssueRequest { class: pb::IssueClass::C.into(), ..on!(ClassifyIssueRequest, issue) };
    let mut in_office = site.issues("sun", Role::BusinessEnvironmentOffice, DISTRICT);
    in_office.classify_issue(classify).await.expect("no longer Sun's");
}

/// Also where the link comes when the issue is on its way.
#[tokio::test]
async fn a_link_keeps_the_collector_from_an_issue_that_is_handled() {
    let site = Site::with_monitors(&["sun"]).await;
    let issue = site.in_handling().await.name;
    let item = site.triaged("sun").await.name;
    let mut office = site.informed();
    office.promote_info_item(promote_to(&item, &issue)).await.expect("promoted");
    let mut sun = site.issues("sun", Role::Department, common::cast::HOUSING);
    let own = (Code::FailedPrecondition, "OWN_ISSUE".to_owned());
    assert_eq!(refusal(sun.reply_to_issue(reply(&issue)).await), own);
    site.handler().reply_to_issue(reply(&issue)).await.expect("replied");
    let mut in_office = site.issues("sun", Role::BusinessEnvironmentOffice, DISTRICT);
    assert_eq!(refusal(in_office.verify_issue(verify(&issue, true)).await), own);
    site.office().verify_issue(verify(&issue, true)).await.expect("verified");
}
