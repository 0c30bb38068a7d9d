//! The way of an event, routing, merging, alarms and reading: the rules that the table does not show.
use super::*;
use crate::model::action::ActionKind;
use crate::model::arcs::Field;
use crate::model::clock::Step;
use crate::model::relation::{allowed_actions, may_read};

#[test]
fn a_public_report_is_verified_where_the_category_asks_for_it() {
    let kinds = [ReporterKind::Resident, ReporterKind::Enterprise, ReporterKind::Anonymous];
    let worker = actor(Role::GridWorker, GRID);
    for (kind, verify_public) in kinds.into_iter().flat_map(|kind| [(kind, true), (kind, false)]) {
        let what = Report { verify_public, ..a_report(GRID, kind) };
        let (event, _) = report(what, std::slice::from_ref(&worker), &ctx(MORNING)).unwrap();
        assert_eq!(event.state, if verify_public { State::Verifying } else { State::Reported });
        assert_eq!(event.step_clock.unwrap().step, Step::Accept);
    }
}

#[test]
fn the_level_that_accepts_becomes_the_desk() {
    for (role, reach, depth) in
        [(Role::GridChief, GRID, 3), (Role::Community, COMMUNITY, 2), (Role::Dispatcher, "410182", 0)]
    {
        let mut case = Case::report(GRID, &street(), MORNING);
        case.does(&actor(role, reach), Action::Accept);
        assert_eq!((case.event.desk, case.event.accepted_depth), (code(reach), Some(depth)));
        assert_eq!(case.history[1].details["accepted_depth"]["to"], depth);
    }
}

#[test]
fn the_first_grant_that_the_table_allows_is_used() {
    let case = Case::report(GRID, &street(), MORNING);
    let grants = [actor(Role::Administrator, "410182"), actor(Role::Community, "410182002012"), street()];
    let (event, transition) = apply(&case.event, &Action::Accept.into(), &grants, &ctx(MORNING)).unwrap();
    assert_eq!((transition.role, transition.unit, event.desk), (Role::Street, area(STREET), code(STREET)));
}

#[test]
fn all_that_is_missing_is_told_at_once() {
    let case = Case::handled_by(&department("water"));
    let refused = |action: Action, note: &str| {
        let command = Command { note: note.to_owned(), ..action.into() };
        apply(&case.event, &command, &[case.holder()], &ctx(case.now)).unwrap_err()
    };
    assert_eq!(refused(SOLVED, " "), Refusal::Missing { fields: vec![Field::Note, Field::Evidence] });
    assert_eq!(refused(RETURN, ""), Refusal::Missing { fields: vec![Field::Evidence] });
    assert_eq!(refused(extend(1), "n"), Refusal::Missing { fields: vec![Field::Reason] });
    let other =
        Command { note: String::new(), ..full(Action::RequestReturn { reason: ReturnReason::Other }) };
    let result = apply(&case.event, &other, &[case.holder()], &ctx(case.now));
    assert_eq!(result.unwrap_err(), Refusal::Missing { fields: vec![Field::Note] });
}

#[test]
fn work_is_given_inside_the_desk_and_to_departments_from_the_street_up() {
    let mut case = Case::report(GRID, &street(), MORNING);
    case.does(&actor(Role::Community, COMMUNITY), Action::Accept);
    case.does(&street(), Action::Register);
    for target in [department("water"), area("410182002012"), area(STREET)] {
        let refusal = case.refused(&street(), to(target.clone()));
        assert_eq!(refusal, Refusal::TargetNotAllowed { target });
    }
    let twice = Action::Dispatch { lead: area(GRID), co_handlers: vec![area(COMMUNITY), area(GRID)] };
    assert_eq!(case.refused(&street(), twice), Refusal::TargetNotAllowed { target: area(GRID) });
    case.does(&street(), Action::Escalate);
    case.does(&street(), Action::Dispatch { lead: department("water"), co_handlers: vec![area(GRID)] });
    assert_eq!(case.event.holder(), department("water"));
}

#[test]
fn the_desk_takes_over_what_was_resolved_and_gives_it_back_on_failure() {
    let mut case = Case::handled_by(&department("water"));
    let (water, due) = (case.holder(), handling_due(&case));
    case.does(&water, SOLVED);
    assert_eq!((case.event.holder(), case.event.outcome), (area(STREET), Some(Outcome::Solved)));
    case.does(&street(), Action::Fail);
    assert_eq!((case.event.holder(), case.event.outcome), (department("water"), None));
    assert_eq!((case.event.counts.rework, handling_due(&case)), (1, due));
}

#[test]
fn who_resolved_it_does_not_verify_it() {
    let mut case = Case::handled_by(&area(GRID));
    case.does(&street(), SOLVED);
    assert_eq!(case.refused(&street(), Action::Pass), Refusal::SamePersonVerifies);
    assert_eq!(case.refused(&street(), Action::Fail), Refusal::SamePersonVerifies);
    case.does(&dispatcher(), Action::Pass);
    assert_eq!(case.event.state, State::Closed);
}

