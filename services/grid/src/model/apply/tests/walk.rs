//! Random walks: whatever people and the sweep do in whatever order, the invariants hold.
use std::collections::HashSet;

use jingwei_work_calendar::{Pace, measure_exact};
use proptest::prelude::*;

use super::*;
use crate::model::action::ActionKind;
use crate::model::clock::HandlingClock;
use crate::model::event::{Counts, SupervisionLevel};
use crate::model::relation::allowed_actions;
use crate::model::routing::can_give_to;

/// One step: which of the possible actions, with which data, how many seconds later, and whether the sweep runs.
type Step = (usize, usize, i64, bool);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let seconds = prop_oneof![0..7_200_i64, 0..400_000_i64];
    prop::collection::vec((any::<usize>(), 0..6_usize, seconds, any::<bool>()), 1..160)
}

fn people() -> [Actor; 9] {
    [
        actor(Role::GridWorker, GRID),
        actor(Role::GridChief, GRID),
        actor(Role::Community, COMMUNITY),
        actor(Role::Street, STREET),
        actor(Role::Dispatcher, "410182"),
        actor(Role::Department, "water"),
        actor(Role::Department, "garden"),
        actor(Role::Supervisor, "410182"),
        Actor::public(DISTRICT),
    ]
}

fn action(kind: ActionKind, choice: usize, now: OffsetDateTime) -> Action {
    let outcome = Outcome::Solved;
    let units = [
        department("water"),
        area(GRID),
        area(COMMUNITY),
        department("garden"),
        area(STREET),
        area("410182002012"),
    ];
    let unit = units[choice].clone();
    match kind {
        ActionKind::Confirm => Action::Confirm,
        ActionKind::Accept => Action::Accept,
        ActionKind::Reject => Action::Reject { outcome },
        ActionKind::Register => Action::Register,
        ActionKind::Void => Action::Void,
        ActionKind::Dispatch => {
            let co_handlers = units.into_iter().skip(choice + 1).take(choice % 2).collect();
            Action::Dispatch { lead: unit, co_handlers }
        }
        ActionKind::SignFor => Action::SignFor,
        ActionKind::CoHandle => Action::CoHandle,
        ActionKind::Resolve => Action::Resolve { outcome },
        ActionKind::Pass => Action::Pass,
        ActionKind::Fail => Action::Fail,
        ActionKind::RequestReturn => RETURN,
        ActionKind::ApproveReturn => Action::ApproveReturn,
        ActionKind::RuleOnReturn => Action::RuleOnReturn { lead: unit },
        ActionKind::RequestExtension => extend(1 + choice as u32 % 5),
        ActionKind::ApproveExtension => Action::ApproveExtension,
        ActionKind::RequestSuspension => {
            Action::RequestSuspension { resume_at: now + Duration::hours(50 * (1 + choice as i64)) }
        }
        ActionKind::ApproveSuspension => Action::ApproveSuspension,
        ActionKind::DenyRequest => Action::DenyRequest,
        ActionKind::WithdrawRequest => Action::WithdrawRequest,
        ActionKind::Resume => Action::Resume,
        ActionKind::Escalate => Action::Escalate,
        ActionKind::Delegate => Action::Delegate { target: unit.area().unwrap_or(code(COMMUNITY)) },
        ActionKind::Transfer => Action::Transfer { target: unit },
        ActionKind::Settle => Action::Settle { outcome },
        ActionKind::Reopen => Action::Reopen,
        ActionKind::Merge => Action::Merge { root: ROOT },
        ActionKind::Unmerge => Action::Unmerge,
        ActionKind::Urge => Action::Urge,
        ActionKind::Supervise => Action::Supervise { level: SupervisionLevel::District },
        ActionKind::Comment => Action::Comment,
        ActionKind::Answer => Action::Answer { solved: choice.is_multiple_of(2), rating: None },
        ActionKind::Uphold => Action::Uphold,
        ActionKind::Reveal => Action::Reveal,
        ActionKind::Report | ActionKind::Warn | ActionKind::Overdue | ActionKind::AskReview => {
            unreachable!("nobody's to choose")
        }
    }
}

