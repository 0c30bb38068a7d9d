//! Many areas and versions at once.

use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::model::area::AreaCode;
use crate::model::position::{Boundary, CoordinateSystem, Point};
use crate::store::area::{AreaVersion, code};

/// An area that exists.
pub struct Known {
    /// Its last version, in force or not yet.
    pub last: AreaVersion,
    /// Whether a version of it is in force.
    pub in_force: bool,
}

/// Those of `codes` that exist, as their last version has them.
pub async fn known(
    conn: &mut PgConnection,
    district: i32,
    codes: &[String],
    now: OffsetDateTime,
) -> sqlx::Result<Vec<Known>> {
    let rows = sqlx::query!(
        r#"select v.code, v.version, v.display_name, v.service_phone, v.boundary, v.boundary_source, v.effective_time,
             exists (select from area_version f where f.district = a.district and f.code = a.code and f.effective_time <= $3) as "in_force!"
           from area a join area_version v on v.district = a.district and v.code = a.code and v.version = a.version
           where a.district = $1 and a.code = any($2)"#,
        district,
        codes,
        now,
    )
    .fetch_all(conn)
    .await?;
    let known = rows.into_iter().map(|r| {
        let last = AreaVersion {
            code: code(&r.code)?,
            version: r.version,
            last_version: r.version,
            display_name: r.display_name,
            service_phone: r.service_phone,
            boundary: r.boundary,
            boundary_source: r.boundary_source,
            effective_time: r.effective_time,
        };
        Ok(Known { last, in_force: r.in_force })
    });
    known.collect()
}

/// Those of `codes` that exist.
pub async fn existing(
    conn: &mut PgConnection,
    district: i32,
    codes: &[String],
) -> sqlx::Result<Vec<AreaCode>> {
    let rows =
        sqlx::query_scalar!("select code from area where district = $1 and code = any($2)", district, codes)
            .fetch_all(conn)
            .await?;
    rows.iter().map(|text| code(text)).collect()
}

/// Adds a version of each area, and the area with its card where the version is its first; `public_ids` beside them are
/// for the cards. How many were written: fewer than given where another call was faster.
pub async fn put(
    conn: &mut PgConnection,
    district: i32,
    areas: &[AreaVersion],
    public_ids: &[String],
    now: OffsetDateTime,
) -> sqlx::Result<u64> {
    let column = |of: fn(&AreaVersion) -> String| areas.iter().map(of).collect::<Vec<_>>();
    let codes = column(|a| a.code.to_string());
    let versions: Vec<i64> = areas.iter().map(|a| a.version).collect();
    let depths: Vec<i16> = areas.iter().map(|a| a.code.depth().into()).collect();
    let heads = sqlx::query!(
        "insert into area (district, code, depth, version, create_time)
         select $1, code, depth, version, $5 from unnest($2::text[], $3::smallint[], $4::bigint[]) as a(code, depth, version)
         on conflict (district, code) do update set version = excluded.version where area.version = excluded.version - 1",
        district,
        &codes,
        &depths,
        &versions,
        now,
    )
    .execute(&mut *conn)
    .await?
    .rows_affected();
    sqlx::query!(
        "insert into area_version (district, code, version, display_name, service_phone, boundary, boundary_source,
           effective_time, create_time)
         select $1, v.*, $9 from unnest($2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::smallint[], $8::timestamptz[]) as v",
        district,
        &codes,
        &versions,
        &column(|a| a.display_name.clone()),
        &column(|a| a.service_phone.clone()),
        &column(|a| a.boundary.clone()),
        &areas.iter().map(|a| a.boundary_source).collect::<Vec<_>>(),
        &areas.iter().map(|a| a.effective_time).collect::<Vec<_>>(),
        now,
    )
    .execute(&mut *conn)
    .await?;
    put_rings(conn, district, areas).await?;
    sqlx::query!(
        "insert into contact_card (district, area, public_id, version)
         select $1, code, public_id, 0 from unnest($2::text[], $3::text[], $4::bigint[]) as c(code, public_id, version) where version = 1",
        district,
        &codes,
        public_ids,
        &versions,
    )
    .execute(conn)
    .await?;
    Ok(heads)
}

