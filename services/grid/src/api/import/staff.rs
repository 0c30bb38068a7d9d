//! The ledger of staff 人员 with their postings 派驻.

use std::collections::{HashMap, HashSet};

use jingwei_kit::etag;
use jingwei_kit::mask;
use jingwei_kit::status::{Problem, Violations};
use jingwei_proto::grid::v1 as pb;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::cells::Cells;
use super::table::{Done, Line, Table, records};
use crate::api::Core;
use crate::api::repeat::violates;
use crate::api::wire::{name, staff as wire};
use crate::error::Error;
use crate::ledger::Row;
use crate::ledger::heading::{Column, Heading};
use crate::model::area::AreaCode;
use crate::model::staff::{Posting, PostingRole, StaffMember};
use crate::store::batch::area;
use crate::store::batch::staff::{self as batch, Active, Wanted};
use crate::store::card;

pub(super) const COLUMNS: &[Column] = &[
    Column::new("人员编号", "id", "name", ""),
    Column::new("姓名", "display_name", "display_name", "张三").required().private(),
    Column::new("值班电话", "duty_phone", "duty_phone", "0371-64600001").private(),
    Column::new("登录账号", "subject", "subject", "").private(),
    Column::new("派出单位", "home_unit", "home_unit", "市直机关工委"),
    Column::new("岗位", "role", "role", "网格员"),
    Column::new("派驻区域", "area", "area", "410182002011001"),
    Column::new("派驻开始", "start_time", "start_time", "2026-03-02"),
    Column::new("计划结束", "planned_end_time", "planned_end_time", "2027-03-01"),
];

/// What people are posted as, in words.
pub const ROLES: [(&str, &str, pb::PostingRole); 5] = [
    ("网格长", "grid_chief", pb::PostingRole::GridChief),
    ("网格员", "grid_member", pb::PostingRole::GridMember),
    ("社区民警", "police_officer", pb::PostingRole::PoliceOfficer),
    ("社区医生", "doctor", pb::PostingRole::Doctor),
    ("下沉年轻干部", "posted_cadre", pb::PostingRole::PostedCadre),
];

/// Staff of a district.
pub(super) struct Staff {
    pub(super) core: Core,
    pub(super) district: i32,
    pub(super) now: OffsetDateTime,
}

/// A person, and where posted.
pub(super) struct Record {
    id: Option<Uuid>,
    given: pb::StaffMember,
    posting: Option<Post>,
}

/// A posting as a row says it.
struct Post {
    area: AreaCode,
    role: PostingRole,
    start: Option<OffsetDateTime>,
    end: Option<OffsetDateTime>,
}

/// By what a person is known, beside the id.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Identity {
    Subject(String),
    Name(String, String),
}

impl Identity {
    fn of(display_name: &str, duty_phone: &str, subject: &str) -> Self {
        match subject {
            "" => Self::Name(display_name.to_owned(), duty_phone.to_owned()),
            subject => Self::Subject(subject.to_owned()),
        }
    }

    fn of_member(member: &StaffMember) -> Self {
        Self::of(&member.display_name, &member.duty_phone, member.subject.as_deref().unwrap_or_default())
    }
}

impl Table for Staff {
    type Record = Record;
    const COLUMNS: &'static [Column] = COLUMNS;

    fn read(
        &self,
        heading: &Heading,
        row: &Row,
        violations: &mut Violations,
    ) -> Result<Option<Record>, Problem> {
        let mut cells = Cells { heading, row, violations };
        let id = cells.text("id");
        let uuid = Uuid::parse_str(id).ok();
        if uuid.is_none() && !id.is_empty() {
            cells.violations.add(
                "id",
                "uuid",
                "须为 UUID；新人员请留空",
                "must be a UUID: leave it empty for a new person",
            );
        }
        let given = pb::StaffMember {
            display_name: cells.string("display_name"),
            duty_phone: cells.string("duty_phone"),
            subject: cells.string("subject"),
            home_unit: cells.string("home_unit"),
            ..Default::default()
        };
        let posting = self.read_posting(&mut cells)?;
        violations.append(jingwei_kit::rules::check(&given)?);
        mask::ALL.require("staff_member", "display_name", !given.display_name.is_empty(), violations);
        Ok(Some(Record { id: uuid, given, posting }))
    }

