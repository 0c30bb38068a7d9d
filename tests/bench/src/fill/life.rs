//! Lives of events: who reports what, and what is then done with it, drawn at random in the proportions of a district that works.

use jingwei_grid::api::wire::limit::write as limit;
use jingwei_grid::api::wire::time::write as moment;
use jingwei_grid::model::actor::Actor;
use jingwei_grid::model::area::AreaCode;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::unit::Kind;
use jingwei_work_calendar::CHINA_STANDARD_TIME;
use time::{Duration, OffsetDateTime, Time};
use uuid::Uuid;

use super::reference::District;
use super::step::{Ask, Step, of_area, of_department};
use super::texts;

/// How a life goes, with how many of a thousand go so.
const KINDS: [(Way, u32); 6] = [
    (Way::Settled, 690),
    (Way::Rejected, 60),
    (Way::Community, 145),
    (Way::Department, 80),
    (Way::Escalated, 10),
    (Way::Void, 15),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// A worker meets with it and settles it on the spot.
    Settled,
    /// It is not accepted.
    Rejected,
    /// The grid's chief handles it, its community verifies.
    Community,
    /// The street accepts it, a department handles it.
    Department,
    /// The grid and the community give it up to the street first.
    Escalated,
    /// It is accepted and turns out to be nothing.
    Void,
}

/// Through which door a report comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// Somebody who is signed in reports.
    Signed,
    /// The public reports, without signing in.
    Public,
}

/// The start of a life.
pub struct Birth {
    /// Through which door.
    pub door: Door,
    /// Who reports.
    pub by: Actor,
    /// The report.
    pub request: pb::ReportEventRequest,
    /// The event's id.
    pub id: Uuid,
    /// When.
    pub at: OffsetDateTime,
    /// The number of the case in the district's list.
    pub case: usize,
    /// The number of the grid in the district's list.
    pub grid: usize,
    /// What comes then, in order.
    pub steps: Vec<Step>,
}

/// What births are drawn with.
pub struct Midwife<'a> {
    /// Where.
    pub district: &'a District,
    /// Chance.
    pub random: fastrand::Rng,
    /// From when on requests have ids: those of earlier ones are forgotten anyway.
    pub ids_since: OffsetDateTime,
    /// From when on lives may stand still half-way.
    pub stuck_since: OffsetDateTime,
    /// How many of these do.
    pub stuck: f64,
}

