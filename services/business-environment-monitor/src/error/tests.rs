//! The table of errors, whole: a snapshot shows every row, and every reason is a value of the proto's enum.

use std::collections::BTreeSet;

use jingwei_kit::status::{Problem, reason};
use jingwei_proto::business_environment_monitor::v1::ErrorReason;
use time::macros::datetime;

use super::*;
use crate::model::appointment::{self, apply, arcs, batch};
use crate::model::info_item;
use crate::model::issue::State;
use crate::model::issue::arcs::ActionKind;

/// One of each kind.
fn errors() -> Vec<Error> {
    let at = datetime!(2026-03-02 09:00 UTC);
    let refusals = [
        Refusal::NotAllowed { action: ActionKind::Accept },
        Refusal::WrongState { state: State::Closed, action: ActionKind::Accept },
        Refusal::NotDue,
        Refusal::OwnIssue,
        Refusal::SamePerson,
        Refusal::Missing { fields: vec!["title", "description"] },
        Refusal::Tags { field: "tasks" },
        Refusal::DisclosureMissing,
        Refusal::DeemedAccepted { since: at },
        Refusal::NoProposal,
        Refusal::RequestPending,
        Refusal::NoRequestPending,
        Refusal::TooManyExtensions { limit: 1 },
        Refusal::ExtensionTooLong { at_most: 15 },
        Refusal::DeadlinePassed { due: at },
        Refusal::PauseNotInFuture { until: at },
        Refusal::NotSolved,
        Refusal::Solved,
        Refusal::AlreadyRated,
        Refusal::NoCallBackDue,
        Refusal::NoCalendar { year: 2028 },
    ];
    let needs = [
        need::Refusal::NotAllowed,
        need::Refusal::NotOpen,
        need::Refusal::Missing { field: "reference" },
        need::Refusal::NotOne,
        need::Refusal::MoreThanNeeded { left: 3 },
        need::Refusal::InFuture,
        need::Refusal::NoFact { fact: uuid::Uuid::nil() },
        need::Refusal::FactDecided,
        need::Refusal::FactUndecided,
        need::Refusal::SamePerson,
    ];
    let name = || "districts/410183/issues/x".to_owned();
    let batches = [
        batch::Refusal::NotAllowed,
        batch::Refusal::WrongState { state: batch::State::Draft },
        batch::Refusal::NobodyLeft,
        batch::Refusal::Unvetted { appointments: vec![uuid::Uuid::nil()] },
        batch::Refusal::NoPublicity,
        batch::Refusal::PublicityRunning { end: at },
        batch::Refusal::Objection,
        batch::Refusal::NoSuchObjection,
        batch::Refusal::ObjectionsOpen,
        batch::Refusal::TermTooLong { role: "a".into(), at_most: 24 },
        batch::Refusal::UnknownRole { role: "a".into() },
        batch::Refusal::NoCalendar { year: 2028 },
        batch::Refusal::Member { appointment: uuid::Uuid::nil(), refusal: apply::Refusal::TermOutOfRange },
    ];
    let action = arcs::ActionKind::Vet;
    let appointments = [
        apply::Refusal::NotAllowed { action },
        apply::Refusal::WrongState { state: appointment::State::Active, action },
        apply::Refusal::BatchState { state: batch::State::Closed, action },
        apply::Refusal::ReasonMissing,
        apply::Refusal::RoleNotInBatch,
        apply::Refusal::UnitMissing,
        apply::Refusal::ExceptionReasonMissing,
        apply::Refusal::NominatedTwice,
        apply::Refusal::NotRenewable,
        apply::Refusal::RenewalMissing { appointment: uuid::Uuid::nil() },
        apply::Refusal::TooManyTerms { limit: 2 },
        apply::Refusal::NotDue,
    ];
    let observations = [
        observation::Refusal::NotAllowed,
        observation::Refusal::Missing { field: "place" },
        observation::Refusal::InFuture,
        observation::Refusal::NotActive,
    ];
    let merge = info_item::arcs::ActionKind::Merge;
    let items = [
        info_item::apply::Refusal::NotAllowed { action: merge },
        info_item::apply::Refusal::WrongState { state: info_item::State::Collected, action: merge },
        info_item::apply::Refusal::OwnItem,
        info_item::apply::Refusal::Missing { field: "reason" },
        info_item::apply::Refusal::DisclosureMissing,
        info_item::apply::Refusal::NotActive,
        info_item::apply::Refusal::IntoItself,
        info_item::apply::Refusal::TargetMerged { district: 410_183, root: uuid::Uuid::nil() },
        info_item::apply::Refusal::Linked,
        info_item::apply::Refusal::NotLinked,
        info_item::apply::Refusal::LastIssue,
        info_item::apply::Refusal::TooManyIssues { limit: 50 },
    ];
    let transfers = [
        transfers::Refusal::NotAllowed,
        transfers::Refusal::WrongState { state: transfers::State::Sent },
        transfers::Refusal::SamePerson,
        transfers::Refusal::WrongDigest,
    ];
    let reports = [
        report::Refusal::NotAllowed,
        report::Refusal::WrongState { state: report::State::Returned },
        report::Refusal::AboutReceiver,
    ];
    let symposiums = [
        symposiums::Refusal::NotAllowed,
        symposiums::Refusal::WrongState { state: symposiums::State::Held },
        symposiums::Refusal::Missing { field: "minutes" },
        symposiums::Refusal::NamedTwice { field: "present" },
        symposiums::Refusal::TooMany { field: "invitees", limit: 500 },
        symposiums::Refusal::NotInvited,
        symposiums::Refusal::NotPresent,
        symposiums::Refusal::NoSuchSuggestion,
        symposiums::Refusal::Suggested,
        symposiums::Refusal::SuggestionsOpen,
    ];
    let others = [
        Error::IssueInTransfer { issue: name() },
        Error::KeyNotUsable { key: "districts/410183/receivers/audit/keys/x".into() },
        Error::NotFound { name: name() },
        Error::AlreadyExists { name: name() },
        Error::CalendarMissing,
        Error::ReferenceUsed { reference: "LOAN-1".to_owned() },
        Error::AlreadyAppointed { person: "wang".into(), role: "a".into() },
    ];
    let refused = refusals.into_iter().map(Error::Refused);
    let refused = refused.chain(needs.into_iter().map(Error::NeedRefused));
    let refused = refused.chain(observations.into_iter().map(Error::ObservationRefused));
    let refused = refused.chain(items.into_iter().map(Error::InfoItemRefused));
    let refused = refused.chain(transfers.into_iter().map(Error::TransferRefused));
    let refused = refused.chain(reports.into_iter().map(Error::ReportRefused));
    let refused = refused.chain(symposiums.into_iter().map(Error::SymposiumRefused));
    let refused = refused.chain(batches.into_iter().map(Error::BatchRefused));
    refused.chain(appointments.into_iter().map(Error::AppointmentRefused)).chain(others).collect()
}

#[test]
fn the_table_is_as_it_was() {
    let rows = errors().into_iter().map(|error| {
        let Problem { code, reason, metadata, zh, en, violations, .. } = Problem::from(error);
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
