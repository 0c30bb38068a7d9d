//! The table walked whole, state × action × person × batch, and what people would tell of a batch.

use time::macros::{date, datetime};

use super::apply::{Candidacy, Command, Refusal, apply, nominate};
use super::arcs::ActionKind;
use super::role::{MonitorRole, parse_roles};
use super::*;
use crate::model::actor::Role;

mod batches;
mod terms;
mod walk;

const DISTRICT: i32 = 410_183;
const NOW: OffsetDateTime = datetime!(2024-03-15 9:00 +8);

/// Of each action: the states (n v p a A S E D R X = declined), the state after (`=` the one before), who may (o office, m the
/// person, s system), and where the batch stands (by its place from 0; * anywhere). Said here once more, apart from the table.
const POSSIBLE: [(ActionKind, &str, char, &str, &str); 12] = [
    (ActionKind::Vet, "n", 'v', "o", "2"),
    (ActionKind::Decline, "nv", 'X', "o", "12"),
    (ActionKind::Publicise, "v", 'p', "o", "2"),
    (ActionKind::Recall, "p", 'v', "o", "3"),
    (ActionKind::Approve, "p", 'a', "o", "3"),
    (ActionKind::Certify, "a", 'A', "o", "4"),
    (ActionKind::Begin, "a", 'A', "s", "56"),
    (ActionKind::Suspend, "A", 'S', "o", "*"),
    (ActionKind::Reinstate, "S", 'A', "o", "*"),
    (ActionKind::Dismiss, "aAS", 'D', "o", "*"),
    (ActionKind::Resign, "aAS", 'R', "om", "*"),
    (ActionKind::Expire, "AS", 'E', "s", "*"),
];
const PLACES: &str = "nvpaASEDRX";

fn actor(role: Role, subject: &str) -> Actor {
    Actor { subject: subject.to_owned(), role, district: DISTRICT, unit: None }
}

fn office() -> Actor {
    actor(Role::Office, "li")
}

fn roles() -> Vec<MonitorRole> {
    parse_roles(include_str!("../../../data/roles.csv")).unwrap()
}

fn nomination(person: &str) -> Nomination {
    Nomination {
        person: person.to_owned(),
        role: "special-supervisor".to_owned(),
        mode: NominationMode::Invitation,
        nominated_by: String::new(),
        group: "人大代表".to_owned(),
        exception_reason: None,
        industry: None,
        street: None,
        renews: None,
    }
}

/// In this state, its term 15 March 2024 to 14 March 2026 wherever it can have one.
fn in_state(state: State) -> Appointment {
    let tenure = Tenure { first: date!(2024 - 03 - 15), last: date!(2026 - 03 - 14) };
    let certified = !matches!(state, State::Nominated | State::Vetted | State::Publicised | State::Declined);
    Appointment {
        id: Uuid::from_u128(7),
        district: DISTRICT,
        batch: Uuid::from_u128(1),
        nomination: nomination("zhang"),
        term_number: 1,
        follows: None,
        state,
        tenure: certified.then_some(tenure),
        certificate: certified.then(|| "410183-2024-000001".to_owned()),
        version: 4,
    }
}

fn command(kind: ActionKind) -> Command {
    let reason = "原因".to_owned();
    match kind {
        ActionKind::Vet => Command::Vet,
        ActionKind::Decline => Command::Decline { reason },
        ActionKind::Publicise => Command::Publicise,
        ActionKind::Recall => Command::Recall { against: false },
        ActionKind::Approve => Command::Approve,
        ActionKind::Certify => {
            Command::Certify { number: "410183-2024-000009".to_owned(), first: local_day(NOW), months: 24 }
        }
        ActionKind::Begin => Command::Begin,
        ActionKind::Suspend => Command::Suspend { reason },
        ActionKind::Reinstate => Command::Reinstate { reason },
        ActionKind::Dismiss => Command::Dismiss { reason },
        ActionKind::Resign => Command::Resign { reason },
        ActionKind::Expire => Command::Expire,
        ActionKind::Nominate => unreachable!("a function of its own"),
    }
}

#[test]
fn each_state_and_action_has_its_row_and_serialises_as_its_code() {
    for (index, state) in State::all().enumerate() {
        assert_eq!(state as usize, index);
        assert_eq!(serde_json::to_value(state).unwrap(), state.code());
    }
    for (index, action) in ActionKind::all().enumerate() {
        assert_eq!(action as usize, index);
        assert_eq!(serde_json::to_value(action).unwrap(), action.code());
        assert_eq!(action.arc().action, action);
    }
}

#[test]
fn every_state_action_person_and_batch() {
    let elsewhere = |actor: Actor| Actor { district: 410_182, ..actor };
    let people = [
        (office(), Some('o')),
        (actor(Role::Monitor, "zhang"), Some('m')),
        (actor(Role::Monitor, "wang"), None),
        (Actor::system(DISTRICT), Some('s')),
        (actor(Role::Department, "zhang"), None),
        (actor(Role::Enterprise, "zhang"), None),
        (elsewhere(office()), None),
        (elsewhere(actor(Role::Monitor, "zhang")), None),
        (elsewhere(Actor::system(DISTRICT)), None),
    ];
    let place = |state: State| PLACES.chars().nth(state as usize).unwrap();
    let mut done = 0;
    for (state, (action, from, to, who, batches)) in State::all().flat_map(|s| POSSIBLE.map(|row| (s, row))) {
        for (person, letter) in &people {
            for batch in batch::State::ALL {
                let before = in_state(state);
                // The last day is over.
                let now = if action == ActionKind::Expire { datetime!(2026-03-15 0:00 +8) } else { NOW };
                let result = apply(&before, &command(action), person, batch, now);
                let told = format!("{state:?} {action:?} {person:?} {batch:?}");
                let there = batches == "*" || batches.contains(&(batch as usize).to_string());
                if !letter.is_some_and(|letter| who.contains(letter)) {
                    assert_eq!(result, Err(Refusal::NotAllowed { action }), "{told}");
                } else if !from.contains(place(state)) {
                    assert_eq!(result, Err(Refusal::WrongState { state, action }), "{told}");
                } else if !there {
                    assert_eq!(result, Err(Refusal::BatchState { state: batch, action }), "{told}");
                } else {
                    let (after, record) = result.unwrap_or_else(|refusal| panic!("{told}: {refusal:?}"));
                    assert_eq!(place(after.state), to, "{told}");
                    assert_eq!((after.version, record.version), (5, 5));
                    assert_eq!((record.from, record.to, record.action), (Some(state), after.state, action));
                    done += 1;
                }
            }
        }
    }
    // Each state by whoever may, wherever the batch may be: of seven where anywhere.
    let wherever = |batches: &str| if batches == "*" { 7 } else { batches.len() };
    let expected: usize =
        POSSIBLE.iter().map(|(_, from, _, who, batches)| from.len() * who.len() * wherever(batches)).sum();
    assert_eq!(done, expected);
}

#[test]
fn what_hurts_needs_a_reason() {
    let blank = || " \n".to_owned();
    for (state, command) in [
        (State::Vetted, Command::Decline { reason: blank() }),
        (State::Active, Command::Suspend { reason: blank() }),
        (State::Suspended, Command::Reinstate { reason: blank() }),
        (State::Active, Command::Dismiss { reason: blank() }),
        (State::Active, Command::Resign { reason: blank() }),
    ] {
        let refused = apply(&in_state(state), &command, &office(), batch::State::Vetting, NOW);
        assert_eq!(refused, Err(Refusal::ReasonMissing));
    }
}