impl Midwife<'_> {
    /// An event that is reported at this moment.
    pub fn birth(&mut self, at: OffsetDateTime) -> Birth {
        let kind = self.kind();
        let grid = self.skewed(self.district.grids.len(), 2.0);
        let drawn = self.skewed(self.district.cases.len(), 1.6);
        let area = self.district.grids[grid].area;
        let id = self.id(at);
        let (door, by, reporter) = self.reporter(kind, area);
        // The public's door has no field for the condition.
        let case = if door == Door::Public { self.district.without_condition(drawn) } else { drawn };
        let request = self.report(id, at, (grid, case), reporter.clone());
        let name = format!("districts/{}/events/{id}", self.district.code);
        let named = reporter.as_ref().is_some_and(|reporter| !reporter.phone.is_empty());
        let known = &self.district.cases[case];
        let department = self.district.departments[known.department].clone();
        let extension = limit(known.reference.limits.handle);
        let mut plan =
            Plan { owner: self, name, area, department, extension, born: at, at, steps: Vec::new() };
        plan.live(kind, door, named);
        let mut steps = plan.steps;
        if at >= self.stuck_since && self.random.f64() < self.stuck {
            steps.truncate(self.random.usize(0..steps.len().max(1)));
        }
        Birth { door, by, request, id, at, case, grid, steps }
    }

    fn kind(&mut self) -> Way {
        let mut drawn = self.random.u32(0..KINDS.iter().map(|(_, share)| share).sum());
        let hit = KINDS.iter().find(|(_, share)| {
            let hit = drawn < *share;
            drawn = drawn.saturating_sub(*share);
            hit
        });
        hit.expect("drawn below the sum").0
    }

    /// A number below `count`; low ones come more often, with the exponent.
    fn skewed(&mut self, count: usize, exponent: f64) -> usize {
        ((self.random.f64().powf(exponent) * count as f64) as usize).min(count - 1)
    }

    /// A UUIDv7 of the moment.
    fn id(&mut self, at: OffsetDateTime) -> Uuid {
        let millis = u64::try_from(at.unix_timestamp_nanos() / 1_000_000).expect("after 1970");
        let mut tail = [0; 10];
        self.random.fill(&mut tail);
        uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid()
    }

    /// A request's id; none where nobody would ever ask for it again.
    fn request_id(&mut self, at: OffsetDateTime) -> String {
        if at < self.ids_since {
            return String::new();
        }
        self.id(at).to_string()
    }

    fn reporter(&mut self, kind: Way, grid: AreaCode) -> (Door, Actor, Option<pb::Reporter>) {
        let community = grid.parent().expect("a grid lies in a community");
        let drawn = self.random.u32(0..100);
        if kind == Way::Settled || drawn < 60 {
            return (Door::Signed, of_area(grid, false), None);
        }
        let public = drawn >= 85;
        let anonymous = public && self.random.u32(0..100) < 30;
        let reporter = if anonymous {
            pb::Reporter { kind: pb::ReporterKind::Anonymous.into(), ..Default::default() }
        } else {
            pb::Reporter {
                kind: pb::ReporterKind::Resident.into(),
                display_name: texts::name(&mut self.random),
                phone: format!("138{:08}", self.random.u32(0..100_000_000)),
            }
        };
        if public {
            (Door::Public, Actor::public(self.district.code), Some(reporter))
        } else {
            (Door::Signed, of_area(community, false), Some(reporter))
        }
    }

    fn report(
        &mut self,
        id: Uuid,
        at: OffsetDateTime,
        (grid, case): (usize, usize),
        reporter: Option<pb::Reporter>,
    ) -> pb::ReportEventRequest {
        let (code, grid, case) = (self.district.code, &self.district.grids[grid], &self.district.cases[case]);
        let point = (!grid.spots.is_empty()).then(|| grid.spots[self.random.usize(0..grid.spots.len())]);
        pb::ReportEventRequest {
            parent: format!("districts/{code}"),
            event_id: id.to_string(),
            category: format!("districts/{code}/categories/{}", case.category),
            condition: case.condition.clone(),
            area: format!("districts/{code}/areas/{}", grid.area),
            point: point.map(|p| pb::Point { latitude: p.latitude(), longitude: p.longitude() }),
            coordinate_system: pb::CoordinateSystem::Wgs84.into(),
            address: texts::address(&mut self.random),
            description: texts::description(&mut self.random),
            reporter,
            evidence: Vec::new(),
            request_id: self.request_id(at),
        }
    }
}

/// A life in the making.
struct Plan<'a, 'b> {
    owner: &'a mut Midwife<'b>,
    name: String,
    area: AreaCode,
    department: String,
    /// What more time is asked for: as much again.
    extension: pb::Limit,
    /// When it was reported.
    born: OffsetDateTime,
    at: OffsetDateTime,
    steps: Vec<Step>,
}

/// Sends a request as the next step: `name` and `request_id` are filled in.
macro_rules! ask {
    ($plan:ident, $minutes:expr, $by:expr, $ask:ident($request:ident { $($field:ident $(: $value:expr)?),* })) => {{
        $plan.wait($minutes);
        let (name, request_id) = ($plan.name.clone(), $plan.owner.request_id($plan.at));
        let request = pb::$request { name, request_id, $($field $(: $value)?,)* ..Default::default() };
        $plan.steps.push(Step { at: $plan.at, by: $by, ask: Ask::$ask(request) });
    }};
}

impl Plan<'_, '_> {
    /// Some of the minutes pass, mostly few of them; then on to the next working hour. People are taken to write down what they did
    /// on the five minutes, the quarter or the hour, counted from the report: the counters keep each number of minutes apart, and
    /// with every minute of its own they would outgrow the events.
    fn wait(&mut self, most: u32) {
        let seconds = self.owner.random.f64().powi(3) * f64::from(most) * 60.0 + 60.0;
        let at = at_work(self.at + Duration::seconds(seconds as i64), &mut self.owner.random);
        let passed = (at - self.born).whole_seconds();
        let step = match passed {
            ..3600 => 300,
            3600..28_800 => 900,
            _ => 3600,
        };
        self.at = self.born + Duration::seconds((passed + step - 1) / step * step);
    }

