//! What people would tell: deadlines on the days that a calendar shows, and each rule with its refusal.

use super::*;

fn day(text: &str) -> OffsetDateTime {
    OffsetDateTime::parse(&format!("{text}:00+08:00"), &time::format_description::well_known::Rfc3339)
        .unwrap()
}

fn round(case: &Case) -> &Round {
    case.issue.round().unwrap()
}

/// Friday 13 February 2026; Saturday 14 is made up, the Spring Festival is 15 to 23: the third working day is the 25th.
#[test]
fn what_nobody_decides_is_accepted_at_the_end_of_the_third_working_day() {
    for registered in [false, true] {
        let mut case = Case::submitted_by(&monitor(), day("2026-02-13T16:00"));
        assert_eq!(case.issue.step_clock.as_ref().unwrap().due, day("2026-02-14T17:30"));
        assert_eq!(case.issue.decide_by, day("2026-02-25T17:30"));
        if registered {
            case.does(&office(), &Command::Register);
        }
        case.at(day("2026-02-25T17:29")).sweep();
        assert!(case.issue.state.is_undecided());
        let early = case.attempt(&Actor::system(DISTRICT), &Command::DeemAccepted);
        assert_eq!(early, Err(Refusal::NotDue));
        // Too late for anybody, even before the system noticed.
        case.at(day("2026-02-25T17:30"));
        let late = if registered { Command::Accept } else { Command::Register };
        let since = case.issue.decide_by;
        assert_eq!(case.attempt(&office(), &late), Err(Refusal::DeemedAccepted { since }));
        // However late the system is, the time counts from then.
        case.at(day("2026-03-02T11:00")).sweep();
        assert_eq!(case.issue.acceptance, Some(Acceptance { at: since, deemed: true }));
        case.does(&office(), &Command::Classify { class: Class::C });
        // 26, 27, the Saturday 28 that is made up, 2 and 3 March.
        assert_eq!(round(&case).clock.due, day("2026-03-03T17:30"));
        assert_eq!(replay(&case.history, &CALENDAR, &RULES), Ok(case.issue));
    }
}

#[test]
fn classes_run_from_the_acceptance_however_late_they_are_given() {
    let due = |class| {
        let mut case = Case::lead_to(&monitor(), State::Accepted);
        case.at(day("2026-03-05T10:00")).does(&office(), &Command::Classify { class });
        round(&case).clock.due
    };
    assert_eq!(due(Class::A), day("2026-04-02T17:30"));
    assert_eq!(due(Class::B), day("2026-03-23T17:30"));
    assert_eq!(due(Class::C), day("2026-03-09T17:30"));
}

#[test]
fn the_clock_drives_the_level_of_supervision() {
    let mut case = Case::submitted_by(&monitor(), MONDAY);
    assert_eq!(case.issue.level(), Level::None);
    // Registration: due on Tuesday at 17:30 after 13.5 working hours; 20 % of them are 2:42.
    assert_eq!(case.issue.alarm_at(), Some(day("2026-03-03T14:48")));
    case.at(day("2026-03-03T14:47")).sweep();
    assert_eq!(case.issue.level(), Level::None);
    case.at(day("2026-03-03T14:48")).sweep();
    assert_eq!(case.issue.level(), Level::Amber);
    case.at(day("2026-03-03T17:30")).sweep();
    assert_eq!(case.issue.level(), Level::Red);
    assert_eq!(case.attempt(&Actor::system(DISTRICT), &Command::Warn), Err(Refusal::NotDue));
    // Registered late: the decision's clock has run since the submission.
    case.does(&office(), &Command::Register);
    assert_eq!(case.issue.level(), Level::None);
    assert_eq!(case.issue.active_clock().unwrap().started, MONDAY);
    // Long after: red by way of amber, one record each.
    let mut case = Case::lead_to(&monitor(), State::InHandling);
    case.at(day("2026-03-20T10:00")).sweep();
    let levels: Vec<_> = case.history.iter().rev().take(2).map(|t| (t.action, t.level)).collect();
    assert_eq!(levels, [(ActionKind::Warn, Level::Red), (ActionKind::Warn, Level::Amber)]);
}

