//! Items of market information: collected by a monitor, decided on by the office, one decision of a district at a time.

use jingwei_kit::caller::Caller;
use jingwei_kit::etag;
use jingwei_proto::business_environment_monitor::v1 as pb;
use jingwei_work_calendar::Calendar;
use prost::Message;
use sqlx::PgConnection;
use uuid::Uuid;

use super::act::Act;
use super::actors;
use super::core::{Asked, Core};
use super::observation::monitor;
use super::repeat::refers_to_nothing;
use super::wire::{info_item as wire, name};
use super::write;
use crate::error::Error;
use crate::model::actor::{Actor, Role};
use crate::model::info_item::apply::{Command, Refusal, Target, apply, collect};
use crate::model::info_item::arcs::ActionKind;
use crate::model::info_item::{InfoItem, Source, State};
use crate::model::issue::apply::{Context, submit};
use crate::model::issue::rules::Rules;
use crate::model::local_day;
use crate::store::info_item::{self as store, Stored};
use crate::store::{info_item_link as link, observation};

/// What the office asks for.
pub enum Wish<'a> {
    /// What needs nothing else.
    Plain(Command),
    /// To merge it into another item.
    MergeInto(Uuid),
    /// To make an issue of it.
    NewIssue(&'a pb::NewIssue),
}

/// Collects an item.
///
/// # Errors
/// Wrong fields; what the rules refuse; NOT_FOUND for an unknown enterprise, and for a source that is not the caller's own.
pub async fn create(
    core: &Core,
    caller: &Caller,
    request: &pb::CreateInfoItemRequest,
) -> Result<pb::InfoItem, Error> {
    let district = name::read_district("parent", &request.parent)?;
    let content = wire::read_content(request, district)?;
    let action = ActionKind::Collect;
    let actor = monitor(caller, district).ok_or(Refusal::NotAllowed { action })?;
    let (id, now) = (core.clock.id(), core.clock.now());
    let today = local_day(now);
    let (method, request_id) = ("CreateInfoItem", request.request_id.as_str());
    let asked = Asked { caller, district, method, request, request_id };
    let create = async |conn: &mut PgConnection| {
        let standing = observation::standing(&mut *conn, district, &actor.subject, today, today).await?;
        let (item, record) = collect(id, &content, &actor, standing.now, now)?;
        if let Some(source) = content.source {
            check_source(&mut *conn, &item, source, &request.source).await?;
        }
        store::insert(conn, &item, &record, wire::month(today)).await.map_err(|error| {
            let unknown = refers_to_nothing(&error, "info_item_of_enterprise");
            if unknown { Error::NotFound { name: request.enterprise.clone() } } else { error.into() }
        })?;
        let answer = wire::write(&Stored { item, root: id, collectors: Vec::new() }, &[]);
        Ok((answer.name.clone(), answer))
    };
    core.change(asked, create).await
}

/// An item comes from what its collector saw for themselves.
async fn check_source(
    conn: &mut PgConnection,
    item: &InfoItem,
    source: Source,
    asked: &str,
) -> Result<(), Error> {
    let found = observation::get(conn, item.district, source.id, source.experience).await?;
    let own = found.is_some_and(|one| one.person == item.collector);
    if own { Ok(()) } else { Err(Error::NotFound { name: asked.to_owned() }) }
}