    async fn load(
        &self,
        conn: &mut PgConnection,
        heading: &Heading,
        lines: &mut [Line<Record>],
    ) -> Result<(), Error> {
        let mut loading = self.start(conn, lines).await?;
        let paths = heading.paths();
        for line in lines {
            loading.take(self, &paths, line);
        }
        loading.finish(self, conn).await
    }
}

impl Staff {
    fn read_posting(&self, cells: &mut Cells<'_>) -> Result<Option<Post>, Problem> {
        let role = cells.choice("role", &ROLES).and_then(wire::read_role);
        let area = cells.area("area", self.district);
        let (start, end) = (cells.moment("start_time"), cells.moment("planned_end_time"));
        if end.is_some_and(|end| end <= start.unwrap_or(self.now)) {
            let zh = "须晚于开始时间";
            cells.violations.add("planned_end_time", "order", zh, "must be after the start");
        }
        let is_posted =
            ["role", "area", "start_time", "planned_end_time"].iter().any(|en| !cells.text(en).is_empty());
        if is_posted {
            cells.require("role");
            cells.require("area");
        }
        Ok(role.zip(area).map(|(role, area)| Post { area, role, start, end }))
    }

    async fn start(&self, conn: &mut PgConnection, lines: &[Line<Record>]) -> Result<Loading, Error> {
        let mut wanted = Wanted::default();
        for record in records(lines) {
            wanted.ids.extend(record.id);
            match Identity::of(&record.given.display_name, &record.given.duty_phone, &record.given.subject) {
                Identity::Subject(subject) => wanted.subjects.push(subject),
                Identity::Name(name, phone) => {
                    wanted.names.push(name);
                    wanted.phones.push(phone);
                }
            }
        }
        let known = batch::known(conn, self.district, &wanted).await?;
        let posts: Vec<String> =
            records(lines).filter_map(|r| r.posting.as_ref()).map(|p| p.area.to_string()).collect();
        let ids: Vec<Uuid> = known.iter().map(|member| member.id).collect();
        let active = batch::active(conn, self.district, &ids, &posts).await?;
        let areas = area::existing(conn, self.district, &posts).await?.into_iter().collect();
        let mut loading = Loading { areas, ..Loading::default() };
        for member in known {
            loading.ids.entry(Identity::of_member(&member)).or_insert(member.id);
            loading.people.insert(member.id, member);
        }
        loading.active = active.into_iter().collect();
        Ok(loading)
    }
}

/// A batch of staff: what is there, and what is to be written.
#[derive(Default)]
struct Loading {
    people: HashMap<Uuid, StaffMember>,
    ids: HashMap<Identity, Uuid>,
    areas: HashSet<AreaCode>,
    active: HashSet<Active>,
    written: Vec<Uuid>,
    postings: Vec<Posting>,
    /// Areas whose contact cards may show something else.
    cards: Vec<String>,
}

impl Loading {
    fn take(&mut self, staff: &Staff, paths: &[String], line: &mut Line<Record>) {
        let Some(record) = line.record.take() else { return };
        let given = &record.given;
        let identity = Identity::of(&given.display_name, &given.duty_phone, &given.subject);
        let found = self.ids.get(&identity).copied();
        let id = record.id.or(found).unwrap_or_else(|| staff.core.clock.id());
        if let Identity::Subject(subject) = &identity
            && found.is_some_and(|other| other != id)
        {
            line.refuse("subject", Error::AlreadyExists { name: format!("subject {subject}") });
        }
        let posting =
            record.posting.as_ref().map(|post| Active { staff_id: id, area: post.area, role: post.role });
        let is_new = posting.is_some_and(|posting| !self.active.contains(&posting));
        if let Some(posting) = posting {
            self.check(posting, line);
        }
        if !line.violations.is_empty() {
            return;
        }
        self.put_person(staff, id, given, paths, line);
        if let (Some(post), true) = (&record.posting, is_new) {
            self.put_posting(staff, id, post, line);
        }
    }