/// Ends a way or leads nowhere: walks that took these as often as the others would see little else.
const SELDOM: [ActionKind; 11] = [
    ActionKind::Reveal,
    ActionKind::Reject,
    ActionKind::Void,
    ActionKind::Settle,
    ActionKind::Merge,
    ActionKind::Comment,
    ActionKind::Urge,
    ActionKind::Supervise,
    ActionKind::DenyRequest,
    ActionKind::WithdrawRequest,
    ActionKind::Escalate,
];

/// Who could do what now.
fn possible(event: &Event, people: &[Actor], seldom: bool) -> Vec<(usize, ActionKind)> {
    let of = |who: usize| allowed_actions(event, &people[who..=who]).into_iter().map(move |kind| (who, kind));
    let all = (0..people.len()).flat_map(of);
    all.filter(|(_, kind)| SELDOM.contains(kind) == seldom).collect()
}

/// What is remembered along a walk, apart from the case itself.
#[derive(Default)]
struct Witness {
    counts: Option<Counts>,
    before_merge: Option<Event>,
    alarms: HashSet<String>,
}

impl Witness {
    fn step(&mut self, before: &Event, case: &Case) {
        let (after, last) = (&case.event, case.history.last().unwrap());
        assert_eq!(after.version, before.version + 1);
        self.count(before, after, last);
        self.merge(before, after, last.action);
        self.alarm(after, last.action);
        deadline_moves_by_extension_or_suspension_only(before, after, last.action, case.now);
        segments_cover_the_time_since_dispatch(after, case.now);
        the_desk_can_give_the_lead_its_work(after);
        if !after.state.is_open() {
            assert_eq!(after.alarm_at(), None);
        }
        // A review is of a closing, and lasts until somebody decides it.
        assert!(after.review_since.is_none() || after.state == State::Closed);
        if after.review_since.is_none() && before.review_since.is_some() {
            assert!(matches!(last.action, ActionKind::Uphold | ActionKind::Reopen));
        }
    }

    /// The counters are what the transitions add up to.
    fn count(&mut self, before: &Event, after: &Event, last: &Transition) {
        let counts = self.counts.get_or_insert(before.counts);
        match last.action {
            ActionKind::Dispatch => counts.dispatches += 1,
            ActionKind::ApproveReturn => counts.returns += 1,
            ActionKind::RuleOnReturn if last.details.get("holder").is_some() => counts.returns += 1,
            ActionKind::Fail => counts.rework += 1,
            ActionKind::ApproveExtension => counts.extensions += 1,
            ActionKind::Urge => counts.urges += 1,
            ActionKind::Reopen => counts.rounds += 1,
            ActionKind::Overdue => counts.escalations += 1,
            _ => {}
        }
        assert_eq!(*counts, after.counts);
        // Two by the desk in all, and one ruling in a round.
        assert!(after.counts.returns <= 2 + after.counts.rounds && after.counts.extensions <= 2);
    }

    fn merge(&mut self, before: &Event, after: &Event, action: ActionKind) {
        if action == ActionKind::Merge {
            self.before_merge = Some(before.clone());
        }
        if after.state == State::Merged {
            assert_eq!((&after.step_clock, &after.handling_clock, after.alarm_at()), (&None, &None, None));
        }
        if action == ActionKind::Unmerge {
            let restored = Event {
                version: after.version,
                last_hash: after.last_hash,
                // What was said while it was merged stays said.
                answer: after.answer.clone(),
                ..self.before_merge.take().unwrap()
            };
            assert_eq!(*after, restored);
        }
    }

    /// Each alarm is given once for a deadline.
    fn alarm(&mut self, after: &Event, action: ActionKind) {
        if matches!(action, ActionKind::Warn | ActionKind::Overdue) {
            let clock = after.active_clock().unwrap();
            let granted = (clock.step, clock.started, after.counts.extensions, clock.stage);
            assert!(self.alarms.insert(format!("{granted:?}")), "{granted:?} twice");
        }
    }
}

