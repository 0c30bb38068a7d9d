//! The table walked whole, state × action × person; who signs, what is signed, who sees what.

use time::macros::{date, datetime};

use super::*;

const NOW: OffsetDateTime = datetime!(2026-03-02 9:00 +8);

/// Of each action: the states (d drafted, s signed, S sent, A acknowledged, R returned, W withdrawn) with the state after each, and who
/// may (o office, r receiver). Said here once more, apart from the table.
const POSSIBLE: [(&str, &str, char); 4] = [
    ("SIGN", "ds sS", 'o'),
    ("WITHDRAW", "dW sW", 'o'),
    ("ACKNOWLEDGE", "SA", 'r'),
    ("RETURN", "SR AR", 'r'),
];
const PLACES: &str = "dsSARW";

fn actor(role: Role, subject: &str, unit: Option<&str>) -> Actor {
    Actor { subject: subject.to_owned(), role, district: 410_183, unit: unit.map(str::to_owned) }
}

fn office(subject: &str) -> Actor {
    actor(Role::Office, subject, None)
}

/// Drafted by Li, signed first by Li.
fn in_state(state: State) -> Transfer {
    let signers: &[&str] = match state {
        State::Drafted | State::Withdrawn => &[],
        State::Signed => &["li"],
        _ => &["li", "wang"],
    };
    Transfer {
        id: Uuid::from_u128(1),
        district: 410_183,
        issue: Uuid::from_u128(2),
        receiver: Receiver::Discipline,
        register_number: "410183-T-2026-000017".to_owned(),
        letter_date: date!(2026 - 03 - 02),
        key: Uuid::from_u128(3),
        content_hash: sha256(b"sealed"),
        drafter: "li".to_owned(),
        state,
        signatures: signers.iter().map(|by| Signature { by: (*by).to_owned(), at: NOW }).collect(),
        acknowledged: None,
        returned: None,
        return_reason: None,
        version: 3,
    }
}

fn commands(transfer: &Transfer) -> [Command; 4] {
    let sign = Command::Sign { digest: transfer.digest() };
    [sign, Command::Withdraw, Command::Acknowledge, Command::Return { reason: ReturnReason::NotCompetent }]
}

#[test]
fn every_state_action_and_person() {
    let place = |state: State| PLACES.chars().nth(state as usize).unwrap();
    let mut people = vec![
        (office("chen"), 'o'),
        (actor(Role::Receiver, "sun", Some("discipline")), 'r'),
        (actor(Role::Receiver, "sun", Some("court")), '-'),
        (actor(Role::Receiver, "sun", None), '-'),
        (actor(Role::Department, "sun", Some("discipline")), '-'),
        (Actor { district: 410_182, ..office("chen") }, '-'),
        (Actor { district: 410_182, ..actor(Role::Receiver, "sun", Some("discipline")) }, '-'),
    ];
    for role in [Role::Monitor, Role::Enterprise, Role::Liaison, Role::System] {
        people.push((actor(role, "li", None), '-'));
    }
    let mut done = 0;
    for state in State::ALL {
        let before = in_state(state);
        for (command, (action, arcs, who)) in commands(&before).iter().zip(POSSIBLE) {
            assert_eq!(command.code(), action);
            let to = arcs.split(' ').find(|arc| arc.starts_with(place(state))).map(|arc| &arc[1..]);
            for (person, letter) in &people {
                let told = format!("{state:?} {action} {person:?}");
                // What the receiver does not see yet it cannot act on, either.
                let may = who == *letter && (who == 'o' || state.is_sent());
                match (apply(&before, command, person, NOW), to) {
                    (result, _) if !may => assert_eq!(result, Err(Refusal::NotAllowed), "{told}"),
                    (result, None) => assert_eq!(result, Err(Refusal::WrongState { state }), "{told}"),
                    (result, Some(to)) => {
                        let (after, record) = result.expect(&told);
                        assert_eq!(place(after.state).to_string(), to, "{told}");
                        assert_eq!((record.from, record.to, record.version), (Some(state), after.state, 4));
                        assert_eq!((after.digest(), after.version), (before.digest(), 4), "the letter stays");
                        done += 1;
                    }
                }
            }
        }
    }
    assert_eq!(done, 7);
}

