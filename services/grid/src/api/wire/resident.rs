//! Cases of the public: model → wire, and the report that a request becomes.

use std::collections::HashMap;

use jingwei_proto::grid::v1 as pb;
use time::OffsetDateTime;

use super::event::{write_answer, write_outcome, write_state};
use super::time::write as moment;
use crate::model::actor::Role;
use crate::model::event::{Event, State};
use crate::model::public::reply;
use crate::model::transition::Transition;

/// The report as a worker would make it.
pub fn report(request: pb::SubmitReportRequest) -> pb::ReportEventRequest {
    let coordinate_system = request.coordinate_system;
    pb::ReportEventRequest {
        parent: request.parent,
        event_id: request.event_id,
        category: request.category,
        condition: String::new(),
        area: request.area,
        point: request.point,
        coordinate_system,
        address: request.address,
        description: request.description,
        reporter: request.reporter,
        evidence: request.evidence,
        request_id: request.request_id,
    }
}

/// A case as its reporter sees it, with the steps of the event that it was merged into. `names` are those of units; what
/// was closed before `until` can no longer be answered.
pub fn write(
    event: &Event,
    root: Option<&Event>,
    category_display_name: &str,
    steps: &[Transition],
    names: &HashMap<String, String>,
    until: OffsetDateTime,
) -> pb::PublicCase {
    let followed = root.unwrap_or(event);
    let state = followed.state;
    let closed = followed.times.closed.filter(|_| state == State::Closed);
    let answered = |closed| event.answer.as_ref().is_some_and(|answer| answer.at >= closed);
    pb::PublicCase {
        case_number: event.case_number.clone(),
        category_display_name: category_display_name.to_owned(),
        state: write_state(state).into(),
        state_text: text(state.chinese(), state.english()),
        outcome: followed.outcome.map_or(pb::EventOutcome::Unspecified, write_outcome).into(),
        steps: steps.iter().filter_map(|step| write_step(step, names)).collect(),
        report_time: Some(moment(event.times.reported)),
        merged: root.is_some(),
        can_answer: closed.is_some_and(|closed| closed >= until && !answered(closed)),
        answer: event.answer.as_ref().map(write_answer),
        in_review: followed.review_since.is_some(),
    }
}

fn write_step(step: &Transition, names: &HashMap<String, String>) -> Option<pb::PublicStep> {
    let reply = reply(step)?;
    let unit = names.get(&step.unit.to_string()).filter(|_| step.role != Role::Public);
    Some(pb::PublicStep {
        create_time: Some(moment(step.at)),
        action: step.action as i32 + 1,
        text: text(step.action.chinese(), step.action.english()),
        unit_display_name: unit.cloned().unwrap_or_default(),
        reply: reply.to_owned(),
    })
}

fn text(zh: &str, en: &str) -> Option<pb::LocalizedText> {
    Some(pb::LocalizedText { zh: zh.to_owned(), en: en.to_owned() })
}
