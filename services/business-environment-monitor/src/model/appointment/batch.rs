//! Batch (批次): people nominated, vetted, publicised, approved and certified together.

use jingwei_work_calendar::Calendar;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::serde::rfc3339;
use uuid::Uuid;

use super::apply::{self, Command as MemberCommand};
use super::role::MonitorRole;
use super::{Appointment, Record, State as Member};
use crate::model::actor::{Actor, Role};
use crate::model::term::Term;

mod command;

pub use command::{Command, Refusal};

/// Where a batch stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// Being prepared 筹备.
    Draft,
    /// People are nominated 提名.
    Nominating,
    /// They are vetted 审核.
    Vetting,
    /// Their names are public, and anybody may object 公示.
    Publicity,
    /// Approved 批准.
    Approved,
    /// Certificates are given 颁证.
    Certified,
    /// Done 结束.
    Closed,
}

impl State {
    /// Every state, in their order.
    pub const ALL: [State; 7] = [
        State::Draft,
        State::Nominating,
        State::Vetting,
        State::Publicity,
        State::Approved,
        State::Certified,
        State::Closed,
    ];
}

/// What a batch appoints to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// E.g. 首批“三员”.
    pub title: String,
    /// The codes of its roles.
    pub roles: Vec<String>,
    /// A term shorter than the roles' own, in months.
    pub term_months: Option<u32>,
}

/// An objection raised during the publicity 异议.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Objection {
    /// What was said.
    pub text: String,
    /// Against which appointments.
    pub against: Vec<Uuid>,
    /// When it was recorded.
    #[serde(with = "rfc3339")]
    pub at: OffsetDateTime,
    /// What came of it; `None` while open.
    pub answer: Option<String>,
}

/// A batch. Changed by `apply` only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// Its id.
    pub id: Uuid,
    /// Its district.
    pub district: i32,
    /// What it appoints to.
    pub content: Content,
    /// Where it stands.
    pub state: State,
    /// When the publicity ends; `None` before the first.
    #[serde(with = "rfc3339::option")]
    pub publicity_end: Option<OffsetDateTime>,
    /// Objections, oldest first.
    pub objections: Vec<Objection>,
    /// The number of changes, from 1.
    pub version: i64,
}

/// What an action needs to know besides the batch and its appointments.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The time.
    pub now: OffsetDateTime,
    /// The district's calendar.
    pub calendar: &'a Calendar,
    /// The district's roles.
    pub roles: &'a [MonitorRole],
}

/// A batch after a command, and the appointments that changed with it, each with its record.
pub type Changed = (Batch, Vec<(Appointment, Record)>);

impl Batch {
    /// A new batch.
    ///
    /// # Errors
    /// `NotAllowed`, `UnknownRole`, `TermTooLong`.
    pub fn draft(
        id: Uuid,
        district: i32,
        content: Content,
        actor: &Actor,
        roles: &[MonitorRole],
    ) -> Result<Batch, Refusal> {
        if (actor.role, actor.district) != (Role::Office, district) {
            return Err(Refusal::NotAllowed);
        }
        for code in &content.roles {
            let role = find(roles, code)?;
            if content.term_months.is_some_and(|months| months > role.term_months) {
                return Err(Refusal::TermTooLong { role: code.clone(), at_most: role.term_months });
            }
        }
        let (state, objections) = (State::Draft, Vec::new());
        Ok(Batch { id, district, content, state, publicity_end: None, objections, version: 1 })
    }

    /// The state that a command needs, and the one after it: the table of batches.
    #[must_use]
    pub fn arc(command: &Command) -> (State, State) {
        match command {
            Command::Open => (State::Draft, State::Nominating),
            Command::StartVetting => (State::Nominating, State::Vetting),
            Command::Publicise { .. } => (State::Vetting, State::Publicity),
            Command::Object { .. } => (State::Publicity, State::Vetting),
            Command::Answer { .. } => (State::Vetting, State::Vetting),
            Command::Approve => (State::Publicity, State::Approved),
            Command::Certify { .. } => (State::Approved, State::Certified),
            Command::Close => (State::Certified, State::Closed),
        }
    }
}

fn find<'a>(roles: &'a [MonitorRole], code: &str) -> Result<&'a MonitorRole, Refusal> {
    let found = roles.iter().find(|role| role.code == code);
    found.ok_or_else(|| Refusal::UnknownRole { role: code.to_owned() })
}

