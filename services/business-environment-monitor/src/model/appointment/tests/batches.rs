//! Batches: the table walked whole, and one of thirty people in three roles from the draft to its certificates.

use jingwei_work_calendar::NoCalendar;

use super::*;
use crate::model::appointment::batch::{
    self, Batch, Changed, Command as Step, Content, Context, Refusal as No, State as Stage,
};
use crate::model::issue::tests::CALENDAR;

const CODES: [&str; 3] = ["special-supervisor", "market-experiencer", "wisdom-supervisor"];

fn content() -> Content {
    let roles = CODES.map(str::to_owned).to_vec();
    Content { title: "首批“三员”".to_owned(), roles, term_months: None }
}

/// A batch with its people.
pub(super) struct Case {
    pub(super) batch: Batch,
    pub(super) members: Vec<Appointment>,
    roles: Vec<MonitorRole>,
    pub(super) now: OffsetDateTime,
}

impl Case {
    pub(super) fn draft() -> Case {
        let roles = roles();
        let batch = Batch::draft(Uuid::from_u128(1), DISTRICT, content(), &office(), &roles).unwrap();
        Case { batch, members: Vec::new(), roles, now: datetime!(2024-03-04 9:00 +8) }
    }

    pub(super) fn attempt(&self, by: &Actor, step: &Step) -> Result<Changed, No> {
        let context = Context { now: self.now, calendar: &CALENDAR, roles: &self.roles };
        batch::apply(&self.batch, &self.members, step, by, &context)
    }

    pub(super) fn does(&mut self, step: &Step) -> &mut Case {
        let (batch, changed) = self.attempt(&office(), step).unwrap();
        self.batch = batch;
        for (member, _) in changed {
            let place = self.members.iter().position(|one| one.id == member.id).unwrap();
            self.members[place] = member;
        }
        self
    }

    pub(super) fn nominate(&mut self, role: usize, person: &str) {
        let role = &self.roles[role];
        let given =
            Nomination { role: role.code.clone(), group: role.main_groups[0].clone(), ..nomination(person) };
        let candidacy = Candidacy { batch: &self.batch, members: &self.members, role, previous: None };
        let id = Uuid::from_u128(100 + self.members.len() as u128);
        let (appointment, _) = nominate(id, &given, &candidacy, &office(), self.now).unwrap();
        self.members.push(appointment);
    }

    fn each(&mut self, which: impl Fn(&Appointment) -> bool, command: &Command) {
        for member in self.members.iter_mut().filter(|member| which(member)) {
            *member = apply(member, command, &office(), self.batch.state, self.now).unwrap().0;
        }
    }

    fn count(&self, state: State) -> usize {
        self.members.iter().filter(|member| member.state == state).count()
    }
}

#[test]
fn thirty_people_in_three_roles_get_their_certificates() {
    let mut case = Case::draft();
    case.does(&Step::Open);
    assert_eq!(case.attempt(&office(), &Step::StartVetting).map(drop), Err(No::NobodyLeft));
    for number in 0..31 {
        case.nominate(number % 3, &format!("person-{number}"));
    }
    case.does(&Step::StartVetting);
    let publicise = Step::Publicise { working_days: 5 };
    let everybody = case.members.iter().map(|member| member.id).collect();
    let unvetted = case.attempt(&office(), &publicise).map(drop);
    assert_eq!(unvetted, Err(No::Unvetted { appointments: everybody }));
    case.each(|member| member.nomination.person != "person-30", &Command::Vet);
    case.each(
        |member| member.state == State::Nominated,
        &Command::Decline { reason: "不符合条件".to_owned() },
    );
    assert_eq!(case.attempt(&office(), &Step::Publicise { working_days: 0 }).map(drop), Err(No::NoPublicity));
    case.does(&publicise);
    assert_eq!((case.count(State::Publicised), case.count(State::Declined)), (30, 1));

    // Monday and five working days: to the next Monday's end.
    let end = datetime!(2024-03-11 17:30 +8);
    assert_eq!(case.batch.publicity_end, Some(end));
    let running = case.attempt(&office(), &Step::Approve).map(drop);
    assert_eq!(running, Err(No::PublicityRunning { end }));
    case.now = end;
    case.does(&Step::Approve);
    case.now = NOW;
    case.does(&Step::Certify { first: date!(2024 - 03 - 15), sequence: 17 }).does(&Step::Close);
    assert_eq!((case.batch.state, case.count(State::Active)), (Stage::Closed, 30));
    let mut numbers: Vec<_> = case.members.iter().filter_map(|member| member.certificate.clone()).collect();
    assert_eq!((numbers[0].as_str(), numbers[29].as_str()), ("410183-2024-000017", "410183-2024-000046"));
    numbers.dedup();
    assert_eq!(numbers.len(), 30);
    let tenure = Tenure { first: date!(2024 - 03 - 15), last: date!(2026 - 03 - 14) };
    assert!(case.members.iter().all(|m| m.state == State::Declined || m.tenure == Some(tenure)));
}

