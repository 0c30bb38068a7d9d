//! Lists of issues: each a range of one index, so that a page costs the same however many issues there are.

use sqlx::types::Json;
use sqlx::{PgPool, Postgres, QueryBuilder};
use time::OffsetDateTime;
use uuid::Uuid;

use super::issue::Stored;
use super::transition::number;
use crate::model::issue::clock::Level;
use crate::model::issue::rules::Class;
use crate::model::issue::{Issue, State};

/// Where a page begins: after the issue with this time and id.
pub type Cursor = (OffsetDateTime, Uuid);

/// Which issues of a district, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The district.
    pub district: i32,
    /// Whose: what the caller may see, and asked for.
    pub whose: Whose,
    /// Only in these states; all where empty.
    pub states: Vec<State>,
    /// Only of this class.
    pub class: Option<Class>,
    /// Only pressed so much or more.
    pub min_level: Level,
}

/// Whose issues a list holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// All of the district.
    Everyone,
    /// Those whose current round a department handles.
    Department(String),
    /// Those that a person submitted.
    Submitter(String),
}

/// A page of issues after `after`, at most `limit`.
pub async fn list(
    pool: &PgPool,
    filter: &Filter,
    after: Option<Cursor>,
    limit: i64,
) -> sqlx::Result<Vec<Stored>> {
    let mut query = QueryBuilder::new("");
    if by_state(filter) {
        // An index gives the order of one state's issues, not of several: a page of each, and of those a page.
        query.push("select i.* from unnest(").push_bind(numbers(&filter.states));
        query.push(") as s(state) cross join lateral (");
    }
    query.push("select i.case_number, i.body, i.submit_time, i.id from issue i where i.district = ");
    query.push_bind(filter.district);
    conditions(&mut query, filter);
    if let Some((time, id)) = after {
        query.push(" and (i.submit_time, i.id) < (").push_bind(time).push(", ").push_bind(id).push(")");
    }
    query.push(" order by i.submit_time desc, i.id desc limit ").push_bind(limit);
    if by_state(filter) {
        query.push(") as i order by i.submit_time desc, i.id desc limit ").push_bind(limit);
    }
    let rows = query.build_query_as::<(String, Json<Issue>)>().fetch_all(pool).await?;
    Ok(rows.into_iter().map(|(case_number, body)| Stored { case_number, issue: body.0 }).collect())
}

/// Whether the page is put together from one of each state asked for: not where another index finds fewer.
fn by_state(filter: &Filter) -> bool {
    !filter.states.is_empty()
        && filter.min_level == Level::None
        && !matches!(filter.whose, Whose::Submitter(_))
}

fn numbers(states: &[State]) -> Vec<i16> {
    states.iter().map(|state| number(*state as i16)).collect()
}

fn conditions(query: &mut QueryBuilder<Postgres>, filter: &Filter) {
    match &filter.whose {
        Whose::Everyone => {}
        Whose::Department(code) => {
            query.push(" and i.department = ").push_bind(code.clone());
        }
        Whose::Submitter(subject) => {
            query.push(" and i.submitter = ").push_bind(subject.clone());
        }
    }
    if by_state(filter) {
        query.push(" and i.state = s.state");
    } else if !filter.states.is_empty() {
        query.push(" and i.state = any(").push_bind(numbers(&filter.states)).push(")");
    }
    if let Some(class) = filter.class {
        query.push(" and i.class = ").push_bind(number(class as i16));
    }
    if filter.min_level > Level::None {
        // Said in the words of the index issue_pressed.
        query.push(" and i.level > 0 and i.level >= ").push_bind(filter.min_level as i16);
    }
}