/// Does a command to a batch and to those of its appointments that it concerns: all of it, or nothing.
///
/// # Errors
/// Why it is not possible.
pub fn apply(
    before: &Batch,
    members: &[Appointment],
    command: &Command,
    actor: &Actor,
    context: &Context<'_>,
) -> Result<Changed, Refusal> {
    if (actor.role, actor.district) != (Role::Office, before.district) {
        return Err(Refusal::NotAllowed);
    }
    let (from, to) = Batch::arc(command);
    if before.state != from {
        return Err(Refusal::WrongState { state: before.state });
    }
    let mut after = Batch { state: to, version: before.version + 1, ..before.clone() };
    change(&mut after, members, command, context)?;
    let mut changed = Vec::new();
    for (member, command) in for_members(before, members, command, context)? {
        let done = apply::apply(member, &command, actor, before.state, context.now);
        changed.push(done.map_err(|refusal| Refusal::Member { appointment: member.id, refusal })?);
    }
    Ok((after, changed))
}

fn change(
    after: &mut Batch,
    members: &[Appointment],
    command: &Command,
    context: &Context<'_>,
) -> Result<(), Refusal> {
    let now = context.now;
    match command {
        Command::StartVetting if members.iter().all(|member| member.state.is_over()) => {
            return Err(Refusal::NobodyLeft);
        }
        Command::Publicise { working_days } => {
            publishable(after, members)?;
            if *working_days == 0 {
                return Err(Refusal::NoPublicity);
            }
            after.publicity_end = Some(Term::WorkingDays(*working_days).end(context.calendar, now)?);
        }
        Command::Object { text, against } => {
            let publicised = |id: &Uuid| {
                members.iter().any(|member| member.id == *id && member.state == Member::Publicised)
            };
            if text.trim().is_empty() || against.is_empty() || !against.iter().all(publicised) {
                return Err(Refusal::Objection);
            }
            let (text, against) = (text.clone(), against.clone());
            after.objections.push(Objection { text, against, at: now, answer: None });
        }
        Command::Answer { number, text } => {
            let place = number.checked_sub(1).filter(|_| !text.trim().is_empty());
            let found = place.and_then(|place| after.objections.get_mut(place));
            let open = found.filter(|objection| objection.answer.is_none());
            open.ok_or(Refusal::NoSuchObjection)?.answer = Some(text.clone());
        }
        Command::Approve => {
            if let Some(end) = after.publicity_end.filter(|end| now < *end) {
                return Err(Refusal::PublicityRunning { end });
            }
        }
        Command::Open | Command::StartVetting | Command::Certify { .. } | Command::Close => {}
    }
    Ok(())
}

/// Everybody is vetted or declined, somebody is left, and no objection is open.
fn publishable(batch: &Batch, members: &[Appointment]) -> Result<(), Refusal> {
    let unvetted = members.iter().filter(|member| member.state == Member::Nominated);
    let appointments: Vec<Uuid> = unvetted.map(|member| member.id).collect();
    if !appointments.is_empty() {
        return Err(Refusal::Unvetted { appointments });
    }
    if members.iter().all(|member| member.state != Member::Vetted) {
        return Err(Refusal::NobodyLeft);
    }
    if batch.objections.iter().any(|objection| objection.answer.is_none()) {
        return Err(Refusal::ObjectionsOpen);
    }
    Ok(())
}

/// What the command means for which of the appointments; certificates are numbered in the order of these.
fn for_members<'a>(
    batch: &Batch,
    members: &'a [Appointment],
    command: &Command,
    context: &Context<'_>,
) -> Result<Vec<(&'a Appointment, MemberCommand)>, Refusal> {
    let all = |state| members.iter().filter(move |member: &&Appointment| member.state == state);
    Ok(match command {
        Command::Publicise { .. } => all(Member::Vetted).map(|one| (one, MemberCommand::Publicise)).collect(),
        Command::Object { against, .. } => all(Member::Publicised)
            .map(|one| (one, MemberCommand::Recall { against: against.contains(&one.id) }))
            .collect(),
        Command::Approve => all(Member::Publicised).map(|one| (one, MemberCommand::Approve)).collect(),
        Command::Certify { first, sequence } => {
            let certify = |(one, sequence): (&'a Appointment, u32)| {
                let role = find(context.roles, &one.nomination.role)?;
                let number = format!("{}-{}-{sequence:06}", batch.district, first.year());
                let months = batch.content.term_months.unwrap_or(role.term_months);
                Ok((one, MemberCommand::Certify { number, first: *first, months }))
            };
            all(Member::Approved).zip(*sequence..).map(certify).collect::<Result<_, Refusal>>()?
        }
        _ => Vec::new(),
    })
}
