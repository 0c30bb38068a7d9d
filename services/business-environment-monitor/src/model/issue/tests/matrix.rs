//! State × action × person, all of them: what `apply` does is what is said here once more, apart from the table.

use super::*;

/// The states in which an action is possible, by their places: 1 submitted, 2 registered, 3 accepted, c(lassified), a(ssigned),
/// h(andling), p(aused), r(eplied), v(erified), C(losed), N(ot accepted), X transferred, T(erminated). Then the state after (`=` the
/// one before), then who may: m(onitor) and e(nterprise) who submitted it, o(ffice), d(epartment), s(ystem).
const POSSIBLE: [(ActionKind, &str, char, &str); 22] = [
    (ActionKind::Register, "1", '2', "o"),
    (ActionKind::Accept, "2", '3', "o"),
    (ActionKind::DeemAccepted, "12", '3', "s"),
    (ActionKind::ProposeRefusal, "2", '=', "o"),
    (ActionKind::Refuse, "2", 'N', "o"),
    (ActionKind::Transfer, "2X", 'X', "o"),
    (ActionKind::Classify, "3", 'c', "o"),
    (ActionKind::Assign, "ca", 'a', "o"),
    (ActionKind::Start, "a", 'h', "d"),
    (ActionKind::Ask, "h", '=', "d"),
    (ActionKind::Grant, "h", 'p', "o"),
    (ActionKind::Deny, "h", '=', "o"),
    (ActionKind::Resume, "p", 'h', "ods"),
    (ActionKind::Reply, "h", 'r', "d"),
    (ActionKind::Verify, "r", 'v', "eo"),
    (ActionKind::Close, "v", 'C', "o"),
    (ActionKind::Return, "v", 'h', "o"),
    (ActionKind::Reopen, "C", 'c', "meo"),
    (ActionKind::Terminate, "3cahprv", 'T', "o"),
    (ActionKind::Rate, "C", '=', "me"),
    (ActionKind::CallBack, "cahprvCT", '=', "o"),
    (ActionKind::Warn, "123cahrv", '=', "s"),
];
const PLACES: &str = "123cahprvCNXT";

fn place(state: State) -> char {
    PLACES.chars().nth(state as usize).unwrap()
}

fn command(kind: ActionKind) -> Option<Command> {
    Some(match kind {
        ActionKind::Submit => return None,
        ActionKind::Register => Command::Register,
        ActionKind::Accept => Command::Accept,
        ActionKind::DeemAccepted => Command::DeemAccepted,
        ActionKind::ProposeRefusal => Command::ProposeRefusal { reason: text() },
        ActionKind::Refuse => Command::Refuse,
        ActionKind::Transfer => Command::Transfer { to: Receiver::Audit },
        ActionKind::Classify => Command::Classify { class: Class::B },
        ActionKind::Assign => Command::Assign { department: "planning".to_owned() },
        ActionKind::Start => Command::Start,
        ActionKind::Ask => Command::Ask { wish: Wish::Extension { working_days: 2 }, reason: text() },
        ActionKind::Grant => Command::Grant,
        ActionKind::Deny => Command::Deny { reason: text() },
        ActionKind::Resume => Command::Resume,
        ActionKind::Reply => Command::Reply { text: text() },
        ActionKind::Verify => Command::Verify { solved: true },
        ActionKind::Close => Command::Close,
        ActionKind::Return => Command::Return { reason: text() },
        ActionKind::Reopen => Command::Reopen { reason: text() },
        ActionKind::Terminate => Command::Terminate { reason: text() },
        ActionKind::Rate => Command::Rate { stars: Stars::new(2).unwrap() },
        ActionKind::CallBack => Command::CallBack { finding: text() },
        ActionKind::Warn => Command::Warn,
    })
}

/// Makes all true that the action needs and the table does not show.
fn prepare(case: &mut Case, action: ActionKind) {
    let issue = &mut case.issue;
    issue.proposal = Some(Proposal { by: "somebody".to_owned(), reason: text() });
    issue.pending = match action {
        ActionKind::Grant | ActionKind::Deny => Some(Wish::Pause { until: MONDAY + Duration::days(9) }),
        _ => None,
    };
    if let Some(round) = issue.rounds.last_mut() {
        if action == ActionKind::Return {
            round.verification = Some(Verification { call_back: true, solved: false, at: MONDAY });
        }
        if action == ActionKind::CallBack {
            let stars = Stars::new(1).unwrap();
            round.rating = Some(Rating { stars, at: MONDAY, called_back: None });
        }
    }
    case.now = match action {
        ActionKind::DeemAccepted => case.issue.decide_by,
        ActionKind::Warn | ActionKind::Resume => case.issue.alarm_at().unwrap_or(case.now),
        _ => case.now,
    };
}

/// Everybody who could try, and by which letter they may.
fn people(submitter: &Actor) -> Vec<(Actor, Option<char>)> {
    let elsewhere = |who: Actor| Actor { district: 410_182, ..who };
    let submits = |who: Actor, letter| {
        let may = (who == *submitter).then_some(letter);
        (who, may)
    };
    vec![
        submits(monitor(), 'm'),
        submits(enterprise(), 'e'),
        (actor(Role::Monitor, "another", None), None),
        (actor(Role::Enterprise, "another", enterprise().unit.as_deref()), None),
        // The submitter's own subject, but in the other role.
        (actor(Role::Enterprise, "zhang", None), None),
        (office(), Some('o')),
        (elsewhere(office()), None),
        (handler(), Some('d')),
        (elsewhere(handler()), None),
        (actor(Role::Department, "sun", Some("garden")), None),
        (actor(Role::Department, "sun", None), None),
        (Actor::system(DISTRICT), Some('s')),
        (elsewhere(Actor::system(DISTRICT)), None),
        (elsewhere(submitter.clone()), None),
    ]
}

