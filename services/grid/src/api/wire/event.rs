//! Events and their parts: model → wire, and the parts of requests that become them.

use jingwei_kit::etag;
use jingwei_kit::status::Violations;
use jingwei_proto::grid::v1 as pb;
use uuid::Uuid;

use super::time::{write as moment, write_option};
use super::{limit, name, unit};
use crate::model::actor::Actor;
use crate::model::answer::sees_contact;
use crate::model::clock::{Clock, Stage, Step};
use crate::model::contact::Phone;
use crate::model::event::{
    Answer, CoHandler, Event, Evidence, Outcome, PendingRequest, Reporter, ReporterKind, State, Wish,
};

/// An event as the owner of the grants sees it: of the reporter's number the tail at most.
pub fn write(event: &Event, grants: &[Actor]) -> pb::Event {
    let district = event.district;
    let handling = event.handling_clock.as_ref();
    pb::Event {
        name: name::event(district, event.id),
        case_number: event.case_number.clone(),
        category: name::category(district, &event.category),
        condition: event.condition.clone(),
        area: name::area(event.place.area),
        area_version: event.place.area_version,
        point: event.place.point.map(|p| pb::Point { latitude: p.latitude(), longitude: p.longitude() }),
        address: event.place.address.clone(),
        description: event.description.clone(),
        reporter: Some(write_reporter(&event.reporter, sees_contact(event, grants))),
        evidence: event.evidence.iter().map(write_evidence).collect(),
        state: write_state(event.state).into(),
        outcome: event.outcome.map_or(pb::EventOutcome::Unspecified, write_outcome).into(),
        desk: Some(unit::write(district, &crate::model::unit::Unit::Area(event.desk))),
        holder: Some(unit::write(district, &event.holder())),
        co_handlers: event.co_handlers.iter().map(|c| write_co_handler(district, c)).collect(),
        accepted_depth: event.accepted_depth.map(i32::from),
        self_settled: event.self_settled,
        step_clock: event.step_clock.as_ref().map(|c| write_clock(c, false)),
        handling_clock: handling.map(|h| write_clock(&h.clock, h.paused())),
        pending_request: event.pending.as_ref().map(write_pending),
        return_count: count(event.counts.returns),
        rework_count: count(event.counts.rework),
        extension_count: count(event.counts.extensions),
        urge_count: count(event.counts.urges),
        escalation_count: count(event.counts.escalations),
        round: count(event.counts.rounds),
        final_ruling: event.final_ruling,
        merged_into: event.merged.as_ref().map(|m| name::event(district, m.into)).unwrap_or_default(),
        report_time: Some(moment(event.times.reported)),
        dispatch_time: write_option(event.times.dispatched),
        resolve_time: write_option(event.times.resolved),
        close_time: write_option(event.times.closed),
        due_time: write_option(event.active_clock().map(|c| c.due)),
        alarm: write_alarm(event.alarm()).into(),
        version: event.version,
        etag: etag::of(event.version),
        answer: event.answer.as_ref().map(write_answer),
        review_time: write_option(event.review_since),
    }
}

