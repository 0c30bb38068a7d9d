//! Changes of issues, each written by one statement with all that goes with it: its record, its entry in the feed, the answer to
//! keep.

use jingwei_kit::idempotency::Key;
use sqlx::PgExecutor;
use sqlx::types::Json;
use time::Date;
use uuid::Uuid;

use super::transition::number;
use crate::model::issue::Issue;
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
             from made where $15::uuid is not null)
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
             select $1, $17, $18, $19, $20, $21, $13 from head where $18::uuid is not null)
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
    )
    .fetch_optional(executor)
    .await?;
    Ok(seq.is_some())
}