#[test]
fn a_pause_moves_the_deadline_by_working_time_only() {
    let mut case = Case::lead_to(&monitor(), State::InHandling);
    assert_eq!(round(&case).clock.due, day("2026-03-09T17:30"));
    let until = day("2026-03-09T08:30");
    case.at(day("2026-03-06T14:30"));
    case.does(&handler(), &Command::Ask { wish: Wish::Pause { until }, reason: text() });
    let pending = case.attempt(&handler(), &Command::Reply { text: text() });
    assert_eq!(pending, Err(Refusal::RequestPending));
    case.does(&office(), &Command::Grant);
    assert_eq!((case.issue.state, case.issue.alarm_at()), (State::Paused, Some(until)));
    // Three hours of the Friday, and a weekend that nobody works. The system came late.
    case.at(day("2026-03-09T10:00")).sweep();
    assert_eq!(case.issue.state, State::InHandling);
    assert_eq!(round(&case).clock.due, day("2026-03-10T11:30"));
    assert_eq!(round(&case).segments[1].to, Some(until));
    assert_eq!(replay(&case.history, &CALENDAR, &RULES), Ok(case.issue));
}

#[test]
fn more_time_is_asked_for_in_time_once_and_within_bounds() {
    let mut case = Case::lead_to(&monitor(), State::InHandling);
    let ask = |working_days| Command::Ask { wish: Wish::Extension { working_days }, reason: text() };
    for wrong in [0, 6] {
        assert_eq!(case.attempt(&handler(), &ask(wrong)), Err(Refusal::ExtensionTooLong { at_most: 5 }));
    }
    assert_eq!(case.attempt(&office(), &Command::Grant), Err(Refusal::NoRequestPending));
    assert_eq!(case.attempt(&office(), &Command::Deny { reason: text() }), Err(Refusal::NoRequestPending));
    case.does(&handler(), &ask(5));
    assert_eq!(case.attempt(&handler(), &ask(5)), Err(Refusal::RequestPending));
    case.does(&office(), &Command::Deny { reason: text() });
    case.at(day("2026-03-09T17:00")).sweep();
    assert_eq!(case.issue.level(), Level::Amber);
    case.does(&handler(), &ask(5)).does(&office(), &Command::Grant);
    assert_eq!((round(&case).clock.due, case.issue.level()), (day("2026-03-16T17:30"), Level::None));
    assert_eq!(case.attempt(&handler(), &ask(1)), Err(Refusal::TooManyExtensions { limit: 1 }));

    let mut late = Case::lead_to(&monitor(), State::InHandling);
    let due = round(&late).clock.due;
    assert_eq!(late.at(due).attempt(&handler(), &ask(1)), Err(Refusal::DeadlinePassed { due }));
    let past = Command::Ask { wish: Wish::Pause { until: due }, reason: text() };
    assert_eq!(late.attempt(&handler(), &past), Err(Refusal::PauseNotInFuture { until: due }));
}

#[test]
fn a_refusal_takes_two_and_a_reason() {
    let mut case = Case::lead_to(&monitor(), State::Registered);
    assert_eq!(case.attempt(&office(), &Command::Refuse), Err(Refusal::NoProposal));
    let blank = Command::ProposeRefusal { reason: " \n".to_owned() };
    assert_eq!(case.attempt(&office(), &blank), Err(Refusal::Missing { fields: vec!["reason"] }));
    case.does(&office(), &Command::ProposeRefusal { reason: text() });
    assert_eq!(case.attempt(&office(), &Command::Refuse), Err(Refusal::SamePerson));
    // A proposal stops no clock: it is not yet a decision.
    assert_eq!(case.issue.alarm_at(), Case::lead_to(&monitor(), State::Registered).issue.alarm_at());
    case.does(&chief(), &Command::Refuse);
    assert_eq!((case.issue.state, case.issue.alarm_at()), (State::NotAccepted, None));
}

