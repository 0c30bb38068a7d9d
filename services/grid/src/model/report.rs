//! Report: how an event begins.
use uuid::Uuid;

use super::action::ActionKind;
use super::actor::{Actor, Role};
use super::apply::{Context, run_clocks};
use super::event::{Counts, Event, Evidence, Place, Reporter, ReporterKind, State, Times};
use super::record;
use super::refusal::Refusal;
use super::transition::Transition;

/// What is reported.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The new event's id.
    pub id: Uuid,
    /// The number that people use.
    pub case_number: String,
    /// The code of the sub-category 小类.
    pub category: String,
    /// The code of the condition 立案条件; may be empty.
    pub condition: String,
    /// Where, with the deepest area known.
    pub place: Place,
    /// What happened.
    pub description: String,
    /// Who reports it.
    pub reporter: Reporter,
    /// What shows it.
    pub evidence: Vec<Evidence>,
    /// Whether the category asks that reports by the public be verified 待核实.
    pub verify_public: bool,
}

/// Makes the event, with the first transition of its history. Its desk is the area of its place: from there it goes
/// up level by level.
///
/// # Errors
/// `NotAllowed` where none of the grants covers the place, `NoCalendar`.
pub fn report(report: Report, grants: &[Actor], ctx: &Context<'_>) -> Result<(Event, Transition), Refusal> {
    let by_public = report.reporter.kind != ReporterKind::Worker;
    // What comes in without login is verified before anything else, whatever the category says.
    let without_login = grants.iter().all(|grant| grant.role == Role::Public);
    let verify = without_login || by_public && report.verify_public;
    let state = if verify { State::Verifying } else { State::Reported };
    let mut event = Event {
        id: report.id,
        district: report.place.area.district(),
        case_number: report.case_number,
        category: report.category,
        condition: report.condition,
        desk: report.place.area,
        place: report.place,
        description: report.description,
        reporter: report.reporter,
        evidence: report.evidence,
        state,
        outcome: None,
        lead: None,
        co_handlers: Vec::new(),
        accepted_depth: None,
        self_settled: false,
        step_clock: None,
        handling_clock: None,
        resume_at: None,
        pending: None,
        counts: Counts {
            dispatches: 0,
            returns: 0,
            rework: 0,
            extensions: 0,
            urges: 0,
            rounds: 1,
            escalations: 0,
        },
        final_ruling: false,
        merged: None,
        resolved_by: None,
        times: Times { reported: ctx.now, dispatched: None, resolved: None, closed: None },
        supervisions: Vec::new(),
        answer: None,
        review_since: None,
        version: 1,
        last_hash: [0; 32],
    };
    let arc = ActionKind::Report.arc();
    let actor = arc.granted(&event, grants).ok_or(Refusal::NotAllowed { action: arc.action })?;
    run_clocks(&mut event, arc.clock, ctx)?;
    let transition = record::of_report(&mut event, actor);
    Ok((event, transition))
}