#[test]
fn all_co_handlers_finish_first_each_for_itself() {
    let mut case = Case::report(GRID, &street(), MORNING);
    case.does(&street(), Action::Accept);
    case.does(&street(), Action::Register);
    let helpers = [department("garden"), area("410182002012"), area("410182002013")];
    case.does(&street(), Action::Dispatch { lead: department("water"), co_handlers: helpers.to_vec() });
    case.does(&case.holder(), Action::SignFor);
    let open = |units: &[Unit]| Refusal::CoHandlersOpen { units: units.to_vec() };
    assert_eq!(case.refused(&case.holder(), SOLVED), open(&helpers));
    case.does(&actor(Role::Community, "410182002013"), Action::CoHandle);
    assert_eq!(case.refused(&case.holder(), SOLVED), open(&helpers[..2]));
    let again = case.refused(&actor(Role::Community, "410182002013"), Action::CoHandle);
    assert_eq!(again, Refusal::NotAllowed { action: ActionKind::CoHandle });
    case.does(&street(), Action::CoHandle);
    case.does(&actor(Role::Department, "garden"), Action::CoHandle);
    case.does(&case.holder(), SOLVED);
}

#[test]
fn up_down_and_across_before_dispatch_move_the_desk() {
    let mut case = Case::report(GRID, &street(), MORNING);
    for desk in [COMMUNITY, STREET, "410182"] {
        case.does(&dispatcher(), Action::Escalate);
        assert_eq!(case.event.desk, code(desk));
    }
    assert_eq!(case.refused(&dispatcher(), Action::Escalate), Refusal::NoLevelAbove);
    let deep = Action::Delegate { target: code(COMMUNITY) };
    assert_eq!(
        case.refused(&dispatcher(), deep),
        Refusal::TargetNotAllowed { target: area(COMMUNITY) },
        "one level at a time"
    );
    case.does(&dispatcher(), Action::Delegate { target: code(STREET) });
    let target = department("water");
    let refusal = case.refused(&dispatcher(), Action::Transfer { target: target.clone() });
    assert_eq!(refusal, Refusal::TargetNotAllowed { target }, "a department gets it by dispatch");
    case.does(&dispatcher(), Action::Transfer { target: area("410182001") });
    assert_eq!((case.event.desk, case.event.state), (code("410182001"), State::Reported));
}

#[test]
fn up_and_across_after_dispatch_lift_the_desk_only_as_far_as_needed() {
    let mut case = Case::report(GRID, &street(), MORNING);
    let chief = actor(Role::GridChief, GRID);
    case.does(&chief, Action::Accept);
    case.does(&chief, Action::Register);
    case.does(&chief, to(area(GRID)));
    case.does(&chief, Action::Transfer { target: area("410182002011002") });
    assert_eq!((case.event.holder(), case.event.desk), (area("410182002011002"), code(COMMUNITY)));
    case.does(&street(), Action::Escalate);
    assert_eq!((case.event.holder(), case.event.desk), (area(COMMUNITY), code(COMMUNITY)));
    case.does(&street(), Action::Escalate);
    case.does(&street(), Action::Transfer { target: department("water") });
    assert_eq!((case.event.holder(), case.event.desk), (department("water"), code(STREET)));
    case.does(&case.holder(), Action::Transfer { target: department("garden") });
    let target = area(GRID);
    let refusal = case.refused(&case.holder(), Action::Transfer { target: target.clone() });
    assert_eq!(refusal, Refusal::TargetNotAllowed { target });
}

#[test]
fn a_co_handler_that_becomes_the_lead_helps_no_longer() {
    let mut case = Case::report(GRID, &street(), MORNING);
    case.does(&street(), Action::Accept);
    case.does(&street(), Action::Register);
    let garden = department("garden");
    case.does(&street(), Action::Dispatch { lead: department("water"), co_handlers: vec![garden.clone()] });
    case.does(&case.holder(), Action::SignFor);
    case.does(&case.holder(), Action::Transfer { target: garden });
    assert_eq!(case.event.co_handlers, []);
    case.does(&case.holder(), SOLVED);
}

#[test]
fn reopening_counts_from_the_closing_and_begins_a_new_round() {
    let mut case = Case::report(GRID, &street(), MORNING);
    let worker = actor(Role::GridWorker, GRID);
    case.does(&worker, Action::Settle { outcome: Outcome::Solved });
    assert_eq!((case.event.self_settled, case.event.accepted_depth), (true, Some(3)));
    let closed = case.now;
    case.does(&worker, Action::Comment);
    case.now = closed + REOPEN_WINDOW + Duration::microseconds(1);
    let until = closed + REOPEN_WINDOW;
    assert_eq!(case.refused(&street(), Action::Reopen), Refusal::ReopenWindowOver { until });
    case.now = until;
    case.does(&street(), Action::Reopen);
    assert_eq!(
        (case.event.counts.rounds, case.event.times.closed, case.event.self_settled),
        (2, None, false)
    );
    case.does(&street(), to(area(GRID)));
    let handling = case.event.handling_clock.as_ref().unwrap();
    assert_eq!((handling.clock.started, case.event.times.dispatched), (until, Some(until)));
}