/// Decides on an item, and does what follows: all of it, or nothing.
///
/// # Errors
/// Wrong fields; NOT_FOUND; a stale etag; what the rules refuse.
pub async fn decide<Q: Message>(
    core: &Core,
    caller: &Caller,
    act: Act<'_, Q>,
    wish: Wish<'_>,
) -> Result<pb::InfoItem, Error> {
    let (district, id) = name::read_info_item("name", act.name)?;
    let (grants, now) = (actors::of(caller, district), core.clock.now());
    // Read before the first lock: with every connection in the hands of writers there would be none left to read with.
    let calendar = match wish {
        Wish::NewIssue(_) => Some(core.calendars.latest(district).await?),
        _ => None,
    };
    let Act { method, request, request_id, .. } = act;
    let asked = Asked { caller, district, method, request, request_id };
    let decide = async |conn: &mut PgConnection| {
        store::lock_decisions(&mut *conn, district).await?;
        let before = readable(store::get(&mut *conn, district, id).await?, &grants, act.name)?;
        etag::check(act.etag, before.item.version)?;
        let command = command(&mut *conn, core, district, &wish).await?;
        let arc = command.kind().arc();
        let actor = grants.iter().find(|actor| arc.allows(&before.item, actor)).or(grants.first());
        let actor = actor.ok_or(Refusal::NotAllowed { action: command.kind() })?;
        let (after, record) = apply(&before.item, &command, actor, now)?;
        if !store::update(&mut *conn, &after, &record).await? {
            return Err(etag::mismatch(after.version).into());
        }
        let new = if let Wish::NewIssue(new) = &wish { calendar.as_deref().map(|c| (*new, c)) } else { None };
        follow(&mut *conn, core, &after, &command, new).await?;
        let after = match command.kind() {
            // With those who came along, or stayed behind.
            ActionKind::Merge | ActionKind::Unmerge => {
                store::get(conn, district, id).await?.unwrap_or(before)
            }
            _ => Stored { item: after, ..before },
        };
        Ok((act.name.to_owned(), wire::write(&after, &grants)))
    };
    core.change(asked, decide).await
}

/// The item, where the owner of the grants may know of it.
///
/// # Errors
/// NOT_FOUND.
pub fn readable(found: Option<Stored>, grants: &[Actor], asked: &str) -> Result<Stored, Error> {
    let theirs = found.filter(|stored| grants.iter().any(|actor| stored.item.is_readable_by(actor)));
    theirs.ok_or_else(|| Error::NotFound { name: asked.to_owned() })
}

/// The command that a wish is, with what it needs to know.
async fn command(
    conn: &mut PgConnection,
    core: &Core,
    district: i32,
    wish: &Wish<'_>,
) -> Result<Command, Error> {
    match wish {
        Wish::Plain(command) => Ok(command.clone()),
        Wish::NewIssue(_) => Ok(Command::Promote { issue: core.clock.id() }),
        Wish::MergeInto(into) => {
            let missing = || Error::NotFound { name: name::info_item(district, *into) };
            let found = store::get(conn, district, *into).await?.ok_or_else(missing)?;
            let into = Target { id: *into, state: found.item.state, root: found.root };
            Ok(Command::Merge { into })
        }
    }
}

/// What a decision means for other items, and for issues.
async fn follow(
    conn: &mut PgConnection,
    core: &Core,
    item: &InfoItem,
    command: &Command,
    new: Option<(&pb::NewIssue, &Calendar)>,
) -> Result<(), Error> {
    let (district, id) = (item.district, item.id);
    match command {
        Command::Merge { into } => {
            link::hang(conn, district, id, into.root, into.state == State::Promoted).await?;
        }
        Command::Unmerge { .. } => link::hang(conn, district, id, id, false).await?,
        Command::Promote { issue } => {
            link::hang(&mut *conn, district, id, id, true).await?;
            if let Some((new, calendar)) = new {
                raise(&mut *conn, core, item, *issue, new, calendar).await?;
            }
            link_to(conn, core, item, *issue).await?;
        }
        Command::Link { issue } => link_to(conn, core, item, *issue).await?,
        Command::Unlink { issue, .. } => link::unlink(conn, district, id, *issue).await?,
        Command::Triage { .. } | Command::Note { .. } | Command::Reject { .. } => {}
    }
    Ok(())
}

/// Submits an issue in the name of who collected the item.
async fn raise(
    conn: &mut PgConnection,
    core: &Core,
    item: &InfoItem,
    issue: Uuid,
    new: &pb::NewIssue,
    calendar: &Calendar,
) -> Result<(), Error> {
    let subject = item.collector.clone();
    let collector = Actor { subject, role: Role::Monitor, district: item.district, unit: None };
    let rules = Rules::default();
    let context = Context { now: core.clock.now(), calendar, rules: &rules, raisers: &[] };
    let (issue, transition) = submit(&wire::submission(item, new, issue), &collector, &context)?;
    write::insert(conn, issue, &transition, None).await?;
    Ok(())
}

async fn link_to(conn: &mut PgConnection, core: &Core, item: &InfoItem, issue: Uuid) -> Result<(), Error> {
    link::link(conn, item, issue, core.clock.now()).await.map_err(|error| {
        let unknown = refers_to_nothing(&error, "info_item_issue_issue");
        if unknown { Error::NotFound { name: name::issue(item.district, issue) } } else { error.into() }
    })
}
