//! State × action × role × reach, all of them: what `apply` does is what the table says.
use super::*;
use crate::model::action::ActionKind;
use crate::model::arcs::{ARCS, Arc, ClockEffect, Next};
use crate::model::clock::Stage;
use crate::model::event::{PendingRequest, SupervisionLevel, Wish};
use crate::model::relation::Relation;

const REACHES: [&str; 9] =
    ["410182", "410183001", STREET, COMMUNITY, GRID, "410182001", "water", "garden", "police"];

/// Who leads and who helps: an area with areas, a department with departments.
fn cast() -> [(Unit, Unit); 2] {
    [(area(COMMUNITY), area("410182002012")), (department("water"), department("garden"))]
}

/// The case in the state, by the way that leads there.
fn case_in(state: State, (lead, helper): &(Unit, Unit)) -> Case {
    let street = actor(Role::Street, STREET);
    let outcome = Outcome::Solved;
    let public = a_report(GRID, ReporterKind::Resident);
    let (event, first) = report(public, std::slice::from_ref(&street), &ctx(MORNING)).unwrap();
    let mut case = Case { event, history: vec![first], now: MORNING };
    let dispatch = Action::Dispatch { lead: lead.clone(), co_handlers: vec![helper.clone()] };
    let helped = |case: &mut Case| case.event.co_handlers[0].done_at = Some(MORNING);
    let way = [
        (State::Verifying, Action::Confirm),
        (State::Reported, Action::Accept),
        (State::Accepted, Action::Register),
        (State::Registered, dispatch),
        (State::Dispatched, Action::SignFor),
        (State::Handling, Action::Resolve { outcome }),
        (State::Resolved, Action::Pass),
    ];
    let side = match state {
        State::Rejected => Some((State::Reported, Action::Reject { outcome })),
        State::Voided => Some((State::Registered, Action::Void)),
        State::Merged => Some((State::Handling, Action::Merge { root: ROOT })),
        State::Suspended => Some((State::Handling, Action::ApproveSuspension)),
        _ => None,
    };
    let goal = side.as_ref().map_or(state, |(from, _)| *from);
    for (from, action) in way {
        if from == goal {
            break;
        }
        if from == State::Handling {
            helped(&mut case);
        }
        let by = if from.is_with_handler() { case.holder() } else { street.clone() };
        case.does(&by, action);
    }
    if let Some((_, action)) = side {
        case.event.pending = wish(&action, case.now);
        case.does(&street, action);
    }
    assert_eq!(case.event.state, state);
    case
}

/// What must be pending for the action to be possible.
fn wish(action: &Action, now: OffsetDateTime) -> Option<PendingRequest> {
    let wish = match action {
        Action::ApproveReturn
        | Action::RuleOnReturn { .. }
        | Action::DenyRequest
        | Action::WithdrawRequest => Wish::Return,
        Action::ApproveExtension => Wish::Extension { by: limit(TimeUnit::WorkingDays, 1) },
        Action::ApproveSuspension => Wish::Suspension { resume_at: now + Duration::days(2) },
        _ => return None,
    };
    Some(PendingRequest { wish, reason: "事由".to_owned(), note: String::new(), asked_at: now })
}

/// Makes all true that the action needs and the table does not show.
fn prepare(case: &mut Case, action: &Action) {
    case.wait(Duration::minutes(1));
    case.event.pending = wish(action, case.now);
    match action {
        Action::RuleOnReturn { .. } => case.event.counts.returns = 2,
        Action::Resolve { .. } => {
            case.event.co_handlers.iter_mut().for_each(|helper| helper.done_at = Some(MORNING));
        }
        Action::Uphold => case.event.review_since = Some(case.now),
        Action::Overdue => {
            case.event.active_clock_mut().into_iter().for_each(|clock| clock.stage = Stage::Amber);
        }
        _ => {}
    }
    if matches!(action, Action::Warn | Action::Overdue | Action::Resume) {
        case.now = case.event.alarm_at().unwrap_or(case.now);
    }
}

