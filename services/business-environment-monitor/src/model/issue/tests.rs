//! Issues, tested: the cast, and how a case is led along.

use std::sync::LazyLock;

use jingwei_work_calendar::{Calendar, covered_years, parse_days, parse_shifts};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::apply::{Context, apply, submit};
use super::arcs::ActionKind;
use super::clock::Level;
use super::command::{Command, Refusal};
use super::rules::{Class, Rules};
use super::tally::{Measure, Tally, tally};
use super::transition::{Transition, replay};
use super::*;
use crate::model::actor::Actor;
use crate::model::receiver::Receiver;

mod matrix;
mod numbers;
mod sight;
mod stories;
mod walk;

pub(crate) static CALENDAR: LazyLock<Calendar> = LazyLock::new(|| {
    let days = parse_days(include_str!("../../../../work-calendar/data/holidays-cn.csv")).unwrap();
    let years = covered_years(&days);
    let shifts = include_str!("../../../../work-calendar/data/default-shifts.csv");
    Calendar::new(parse_shifts(shifts).unwrap(), days, years).unwrap()
});
static RULES: LazyLock<Rules> = LazyLock::new(Rules::default);

const DISTRICT: i32 = 410_183;
/// A Monday; the week has no holiday.
const MONDAY: OffsetDateTime = datetime!(2026-03-02 9:00 +8);

fn actor(role: Role, subject: &str, unit: Option<&str>) -> Actor {
    Actor { subject: subject.to_owned(), role, district: DISTRICT, unit: unit.map(str::to_owned) }
}

fn monitor() -> Actor {
    actor(Role::Monitor, "zhang", None)
}

fn enterprise() -> Actor {
    actor(Role::Enterprise, "qian", Some("91350100M000100Y43"))
}

fn office() -> Actor {
    actor(Role::Office, "li", None)
}

/// Of the office, somebody else.
fn chief() -> Actor {
    actor(Role::Office, "wang", None)
}

fn handler() -> Actor {
    actor(Role::Department, "zhao", Some("housing"))
}

fn context(now: OffsetDateTime) -> Context<'static> {
    Context { now, calendar: &CALENDAR, rules: &RULES, raisers: &[] }
}

fn submission() -> Submission {
    Submission {
        id: Uuid::from_u128(1),
        district: DISTRICT,
        title: "施工许可迟迟不批".to_owned(),
        description: "材料齐全，两个月没有答复".to_owned(),
        enterprise: Some("91350100M000100Y43".parse().unwrap()),
        tasks: vec![3],
        indicators: vec![4, 18],
        about_competitor: false,
        disclosure: None,
    }
}

fn text() -> String {
    "说明".to_owned()
}

/// An issue with its history, and what that counts for.
struct Case {
    issue: Issue,
    history: Vec<Transition>,
    tallies: Vec<Tally>,
    now: OffsetDateTime,
}

impl Case {
    fn submitted_by(by: &Actor, now: OffsetDateTime) -> Case {
        let (issue, first) = submit(&submission(), by, &context(now)).unwrap();
        let tallies = vec![tally(None, &issue, &first)];
        Case { issue, history: vec![first], tallies, now }
    }

    fn attempt(&mut self, by: &Actor, command: &Command) -> Result<(), Refusal> {
        let (issue, transition) = apply(&self.issue, command, by, &context(self.now))?;
        self.tallies.push(tally(Some(&self.issue), &issue, &transition));
        self.issue = issue;
        self.history.push(transition);
        Ok(())
    }

    fn does(&mut self, by: &Actor, command: &Command) -> &mut Case {
        self.attempt(by, command).unwrap();
        self
    }

    fn at(&mut self, now: OffsetDateTime) -> &mut Case {
        assert!(now >= self.now, "time runs forward");
        self.now = now;
        self
    }

    /// What the system has to do by now.
    fn sweep(&mut self) -> &mut Case {
        while let Some(command) = self.issue.due_command(self.now) {
            self.does(&Actor::system(DISTRICT), &command);
        }
        self
    }

    /// To the state before `end`, class C unless told otherwise.
    fn lead_to(by: &Actor, end: State) -> Case {
        let mut case = Case::submitted_by(by, MONDAY);
        let way = [
            (State::Submitted, office(), Command::Register),
            (State::Registered, office(), Command::Accept),
            (State::Accepted, office(), Command::Classify { class: Class::C }),
            (State::Classified, office(), Command::Assign { department: "housing".to_owned() }),
            (State::Assigned, handler(), Command::Start),
            (State::InHandling, handler(), Command::Reply { text: text() }),
            (State::Replied, office(), Command::Verify { solved: true }),
            (State::Verified, office(), Command::Close),
        ];
        let side = match end {
            State::NotAccepted => Some((State::Registered, office(), Command::Refuse)),
            State::Transferred => {
                Some((State::Registered, office(), Command::Transfer { to: Receiver::Audit }))
            }
            State::Paused => Some((State::InHandling, office(), Command::Grant)),
            State::Terminated => Some((State::Assigned, office(), Command::Terminate { reason: text() })),
            _ => None,
        };
        let goal = side.as_ref().map_or(end, |(from, _, _)| *from);
        for (from, by, command) in &way {
            if *from == goal {
                break;
            }
            case.does(by, command);
        }
        if let Some((_, by, command)) = side {
            case.issue.proposal = Some(Proposal { by: "wang".to_owned(), reason: text() });
            case.issue.pending = Some(Wish::Pause { until: MONDAY + Duration::days(1) });
            case.does(&by, &command);
        }
        assert_eq!(case.issue.state, end);
        case
    }
}

#[test]
fn each_state_and_action_has_its_row_and_serialises_as_its_code() {
    for (index, state) in State::all().enumerate() {
        assert_eq!(state as usize, index);
        assert_eq!(serde_json::to_value(state).unwrap(), state.code());
    }
    for (index, action) in ActionKind::all().enumerate() {
        assert_eq!(action as usize, index);
        assert_eq!(serde_json::to_value(action).unwrap(), action.code());
        assert_eq!(action.arc().action, action);
    }
}
