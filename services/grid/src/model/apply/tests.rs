//! Apply, tested: what the tests share, and the tests by subject.
use std::sync::LazyLock;

use jingwei_work_calendar::{Calendar, Limit, TimeUnit, covered_years, parse_days, parse_shifts};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{ANSWER_WINDOW, Context, MergeRoot, REOPEN_WINDOW, apply};
use crate::model::action::{Action, Command, ReturnReason};
use crate::model::actor::{Actor, Role, Scope};
use crate::model::area::AreaCode;
use crate::model::clock::StepLimits;
use crate::model::event::{Event, Evidence, Outcome, Place, Reporter, ReporterKind, State};
use crate::model::refusal::Refusal;
use crate::model::report::{Report, report};
use crate::model::transition::{Transition, verify_chain};
use crate::model::unit::Unit;

mod answers;
mod matrix;
mod requests;
mod rules;
mod stories;
mod walk;

const DISTRICT: i32 = 410182;
const STREET: &str = "410182002";
const COMMUNITY: &str = "410182002011";
const GRID: &str = "410182002011001";
/// A Wednesday, 09:00 in China.
const MORNING: OffsetDateTime = datetime!(2024-05-22 09:00 +8);
/// The root that merges in these tests go to.
const ROOT: Uuid = Uuid::from_u128(7);

const SOLVED: Action = Action::Resolve { outcome: Outcome::Solved };
const RETURN: Action = Action::RequestReturn { reason: ReturnReason::NotOurDuty };

static CALENDAR: LazyLock<Calendar> = LazyLock::new(|| {
    let days = parse_days(include_str!("../../../../work-calendar/data/holidays-cn.csv")).unwrap();
    let years = covered_years(&days);
    Calendar::new(
        parse_shifts(include_str!("../../../../work-calendar/data/default-shifts.csv")).unwrap(),
        days,
        years,
    )
    .unwrap()
});

fn limit(unit: TimeUnit, amount: u32) -> Limit {
    Limit { unit, amount }
}

fn ctx(now: OffsetDateTime) -> Context<'static> {
    let hours = |minutes| limit(TimeUnit::WorkingHours, minutes);
    Context {
        now,
        calendar: &CALENDAR,
        limits: StepLimits {
            accept: hours(120),
            register: hours(60),
            dispatch: hours(60),
            handle: limit(TimeUnit::WorkingDays, 5),
            verify: hours(90),
        },
        reopen_window: REOPEN_WINDOW,
        answer_window: ANSWER_WINDOW,
        merge_root: Some(MergeRoot { id: ROOT, district: DISTRICT, state: State::Handling, closed: None }),
        has_merged_events: false,
    }
}

fn code(text: &str) -> AreaCode {
    text.parse().unwrap()
}

fn area(text: &str) -> Unit {
    Unit::Area(code(text))
}

fn department(text: &str) -> Unit {
    Unit::Department(text.to_owned())
}

/// A person in a role, over an area, a department, or the district where `reach` is its number.
fn actor(role: Role, reach: &str) -> Actor {
    let scope = match reach {
        "410182" => Scope::District(DISTRICT),
        _ if reach.starts_with(|first: char| first.is_ascii_digit()) => Scope::Area(code(reach)),
        _ => Scope::Department(reach.to_owned()),
    };
    Actor { subject: format!("{} of {reach}", role.code()), role, scope }
}

fn a_report(place: &str, kind: ReporterKind) -> Report {
    Report {
        id: Uuid::from_u128(1),
        case_number: "410182-20240522-000001".to_owned(),
        category: "trees-pests".to_owned(),
        condition: String::new(),
        place: Place { area: code(place), area_version: 3, point: None, address: "繁荣街".to_owned() },
        description: "行道树有虫，滴油污染停车位".to_owned(),
        reporter: Reporter { kind, subject: None, name: None, phone_tail: Some("5678".to_owned()) },
        evidence: vec![],
        verify_public: true,
    }
}

fn closed_root(now: OffsetDateTime) -> MergeRoot {
    MergeRoot { id: ROOT, district: DISTRICT, state: State::Closed, closed: Some(now) }
}

fn to(lead: Unit) -> Action {
    Action::Dispatch { lead, co_handlers: vec![] }
}

fn extend(days: u32) -> Action {
    Action::RequestExtension { by: limit(TimeUnit::WorkingDays, days) }
}

fn street() -> Actor {
    actor(Role::Street, STREET)
}

fn dispatcher() -> Actor {
    actor(Role::Dispatcher, "410182")
}

fn handling_due(case: &Case) -> OffsetDateTime {
    case.event.handling_clock.as_ref().unwrap().clock.due
}

/// The action with a reason, a note and evidence.
fn full(action: Action) -> Command {
    let evidence = vec![Evidence { text: "现场照片".to_owned(), ..Evidence::default() }];
    Command { action, reason: "事由".to_owned(), note: "说明".to_owned(), evidence }
}

/// An event with its history and the time: for tests that go a way.
#[derive(Clone)]
struct Case {
    event: Event,
    history: Vec<Transition>,
    now: OffsetDateTime,
}

impl Case {
    fn report(place: &str, by: &Actor, now: OffsetDateTime) -> Case {
        let report_now = a_report(place, ReporterKind::Worker);
        let (event, transition) = report(report_now, std::slice::from_ref(by), &ctx(now)).unwrap();
        Case { event, history: vec![transition], now }
    }

    /// An event that the street has dispatched to `lead`, with all in `HANDLING`.
    fn handled_by(lead: &Unit) -> Case {
        let street = actor(Role::Street, STREET);
        let mut case = Case::report(GRID, &actor(Role::GridWorker, GRID), MORNING);
        case.does(&street, Action::Accept);
        case.does(&street, Action::Register);
        case.does(&street, Action::Dispatch { lead: lead.clone(), co_handlers: vec![] });
        case.does(&case.holder(), Action::SignFor);
        case
    }

    /// Somebody of the holder's own unit.
    fn holder(&self) -> Actor {
        match self.event.holder() {
            Unit::Department(code) => actor(Role::Department, &code),
            Unit::Area(area) => actor(Role::GridWorker, &area.to_string()),
        }
    }

    fn attempt(&self, by: &Actor, action: Action) -> Result<(Event, Transition), Refusal> {
        let mut context = ctx(self.now);
        if matches!(action, Action::Answer { .. }) {
            // The root that a merged event is answered for has been closed.
            context.merge_root = Some(closed_root(self.now));
        }
        apply(&self.event, &full(action), std::slice::from_ref(by), &context)
    }

    fn does(&mut self, by: &Actor, action: Action) {
        let (event, transition) = self.attempt(by, action).unwrap();
        self.event = event;
        self.history.push(transition);
    }

    fn refused(&self, by: &Actor, action: Action) -> Refusal {
        self.attempt(by, action).unwrap_err()
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
    }

    /// Lets the system do all that is due.
    fn sweep(&mut self) {
        while let Some(action) = self.event.due_action(self.now) {
            self.does(&Actor::system(DISTRICT), action);
        }
    }

    fn actions(&self) -> Vec<&'static str> {
        self.history.iter().map(|transition| transition.action.code()).collect()
    }

    fn verify(&self) {
        verify_chain(&self.history).unwrap();
        assert_eq!(self.history.len() as i64, self.event.version);
        assert_eq!(self.history.last().map(|last| last.hash), Some(self.event.last_hash));
    }
}
