//! Contact cards: their content as it follows from postings and areas, its versions, deliveries.

use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::model::area::AreaCode;
use crate::model::card::{Card, CardContent, Delivery};

/// Makes the card of a new area, with its first version.
pub async fn insert(
    conn: &mut PgConnection,
    area: AreaCode,
    public_id: &str,
    now: OffsetDateTime,
) -> sqlx::Result<()> {
    let (district, code) = (area.district(), area.to_string());
    sqlx::query!(
        "insert into contact_card (district, area, public_id, version) values ($1, $2, $3, 0)",
        district,
        code,
        public_id,
    )
    .execute(&mut *conn)
    .await?;
    refresh(conn, district, &[code], now).await
}

/// Brings cards up to date after a change of postings or of a person: where the content is another, a new version is kept.
///
/// The cards are locked in a statement of their own: the next one then sees what others committed while this one waited,
/// so that of two changes at the same moment the later card holds both.
pub async fn refresh(
    conn: &mut PgConnection,
    district: i32,
    areas: &[String],
    now: OffsetDateTime,
) -> sqlx::Result<()> {
    sqlx::query!(
        "select from contact_card where district = $1 and area = any($2) order by area for update",
        district,
        areas,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        r#"with content as materialized (
             select c.area, c.version, jsonb_build_object(
               'people', coalesce((
                 select jsonb_agg(jsonb_build_object(
                   'role', (array['grid_chief', 'grid_member', 'police_officer', 'doctor', 'posted_cadre'])[p.role],
                   'display_name', s.display_name, 'duty_phone', s.duty_phone) order by p.role, p.start_time, p.id)
                 from posting p join staff_member s on s.district = p.district and s.id = p.staff_id
                 where p.district = c.district and p.area = c.area and p.end_time is null), '[]'),
               'service_phone', coalesce((
                 select v.service_phone
                 from unnest(array[left(c.area, 6), left(c.area, 9), left(c.area, 12), left(c.area, 15), c.area]) as a(code)
                 cross join lateral (
                   select v.service_phone from area_version v
                   where v.district = c.district and v.code = a.code and v.effective_time <= $3
                   order by v.effective_time desc, v.version desc limit 1) v
                 where v.service_phone <> '' order by length(a.code) desc limit 1), '')) as content
             from contact_card c where c.district = $1 and c.area = any($2)),
           changed as (
             select n.area, n.version + 1 as version, n.content from content n
             left join contact_card_version o on o.district = $1 and o.area = n.area and o.version = n.version
             where o.content is distinct from n.content),
           counted as (
             update contact_card c set version = n.version from changed n where c.district = $1 and c.area = n.area)
           insert into contact_card_version (district, area, version, content, create_time)
           select $1, area, version, content, $3 from changed"#,
        district,
        areas,
        now,
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// Brings the cards of an area and of all below it up to date, after a change of the area.
pub async fn refresh_below(conn: &mut PgConnection, area: AreaCode, now: OffsetDateTime) -> sqlx::Result<()> {
    let below = sqlx::query_scalar!(
        "select area from contact_card where district = $1 and area >= $2 and area < $2 || ':'",
        area.district(),
        area.to_string(),
    )
    .fetch_all(&mut *conn)
    .await?;
    refresh(conn, area.district(), &below, now).await
}

struct Row {
    area: String,
    public_id: String,
    title: Option<String>,
    content: Json<CardContent>,
    version: i64,
    create_time: OffsetDateTime,
    service_phone: String,
}

/// A card as it was last refreshed.
pub struct Found {
    /// Whose card.
    pub area: AreaCode,
    /// The card.
    pub card: Card,
    /// Whether the service telephone is another since an area's version came into force: `refresh` is due.
    pub outdated: bool,
}

/// The card of an area, or of a public id: one of the two is given.
pub async fn get(
    executor: impl PgExecutor<'_>,
    district: i32,
    area: Option<AreaCode>,
    public_id: Option<&str>,
    now: OffsetDateTime,
) -> sqlx::Result<Option<Found>> {
    let row = sqlx::query_as!(
        Row,
        r#"select c.area, c.public_id, v.content as "content: Json<CardContent>", v.version, v.create_time,
             (select string_agg(n.display_name, '' order by n.code) from (
                select distinct on (a.code) a.code, a.display_name from area_version a
                where a.district = c.district and a.effective_time <= $4
                  and a.code in (left(c.area, 6), left(c.area, 9), left(c.area, 12), left(c.area, 15), c.area)
                order by a.code, a.effective_time desc, a.version desc) n) as title,
             coalesce((select p.service_phone from (
                select distinct on (a.code) a.code, a.service_phone from area_version a
                where a.district = c.district and a.effective_time <= $4
                  and a.code in (left(c.area, 6), left(c.area, 9), left(c.area, 12), left(c.area, 15), c.area)
                order by a.code, a.effective_time desc, a.version desc) p
              where p.service_phone <> '' order by length(p.code) desc limit 1), '') as "service_phone!"
           from contact_card c join contact_card_version v using (district, area, version)
           where c.district = $1 and ($2::text is null or c.area = $2) and ($3::text is null or c.public_id = $3)
             and ($2::text is not null or $3::text is not null)"#,
        district,
        area.map(|a| a.to_string()),
        public_id,
        now,
    )
    .fetch_optional(executor)
    .await?;
    row.map(|r| {
        let outdated = r.content.0.service_phone != r.service_phone;
        let card = Card {
            public_id: r.public_id,
            title: r.title.unwrap_or_default(),
            content: r.content.0,
            version: r.version,
            update_time: r.create_time,
        };
        Ok(Found { area: super::area::code(&r.area)?, card, outdated })
    })
    .transpose()
}

/// The versions of a card before version `before`, newest first.
pub async fn versions(
    executor: impl PgExecutor<'_>,
    area: AreaCode,
    before: i64,
    limit: i64,
) -> sqlx::Result<Vec<(i64, CardContent, OffsetDateTime)>> {
    let rows = sqlx::query!(
        r#"select version, content as "content: Json<CardContent>", create_time from contact_card_version
           where district = $1 and area = $2 and version < $3 order by version desc limit $4"#,
        area.district(),
        area.to_string(),
        before,
        limit,
    )
    .fetch_all(executor)
    .await?;
    Ok(rows.into_iter().map(|r| (r.version, r.content.0, r.create_time)).collect())
}

/// Records a delivery. Errors: `delivery_version` where the card has no such version.
pub async fn insert_delivery(
    conn: &mut PgConnection,
    area: AreaCode,
    delivery: &Delivery,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into contact_card_delivery (district, id, area, household, version, deliverer, deliver_time)
         values ($1, $2, $3, $4, $5, $6, $7)",
        area.district(),
        delivery.id,
        area.to_string(),
        delivery.household,
        delivery.version,
        delivery.deliverer,
        delivery.deliver_time,
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// The deliveries of an area's card before the one with id `before`, newest first.
pub async fn deliveries(
    executor: impl PgExecutor<'_>,
    area: AreaCode,
    before: Option<Uuid>,
    limit: i64,
) -> sqlx::Result<Vec<Delivery>> {
    sqlx::query_as!(
        Delivery,
        "select id, household, version, deliverer, deliver_time from contact_card_delivery
         where district = $1 and area = $2 and ($3::uuid is null or id < $3) order by id desc limit $4",
        area.district(),
        area.to_string(),
        before,
        limit,
    )
    .fetch_all(executor)
    .await
}
