//! Apply: one action on one appointment, by the table. Pure: time and all facts from elsewhere are arguments.

use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::arcs::{ActionKind, Next};
use super::role::MonitorRole;
use super::{Appointment, Nomination, NominationMode, Record, State, Tenure, batch, local_day};
use crate::model::actor::Actor;
use crate::model::term::last_day;

/// After how many months away somebody's terms are counted anew.
const MONTHS_AWAY: u32 = 12;

/// What somebody wants to do. Those that concern a whole batch come from `batch::apply`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the arcs say what each does")]
pub enum Command {
    Vet,
    Decline {
        reason: String,
    },
    Publicise,
    Recall {
        /// Whether the objection is against this person.
        against: bool,
    },
    Approve,
    Certify {
        /// The number of the certificate.
        number: String,
        /// The first day, unless the renewed appointment ends later.
        first: Date,
        /// How long.
        months: u32,
    },
    Begin,
    Suspend {
        reason: String,
    },
    Reinstate {
        reason: String,
    },
    Dismiss {
        reason: String,
    },
    Resign {
        reason: String,
    },
    Expire,
}

impl Command {
    /// The action that it is.
    #[must_use]
    pub fn kind(&self) -> ActionKind {
        match self {
            Command::Vet => ActionKind::Vet,
            Command::Decline { .. } => ActionKind::Decline,
            Command::Publicise => ActionKind::Publicise,
            Command::Recall { .. } => ActionKind::Recall,
            Command::Approve => ActionKind::Approve,
            Command::Certify { .. } => ActionKind::Certify,
            Command::Begin => ActionKind::Begin,
            Command::Suspend { .. } => ActionKind::Suspend,
            Command::Reinstate { .. } => ActionKind::Reinstate,
            Command::Dismiss { .. } => ActionKind::Dismiss,
            Command::Resign { .. } => ActionKind::Resign,
            Command::Expire => ActionKind::Expire,
        }
    }

    /// Why, where a reason is required.
    fn reason(&self) -> Option<&str> {
        match self {
            Command::Decline { reason }
            | Command::Suspend { reason }
            | Command::Reinstate { reason }
            | Command::Dismiss { reason }
            | Command::Resign { reason } => Some(reason),
            _ => None,
        }
    }
}

/// Why an action is not possible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The grant may not do it.
    NotAllowed {
        /// What was asked for.
        action: ActionKind,
    },
    /// The appointment's state does not allow it.
    WrongState {
        /// The state.
        state: State,
        /// What was asked for.
        action: ActionKind,
    },
    /// The batch's state does not allow it.
    BatchState {
        /// The batch's state.
        state: batch::State,
        /// What was asked for.
        action: ActionKind,
    },
    /// A reason is required.
    ReasonMissing,
    /// The batch does not appoint to this role.
    RoleNotInBatch,
    /// The unit that nominates is not named.
    UnitMissing,
    /// Somebody from outside of the role's main groups needs a recorded reason.
    ExceptionReasonMissing,
    /// The person is nominated for the role in this batch already.
    NominatedTwice,
    /// What it would renew is not the person's last appointment to the role, was never active, was ended early, or
    /// is over for a year.
    NotRenewable,
    /// The person holds the role, or did until less than a year ago: this must be named as the appointment that is renewed.
    RenewalMissing {
        /// The appointment.
        appointment: Uuid,
    },
    /// One person serves only so many terms in a row.
    TooManyTerms {
        /// How many.
        limit: u32,
    },
    /// The system has nothing to do yet.
    NotDue,
    /// The term ends beyond the calendar.
    TermOutOfRange,
}

/// What a nomination needs to know besides.
#[derive(Clone, Copy, Debug)]
pub struct Candidacy<'a> {
    /// The batch.
    pub batch: &'a batch::Batch,
    /// Its appointments so far.
    pub members: &'a [Appointment],
    /// The role that the nomination names.
    pub role: &'a MonitorRole,
    /// The person's last appointment to the role in the district, whether or not the nomination names it.
    pub previous: Option<&'a Appointment>,
}

