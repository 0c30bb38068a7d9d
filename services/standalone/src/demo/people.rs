//! People of the demo district: six for each grid of the three communities. Every name and number is invented.

use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::staff_service_client::StaffServiceClient;

use super::{Administrator, created, id, name, parent};
use crate::Error;

const SURNAMES: [&str; 15] =
    ["王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "马", "朱", "胡"];
const GIVEN_NAMES: [&str; 16] = [
    "建国", "秀英", "丽华", "志强", "晓燕", "海涛", "红梅", "国庆", "玉兰", "明辉", "春霞", "文博", "佳宁",
    "思远", "子涵", "雨晴",
];
const ROLES: [(pb::PostingRole, &str); 6] = [
    (pb::PostingRole::GridChief, "chief"),
    (pb::PostingRole::GridMember, "member-1"),
    (pb::PostingRole::GridMember, "member-2"),
    (pb::PostingRole::PoliceOfficer, "police"),
    (pb::PostingRole::Doctor, "doctor"),
    (pb::PostingRole::PostedCadre, "cadre"),
];

pub(super) async fn load(administrator: &Administrator, grids: &[String]) -> Result<(), Error> {
    let mut staff = StaffServiceClient::new(administrator.clone());
    let mut number = 0;
    for grid in grids {
        for (role, kind) in ROLES {
            let subject = format!("{grid}-{kind}");
            let person = id(&format!("person {subject}"));
            let member = pb::StaffMember {
                display_name: person_name(number),
                duty_phone: format!("0371-6467{number:04}"),
                home_unit: if kind == "cadre" { "荥阳市直机关".to_owned() } else { String::new() },
                subject: subject.clone(),
                ..Default::default()
            };
            number += 1;
            let request = pb::CreateStaffMemberRequest {
                parent: parent(),
                staff_member: Some(member),
                staff_member_id: person.to_string(),
                request_id: id(&format!("create {subject}")).to_string(),
            };
            created(staff.create_staff_member(request).await)?;
            let posting = pb::Posting {
                staff_member: name("staff", person),
                area: name("areas", grid),
                role: role.into(),
                ..Default::default()
            };
            let request = pb::CreatePostingRequest {
                parent: parent(),
                posting: Some(posting),
                posting_id: id(&format!("posting {subject}")).to_string(),
                request_id: id(&format!("post {subject}")).to_string(),
            };
            created(staff.create_posting(request).await)?;
        }
    }
    Ok(())
}

/// A different name for each number up to 240.
fn person_name(number: usize) -> String {
    format!("{}{}", SURNAMES[number % SURNAMES.len()], GIVEN_NAMES[number % GIVEN_NAMES.len()])
}
