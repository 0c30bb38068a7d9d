//! The table of errors, whole: a snapshot shows every row, and every reason is a value of the proto's enum.

use std::collections::BTreeSet;

use jingwei_kit::status::{Problem, reason};
use jingwei_proto::grid::v1::ErrorReason;
use jingwei_work_calendar::{Limit, TimeUnit};
use time::macros::datetime;
use uuid::Uuid;

use super::*;
use crate::model::action::{ActionKind, RequestKind};
use crate::model::arcs::Field;
use crate::model::event::State;
use crate::model::unit::Unit;

/// One of each kind.
fn errors() -> Vec<Error> {
    let refusals = vec![
        Refusal::NotAllowed { action: ActionKind::Accept },
        Refusal::WrongState {
            state: State::Closed,
            action: ActionKind::Accept,
            allowed: vec![ActionKind::Reopen, ActionKind::Comment],
        },
        Refusal::Missing { fields: vec![Field::Reason, Field::Evidence] },
        Refusal::TooManyExtensions { limit: 2 },
        Refusal::DeadlinePassed { due: datetime!(2026-03-02 09:00 UTC) },
        Refusal::ExtensionTooLong { at_most: Limit { unit: TimeUnit::WorkingDays, amount: 5 } },
        Refusal::ResumeNotInFuture { resume_at: datetime!(2026-03-02 09:00 UTC) },
        Refusal::RequestPending { kind: RequestKind::Return },
        Refusal::NoRequestPending { kind: Some(RequestKind::Extension) },
        Refusal::NoRequestPending { kind: None },
        Refusal::ReturnNeedsRuling { returns: 2 },
        Refusal::RulingTooEarly { returns: 1 },
        Refusal::RuledFinal,
        Refusal::NoLevelAbove,
        Refusal::TargetNotAllowed { target: Unit::Department("water".into()) },
        Refusal::CoHandlersOpen { units: vec![Unit::Department("water".into())] },
        Refusal::SamePersonVerifies,
        Refusal::ReopenWindowOver { until: datetime!(2026-03-02 09:00 UTC) },
        Refusal::HasMergedEvents,
        Refusal::MergeTarget { root: Uuid::nil() },
        Refusal::AlreadyAnswered,
        Refusal::RootOpen { state: State::Handling },
        Refusal::AnswerWindowOver { until: datetime!(2026-03-02 09:00 UTC) },
        Refusal::NoReviewOpen,
        Refusal::NoContact,
        Refusal::NotDue,
        Refusal::NoCalendar { year: 2027 },
    ];
    let mut errors: Vec<Error> = refusals.into_iter().map(Error::Refused).collect();
    errors.extend([
        Error::NotFound { name: "districts/410182/events/x".into() },
        Error::AlreadyExists { name: "districts/410182/areas/410182".into() },
        Error::PostingExists,
        Error::ChiefExists,
        Error::PostingEnded,
        Error::ParentAreaMissing { code: "410182002".into() },
        Error::ReferenceMissing { field: "category" },
        Error::CategoryNotReportable { code: "trees".into() },
        Error::PointOutside,
        Error::CalendarMissing,
        Error::Ledger(crate::ledger::Refusal::Unreadable),
        Error::Ledger(crate::ledger::Refusal::Empty),
        Error::Ledger(crate::ledger::Refusal::TooLarge),
        Error::Ledger(crate::ledger::Refusal::Columns {
            unknown: vec!["x".into(), "#3".into()],
            missing: vec![("区域代码", "code")],
            twice: vec![("名称", "display_name")],
        }),
        Error::TooManyAttempts,
        Error::Note(crate::model::note::Refusal::Reported { district: 410_182, event: Uuid::nil() }),
        Error::Note(crate::model::note::Refusal::Fixed { since: datetime!(2026-03-02 09:00 UTC) }),
        Error::Note(crate::model::note::Refusal::NotAuthor),
        Error::Patrol(crate::model::patrol::Refusal::State { state: None }),
        Error::Patrol(crate::model::patrol::Refusal::State {
            state: Some(crate::model::patrol::State::Planned),
        }),
        Error::Patrol(crate::model::patrol::Refusal::State {
            state: Some(crate::model::patrol::State::Ongoing),
        }),
        Error::Patrol(crate::model::patrol::Refusal::State {
            state: Some(crate::model::patrol::State::Done),
        }),
        Error::Patrol(crate::model::patrol::Refusal::State {
            state: Some(crate::model::patrol::State::Cancelled),
        }),
        Error::Patrol(crate::model::patrol::Refusal::NotOpen { opens: datetime!(2026-03-02 09:00 UTC) }),
        Error::Patrol(crate::model::patrol::Refusal::Ongoing),
        Error::Patrol(crate::model::patrol::Refusal::NotAssignee),
    ]);
    errors.extend(uploads());
    errors.extend([
        Error::WorkRecord(work_record::Refusal::OutsideTerm),
        Error::WorkRecord(work_record::Refusal::Reviewed),
        Error::HandOver(hand_over::Refusal::SuccessorNeeded {
            area: "410182002".parse().unwrap(),
            named: false,
        }),
        Error::HandOver(hand_over::Refusal::SuccessorNeeded {
            area: "410182002".parse().unwrap(),
            named: true,
        }),
        Error::HandOver(hand_over::Refusal::Confirmed),
    ]);
    errors.extend(deliberation().map(Error::Deliberation));
    errors
}

