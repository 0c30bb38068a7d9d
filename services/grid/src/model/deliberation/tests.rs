//! The table walked whole, state × action × role, and the rules of quorum and votes.

use jingwei_work_calendar::{Calendar, Shift};
use proptest::prelude::*;
use time::macros::datetime;

use super::apply::{Context, apply};
use super::arcs::{ARCS, ActionKind};
use super::command::{Command, Refusal};
use super::tally::tally;
use super::*;
use crate::model::actor::Scope;

const NOW: OffsetDateTime = datetime!(2026-03-02 09:00 +08:00);
const AREA: &str = "410182002011";

/// For each action the states in which it is possible, by their places D C N H R P F X(completed) A(cancelled): said here once more,
/// apart from the table.
const POSSIBLE: [(ActionKind, &str); 13] = [
    (ActionKind::Update, "DN"),
    (ActionKind::Convene, "DCNP"),
    (ActionKind::Hold, "C"),
    (ActionKind::Vote, "H"),
    (ActionKind::Resolve, "H"),
    (ActionKind::AddItem, "RPF"),
    (ActionKind::Publicise, "R"),
    (ActionKind::Object, "P"),
    (ActionKind::EndPublicity, ""),
    (ActionKind::CompleteItem, "F"),
    (ActionKind::GiveUpItem, "F"),
    (ActionKind::Complete, ""),
    (ActionKind::Cancel, "DCNHRP"),
];

fn participant(walk_in: bool, non_voting: bool, present: bool, vote: Option<Choice>) -> Participant {
    let (name, kind, household) = ("某户".to_owned(), ParticipantKind::Resident, String::new());
    Participant { name, kind, household, non_voting, walk_in, present, vote }
}

/// In this state, with an adopted plan, an objection and an open item of the water company wherever these can be.
fn in_state(state: State) -> Deliberation {
    let content = Content {
        title: "停水".into(),
        background: String::new(),
        events: Vec::new(),
        options: Vec::new(),
        participants: vec![
            participant(false, false, true, Some(Choice::For)),
            participant(false, false, true, None),
        ],
        quorum: Quorum::Minimum(1),
        mode: Mode::SimpleMajority,
    };
    let (text, at) = (String::new(), NOW - time::Duration::hours(1));
    let due = local_date(NOW);
    Deliberation {
        district: 410_182,
        id: Uuid::nil(),
        area: AREA.parse().expect("a code"),
        content,
        state,
        meeting: Some(Meeting { at, place: text.clone(), notice: text.clone() }),
        resolution: text.clone(),
        outcome: Some(Outcome::Adopted { option: None }),
        publicity: Some(Publicity { start: at, end: NOW + time::Duration::days(1) }),
        objections: vec![Objection { text: text.clone(), raised_by: text.clone(), at }],
        items: vec![Item { text, owner: Unit::Department("water".into()), due, settled: None }],
        created: at,
        version: 7,
    }
}

fn commands() -> Vec<Command> {
    let (reason, note) = ("原因".to_owned(), "说明".to_owned());
    let at = NOW + time::Duration::days(1);
    vec![
        Command::Update(in_state(State::Draft).content),
        Command::Convene(Meeting { at, place: note.clone(), notice: note.clone() }),
        Command::Hold { present: vec![1], walk_ins: Vec::new() },
        Command::Vote(vec![(2, Choice::Against)]),
        Command::Resolve { resolution: note.clone() },
        Command::AddItem {
            text: note.clone(),
            owner: Unit::Department("water".into()),
            due: local_date(NOW),
        },
        Command::Publicise { working_days: 3 },
        Command::Object { text: note.clone(), raised_by: String::new() },
        Command::EndPublicity { note: note.clone() },
        Command::CompleteItem { number: 1, evidence: Vec::new() },
        Command::GiveUpItem { number: 1, reason: reason.clone() },
        Command::Complete { note },
        Command::Cancel { reason },
    ]
}

fn calendar() -> Calendar {
    let shift = |weekday| Shift { weekday, start_minute: 510, end_minute: 1050 };
    Calendar::new((1..=5).map(shift).collect(), Vec::new(), vec![2026]).expect("valid")
}

fn run(
    before: &Deliberation,
    command: &Command,
    grants: &[Actor],
) -> Result<(Deliberation, Record), Refusal> {
    let calendar = calendar();
    apply(before, command, grants, &Context { now: NOW, calendar: Some(&calendar) })
}