#[test]
fn a_merge_needs_an_open_root_of_the_district_and_does_not_nest() {
    let case = Case::handled_by(&department("water"));
    let root = MergeRoot { id: ROOT, district: DISTRICT, state: State::Handling, closed: None };
    let attempt = |root: Uuid, merge_root: Option<MergeRoot>, has_merged_events: bool| {
        let ctx = Context { merge_root, has_merged_events, ..ctx(case.now) };
        apply(&case.event, &full(Action::Merge { root }), &[street()], &ctx).map(|(event, _)| event)
    };
    let bad = |root: Uuid| Err(Refusal::MergeTarget { root });
    assert_eq!(attempt(ROOT, None, false), bad(ROOT));
    assert_eq!(attempt(ROOT, Some(MergeRoot { district: 410183, ..root }), false), bad(ROOT));
    for state in [State::Merged, State::Closed, State::Rejected, State::Voided] {
        assert_eq!(attempt(ROOT, Some(MergeRoot { state, ..root }), false), bad(ROOT));
    }
    let own = case.event.id;
    assert_eq!(attempt(own, Some(MergeRoot { id: own, ..root }), false), bad(own));
    assert_eq!(attempt(ROOT, Some(root), true), Err(Refusal::HasMergedEvents));

    let merged = attempt(ROOT, Some(root), false).unwrap();
    assert_eq!((merged.alarm_at(), merged.merged.as_ref().map(|merged| merged.into)), (None, Some(ROOT)));
}

#[test]
fn being_late_is_told_up_the_levels_and_the_holder_keeps_the_work() {
    let mut case = Case::report(GRID, &street(), MORNING);
    let clock = case.event.step_clock.clone().unwrap();
    assert_eq!(clock.due, datetime!(2024-05-22 11:00 +8));
    assert_eq!(clock.amber_at, datetime!(2024-05-22 10:36 +8));
    assert_eq!(clock.critical_at, datetime!(2024-05-22 12:00 +8));
    let early = case.attempt(&Actor::system(DISTRICT), Action::Warn);
    assert_eq!(early.unwrap_err(), Refusal::NotDue);
    case.now = clock.critical_at;
    case.sweep();
    case.sweep();
    assert_eq!(case.actions(), ["REPORT", "WARN", "OVERDUE", "OVERDUE"]);
    assert_eq!(case.history[2].details["escalated_to"], COMMUNITY);
    assert_eq!(case.history[3].details["escalated_to"], STREET);
    assert_eq!((case.event.holder(), case.event.counts.escalations), (area(GRID), 2));

    let mut case = Case::handled_by(&department("water"));
    case.now = handling_due(&case) + Duration::days(30);
    case.sweep();
    let told: Vec<_> =
        case.history.iter().filter_map(|entry| entry.details["escalated_to"].as_str()).collect();
    assert_eq!(told, [STREET, "410182"], "a department's desk is told first");
    assert_eq!(case.event.holder(), department("water"));
}

#[test]
fn a_year_without_calendar_is_said() {
    let far = datetime!(2031-03-03 09:00 +8);
    let result = report(a_report(GRID, ReporterKind::Worker), &[street()], &ctx(far));
    assert_eq!(result.unwrap_err(), Refusal::NoCalendar { year: 2031 });
}

#[test]
fn who_has_to_do_with_it_may_read_it() {
    let mut case = Case::report(GRID, &street(), MORNING);
    case.does(&street(), Action::Accept);
    case.does(&street(), Action::Register);
    let lead = department("water");
    case.does(&street(), Action::Dispatch { lead, co_handlers: vec![area("410182002012001")] });
    let reads = |role, reach| may_read(&case.event, &[actor(role, reach)]);
    assert!(reads(Role::GridWorker, GRID) && reads(Role::Street, STREET));
    assert!(reads(Role::Dispatcher, "410182") && reads(Role::Supervisor, "410182"));
    assert!(reads(Role::Department, "water") && reads(Role::Community, "410182002012"));
    assert!(!reads(Role::Department, "garden") && !reads(Role::GridWorker, "410182002011002"));
    assert!(!reads(Role::Administrator, "410182") && !reads(Role::Operator, "410182"));
    let water = [actor(Role::Department, "water")];
    let could = [
        ActionKind::SignFor,
        ActionKind::RequestReturn,
        ActionKind::RequestExtension,
        ActionKind::WithdrawRequest,
        ActionKind::Transfer,
        ActionKind::Comment,
        ActionKind::Reveal,
    ];
    assert_eq!(allowed_actions(&case.event, &water), could);
}
