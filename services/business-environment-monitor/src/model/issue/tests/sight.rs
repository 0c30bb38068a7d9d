//! Who may read an issue, and who learns which person submitted it.

use super::*;

#[test]
fn the_office_reads_all_and_others_what_is_theirs() {
    let fresh = Case::lead_to(&monitor(), State::Registered).issue;
    let handled = Case::lead_to(&monitor(), State::InHandling).issue;
    let other = Actor { unit: Some("water".to_owned()), ..handler() };
    let stranger = Actor { subject: "sun".to_owned(), ..monitor() };
    let elsewhere = Actor { district: 410_182, ..office() };
    for (actor, reads_fresh, reads_handled, learns) in [
        (office(), true, true, true),
        (monitor(), true, true, true),
        (handler(), false, true, false),
        (other, false, false, false),
        (stranger, false, false, false),
        (enterprise(), false, false, false),
        (elsewhere, false, false, false),
        (Actor { unit: None, ..handler() }, false, false, false),
    ] {
        assert_eq!(fresh.is_readable_by(&actor), reads_fresh, "{actor:?}");
        assert_eq!(handled.is_readable_by(&actor), reads_handled, "{actor:?}");
        assert_eq!(handled.shows_submitter_to(&actor), learns, "{actor:?}");
    }
}

#[test]
fn a_monitor_reads_what_comes_of_what_they_collected_and_learns_no_name() {
    let issue = Case::lead_to(&enterprise(), State::InHandling).issue;
    let raisers = ["sun".to_owned()];
    let sun = Actor { subject: "sun".to_owned(), ..monitor() };
    assert!(issue.is_readable_by_raiser(&sun, &raisers) && !issue.shows_submitter_to(&sun));
    assert!(!issue.is_readable_by_raiser(&sun, &[]));
    assert!(!issue.is_readable_by_raiser(&monitor(), &raisers));
    assert!(!issue.is_readable_by_raiser(&Actor { district: 410_182, ..sun.clone() }, &raisers));
    for role in Role::ALL.into_iter().filter(|role| *role != Role::Monitor) {
        assert!(!issue.is_readable_by_raiser(&Actor { role, ..sun.clone() }, &raisers), "{role:?}");
    }
}