#[test]
fn an_objection_leads_back_to_vetting_until_it_is_answered() {
    let mut case = Case::draft();
    case.does(&Step::Open);
    case.nominate(0, "zhang");
    case.nominate(1, "wang");
    case.does(&Step::StartVetting);
    case.each(|_| true, &Command::Vet);
    let publicise = Step::Publicise { working_days: 3 };
    case.does(&publicise);
    let (zhang, wang) = (case.members[0].id, case.members[1].id);
    let object = |text: &str, against| Step::Object { text: text.to_owned(), against };
    for wrong in
        [object(" ", vec![zhang]), object("异议", Vec::new()), object("异议", vec![zhang, Uuid::nil()])]
    {
        assert_eq!(case.attempt(&office(), &wrong).map(drop), Err(No::Objection));
    }
    case.does(&object("与企业有利害关系", vec![wang]));
    assert_eq!(case.batch.state, Stage::Vetting);
    assert_eq!([case.members[0].state, case.members[1].state], [State::Vetted, State::Nominated]);

    case.each(|member| member.id == wang, &Command::Decline { reason: "异议属实".to_owned() });
    assert_eq!(case.attempt(&office(), &publicise).map(drop), Err(No::ObjectionsOpen));
    let answer = |number, text: &str| Step::Answer { number, text: text.to_owned() };
    for wrong in [answer(0, "已核实"), answer(2, "已核实"), answer(1, " ")] {
        assert_eq!(case.attempt(&office(), &wrong).map(drop), Err(No::NoSuchObjection));
    }
    case.does(&answer(1, "已核实，取消提名"));
    assert_eq!(case.attempt(&office(), &answer(1, "再答")).map(drop), Err(No::NoSuchObjection));
    // A publicity of its own, in full.
    case.now = datetime!(2024-03-06 9:00 +8);
    case.does(&publicise);
    assert_eq!(case.batch.publicity_end, Some(datetime!(2024-03-11 17:30 +8)));
    assert_eq!([case.members[0].state, case.members[1].state], [State::Publicised, State::Declined]);
}

#[test]
fn nobody_left_is_not_publicised() {
    let mut case = Case::draft();
    case.does(&Step::Open);
    case.nominate(0, "zhang");
    case.does(&Step::StartVetting);
    case.each(|_| true, &Command::Decline { reason: "不符合条件".to_owned() });
    let refused = case.attempt(&office(), &Step::Publicise { working_days: 5 }).map(drop);
    assert_eq!(refused, Err(No::NobodyLeft));
}

/// Of each command the state it needs and the one it leads to, once more.
#[test]
fn every_state_and_command_of_a_batch() {
    use Stage::{Approved, Certified, Closed, Draft, Nominating, Publicity, Vetting};
    let id = in_state(State::Publicised).id;
    let table = [
        (Step::Open, Draft, Nominating, State::Nominated),
        (Step::StartVetting, Nominating, Vetting, State::Nominated),
        (Step::Publicise { working_days: 5 }, Vetting, Publicity, State::Vetted),
        (Step::Object { text: "异议".to_owned(), against: vec![id] }, Publicity, Vetting, State::Publicised),
        (Step::Answer { number: 1, text: "答复".to_owned() }, Vetting, Vetting, State::Vetted),
        (Step::Approve, Publicity, Approved, State::Publicised),
        (Step::Certify { first: date!(2024 - 03 - 15), sequence: 1 }, Approved, Certified, State::Approved),
        (Step::Close, Certified, Closed, State::Active),
    ];
    let answered = |step: &Step| !matches!(step, Step::Answer { .. });
    for (step, from, to, member) in &table {
        for state in Stage::ALL {
            let mut case = Case { members: vec![in_state(*member)], now: NOW, ..Case::draft() };
            let answer = answered(step).then(|| "答复".to_owned());
            let (text, against) = ("异议".to_owned(), vec![id]);
            case.batch.objections = vec![batch::Objection { text, against, at: NOW, answer }];
            case.batch.state = state;
            let result = case.attempt(&office(), step).map(|(batch, _)| batch.state);
            let expected = if state == *from { Ok(*to) } else { Err(No::WrongState { state }) };
            assert_eq!(result, expected, "{step:?} {state:?}");
            for stranger in [actor(Role::Monitor, "li"), Actor { district: 410_182, ..office() }] {
                assert_eq!(case.attempt(&stranger, step).map(drop), Err(No::NotAllowed));
            }
        }
    }
}

#[test]
fn a_batch_is_of_known_roles_for_no_longer_than_these() {
    let draft = |content: Content| {
        Batch::draft(Uuid::nil(), DISTRICT, content, &office(), &roles()).map(|batch| batch.version)
    };
    assert_eq!(draft(Content { term_months: Some(24), ..content() }), Ok(1));
    let long = draft(Content { term_months: Some(25), ..content() });
    assert_eq!(long, Err(No::TermTooLong { role: CODES[0].to_owned(), at_most: 24 }));
    let unknown = draft(Content { roles: vec!["mayor".to_owned()], ..content() });
    assert_eq!(unknown, Err(No::UnknownRole { role: "mayor".to_owned() }));

    let mut case = Case { members: vec![in_state(State::Approved)], now: NOW, ..Case::draft() };
    case.batch.state = Stage::Approved;
    case.batch.content.term_months = Some(12);
    case.does(&Step::Certify { first: date!(2024 - 03 - 15), sequence: 1 });
    assert_eq!(case.members[0].tenure.map(|tenure| tenure.last), Some(date!(2025 - 03 - 14)));

    case.batch.state = Stage::Vetting;
    case.members = vec![in_state(State::Vetted)];
    case.now = datetime!(2026-12-31 9:00 +8);
    let refused = case.attempt(&office(), &Step::Publicise { working_days: 5 }).map(drop);
    assert_eq!(refused, Err(No::from(NoCalendar { year: 2027 })));
}
