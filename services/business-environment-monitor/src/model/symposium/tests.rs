//! Symposiums, tested: every state by every command by every role, and what each command needs.

use time::macros::datetime;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-03-02 9:00 +8);

fn actor(role: Role, subject: &str, unit: Option<&str>) -> Actor {
    Actor { subject: subject.into(), role, district: 410_108, unit: unit.map(str::to_owned) }
}

fn office() -> Actor {
    actor(Role::Office, "li", None)
}

fn monitor(number: usize) -> Invitee {
    Invitee { kind: InviteeKind::Monitor, code: format!("monitor-{number}") }
}

fn planned() -> Symposium {
    let given = Symposium {
        id: Uuid::from_u128(1),
        district: 410_108,
        title: "营商环境座谈会".into(),
        place: "区政府".into(),
        start: NOW,
        state: State::Planned,
        invitees: (0..3).map(monitor).collect(),
        present: Vec::new(),
        suggestions: Vec::new(),
        minutes: String::new(),
        follow_up: String::new(),
        cancel_reason: String::new(),
        version: 0,
    };
    plan(given, &office(), NOW).unwrap().0
}

fn done(before: &Symposium, command: &Command) -> Result<Symposium, Refusal> {
    apply(before, command, &office(), NOW).map(|(after, record)| {
        assert_eq!(
            (record.version, record.from, record.to),
            (after.version, Some(before.state), after.state)
        );
        assert_eq!(after.version, before.version + 1);
        after
    })
}

fn commands() -> Vec<Command> {
    vec![
        Command::Invite(vec![monitor(7)]),
        Command::Hold(vec![monitor(0), monitor(1)]),
        Command::Suggest { invitee: monitor(0), text: "增设停车位".into() },
        Command::Follow { number: 1, outcome: Outcome::Answer("已列入计划".into()) },
        Command::PublishMinutes("纪要".into()),
        Command::PublishFollowUp("均已落实".into()),
        Command::Cancel("改期".into()),
    ]
}

/// A symposium in a state, with a suggestion that is followed where there can be one.
fn at(state: State) -> Symposium {
    let commands = commands();
    let way: &[usize] = match state {
        State::Planned => &[],
        State::Held => &[1, 2, 3],
        State::MinutesPublished => &[1, 2, 3, 4],
        State::FollowUpPublished => &[1, 2, 3, 4, 5],
        State::Cancelled => &[6],
    };
    let symposium = way.iter().fold(planned(), |before, step| done(&before, &commands[*step]).unwrap());
    assert_eq!(symposium.state, state);
    symposium
}

#[test]
fn only_what_the_table_says_is_possible_and_only_for_the_office() {
    for state in State::ALL {
        assert_eq!(serde_json::to_value(state).unwrap(), state.code());
        for command in commands() {
            let (before, (_, from, to)) = (at(state), command.arc());
            let after = done(&before, &command);
            match from.contains(&state) {
                true => assert_eq!(after.unwrap().state, to.unwrap_or(state), "{command:?} from {state:?}"),
                false => assert_eq!(after, Err(Refusal::WrongState { state })),
            }
            let others = [
                actor(Role::Monitor, "monitor-0", None),
                actor(Role::Department, "zhao", Some("housing")),
                actor(Role::Enterprise, "qian", Some("91350100M000100Y43")),
                actor(Role::Liaison, "sun", None),
                Actor { district: 410_183, ..office() },
            ];
            for other in others {
                assert_eq!(apply(&before, &command, &other, NOW), Err(Refusal::NotAllowed), "{other:?}");
            }
        }
    }
}

#[test]
fn who_came_was_invited_and_who_suggests_was_present() {
    let held = at(State::Held);
    assert_eq!(done(&planned(), &Command::Hold(vec![monitor(9)])), Err(Refusal::NotInvited));
    let twice = Err(Refusal::NamedTwice { field: "present" });
    assert_eq!(done(&planned(), &Command::Hold(vec![monitor(0), monitor(0)])), twice);
    let again = Command::Invite(vec![monitor(0)]);
    assert_eq!(done(&planned(), &again), Err(Refusal::NamedTwice { field: "invitees" }));
    let absent = Command::Suggest { invitee: monitor(2), text: "建议".into() };
    assert_eq!(done(&held, &absent), Err(Refusal::NotPresent));
    assert_eq!(done(&held, &Command::Hold(vec![monitor(1)])), Err(Refusal::Suggested));
    let corrected = done(&held, &Command::Hold((0..3).map(monitor).collect())).unwrap();
    assert_eq!((corrected.present.len(), corrected.suggestions.len()), (3, 1));
}

#[test]
fn each_suggestion_leads_somewhere_before_the_follow_up_is_published() {
    let minutes =
        done(&at(State::Held), &Command::Suggest { invitee: monitor(1), text: "延长办事时间".into() });
    let minutes = done(&minutes.unwrap(), &Command::PublishMinutes("纪要".into())).unwrap();
    let publish = Command::PublishFollowUp("落实".into());
    assert_eq!(done(&minutes, &publish), Err(Refusal::SuggestionsOpen));
    let outcome = Outcome::Issue(Uuid::from_u128(7));
    assert_eq!(
        done(&minutes, &Command::Follow { number: 3, outcome: outcome.clone() }),
        Err(Refusal::NoSuchSuggestion)
    );
    assert_eq!(
        done(&minutes, &Command::Follow { number: 0, outcome: outcome.clone() }),
        Err(Refusal::NoSuchSuggestion)
    );
    let followed = done(&minutes, &Command::Follow { number: 2, outcome }).unwrap();
    assert_eq!(done(&followed, &publish).unwrap().state, State::FollowUpPublished);
}

#[test]
fn blank_texts_are_refused_by_their_field() {
    let blank = || "  ".to_owned();
    for (state, command, field) in [
        (State::Held, Command::Suggest { invitee: monitor(0), text: blank() }, "text"),
        (State::Held, Command::Follow { number: 1, outcome: Outcome::Answer(blank()) }, "answer"),
        (State::Held, Command::PublishMinutes(blank()), "minutes"),
        (State::MinutesPublished, Command::PublishFollowUp(blank()), "follow_up"),
        (State::Planned, Command::Cancel(blank()), "reason"),
    ] {
        assert_eq!(done(&at(state), &command), Err(Refusal::Missing { field }));
    }
    let untitled = Symposium { title: blank(), ..planned() };
    assert_eq!(plan(untitled, &office(), NOW).map(|_| ()), Err(Refusal::Missing { field: "title" }));
}

#[test]
fn others_read_what_they_are_invited_to() {
    let symposium = planned();
    assert!(symposium.is_readable_by(&office()));
    assert!(symposium.is_readable_by(&actor(Role::Monitor, "monitor-1", None)));
    assert!(!symposium.is_readable_by(&actor(Role::Monitor, "monitor-8", None)));
    assert!(!symposium.is_readable_by(&actor(Role::Department, "x", Some("monitor-1"))));
    assert!(!symposium.is_readable_by(&Actor { district: 410_183, ..office() }));
}
