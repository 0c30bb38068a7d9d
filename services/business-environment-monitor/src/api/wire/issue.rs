//! Issues and their parts: model → wire, and the parts of requests that become them.

use jingwei_kit::etag;
use jingwei_kit::status::Problem;
use jingwei_proto::business_environment_monitor::v1 as pb;
use uuid::Uuid;

use super::name;
use super::time::{write as moment, write_option};
use crate::model::actor::{Actor, Role};
use crate::model::issue::clock::{Clock, Level, Step};
use crate::model::issue::rules::Class;
use crate::model::issue::{Rating, Round, State, Submission, Wish};
use crate::store::issue::Stored;

/// An issue as the owner of the grants sees it: not everybody learns who submitted it.
pub fn write(stored: &Stored, grants: &[Actor]) -> pb::Issue {
    let issue = &stored.issue;
    let (submission, district) = (&issue.submission, issue.submission.district);
    let shown = grants.iter().any(|actor| issue.shows_submitter_to(actor));
    pb::Issue {
        name: name::issue(district, submission.id),
        case_number: stored.case_number.clone(),
        title: submission.title.clone(),
        description: submission.description.clone(),
        enterprise_code: submission.enterprise.as_ref().map(ToString::to_string).unwrap_or_default(),
        tasks: submission.tasks.iter().map(|task| i32::from(*task)).collect(),
        indicators: submission.indicators.iter().map(|indicator| i32::from(*indicator)).collect(),
        about_competitor: submission.about_competitor,
        disclosure: submission.disclosure.clone().filter(|_| shown).unwrap_or_default(),
        submitter_kind: write_kind(issue.submitter.role).into(),
        submitter: if shown { issue.submitter.subject.clone() } else { String::new() },
        submit_time: Some(moment(issue.submitted)),
        state: write_state(issue.state).into(),
        decide_by_time: Some(moment(issue.decide_by)),
        step_clock: issue.step_clock.as_ref().map(write_clock),
        proposal: issue
            .proposal
            .as_ref()
            .map(|p| pb::RefusalProposal { proposer: p.by.clone(), reason: p.reason.clone() }),
        accept_time: write_option(issue.acceptance.map(|acceptance| acceptance.at)),
        deemed_accepted: issue.acceptance.is_some_and(|acceptance| acceptance.deemed),
        rounds: issue.rounds.iter().map(|round| write_round(district, round)).collect(),
        pending_request: issue.pending.map(|wish| pb::IssueRequest { wish: Some(write_wish(wish)) }),
        resume_time: write_option(issue.resume_at),
        due_time: write_option(issue.active_clock().map(|clock| clock.due)),
        supervision: write_level(issue.level()).into(),
        call_back_due: issue.call_back_due(),
        version: issue.version,
        etag: etag::of(issue.version),
    }
}

fn write_round(district: i32, round: &Round) -> pb::IssueRound {
    let reply = round.reply.as_ref().map(|reply| pb::IssueReply {
        replier: reply.by.clone(),
        text: reply.text.clone(),
        create_time: Some(moment(reply.at)),
    });
    let verification = round.verification.map(|verification| pb::IssueVerification {
        call_back: verification.call_back,
        solved: verification.solved,
        create_time: Some(moment(verification.at)),
    });
    pb::IssueRound {
        class: write_class(round.class).into(),
        department: round.department.as_ref().map(|d| name::department(district, d)).unwrap_or_default(),
        clock: Some(write_clock(&round.clock)),
        extension_count: count(round.extensions),
        return_count: count(round.returns),
        reply,
        verification,
        rating: round.rating.as_ref().map(write_rating),
        paused: round.segments.paused_since().is_some(),
    }
}