fn deadline_moves_by_extension_or_suspension_only(
    before: &Event,
    after: &Event,
    action: ActionKind,
    now: OffsetDateTime,
) {
    let (Some(old), Some(new)) = (&before.handling_clock, &after.handling_clock) else { return };
    let exact = |from, to| measure_exact(&CALENDAR, new.clock.limit.unit, from, to).unwrap();
    let moved = exact(old.clock.due, new.clock.due);
    match action {
        ActionKind::ApproveExtension => assert!(moved.is_positive()),
        ActionKind::Resume => {
            let paused_at = old.segments.last().unwrap().from;
            let late = paused_at >= old.clock.due;
            assert_eq!(moved, if late { Duration::ZERO } else { exact(paused_at, now) });
        }
        _ => assert_eq!(old.clock.due, new.clock.due, "{action:?} moved the deadline"),
    }
}

/// Running and paused time add up to the time since dispatch, until the event ends.
fn segments_cover_the_time_since_dispatch(after: &Event, now: OffsetDateTime) {
    let Some(HandlingClock { segments, clock }) = &after.handling_clock else { return };
    assert_eq!(Some(clock.started), after.times.dispatched);
    assert_eq!(segments[0].from, clock.started);
    assert!(segments.windows(2).all(|pair| pair[0].to == Some(pair[1].from) && pair[0].pace != pair[1].pace));
    let open = segments.last().unwrap().to.is_none();
    assert_eq!(open, after.state.is_open());
    let end = segments.last().unwrap().to.unwrap_or(now);
    let sum: Duration = segments.iter().map(|part| part.to.unwrap_or(now) - part.from).sum();
    assert_eq!(sum, end - clock.started);
    let paused = segments.last().is_some_and(|last| last.pace == Pace::Paused && open);
    assert_eq!(paused, after.state == State::Suspended);
}

fn the_desk_can_give_the_lead_its_work(event: &Event) {
    if let Some(lead) = event.lead.as_ref().filter(|_| event.state.is_with_handler()) {
        assert!(can_give_to(event.desk, lead), "{} cannot give work to {lead}", event.desk);
        assert!(event.co_handlers.iter().all(|helper| helper.unit != *lead));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_invariants_hold_on_every_way(
        public in any::<bool>(),
        start in 0..3_000_000_i64,
        steps in steps(),
    ) {
        // From 2020 on, early enough that no walk leaves the years of the calendar.
        let now = datetime!(2020-03-01 00:00 +8) + Duration::minutes(start);
        let (people, system) = (people(), Actor::system(DISTRICT));
        let kind = if public { ReporterKind::Resident } else { ReporterKind::Worker };
        let (event, first) = report(a_report(GRID, kind), &people[..1], &ctx(now)).unwrap();
        let mut case = Case { event, history: vec![first], now };
        let mut witness = Witness::default();
        let go = |case: &mut Case, witness: &mut Witness, by: &Actor, action: Action| {
            let before = case.event.clone();
            if let Ok((event, transition)) = case.attempt(by, action) {
                case.event = event;
                case.history.push(transition);
                witness.step(&before, case);
            }
        };
        for (which, choice, seconds, sweeps) in steps {
            case.wait(Duration::seconds(seconds));
            while sweeps && let Some(action) = case.event.due_action(case.now) {
                let version = case.event.version;
                go(&mut case, &mut witness, &system, action);
                prop_assert_eq!(case.event.version, version + 1, "the system may do what is due");
            }
            let possible = possible(&case.event, &people, which % 16 == 0);
            if !possible.is_empty() {
                let (who, kind) = possible[which / 16 % possible.len()];
                let action = action(kind, choice, case.now);
                go(&mut case, &mut witness, &people[who], action);
            }
        }
        case.verify();
        let text = serde_json::to_string(&case.event).unwrap();
        prop_assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), case.event);
    }
}
