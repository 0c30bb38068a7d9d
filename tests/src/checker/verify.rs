//! What clients were told, compared with what is there: by the API, by the change feed and in the database.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use jingwei_grid::model::transition::verify_chain;
use jingwei_grid::recount::Recount;
use jingwei_grid::store;
use jingwei_kit::outbox;
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::event_service_client::EventServiceClient;
use sqlx::PgPool;
use tonic::transport::Endpoint;
use uuid::Uuid;

use super::{Acknowledged, Ledger, PATIENCE, PAUSE, PEOPLE, Step};
use crate::{District, Error, Processes, Session, session};

/// How many events are read back at once.
const AT_ONCE: usize = 16;
/// More transitions than an event of a test has.
const MANY: i64 = 1_000_000;

/// What must not be found in the database: each statement answers with how many.
const CHECKS: [(&str, &str); 6] = [
    (
        "gaps in the feed's numbers",
        "select coalesce(sum(h.seq - (select count(*) from outbox o where o.district = h.district)), 0)::bigint from feed_head h",
    ),
    (
        "transitions that are not in the feed",
        "select count(*) from event_transition t where not exists (
           select from outbox o where o.district = t.district and o.seq = t.seq
             and o.resource = format('districts/%s/events/%s', t.district, t.event_id))",
    ),
    (
        "changes of events in the feed without a transition",
        "select count(*) from outbox o where resource like '%/events/%' and not exists (
           select from event_transition t where t.district = o.district and t.seq = o.seq)",
    ),
    (
        "case numbers that nobody has",
        "select (select sum(last) from case_day)::bigint - (select count(distinct case_number) from event)",
    ),
    (
        "events whose version is not that of their last transition",
        "select count(*) from event e where version <> (
           select max(version) from event_transition t where t.district = e.district and t.event_id = e.id)",
    ),
    (
        "transitions without a kept answer",
        "select (select count(*) from event_transition) - (select count(*) from idempotency where method like '%Event')",
    ),
];

/// Everything that can be read back.
struct Reader<'a> {
    district: &'a District,
    events: EventServiceClient<Session>,
    pool: PgPool,
}

impl Ledger {
    /// Reads everything back and compares; answers with what is wrong, which should be nothing. The service runs, and the clients
    /// were the only ones that changed the district's events.
    ///
    /// # Errors
    /// Something cannot be read.
    pub async fn verify(&self, processes: &Processes, district: &District) -> Result<Vec<String>, Error> {
        let address = format!("http://{}", processes.grids[0].address());
        let channel = Endpoint::from_shared(address)?.connect().await?;
        let token = processes.token("reader", Role::Dispatcher, &district.code.to_string())?;
        let events = EventServiceClient::new(session(&channel, &token)?);
        let pool = PgPool::connect(&processes.database()).await?;
        let reader = Reader { district, events, pool };
        let mut faults = self.faults.clone();
        faults.extend(reader.events(self).await?);
        faults.extend(reader.feed(self).await?);
        faults.extend(reader.database(self).await?);
        reader.pool.close().await;
        Ok(faults)
    }

    /// The figures of a run, for people.
    pub fn summary(&self) -> String {
        format!(
            "{} acknowledged, put off {:?}, slowest {:?}",
            self.acknowledged.len(),
            self.put_off,
            self.slowest
        )
    }

    /// What was acknowledged of each event, in the order of the versions that the answers have.
    fn by_event(&self) -> HashMap<Uuid, Vec<&Acknowledged>> {
        let mut events: HashMap<Uuid, Vec<&Acknowledged>> = HashMap::new();
        for done in &self.acknowledged {
            events.entry(done.asked.event).or_default().push(done);
        }
        for done in events.values_mut() {
            done.sort_by_key(|done| done.answer.version);
        }
        events
    }
}

