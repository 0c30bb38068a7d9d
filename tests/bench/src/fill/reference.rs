//! The reference data of the districts to fill: read from the database, where the API has put them.

use std::collections::HashMap;

use jingwei_grid::api::deadlines::{Deadlines, Reference};
use jingwei_grid::model::area::AreaCode;
use jingwei_grid::model::category::Condition;
use jingwei_grid::model::position::{CoordinateSystem, Point};
use jingwei_grid::store::area::locate_all;
use sqlx::PgPool;
use sqlx::types::Json;
use time::OffsetDateTime;

use super::Error;

/// How many places of a grid things are reported from: where they happen once, they happen again.
const SPOTS: usize = 24;

/// A district that has what events need.
pub struct District {
    /// Its code.
    pub code: i32,
    /// Its base grids.
    pub grids: Vec<Grid>,
    /// Its sub-categories with their conditions.
    pub cases: Vec<Case>,
    /// The codes of its departments.
    pub departments: Vec<String>,
    /// The main category of each sub-category.
    pub parents: HashMap<String, String>,
    /// The last number of its change feed.
    pub seq: i64,
}

impl District {
    /// The case of the same category without a condition.
    pub fn without_condition(&self, case: usize) -> usize {
        let same = |other: &Case| other.category == self.cases[case].category;
        self.cases.iter().position(same).unwrap_or(case)
    }
}

impl Grid {
    /// The version that counts at a moment, from the first one's beginning on.
    pub fn version(&self, at: OffsetDateTime) -> i64 {
        let known = self.versions.partition_point(|(from, _)| *from <= at);
        self.versions[known.saturating_sub(1)].1
    }
}

/// A base grid.
pub struct Grid {
    /// Its code.
    pub area: AreaCode,
    /// Its versions, each from when it counts, in order.
    pub versions: Vec<(OffsetDateTime, i64)>,
    /// Points in it, of which the service says so too; none where there are no such.
    pub spots: Vec<Point>,
}

/// What can be reported: a sub-category, under a condition or none.
pub struct Case {
    /// The category's code.
    pub category: String,
    /// The condition's code; may be empty.
    pub condition: String,
    /// Limits and calendar.
    pub reference: Reference,
    /// The number of the department whose duty it is.
    pub department: usize,
}

/// Reads every district that has base grids, categories, departments and a calendar.
///
/// # Errors
/// The database fails.
pub async fn read(pool: &PgPool, now: OffsetDateTime, seed: u64) -> Result<Vec<District>, Error> {
    let codes: Vec<i32> = sqlx::query_scalar(
        "select district from work_calendar w where exists (select from area a where a.district = w.district and a.depth = 3)
           and exists (select from category c where c.district = w.district and c.parent is not null and not c.retired)
           and exists (select from department d where d.district = w.district)
         order by district",
    )
    .fetch_all(pool)
    .await?;
    let deadlines = Deadlines::new(pool.clone());
    let mut districts = Vec::new();
    for code in codes {
        let random = fastrand::Rng::with_seed(seed ^ u64::from(code.unsigned_abs()) << 32);
        districts.push(district(pool, &deadlines, code, now, random).await?);
    }
    Ok(districts)
}

async fn district(
    pool: &PgPool,
    deadlines: &Deadlines,
    code: i32,
    now: OffsetDateTime,
    mut random: fastrand::Rng,
) -> Result<District, Error> {
    let departments: Vec<(String, Vec<String>)> =
        sqlx::query_as("select code, duties from department where district = $1 order by code")
            .bind(code)
            .fetch_all(pool)
            .await?;
    let categories: Vec<(String, String, Json<Vec<Condition>>)> = sqlx::query_as(
        "select code, parent, conditions from category where district = $1 and parent is not null and not retired order by code",
    )
    .bind(code)
    .fetch_all(pool)
    .await?;
    let seq = sqlx::query_scalar("select seq from feed_head where district = $1").bind(code);
    let seq: Option<i64> = seq.fetch_optional(pool).await?;
    let mut cases = Vec::new();
    for (place, (category, parent, conditions)) in categories.iter().enumerate() {
        let duty = |(_, duties): &(String, Vec<String>)| duties.contains(category) || duties.contains(parent);
        let department = departments.iter().position(duty).unwrap_or(place % departments.len());
        for condition in std::iter::once("").chain(conditions.0.iter().map(|c| c.code.as_str())) {
            let reference = deadlines.of(code, category, condition).await?;
            let (category, condition) = (category.clone(), condition.to_owned());
            cases.push(Case { category, condition, reference, department });
        }
    }
    Ok(District {
        code,
        grids: grids(pool, code, now, &mut random).await?,
        cases,
        departments: departments.into_iter().map(|(code, _)| code).collect(),
        parents: categories.into_iter().map(|(code, parent, _)| (code, parent)).collect(),
        seq: seq.unwrap_or(0),
    })
}

