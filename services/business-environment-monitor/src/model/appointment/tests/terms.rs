//! Terms: expiry by the calendar, certificates that say what they are worth, renewals that join.

use super::*;
use crate::model::appointment::batch::{Batch, Content};

const LAST_NIGHT: OffsetDateTime = datetime!(2026-03-14 23:59:59 +8);
const OVER: OffsetDateTime = datetime!(2026-03-15 0:00 +8);

fn batch() -> Batch {
    Batch {
        id: Uuid::from_u128(2),
        district: DISTRICT,
        content: Content {
            title: "第二批".to_owned(),
            roles: vec!["special-supervisor".to_owned()],
            term_months: None,
        },
        state: batch::State::Nominating,
        publicity_end: None,
        objections: Vec::new(),
        version: 2,
    }
}

/// A nomination to the role, of somebody whose last appointment was this one, as of a moment.
fn nominated(
    given: &Nomination,
    previous: Option<&Appointment>,
    now: OffsetDateTime,
) -> Result<Appointment, Refusal> {
    let (batch, roles) = (batch(), roles());
    let candidacy = Candidacy { batch: &batch, members: &[], role: &roles[0], previous };
    nominate(Uuid::from_u128(8), given, &candidacy, &office(), now).map(|(appointment, _)| appointment)
}

fn done(before: &Appointment, command: &Command, by: &Actor, now: OffsetDateTime) -> Appointment {
    apply(before, command, by, batch::State::Certified, now).unwrap().0
}

#[test]
fn a_term_of_two_years_ends_with_its_last_day() {
    let approved = Appointment { tenure: None, certificate: None, ..in_state(State::Approved) };
    let certify = command(ActionKind::Certify);
    let active = apply(&approved, &certify, &office(), batch::State::Approved, NOW).unwrap().0;
    assert_eq!(active.tenure, in_state(State::Active).tenure);
    let system = Actor::system(DISTRICT);
    for state in [State::Active, State::Suspended] {
        let held = Appointment { state, ..active.clone() };
        assert_eq!((held.alarm_at(), held.due_command(LAST_NIGHT)), (Some(OVER), None));
        let early = apply(&held, &Command::Expire, &system, batch::State::Closed, LAST_NIGHT);
        assert_eq!(early, Err(Refusal::NotDue));
        assert_eq!(held.due_command(OVER), Some(Command::Expire));
        let expired = done(&held, &Command::Expire, &system, OVER);
        assert_eq!((expired.state, expired.alarm_at()), (State::Expired, None));
    }
}

#[test]
fn a_certificate_is_valid_while_the_appointment_is_active() {
    use CertificateStatus::{NotYetValid, Revoked, Valid};
    let (first, last) = (date!(2024 - 03 - 15), date!(2026 - 03 - 14));
    let on = |state, day| in_state(state).certificate_status(day);
    assert_eq!(on(State::Approved, first.previous_day().unwrap()), Some(NotYetValid));
    // The first day has come; that the system has not noticed yet is nobody's concern.
    assert_eq!(on(State::Approved, first), Some(Valid));
    assert_eq!(on(State::Active, last), Some(Valid));
    assert_eq!(on(State::Active, last.next_day().unwrap()), Some(Revoked));
    for state in [State::Suspended, State::Dismissed, State::Resigned, State::Expired] {
        assert_eq!(on(state, last), Some(Revoked), "{state:?}");
    }
    assert_eq!(on(State::Dismissed, first.previous_day().unwrap()), Some(Revoked), "before it began");
    assert_eq!(on(State::Vetted, first), None);
    let office = office();
    let suspended = done(&in_state(State::Active), &command(ActionKind::Suspend), &office, NOW);
    let back = done(&suspended, &command(ActionKind::Reinstate), &office, NOW);
    assert_eq!(back.certificate_status(first), Some(Valid));
}

