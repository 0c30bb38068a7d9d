//! State × action × person, all of them; who learns of a report and who does not.

use time::macros::datetime;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-03-02 9:00 +8);

fn actor(role: Role, unit: Option<&str>) -> Actor {
    Actor { subject: "x".to_owned(), role, district: 410_183, unit: unit.map(str::to_owned) }
}

fn report(about: About, state: State) -> Report {
    Report {
        id: Uuid::from_u128(1),
        district: 410_183,
        reporter: "zhang".to_owned(),
        about,
        receiver: Receiver::Discipline,
        key: Uuid::from_u128(2),
        content_hash: String::new(),
        submitted: NOW,
        state,
        acknowledged: None,
        returned: None,
        return_reason: None,
        version: 1,
    }
}

fn housing() -> About {
    About::Department("housing".to_owned())
}

#[test]
fn whom_it_is_about_does_not_learn_of_it_whatever_else_they_are() {
    let receiver = actor(Role::Receiver, Some("discipline"));
    let mut others = vec![
        actor(Role::Receiver, Some("court")),
        actor(Role::Receiver, Some("housing")),
        actor(Role::Receiver, None),
        Actor { district: 410_182, ..receiver.clone() },
    ];
    for role in Role::ALL.into_iter().filter(|role| *role != Role::Receiver) {
        others.extend([actor(role, None), actor(role, Some("housing")), actor(role, Some("discipline"))]);
    }
    for (about, state) in
        [About::Office, housing()].into_iter().flat_map(|a| State::ALL.map(|s| (a.clone(), s)))
    {
        let report = report(about.clone(), state);
        let sees = |grants: &[Actor]| {
            let person = Person { subject: "wu", admitted: grants, grants };
            report.is_readable_by(person)
        };
        assert!(sees(std::slice::from_ref(&receiver)));
        for other in &others {
            assert!(!sees(std::slice::from_ref(other)), "{other:?}");
            let is_about = match about {
                About::Office => other.role == Role::Office,
                About::Department(_) => {
                    matches!(other.role, Role::Department | Role::Receiver)
                        && other.unit.as_deref() == Some("housing")
                }
            };
            // With both grants: what keeps somebody out counts for more.
            assert_eq!(sees(&[receiver.clone(), other.clone()]), !is_about, "{about:?} {other:?}");
            let not_admitted = Person {
                subject: "wu",
                admitted: std::slice::from_ref(&receiver),
                grants: &[other.clone(), receiver.clone()],
            };
            assert_eq!(
                report.is_readable_by(not_admitted),
                !is_about,
                "a grant that did not let the call in"
            );
        }
    }
}

#[test]
fn every_state_action_and_person() {
    let receiver = [actor(Role::Receiver, Some("discipline"))];
    let reason = ReturnReason::CannotOpen;
    let mut done = Vec::new();
    for state in State::ALL {
        let before = report(housing(), state);
        for command in [Command::Acknowledge, Command::Return { reason }] {
            for role in Role::ALL {
                for subject in ["zhang", "wu"] {
                    let grants = [actor(role, Some("discipline"))];
                    let person = Person { subject, admitted: &grants, grants: &grants };
                    let refused = apply(&before, command, person, NOW) == Err(Refusal::NotAllowed);
                    assert_eq!(refused, role != Role::Receiver, "{role:?}");
                }
            }
            let person = Person { subject: "wu", admitted: &receiver, grants: &receiver };
            match apply(&before, command, person, NOW) {
                Ok(after) => {
                    assert_eq!(after.version, 2);
                    done.push((state, command.code(), after.state));
                }
                Err(refusal) => assert_eq!(refusal, Refusal::WrongState { state }),
            }
        }
        assert_eq!(serde_json::to_value(state).unwrap(), state.code());
    }
    let expected = [
        (State::Submitted, "ACKNOWLEDGE", State::Acknowledged),
        (State::Submitted, "RETURN", State::Returned),
        (State::Acknowledged, "RETURN", State::Returned),
    ];
    assert_eq!(done, expected);
}

#[test]
fn monitors_and_enterprises_report_and_to_nobody_about_themselves() {
    for role in Role::ALL {
        let refused = report(About::Office, State::Submitted).check(&[actor(role, None)]);
        assert_eq!(refused.is_ok(), matches!(role, Role::Monitor | Role::Enterprise), "{role:?}");
    }
    let about = About::Department("discipline".to_owned());
    let refused = report(about, State::Submitted).check(&[actor(Role::Monitor, None)]);
    assert_eq!(refused, Err(Refusal::AboutReceiver));
}