/// A new appointment, with its first record.
///
/// # Errors
/// Why the person cannot be nominated.
pub fn nominate(
    id: Uuid,
    nomination: &Nomination,
    candidacy: &Candidacy<'_>,
    actor: &Actor,
    now: OffsetDateTime,
) -> Result<(Appointment, Record), Refusal> {
    let Candidacy { batch, members, role, previous } = *candidacy;
    let renewed = previous.filter(|before| goes_on(before, local_day(now)));
    let appointment = Appointment {
        id,
        district: batch.district,
        batch: batch.id,
        nomination: nomination.clone(),
        term_number: renewed.map_or(1, |before| before.term_number + 1),
        follows: renewed.and_then(|before| before.tenure).map(|tenure| tenure.last),
        state: State::Nominated,
        tenure: None,
        certificate: None,
        version: 1,
    };
    let action = ActionKind::Nominate;
    if !action.arc().allows(&appointment, actor) {
        return Err(Refusal::NotAllowed { action });
    }
    if !action.arc().batch.contains(&batch.state) {
        return Err(Refusal::BatchState { state: batch.state, action });
    }
    check(nomination, batch, members, role)?;
    match (nomination.renews, renewed.map(|before| before.id)) {
        (None, Some(appointment)) => return Err(Refusal::RenewalMissing { appointment }),
        (named, found) if named != found => return Err(Refusal::NotRenewable),
        _ => {}
    }
    if appointment.term_number > role.max_terms {
        return Err(Refusal::TooManyTerms { limit: role.max_terms });
    }
    let record = record(None, &appointment, action, actor, now);
    Ok((appointment, record))
}

fn check(
    nomination: &Nomination,
    batch: &batch::Batch,
    members: &[Appointment],
    role: &MonitorRole,
) -> Result<(), Refusal> {
    if nomination.role != role.code || !batch.content.roles.contains(&role.code) {
        return Err(Refusal::RoleNotInBatch);
    }
    if nomination.mode == NominationMode::Unit && nomination.nominated_by.trim().is_empty() {
        return Err(Refusal::UnitMissing);
    }
    let explained = nomination.exception_reason.as_ref().is_some_and(|reason| !reason.trim().is_empty());
    if is_exception(nomination, role) && !explained {
        return Err(Refusal::ExceptionReasonMissing);
    }
    let same = |member: &Appointment| {
        member.state != State::Declined
            && (&member.nomination.person, &member.nomination.role) == (&nomination.person, &nomination.role)
    };
    if members.iter().any(same) { Err(Refusal::NominatedTwice) } else { Ok(()) }
}

/// Whether the person comes from outside of the role's main groups.
#[must_use]
pub fn is_exception(nomination: &Nomination, role: &MonitorRole) -> bool {
    !role.main_groups.contains(&nomination.group)
}

/// Whether a new term would be in a row with this one. Who was dismissed, resigned, or has been away for a year starts anew.
fn goes_on(before: &Appointment, today: Date) -> bool {
    let served = matches!(before.state, State::Active | State::Suspended | State::Expired);
    let until = before.tenure.and_then(|tenure| last_day(tenure.last, MONTHS_AWAY));
    served && until.is_some_and(|until| today <= until)
}

/// The appointment after a command, with the record of the change; `batch` is where its batch stands.
///
/// # Errors
/// In this order: `NotAllowed`, `WrongState`, `BatchState`, `ReasonMissing`, the action's own.
pub fn apply(
    before: &Appointment,
    command: &Command,
    actor: &Actor,
    batch: batch::State,
    now: OffsetDateTime,
) -> Result<(Appointment, Record), Refusal> {
    let action = command.kind();
    let arc = action.arc();
    if !arc.allows(before, actor) {
        return Err(Refusal::NotAllowed { action });
    }
    if !arc.from.contains(&before.state) {
        return Err(Refusal::WrongState { state: before.state, action });
    }
    if !arc.batch.is_empty() && !arc.batch.contains(&batch) {
        return Err(Refusal::BatchState { state: batch, action });
    }
    if command.reason().is_some_and(|reason| reason.trim().is_empty()) {
        return Err(Refusal::ReasonMissing);
    }
    if matches!(command, Command::Begin | Command::Expire)
        && before.due_command(now).as_ref() != Some(command)
    {
        return Err(Refusal::NotDue);
    }
    let mut after = before.clone();
    if let Command::Certify { number, first, months } = command {
        let first = after.follows.and_then(Date::next_day).map_or(*first, |next| next.max(*first));
        let last = last_day(first, *months).ok_or(Refusal::TermOutOfRange)?;
        after.tenure = Some(Tenure { first, last });
        after.certificate = Some(number.clone());
    }
    after.state = match arc.to {
        Next::To(state) => state,
        Next::Begun => match after.tenure {
            Some(tenure) if tenure.first <= local_day(now) => State::Active,
            _ => before.state,
        },
        Next::Recalled if *command == (Command::Recall { against: true }) => State::Nominated,
        Next::Recalled => State::Vetted,
    };
    after.version += 1;
    let mut record = record(Some(before.state), &after, action, actor, now);
    record.reason = command.reason().unwrap_or_default().to_owned();
    Ok((after, record))
}

fn record(
    from: Option<State>,
    after: &Appointment,
    action: ActionKind,
    actor: &Actor,
    at: OffsetDateTime,
) -> Record {
    Record {
        appointment: after.id,
        version: after.version,
        action,
        from,
        to: after.state,
        actor: actor.clone(),
        at,
        reason: String::new(),
    }
}
