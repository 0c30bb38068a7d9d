//! What an issue counts for: the same as can be read from how it stands.

use super::tally::Tag;
use super::*;

fn count(case: &Case, wanted: Measure) -> usize {
    case.tallies.iter().flat_map(|tally| &tally.measures).filter(|measure| **measure == wanted).count()
}

/// The tallies of a history are what its issue shows.
pub(super) fn agree(case: &Case) {
    let (issue, rounds) = (&case.issue, &case.issue.rounds);
    let of = |measure| count(case, measure);
    assert_eq!(of(Measure::Submitted), 1);
    assert_eq!(of(Measure::Accepted), usize::from(issue.acceptance.is_some()));
    assert_eq!(of(Measure::DeemedAccepted), usize::from(issue.acceptance.is_some_and(|a| a.deemed)));
    assert_eq!(of(Measure::Reopened), rounds.len().saturating_sub(1));
    assert_eq!(of(Measure::Returned), rounds.iter().map(|round| round.returns as usize).sum::<usize>());
    let ended = |state| usize::from(issue.state == state);
    assert_eq!(of(Measure::NotAccepted), ended(State::NotAccepted));
    assert_eq!(of(Measure::Transferred), ended(State::Transferred));
    assert_eq!(of(Measure::Terminated), ended(State::Terminated));
    assert_eq!(
        of(Measure::ClosedInTime) + of(Measure::ClosedLate),
        of(Measure::Reopened) + ended(State::Closed)
    );
    let stars =
        [Measure::OneStar, Measure::TwoStars, Measure::ThreeStars, Measure::FourStars, Measure::FiveStars];
    let ratings = || rounds.iter().filter_map(|round| round.rating.as_ref());
    for (index, measure) in stars.into_iter().enumerate() {
        assert_eq!(of(measure), ratings().filter(|rating| rating.stars.index() == index).count());
    }
    assert_eq!(of(Measure::CalledBack), ratings().filter(|rating| rating.called_back.is_some()).count());
}

#[test]
fn measures_are_in_their_order() {
    assert!(Measure::ALL.iter().enumerate().all(|(index, measure)| *measure as usize == index));
}

#[test]
fn what_a_department_did_counts_with_it_also_after_the_issue_has_gone_on_to_another() {
    let mut case = Case::lead_to(&monitor(), State::Closed);
    case.does(&monitor(), &Command::Rate { stars: Stars::new(1).unwrap() });
    case.does(&monitor(), &Command::Reopen { reason: text() });
    case.does(&office(), &Command::Assign { department: "water".to_owned() });
    case.does(&office(), &Command::CallBack { finding: text() });
    let [.., rated, reopened, assigned, called_back] = &case.tallies[..] else { panic!("four and more") };
    assert_eq!(
        (&rated.measures[..], rated.department.as_deref()),
        (&[Measure::OneStar][..], Some("housing"))
    );
    assert_eq!(
        (&reopened.measures[..], reopened.department.as_deref()),
        (&[Measure::Reopened][..], Some("housing"))
    );
    assert!(assigned.measures.is_empty());
    assert_eq!(
        (&called_back.measures[..], called_back.department.as_deref()),
        (&[Measure::CalledBack][..], Some("housing"))
    );
    assert_eq!(rated.tags, [Tag::Indicator(4), Tag::Indicator(18), Tag::Task(3)]);
}

#[test]
fn an_acceptance_that_was_noticed_late_counts_on_the_day_on_which_it_came() {
    let mut case = Case::submitted_by(&monitor(), MONDAY);
    case.at(MONDAY + Duration::days(7)).sweep();
    let accepted =
        case.tallies.iter().find(|tally| tally.measures.contains(&Measure::DeemedAccepted)).unwrap();
    assert_eq!(accepted.day, (MONDAY + Duration::days(3)).date());
}

#[test]
fn a_reply_after_the_deadline_is_closed_late() {
    for (late, measure) in [(false, Measure::ClosedInTime), (true, Measure::ClosedLate)] {
        let mut case = Case::lead_to(&monitor(), State::InHandling);
        let due = case.issue.round().unwrap().clock.due;
        case.at(due + Duration::seconds(i64::from(late)));
        case.does(&handler(), &Command::Reply { text: text() });
        case.at(due + Duration::days(1)).does(&office(), &Command::Verify { solved: true });
        case.does(&office(), &Command::Close);
        assert_eq!((count(&case, measure), case.tallies.last().unwrap().class), (1, Some(Class::C)));
    }
}
