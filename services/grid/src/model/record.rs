//! Record: the transition of a change, with what changed written into its details.
use serde::Serialize;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::action::{Action, ActionKind, Command};
use super::actor::Actor;
use super::event::Event;
use super::transition::Transition;

/// The transition of a command; its hash becomes the event's last.
pub(super) fn of_command(
    before: &Event,
    after: &mut Event,
    command: &Command,
    actor: &Actor,
    now: OffsetDateTime,
) -> Transition {
    let mut details = own_data(&command.action);
    if !command.evidence.is_empty() {
        details.insert("evidence".to_owned(), json!(command.evidence));
    }
    changes(&mut details, before, after);
    if matches!(command.action, Action::Warn | Action::Overdue)
        && let Some(clock) = after.active_clock()
    {
        details.insert("step".to_owned(), json!(clock.step));
        details.insert("alarm".to_owned(), json!(clock.stage));
        details.insert("escalated_to".to_owned(), json!(clock.escalated_to));
    }
    let mut transition = blank(after, command.action.kind(), actor, now);
    transition.from = Some(before.state);
    transition.reason = command.reason().to_owned();
    transition.note.clone_from(&command.note);
    transition.details = Value::Object(details);
    transition.previous_hash = Some(before.last_hash);
    seal(transition, after)
}

/// The transition of a report, the first of an event.
pub(super) fn of_report(event: &mut Event, actor: &Actor) -> Transition {
    let mut transition = blank(event, ActionKind::Report, actor, event.times.reported);
    transition.details = json!({
        "category": event.category,
        "condition": event.condition,
        "reporter": event.reporter.kind,
        "evidence": event.evidence,
        "desk": event.desk,
        "step_due": event.step_clock.as_ref().map(|clock| stamp(clock.due)),
    });
    seal(transition, event)
}

fn blank(after: &Event, action: ActionKind, actor: &Actor, now: OffsetDateTime) -> Transition {
    Transition {
        event: after.id,
        version: after.version,
        action,
        from: None,
        to: after.state,
        subject: actor.subject.clone(),
        role: actor.role,
        unit: actor.unit(after.place.area),
        area: after.place.area,
        area_version: after.place.area_version,
        at: now,
        reason: String::new(),
        note: String::new(),
        details: Value::Null,
        previous_hash: None,
        hash: [0; 32],
    }
}

fn seal(transition: Transition, event: &mut Event) -> Transition {
    let transition = transition.sealed();
    event.last_hash = transition.hash;
    transition
}

/// The action's own fields, under their names.
fn own_data(action: &Action) -> Map<String, Value> {
    match json!(action) {
        Value::Object(tagged) => {
            tagged.into_iter().find_map(|(_, data)| data.as_object().cloned()).unwrap_or_default()
        }
        _ => Map::new(),
    }
}

/// Who has it and until when, where that is not as before.
fn changes(details: &mut Map<String, Value>, before: &Event, after: &Event) {
    let mut changed = |name: &str, from: Value, to: Value| {
        if from != to {
            details.insert(name.to_owned(), json!({"from": from, "to": to}));
        }
    };
    let step_due = |event: &Event| event.step_clock.as_ref().map(|clock| stamp(clock.due));
    let handling_due =
        |event: &Event| event.handling_clock.as_ref().map(|handling| stamp(handling.clock.due));
    changed("desk", json!(before.desk), json!(after.desk));
    changed("holder", json!(before.holder()), json!(after.holder()));
    changed("step_due", json!(step_due(before)), json!(step_due(after)));
    changed("handling_due", json!(handling_due(before)), json!(handling_due(after)));
    changed("accepted_depth", json!(before.accepted_depth), json!(after.accepted_depth));
}

/// A time as in the rest of the details: RFC 3339.
fn stamp(at: OffsetDateTime) -> impl Serialize {
    struct Rfc3339(OffsetDateTime);
    impl Serialize for Rfc3339 {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            time::serde::rfc3339::serialize(&self.0, serializer)
        }
    }
    Rfc3339(at)
}
