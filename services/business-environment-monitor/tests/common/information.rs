//! Monitors who hold appointments, and what they bring in: the cast of the tests of market information.

use jingwei_proto::access::v1::Role;
use jingwei_proto::business_environment_monitor::v1 as pb;
use jingwei_proto::business_environment_monitor::v1::enterprise_service_client::EnterpriseServiceClient;
use jingwei_proto::business_environment_monitor::v1::information_service_client::InformationServiceClient;
use time::macros::datetime;

use super::batches::{SUPERVISOR, approved, certify, nominated, office, on, opened};
use super::{DISTRICT, Session, Site};

pub(crate) type Information = InformationServiceClient<Session>;

impl Site {
    /// The information service as anybody.
    pub(crate) fn information(&self, subject: &str, role: Role) -> Information {
        InformationServiceClient::new(self.session(subject, &[(role, DISTRICT)]))
    }

    /// As somebody of the office, Li.
    pub(crate) fn informed(&self) -> Information {
        self.information("li", Role::BusinessEnvironmentOffice)
    }

    /// As a monitor.
    pub(crate) fn informant(&self, subject: &str) -> Information {
        self.information(subject, Role::Monitor)
    }

    /// Nine o'clock on Monday, 16 March 2026: the first day of the appointments of these people.
    pub(crate) async fn with_monitors(people: &[&str]) -> Self {
        let site = Self::with_calendar().await;
        site.appoint(people).await;
        site.clock.set(datetime!(2026-03-16 09:00 +8));
        site
    }

    /// Appoints people in a batch of their own, from 16 March 2026 on, which takes a week; answers with the names of the appointments.
    pub(crate) async fn appoint(&self, people: &[&str]) -> Vec<String> {
        let (batch, mut names) = (opened(self).await, Vec::new());
        for person in people {
            names.push(nominated(self, &batch, person, SUPERVISOR).await.name);
        }
        approved(self, &batch).await;
        office(self).certify_batch(certify(&batch, "2026-03-16")).await.expect("certified");
        names
    }

    /// An item that a monitor has collected a second from now.
    pub(crate) async fn collected(&self, monitor: &str) -> pb::InfoItem {
        self.clock.advance(time::Duration::SECOND);
        self.informant(monitor).create_info_item(item()).await.expect("collected").into_inner()
    }

    /// One that the office has triaged too.
    pub(crate) async fn triaged(&self, monitor: &str) -> pb::InfoItem {
        let name = self.collected(monitor).await.name;
        let triage = on!(TriageInfoItemRequest, name);
        self.informed().triage_info_item(triage).await.expect("triaged").into_inner()
    }

    /// Enters an enterprise of that name in the register.
    pub(crate) async fn enter(&self, name: &str) {
        let enterprise =
            pb::Enterprise { name: name.into(), display_name: "钢构".into(), ..Default::default() };
        let parent = DISTRICT.into();
        let request =
            pb::CreateEnterpriseRequest { parent, enterprise: Some(enterprise), ..Default::default() };
        let session = self.session("li", &[(Role::BusinessEnvironmentOffice, DISTRICT)]);
        EnterpriseServiceClient::new(session).create_enterprise(request).await.expect("entered");
    }

    /// What was done with an item and by whom, oldest first.
    pub(crate) async fn item_history(&self, name: &str) -> Vec<(&'static str, String)> {
        let request = pb::ListInfoItemRecordsRequest { parent: name.to_owned(), ..Default::default() };
        let rows = self.informed().list_info_item_records(request).await.expect("read").into_inner().records;
        let told = |row: &pb::InfoItemRecord| {
            (row.action().as_str_name().trim_start_matches("INFO_ITEM_ACTION_"), row.actor.clone())
        };
        rows.iter().map(told).collect()
    }

    /// What the counters of the years 2024 to 2030 say.
    pub(crate) async fn counts(&self) -> pb::InfoItemCounts {
        let request = pb::GetInfoItemCountsRequest {
            parent: DISTRICT.into(),
            from_month: "2024-01".into(),
            to_month: "2030-12".into(),
        };
        self.informed().get_info_item_counts(request).await.expect("counted").into_inner()
    }
}

/// An item, ready to be collected.
pub(crate) fn item() -> pb::CreateInfoItemRequest {
    pb::CreateInfoItemRequest {
        parent: DISTRICT.into(),
        title: "停车位不足".into(),
        text: "多家商户反映顾客停车难".into(),
        ..Default::default()
    }
}

/// A visit of today.
pub(crate) fn visit() -> pb::CreateVisitRequest {
    pb::CreateVisitRequest {
        parent: DISTRICT.into(),
        kind: pb::VisitKind::Shop.into(),
        place: "青屏大街 12 号".into(),
        companions: vec!["街道办王某".into()],
        date: "2026-03-16".into(),
        text: "证照公示齐全".into(),
        ..Default::default()
    }
}

/// An experience of today.
pub(crate) fn experience() -> pb::CreateExperienceRequest {
    pb::CreateExperienceRequest {
        parent: DISTRICT.into(),
        kind: pb::ExperienceKind::InPerson.into(),
        matter: "个体工商户注销".into(),
        window: "政务大厅 3 号窗口".into(),
        minutes_waited: 25,
        passed: true,
        date: "2026-03-16".into(),
        text: "一次办结".into(),
        ..Default::default()
    }
}

pub(crate) fn merge(name: &str, into: &str) -> pb::MergeInfoItemRequest {
    pb::MergeInfoItemRequest { into: into.to_owned(), ..on!(MergeInfoItemRequest, name) }
}

pub(crate) fn unmerge(name: &str) -> pb::UnmergeInfoItemRequest {
    pb::UnmergeInfoItemRequest { reason: "并非同一事".into(), ..on!(UnmergeInfoItemRequest, name) }
}

/// To a new issue.
pub(crate) fn promote(name: &str) -> pb::PromoteInfoItemRequest {
    let new = pb::NewIssue { tasks: vec![3], indicators: vec![4], ..Default::default() };
    let becomes = Some(pb::promote_info_item_request::Becomes::NewIssue(new));
    pb::PromoteInfoItemRequest { becomes, ..on!(PromoteInfoItemRequest, name) }
}

/// To one that exists.
pub(crate) fn promote_to(name: &str, issue: &str) -> pb::PromoteInfoItemRequest {
    let becomes = Some(pb::promote_info_item_request::Becomes::Issue(issue.to_owned()));
    pb::PromoteInfoItemRequest { becomes, ..on!(PromoteInfoItemRequest, name) }
}

pub(crate) fn link(name: &str, issue: &str) -> pb::LinkInfoItemRequest {
    pb::LinkInfoItemRequest { issue: issue.to_owned(), ..on!(LinkInfoItemRequest, name) }
}

pub(crate) fn unlink(name: &str, issue: &str) -> pb::UnlinkInfoItemRequest {
    let (issue, reason) = (issue.to_owned(), "关联有误".to_owned());
    pb::UnlinkInfoItemRequest { issue, reason, ..on!(UnlinkInfoItemRequest, name) }
}
