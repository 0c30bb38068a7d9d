//! Subjects of statistics, found by their names or listed by dimension, and their numbers read for some periods.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use jingwei_proto::grid::v1 as pb;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::wire::{area::level_name, name, statistics as wire};
use crate::error::Error;
use crate::model::area::AreaCode;
use crate::model::count::local_day;
use crate::model::numbers::{Member, Numbers, Times};
use crate::model::period::{Period, Piece};
use crate::model::unit::Unit;
use crate::store;
use crate::store::count::{Asked, read, read_times};

/// What statistics are about: a member of a dimension in an area with all below it.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Its resource name, or the depth of a level.
    pub name: String,
    /// Its Chinese name.
    pub display_name: String,
    /// Its last part, which lists are sorted by.
    pub code: String,
    /// The area.
    pub area: AreaCode,
    /// The member.
    pub member: Member,
}

/// The numbers of one subject in one period.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// How often.
    pub numbers: Numbers,
    /// How long.
    pub times: Vec<Times>,
}

impl Subject {
    /// The message.
    pub fn write(&self, facts: &Facts) -> pb::Statistics {
        pb::Statistics {
            subject: self.name.clone(),
            display_name: self.display_name.clone(),
            counts: Some(wire::counts(&facts.numbers, self.member.has_reports())),
            rates: Some(wire::rates(&facts.numbers)),
            durations: Some(wire::durations(&facts.times)),
        }
    }
}

/// An area as it is called now.
///
/// # Errors
/// NOT_FOUND.
pub async fn area(conn: &mut PgConnection, code: AreaCode, now: OffsetDateTime) -> Result<Subject, Error> {
    let named = store::area::names(&mut *conn, code.district(), &[code], now).await?;
    let missing = || Error::NotFound { name: name::area(code) };
    let (_, display_name) = named.into_iter().next().ok_or_else(missing)?;
    Ok(of_area(code, display_name))
}

/// What a department leads in its district.
///
/// # Errors
/// NOT_FOUND.
pub async fn department(conn: &mut PgConnection, district: i32, code: &str) -> Result<Subject, Error> {
    let found = store::department::get(&mut *conn, district, code).await?;
    let missing = || Error::NotFound { name: name::of(district, "departments", code) };
    let whole = AreaCode::of_district(district).map_err(|_| missing())?;
    let found = found.ok_or_else(missing)?;
    Ok(of_department(whole, found.code, found.display_name))
}

/// Which page of a dimension to list.
pub struct Listing<'a> {
    /// The area whose events are counted.
    pub area: AreaCode,
    /// The dimension.
    pub dimension: pb::Dimension,
    /// The code of the last subject before.
    pub after: &'a str,
    /// How many at most.
    pub limit: i64,
    /// Names are those of now.
    pub now: OffsetDateTime,
}

/// The members of a dimension in the order of their codes.
pub async fn list(conn: &mut PgConnection, listing: &Listing<'_>) -> sqlx::Result<Vec<Subject>> {
    let Listing { area, dimension, after, limit, now } = *listing;
    let district = area.district();
    Ok(match dimension {
        pb::Dimension::Unspecified => Vec::new(),
        pb::Dimension::Area => {
            let depth = Some(i16::from(area.depth()) + 1);
            let areas = store::area::list(&mut *conn, area, depth, after, now, limit).await?;
            areas.into_iter().map(|a| of_area(a.code, a.display_name)).collect()
        }
        pb::Dimension::Department => {
            let departments = store::department::list(&mut *conn, district, None, after, limit).await?;
            departments.into_iter().map(|d| of_department(area, d.code, d.display_name)).collect()
        }
        pb::Dimension::MainCategory | pb::Dimension::Category => {
            let main = dimension == pb::Dimension::MainCategory;
            let categories = store::category::of_level(&mut *conn, district, main, after, limit).await?;
            categories.into_iter().map(|(code, name)| of_category(area, main, code, name)).collect()
        }
        pb::Dimension::Level => {
            // Also those above the area: they accept what lies in it.
            let levels = (0..=4_u8).filter(|depth| depth.to_string().as_str() > after);
            levels.take(limit as usize).map(|depth| of_level(area, depth)).collect()
        }
    })
}

fn of_area(area: AreaCode, display_name: String) -> Subject {
    Subject { name: name::area(area), display_name, code: area.to_string(), area, member: Member::All }
}

fn of_department(area: AreaCode, code: String, display_name: String) -> Subject {
    let name = name::of(area.district(), "departments", &code);
    Subject { name, display_name, area, member: Member::Lead(Unit::Department(code.clone())), code }
}

fn of_category(area: AreaCode, main: bool, code: String, display_name: String) -> Subject {
    let member = if main { Member::MainCategory(code.clone()) } else { Member::Category(code.clone()) };
    Subject { name: name::category(area.district(), &code), display_name, area, member, code }
}

fn of_level(area: AreaCode, depth: u8) -> Subject {
    let (code, display_name) = (depth.to_string(), level_name(depth).to_owned());
    Subject { name: code.clone(), display_name, code, area, member: Member::Level(depth) }
}

/// The numbers of subjects in each of some periods, which end today at the latest: first by subject, then by period. The
/// subjects are areas of one depth, or members in one area.
pub async fn facts(
    conn: &mut PgConnection,
    subjects: &[Subject],
    periods: &[Period],
    now: OffsetDateTime,
    with_times: bool,
) -> sqlx::Result<Vec<Vec<Facts>>> {
    let mut facts = vec![vec![Facts::default(); periods.len()]; subjects.len()];
    let Some(first) = subjects.first() else { return Ok(facts) };
    let today = local_day(now);
    let pieces: Vec<Vec<Piece>> = periods.iter().map(|period| period.pieces(today)).collect();
    let of_past: Vec<Vec<Piece>> = periods.iter().map(|period| period.pieces_of_past(today)).collect();
    let areas = once_each(subjects.iter().map(|subject| subject.area.to_string()));
    let members = once_each(subjects.iter().map(|subject| subject.member.clone()));
    let asked = Asked { district: first.area.district(), areas: &areas, members: &members, periods: &pieces };
    let places =
        subjects.iter().enumerate().map(|(place, s)| ((s.area.to_string(), s.member.clone()), place));
    let places: HashMap<_, _> = places.collect();
    let place = |area: String, member: usize| places.get(&(area, members[member].clone())).copied();
    for count in read(&mut *conn, &asked).await? {
        if let Some(place) = place(count.area, count.member) {
            facts[place][count.period].numbers.0.insert(count.metric, count.count);
        }
    }
    let asked = Asked { periods: &of_past, ..asked };
    let times = if with_times { read_times(conn, &asked).await? } else { Vec::new() };
    for time in times {
        if let Some(place) = place(time.area.clone(), time.member) {
            facts[place][time.period].times.push(time);
        }
    }
    Ok(facts)
}

fn once_each<T: Clone + Eq + Hash>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = HashSet::new();
    all.filter(|one| seen.insert(one.clone())).collect()
}