/// The action with data that suit the event.
fn action(kind: ActionKind, event: &Event, (lead, helper): &(Unit, Unit)) -> Option<Action> {
    let outcome = Outcome::Solved;
    let holder = event.holder();
    Some(match kind {
        ActionKind::Report => return None,
        ActionKind::Confirm => Action::Confirm,
        ActionKind::Accept => Action::Accept,
        ActionKind::Reject => Action::Reject { outcome },
        ActionKind::Register => Action::Register,
        ActionKind::Void => Action::Void,
        ActionKind::Dispatch => Action::Dispatch { lead: lead.clone(), co_handlers: vec![helper.clone()] },
        ActionKind::SignFor => Action::SignFor,
        ActionKind::CoHandle => Action::CoHandle,
        ActionKind::Resolve => Action::Resolve { outcome },
        ActionKind::Pass => Action::Pass,
        ActionKind::Fail => Action::Fail,
        ActionKind::RequestReturn => RETURN,
        ActionKind::ApproveReturn => Action::ApproveReturn,
        ActionKind::RuleOnReturn => Action::RuleOnReturn { lead: lead.clone() },
        ActionKind::RequestExtension => extend(1),
        ActionKind::ApproveExtension => Action::ApproveExtension,
        ActionKind::RequestSuspension => Action::RequestSuspension { resume_at: MORNING + Duration::days(9) },
        ActionKind::ApproveSuspension => Action::ApproveSuspension,
        ActionKind::DenyRequest => Action::DenyRequest,
        ActionKind::WithdrawRequest => Action::WithdrawRequest,
        ActionKind::Resume => Action::Resume,
        ActionKind::Escalate => Action::Escalate,
        ActionKind::Delegate => Action::Delegate { target: below(&holder) },
        ActionKind::Transfer => Action::Transfer { target: beside(&holder) },
        ActionKind::Settle => Action::Settle { outcome },
        ActionKind::Reopen => Action::Reopen,
        ActionKind::Merge => Action::Merge { root: ROOT },
        ActionKind::Unmerge => Action::Unmerge,
        ActionKind::Urge => Action::Urge,
        ActionKind::Supervise => Action::Supervise { level: SupervisionLevel::City },
        ActionKind::Comment => Action::Comment,
        ActionKind::Warn => Action::Warn,
        ActionKind::Overdue => Action::Overdue,
        ActionKind::Answer => Action::Answer { solved: false, rating: Some(2) },
        ActionKind::AskReview => Action::AskReview { case: Uuid::from_u128(9) },
        ActionKind::Uphold => Action::Uphold,
        ActionKind::Reveal => Action::Reveal,
    })
}

fn below(holder: &Unit) -> AreaCode {
    holder.area().map_or(code(GRID), |area| code(&format!("{area}009")))
}

fn beside(holder: &Unit) -> Unit {
    match holder.area() {
        Some(own) => area(&format!("{}009", own.parent().unwrap())),
        None => department("police"),
    }
}

/// Whether a relation holds, told from the texts of the codes alone.
fn holds(relation: Relation, event: &Event, role: Role, reach: &str) -> bool {
    let covers = |unit: &Unit| match unit {
        Unit::Area(area) => area.to_string().starts_with(reach),
        Unit::Department(code) => code == reach,
    };
    let open = event.co_handlers.iter().filter(|helper| helper.done_at.is_none());
    let all = || event.co_handlers.iter().map(|helper| &helper.unit);
    match relation {
        Relation::Desk => covers(&Unit::Area(event.desk)),
        Relation::Holder => covers(&event.holder()),
        Relation::CoHandler => open.into_iter().any(|helper| covers(&helper.unit)),
        Relation::Area if matches!(reach, "water" | "garden" | "police") => role == Role::Department,
        Relation::Area => GRID.starts_with(reach),
        Relation::District => reach == "410182",
        Relation::Reader => {
            covers(&area(GRID))
                || covers(&Unit::Area(event.desk))
                || event.lead.iter().chain(all()).any(covers)
        }
        Relation::System => role == Role::System,
        Relation::Reporter => role == Role::Public,
    }
}

fn granted(arc: &Arc, event: &Event, role: Role, reach: &str) -> bool {
    arc.who.iter().any(|(roles, relation)| roles.contains(&role) && holds(*relation, event, role, reach))
}

/// The refusal that the table asks for; `None` where the action goes through.
fn refusal(arc: &Arc, event: &Event, role: Role, reach: &str) -> Option<Refusal> {
    let action = arc.action;
    if !arc.who.iter().any(|(roles, _)| roles.contains(&role)) {
        return Some(Refusal::NotAllowed { action });
    }
    if !arc.from.contains(&event.state) {
        let open = ARCS.iter().filter(|other| other.from.contains(&event.state));
        let allowed =
            open.filter(|other| granted(other, event, role, reach)).map(|other| other.action).collect();
        return Some(Refusal::WrongState { state: event.state, action, allowed });
    }
    if !granted(arc, event, role, reach) {
        return Some(Refusal::NotAllowed { action });
    }
    // A department has no levels above or below.
    match (action, event.holder()) {
        (ActionKind::Escalate, target @ Unit::Department(_)) => Some(Refusal::TargetNotAllowed { target }),
        (ActionKind::Delegate, Unit::Department(_)) => Some(Refusal::TargetNotAllowed { target: area(GRID) }),
        _ => None,
    }
}

