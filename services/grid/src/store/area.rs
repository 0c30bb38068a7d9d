//! Areas and their versions; where a point lies.

use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;

use crate::model::area::AreaCode;
use crate::model::position::{Boundary, CoordinateSystem, Point};

/// An area as one of its versions has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AreaVersion {
    /// The code.
    pub code: AreaCode,
    /// The version, from 1.
    pub version: i64,
    /// The last version that exists, in force or not yet: what the etag is made of.
    pub last_version: i64,
    /// The Chinese name.
    pub display_name: String,
    /// The telephone of the service point; may be empty.
    pub service_phone: String,
    /// The boundary as GeoJSON in WGS-84; empty where unknown.
    pub boundary: String,
    /// The number of the `CoordinateSystem` that it was given in.
    pub boundary_source: i16,
    /// From when the version counts.
    pub effective_time: OffsetDateTime,
}

struct Row {
    code: String,
    version: i64,
    last_version: i64,
    display_name: String,
    service_phone: String,
    boundary: String,
    boundary_source: i16,
    effective_time: OffsetDateTime,
}

impl Row {
    fn area(self) -> sqlx::Result<AreaVersion> {
        Ok(AreaVersion {
            code: code(&self.code)?,
            version: self.version,
            last_version: self.last_version,
            display_name: self.display_name,
            service_phone: self.service_phone,
            boundary: self.boundary,
            boundary_source: self.boundary_source,
            effective_time: self.effective_time,
        })
    }
}

/// A stored code. Errors: it does not read, which the table's check rules out.
pub(in crate::store) fn code(text: &str) -> sqlx::Result<AreaCode> {
    text.parse().map_err(|e: crate::model::area::AreaCodeError| sqlx::Error::Decode(e.into()))
}

/// An area as it was, or is, at a moment; `None` before its first version.
pub async fn get(
    executor: impl PgExecutor<'_>,
    area: AreaCode,
    at: OffsetDateTime,
) -> sqlx::Result<Option<AreaVersion>> {
    sqlx::query_as!(
        Row,
        "select v.code, v.version, a.version as last_version, v.display_name, v.service_phone, v.boundary, v.boundary_source,
           v.effective_time
         from area a join area_version v on v.district = a.district and v.code = a.code
         where a.district = $1 and a.code = $2 and v.effective_time <= $3
         order by v.effective_time desc, v.version desc limit 1",
        area.district(),
        area.to_string(),
        at,
    )
    .fetch_optional(executor)
    .await?
    .map(Row::area)
    .transpose()
}

/// The version in force at a moment.
pub async fn version(
    executor: impl PgExecutor<'_>,
    area: AreaCode,
    at: OffsetDateTime,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!(
        "select version from area_version where district = $1 and code = $2 and effective_time <= $3
         order by effective_time desc, version desc limit 1",
        area.district(),
        area.to_string(),
        at,
    )
    .fetch_optional(executor)
    .await
}

/// Areas as they are at a moment, in the order of their codes after `after`: `ancestor` and those below it, of one depth or all.
pub async fn list(
    executor: impl PgExecutor<'_>,
    ancestor: AreaCode,
    depth: Option<i16>,
    after: &str,
    at: OffsetDateTime,
    limit: i64,
) -> sqlx::Result<Vec<AreaVersion>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select a.code, v.version, a.version as last_version, v.display_name, v.service_phone, v.boundary, v.boundary_source,
             v.effective_time
           from area a cross join lateral (
             select * from area_version v where v.district = a.district and v.code = a.code and v.effective_time <= $5
             order by v.effective_time desc, v.version desc limit 1) v
           where a.district = $1 and a.code >= $2 and a.code < $2 || ':' and a.code > $3
             and ($4::smallint is null or a.depth = $4)
           order by a.code limit $6"#,
        ancestor.district(),
        ancestor.to_string(),
        after,
        depth,
        at,
        limit,
    )
    .fetch_all(executor)
    .await?;
    rows.into_iter().map(Row::area).collect()
}

/// The versions of an area before version `before`, newest first.
pub async fn versions(
    executor: impl PgExecutor<'_>,
    area: AreaCode,
    before: i64,
    limit: i64,
) -> sqlx::Result<Vec<AreaVersion>> {
    let rows = sqlx::query_as!(
        Row,
        "select v.code, v.version, a.version as last_version, v.display_name, v.service_phone, v.boundary, v.boundary_source,
           v.effective_time
         from area a join area_version v on v.district = a.district and v.code = a.code
         where a.district = $1 and a.code = $2 and v.version < $3 order by v.version desc limit $4",
        area.district(),
        area.to_string(),
        before,
        limit,
    )
    .fetch_all(executor)
    .await?;
    rows.into_iter().map(Row::area).collect()
}

