//! The three measures: what they are at their ends, and that nothing but the counts matters.

use proptest::prelude::*;
use uuid::Uuid;

use super::super::role::parse_roles;
use super::super::{Nomination, NominationMode};
use super::*;

const STREETS: [&str; 4] = ["410183001", "410183002", "410183003", "410183101"];
const INDUSTRIES: [&str; 3] = ["C", "F", "I"];

fn member(group: &str, industry: Option<usize>, street: Option<usize>) -> Appointment {
    Appointment {
        id: Uuid::nil(),
        district: 410_183,
        batch: Uuid::nil(),
        nomination: Nomination {
            person: String::new(),
            role: "special-supervisor".to_owned(),
            mode: NominationMode::OpenSelection,
            nominated_by: String::new(),
            group: group.to_owned(),
            exception_reason: None,
            industry: industry.map(|place| INDUSTRIES[place].to_owned()),
            street: street.map(|place| STREETS[place].to_owned()),
            renews: None,
        },
        term_number: 1,
        follows: None,
        state: State::Vetted,
        tenure: None,
        certificate: None,
        version: 1,
    }
}

fn report(members: &[Appointment], enterprises: [u32; 3]) -> Composition {
    let roles = parse_roles(include_str!("../../../../data/roles.csv")).unwrap();
    let enterprises = INDUSTRIES.map(str::to_owned).into_iter().zip(enterprises).collect();
    let streets = STREETS.map(str::to_owned);
    composition(members, &Yardstick { roles: &roles[..1], enterprises: &enterprises, streets: &streets })
}

fn near(found: Option<f64>, expected: f64) -> bool {
    found.is_some_and(|found| (found - expected).abs() < 1e-12)
}

#[test]
fn breadth_counts_groups_and_exceptions_are_told() {
    let mut members: Vec<_> =
        ["党代表", "党代表", "人大代表", "媒体记者"].map(|group| member(group, None, None)).into();
    members.push(Appointment { state: State::Declined, ..member("政协委员", Some(0), Some(0)) });
    let found = report(&members, [1, 1, 1]);
    assert_eq!((found.people, found.breadth), (4, Share { of: 2, all: 3 }));
    assert_eq!(found.largest_group, Some(("党代表".to_owned(), Share { of: 2, all: 4 })));
    assert_eq!(found.exceptions, Share { of: 1, all: 4 });
    assert_eq!((found.representation, found.balance), (None, None), "nobody told an industry or a street");
    let tie = report(&["党代表", "人大代表"].map(|group| member(group, None, None)), [1, 1, 1]);
    assert_eq!(
        tie.largest_group,
        Some(("人大代表".to_owned(), Share { of: 1, all: 2 })),
        "the first by name"
    );
    let nobody = report(&[], [1, 1, 1]);
    assert_eq!((nobody.people, nobody.largest_group, nobody.breadth), (0, None, Share { of: 0, all: 3 }));
}

#[test]
fn representation_is_one_where_shares_agree_and_none_where_nothing_is_shared() {
    let of = |counts: [usize; 3], enterprises| {
        let all = (0..3).flat_map(|place| vec![member("党代表", Some(place), None); counts[place]]);
        report(&all.collect::<Vec<_>>(), enterprises).representation
    };
    assert!(near(of([2, 1, 1], [200, 100, 100]), 1.0));
    assert!(near(of([4, 0, 0], [0, 7, 7]), 0.0));
    // p = (¾, ¼, 0), q = (¼, ½, ¼): apart by ½ + ¼ + ¼.
    assert!(near(of([3, 1, 0], [1, 2, 1]), 0.5));
    assert_eq!(of([3, 1, 0], [0, 0, 0]), None);
}

#[test]
fn balance_is_one_where_every_street_has_as_many() {
    let of = |streets: &[usize]| {
        let all: Vec<_> = streets.iter().map(|place| member("党代表", None, Some(*place))).collect();
        report(&all, [1, 1, 1]).balance
    };
    assert!(near(of(&[0, 1, 2, 3, 3, 2, 1, 0]), 1.0));
    assert!(near(of(&[2, 2, 2]), 0.0));
    // Two of four streets: ln 2 by ln 4.
    assert!(near(of(&[0, 1]), 0.5));
    let mut elsewhere = member("党代表", None, Some(0));
    elsewhere.nomination.street = Some("410182002".to_owned());
    assert_eq!(report(&[elsewhere], [1, 1, 1]).balance, None, "a street of another district is none");
}

proptest! {
    #[test]
    fn measures_are_shares_and_the_order_of_people_is_nothing(
        people in prop::collection::vec((prop::option::of(0..3_usize), prop::option::of(0..4_usize)), 0..40),
        enterprises in prop::array::uniform3(0..1000_u32),
        by in 0..40_usize,
        times in 1..4_usize,
    ) {
        let mut members: Vec<_> =
            people.into_iter().map(|(industry, street)| member("党代表", industry, street)).collect();
        let found = report(&members, enterprises);
        for measure in [found.representation, found.balance].into_iter().flatten() {
            prop_assert!((0.0..=1.0).contains(&measure));
        }
        let with_industry = members.iter().any(|member| member.nomination.industry.is_some());
        let register = enterprises.iter().any(|count| *count > 0);
        prop_assert_eq!(found.representation.is_some(), with_industry && register);
        let with_street = members.iter().any(|member| member.nomination.street.is_some());
        prop_assert_eq!(found.balance.is_some(), with_street);

        if !members.is_empty() {
            let by = by % members.len();
            members.rotate_left(by);
        }
        prop_assert_eq!(&report(&members, enterprises), &found);
        // Twice as many of the same are as representative.
        let more = report(&vec![members.clone(); times].concat(), enterprises);
        prop_assert!(found.representation.is_none_or(|one| near(more.representation, one)));
        prop_assert!(found.balance.is_none_or(|one| near(more.balance, one)));
    }
}