/// The rings of the versions' boundaries, numbered as `store::area::insert_version` numbers them.
async fn put_rings(conn: &mut PgConnection, district: i32, areas: &[AreaVersion]) -> sqlx::Result<()> {
    let (mut codes, mut versions, mut numbers, mut rings) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for area in areas.iter().filter(|a| !a.boundary.is_empty()) {
        let boundary = Boundary::from_geojson(&area.boundary, CoordinateSystem::Wgs84)
            .map_err(|e| sqlx::Error::Encode(e.into()))?;
        let outer = (1..).zip(boundary.outer_rings());
        let holes = (0..).map(|place: i32| -place).zip(boundary.holes());
        for (number, ring) in outer.chain(holes) {
            codes.push(area.code.to_string());
            versions.push(area.version);
            numbers.push(number);
            rings.push(ring);
        }
    }
    sqlx::query!(
        "insert into area_ring (district, code, version, ring_number, ring)
         select $1, code, version, number, ring::polygon
         from unnest($2::text[], $3::bigint[], $4::integer[], $5::text[]) as r(code, version, number, ring)",
        district,
        &codes,
        &versions,
        &numbers,
        &rings,
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// The areas, these and those below them, that have a contact card.
pub async fn cards_below(
    conn: &mut PgConnection,
    district: i32,
    areas: &[String],
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        "select distinct c.area from unnest($2::text[]) as a(code)
         join contact_card c on c.district = $1 and c.area >= a.code and c.area < a.code || ':'",
        district,
        areas,
    )
    .fetch_all(conn)
    .await
}

/// The version of each of `codes` that is in force.
pub async fn versions(
    conn: &mut PgConnection,
    district: i32,
    codes: &[String],
    now: OffsetDateTime,
) -> sqlx::Result<Vec<(AreaCode, i64)>> {
    let rows = sqlx::query!(
        "select distinct on (code) code, version from area_version
         where district = $1 and code = any($2) and effective_time <= $3 order by code, effective_time desc, version desc",
        district,
        codes,
        now,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|r| Ok((code(&r.code)?, r.version))).collect()
}

/// Where points lie: of each, by its place from 0, the deepest area that holds it, as `store::area::locate` finds it.
pub async fn locate(
    conn: &mut PgConnection,
    district: i32,
    points: &[Point],
    at: OffsetDateTime,
) -> sqlx::Result<Vec<(usize, AreaCode, i64)>> {
    let rows = sqlx::query!(
        r#"select p.place as "place!", found.code, found.version
           from unnest($2::double precision[], $3::double precision[]) with ordinality as p(x, y, place)
           cross join lateral (
             select r.code, r.version from area_ring r
             where r.district = $1 and r.ring && polygon(box(point(p.x, p.y), point(p.x, p.y))) and r.ring @> point(p.x, p.y)
               and r.version = (
                 select v.version from area_version v
                 where v.district = r.district and v.code = r.code and v.effective_time <= $4
                 order by v.effective_time desc, v.version desc limit 1)
             group by r.code, r.version
             having count(*) filter (where r.ring_number > 0) > count(*) filter (where r.ring_number <= 0)
             order by length(r.code) desc, r.code limit 1) found"#,
        district,
        &points.iter().map(Point::longitude).collect::<Vec<_>>(),
        &points.iter().map(Point::latitude).collect::<Vec<_>>(),
        at,
    )
    .fetch_all(conn)
    .await?;
    let found = rows.into_iter().map(|r| {
        let place = usize::try_from(r.place - 1).map_err(|e| sqlx::Error::Decode(e.into()))?;
        Ok((place, code(&r.code)?, r.version))
    });
    found.collect()
}
