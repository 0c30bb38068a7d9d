//! Changes of issues, each written by one statement with all that goes with it: its record, its entry in the feed, the answer to
//! keep, what it counts for. The row of the feed's head is locked before any number, so that writers of a district do not wait for
//! each other in a circle.

use jingwei_kit::idempotency::Key;
use sqlx::PgExecutor;
use sqlx::types::Json;
use time::Date;
use uuid::Uuid;

use super::transition::number;
use crate::model::issue::Issue;
use crate::model::issue::tally::{Measure, Place, Tag, Tally};
use crate::model::issue::transition::Transition;

/// One change, ready to be written.
#[derive(Debug)]
pub struct Change<'a> {
    /// The issue after it.
    pub issue: &'a Issue,
    /// Its record.
    pub transition: &'a Transition,
    /// The issue's resource name, under which the feed has it.
    pub resource: &'a str,
    /// Where it stood before; `None` where it is new.
    pub from: Option<Place>,
    /// Where it stands.
    pub to: Place,
    /// What it counts for.
    pub tally: Tally,
    /// The change feed's entry.
    pub payload: &'a [u8],
    /// The answer to keep for a repeat of the request.
    pub answer: Option<Answer<'a>>,
}

/// The answer to a request, kept beside what it changed.
#[derive(Debug)]
pub struct Answer<'a> {
    /// Which request.
    pub key: &'a Key,
    /// The encoded response.
    pub response: Vec<u8>,
}

/// The columns of a kept answer; all null where there is no request id.
#[derive(Default)]
struct AnswerColumns<'a> {
    subject: Option<&'a str>,
    request_id: Option<Uuid>,
    method: Option<&'a str>,
    fingerprint: Option<&'a [u8]>,
    response: Option<&'a [u8]>,
}

impl<'a> AnswerColumns<'a> {
    fn of(answer: Option<&'a Answer<'a>>) -> Self {
        answer.map_or_else(Self::default, |a| Self {
            subject: Some(&a.key.subject),
            request_id: Some(a.key.request_id),
            method: Some(a.key.method),
            fingerprint: Some(&a.key.fingerprint),
            response: Some(&a.response),
        })
    }
}

/// The rows that a tally adds one to: each measure for the issue, and for each of its tags.
struct TallyColumns {
    measures: Vec<i16>,
    departments: Vec<String>,
    classes: Vec<i16>,
    tags: Vec<i16>,
}

impl TallyColumns {
    fn of(tally: &Tally) -> Self {
        let mut columns =
            Self { measures: Vec::new(), departments: Vec::new(), classes: Vec::new(), tags: Vec::new() };
        for measure in &tally.measures {
            let class = tally.class.map_or(0, |class| number(class as i16));
            columns.push(*measure, tally.department.clone().unwrap_or_default(), class, ALL_ISSUES);
            for tag in &tally.tags {
                columns.push(*measure, String::new(), 0, tag_number(*tag));
            }
        }
        columns
    }

    fn push(&mut self, measure: Measure, department: String, class: i16, tag: i16) {
        self.measures.push(number(measure as i16));
        self.departments.push(department);
        self.classes.push(class);
        self.tags.push(tag);
    }
}

/// The number under which an issue counts whatever it touches.
pub(super) const ALL_ISSUES: i16 = 0;

/// The indicators' tags come up to here, the tasks' after it.
pub(super) const TASKS: i16 = 100;

/// The number under which an issue counts that touches something.
fn tag_number(tag: Tag) -> i16 {
    match tag {
        Tag::Indicator(number) => number.into(),
        Tag::Task(number) => TASKS + i16::from(number),
    }
}

/// What a change adds to and takes from the numbers of issues in each state.
struct StockColumns {
    departments: Vec<String>,
    states: Vec<i16>,
    counts: Vec<i64>,
}

impl StockColumns {
    fn of(from: Option<&Place>, to: &Place) -> Self {
        let mut columns = Self { departments: Vec::new(), states: Vec::new(), counts: Vec::new() };
        if from == Some(to) {
            return columns;
        }
        for (place, count) in from.into_iter().map(|place| (place, -1)).chain([(to, 1)]) {
            columns.departments.push(place.department.clone().unwrap_or_default());
            columns.states.push(number(place.state as i16));
            columns.counts.push(count);
        }
        columns
    }
}

