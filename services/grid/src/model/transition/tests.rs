//! The chain, tested: it holds as written and breaks wherever it is touched.
use serde_json::json;
use time::macros::datetime;

use super::*;

fn history(length: i64) -> Vec<Transition> {
    let mut history: Vec<Transition> = Vec::new();
    for version in 1..=length {
        let transition = Transition {
            event: Uuid::from_u128(1),
            version,
            action: ActionKind::Comment,
            from: Some(State::Reported),
            to: State::Reported,
            subject: "zhang".to_owned(),
            role: Role::GridWorker,
            unit: Unit::Department("water".to_owned()),
            area: "410182002011001".parse().unwrap(),
            area_version: 3,
            at: datetime!(2024-05-22 09:00:00.123456 +8),
            reason: "事由".to_owned(),
            note: "说明".to_owned(),
            details: json!({"b": {"y": 1, "x": [true, null, "文"]}, "a": "z"}),
            previous_hash: history.last().map(|link| link.hash),
            hash: [0; 32],
        };
        history.push(transition.sealed());
    }
    history
}

/// Every way to alter a record, each in one field.
fn alterations() -> Vec<fn(&mut Transition)> {
    vec![
        |t| t.event = Uuid::from_u128(2),
        |t| t.version += 1,
        |t| t.action = ActionKind::Urge,
        |t| t.from = None,
        |t| t.to = State::Closed,
        |t| t.subject = "li".to_owned(),
        |t| t.role = Role::GridChief,
        |t| t.unit = Unit::Department("garden".to_owned()),
        |t| t.area = "410182002011".parse().unwrap(),
        |t| t.area_version = 4,
        |t| t.at += time::Duration::microseconds(1),
        |t| (t.reason, t.note) = ("事由说".to_owned(), "明".to_owned()),
        |t| t.note.push(' '),
        |t| t.details["b"]["x"][1] = json!(false),
        |t| t.details["a"] = json!(["z"]),
        |t| t.previous_hash = None,
        |t| t.hash[31] ^= 1,
    ]
}

#[test]
fn an_untouched_history_holds() {
    assert_eq!(verify_chain(&history(4)), Ok(()));
    assert_eq!(verify_chain(&[]), Ok(()));
}

#[test]
fn any_altered_field_breaks_the_chain_there() {
    for (number, alter) in alterations().into_iter().enumerate() {
        let mut history = history(4);
        alter(&mut history[1]);
        assert_eq!(verify_chain(&history), Err(BrokenLink { version: 2 }), "alteration {number}");
    }
}

#[test]
fn a_resealed_forgery_breaks_the_link_after_it() {
    let mut history = history(4);
    history[1].note = "改".to_owned();
    history[1] = history[1].clone().sealed();
    assert_eq!(verify_chain(&history), Err(BrokenLink { version: 3 }));
}

#[test]
fn a_missing_or_misplaced_record_breaks_the_chain() {
    let mut missing = history(4);
    missing.remove(1);
    assert_eq!(verify_chain(&missing), Err(BrokenLink { version: 2 }));
    let mut swapped = history(4);
    swapped.swap(2, 3);
    assert_eq!(verify_chain(&swapped), Err(BrokenLink { version: 3 }));
    assert_eq!(verify_chain(&history(4)[1..]), Err(BrokenLink { version: 1 }));
}

#[test]
fn the_hash_is_of_the_meaning_not_of_the_spelling() {
    let mut history = history(1);
    history[0].details = serde_json::from_str(r#"{"a":"z","b":{"x":[true,null,"文"],"y":1}}"#).unwrap();
    history[0].at = history[0].at.to_offset(time::UtcOffset::UTC) + time::Duration::nanoseconds(999);
    assert_eq!(
        verify_chain(&history),
        Ok(()),
        "order of keys, offset and what is below a microsecond do not count"
    );
}
