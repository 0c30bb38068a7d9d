//! Random ways of a batch and its people: what holds after every step.

use std::collections::HashSet;

use proptest::prelude::*;
use time::Duration;

use super::batch::{Command as Step, State as Stage};
use super::batches::Case;
use super::*;

/// What can be tried at a step; much of it will be refused.
#[derive(Clone, Copy, Debug)]
struct Try {
    which: usize,
    who: usize,
    hours: i64,
}

fn tries() -> impl Strategy<Value = Vec<Try>> {
    let one =
        (0..1000_usize, 0..12_usize, 0..40_i64).prop_map(|(which, who, hours)| Try { which, who, hours });
    prop::collection::vec(one, 1..80)
}

/// The steps of the batch that its state has, an objection now and then.
fn step(case: &Case, Try { which, who, .. }: Try) -> Option<Step> {
    let text = "说明".to_owned();
    Some(match case.batch.state {
        Stage::Draft => Step::Open,
        Stage::Nominating => Step::StartVetting,
        Stage::Vetting if which.is_multiple_of(2) => Step::Answer { number: 1 + which % 3, text },
        Stage::Vetting => Step::Publicise { working_days: 1 + u32::try_from(which % 3).unwrap() },
        Stage::Publicity if which.is_multiple_of(3) => {
            Step::Object { text, against: vec![case.members.get(who)?.id] }
        }
        Stage::Publicity => Step::Approve,
        Stage::Approved => Step::Certify {
            first: local_day(case.now) + Duration::days(i64::try_from(which % 5).unwrap()),
            sequence: 1,
        },
        Stage::Certified => Step::Close,
        Stage::Closed => return None,
    })
}

fn check(case: &Case) {
    let (batch, members) = (&case.batch, &case.members);
    let count = |state| members.iter().filter(|member| member.state == state).count();
    match batch.state {
        Stage::Draft => assert!(members.is_empty()),
        Stage::Nominating | Stage::Vetting => assert_eq!(count(State::Publicised), 0),
        Stage::Publicity => {
            assert!(count(State::Publicised) > 0);
            assert_eq!(count(State::Nominated) + count(State::Vetted), 0);
            assert!(batch.objections.iter().all(|objection| objection.answer.is_some()));
        }
        Stage::Approved | Stage::Certified | Stage::Closed => {
            assert_eq!(count(State::Nominated) + count(State::Vetted) + count(State::Publicised), 0);
            assert!(batch.publicity_end.is_some_and(|end| end <= case.now));
        }
    }
    let mut numbers = HashSet::new();
    for member in members {
        assert_eq!(member.certificate.is_some(), member.tenure.is_some());
        assert!(member.certificate.as_ref().is_none_or(|number| numbers.insert(number.clone())), "twice");
        if matches!(member.state, State::Active | State::Suspended | State::Expired) {
            assert!(member.tenure.is_some_and(|tenure| tenure.first <= local_day(case.now)));
        }
        let valid = member.certificate_status(local_day(case.now)) == Some(CertificateStatus::Valid);
        assert_eq!(valid, member.is_active_on(local_day(case.now)));
        assert!(!valid || !member.state.is_over());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_invariants_hold_on_every_way(tries in tries()) {
        let mut case = Case::draft();
        let reason = || "原因".to_owned();
        for (number, one) in tries.into_iter().enumerate() {
            case.now += Duration::hours(one.hours);
            // The system, then one command to one person, then now and then a step of the batch.
            for place in 0..case.members.len() {
                while let Some(command) = case.members[place].due_command(case.now) {
                    let by = Actor::system(DISTRICT);
                    let done = apply(&case.members[place], &command, &by, case.batch.state, case.now);
                    case.members[place] = done.unwrap().0;
                }
            }
            if case.batch.state == Stage::Nominating && case.members.len() < 8 {
                case.nominate(one.who % 3, &format!("person-{number}"));
            }
            let commands = [
                Command::Vet,
                Command::Vet,
                Command::Vet,
                Command::Decline { reason: reason() },
                Command::Suspend { reason: reason() },
                Command::Reinstate { reason: reason() },
                Command::Dismiss { reason: reason() },
                Command::Resign { reason: reason() },
            ];
            let command = &commands[one.which % commands.len()];
            // While people are vetted, the next who waits for it.
            let waiting = case.members.iter().position(|member| member.state == State::Nominated);
            let who = waiting.filter(|_| case.batch.state == Stage::Vetting).unwrap_or(one.who);
            if let Some(member) = case.members.get(who) {
                let done = apply(member, command, &office(), case.batch.state, case.now);
                if let Ok((after, _)) = done {
                    case.members[who] = after;
                }
            }
            check(&case);
            if let Some(step) = step(&case, one).filter(|_| !one.which.is_multiple_of(5) || case.members.len() > 5)
                && case.attempt(&office(), &step).is_ok()
            {
                case.does(&step);
                check(&case);
            }
        }
    }
}