    fn live(&mut self, kind: Way, door: Door, named: bool) {
        let chief = of_area(self.area, true);
        let community = self.area.parent().expect("a grid lies in a community");
        let street = community.parent().expect("a community lies in a street");
        if door == Door::Public && kind != Way::Rejected {
            ask!(self, 30, chief.clone(), Confirm(ConfirmEventRequest { note: "现场已核实".into() }));
        }
        match kind {
            Way::Settled => self.settle(),
            Way::Rejected => self.reject(),
            Way::Void => {
                ask!(self, 60, of_area(community, false), Accept(AcceptEventRequest {}));
                ask!(
                    self,
                    90,
                    of_area(community, false),
                    Void(VoidEventRequest { reason: "经核实无此事".into() })
                );
            }
            Way::Community => self.handle_in(community, &chief, &area(self.area), None),
            Way::Department => self.by_department(street),
            Way::Escalated => {
                let reason = || "本级无力处置".to_owned();
                ask!(self, 60, chief, Escalate(EscalateEventRequest { reason: reason() }));
                ask!(
                    self,
                    60,
                    of_area(community, false),
                    Escalate(EscalateEventRequest { reason: reason() })
                );
                self.by_department(street);
            }
        }
        let closed = matches!(kind, Way::Community | Way::Department | Way::Escalated);
        if closed && named && self.chance(40) {
            self.answer(if kind == Way::Community { community } else { street });
        }
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.owner.random.u32(0..100) < percent
    }

    fn settle(&mut self) {
        let (note, evidence) = (texts::done(&mut self.owner.random), evidence("处理后照片已留存"));
        let outcome = pb::EventOutcome::Solved.into();
        let worker = of_area(self.area, false);
        ask!(self, 20, worker, Settle(SettleEventRequest { outcome, note, evidence }));
    }

    fn reject(&mut self) {
        let (reason, outcome) = if self.chance(50) {
            ("不属于本区职责", pb::EventOutcome::NotOurDuty)
        } else {
            ("现场未发现所述情况", pb::EventOutcome::Unfounded)
        };
        let (reason, outcome) = (reason.to_owned(), outcome.into());
        let chief = of_area(self.area, true);
        ask!(self, 90, chief, Reject(RejectEventRequest { reason, outcome }));
    }

    fn by_department(&mut self, street: AreaCode) {
        let code = self.owner.district.code;
        let own = self.department.clone();
        let all = &self.owner.district.departments;
        let with = all[self.owner.random.usize(0..all.len())].clone();
        let with = Some(with).filter(|with| *with != own && self.owner.random.u32(0..100) < 10);
        self.handle_in(street, &of_department(code, &own), &department(code, &own), with);
    }

    /// Accepted and given to a unit by a desk, handled, verified.
    fn handle_in(&mut self, desk: AreaCode, handler: &Actor, lead: &pb::Unit, with: Option<String>) {
        let office = of_area(desk, false);
        ask!(self, 90, office.clone(), Accept(AcceptEventRequest {}));
        ask!(self, 45, office.clone(), Register(RegisterEventRequest {}));
        self.dispatch(&office, lead, with.as_deref());
        if with.is_none() && self.chance(6) {
            let (reason, evidence) = (pb::ReturnReason::NotOurDuty.into(), evidence("权属说明"));
            ask!(
                self,
                60,
                handler.clone(),
                Return(RequestReturnRequest { reason, evidence, note: "权属待核".into() })
            );
            ask!(self, 60, office.clone(), ApproveReturn(ApproveReturnRequest {}));
            self.dispatch(&office, lead, None);
        }
        ask!(self, 90, handler.clone(), SignFor(SignForEventRequest {}));
        self.meanwhile(&office, handler);
        if let Some(with) = with {
            let helper = of_department(self.owner.district.code, &with);
            ask!(self, 600, helper, CoHandled(CompleteCoHandlingRequest { note: "会办事项已完成".into() }));
        }
        self.resolve(handler);
        if self.chance(7) {
            ask!(self, 60, office.clone(), Fail(FailEventRequest { reason: "现场仍有遗留".into() }));
            self.resolve(handler);
        }
        ask!(self, 80, office, Pass(PassEventRequest {}));
    }

