//! State × action × role, all of them: what `apply` does is what is said here once more, apart from the table.

use super::*;

/// The states in which an action is possible, by their places: c(ollected), t(riaged), n(oted), m(erged), p(romoted), r(ejected).
/// Then the state after. All by the office.
const POSSIBLE: [(ActionKind, &str, char); 8] = [
    (ActionKind::Triage, "c", 't'),
    (ActionKind::Note, "t", 'n'),
    (ActionKind::Reject, "t", 'r'),
    (ActionKind::Merge, "t", 'm'),
    (ActionKind::Unmerge, "m", 't'),
    (ActionKind::Promote, "t", 'p'),
    (ActionKind::Link, "p", 'p'),
    (ActionKind::Unlink, "p", 'p'),
];

fn place(state: State) -> char {
    "ctnmpr".chars().nth(state as usize).unwrap()
}

/// A command of the kind that nothing but state and actor can refuse.
pub(super) fn command(kind: ActionKind) -> Option<Command> {
    Some(match kind {
        ActionKind::Collect => return None,
        ActionKind::Triage => Command::Triage { text: text() },
        ActionKind::Note => Command::Note { text: text() },
        ActionKind::Reject => Command::Reject { reason: text() },
        ActionKind::Merge => Command::Merge { into: target(State::Triaged) },
        ActionKind::Unmerge => Command::Unmerge { reason: text() },
        ActionKind::Promote => Command::Promote { issue: id(4) },
        ActionKind::Link => Command::Link { issue: id(4) },
        ActionKind::Unlink => Command::Unlink { issue: id(7), reason: text() },
    })
}

#[test]
fn every_state_action_and_role() {
    let mut done = 0;
    for (state, (action, from, to)) in State::all().flat_map(|s| POSSIBLE.map(|row| (s, row))) {
        for (role, district) in Role::ALL.iter().flat_map(|role| [(*role, DISTRICT), (*role, 410_182)]) {
            let (before, command) = (at(state), command(action).unwrap());
            let who = Actor { district, ..actor(role, "li") };
            let result = apply(&before, &command, &who, MONDAY);
            if role != Role::Office || district != DISTRICT {
                assert_eq!(result, Err(Refusal::NotAllowed { action }), "{who:?}");
            } else if !from.contains(place(state)) {
                assert_eq!(result, Err(Refusal::WrongState { state, action }));
            } else {
                let (after, record) = result.unwrap();
                assert_eq!((place(after.state), after.version), (to, before.version + 1));
                let other = match action {
                    ActionKind::Merge => Some(id(2)),
                    ActionKind::Unmerge => Some(id(9)),
                    ActionKind::Promote | ActionKind::Link => Some(id(4)),
                    ActionKind::Unlink => Some(id(7)),
                    _ => None,
                };
                let expected = Record {
                    version: after.version,
                    action,
                    from: Some(state),
                    to: after.state,
                    subject: "li".to_owned(),
                    text: record.text.clone(),
                    other,
                    at: MONDAY,
                };
                assert_eq!(record, expected);
                done += 1;
            }
        }
    }
    assert_eq!(done, POSSIBLE.iter().map(|(_, from, _)| from.len()).sum::<usize>());
}
