//! Transitions: the timeline's rows, model → wire.

use jingwei_proto::grid::v1 as pb;
use prost_types::{ListValue, Struct, Value, value::Kind};

use super::{event, name, time, unit};
use crate::model::transition::Transition;

/// A row of a timeline.
pub fn write(district: i32, transition: &Transition) -> pb::EventTransition {
    pb::EventTransition {
        name: format!("{}/transitions/{}", name::event(district, transition.event), transition.version),
        version: transition.version,
        action: transition.action as i32 + 1,
        action_display_name: transition.action.chinese().to_owned(),
        action_display_name_en: transition.action.english().to_owned(),
        from_state: transition.from.map(event::write_state).unwrap_or_default().into(),
        to_state: event::write_state(transition.to).into(),
        actor: transition.subject.clone(),
        role: transition.role.code().to_owned(),
        unit: Some(unit::write(district, &transition.unit)),
        area: name::area(transition.area),
        create_time: Some(time::write(transition.at)),
        reason: transition.reason.clone(),
        note: transition.note.clone(),
        details: object(&transition.details),
        previous_hash: transition.previous_hash.map(|h| h.to_vec()).unwrap_or_default(),
        hash: transition.hash.to_vec(),
    }
}

fn object(value: &serde_json::Value) -> Option<Struct> {
    let fields = value.as_object()?.iter().map(|(name, value)| (name.clone(), any(value))).collect();
    Some(Struct { fields })
}

fn any(value: &serde_json::Value) -> Value {
    use serde_json::Value as Json;
    let kind = match value {
        Json::Null => Kind::NullValue(0),
        Json::Bool(value) => Kind::BoolValue(*value),
        Json::Number(value) => Kind::NumberValue(value.as_f64().unwrap_or(f64::NAN)),
        Json::String(value) => Kind::StringValue(value.clone()),
        Json::Array(values) => Kind::ListValue(ListValue { values: values.iter().map(any).collect() }),
        Json::Object(_) => Kind::StructValue(object(value).unwrap_or_default()),
    };
    Value { kind: Some(kind) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::action::ActionKind;

    #[test]
    fn actions_are_numbered_as_on_the_wire() {
        for kind in ActionKind::all() {
            let wire = pb::EventAction::try_from(kind as i32 + 1).expect("in the enum");
            assert!(wire.as_str_name().ends_with(kind.code()), "{kind:?} is {wire:?}");
        }
    }
}
