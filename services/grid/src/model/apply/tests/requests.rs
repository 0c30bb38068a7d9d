//! Returns, extensions and suspensions: the rules that the table does not show.
use jingwei_work_calendar::{Pace, measure_exact};

use super::*;
use crate::model::action::RequestKind;
use crate::model::clock::Stage;

/// Returned and dispatched again twice, and asked to be returned once more.
fn returned_twice(lead: &Unit) -> Case {
    let mut case = Case::handled_by(lead);
    for _ in 0..2 {
        case.does(&case.holder(), RETURN);
        case.does(&street(), Action::ApproveReturn);
        case.does(&street(), to(lead.clone()));
    }
    case.does(&case.holder(), RETURN);
    case
}

#[test]
fn a_second_dispatch_does_not_restart_the_clock() {
    let mut case = Case::handled_by(&department("water"));
    let clock = case.event.handling_clock.clone();
    case.wait(Duration::hours(3));
    case.does(&case.holder(), RETURN);
    case.does(&street(), Action::ApproveReturn);
    assert_eq!((case.event.state, case.event.lead.clone()), (State::Registered, None));
    case.wait(Duration::minutes(30));
    case.does(&street(), to(department("garden")));
    assert_eq!((&case.event.handling_clock, case.event.times.dispatched), (&clock, Some(MORNING)));
}

#[test]
fn the_third_return_is_ruled_on_for_good() {
    let mut case = returned_twice(&department("water"));
    assert_eq!(case.refused(&street(), Action::ApproveReturn), Refusal::ReturnNeedsRuling { returns: 2 });
    let abroad = area("410183001");
    let ruling = Action::RuleOnReturn { lead: abroad.clone() };
    assert_eq!(case.refused(&dispatcher(), ruling), Refusal::TargetNotAllowed { target: abroad });

    let mut same = case.clone();
    same.does(&dispatcher(), Action::RuleOnReturn { lead: department("water") });
    assert_eq!((same.event.counts.returns, same.event.final_ruling), (2, true));

    case.does(&dispatcher(), Action::RuleOnReturn { lead: department("garden") });
    assert_eq!((case.event.counts.returns, case.event.holder()), (3, department("garden")));
    assert_eq!(case.refused(&case.holder(), RETURN), Refusal::RuledFinal);
    let away = Action::Transfer { target: department("water") };
    assert_eq!(case.refused(&case.holder(), away), Refusal::RuledFinal);

    case.does(&case.holder(), Action::SignFor);
    case.does(&case.holder(), SOLVED);
    case.does(&dispatcher(), Action::Pass);
    case.does(&dispatcher(), Action::Reopen);
    assert!(!case.event.final_ruling, "a ruling binds for its round");
    case.verify();
}

#[test]
fn a_ruling_lifts_the_desk_to_where_it_can_give_the_work() {
    let mut case = Case::report(GRID, &street(), MORNING);
    let community = actor(Role::Community, COMMUNITY);
    case.does(&community, Action::Accept);
    case.does(&community, Action::Register);
    case.does(&community, to(area(GRID)));
    case.does(&case.holder(), RETURN);
    assert_eq!(
        case.refused(&dispatcher(), Action::RuleOnReturn { lead: area(GRID) }),
        Refusal::RulingTooEarly { returns: 0 }
    );
    case.event.counts.returns = 2;
    case.does(&dispatcher(), Action::RuleOnReturn { lead: department("water") });
    assert_eq!(case.event.desk, code(STREET));
}

#[test]
fn two_extensions_before_the_deadline_no_longer_than_the_limit() {
    let mut case = Case::handled_by(&department("water"));
    let water = case.holder();
    let first_due = handling_due(&case);
    assert_eq!(first_due, datetime!(2024-05-29 17:30 +8));
    let too_long = Refusal::ExtensionTooLong { at_most: limit(TimeUnit::WorkingDays, 5) };
    assert_eq!(case.refused(&water, extend(6)), too_long);
    assert_eq!(case.refused(&water, extend(0)), too_long);
    let by = limit(TimeUnit::EmergencyHours, 5);
    assert_eq!(case.refused(&water, Action::RequestExtension { by }), too_long);

    let mut late = case.clone();
    late.now = first_due;
    assert_eq!(late.refused(&water, extend(1)), Refusal::DeadlinePassed { due: first_due });

    for due in [datetime!(2024-06-05 17:30 +8), datetime!(2024-06-13 17:30 +8)] {
        case.does(&water, extend(5));
        assert_eq!(case.refused(&water, extend(1)), Refusal::RequestPending { kind: RequestKind::Extension });
        case.does(&street(), Action::ApproveExtension);
        assert_eq!(handling_due(&case), due);
    }
    assert_eq!(case.refused(&water, extend(1)), Refusal::TooManyExtensions { limit: 2 });
}

