//! Needs and facts: model ↔ wire.

use jingwei_kit::etag;
use jingwei_kit::status::{Problem, Violations, invalid};
use jingwei_proto::business_environment_monitor::v1 as pb;
use time::Date;
use time::macros::format_description;
use uuid::Uuid;

use super::name;
use super::time::write as moment;
use crate::model::need::{Fact, FactState, Kind, Need, State};

/// A need on the wire.
pub fn write(need: &Need) -> pb::Need {
    pb::Need {
        name: name::need(need.district, need.id),
        enterprise: name::enterprise(need.district, need.enterprise.as_str()),
        kind: write_kind(need.kind).into(),
        amount: need.amount,
        description: need.description.clone(),
        raise_time: Some(moment(need.raised)),
        state: pb::NeedState::try_from(need.state() as i32 + 1).unwrap_or_default().into(),
        confirmed_amount: need.confirmed(),
        close_reason: need.closed.clone().unwrap_or_default(),
        facts: need.facts.iter().map(write_fact).collect(),
        etag: etag::of(need.version),
    }
}

fn write_fact(fact: &Fact) -> pb::Fact {
    let state = match fact.state() {
        FactState::Recorded => pb::FactState::Recorded,
        FactState::Confirmed => pb::FactState::Confirmed,
        FactState::Disputed => pb::FactState::Disputed,
    };
    let decision = fact.decision.as_ref();
    pb::Fact {
        id: fact.id.to_string(),
        amount: fact.amount,
        date: fact.day.to_string(),
        reference: fact.reference.clone().unwrap_or_default(),
        note: fact.note.clone(),
        recorder: fact.recorder.clone(),
        state: state.into(),
        dispute_reason: decision.and_then(|d| d.dispute.clone()).unwrap_or_default(),
        decide_time: decision.map(|d| moment(d.at)),
    }
}

/// A kind on the wire.
pub fn write_kind(kind: Kind) -> pb::NeedKind {
    pb::NeedKind::try_from(kind as i32 + 1).unwrap_or_default()
}

/// A kind in a request; `None` where unspecified.
pub fn read_kind(kind: pb::NeedKind) -> Option<Kind> {
    Kind::ALL.into_iter().find(|known| write_kind(*known) == kind)
}

/// A state in a request; `None` where unspecified.
pub fn read_state(state: pb::NeedState) -> Option<State> {
    State::ALL.into_iter().find(|known| *known as i32 + 1 == state as i32)
}

/// What a request records, under a new id.
///
/// # Errors
/// Its date does not exist.
pub fn read_fact(request: &pb::RecordFactRequest, id: Uuid, recorder: &str) -> Result<Fact, Problem> {
    let mut violations = Violations::new();
    let day = read_date("date", &request.date, &mut violations);
    violations.finish()?;
    Ok(Fact {
        id,
        amount: request.amount,
        day: day.ok_or_else(|| invalid("date", "required", "必填", "is required"))?,
        reference: Some(request.reference.trim().to_owned()).filter(|reference| !reference.is_empty()),
        note: request.note.clone(),
        recorder: recorder.to_owned(),
        decision: None,
    })
}

/// The day that a field holds; `None` where it is empty, or no date, with a violation noted.
pub fn read_date(field: &str, text: &str, violations: &mut Violations) -> Option<Date> {
    if text.is_empty() {
        return None;
    }
    let date = Date::parse(text, format_description!("[year]-[month]-[day]")).ok();
    if date.is_none() {
        violations.add(field, "date", "没有这一天；格式为 YYYY-MM-DD", "is no date: YYYY-MM-DD");
    }
    date
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_states_are_numbered_as_on_the_wire() {
        for kind in Kind::ALL {
            let told = write_kind(kind).as_str_name().trim_start_matches("NEED_KIND_");
            assert_eq!(told, format!("{kind:?}").to_uppercase());
            assert_eq!(read_kind(write_kind(kind)), Some(kind));
        }
        for state in State::ALL {
            let wire = pb::NeedState::try_from(state as i32 + 1).expect("in the enum");
            assert_eq!(wire.as_str_name(), format!("NEED_STATE_{}", format!("{state:?}").to_uppercase()));
            assert_eq!(read_state(wire), Some(state));
        }
        assert_eq!(
            (read_kind(pb::NeedKind::Unspecified), read_state(pb::NeedState::Unspecified)),
            (None, None)
        );
    }
}