fn uploads() -> Vec<Error> {
    use crate::files::Failure;
    use crate::model::upload::Refusal as Upload;

    let not_allowed = |content_type: &str| Upload::TypeNotAllowed {
        content_type: content_type.into(),
        allowed: vec!["image/jpeg".into(), "image/png".into()],
    };
    let refusals = [
        Upload::WrongOffset { received: 1024 },
        Upload::TooLarge { limit: 2048 },
        Upload::TooManyChunks { limit: 1000 },
        Upload::WrongHash { sha256: "00ff".into() },
        not_allowed("text/html"),
        not_allowed("image/heif"),
        Upload::Damaged { content_type: "image/png".into() },
        Upload::Unfinished,
        Upload::Expired,
        Upload::TooManyPublic,
    ];
    let failures = [Failure::Unavailable, Failure::Full];
    refusals.into_iter().map(Error::Upload).chain(failures.map(Error::Storage)).collect()
}

fn deliberation() -> impl Iterator<Item = DeliberationRefusal> {
    use crate::model::deliberation::State;
    use crate::model::deliberation::arcs::ActionKind;
    [
        DeliberationRefusal::NotAllowed { action: ActionKind::Hold },
        DeliberationRefusal::WrongState { state: State::Draft, action: ActionKind::Hold },
        DeliberationRefusal::MeetingNotYet { at: datetime!(2026-03-02 09:00 UTC) },
        DeliberationRefusal::NotInFuture { field: "meeting_time" },
        DeliberationRefusal::NoSuchNumber { field: "present[0]".into() },
        DeliberationRefusal::AlreadyVoted { participant: 3 },
        DeliberationRefusal::CannotVote { participant: 3 },
        DeliberationRefusal::VotesMissing { count: 2 },
        DeliberationRefusal::NotAdopted,
        DeliberationRefusal::NoCalendar { year: 2027 },
        DeliberationRefusal::PublicityRunning { end: datetime!(2026-03-02 09:00 UTC) },
        DeliberationRefusal::ObjectionsUnanswered,
        DeliberationRefusal::ItemSettled { number: 1 },
        DeliberationRefusal::ItemsOpen { numbers: vec![1, 2] },
    ]
    .into_iter()
}

#[test]
fn the_table_is_as_it_was() {
    let rows = errors().into_iter().map(|error| {
        let Problem { code, reason, metadata, zh, en, violations, .. } = Problem::from(error);
        let metadata: std::collections::BTreeMap<_, _> = metadata.into_iter().collect();
        let fields: Vec<_> = violations.iter().map(|v| v.field.as_str()).collect();
        format!("{code:?} {reason} {metadata:?} {fields:?}\n  {zh}\n  {en}")
    });
    insta::assert_snapshot!(rows.collect::<Vec<_>>().join("\n"));
}

#[test]
fn every_reason_is_in_the_proto_and_every_value_there_is_given() {
    let known: BTreeSet<&str> = (1..200)
        .filter_map(|number| ErrorReason::try_from(number).ok())
        .map(|value| value.as_str_name().trim_start_matches("ERROR_REASON_"))
        .collect();
    let given: BTreeSet<&str> =
        errors().into_iter().map(|error| Problem::from(error).reason).chain(reason::ALL).collect();
    assert_eq!(given, known);
}

#[test]
fn both_languages_say_something_of_their_own() {
    for error in errors() {
        let Problem { zh, en, .. } = Problem::from(error);
        assert!(zh.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{zh}");
        assert!(!en.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{en}");
    }
}