impl Reader<'_> {
    /// Every event has exactly the transitions that were acknowledged, with dense versions and a chain that holds.
    async fn events(&self, ledger: &Ledger) -> Result<Vec<String>, Error> {
        let events = ledger.by_event();
        let found = futures::stream::iter(&events)
            .map(|(event, done)| self.event(*event, done))
            .buffer_unordered(AT_ONCE)
            .try_collect::<Vec<_>>();
        let mut faults = found.await?.concat();
        let there: i64 = sqlx::query_scalar("select count(*) from event").fetch_one(&self.pool).await?;
        if there != i64::try_from(events.len())? {
            faults.push(format!("{} events were acknowledged, {there} are there", events.len()));
        }
        Ok(faults)
    }

    async fn event(&self, event: Uuid, done: &[&Acknowledged]) -> Result<Vec<String>, Error> {
        let mut faults = Vec::new();
        let mut fault = |what: String| faults.push(format!("event {event}: {what}"));
        let name = self.district.resource("events", &event.to_string());
        let mut events = self.events.clone();
        let shown = events.get_event(pb::GetEventRequest { name: name.clone() }).await?.into_inner();
        let last = done.last().ok_or("an event of nobody")?;
        if shown != last.answer {
            fault(format!("{shown:?} is not its last answer {:?}", last.answer));
        }
        let told: Vec<_> = done.iter().map(|done| (done.answer.version, done.asked.step.action())).collect();
        let timeline = self.timeline(&name).await?;
        let there: Vec<_> = timeline.iter().map(|t| (t.version, t.action())).collect();
        if there != told || !there.iter().zip(1..).all(|((version, _), n)| *version == n) {
            fault(format!("acknowledged {told:?}, there {there:?}"));
        }
        for (done, transition) in done.iter().zip(&timeline) {
            let actor = format!("{}-{}", PEOPLE[done.asked.step.by()], done.client);
            if transition.actor != actor {
                fault(format!("version {} is not by {actor}", transition.version));
            }
            if done.asked.step == Step::Comment && transition.note != done.asked.request_id.to_string() {
                fault(format!("version {} has the comment {}", transition.version, transition.note));
            }
        }
        let stored = store::transition::list(&self.pool, self.district.code, event, 0, MANY).await?;
        if let Err(broken) = verify_chain(&stored) {
            fault(broken.to_string());
        }
        let hashes = stored.iter().map(|t| &t.hash[..]);
        if !hashes.eq(timeline.iter().map(|t| &t.hash[..])) {
            fault("the API tells other hashes than the database has".to_owned());
        }
        Ok(faults)
    }

    async fn timeline(&self, event: &str) -> Result<Vec<pb::EventTransition>, Error> {
        let mut events = self.events.clone();
        let mut request = pb::ListEventTransitionsRequest {
            parent: event.to_owned(),
            page_size: 200,
            ..Default::default()
        };
        let mut timeline = Vec::new();
        loop {
            let page = events.list_event_transitions(request.clone()).await?.into_inner();
            timeline.extend(page.transitions);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                return Ok(timeline);
            }
        }
    }

    /// A reader who begins at the beginning gets each change exactly once, and of each event in its order.
    async fn feed(&self, ledger: &Ledger) -> Result<Vec<String>, Error> {
        let request = pb::WatchEventsRequest {
            parent: self.district.name(),
            resume_token: outbox::token(self.district.code, 0),
            ..Default::default()
        };
        let stream = self.events.clone().watch_events(request).await?.into_inner();
        let wanted = ledger.acknowledged.len();
        let read = stream.take(wanted).try_collect::<Vec<_>>();
        let read = tokio::time::timeout(PATIENCE, read).await.map_err(|_| "the feed lacks changes")??;
        let mut last: HashMap<&str, i64> = HashMap::new();
        let mut faults = Vec::new();
        for change in &read {
            let version = change.transition.as_ref().map_or(0, |t| t.version);
            let before = last.insert(&change.event, version).unwrap_or(0);
            if version != before + 1 {
                faults.push(format!("feed: {} goes from version {before} to {version}", change.event));
            }
        }
        Ok(faults)
    }

    /// What only the database shows: numbers without gaps, the feed equal to the transitions, answers kept, counters right.
    async fn database(&self, ledger: &Ledger) -> Result<Vec<String>, Error> {
        let mut faults = Vec::new();
        for (what, sql) in CHECKS {
            let wrong: i64 = sqlx::query_scalar(sql).fetch_one(&self.pool).await?;
            if wrong != 0 {
                faults.push(format!("{what}: {wrong}"));
            }
        }
        let rows: i64 =
            sqlx::query_scalar("select count(*) from event_transition").fetch_one(&self.pool).await?;
        if rows != i64::try_from(ledger.acknowledged.len())? {
            faults.push(format!("{} changes were acknowledged, {rows} are there", ledger.acknowledged.len()));
        }
        faults.extend(self.counters().await?);
        Ok(faults)
    }

    /// Once the counters have caught up, folding all transitions again gives the same.
    async fn counters(&self) -> Result<Vec<String>, Error> {
        let behind = "select count(*) from feed_head h where seq > coalesce((select seq from statistic_head c where c.district = h.district), 0)";
        let mut waited = Duration::ZERO;
        while sqlx::query_scalar::<_, i64>(behind).fetch_one(&self.pool).await? > 0 {
            if waited > PATIENCE {
                return Ok(vec!["the counters do not catch up".to_owned()]);
            }
            tokio::time::sleep(PAUSE).await;
            waited += PAUSE;
        }
        let mut differences = String::new();
        let found = Recount::default()
            .run(&self.pool, |district, difference| {
                write!(differences, "{district}: {difference}; ").expect("memory takes it");
            })
            .await?;
        Ok(if found == 0 { Vec::new() } else { vec![format!("recount: {differences}")] })
    }
}