fn count(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn write_reporter(reporter: &Reporter, shows_tail: bool) -> pb::Reporter {
    let kind = match reporter.kind {
        ReporterKind::Worker => pb::ReporterKind::Worker,
        ReporterKind::Resident => pb::ReporterKind::Resident,
        ReporterKind::Enterprise => pb::ReporterKind::Enterprise,
        ReporterKind::Anonymous => pb::ReporterKind::Anonymous,
    };
    pb::Reporter {
        kind: kind.into(),
        display_name: reporter.name.clone().unwrap_or_default(),
        phone: reporter.phone_tail.as_deref().map(|tail| mask(tail, shows_tail)).unwrap_or_default(),
    }
}

/// A reporter's answer on the wire.
pub fn write_answer(answer: &Answer) -> pb::ReporterAnswer {
    pb::ReporterAnswer {
        solved: answer.solved,
        rating: answer.rating.map_or(0, i32::from),
        create_time: Some(moment(answer.at)),
    }
}

/// A telephone number of which only the tail may be shown: *******5678.
fn mask(tail: &str, shows_tail: bool) -> String {
    format!("*******{}", if shows_tail { tail } else { "****" })
}

/// What the id of a report's request is bound to. Not to the telephone number: a hash over what is known otherwise would tell it.
pub fn without_phone(request: &pb::ReportEventRequest) -> pb::ReportEventRequest {
    let reporter = request.reporter.clone().map(|r| pb::Reporter { phone: String::new(), ..r });
    pb::ReportEventRequest { reporter, ..request.clone() }
}

/// Who reports, and the telephone number: a violation where an anonymous report names somebody. The caller where unset.
pub fn read_reporter(
    reporter: Option<&pb::Reporter>,
    subject: &str,
    violations: &mut Violations,
) -> (Reporter, Option<Phone>) {
    let kind = match reporter.map(pb::Reporter::kind) {
        Some(pb::ReporterKind::Resident) => ReporterKind::Resident,
        Some(pb::ReporterKind::Enterprise) => ReporterKind::Enterprise,
        Some(pb::ReporterKind::Anonymous) => ReporterKind::Anonymous,
        Some(pb::ReporterKind::Unspecified | pb::ReporterKind::Worker) | None => ReporterKind::Worker,
    };
    let text = |text: &str| Some(text.to_owned()).filter(|t| !t.is_empty());
    let name = reporter.and_then(|r| text(&r.display_name));
    let phone = reporter.and_then(|r| text(&r.phone)).map(Phone::new);
    if kind == ReporterKind::Anonymous {
        for (field, given) in [("reporter.display_name", name.is_some()), ("reporter.phone", phone.is_some())]
        {
            if given {
                violations.add(
                    field,
                    "anonymous",
                    "匿名上报不得填写",
                    "must be empty in an anonymous report",
                );
            }
        }
    }
    let subject = (kind == ReporterKind::Worker).then(|| subject.to_owned());
    let phone_tail = phone.as_ref().map(Phone::tail);
    (Reporter { kind, subject, name, phone_tail }, phone)
}

/// A piece of evidence on the wire.
pub fn write_evidence(evidence: &Evidence) -> pb::Evidence {
    pb::Evidence { text: evidence.text.clone(), uri: evidence.uri.clone() }
}

/// Pieces of evidence; a violation for each that is empty.
pub fn read_evidence(evidence: &[pb::Evidence], violations: &mut Violations) -> Vec<Evidence> {
    for (i, piece) in evidence.iter().enumerate() {
        if piece.text.trim().is_empty() && piece.uri.is_empty() {
            violations.add(
                format!("evidence[{i}]"),
                "required",
                "须填写文字或文件地址",
                "must have a text or a uri",
            );
        }
    }
    evidence.iter().map(|e| Evidence { text: e.text.clone(), uri: e.uri.clone(), sha256: None }).collect()
}

/// The id of another event of the same district; else `None`, with a violation noted.
pub fn read_sibling(field: &str, sibling: &str, own: &str, violations: &mut Violations) -> Option<Uuid> {
    let (district, id) = name::read_event(sibling).ok()?;
    if name::read_event(own).is_ok_and(|(own, _)| own == district) {
        return Some(id);
    }
    violations.add(field, "district", "须为同一区县的事件", "must be an event of the same district");
    None
}

/// A state on the wire.
pub fn write_state(state: State) -> pb::EventState {
    pb::EventState::try_from(state as i32 + 1).unwrap_or_default()
}

/// A state in a request; `None` where unspecified.
pub fn read_state(state: pb::EventState) -> Option<State> {
    usize::try_from(state as i32 - 1).ok().and_then(|place| State::all().nth(place))
}

/// An outcome on the wire.
pub fn write_outcome(outcome: Outcome) -> pb::EventOutcome {
    match outcome {
        Outcome::Solved => pb::EventOutcome::Solved,
        Outcome::PartlySolved => pb::EventOutcome::PartlySolved,
        Outcome::Unsolved => pb::EventOutcome::Unsolved,
        Outcome::Unfounded => pb::EventOutcome::Unfounded,
        Outcome::NotOurDuty => pb::EventOutcome::NotOurDuty,
        Outcome::SelfResolved => pb::EventOutcome::SelfResolved,
    }
}

/// An outcome in a request; `None` where unspecified.
pub fn read_outcome(outcome: pb::EventOutcome) -> Option<Outcome> {
    match outcome {
        pb::EventOutcome::Unspecified => None,
        pb::EventOutcome::Solved => Some(Outcome::Solved),
        pb::EventOutcome::PartlySolved => Some(Outcome::PartlySolved),
        pb::EventOutcome::Unsolved => Some(Outcome::Unsolved),
        pb::EventOutcome::Unfounded => Some(Outcome::Unfounded),
        pb::EventOutcome::NotOurDuty => Some(Outcome::NotOurDuty),
        pb::EventOutcome::SelfResolved => Some(Outcome::SelfResolved),
    }
}

fn write_alarm(stage: Stage) -> pb::AlarmLevel {
    match stage {
        Stage::InTime => pb::AlarmLevel::Unspecified,
        Stage::Amber => pb::AlarmLevel::Amber,
        Stage::Red => pb::AlarmLevel::Red,
        Stage::Critical => pb::AlarmLevel::Critical,
    }
}

fn write_co_handler(district: i32, handler: &CoHandler) -> pb::CoHandler {
    pb::CoHandler {
        unit: Some(unit::write(district, &handler.unit)),
        done_time: write_option(handler.done_at),
    }
}

fn write_clock(clock: &Clock, paused: bool) -> pb::Clock {
    let step = match clock.step {
        Step::Accept => pb::EventStep::Accept,
        Step::Register => pb::EventStep::Register,
        Step::Dispatch => pb::EventStep::Dispatch,
        Step::Handle => pb::EventStep::Handle,
        Step::Verify => pb::EventStep::Verify,
    };
    pb::Clock {
        step: step.into(),
        start_time: Some(moment(clock.started)),
        due_time: Some(moment(clock.due)),
        unit: limit::write_unit(clock.limit.unit).into(),
        allowed_minutes: clock.allowed_minutes,
        paused,
        alarm: write_alarm(clock.stage).into(),
    }
}

fn write_pending(pending: &PendingRequest) -> pb::PendingRequest {
    let (kind, extension, resume_time) = match &pending.wish {
        Wish::Return => (pb::PendingRequestKind::Return, None, None),
        Wish::Extension { by } => (pb::PendingRequestKind::Extension, Some(limit::write(*by)), None),
        Wish::Suspension { resume_at } => {
            (pb::PendingRequestKind::Suspension, None, Some(moment(*resume_at)))
        }
    };
    pb::PendingRequest {
        kind: kind.into(),
        reason: pending.reason.clone(),
        note: pending.note.clone(),
        extension,
        resume_time,
        create_time: Some(moment(pending.asked_at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_numbered_as_on_the_wire() {
        for state in State::all() {
            let wire = write_state(state);
            assert!(wire.as_str_name().ends_with(state.code()), "{state:?} is {wire:?}");
            assert_eq!(read_state(wire), Some(state));
        }
        assert_eq!(read_state(pb::EventState::Unspecified), None);
    }
}