fn count(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn write_rating(rating: &Rating) -> pb::IssueRating {
    pb::IssueRating {
        stars: u8::from(rating.stars).into(),
        create_time: Some(moment(rating.at)),
        finding: rating.called_back.clone().unwrap_or_default(),
    }
}

fn write_wish(wish: Wish) -> pb::issue_request::Wish {
    match wish {
        Wish::Extension { working_days } => {
            pb::issue_request::Wish::ExtensionWorkingDays(count(working_days))
        }
        Wish::Pause { until } => pb::issue_request::Wish::PauseUntilTime(moment(until)),
    }
}

fn write_clock(clock: &Clock) -> pb::IssueClock {
    let step = match clock.step {
        Step::Register => pb::IssueStep::Register,
        Step::Decide => pb::IssueStep::Decide,
        Step::Classify => pb::IssueStep::Classify,
        Step::Handle => pb::IssueStep::Handle,
        Step::Verify => pb::IssueStep::Verify,
    };
    pb::IssueClock {
        step: step.into(),
        start_time: Some(moment(clock.started)),
        due_time: Some(moment(clock.due)),
        allowed_minutes: clock.allowed_minutes,
        supervision: write_level(clock.level).into(),
    }
}

fn write_kind(role: Role) -> pb::SubmitterKind {
    match role {
        Role::Monitor => pb::SubmitterKind::Monitor,
        Role::Enterprise => pb::SubmitterKind::Enterprise,
        // The table lets nobody else submit.
        Role::Office | Role::Liaison | Role::Department | Role::Receiver | Role::System => {
            pb::SubmitterKind::Unspecified
        }
    }
}

/// A state on the wire.
pub fn write_state(state: State) -> pb::IssueState {
    pb::IssueState::try_from(state as i32 + 1).unwrap_or_default()
}

/// A state in a request; `None` where unspecified.
pub fn read_state(state: pb::IssueState) -> Option<State> {
    usize::try_from(state as i32 - 1).ok().and_then(|place| State::all().nth(place))
}

/// A level of supervision on the wire.
pub fn write_level(level: Level) -> pb::SupervisionLevel {
    match level {
        Level::None => pb::SupervisionLevel::Unspecified,
        Level::Amber => pb::SupervisionLevel::Amber,
        Level::Red => pb::SupervisionLevel::Red,
    }
}

/// A level of supervision in a request.
pub fn read_level(level: pb::SupervisionLevel) -> Level {
    match level {
        pb::SupervisionLevel::Unspecified => Level::None,
        pb::SupervisionLevel::Amber => Level::Amber,
        pb::SupervisionLevel::Red => Level::Red,
    }
}

fn write_class(class: Class) -> pb::IssueClass {
    match class {
        Class::A => pb::IssueClass::A,
        Class::B => pb::IssueClass::B,
        Class::C => pb::IssueClass::C,
    }
}

/// A class in a request; `None` where unspecified.
pub fn read_class(class: pb::IssueClass) -> Option<Class> {
    match class {
        pb::IssueClass::Unspecified => None,
        pb::IssueClass::A => Some(Class::A),
        pb::IssueClass::B => Some(Class::B),
        pb::IssueClass::C => Some(Class::C),
    }
}

/// What is submitted; `new_id` makes an id where none is given.
///
/// # Errors
/// All fields that are wrong, at once.
pub fn read_submission(
    request: &pb::SubmitIssueRequest,
    district: i32,
    new_id: impl FnOnce() -> Uuid,
) -> Result<Submission, Problem> {
    let id = match request.issue_id.as_str() {
        "" => new_id(),
        text => name::read_uuid("issue_id", text)?,
    };
    let enterprise = match request.enterprise_code.as_str() {
        "" => None,
        code => Some(code.parse().map_err(|fault| name::wrong_code("enterprise_code", &fault))?),
    };
    // Tags were bounded before: what is no small number is none that the model knows.
    let tags = |tags: &[i32]| tags.iter().map(|tag| u8::try_from(*tag).unwrap_or(0)).collect();
    Ok(Submission {
        id,
        district,
        title: request.title.clone(),
        description: request.description.clone(),
        enterprise,
        tasks: tags(&request.tasks),
        indicators: tags(&request.indicators),
        about_competitor: request.about_competitor,
        disclosure: Some(request.disclosure.clone()).filter(|text| !text.is_empty()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_numbered_as_on_the_wire() {
        for state in State::all() {
            let wire = write_state(state);
            assert_eq!(wire.as_str_name().trim_start_matches("ISSUE_STATE_"), state.code());
            assert_eq!(read_state(wire), Some(state));
        }
        assert_eq!(read_state(pb::IssueState::Unspecified), None);
    }

    #[test]
    fn classes_are_numbered_as_on_the_wire() {
        for class in Class::ALL {
            assert_eq!(write_class(class) as i32, class as i32 + 1);
            assert_eq!(read_class(write_class(class)), Some(class));
        }
    }
}
