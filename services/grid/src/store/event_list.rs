//! Lists of events: each a range of one index, so that a page costs the same however many events there are.

use sqlx::types::Json;
use sqlx::{PgPool, Postgres, QueryBuilder};
use time::OffsetDateTime;
use uuid::Uuid;

use super::transition::number;
use crate::model::area::AreaCode;
use crate::model::clock::Stage;
use crate::model::event::{Event, State};
use crate::model::unit::Unit;

/// Where a page begins: after the event with this time and id.
pub type Cursor = (OffsetDateTime, Uuid);

/// Which events of a district.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The district.
    pub district: i32,
    /// Whose events: what the caller may see, and asked for.
    pub whose: Whose,
    /// Only in these states; all where empty.
    pub states: Vec<State>,
    /// Only of this category.
    pub category: Option<String>,
    /// Only with this case number.
    pub case_number: Option<String>,
    /// Only this late or later.
    pub min_alarm: Stage,
    /// The nearest deadline first instead of the newest first; only events with a running clock.
    pub by_deadline: bool,
    /// Only where a review is asked for.
    pub in_review: bool,
}

/// Whose events a list holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// Those that lie in an area or below it.
    Area(AreaCode),
    /// Those that a unit must act on now.
    Holder(Unit),
    /// Those that a unit handles or was the last to handle.
    Lead(Unit),
}

/// A page of events after `after`, at most `limit`, in the order of the filter, with the time that each is ordered by.
pub async fn list(
    pool: &PgPool,
    filter: &Filter,
    after: Option<Cursor>,
    limit: i64,
) -> sqlx::Result<Vec<(OffsetDateTime, Event)>> {
    let mut query = QueryBuilder::new("");
    if by_state(filter) {
        // An index gives the order of one state's events, not of several: a page of each, and of those a page.
        query.push("select e.* from unnest(").push_bind(numbers(&filter.states));
        query.push(") as s(state) cross join lateral (");
    }
    select(&mut query, filter);
    conditions(&mut query, filter);
    order(&mut query, filter, after);
    query.push(" limit ").push_bind(limit);
    if by_state(filter) {
        query.push(") as e order by e.report_time desc, e.id desc limit ").push_bind(limit);
    }
    let rows = query.build_query_as::<(OffsetDateTime, String, Json<Event>)>().fetch_all(pool).await?;
    Ok(rows.into_iter().map(|(time, case_number, body)| (time, Event { case_number, ..body.0 })).collect())
}

/// The newest of an area come from `event_place`, which is in that order; all else from `event` itself.
fn select(query: &mut QueryBuilder<Postgres>, filter: &Filter) {
    query.push(if filter.by_deadline { "select e.due_time" } else { "select e.report_time" });
    query.push(", e.case_number, e.body, e.id from ");
    match &filter.whose {
        Whose::Area(area) if from_places(filter) => {
            query.push("event_place p join event e on e.district = p.district and e.id = p.event_id where p.district = ");
            query.push_bind(filter.district).push(" and p.area = ").push_bind(area.to_string());
        }
        Whose::Area(area) => {
            query.push("event e where e.district = ").push_bind(filter.district);
            if area.depth() > 0 {
                // All codes that begin with the area's: digits sort before the colon.
                query.push(" and e.area >= ").push_bind(area.to_string());
                query.push(" and e.area < ").push_bind(format!("{area}:"));
            }
        }
        Whose::Holder(unit) => {
            query.push("event e where e.district = ").push_bind(filter.district);
            query.push(" and e.holder = ").push_bind(unit.to_string());
        }
        Whose::Lead(unit) => {
            query.push("event e where e.district = ").push_bind(filter.district);
            query.push(" and e.lead = ").push_bind(unit.to_string());
        }
    }
}

/// Whether the page is read in the order of `event_place`: not where another index finds the few events asked for.
fn from_places(filter: &Filter) -> bool {
    !filter.by_deadline
        && filter.case_number.is_none()
        && filter.min_alarm == Stage::InTime
        && !filter.in_review
        && !only_open(filter)
}

fn only_open(filter: &Filter) -> bool {
    !filter.states.is_empty() && filter.states.iter().all(|s| s.is_open())
}

/// Whether the page is put together from one of each state asked for: the newest of an area that are still open.
fn by_state(filter: &Filter) -> bool {
    matches!(filter.whose, Whose::Area(_)) && only_open(filter) && !filter.by_deadline
}

fn numbers(states: &[State]) -> Vec<i16> {
    states.iter().map(|state| number(*state as i16)).collect()
}

fn conditions(query: &mut QueryBuilder<Postgres>, filter: &Filter) {
    if by_state(filter) {
        query.push(" and e.state = s.state");
    } else if !filter.states.is_empty() {
        query.push(" and e.state = any(").push_bind(numbers(&filter.states)).push(")");
    }
    if only_open(filter) {
        // Said in the words of the index event_open.
        query.push(" and e.state <= 8");
    }
    if let Some(category) = &filter.category {
        query.push(" and e.category = ").push_bind(category.clone());
    }
    if let Some(number) = &filter.case_number {
        query.push(" and e.case_number = ").push_bind(number.clone());
    }
    if filter.in_review {
        query.push(" and e.review_time is not null");
    }
    if filter.min_alarm > Stage::InTime {
        // Said in the words of the index event_late.
        query
            .push(" and e.due_time is not null and e.alarm > 0 and e.alarm >= ")
            .push_bind(filter.min_alarm as i16);
    }
}

fn order(query: &mut QueryBuilder<Postgres>, filter: &Filter, after: Option<Cursor>) {
    let (time, id, compare, direction) = match (filter.by_deadline, from_places(filter), &filter.whose) {
        (true, ..) => ("e.due_time", "e.id", ">", ""),
        (false, true, Whose::Area(_)) => ("p.report_time", "p.event_id", "<", " desc"),
        (false, ..) => ("e.report_time", "e.id", "<", " desc"),
    };
    if filter.by_deadline {
        query.push(" and e.due_time is not null");
    }
    if let Some((after, last)) = after {
        query
            .push(format!(" and ({time}, {id}) {compare} ("))
            .push_bind(after)
            .push(", ")
            .push_bind(last)
            .push(")");
    }
    query.push(format!(" order by {time}{direction}, {id}{direction}"));
}