    fn check(&self, posting: Active, line: &mut Line<Record>) {
        if !self.areas.contains(&posting.area) {
            line.refuse("area", Error::ReferenceMissing { field: "area" });
        }
        let is_chief = |other: &&Active| other.area == posting.area && other.role == PostingRole::GridChief;
        let chief = self.active.iter().find(is_chief);
        if posting.role == PostingRole::GridChief
            && chief.is_some_and(|chief| chief.staff_id != posting.staff_id)
        {
            line.refuse("role", Error::ChiefExists);
        }
    }

    fn put_person(
        &mut self,
        staff: &Staff,
        id: Uuid,
        given: &pb::StaffMember,
        paths: &[String],
        line: &mut Line<Record>,
    ) {
        let before = self.people.get(&id).cloned();
        let blank = StaffMember {
            district: staff.district,
            id,
            display_name: String::new(),
            duty_phone: String::new(),
            subject: None,
            home_unit: String::new(),
            version: 0,
        };
        let mut member = before.clone().unwrap_or(blank);
        let mask = mask::of(paths);
        mask.set("display_name", &mut member.display_name, given.display_name.clone());
        mask.set("duty_phone", &mut member.duty_phone, given.duty_phone.clone());
        mask.set("subject", &mut member.subject, Some(given.subject.clone()).filter(|s| !s.is_empty()));
        mask.set("home_unit", &mut member.home_unit, given.home_unit.clone());
        if before.as_ref() == Some(&member) {
            return;
        }
        if !self.written.contains(&id) {
            member.version += 1;
            self.written.push(id);
        }
        let done = if before.is_some() { Done::Changed } else { Done::Created };
        if let Some(before) = before {
            self.ids.remove(&Identity::of_member(&before));
            self.cards.extend(self.active.iter().filter(|a| a.staff_id == id).map(|a| a.area.to_string()));
        }
        line.wrote(done, name::of(staff.district, "staff", id), &wire::write(&member));
        self.ids.insert(Identity::of_member(&member), id);
        self.people.insert(id, member);
    }

    fn put_posting(&mut self, staff: &Staff, id: Uuid, post: &Post, line: &mut Line<Record>) {
        let posting = Posting {
            district: staff.district,
            id: staff.core.clock.id(),
            staff_id: id,
            staff_name: self.people[&id].display_name.clone(),
            area: post.area,
            role: post.role,
            start_time: post.start.unwrap_or(staff.now),
            planned_end_time: post.end,
            end_time: None,
            end_reason: String::new(),
            hand_over: None,
            version: 1,
        };
        self.active.insert(Active { staff_id: id, area: post.area, role: post.role });
        self.cards.push(post.area.to_string());
        let name = name::of(staff.district, "postings", posting.id);
        line.wrote(Done::Created, name, &wire::write_posting(&posting));
        self.postings.push(posting);
    }

    async fn finish(mut self, staff: &Staff, conn: &mut PgConnection) -> Result<(), Error> {
        let people: Vec<_> = self.written.iter().map(|id| self.people[id].clone()).collect();
        let written = match batch::put(conn, staff.district, &people).await {
            Err(e) if violates(&e, "staff_member_subject") => 0,
            written => written?,
        };
        if written < people.len() as u64 {
            return Err(etag::mismatch(1).into());
        }
        match batch::post(conn, staff.district, &self.postings).await {
            Err(e) if violates(&e, "posting_active") || violates(&e, "posting_one_chief") => {
                return Err(etag::mismatch(1).into());
            }
            done => done?,
        }
        self.cards.sort_unstable();
        self.cards.dedup();
        if !self.cards.is_empty() {
            card::refresh(conn, staff.district, &self.cards, staff.now).await?;
        }
        Ok(())
    }
}