    fn dispatch(&mut self, office: &Actor, lead: &pb::Unit, with: Option<&str>) {
        let code = self.owner.district.code;
        let co_handlers = with.map(|with| department(code, with)).into_iter().collect();
        let lead = Some(lead.clone());
        ask!(self, 45, office.clone(), Dispatch(DispatchEventRequest { lead, co_handlers }));
    }

    /// What can happen before a handler is done.
    fn meanwhile(&mut self, office: &Actor, handler: &Actor) {
        if self.chance(4) {
            let extension = Some(self.extension);
            let reason = "材料到货较晚".to_owned();
            ask!(self, 300, handler.clone(), Extension(RequestExtensionRequest { extension, reason }));
            ask!(self, 90, office.clone(), ApproveExtension(ApproveExtensionRequest {}));
        }
        if self.chance(1) {
            let resume = self.at + Duration::days(3);
            let resume_time = Some(moment(resume));
            let reason = "等待雨停后施工".to_owned();
            ask!(self, 300, handler.clone(), Suspension(RequestSuspensionRequest { resume_time, reason }));
            ask!(self, 90, office.clone(), ApproveSuspension(ApproveSuspensionRequest {}));
            self.at = resume;
        }
        if self.chance(4) {
            ask!(self, 600, office.clone(), Urge(UrgeEventRequest { note: "请尽快处置".into() }));
        }
        if self.chance(1) && office.subject.starts_with("street") {
            ask!(
                self,
                300,
                office.clone(),
                Supervise(SuperviseEventRequest { level: 1, note: "区级督办".into() })
            );
        }
    }

    fn resolve(&mut self, handler: &Actor) {
        let partly = self.chance(5);
        let outcome = if partly { pb::EventOutcome::PartlySolved } else { pb::EventOutcome::Solved }.into();
        let (note, evidence) = (texts::done(&mut self.owner.random), evidence("处置后照片已留存"));
        let most = if self.chance(10) { 4 * 1440 } else { 420 };
        ask!(self, most, handler.clone(), Resolve(ResolveEventRequest { outcome, note, evidence }));
    }

    /// The reporter answers; where it is not solved, the desk looks at it again.
    fn answer(&mut self, desk: AreaCode) {
        self.wait(2 * 1440);
        let solved = self.chance(92);
        let rating = if solved { 3 + self.owner.random.i32(0..3) } else { 1 + self.owner.random.i32(0..2) };
        let by = Actor::public(self.owner.district.code);
        self.steps.push(Step { at: self.at, by, ask: Ask::Answer { solved, rating } });
        if !solved {
            let reason = "复核：已按标准处置".to_owned();
            ask!(self, 600, of_area(desk, false), Uphold(UpholdEventRequest { reason }));
        }
    }
}

/// The moment itself in the hours of work, 8:00 to 18:00; else a moment of the next morning.
fn at_work(at: OffsetDateTime, random: &mut fastrand::Rng) -> OffsetDateTime {
    let local = at.to_offset(CHINA_STANDARD_TIME);
    let day = match local.hour() {
        8..18 => return at,
        0..8 => local.date(),
        _ => local.date().next_day().expect("not the last day of all"),
    };
    let morning = Time::from_hms(8, 30, 0).expect("a time of day");
    let morning = day.with_time(morning).assume_offset(CHINA_STANDARD_TIME);
    (morning + Duration::seconds(random.i64(0..3600))).to_offset(time::UtcOffset::UTC)
}

fn evidence(text: &str) -> Vec<pb::Evidence> {
    vec![pb::Evidence { text: text.to_owned(), uri: String::new() }]
}

fn area(code: AreaCode) -> pb::Unit {
    pb::Unit { kind: Some(Kind::Area(format!("districts/{}/areas/{code}", code.district()))) }
}

fn department(district: i32, code: &str) -> pb::Unit {
    pb::Unit { kind: Some(Kind::Department(format!("districts/{district}/departments/{code}"))) }
}