/// Adds an area, without a version yet. Errors: `area_pkey`.
pub async fn insert(conn: &mut PgConnection, area: AreaCode, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into area (district, code, depth, version, create_time) values ($1, $2, $3, 1, $4)",
        area.district(),
        area.to_string(),
        i16::from(area.depth()),
        now,
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// Takes the next version number of an area whose last one is known; false where another call was faster.
pub async fn next_version(conn: &mut PgConnection, area: AreaCode, last: i64) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update area set version = version + 1 where district = $1 and code = $2 and version = $3",
        area.district(),
        area.to_string(),
        last,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Adds a version with the rings of its boundary as PostgreSQL's polygons: the outer ones are numbered 1, 2, 3 …, the holes
/// 0, -1, -2 …
pub async fn insert_version(
    conn: &mut PgConnection,
    area: &AreaVersion,
    now: OffsetDateTime,
) -> sqlx::Result<()> {
    let boundary = match area.boundary.as_str() {
        "" => None,
        text => Some(Boundary::from_geojson(text, CoordinateSystem::Wgs84)),
    };
    let boundary = boundary.transpose().map_err(|e| sqlx::Error::Encode(e.into()))?;
    let (outer, holes) = boundary.map(|b| (b.outer_rings(), b.holes())).unwrap_or_default();
    sqlx::query!(
        "with added as (
           insert into area_version (district, code, version, display_name, service_phone, boundary, boundary_source,
             effective_time, create_time)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning district, code, version)
         insert into area_ring (district, code, version, ring_number, ring)
         select district, code, version, r.number, r.ring::polygon from added cross join (
           select ring, number from unnest($10::text[]) with ordinality as o(ring, number)
           union all select ring, 1 - number from unnest($11::text[]) with ordinality as h(ring, number)) r",
        area.code.district(),
        area.code.to_string(),
        area.version,
        area.display_name,
        area.service_phone,
        area.boundary,
        area.boundary_source,
        area.effective_time,
        now,
        &outer,
        &holes,
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// The deepest area that a point lies in at a moment, with its version. The index on the rings' boxes is asked first.
/// A point is in an area where more of its outer rings than of its holes hold it.
pub async fn locate(
    executor: impl PgExecutor<'_>,
    district: i32,
    point: Point,
    at: OffsetDateTime,
) -> sqlx::Result<Option<(AreaCode, i64)>> {
    let row = sqlx::query!(
        r#"select r.code, r.version from area_ring r
           where r.district = $1 and r.ring && polygon(box(point($2, $3), point($2, $3))) and r.ring @> point($2, $3)
             and r.version = (
               select v.version from area_version v
               where v.district = r.district and v.code = r.code and v.effective_time <= $4
               order by v.effective_time desc, v.version desc limit 1)
           group by r.code, r.version
           having count(*) filter (where r.ring_number > 0) > count(*) filter (where r.ring_number <= 0)
           order by length(r.code) desc, r.code limit 1"#,
        district,
        point.longitude(),
        point.latitude(),
        at,
    )
    .fetch_optional(executor)
    .await?;
    row.map(|r| Ok((code(&r.code)?, r.version))).transpose()
}

/// As [`locate`], of many points: the deepest area of each, in their order.
pub async fn locate_all(
    executor: impl PgExecutor<'_>,
    district: i32,
    points: &[Point],
    at: OffsetDateTime,
) -> sqlx::Result<Vec<Option<AreaCode>>> {
    let longitudes: Vec<f64> = points.iter().map(Point::longitude).collect();
    let latitudes: Vec<f64> = points.iter().map(Point::latitude).collect();
    let rows = sqlx::query_scalar!(
        r#"select (
             select r.code from area_ring r
             where r.district = $1 and r.ring && polygon(box(p.at, p.at)) and r.ring @> p.at
               and r.version = (
                 select v.version from area_version v
                 where v.district = r.district and v.code = r.code and v.effective_time <= $4
                 order by v.effective_time desc, v.version desc limit 1)
             group by r.code, r.version
             having count(*) filter (where r.ring_number > 0) > count(*) filter (where r.ring_number <= 0)
             order by length(r.code) desc, r.code limit 1) as code
           from (select point(x, y) as at, place
                 from unnest($2::double precision[], $3::double precision[]) with ordinality as g(x, y, place)) p
           order by p.place"#,
        district,
        &longitudes,
        &latitudes,
        at,
    )
    .fetch_all(executor)
    .await?;
    rows.into_iter().map(|found| found.map(|text| code(&text)).transpose()).collect()
}

/// The present names of areas.
pub async fn names(
    executor: impl PgExecutor<'_>,
    district: i32,
    areas: &[AreaCode],
    at: OffsetDateTime,
) -> sqlx::Result<Vec<(AreaCode, String)>> {
    let codes: Vec<String> = areas.iter().map(ToString::to_string).collect();
    let rows = sqlx::query!(
        "select distinct on (code) code, display_name from area_version
         where district = $1 and code = any($2) and effective_time <= $3 order by code, effective_time desc, version desc",
        district,
        &codes,
        at,
    )
    .fetch_all(executor)
    .await?;
    rows.into_iter().map(|r| Ok((code(&r.code)?, r.display_name))).collect()
}
