//! Batches and their appointments, changed together: what a command to a batch does to all of it.

use std::sync::LazyLock;

use jingwei_kit::caller::Caller;
use jingwei_kit::{etag, outbox};
use jingwei_proto::business_environment_monitor::v1 as pb;
use prost::Message;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::act::Act;
use super::actors;
use super::core::{Asked, Core};
use super::wire::{appointment as wire, name};
use crate::error::Error;
use crate::model::actor::{Actor, Role};
use crate::model::appointment::batch::{self, Batch, Command, Content, Context};
use crate::model::appointment::role::{MonitorRole, parse_roles};
use crate::model::appointment::{Appointment, Record};
use crate::store;

/// The roles that every district begins with.
pub static ROLES: LazyLock<Vec<MonitorRole>> =
    LazyLock::new(|| parse_roles(include_str!("../../data/roles.csv")).expect("a test reads it"));

/// The most appointments of one batch that are changed, or looked at, together.
pub const MEMBERS: i64 = 10_000;

/// The grant that may act for the office, else the first: the model says why not.
pub fn actor(caller: &Caller, district: i32) -> Result<Actor, Error> {
    let mut grants = actors::of(caller, district);
    let place = grants.iter().position(|actor| actor.role == Role::Office).unwrap_or(0);
    if grants.is_empty() { Err(batch::Refusal::NotAllowed.into()) } else { Ok(grants.swap_remove(place)) }
}

/// The batch, locked until the end of the transaction.
pub async fn lock(conn: &mut PgConnection, district: i32, id: Uuid) -> Result<Batch, Error> {
    let found = store::batch::lock(conn, district, id).await?;
    found.ok_or_else(|| Error::NotFound { name: name::batch(district, id) })
}

/// All appointments of a batch.
pub async fn members(conn: &mut PgConnection, batch: &Batch) -> Result<Vec<Appointment>, Error> {
    Ok(store::appointment::list(conn, batch.district, batch.id, Uuid::nil(), MEMBERS).await?)
}

/// Prepares a batch.
pub async fn create(
    core: &Core,
    caller: &Caller,
    request: &pb::CreateBatchRequest,
) -> Result<pb::Batch, Error> {
    let district = name::read_district("parent", &request.parent)?;
    let content = Content {
        title: request.title.clone(),
        roles: request.roles.clone(),
        term_months: u32::try_from(request.term_months).ok().filter(|months| *months > 0),
    };
    let batch = Batch::draft(core.clock.id(), district, content, &actor(caller, district)?, &ROLES)?;
    let (method, request_id) = ("CreateBatch", request.request_id.as_str());
    let asked = Asked { caller, district, method, request, request_id };
    let create = async |conn: &mut PgConnection| {
        store::batch::insert(conn, &batch).await?;
        let answer = wire::write_batch(&batch);
        Ok((answer.name.clone(), answer))
    };
    core.change(asked, create).await
}

/// Does a command to a batch and to those of its appointments that it concerns: all of it, or nothing.
pub async fn act<Q: Message>(
    core: &Core,
    caller: &Caller,
    act: Act<'_, Q>,
    command: Command,
) -> Result<pb::Batch, Error> {
    let (district, id) = name::read_batch("name", act.name)?;
    let (actor, now) = (actor(caller, district)?, core.clock.now());
    let calendar = core.calendars.latest(district).await?;
    let Act { method, request, request_id, .. } = act;
    let asked = Asked { caller, district, method, request, request_id };
    let change = async |conn: &mut PgConnection| {
        let before = lock(&mut *conn, district, id).await?;
        etag::check(act.etag, before.version)?;
        let members = members(&mut *conn, &before).await?;
        let command = numbered(&mut *conn, &before, &members, command.clone()).await?;
        let context = Context { now, calendar: &calendar, roles: &ROLES };
        let (batch, changed) = batch::apply(&before, &members, &command, &actor, &context)?;
        store::batch::update(&mut *conn, &batch).await?;
        for (appointment, record) in &changed {
            write(&mut *conn, appointment, record, now).await?;
        }
        Ok((act.name.to_owned(), wire::write_batch(&batch)))
    };
    core.change(asked, change).await
}

/// Certificates get the numbers that are free: so many are taken as people are approved, one district at a time.
async fn numbered(
    conn: &mut PgConnection,
    batch: &Batch,
    members: &[Appointment],
    command: Command,
) -> Result<Command, Error> {
    let Command::Certify { first, .. } = command else { return Ok(command) };
    if batch.state != Batch::arc(&command).0 {
        return Ok(command);
    }
    store::batch::lock_certificates(&mut *conn, batch.district).await?;
    let count = i32::try_from(members.iter().filter(|member| !member.state.is_over()).count()).unwrap_or(0);
    let taken = store::batch::take_numbers(conn, batch.district, first.year(), count).await?;
    Ok(Command::Certify { first, sequence: u32::try_from(taken).unwrap_or(0) })
}

/// Writes a changed appointment with its entry in the feed, unless its term overlaps another of the same person and role.
pub async fn write(
    conn: &mut PgConnection,
    appointment: &Appointment,
    record: &Record,
    now: OffsetDateTime,
) -> Result<pb::Appointment, Error> {
    let holds = appointment.tenure.is_some() && !appointment.state.is_over();
    if holds && store::appointment::overlaps(&mut *conn, appointment).await? {
        let (person, role) = (appointment.nomination.person.clone(), appointment.nomination.role.clone());
        return Err(Error::AlreadyAppointed { person, role });
    }
    store::appointment::update(&mut *conn, appointment, record).await?;
    let answer = wire::write(appointment);
    outbox::append(conn, appointment.district, &answer.name, &answer.encode_to_vec(), now).await?;
    Ok(answer)
}
