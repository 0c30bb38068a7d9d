//! Random ways of an issue: the invariants hold after every step, and the history leads to the same issue again.

use jingwei_work_calendar::{Pace, TimeUnit, measure_exact};
use proptest::prelude::*;

use super::*;

fn worked(from: OffsetDateTime, to: OffsetDateTime) -> Duration {
    measure_exact(&CALENDAR, TimeUnit::WorkingDays, from, to).unwrap()
}

/// What a step's commands carry.
#[derive(Clone, Copy, Debug)]
struct Data {
    working_days: u32,
    pause: i64,
    class: Class,
    solved: bool,
    stars: u8,
}

prop_compose! {
    fn data()(
        working_days in 0..22_u32,
        pause in 0..900_000_i64,
        class in prop::sample::select(Class::ALL.to_vec()),
        solved in any::<bool>(),
        stars in 1..=5_u8,
    ) -> Data {
        Data { working_days, pause, class, solved, stars }
    }
}

/// Commands of every kind, some of which will be refused; seldom those that end a case early.
fn commands(data: Data, now: OffsetDateTime, seldom: bool) -> Vec<Command> {
    let ask = |wish| Command::Ask { wish, reason: text() };
    let ends = [
        Command::ProposeRefusal { reason: text() },
        Command::Refuse,
        Command::Transfer { to: Receiver::Audit },
        Command::Terminate { reason: text() },
    ];
    let mut commands = vec![
        Command::Register,
        Command::Accept,
        Command::Classify { class: data.class },
        Command::Assign { department: "housing".to_owned() },
        Command::Start,
        ask(Wish::Extension { working_days: data.working_days }),
        Command::Grant,
        Command::Deny { reason: text() },
        Command::Resume,
        ask(Wish::Pause { until: now + Duration::seconds(data.pause) }),
        Command::Reply { text: text() },
        Command::Verify { solved: data.solved },
        Command::Close,
        Command::Return { reason: text() },
        Command::Reopen { reason: text() },
        Command::Rate { stars: Stars::new(data.stars).unwrap() },
        Command::CallBack { finding: text() },
    ];
    commands.extend(ends.into_iter().filter(|_| seldom));
    commands
}

fn check(before: &Issue, case: &Case) {
    let (after, last) = (&case.issue, case.history.last().unwrap());
    assert_eq!(after.version, before.version + 1);
    assert_eq!((last.version, last.from, last.to), (after.version, Some(before.state), after.state));
    assert_eq!(after.state.is_undecided(), after.acceptance.is_none() && after.state.is_open());
    assert!(after.state.is_open() || after.alarm_at().is_none());
    assert_eq!(after.resume_at.is_some(), after.state == State::Paused);
    assert!(after.pending.is_none() || after.state == State::InHandling);
    if after.rounds.len() > before.rounds.len() {
        let kept = &after.rounds[..before.rounds.len()];
        assert_eq!(kept, before.rounds, "a new round changes none before it");
        return;
    }
    let (Some(old), Some(new)) = (before.round(), after.round()) else { return };
    segments_fit(after, new);
    let moved = worked(old.clock.due, new.clock.due);
    match &last.command {
        Command::Grant if new.extensions > old.extensions => assert!(moved.is_positive()),
        Command::Resume => {
            let paused = old.segments.paused_since().unwrap();
            let over = case.now.min(before.resume_at.unwrap());
            let late = paused >= old.clock.due;
            assert_eq!(moved, if late { Duration::ZERO } else { worked(paused, over) });
        }
        other => assert_eq!(old.clock.due, new.clock.due, "{other:?} moved the deadline"),
    }
    assert!(new.extensions <= RULES.max_extensions);
}

/// The clock stands still when and only when the issue is paused, and ends with it.
fn segments_fit(issue: &Issue, round: &Round) {
    assert_eq!(round.segments[0].from, round.clock.started);
    assert!(
        round.segments.windows(2).all(|two| two[0].to == Some(two[1].from) && two[0].pace != two[1].pace)
    );
    assert_eq!(round.segments.paused_since().is_some(), issue.state == State::Paused);
    assert_eq!(round.segments.ended(), !issue.state.is_open());
    assert!(round.segments[0].pace == Pace::Running);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_invariants_hold_on_every_way_and_its_replay_ends_with_the_same_deadlines(
        by_monitor in any::<bool>(),
        start in 0..1_000_000_i64,
        steps in prop::collection::vec((0..400_usize, data(), 0..60_000_i64, any::<bool>()), 1..60),
    ) {
        // From 2022 on, early enough that no walk leaves the years of the calendar.
        let submitter = if by_monitor { monitor() } else { enterprise() };
        let mut case = Case::submitted_by(&submitter, datetime!(2022-01-04 0:00 +8) + Duration::minutes(start));
        let people = [office(), chief(), handler(), submitter];
        for (which, data, seconds, sweeps) in steps {
            case.now += Duration::seconds(if which % 5 == 0 { seconds * 10 } else { seconds });
            while sweeps && let Some(command) = case.issue.due_command(case.now) {
                let before = case.issue.clone();
                case.does(&Actor::system(DISTRICT), &command);
                check(&before, &case);
            }
            // Whoever may does the first that is possible, wherever the list is begun.
            let mut commands = commands(data, case.now, which % 60 == 0);
            let first = which % commands.len();
            commands.rotate_left(first);
            let before = case.issue.clone();
            let done = commands.iter().any(|command| {
                people.iter().any(|person| case.attempt(person, command).is_ok())
            });
            if done {
                check(&before, &case);
            } else {
                prop_assert_eq!(&before, &case.issue);
            }
        }
        numbers::agree(&case);
        // The history as it would be kept, read again.
        let text = serde_json::to_string(&case.history).unwrap();
        let history: Vec<Transition> = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&replay(&history, &CALENDAR, &RULES).unwrap(), &case.issue);
        let text = serde_json::to_string(&case.issue).unwrap();
        prop_assert_eq!(serde_json::from_str::<Issue>(&text).unwrap(), case.issue);

        // Whatever is taken out or altered is found.
        let place = usize::try_from(start).unwrap() % history.len();
        let broken = Err(transition::Broken { version: i64::try_from(place).unwrap() + 1 });
        let mut altered = history.clone();
        altered[place].due = altered[place].due.map_or(Some(case.now), |due| Some(due + Duration::SECOND));
        prop_assert_eq!(replay(&altered, &CALENDAR, &RULES), broken.clone());
        let mut shorter = history.clone();
        shorter.remove(place);
        if place + 1 < history.len() {
            prop_assert_eq!(replay(&shorter, &CALENDAR, &RULES), broken);
        }
    }
}