#[test]
fn two_sign_and_the_second_had_no_part_in_it() {
    let sign = |transfer: &Transfer, who: &str| {
        let command = Command::Sign { digest: transfer.digest() };
        apply(transfer, &command, &office(who), NOW).map(|(after, _)| after)
    };
    let draft = in_state(State::Drafted);
    let by_drafter = sign(&draft, "li").expect("who drafted may be the first");
    assert_eq!(sign(&by_drafter, "li"), Err(Refusal::SamePerson));
    let sent = sign(&by_drafter, "wang").expect("another");
    assert_eq!(sent.signatures.iter().map(|s| s.by.as_str()).collect::<Vec<_>>(), ["li", "wang"]);
    let by_another = sign(&draft, "wang").expect("so may somebody else");
    assert_eq!(sign(&by_another, "wang"), Err(Refusal::SamePerson));
    assert_eq!(sign(&by_another, "li"), Err(Refusal::SamePerson), "not second");
    assert_eq!(sign(&by_another, "chen").expect("a third").state, State::Sent);
}

#[test]
fn a_signature_is_of_everything_on_the_letter() {
    let transfer = in_state(State::Drafted);
    let digest = transfer.digest();
    // printf 'jingwei transfer 1\ndistricts/410183/transfers/00000000-0000-0000-0000-000000000001\n410183-T-2026-000017\n2026-03-02\n…' | sha256sum
    let text = "jingwei transfer 1\ndistricts/410183/transfers/00000000-0000-0000-0000-000000000001\n410183-T-2026-000017\n\
        2026-03-02\ndistricts/410183/issues/00000000-0000-0000-0000-000000000002\n\
        districts/410183/receivers/discipline/keys/00000000-0000-0000-0000-000000000003\n";
    assert_eq!(digest, sha256(format!("{text}{}", transfer.content_hash).as_bytes()));
    let others = [
        Transfer { id: Uuid::from_u128(9), ..transfer.clone() },
        Transfer { district: 410_182, ..transfer.clone() },
        Transfer { issue: Uuid::from_u128(9), ..transfer.clone() },
        Transfer { receiver: Receiver::Court, ..transfer.clone() },
        Transfer { register_number: "410183-T-2026-000018".to_owned(), ..transfer.clone() },
        Transfer { letter_date: date!(2026 - 03 - 03), ..transfer.clone() },
        Transfer { key: Uuid::from_u128(9), ..transfer.clone() },
        Transfer { content_hash: sha256(b"other"), ..transfer.clone() },
    ];
    for other in others {
        assert_ne!(other.digest(), digest);
        let person = Actor { district: other.district, ..office("chen") };
        let command = Command::Sign { digest: digest.clone() };
        assert_eq!(apply(&other, &command, &person, NOW), Err(Refusal::WrongDigest));
    }
}

#[test]
fn the_content_is_the_receivers_once_sent() {
    for state in State::ALL {
        let transfer = in_state(state);
        for role in Role::ALL {
            for unit in [None, Some("discipline"), Some("audit")] {
                let person = actor(role, "li", unit);
                let theirs = role == Role::Receiver && unit == Some("discipline") && state.is_sent();
                assert_eq!(transfer.gives_content_to(&person), theirs, "{state:?} {person:?}");
                let reads = theirs || matches!(role, Role::Office | Role::System);
                assert_eq!(transfer.is_readable_by(&person), reads, "{state:?} {person:?}");
            }
        }
        assert_eq!(serde_json::to_value(state).unwrap(), state.code());
    }
}
