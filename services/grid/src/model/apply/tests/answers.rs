//! What reporters answer, the reviews that follow, and who is told how to reach them.
use super::*;
use crate::model::answer::sees_contact;

const YES: Action = Action::Answer { solved: true, rating: Some(5) };
const NO: Action = Action::Answer { solved: false, rating: Some(1) };

fn public() -> Actor {
    Actor::public(DISTRICT)
}

/// An event that the water company handled and the street closed.
fn closed() -> Case {
    let mut case = Case::handled_by(&department("water"));
    case.does(&case.holder(), SOLVED);
    case.does(&street(), Action::Pass);
    case
}

#[test]
fn an_answer_is_given_once_for_each_closing() {
    let mut case = closed();
    case.wait(Duration::days(2));
    case.does(&public(), YES);
    let answer = case.event.answer.clone().unwrap();
    assert_eq!((answer.solved, answer.rating, answer.at), (true, Some(5), case.now));
    assert_eq!(case.event.review_since, None);
    assert_eq!(case.refused(&public(), NO), Refusal::AlreadyAnswered);
}

#[test]
fn an_answer_comes_within_the_window() {
    let mut case = closed();
    let until = case.now + ANSWER_WINDOW;
    case.wait(ANSWER_WINDOW);
    case.clone().does(&public(), YES);
    case.wait(Duration::SECOND);
    assert_eq!(case.refused(&public(), YES), Refusal::AnswerWindowOver { until });
}

#[test]
fn still_not_solved_asks_for_a_review_that_no_window_shuts_out() {
    let mut case = closed();
    case.wait(Duration::days(10));
    assert!(matches!(case.refused(&street(), Action::Reopen), Refusal::ReopenWindowOver { .. }));
    case.does(&public(), NO);
    assert_eq!(case.event.review_since, Some(case.now));
    case.wait(Duration::days(10));
    case.does(&street(), Action::Reopen);
    assert_eq!((case.event.state, case.event.review_since), (State::Registered, None));
    assert_eq!(case.event.answer, None, "a new round is answered anew");
}

#[test]
fn a_review_can_uphold_the_closing_but_not_by_who_resolved_it() {
    let mut case = closed();
    assert_eq!(case.refused(&street(), Action::Uphold), Refusal::NoReviewOpen);
    case.does(&public(), NO);
    let handler = case.event.resolved_by.clone().unwrap();
    let same = Actor { subject: handler, ..street() };
    assert_eq!(case.refused(&same, Action::Uphold), Refusal::SamePersonVerifies);
    case.does(&street(), Action::Uphold);
    assert_eq!((case.event.state, case.event.review_since), (State::Closed, None));
    assert!(case.event.answer.is_some());
}

#[test]
fn a_merged_event_is_answered_once_its_root_is_closed() {
    let mut case = Case::report(GRID, &actor(Role::GridWorker, GRID), MORNING);
    case.does(&street(), Action::Merge { root: ROOT });
    let with = |root: MergeRoot, now| {
        let context = Context { merge_root: Some(root), ..ctx(now) };
        apply(&case.event, &full(NO), &[public()], &context)
    };
    let open = MergeRoot { state: State::Handling, closed: None, ..closed_root(MORNING) };
    assert_eq!(with(open, MORNING).unwrap_err(), Refusal::RootOpen { state: State::Handling });
    let later = MORNING + Duration::days(3);
    let (event, _) = with(closed_root(later), later).unwrap();
    assert_eq!((event.state, event.review_since), (State::Merged, None), "the review is the root's");
    assert!(!event.answer.unwrap().solved);
}

#[test]
fn the_tail_of_a_number_is_for_who_could_be_told_the_whole() {
    let case = Case::handled_by(&department("water"));
    let sees = |role, reach| sees_contact(&case.event, &[actor(role, reach)]);
    assert!(
        sees(Role::Department, "water") && sees(Role::Street, STREET) && sees(Role::Dispatcher, "410182")
    );
    assert!(!sees(Role::GridWorker, GRID) && !sees(Role::Supervisor, "410182"));
    assert!(!sees(Role::Department, "garden") && !sees(Role::Administrator, "410182"));
}

#[test]
fn nobody_left_a_number() {
    let mut case = Case::handled_by(&department("water"));
    case.event.reporter.phone_tail = None;
    assert_eq!(case.refused(&case.holder(), Action::Reveal), Refusal::NoContact);
}
