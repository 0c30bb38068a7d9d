//! Random ways of a need: what holds after every step.

use proptest::prelude::*;
use time::macros::{date, datetime};

use super::*;

const TODAY: Date = date!(2026 - 03 - 02);
const NOW: OffsetDateTime = datetime!(2026-03-02 01:00 UTC);

fn code() -> SocialCreditCode {
    "91350100M000100Y43".parse().expect("a code")
}

fn actor(role: Role) -> Actor {
    let unit = (role == Role::Enterprise).then(|| code().to_string());
    Actor { subject: format!("{role:?}"), role, district: 410_183, unit }
}

fn need(kind: Kind, amount: i64) -> Need {
    Need {
        id: Uuid::nil(),
        district: 410_183,
        enterprise: code(),
        kind,
        amount,
        description: "流动资金".into(),
        raiser: "Enterprise".into(),
        raised: NOW,
        closed: None,
        facts: Vec::new(),
        version: 1,
    }
}

fn fact(number: u128, amount: i64) -> Fact {
    Fact {
        id: Uuid::from_u128(number),
        amount,
        day: TODAY,
        reference: Some(format!("借据-{number}")),
        note: String::new(),
        recorder: "Liaison".into(),
        decision: None,
    }
}

fn command() -> impl Strategy<Value = Command> {
    let which = || (0..8_u128).prop_map(Uuid::from_u128);
    prop_oneof![
        4 => (0..8_u128, 1..6_i64).prop_map(|(number, amount)| Command::Record(fact(number, amount))),
        3 => which().prop_map(|fact| Command::Confirm { fact }),
        2 => which().prop_map(|fact| Command::Dispute { fact, reason: "未到账".into() }),
        1 => Just(Command::Close { reason: "不再需要".into() }),
    ]
}

proptest! {
    /// Never more than was asked for; met exactly where all is confirmed; nothing moves after the end but open decisions.
    #[test]
    fn sums_hold_on_every_way(commands in prop::collection::vec(command(), 0..30), amount in 1..12_i64) {
        let mut need = need(Kind::Labour, amount);
        for command in commands {
            let role = match command {
                Command::Record(_) => Role::Liaison,
                _ => Role::Enterprise,
            };
            let twice = matches!(&command, Command::Record(fact) if need.facts.iter().any(|old| old.id == fact.id));
            let before = need.state();
            let Ok(after) = need.apply(&command, &actor(role), NOW, TODAY) else { continue };
            if twice {
                // The database refuses a second fact of one id.
                continue;
            }
            prop_assert_eq!(after.version, need.version + 1);
            let open: i64 = after.facts.iter().filter(|f| f.state() != FactState::Disputed).map(|f| f.amount).sum();
            prop_assert!(open <= after.amount);
            prop_assert!(after.confirmed() >= need.confirmed());
            prop_assert_eq!(after.state() == State::Met, after.closed.is_none() && after.confirmed() == amount);
            prop_assert!(before == State::Open, "{command:?}");
            need = after;
        }
    }
}

#[test]
fn each_command_is_for_its_roles_and_of_an_enterprise_for_its_own() {
    let need = need(Kind::Finance, 10).apply(&Command::Record(fact(1, 4)), &actor(Role::Liaison), NOW, TODAY);
    let need = need.expect("recorded");
    let id = Uuid::from_u128(1);
    let commands = [
        (Command::Record(fact(2, 1)), vec![Role::Office, Role::Liaison]),
        (Command::Confirm { fact: id }, vec![Role::Enterprise]),
        (Command::Dispute { fact: id, reason: "x".into() }, vec![Role::Enterprise]),
        (Command::Close { reason: "x".into() }, vec![Role::Enterprise, Role::Office]),
    ];
    for (command, who) in commands {
        for role in Role::ALL {
            let refused = need.apply(&command, &actor(role), NOW, TODAY) == Err(Refusal::NotAllowed);
            assert_eq!(refused, !who.contains(&role), "{command:?} by {role:?}");
            let elsewhere = Actor { district: 410_182, ..actor(role) };
            assert_eq!(need.apply(&command, &elsewhere, NOW, TODAY), Err(Refusal::NotAllowed));
        }
        let other = Actor { unit: Some("911101080000000000".into()), ..actor(Role::Enterprise) };
        assert_eq!(need.apply(&command, &other, NOW, TODAY), Err(Refusal::NotAllowed));
    }
}

#[test]
fn what_is_refused_and_why() {
    let record =
        |need: &Need, fact: Fact| need.apply(&Command::Record(fact), &actor(Role::Liaison), NOW, TODAY);
    let decide = |need: &Need, command| need.apply(&command, &actor(Role::Enterprise), NOW, TODAY);
    let money = need(Kind::Finance, 10);
    let blank = Fact { reference: Some(" ".into()), ..fact(1, 4) };
    assert_eq!(record(&money, blank), Err(Refusal::Missing { field: "reference" }));
    let early = Fact { day: date!(2026 - 03 - 03), ..fact(1, 4) };
    assert_eq!(record(&money, early), Err(Refusal::InFuture));
    let one = record(&money, fact(1, 4)).expect("recorded");
    assert_eq!(record(&one, fact(2, 7)), Err(Refusal::MoreThanNeeded { left: 6 }));
    assert_eq!(decide(&one, Command::Close { reason: "x".into() }), Err(Refusal::FactUndecided));
    let unknown = Uuid::from_u128(9);
    assert_eq!(decide(&one, Command::Confirm { fact: unknown }), Err(Refusal::NoFact { fact: unknown }));
    let id = Uuid::from_u128(1);
    let own = Actor { subject: "Liaison".into(), ..actor(Role::Enterprise) };
    assert_eq!(one.apply(&Command::Confirm { fact: id }, &own, NOW, TODAY), Err(Refusal::SamePerson));
    let denied = decide(&one, Command::Dispute { fact: id, reason: "未到账".into() }).expect("disputed");
    assert_eq!((denied.confirmed(), denied.state()), (0, State::Open));
    assert_eq!(decide(&denied, Command::Confirm { fact: id }), Err(Refusal::FactDecided));
    let met = record(&denied, fact(2, 10)).expect("its amount is open again");
    let met = decide(&met, Command::Confirm { fact: Uuid::from_u128(2) }).expect("confirmed");
    assert_eq!(met.state(), State::Met);
    assert_eq!(record(&met, fact(3, 1)), Err(Refusal::NotOpen));
    assert_eq!(decide(&met, Command::Close { reason: "x".into() }), Err(Refusal::NotOpen));
    assert_eq!(need(Kind::Permit, 2).check(&actor(Role::Office)), Err(Refusal::NotOne));
    assert_eq!(need(Kind::Permit, 1).check(&actor(Role::Monitor)), Err(Refusal::NotAllowed));
}
