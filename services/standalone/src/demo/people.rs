//! People of the demo district: a chief, two members, a police officer and a doctor for each grid of the street, and its 236
//! posted cadres (下沉年轻干部). Every name and number is invented.

use futures::{StreamExt, TryStreamExt};
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::staff_service_client::StaffServiceClient;

use super::{Administrator, create, id, name, parent};
use crate::Error;

/// Posted cadres on the newspaper page.
pub const POSTED_CADRES: usize = 236;

const SURNAMES: [&str; 35] = [
    "王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "马", "朱", "胡", "郭", "何",
    "高", "林", "罗", "郑", "梁", "谢", "宋", "唐", "许", "韩", "冯", "邓", "曹", "彭", "曾", "肖", "田",
    "董",
];
const GIVEN_NAMES: [&str; 16] = [
    "建国", "秀英", "丽华", "志强", "晓燕", "海涛", "红梅", "国庆", "玉兰", "明辉", "春霞", "文博", "佳宁",
    "思远", "子涵", "雨晴",
];
const ROLES: [(pb::PostingRole, &str); 5] = [
    (pb::PostingRole::GridChief, "chief"),
    (pb::PostingRole::GridMember, "member-1"),
    (pb::PostingRole::GridMember, "member-2"),
    (pb::PostingRole::PoliceOfficer, "police"),
    (pb::PostingRole::Doctor, "doctor"),
];

pub(super) async fn load(administrator: &Administrator, grids: &[String]) -> Result<(), Error> {
    let staff = StaffServiceClient::new(administrator.clone());
    let everybody: Vec<_> = everybody(grids).into_iter().enumerate().collect();
    let posts = everybody.iter().map(|(number, post)| post.fill(staff.clone(), *number));
    futures::stream::iter(posts).buffer_unordered(8).try_collect::<Vec<()>>().await?;
    Ok(())
}

/// A duty in a grid, and the subject of who has it.
struct Post {
    grid: String,
    role: pb::PostingRole,
    subject: String,
}

/// Every post of the grids; the cadres are dealt out to the grids one by one.
fn everybody(grids: &[String]) -> Vec<Post> {
    let post = |grid: &String, role, kind: &str| Post {
        grid: grid.clone(),
        role,
        subject: format!("{grid}-{kind}"),
    };
    let of_grid = |grid| ROLES.map(|(role, kind)| post(grid, role, kind));
    let cadres = grids.iter().cycle().take(POSTED_CADRES).enumerate();
    let cadres = cadres.map(|(number, grid)| {
        post(grid, pb::PostingRole::PostedCadre, &format!("cadre-{}", 1 + number / grids.len()))
    });
    grids.iter().flat_map(of_grid).chain(cadres).collect()
}

impl Post {
    async fn fill(&self, staff: StaffServiceClient<Administrator>, number: usize) -> Result<(), Error> {
        let subject = &self.subject;
        let person = id(&format!("person {subject}"));
        let is_cadre = self.role == pb::PostingRole::PostedCadre;
        let member = pb::StaffMember {
            display_name: person_name(number),
            duty_phone: format!("0371-6467{number:04}"),
            home_unit: if is_cadre { "荥阳市直机关".to_owned() } else { String::new() },
            subject: subject.clone(),
            ..Default::default()
        };
        let request = pb::CreateStaffMemberRequest {
            parent: parent(),
            staff_member: Some(member),
            staff_member_id: person.to_string(),
            request_id: id(&format!("create {subject}")).to_string(),
        };
        create(async || staff.clone().create_staff_member(request.clone()).await).await?;
        let posting = pb::Posting {
            staff_member: name("staff", person),
            area: name("areas", &self.grid),
            role: self.role.into(),
            ..Default::default()
        };
        let request = pb::CreatePostingRequest {
            parent: parent(),
            posting: Some(posting),
            posting_id: id(&format!("posting {subject}")).to_string(),
            request_id: id(&format!("post {subject}")).to_string(),
        };
        create(async || staff.clone().create_posting(request.clone()).await).await
    }
}

/// A different name for each number up to 560.
fn person_name(number: usize) -> String {
    format!("{}{}", SURNAMES[number % SURNAMES.len()], GIVEN_NAMES[number % GIVEN_NAMES.len()])
}