#[test]
fn an_extended_deadline_rings_again() {
    let mut case = Case::handled_by(&department("water"));
    case.does(&case.holder(), extend(5));
    case.now = handling_due(&case);
    case.sweep();
    assert_eq!(case.event.alarm(), Stage::Red);
    case.does(&street(), Action::ApproveExtension);
    assert_eq!(case.event.alarm(), Stage::InTime);
    case.now = handling_due(&case);
    case.sweep();
    assert_eq!((case.event.alarm(), case.event.counts.escalations), (Stage::Red, 2));
}

#[test]
fn a_suspension_moves_the_deadline_by_the_time_that_stood_still() {
    let mut case = Case::handled_by(&department("water"));
    case.wait(Duration::seconds(3 * 3600 + 17));
    let (paused_at, due) = (case.now, handling_due(&case));
    let resume_at = datetime!(2024-06-11 10:00:05 +8);
    case.does(&case.holder(), Action::RequestSuspension { resume_at });
    case.does(&street(), Action::ApproveSuspension);
    assert_eq!(case.event.alarm_at(), Some(resume_at));
    let early = case.attempt(&Actor::system(DISTRICT), Action::Resume);
    assert_eq!(early.unwrap_err(), Refusal::NotDue);

    case.now = resume_at;
    case.sweep();
    assert_eq!(case.event.state, State::Handling);
    let exact = |from, to| measure_exact(&CALENDAR, TimeUnit::WorkingDays, from, to).unwrap();
    assert_eq!(exact(due, handling_due(&case)), exact(paused_at, resume_at));
    assert_eq!(exact(case.now, handling_due(&case)), exact(paused_at, due), "what was left is left");
    let paces: Vec<Pace> = case.event.handling_clock.unwrap().segments.iter().map(|part| part.pace).collect();
    assert_eq!(paces, [Pace::Running, Pace::Paused, Pace::Running]);
}

#[test]
fn a_suspension_does_not_save_who_was_late() {
    let mut case = Case::handled_by(&department("water"));
    case.now = handling_due(&case) + Duration::hours(1);
    let due = handling_due(&case);
    let resume_at = case.now + Duration::days(3);
    case.does(&case.holder(), Action::RequestSuspension { resume_at });
    case.does(&street(), Action::ApproveSuspension);
    case.wait(Duration::days(1));
    case.does(&case.holder(), Action::Resume);
    assert_eq!(handling_due(&case), due);
}

#[test]
fn a_suspension_ends_in_the_future() {
    let mut case = Case::handled_by(&department("water"));
    let resume_at = case.now;
    let past = Refusal::ResumeNotInFuture { resume_at };
    assert_eq!(case.refused(&case.holder(), Action::RequestSuspension { resume_at }), past);
    let resume_at = case.now + Duration::hours(1);
    case.does(&case.holder(), Action::RequestSuspension { resume_at });
    case.wait(Duration::hours(2));
    assert_eq!(case.refused(&street(), Action::ApproveSuspension), Refusal::ResumeNotInFuture { resume_at });
}

#[test]
fn a_request_is_decided_or_withdrawn_before_the_work_goes_on() {
    let mut case = Case::handled_by(&department("water"));
    let none = |kind| Refusal::NoRequestPending { kind };
    let water = case.holder();
    assert_eq!(case.refused(&street(), Action::ApproveReturn), none(Some(RequestKind::Return)));
    assert_eq!(case.refused(&street(), Action::DenyRequest), none(None));
    case.does(&water, RETURN);
    let pending = Refusal::RequestPending { kind: RequestKind::Return };
    assert_eq!(case.refused(&street(), Action::ApproveExtension), none(Some(RequestKind::Extension)));
    assert_eq!(case.refused(&water, SOLVED), pending);
    assert_eq!(case.refused(&water, Action::Transfer { target: department("garden") }), pending);
    case.does(&water, Action::WithdrawRequest);
    case.does(&water, extend(1));
    case.does(&street(), Action::DenyRequest);
    case.does(&water, SOLVED);
    assert_eq!((case.event.counts.extensions, case.event.pending), (0, None));
}