fn check_clocks(effect: ClockEffect, before: &Event, after: &Event, now: OffsetDateTime) {
    let handling = |event: &Event| event.handling_clock.clone();
    let due = |event: &Event| event.handling_clock.as_ref().map(|handling| handling.clock.due);
    let same_step = before.step_clock == after.step_clock;
    match effect {
        ClockEffect::Keep => assert!(same_step && handling(before) == handling(after)),
        ClockEffect::StartStep(step) => {
            let clock = after.step_clock.as_ref().unwrap();
            assert_eq!((clock.step, clock.started, clock.stage), (step, now, Stage::InTime));
            let new_round = before.state == State::Closed;
            assert_eq!(handling(after), handling(before).filter(|_| !new_round));
        }
        ClockEffect::StartHandling => {
            assert_eq!(after.step_clock, None);
            assert_eq!(handling(after).unwrap().clock.started, now);
        }
        ClockEffect::EndStep => {
            assert_eq!((&after.step_clock, handling(after)), (&None, handling(before)));
        }
        ClockEffect::EndAll => {
            assert_eq!(after.step_clock, None);
            assert!(handling(after).is_none_or(|handling| handling.ended()));
            assert_eq!(after.alarm_at(), None);
        }
        ClockEffect::Extend => assert!(due(after) > due(before)),
        ClockEffect::Pause => assert!(handling(after).unwrap().paused()),
        ClockEffect::Resume => assert!(!handling(after).unwrap().paused() && due(after) > due(before)),
        ClockEffect::SetAside => assert_eq!((&after.step_clock, handling(after)), (&None, None)),
        ClockEffect::Restore => {
            let aside = before.merged.clone().unwrap();
            assert_eq!((&after.step_clock, handling(after)), (&aside.step_clock, aside.handling_clock));
        }
        ClockEffect::Alarm => assert!(after.alarm() > before.alarm() && due(after) == due(before)),
    }
}

fn check_success(arc: &Arc, before: &Event, (after, transition): &(Event, Transition), now: OffsetDateTime) {
    let to = match arc.to {
        Next::To(state) => state,
        Next::Keep => before.state,
        Next::Restored => before.merged.as_ref().unwrap().state,
        Next::Reported => unreachable!("only a report leads there"),
    };
    assert_eq!((after.state, after.version), (to, before.version + 1));
    assert_eq!((transition.from, transition.to, transition.action), (Some(before.state), to, arc.action));
    assert_eq!((transition.version, transition.previous_hash), (after.version, Some(before.last_hash)));
    assert_eq!(transition.hash, after.last_hash);
    check_clocks(arc.clock, before, after, now);
}

#[test]
fn apply_does_what_the_table_says_for_every_state_action_role_and_reach() {
    let mut done = Vec::new();
    for (cast, state) in cast().iter().flat_map(|cast| State::all().map(move |state| (cast, state))) {
        let case = case_in(state, cast);
        for arc in &ARCS {
            let Some(action) = action(arc.action, &case.event, cast) else { continue };
            let mut case = case.clone();
            prepare(&mut case, &action);
            for (role, reach) in Role::all().flat_map(|role| REACHES.map(|reach| (role, reach))) {
                let by = Actor { subject: "another".to_owned(), ..actor(role, reach) };
                let result = case.attempt(&by, action.clone());
                let expected = refusal(arc, &case.event, role, reach);
                let what = format!("{:?} in {state:?} by {role:?} of {reach}", arc.action);
                assert_eq!(result.as_ref().err(), expected.as_ref(), "{what}");
                if let Ok(success) = &result {
                    check_success(arc, &case.event, success, case.now);
                    done.push((arc.action, state));
                }
            }
        }
    }
    // Each arrow of the table was gone along at least once.
    for (arc, from) in ARCS.iter().flat_map(|arc| arc.from.iter().map(move |from| (arc, from))) {
        assert!(done.contains(&(arc.action, *from)), "{:?} from {from:?} never went through", arc.action);
    }
}

#[test]
fn a_report_is_made_by_whom_the_table_says() {
    let arc = ActionKind::Report.arc();
    for (role, reach) in Role::all().flat_map(|role| REACHES.map(|reach| (role, reach))) {
        let by = actor(role, reach);
        let result = report(a_report(GRID, ReporterKind::Worker), &[by], &ctx(MORNING));
        let allowed = (arc.who[0].0.contains(&role) || role == Role::Public)
            && match reach {
                "water" | "garden" | "police" => role == Role::Department,
                _ => GRID.starts_with(reach),
            };
        match result {
            Ok((event, transition)) => {
                assert!(allowed, "{role:?} of {reach}");
                let state = if role == Role::Public { State::Verifying } else { State::Reported };
                assert_eq!((event.state, event.desk), (state, code(GRID)));
                assert_eq!((transition.from, transition.previous_hash), (None, None));
            }
            Err(refusal) => {
                assert!(!allowed, "{role:?} of {reach}");
                assert_eq!(refusal, Refusal::NotAllowed { action: ActionKind::Report });
            }
        }
    }
}