#[test]
fn what_is_not_solved_goes_back_and_its_clock_has_run_on() {
    let mut case = Case::lead_to(&enterprise(), State::Replied);
    let due = round(&case).clock.due;
    case.at(day("2026-03-04T10:00")).does(&enterprise(), &Command::Verify { solved: false });
    assert!(!round(&case).verification.unwrap().call_back);
    assert_eq!(case.attempt(&office(), &Command::Close), Err(Refusal::NotSolved));
    case.does(&office(), &Command::Return { reason: text() });
    assert_eq!((case.issue.state, round(&case).returns), (State::InHandling, 1));
    assert_eq!(case.issue.active_clock().unwrap().due, due);
    case.does(&handler(), &Command::Reply { text: text() });
    // Who replied has a second post, in the office.
    let replier = Actor { subject: handler().subject, ..office() };
    let same = case.attempt(&replier, &Command::Verify { solved: true });
    assert_eq!(same, Err(Refusal::SamePerson));
    case.does(&office(), &Command::Verify { solved: true });
    assert!(round(&case).verification.unwrap().call_back);
    assert_eq!(case.attempt(&office(), &Command::Return { reason: text() }), Err(Refusal::Solved));
    case.does(&office(), &Command::Close);
    assert!(round(&case).segments.ended() && case.issue.alarm_at().is_none());
}

#[test]
fn a_bad_rating_is_called_back_even_after_a_reopening_which_keeps_the_old_clocks() {
    let mut case = Case::lead_to(&enterprise(), State::Closed);
    let first = round(&case).clone();
    assert_eq!(case.attempt(&office(), &Command::CallBack { finding: text() }), Err(Refusal::NoCallBackDue));
    case.does(&enterprise(), &Command::Rate { stars: Stars::new(2).unwrap() });
    let again = case.attempt(&enterprise(), &Command::Rate { stars: Stars::new(5).unwrap() });
    assert_eq!(again, Err(Refusal::AlreadyRated));
    case.at(day("2026-04-01T09:00")).does(&enterprise(), &Command::Reopen { reason: text() });
    assert_eq!((case.issue.rounds.len(), case.issue.state), (2, State::Classified));
    assert_eq!(
        (&case.issue.rounds[0].clock, &case.issue.rounds[0].segments),
        (&first.clock, &first.segments)
    );
    assert_eq!(round(&case).clock.due, day("2026-04-09T17:30"));
    assert!(case.issue.call_back_due());
    case.does(&office(), &Command::CallBack { finding: text() });
    assert!(!case.issue.call_back_due());
    assert_eq!(case.attempt(&office(), &Command::CallBack { finding: text() }), Err(Refusal::NoCallBackDue));
    assert_eq!(replay(&case.history, &CALENDAR, &RULES), Ok(case.issue));
    for (stars, bad) in [(1, true), (2, true), (3, false), (4, false), (5, false)] {
        assert_eq!(Stars::new(stars).unwrap().is_bad(), bad);
    }
    assert!(Stars::new(0).is_none() && Stars::new(6).is_none());
    assert!(serde_json::from_str::<Stars>("6").is_err());
}

#[test]
fn a_submission_is_complete_and_discloses_a_competitor() {
    let told = |given: Submission| submit(&given, &enterprise(), &context(MONDAY)).map(drop);
    let about_competitor = Submission { about_competitor: true, ..submission() };
    assert_eq!(told(about_competitor.clone()), Err(Refusal::DisclosureMissing));
    assert_eq!(told(Submission { disclosure: Some("同行".to_owned()), ..about_competitor }), Ok(()));
    let blank = Submission { title: String::new(), description: " ".to_owned(), ..submission() };
    assert_eq!(told(blank), Err(Refusal::Missing { fields: vec!["title", "description"] }));
    for tags in [vec![0], vec![11], vec![2, 2]] {
        assert_eq!(told(Submission { tasks: tags, ..submission() }), Err(Refusal::Tags { field: "tasks" }));
    }
    let wrong = Submission { indicators: vec![19], ..submission() };
    assert_eq!(told(wrong), Err(Refusal::Tags { field: "indicators" }));
}

#[test]
fn a_deadline_in_a_year_without_data_is_refused() {
    let late = submit(&submission(), &monitor(), &context(day("2026-12-31T10:00"))).map(drop);
    assert_eq!(late, Err(Refusal::NoCalendar { year: 2027 }));
}