fn grant(role: Role, scope: Scope) -> Actor {
    Actor { subject: "s".into(), role, scope }
}

/// Whether a role may do it at a scope, said apart from the table.
fn may(action: ActionKind, role: Role, scope: &Scope) -> bool {
    let convener = [Role::GridChief, Role::Community, Role::Street].contains(&role);
    match scope {
        Scope::Department(code) => {
            action == ActionKind::CompleteItem && code == "water" && (convener || role == Role::Department)
        }
        Scope::Area(area) => convener && area.contains(&AREA.parse().expect("a code")),
        Scope::District(district) => convener && *district == 410_182,
    }
}

#[test]
fn every_state_action_and_role() {
    let area = |code: &str| Scope::Area(code.parse().expect("a code"));
    let department = |code: &str| Scope::Department(code.to_owned());
    let scopes = [
        Scope::District(410_182),
        Scope::District(410_183),
        area("410182002"),
        area(AREA),
        area("410182002011001"),
        area("410182002012"),
        department("water"),
        department("garden"),
    ];
    let mut allowed = 0;
    for (state, letter) in State::all().zip("DCNHRPFXA".chars()) {
        for command in commands() {
            let action = command.kind();
            let (_, possible) = POSSIBLE.iter().find(|row| row.0 == action).expect("each has its row");
            for (role, scope) in Role::all().flat_map(|role| scopes.clone().map(|scope| (role, scope))) {
                let before = in_state(state);
                let done = run(&before, &command, &[grant(role, scope.clone())]);
                let what = format!("{action:?} in {state:?} by {role:?} at {scope:?}: {done:?}");
                if !may(action, role, &scope) {
                    assert_eq!(done, Err(Refusal::NotAllowed { action }), "{what}");
                } else if possible.contains(letter) {
                    let (after, record) = done.unwrap_or_else(|_| panic!("{what}"));
                    let arc = action.arc();
                    assert!(if arc.to.is_empty() {
                        after.state == state
                    } else {
                        arc.to.contains(&after.state)
                    });
                    assert_eq!((after.version, record.version), (8, 8));
                    assert_eq!((record.from, record.to, record.action), (Some(state), after.state, action));
                    allowed += 1;
                } else if action == ActionKind::EndPublicity && letter == 'P' {
                    assert!(matches!(done, Err(Refusal::PublicityRunning { .. })), "{what}");
                } else if action == ActionKind::Complete && letter == 'F' {
                    assert_eq!(done, Err(Refusal::ItemsOpen { numbers: vec![1] }), "{what}");
                } else {
                    assert_eq!(done, Err(Refusal::WrongState { state, action }), "{what}");
                }
            }
        }
    }
    assert!(allowed > 150, "{allowed}");
}

#[test]
fn rows_and_numbers_are_in_order() {
    for (place, action) in ActionKind::all().enumerate() {
        assert_eq!((action as usize, ARCS[place].action), (place, action));
        assert_eq!(ActionKind::of_number(action.number()), Some(action));
    }
    for (place, state) in State::all().enumerate() {
        assert_eq!((state as usize, State::of_number(state.number())), (place, Some(state)));
        assert_eq!(serde_json::to_value(state).expect("a text"), state.code());
    }
}

#[test]
fn what_was_not_adopted_can_be_talked_over_again() {
    let street = [grant(Role::Street, Scope::Area("410182002".parse().expect("a code")))];
    let convene = &commands()[1];
    let mut lost = in_state(State::Resolved);
    assert!(lost.is_open());
    lost.outcome = Some(Outcome::Rejected);
    assert!(!lost.is_open());
    let (after, _) = run(&lost, convene, &street).expect("convened");
    assert!(after.outcome.is_none() && after.items.is_empty() && after.objections.is_empty());
    assert!(after.content.participants.iter().all(|p| !p.present && p.vote.is_none()));
    let mut unopposed = in_state(State::Publicised);
    unopposed.objections.clear();
    let refused = Refusal::WrongState { state: State::Publicised, action: ActionKind::Convene };
    assert_eq!(run(&unopposed, convene, &street), Err(refused));
}

