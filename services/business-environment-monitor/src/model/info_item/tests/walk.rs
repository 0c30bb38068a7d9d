//! Random ways of a handful of items and issues: what holds after every step.

use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;

use super::*;

/// What can be tried at a step; much of it will be refused.
#[derive(Clone, Copy, Debug)]
struct Try {
    which: usize,
    item: usize,
    other: usize,
}

fn tries() -> impl Strategy<Value = Vec<Try>> {
    let one =
        (0..8_usize, 0..8_usize, 0..8_usize).prop_map(|(which, item, other)| Try { which, item, other });
    prop::collection::vec(one, 1..120)
}

/// Where following the merges of an item ends; fails where it does not.
fn root(items: &[InfoItem], item: &InfoItem) -> Uuid {
    let mut here = item;
    for _ in 0..=items.len() {
        let Some(into) = here.merged_into else { return here.id };
        here = items.iter().find(|one| one.id == into).expect("an item");
    }
    panic!("merges lead back to where they began")
}

fn command(items: &[InfoItem], Try { which, other, .. }: Try) -> Command {
    let (into, issue) = (&items[other], id(100 + u128::try_from(other).unwrap()));
    match which {
        0 => Command::Triage { text: text() },
        1 if other == 0 => Command::Note { text: text() },
        2 if other == 0 => Command::Reject { reason: text() },
        3 => Command::Unmerge { reason: text() },
        4 if other < 3 => Command::Promote { issue },
        5 => Command::Link { issue },
        6 => Command::Unlink { issue, reason: text() },
        _ => Command::Merge { into: Target { id: into.id, state: into.state, root: root(items, into) } },
    }
}

fn check(items: &[InfoItem]) {
    let mut states = BTreeMap::new();
    for item in items {
        *states.entry(item.state.code()).or_insert(0) += 1;
        assert_eq!(item.merged_into.is_some(), item.state == State::Merged);
        assert_eq!(!item.issues.is_empty(), item.state == State::Promoted);
        let each: HashSet<_> = item.issues.iter().collect();
        assert_eq!(each.len(), item.issues.len(), "an issue twice");
        let root = items.iter().find(|one| one.id == root(items, item)).unwrap();
        assert!(root.state != State::Merged && (item.state == State::Merged || root.id == item.id));
    }
    assert_eq!(states.values().sum::<usize>(), items.len(), "the sum over the states is what was collected");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_invariants_hold_on_every_way_and_the_records_tell_it(tries in tries()) {
        let made = |number| collect(id(number), &content(), &monitor(), true, MONDAY).unwrap();
        let (mut items, first): (Vec<_>, Vec<_>) = (1..=8).map(made).unzip();
        let mut records: Vec<Vec<Record>> = first.into_iter().map(|record| vec![record]).collect();
        for step in tries {
            let before = items[step.item].clone();
            match apply(&before, &command(&items, step), &office(), MONDAY) {
                Ok((after, record)) => {
                    prop_assert_eq!(after.content.clone(), before.content.clone());
                    prop_assert_eq!((record.from, record.to), (Some(before.state), after.state));
                    items[step.item] = after;
                    records[step.item].push(record);
                }
                Err(refusal) => {
                    let by_state = !matches!(refusal, Refusal::NotAllowed { .. } | Refusal::OwnItem);
                    prop_assert!(by_state, "{refusal:?}");
                }
            }
            check(&items);
        }
        for (item, records) in items.iter().zip(&records) {
            let versions: Vec<i64> = records.iter().map(|record| record.version).collect();
            prop_assert_eq!(versions, (1..=item.version).collect::<Vec<_>>());
            prop_assert!(records.windows(2).all(|two| two[1].from == Some(two[0].to)));
            prop_assert_eq!(records.last().unwrap().to, item.state);
            let text = serde_json::to_string(item).unwrap();
            prop_assert_eq!(&serde_json::from_str::<InfoItem>(&text).unwrap(), item);
        }
    }
}
