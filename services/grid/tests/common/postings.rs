//! People with postings, and who they sign in as.

use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::staff_service_client::StaffServiceClient;

use super::{DISTRICT, Session, Site};

/// A person posted to an area.
pub(crate) struct Posted {
    pub(crate) subject: String,
    pub(crate) member: String,
    pub(crate) posting: pb::Posting,
}

impl Site {
    /// Enters a person and posts them.
    pub(crate) async fn posted(&self, subject: &str, area: &str, role: pb::PostingRole) -> Posted {
        let mut staff = StaffServiceClient::new(self.administrator());
        let member =
            pb::StaffMember { display_name: subject.into(), subject: subject.into(), ..Default::default() };
        let request = pb::CreateStaffMemberRequest {
            parent: DISTRICT.into(),
            staff_member: Some(member),
            ..Default::default()
        };
        let member = staff.create_staff_member(request).await.expect("entered").into_inner().name;
        let posting = pb::Posting {
            staff_member: member.clone(),
            area: area.into(),
            role: role.into(),
            ..Default::default()
        };
        let request = pb::CreatePostingRequest {
            parent: DISTRICT.into(),
            posting: Some(posting),
            ..Default::default()
        };
        let posting = staff.create_posting(request).await.expect("posted").into_inner();
        Posted { subject: subject.into(), member, posting }
    }

    /// The person, signed in as a worker of the posting's area.
    pub(crate) fn as_worker(&self, person: &Posted) -> Session {
        self.session(&person.subject, &[(Role::GridWorker, &person.posting.area)])
    }
}