/// Writes a new issue. Answers with its case number, of the day `day`.
///
/// The kept answer gets the case number appended as field 2 of `Issue`: encoded messages may be joined, the later part
/// counts, and the number is known to the database only.
///
/// # Errors
/// `issue_pkey` for an id in use, `idempotency_pkey` for a request answered at the same moment.
pub async fn insert(executor: impl PgExecutor<'_>, change: &Change<'_>, day: Date) -> sqlx::Result<String> {
    let (issue, transition) = (change.issue, change.transition);
    let answer = AnswerColumns::of(change.answer.as_ref());
    let (tally, stock) =
        (TallyColumns::of(&change.tally), StockColumns::of(change.from.as_ref(), &change.to));
    sqlx::query_scalar!(
        r#"with number as (
             insert into case_day as c (district, day, last) values ($1, $2, 1)
             on conflict (district, day) do update set last = c.last + 1
             returning format('%s-%s-%s', $1::integer, to_char($2::date, 'YYYYMMDD'), lpad(last::text, greatest(length(last::text), 6), '0')) as case_number),
           made as (
             insert into issue (district, id, case_number, submit_time, submitter, state, level, due_time, alarm_time, version, body)
             select $1, $3, case_number, $4, $5, $6, 0, $7, $8, 1, $9 from number returning case_number),
           head as (
             insert into feed_head as h (district, seq) select $1, 1 from made
             on conflict (district) do update set seq = h.seq + 1 returning seq),
           moved as (
             insert into issue_transition (district, issue_id, version, seq, action, to_state, create_time, body)
             select $1, $3, 1, seq, $10, $6, $4, $11 from head),
           told as (
             insert into outbox (district, seq, resource, payload, create_time) select $1, seq, $12, $13, $4 from head),
           kept as (
             insert into idempotency (district, subject, request_id, method, fingerprint, response, create_time)
             select $1, $14, $15, $16, $17,
               $18 || '\x12'::bytea || set_byte('\x00', 0, length(case_number)) || convert_to(case_number, 'UTF8'), $4
             from made where $15::uuid is not null),
           tallied as (
             insert into issue_tally as t (district, day, measure, department, class, tag, count)
             select $1, $19, n.measure, n.department, n.class, n.tag, 1
             from head cross join unnest($20::smallint[], $21::text[], $22::smallint[], $23::smallint[]) n(measure, department, class, tag)
             on conflict (district, tag, day, measure, department, class) do update set count = t.count + 1),
           stocked as (
             insert into issue_stock as s (district, department, state, count)
             select $1, n.department, n.state, n.count
             from head cross join unnest($24::text[], $25::smallint[], $26::bigint[]) n(department, state, count)
             on conflict (district, department, state) do update set count = s.count + excluded.count)
           select case_number as "case_number!" from made cross join head"#,
        issue.submission.district,
        day,
        issue.submission.id,
        issue.submitted,
        issue.submitter.subject,
        number(issue.state as i16),
        issue.active_clock().map(|clock| clock.due),
        issue.alarm_at(),
        Json(issue) as _,
        number(transition.action as i16),
        Json(transition) as _,
        change.resource,
        change.payload,
        answer.subject,
        answer.request_id,
        answer.method,
        answer.fingerprint,
        answer.response,
        change.tally.day,
        &tally.measures,
        &tally.departments,
        &tally.classes,
        &tally.tags,
        &stock.departments,
        &stock.states,
        &stock.counts,
    )
    .fetch_one(executor)
    .await
}

/// Writes a change, unless the issue has been changed meanwhile: then nothing is written and the answer is false.
///
/// # Errors
/// `idempotency_pkey` for a request answered at the same moment.
pub async fn update(executor: impl PgExecutor<'_>, change: &Change<'_>) -> sqlx::Result<bool> {
    let (issue, transition) = (change.issue, change.transition);
    let answer = AnswerColumns::of(change.answer.as_ref());
    let (tally, stock) =
        (TallyColumns::of(&change.tally), StockColumns::of(change.from.as_ref(), &change.to));
    let seq = sqlx::query_scalar!(
        r#"with changed as (
             update issue set state = $4, department = $5, class = $6, level = $7, due_time = $8, alarm_time = $9, version = $3,
               body = $10
             where district = $1 and id = $2 and version = $3::bigint - 1 returning id),
           head as (
             insert into feed_head as h (district, seq) select $1, 1 from changed
             on conflict (district) do update set seq = h.seq + 1 returning seq),
           moved as (
             insert into issue_transition (district, issue_id, version, seq, action, from_state, to_state, create_time, body)
             select $1, $2, $3, seq, $11, $12, $4, $13, $14 from head),
           told as (
             insert into outbox (district, seq, resource, payload, create_time) select $1, seq, $15, $16, $13 from head),
           kept as (
             insert into idempotency (district, subject, request_id, method, fingerprint, response, create_time)
             select $1, $17, $18, $19, $20, $21, $13 from head where $18::uuid is not null),
           tallied as (
             insert into issue_tally as t (district, day, measure, department, class, tag, count)
             select $1, $22, n.measure, n.department, n.class, n.tag, 1
             from head cross join unnest($23::smallint[], $24::text[], $25::smallint[], $26::smallint[]) n(measure, department, class, tag)
             on conflict (district, tag, day, measure, department, class) do update set count = t.count + 1),
           stocked as (
             insert into issue_stock as s (district, department, state, count)
             select $1, n.department, n.state, n.count
             from head cross join unnest($27::text[], $28::smallint[], $29::bigint[]) n(department, state, count)
             on conflict (district, department, state) do update set count = s.count + excluded.count)
           select seq as "seq!" from head"#,
        issue.submission.district,
        issue.submission.id,
        issue.version,
        number(issue.state as i16),
        issue.round().and_then(|round| round.department.as_deref()),
        issue.round().map(|round| number(round.class as i16)),
        issue.level() as i16,
        issue.active_clock().map(|clock| clock.due),
        issue.alarm_at(),
        Json(issue) as _,
        number(transition.action as i16),
        transition.from.map(|state| number(state as i16)),
        transition.at,
        Json(transition) as _,
        change.resource,
        change.payload,
        answer.subject,
        answer.request_id,
        answer.method,
        answer.fingerprint,
        answer.response,
        change.tally.day,
        &tally.measures,
        &tally.departments,
        &tally.classes,
        &tally.tags,
        &stock.departments,
        &stock.states,
        &stock.counts,
    )
    .fetch_optional(executor)
    .await?;
    Ok(seq.is_some())
}
