//! Visits and experiences: recorded by a monitor whose appointment is active, read by who may.

use jingwei_kit::caller::Caller;
use jingwei_kit::page::Page;
use jingwei_kit::status::Problem;
use prost::{Message, Name};
use sqlx::PgConnection;
use tonic::Code;

use super::actors;
use super::core::{Asked, Core};
use super::repeat::refers_to_nothing;
use super::wire::name;
use super::wire::observation::{Frame, read_day};
use crate::error::Error;
use crate::model::actor::{Actor, Role};
use crate::model::local_day;
use crate::model::observation::{Observation, Refusal};
use crate::store::observation::{self as store, Cursor, Filter};

/// Records a visit or an experience: `read` makes it of the request, `write` the answer of it with its name.
///
/// # Errors
/// Wrong fields; what the rules refuse; NOT_FOUND for an enterprise that is not in the register.
pub async fn create<Q: Message, R: Message + Default>(
    core: &Core,
    asked: Asked<'_, Q>,
    enterprise: &str,
    read: impl FnOnce(&Frame<'_>) -> Result<Observation, Problem>,
    write: impl FnOnce(&Observation) -> Option<(String, R)>,
) -> Result<R, Error> {
    let Asked { caller, district, .. } = asked;
    let monitor = monitor(caller, district).ok_or(Refusal::NotAllowed)?;
    let (id, now) = (core.clock.id(), core.clock.now());
    let observation = read(&Frame { id, district, person: &monitor.subject, now })?;
    let today = local_day(now);
    let create = async |conn: &mut PgConnection| {
        let person = &observation.person;
        let standing = store::standing(&mut *conn, district, person, observation.day, today).await?;
        observation.check(standing, today)?;
        store::insert(conn, &observation).await.map_err(|error| {
            let unknown = refers_to_nothing(&error, "observation_of_enterprise");
            if unknown { Error::NotFound { name: enterprise.to_owned() } } else { error.into() }
        })?;
        Ok(write(&observation).expect("it is what the request makes"))
    };
    core.change(asked, create).await
}

/// The caller as a monitor of the district.
pub fn monitor(caller: &Caller, district: i32) -> Option<Actor> {
    actors::of(caller, district).into_iter().find(|actor| actor.role == Role::Monitor)
}

/// One visit or experience that the caller may see: the office its district's, a monitor their own.
///
/// # Errors
/// NOT_FOUND.
pub async fn get(core: &Core, caller: &Caller, asked: &str, experience: bool) -> Result<Observation, Error> {
    let (district, id) = name::read_observation("name", asked, experience)?;
    let grants = actors::of(caller, district);
    let found = store::get(&core.pool, district, id, experience).await?;
    let theirs = found.filter(|one| grants.iter().any(|actor| one.is_readable_by(actor)));
    theirs.ok_or_else(|| Error::NotFound { name: asked.to_owned() })
}

/// What a list of visits or experiences asks for.
pub struct Wanted<'a> {
    /// Experiences, not visits.
    pub experience: bool,
    /// The district's name.
    pub parent: &'a str,
    /// The subject of a monitor; may be empty, like those below.
    pub person: &'a str,
    /// An enterprise's name.
    pub enterprise: &'a str,
    /// The first day.
    pub from: &'a str,
    /// The last day.
    pub to: &'a str,
}

/// A page of visits or experiences, and the token of the next.
///
/// # Errors
/// Wrong fields; PERMISSION_DENIED for another monitor's.
pub async fn list<R: Message + Name>(
    core: &Core,
    caller: &Caller,
    request: &R,
    wanted: Wanted<'_>,
) -> Result<(Vec<Observation>, String), Error> {
    let district = name::read_district("parent", wanted.parent)?;
    let page = Page::<Cursor>::of(request, 50, 200)?;
    let enterprise = name::read_enterprise_of("enterprise", wanted.enterprise, district)?;
    let filter = Filter {
        district,
        experience: wanted.experience,
        person: whose(&actors::of(caller, district), wanted.person)?,
        enterprise: enterprise.map(|code| code.to_string()),
        from: read_day("from_date", wanted.from)?,
        to: read_day("to_date", wanted.to)?,
    };
    let mut rows = store::list(&core.pool, &filter, page.after, page.limit()).await?;
    let next = page.cut(&mut rows, |one| (one.day, one.id));
    Ok((rows, next))
}

/// Whose things a list holds: whoever was asked for, where a grant covers that; else the most that a grant covers, `None` being
/// everybody's.
///
/// # Errors
/// PERMISSION_DENIED for another monitor's.
pub fn whose(grants: &[Actor], person: &str) -> Result<Option<String>, Error> {
    let asked = Some(person.to_owned()).filter(|person| !person.is_empty());
    if grants.iter().any(|actor| actor.role == Role::Office) {
        return Ok(asked);
    }
    match grants.iter().find(|actor| actor.role == Role::Monitor) {
        Some(own) if asked.as_ref().is_none_or(|person| *person == own.subject) => {
            Ok(Some(own.subject.clone()))
        }
        _ => {
            let (zh, en) = ("您的授权不包含所查的监督员", "none of your grants covers the monitor asked for");
            Err(Problem::new(Code::PermissionDenied, "PERMISSION_DENIED", zh, en).into())
        }
    }
}