#[test]
fn every_state_action_and_person() {
    let mut done = 0;
    for submitter in [monitor(), enterprise()] {
        for (state, (action, from, to, who)) in State::all().flat_map(|s| POSSIBLE.map(|row| (s, row))) {
            let at = Case::lead_to(&submitter, state);
            for (person, letter) in people(&submitter) {
                let mut case =
                    Case { issue: at.issue.clone(), history: Vec::new(), tallies: Vec::new(), now: at.now };
                prepare(&mut case, action);
                let result = case.attempt(&person, &command(action).unwrap());
                // Only who handles the current round is its handler.
                let assigned = case.issue.round().is_some_and(|round| round.department.is_some());
                let may = letter.is_some_and(|letter| who.contains(letter) && (letter != 'd' || assigned));
                let told = format!("{state:?} {action:?} {person:?}: {result:?}");
                if !may {
                    assert_eq!(result, Err(Refusal::NotAllowed { action }), "{told}");
                } else if !from.contains(place(state)) {
                    assert_eq!(result, Err(Refusal::WrongState { state, action }), "{told}");
                } else {
                    assert_eq!(result, Ok(()), "{told}");
                    let after = if to == '=' { place(state) } else { to };
                    assert_eq!(place(case.issue.state), after, "{told}");
                    assert_eq!(case.issue.version, at.issue.version + 1);
                    let last = case.history.last().unwrap();
                    assert_eq!((last.action, last.from, last.to), (action, Some(state), case.issue.state));
                    done += 1;
                }
            }
        }
    }
    assert_eq!(done, expected());
}

/// How often something is possible, by the list above.
fn expected() -> usize {
    let for_submitter = |letter: char| {
        let people =
            move |who: &str| who.chars().filter(|one| !"me".contains(*one) || *one == letter).count();
        POSSIBLE.iter().map(move |(_, from, _, who)| from.len() * people(who)).sum::<usize>()
    };
    for_submitter('m') + for_submitter('e')
}

#[test]
fn submit_is_possible_once() {
    let mut case = Case::submitted_by(&monitor(), MONDAY);
    let again = Command::Submit(Box::new(submission()));
    let refused = Refusal::WrongState { state: State::Submitted, action: ActionKind::Submit };
    assert_eq!(case.attempt(&monitor(), &again), Err(refused));
    for who in [office(), handler(), Actor::system(DISTRICT), Actor { district: 410_182, ..monitor() }] {
        let refused = submit(&submission(), &who, &context(MONDAY)).map(drop);
        assert_eq!(refused, Err(Refusal::NotAllowed { action: ActionKind::Submit }));
    }
}

/// In whatever role: a monitor with a post in the office or a department does not touch their own issue.
#[test]
fn a_monitor_neither_handles_nor_verifies_what_they_raised() {
    let free = [ActionKind::DeemAccepted, ActionKind::Warn, ActionKind::Reopen, ActionKind::Rate];
    for (action, from, _, who) in POSSIBLE.iter().filter(|row| !free.contains(&row.0)) {
        let state = State::all().find(|state| from.starts_with(place(*state))).unwrap();
        let role = if who.contains('o') { office() } else { handler() };
        for (submitter, refused) in [(monitor(), true), (enterprise(), false)] {
            let mut case = Case::lead_to(&submitter, state);
            prepare(&mut case, *action);
            let own = Actor { subject: submitter.subject.clone(), ..role.clone() };
            let result = case.attempt(&own, &command(*action).unwrap());
            assert_eq!(result == Err(Refusal::OwnIssue), refused, "{action:?} {result:?}");
        }
    }
}

/// The monitors who collected what is behind an issue raise it as well, whoever submitted it.
#[test]
fn nor_what_comes_of_what_they_collected() {
    let raisers = ["sun".to_owned(), "wu".to_owned()];
    let free = [ActionKind::DeemAccepted, ActionKind::Warn, ActionKind::Reopen, ActionKind::Rate];
    for (action, from, _, who) in POSSIBLE.iter().filter(|row| !free.contains(&row.0)) {
        let state = State::all().find(|state| from.starts_with(place(*state))).unwrap();
        let role = if who.contains('o') { office() } else { handler() };
        for (submitter, subject) in
            [monitor(), enterprise()].iter().flat_map(|s| ["sun", "wu", "li"].map(|n| (s, n)))
        {
            let mut case = Case::lead_to(submitter, state);
            prepare(&mut case, *action);
            let person = Actor { subject: subject.to_owned(), ..role.clone() };
            let context = Context { raisers: &raisers, ..context(case.now) };
            let result = apply(&case.issue, &command(*action).unwrap(), &person, &context);
            let refused = result.map(drop) == Err(Refusal::OwnIssue);
            assert_eq!(refused, subject != "li", "{action:?} by {subject}");
        }
    }
}