#[test]
fn a_publicity_that_is_over_reads_as_follow_up() {
    let mut over = in_state(State::Publicised);
    over.publicity = Some(Publicity { start: NOW, end: NOW });
    assert_eq!((over.state, over.state_at(NOW)), (State::Publicised, State::FollowUp));
    let street = [grant(Role::Street, Scope::District(410_182))];
    let done = run(&over, &Command::CompleteItem { number: 1, evidence: Vec::new() }, &street).expect("done");
    assert_eq!(done.0.state, State::FollowUp, "an action writes what reading showed");
    let late = Refusal::WrongState { state: State::FollowUp, action: ActionKind::Object };
    assert_eq!(run(&over, &commands()[7], &street), Err(late));
}

#[test]
fn majorities_at_their_edges() {
    let of = |mode, yes: usize, no: usize, abstain: usize, silent: usize| {
        let voters = |count, vote| std::iter::repeat_n(participant(false, false, true, vote), count);
        let all: Vec<_> = voters(yes, Some(Choice::For))
            .chain(voters(no, Some(Choice::Against)))
            .chain(voters(abstain, Some(Choice::Abstain)))
            .chain(voters(silent, None))
            .collect();
        tally(&all, 1).outcome(mode) == Outcome::Adopted { option: None }
    };
    assert!(of(Mode::SimpleMajority, 3, 2, 0, 0) && !of(Mode::SimpleMajority, 2, 2, 0, 0));
    assert!(!of(Mode::SimpleMajority, 2, 0, 1, 1), "half of those present is not more than half");
    assert!(of(Mode::TwoThirds, 2, 1, 0, 0) && !of(Mode::TwoThirds, 3, 2, 0, 0));
    assert!(of(Mode::Consensus, 1, 0, 4, 0) && !of(Mode::Consensus, 0, 0, 4, 0));
    assert!(!of(Mode::Consensus, 4, 1, 0, 0) && !of(Mode::Consensus, 4, 0, 0, 1));
    assert_eq!([Quorum::Percent(50).of(5), Quorum::Percent(100).of(5), Quorum::Percent(1).of(0)], [3, 5, 1]);
}

fn any_vote() -> impl Strategy<Value = Option<Choice>> {
    let option = (1_u32..=3).prop_map(Choice::Option);
    proptest::option::of(prop_oneof![Just(Choice::Against), Just(Choice::Abstain), option])
}

fn any_participants() -> impl Strategy<Value = Vec<Participant>> {
    let one = (any::<bool>(), any::<bool>(), any_vote(), any::<bool>()).prop_map(
        |(walk_in, non_voting, vote, came)| {
            let present = came || walk_in || vote.is_some();
            participant(walk_in, non_voting, present, vote.filter(|_| !non_voting))
        },
    );
    proptest::collection::vec(one, 0..30)
}

proptest! {
    #[test]
    fn the_outcome_is_a_fold_that_no_order_changes(people in any_participants(), seed in any::<u64>()) {
        let counted = tally(&people, 3);
        prop_assert_eq!(counted.support.iter().sum::<u32>() + counted.against + counted.abstained, counted.voted);
        prop_assert!(counted.voted <= counted.present && counted.invited_present <= counted.invited);
        let mut turned = people.clone();
        turned.rotate_left(usize::try_from(seed % 31).unwrap_or(0) % people.len().max(1));
        turned.reverse();
        prop_assert_eq!(&tally(&turned, 3), &counted);
        for mode in [Mode::SimpleMajority, Mode::TwoThirds, Mode::Consensus] {
            let adopted: Vec<u32> = (0..3_u32)
                .filter(|option| {
                    let votes = people.iter().filter(|p| p.vote == Some(Choice::Option(option + 1))).count();
                    let present = people.iter().filter(|p| p.present && !p.non_voting).count();
                    let others = people.iter().filter(|p| !p.non_voting && p.present
                        && p.vote != Some(Choice::Option(option + 1)) && p.vote != Some(Choice::Abstain)).count();
                    match mode {
                        Mode::SimpleMajority => votes * 2 > present,
                        Mode::TwoThirds => votes > 0 && votes * 3 >= present * 2,
                        Mode::Consensus => votes > 0 && others == 0,
                    }
                })
                .map(|option| option + 1)
                .collect();
            prop_assert!(adopted.len() <= 1, "two plans cannot both win");
            let expected = match (adopted.first(), mode) {
                (Some(option), _) => Outcome::Adopted { option: Some(*option) },
                (None, Mode::Consensus) => Outcome::NoConsensus,
                (None, _) => Outcome::Rejected,
            };
            prop_assert_eq!(counted.outcome(mode), expected);
        }
    }
}