#[test]
fn a_renewal_names_what_it_renews_and_begins_the_day_after() {
    let before = in_state(State::Active);
    let now = datetime!(2026-02-02 9:00 +8);
    let missing = nominated(&nomination("zhang"), Some(&before), now);
    assert_eq!(missing, Err(Refusal::RenewalMissing { appointment: before.id }));
    let renewal = Nomination { renews: Some(before.id), ..nomination("zhang") };
    let next = nominated(&renewal, Some(&before), now).unwrap();
    assert_eq!((next.term_number, next.nomination.renews), (2, Some(before.id)));

    // Certified while the first still runs: it waits, and begins when that is over.
    let approved = Appointment { state: State::Approved, ..next };
    let certify = Command::Certify { number: "n".to_owned(), first: date!(2026 - 03 - 01), months: 24 };
    let waiting = apply(&approved, &certify, &office(), batch::State::Approved, now).unwrap().0;
    assert_eq!(waiting.state, State::Approved);
    let tenure = Tenure { first: date!(2026 - 03 - 15), last: date!(2028 - 03 - 14) };
    assert_eq!((waiting.tenure, waiting.alarm_at()), (Some(tenure), Some(OVER)));
    assert!(!waiting.is_active_on(date!(2026 - 03 - 14)) && before.is_active_on(date!(2026 - 03 - 14)));
    let early =
        apply(&waiting, &Command::Begin, &Actor::system(DISTRICT), batch::State::Certified, LAST_NIGHT);
    assert_eq!(early, Err(Refusal::NotDue));
    let begun = done(&waiting, &Command::Begin, &Actor::system(DISTRICT), OVER);
    assert_eq!(begun.state, State::Active);

    // Two terms in a row, no third.
    let third = Nomination { renews: Some(begun.id), ..nomination("zhang") };
    let refused = nominated(&third, Some(&begun), datetime!(2028-02-01 9:00 +8));
    assert_eq!(refused, Err(Refusal::TooManyTerms { limit: 2 }));
}

#[test]
fn terms_are_in_a_row_until_a_year_away() {
    let expired = Appointment { term_number: 2, ..in_state(State::Expired) };
    let renewal = Nomination { renews: Some(expired.id), ..nomination("zhang") };
    let too_many = Err(Refusal::TooManyTerms { limit: 2 });
    assert_eq!(nominated(&renewal, Some(&expired), datetime!(2027-03-13 9:00 +8)), too_many);
    // A year after 14 March 2026.
    let later = datetime!(2027-03-14 9:00 +8);
    assert_eq!(nominated(&renewal, Some(&expired), later), Err(Refusal::NotRenewable));
    assert_eq!(nominated(&nomination("zhang"), Some(&expired), later).unwrap().term_number, 1);
    for state in [State::Dismissed, State::Resigned, State::Declined, State::Nominated] {
        let before = Appointment { state, ..expired.clone() };
        assert_eq!(nominated(&renewal, Some(&before), OVER), Err(Refusal::NotRenewable), "{state:?}");
        assert_eq!(nominated(&nomination("zhang"), Some(&before), OVER).unwrap().term_number, 1);
    }
    assert_eq!(nominated(&renewal, None, OVER), Err(Refusal::NotRenewable));
}

#[test]
fn a_nomination_says_why_and_by_whom() {
    let given = || nomination("zhang");
    let told = |given: Nomination| nominated(&given, None, NOW).map(drop);
    let outside = Nomination { group: "媒体记者".to_owned(), ..given() };
    assert_eq!(told(outside.clone()), Err(Refusal::ExceptionReasonMissing));
    let blank = Nomination { exception_reason: Some(" ".to_owned()), ..outside.clone() };
    assert_eq!(told(blank), Err(Refusal::ExceptionReasonMissing));
    assert_eq!(told(Nomination { exception_reason: Some("熟悉行业".to_owned()), ..outside }), Ok(()));
    let unit = Nomination { mode: NominationMode::Unit, ..given() };
    assert_eq!(told(unit.clone()), Err(Refusal::UnitMissing));
    assert_eq!(told(Nomination { nominated_by: "市总工会".to_owned(), ..unit }), Ok(()));
    let role = Nomination { role: "experience-officer".to_owned(), ..given() };
    assert_eq!(told(role), Err(Refusal::RoleNotInBatch));

    let (batch, roles) = (batch(), roles());
    let first = nominated(&given(), None, NOW).unwrap();
    let again = |members: &[Appointment]| {
        let candidacy = Candidacy { batch: &batch, members, role: &roles[0], previous: None };
        nominate(Uuid::nil(), &given(), &candidacy, &office(), NOW).map(drop)
    };
    assert_eq!(again(std::slice::from_ref(&first)), Err(Refusal::NominatedTwice));
    assert_eq!(again(&[Appointment { state: State::Declined, ..first }]), Ok(()));
    let action = ActionKind::Nominate;
    for state in batch::State::ALL.into_iter().filter(|state| *state != batch::State::Nominating) {
        let batch = Batch { state, ..batch.clone() };
        let candidacy = Candidacy { batch: &batch, members: &[], role: &roles[0], previous: None };
        let refused = nominate(Uuid::nil(), &given(), &candidacy, &office(), NOW).map(drop);
        assert_eq!(refused, Err(Refusal::BatchState { state, action }));
    }
    let candidacy = Candidacy { batch: &batch, members: &[], role: &roles[0], previous: None };
    let monitor = actor(Role::Monitor, "zhang");
    let refused = nominate(Uuid::nil(), &given(), &candidacy, &monitor, NOW).map(drop);
    assert_eq!(refused, Err(Refusal::NotAllowed { action }));
}
