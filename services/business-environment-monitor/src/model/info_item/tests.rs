//! Items, tested: the cast, what is collected, and each rule with its refusal.

use time::macros::datetime;
use uuid::Uuid;

use super::apply::{Command, MAX_ISSUES, Refusal, Target, apply, collect};
use super::arcs::ActionKind;
use super::*;

mod matrix;
mod walk;

const DISTRICT: i32 = 410_183;
const MONDAY: OffsetDateTime = datetime!(2026-03-02 9:00 +8);

fn actor(role: Role, subject: &str) -> Actor {
    Actor { subject: subject.to_owned(), role, district: DISTRICT, unit: None }
}

fn monitor() -> Actor {
    actor(Role::Monitor, "zhang")
}

fn office() -> Actor {
    actor(Role::Office, "li")
}

fn text() -> String {
    "说明".to_owned()
}

fn content() -> Content {
    Content {
        title: "停车位不足".to_owned(),
        text: "商户反映停车难".to_owned(),
        enterprise: None,
        source: None,
        about_competitor: false,
        disclosure: None,
    }
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// An item in a state, whatever led there.
fn at(state: State) -> InfoItem {
    InfoItem {
        state,
        merged_into: (state == State::Merged).then(|| id(9)),
        issues: if state == State::Promoted { vec![id(7), id(8)] } else { Vec::new() },
        ..collect(id(1), &content(), &monitor(), true, MONDAY).unwrap().0
    }
}

fn target(state: State) -> Target {
    Target { id: id(2), state, root: if state == State::Merged { id(3) } else { id(2) } }
}

fn attempt(item: &InfoItem, command: &Command) -> Result<InfoItem, Refusal> {
    apply(item, command, &office(), MONDAY).map(|(after, _)| after)
}

#[test]
fn each_state_and_action_has_its_row() {
    for (index, state) in State::all().enumerate() {
        assert_eq!(state as usize, index);
        assert_eq!(serde_json::to_value(state).unwrap(), state.code());
    }
    for (index, action) in ActionKind::all().enumerate() {
        assert_eq!((action as usize, action.arc().action), (index, action));
        assert!(!action.chinese().is_empty() && !action.english().is_empty());
    }
}

#[test]
fn a_collection_has_its_rules() {
    let told = |content: Content, active| collect(id(1), &content, &monitor(), active, MONDAY).map(drop);
    assert_eq!(told(content(), true), Ok(()));
    assert_eq!(told(content(), false), Err(Refusal::NotActive));
    let blank = |title: &str, text: &str| Content { title: title.into(), text: text.into(), ..content() };
    assert_eq!(told(blank(" ", "x"), true), Err(Refusal::Missing { field: "title" }));
    assert_eq!(told(blank("x", ""), true), Err(Refusal::Missing { field: "text" }));
    let rival = |said: Option<&str>| Content {
        about_competitor: true,
        disclosure: said.map(str::to_owned),
        ..content()
    };
    assert_eq!(told(rival(None), true), Err(Refusal::DisclosureMissing));
    assert_eq!(told(rival(Some(" ")), true), Err(Refusal::DisclosureMissing));
    assert_eq!(told(rival(Some("同行")), true), Ok(()));
    for who in Role::ALL.map(|role| actor(role, "zhang")) {
        let done = collect(id(1), &content(), &who, true, MONDAY);
        let refused = Err(Refusal::NotAllowed { action: ActionKind::Collect });
        assert_eq!(done.map(drop), if who.role == Role::Monitor { Ok(()) } else { refused });
    }
}

#[test]
fn who_collected_it_does_not_decide_on_it_in_whatever_role() {
    for action in ActionKind::all().filter(|action| *action != ActionKind::Collect) {
        let item = at(action.arc().from[0]);
        let own = actor(Role::Office, &item.collector);
        let command = matrix::command(action).unwrap();
        assert_eq!(apply(&item, &command, &own, MONDAY).map(drop), Err(Refusal::OwnItem), "{action:?}");
    }
}

#[test]
fn merges_end_where_nothing_is_merged() {
    for state in State::all() {
        let told = attempt(&at(State::Triaged), &Command::Merge { into: target(state) });
        match state {
            State::Triaged | State::Noted | State::Promoted => {
                assert_eq!(told.unwrap().merged_into, Some(id(2)));
            }
            State::Merged => {
                assert_eq!(told, Err(Refusal::TargetMerged { district: DISTRICT, root: id(3) }));
            }
            State::Collected | State::Rejected => {
                assert_eq!(told, Err(Refusal::WrongState { state, action: ActionKind::Merge }));
            }
        }
    }
    let itself = Target { id: id(1), state: State::Triaged, root: id(1) };
    assert_eq!(attempt(&at(State::Triaged), &Command::Merge { into: itself }), Err(Refusal::IntoItself));
    let parted = attempt(&at(State::Merged), &Command::Unmerge { reason: text() }).unwrap();
    assert_eq!((parted.state, parted.merged_into), (State::Triaged, None));
}

#[test]
fn a_promoted_item_has_an_issue_and_each_once() {
    let link = |number| Command::Link { issue: id(number) };
    let unlink = |number| Command::Unlink { issue: id(number), reason: text() };
    let item = at(State::Promoted);
    assert_eq!(attempt(&item, &link(7)), Err(Refusal::Linked));
    assert_eq!(attempt(&item, &unlink(6)), Err(Refusal::NotLinked));
    let fewer = attempt(&item, &unlink(7)).unwrap();
    assert_eq!(fewer.issues, [id(8)]);
    assert_eq!(attempt(&fewer, &unlink(8)), Err(Refusal::LastIssue));
    assert_eq!(attempt(&fewer, &link(7)).unwrap().issues, [id(8), id(7)]);
    let full = InfoItem { issues: (100..).take(MAX_ISSUES).map(id).collect(), ..item };
    assert_eq!(attempt(&full, &link(7)), Err(Refusal::TooManyIssues { limit: MAX_ISSUES }));
}

#[test]
fn a_reason_is_not_blank_and_a_decision_is_kept() {
    let blank = || " ".to_owned();
    let missing = Err(Refusal::Missing { field: "reason" });
    assert_eq!(attempt(&at(State::Triaged), &Command::Reject { reason: blank() }), missing);
    assert_eq!(attempt(&at(State::Merged), &Command::Unmerge { reason: blank() }), missing);
    assert_eq!(attempt(&at(State::Promoted), &Command::Unlink { issue: id(7), reason: blank() }), missing);
    for command in [Command::Reject { reason: text() }, Command::Note { text: text() }] {
        let (after, record) = apply(&at(State::Triaged), &command, &office(), MONDAY).unwrap();
        assert_eq!((after.decision, record.text), (text(), text()));
    }
    assert_eq!(attempt(&at(State::Triaged), &Command::Note { text: String::new() }).unwrap().decision, "");
}

#[test]
fn the_office_reads_all_and_a_monitor_what_they_collected() {
    let item = at(State::Promoted);
    for role in Role::ALL {
        let reads = |who: Actor| item.is_readable_by(&who);
        assert_eq!(reads(actor(role, "zhang")), matches!(role, Role::Monitor | Role::Office), "{role:?}");
        assert_eq!(reads(actor(role, "sun")), role == Role::Office, "{role:?}");
        assert!(!reads(Actor { district: 410_182, ..actor(role, "zhang") }));
    }
}