async fn grids(
    pool: &PgPool,
    district: i32,
    now: OffsetDateTime,
    random: &mut fastrand::Rng,
) -> Result<Vec<Grid>, Error> {
    let versions: Vec<(String, OffsetDateTime, i64)> = sqlx::query_as(
        "select v.code, v.effective_time, v.version from area_version v join area a on a.district = v.district and a.code = v.code
         where v.district = $1 and a.depth = 3 order by v.code, v.effective_time, v.version",
    )
    .bind(district)
    .fetch_all(pool)
    .await?;
    let boxes: Vec<(String, f64, f64, f64, f64)> = sqlx::query_as(
        "select code, min(((box(ring))[1])[1]), min(((box(ring))[1])[0]), max(((box(ring))[0])[1]), max(((box(ring))[0])[0])
         from area_ring where district = $1 and ring_number > 0 and length(code) = 15 group by code",
    )
    .bind(district)
    .fetch_all(pool)
    .await?;
    let boxes: HashMap<_, _> = boxes
        .into_iter()
        .map(|(code, south, west, north, east)| (code, [south, west, north, east]))
        .collect();
    let mut grids: Vec<Grid> = Vec::new();
    for (code, from, version) in versions {
        match grids.last_mut().filter(|grid| grid.area.to_string() == code) {
            Some(grid) => grid.versions.push((from, version)),
            None => grids.push(Grid {
                area: code.parse().map_err(|_| Error::Corrupt("area_version.code"))?,
                versions: vec![(from, version)],
                spots: spots(boxes.get(&code), random),
            }),
        }
    }
    keep_true(pool, district, now, &boxes, &mut grids).await?;
    Ok(grids)
}

/// Points within a box of south, west, north, east; around somewhere in the plain where none is known.
fn spots(within: Option<&[f64; 4]>, random: &mut fastrand::Rng) -> Vec<Point> {
    let somewhere = [34.3 + 0.6 * random.f64(), 112.9 + random.f64()];
    let [south, west, north, east] =
        within.copied().unwrap_or([somewhere[0], somewhere[1], somewhere[0] + 0.006, somewhere[1] + 0.006]);
    // Six digits are what a telephone tells: 10 cm.
    let mut between = |from: f64, to: f64| ((from + (to - from) * random.f64()) * 1e6).round() / 1e6;
    let point = |_| Point::new(between(south, north), between(west, east), CoordinateSystem::Wgs84).ok();
    (0..SPOTS).filter_map(point).collect()
}

/// Drops the points that the service would not find in their grid, or in some other area.
async fn keep_true(
    pool: &PgPool,
    district: i32,
    now: OffsetDateTime,
    boxes: &HashMap<String, [f64; 4]>,
    grids: &mut [Grid],
) -> Result<(), Error> {
    let points: Vec<Point> = grids.iter().flat_map(|grid| grid.spots.iter().copied()).collect();
    let mut found = locate_all(pool, district, &points, now).await?.into_iter();
    for grid in grids {
        let expected = boxes.contains_key(&grid.area.to_string()).then_some(grid.area);
        grid.spots.retain(|_| found.next() == Some(expected));
    }
    Ok(())
}

/// Lets the reference data be older than the first event, as they are in a district that has worked for so long: first versions
/// of areas count from then on, and the change feed has forgotten how they were made.
///
/// # Errors
/// The database fails.
pub async fn age(pool: &PgPool, districts: &[i32], start: OffsetDateTime) -> sqlx::Result<()> {
    let mut transaction = pool.begin().await?;
    for sql in [
        "update area set create_time = least(create_time, $2) where district = any($1)",
        "update area_version set effective_time = least(effective_time, $2), create_time = least(create_time, $2)
         where district = any($1) and version = 1",
        "delete from outbox where district = any($1) and create_time > $2",
        "delete from idempotency where district = any($1) and create_time > $2",
    ] {
        sqlx::query(sql).bind(districts).bind(start).execute(&mut *transaction).await?;
    }
    transaction.commit().await
}
