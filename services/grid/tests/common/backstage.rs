//! What tests do past the front door: sweeps when they want them, many events at once, a look at the tables.

use jingwei_grid::api::deadlines::Deadlines;
use jingwei_grid::sweep::Sweep;
use jingwei_kit::outbox::Feed;
use jingwei_proto::grid::v1 as pb;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Site;

/// Copies of one event with its history. `jsonb_populate_record` takes over every column that is not said here.
const COPY: &str = "with copy as materialized (
    select gen_random_uuid() as id, lpad((i + last)::text, greatest(length((i + last)::text), 6), '0') as number
    from case_day cross join generate_series(1, $2) as i where district = 410182 order by day desc limit $2),
  counted as (update case_day set last = last + $2),
  made as (
    insert into event select (jsonb_populate_record(e, jsonb_build_object('id', c.id,
      'case_number', left(e.case_number, 16) || c.number, 'body', e.body || jsonb_build_object('id', c.id)))).*
    from event e cross join copy c where e.district = 410182 and e.id = $1),
  placed as (
    insert into event_place select p.district, p.area, p.report_time, c.id
    from event_place p cross join copy c where p.district = 410182 and p.event_id = $1),
  spotted as (
    insert into event_spot select (jsonb_populate_record(s, jsonb_build_object('event_id', c.id))).*
    from event_spot s cross join copy c where s.district = 410182 and s.event_id = $1),
  history as (
    select t, c.id, row_number() over (order by c.number, t.version) as place
    from event_transition t cross join copy c where t.district = 410182 and t.event_id = $1),
  head as (
    update feed_head set seq = seq + (select count(*) from history) where district = 410182
    returning seq - (select count(*) from history) as before)
  insert into event_transition
  select (jsonb_populate_record(h.t, jsonb_build_object('event_id', h.id, 'seq', head.before + h.place))).*
  from history h cross join head";

impl Site {
    /// A pool of connections to the site's database.
    pub(crate) async fn pool(&self) -> PgPool {
        self.database.connect().await.expect("the database answers")
    }

    /// The sweep of one more replica.
    pub(crate) async fn sweep(&self) -> Sweep {
        let pool = self.pool().await;
        // Nobody waits for its changes.
        let feed = Feed::start(pool.clone(), CancellationToken::new());
        Sweep { deadlines: Deadlines::new(pool.clone()), clock: self.clock.clone(), pool, feed }
    }

    /// Makes so many copies of an event as it is, with new ids and numbers: faster than as many reports. The change feed
    /// does not tell of them.
    pub(crate) async fn copy(&self, event: &pb::Event, copies: i32) {
        let pool = self.pool().await;
        sqlx::query(COPY).bind(id(event)).bind(copies).execute(&pool).await.expect("copied");
        pool.close().await;
    }
}

/// The event's id.
pub(crate) fn id(event: &pb::Event) -> Uuid {
    event.name.rsplit('/').next().and_then(|id| id.parse().ok()).expect("an event's name ends with its id")
}
