//! The history of one district, lived through in the order of time: reports, what people do, the sweep's alarms.
//!
//! Only events that still have something before them are held in memory.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use jingwei_grid::api::report::{decide, read};
use jingwei_grid::api::wire::event as wire;
use jingwei_grid::model::action::Command;
use jingwei_grid::model::actor::Actor;
use jingwei_grid::model::apply::apply;
use jingwei_grid::model::count::contributions;
use jingwei_grid::model::event::{Event, Place};
use jingwei_grid::model::transition::Transition;
use jingwei_grid::seal::{self, Keyring};
use jingwei_grid::store::change::Contact;
use jingwei_kit::status::Violations;
use jingwei_work_calendar::CHINA_STANDARD_TIME;
use prost::Message;
use time::{Date, Duration, OffsetDateTime};

use super::Error;
use super::days::Days;
use super::fold::Fold;
use super::life::{Birth, Door, Midwife};
use super::reference::District;
use super::rows::{Answer, Change, Rows};
use super::step::{Ask, Step, deny, key, perform};

/// How long after its time the sweep gives an alarm: half its interval.
const SWEEP: Duration = Duration::milliseconds(500);

/// What happened, as it can be done again through the API.
pub enum Happening {
    /// A report came in and got this case number.
    Reported(String, Box<Birth>),
    /// Somebody did something with the event of this case number.
    Acted(String, Box<Step>),
    /// The same, and the service refused: nothing was written.
    Refused(String, Box<Step>),
    /// The sweep did what was due.
    Swept(OffsetDateTime),
}

/// An event that still has something before it.
struct Life {
    event: Event,
    case_number: String,
    case: usize,
    contact: Contact,
    /// When its reporter last showed a secret.
    tried: Option<OffsetDateTime>,
    /// What is to come, the next one last.
    steps: Vec<Step>,
}

/// A district on its way through time.
pub struct History<'a> {
    district: &'a District,
    data_keys: &'a Keyring,
    midwife: Midwife<'a>,
    days: Days,
    until: OffsetDateTime,
    fold: Fold,
    seq: i64,
    /// Local days with the last case number given out on each.
    case_days: Vec<(Date, i32)>,
    lives: Vec<Option<Life>>,
    free: Vec<usize>,
    /// When something is next to happen to which life; of two at the same moment the one that was known first.
    next: BinaryHeap<Reverse<(OffsetDateTime, u64, usize)>>,
    known: u64,
}

/// What a district's history leaves behind beside the rows.
pub struct Left {
    /// The last number of the change feed.
    pub seq: i64,
    /// Local days with the last case number given out on each.
    pub case_days: Vec<(Date, i32)>,
}

impl<'a> History<'a> {
    /// The history of a district up to a moment.
    pub fn new(
        district: &'a District,
        data_keys: &'a Keyring,
        midwife: Midwife<'a>,
        days: Days,
        until: OffsetDateTime,
    ) -> Self {
        Self {
            district,
            data_keys,
            midwife,
            days,
            until,
            fold: Fold::new(district.code, district.parents.clone()),
            seq: district.seq,
            case_days: Vec::new(),
            lives: Vec::new(),
            free: Vec::new(),
            next: BinaryHeap::new(),
            known: 0,
        }
    }

    /// Lets the next thing happen and writes its rows; `None` at the end.
    ///
    /// # Errors
    /// The service would refuse what was to happen.
    pub fn step(&mut self, rows: &mut Rows) -> Result<Option<Happening>, Error> {
        let due = self.next.peek().map(|Reverse((at, ..))| *at).filter(|at| *at <= self.until);
        let report = self.days.peek(&mut self.midwife.random);
        if let Some(at) = report.filter(|report| due.is_none_or(|due| *report < due)) {
            self.days.take();
            return self.report(at, rows).map(Some);
        }
        let Some(at) = due else { return Ok(None) };
        let Some(Reverse((_, _, slot))) = self.next.pop() else { return Ok(None) };
        let mut life = self.lives[slot].take().expect("what is to happen happens to a life");
        let acts = life.steps.last().is_some_and(|step| step.at == at);
        let happening = if acts {
            let step = life.steps.pop().expect("just seen");
            let case_number = life.case_number.clone();
            match (self.act(&mut life, &step, rows), &step.ask) {
                // Too late to ask for more time, or to give it.
                (Err(Error::Refused(_)), Ask::Extension(_) | Ask::ApproveExtension(_)) => {
                    if let Ask::ApproveExtension(request) = &step.ask
                        && life.event.pending.is_some()
                    {
                        life.steps.push(deny(&step, request));
                    }
                    Happening::Refused(case_number, Box::new(step))
                }
                (done, _) => done.map(|()| Happening::Acted(case_number, Box::new(step)))?,
            }
        } else {
            self.alarm(&mut life, at, rows)?;
            Happening::Swept(at)
        };
        // The sweep gives all that are due of one event at once; what an action makes due, the next sweep.
        let now = if acts { at + SWEEP } else { at };
        self.settle(life, Some(slot), now, rows);
        Ok(Some(happening))
    }

    /// Writes what still stands open at the end, and the counters.
    pub fn finish(mut self, rows: &mut Rows) -> Left {
        for life in std::mem::take(&mut self.lives).into_iter().flatten() {
            rows.stands(&life.event, &life.case_number, &life.contact, life.tried);
        }
        self.fold.write(rows);
        Left { seq: self.seq, case_days: self.case_days }
    }

    fn report(&mut self, at: OffsetDateTime, rows: &mut Rows) -> Result<Happening, Error> {
        let birth = self.midwife.birth(at);
        let case = birth.case;
        let (event, transition, contact) = self.made(&birth, at)?;
        let case_number = self.case_number(at);
        let answer = self.answer_to_report(&birth, &event, &case_number, at, rows)?;
        rows.reported(&event);
        self.write(None, &event, &transition, answer, rows);
        let steps = birth.steps.iter().rev().cloned().collect();
        let happening = Happening::Reported(case_number.clone(), Box::new(birth));
        let life = Life { event, case_number, case, contact, tried: None, steps };
        self.settle(life, None, at + SWEEP, rows);
        Ok(happening)
    }

    /// What the service makes of the report.
    fn made(&self, birth: &Birth, at: OffsetDateTime) -> Result<(Event, Transition, Contact), Error> {
        let (request, grid) = (&birth.request, &self.district.grids[birth.grid]);
        let mut violations = Violations::new();
        let fields = read(request, &birth.by.subject, &mut violations);
        violations.finish().map_err(jingwei_grid::error::Error::from)?;
        let mut fields = fields?;
        let (point, phone) = (fields.point, fields.phone.take());
        let area_version = grid.version(at);
        let place = Place { area: grid.area, area_version, point, address: request.address.clone() };
        let reference = &self.district.cases[birth.case].reference;
        let grants = std::slice::from_ref(&birth.by);
        let (event, transition) = decide(fields, birth.id, request, place, reference, grants, at)?;
        let phone = phone.map(|phone| self.data_keys.seal(birth.id, &phone)).transpose();
        let code = self.data_keys.codes(birth.id).next().filter(|_| birth.door == Door::Public);
        let contact = Contact {
            phone: phone.map_err(jingwei_grid::error::Error::from)?,
            code_hash: code.map(|code| seal::hash(birth.id, &code)),
        };
        Ok((event, transition, contact))
    }

    fn case_number(&mut self, at: OffsetDateTime) -> String {
        let day = at.to_offset(CHINA_STANDARD_TIME).date();
        if self.case_days.last().is_none_or(|(last, _)| *last != day) {
            self.case_days.push((day, 0));
        }
        let (_, last) = self.case_days.last_mut().expect("just there");
        *last += 1;
        let (year, month, date) = (day.year(), u8::from(day.month()), day.day());
        format!("{}-{year:04}{month:02}{date:02}-{last:06}", self.district.code)
    }

    /// The kept answer has the case number appended, as the statement that gives it out does.
    fn answer_to_report(
        &self,
        birth: &Birth,
        event: &Event,
        case_number: &str,
        at: OffsetDateTime,
        rows: &Rows,
    ) -> Result<Option<Answer>, Error> {
        if birth.request.request_id.is_empty() || !rows.keeps_answers_of(at) {
            return Ok(None);
        }
        let bound = wire::without_phone(&birth.request);
        let key = key(&birth.by.subject, event.district, &birth.request.request_id, "ReportEvent", &bound)?;
        let mut response = wire::write(event, std::slice::from_ref(&birth.by)).encode_to_vec();
        let number =
            jingwei_proto::grid::v1::Event { case_number: case_number.to_owned(), ..Default::default() };
        response.extend(number.encode_to_vec());
        Ok(Some(Answer { key, response }))
    }

    fn act(&mut self, life: &mut Life, step: &Step, rows: &mut Rows) -> Result<(), Error> {
        let before = life.numbered();
        let context = self.district.cases[life.case].reference.context(step.at);
        let keep = rows.keeps_answers_of(step.at);
        let done = perform(&step.ask, &step.by, &before, &context, keep)?;
        if matches!(step.ask, Ask::Answer { .. }) {
            life.tried = Some(step.at);
        }
        self.write(Some(&before), &done.after, &done.transition, done.answer, rows);
        life.event = done.after;
        Ok(())
    }

    /// One alarm, or the end of a suspension, as the sweep does it.
    fn alarm(&mut self, life: &mut Life, at: OffsetDateTime, rows: &mut Rows) -> Result<(), Error> {
        let before = life.numbered();
        let context = self.district.cases[life.case].reference.context(at);
        let action = before.due_action(at).ok_or(Error::Corrupt("an alarm that is not due"))?;
        let system = [Actor::system(before.district)];
        let (after, transition) = apply(&before, &Command::from(action), &system, &context)?;
        self.write(Some(&before), &after, &transition, None, rows);
        life.event = after;
        Ok(())
    }

    fn write(
        &mut self,
        before: Option<&Event>,
        after: &Event,
        transition: &Transition,
        answer: Option<Answer>,
        rows: &mut Rows,
    ) {
        self.seq += 1;
        let contributions = &contributions(transition.action, before, after, transition.at);
        self.fold.add(transition.area, contributions);
        rows.changed(&Change { event: after, transition, contributions, seq: self.seq }, answer);
    }

    /// Puts a life back to wait for what comes next, or writes it where nothing does. The sweep looks at it at `swept`, not before.
    fn settle(&mut self, life: Life, slot: Option<usize>, swept: OffsetDateTime, rows: &mut Rows) {
        let alarm = |at: OffsetDateTime| if at <= swept { swept } else { at + SWEEP };
        let swept = life.event.alarm_at().map(alarm);
        let step = life.steps.last().map(|step| step.at);
        let Some(at) = swept.into_iter().chain(step).min() else {
            rows.stands(&life.event, &life.case_number, &life.contact, life.tried);
            self.free.extend(slot);
            return;
        };
        let slot = slot.or_else(|| self.free.pop()).unwrap_or_else(|| {
            self.lives.push(None);
            self.lives.len() - 1
        });
        self.lives[slot] = Some(life);
        self.known += 1;
        self.next.push(Reverse((at, self.known, slot)));
    }
}

impl Life {
    /// The event as the service reads it before a change: with its case number, which its first row was written without.
    fn numbered(&self) -> Event {
        Event { case_number: self.case_number.clone(), ..self.event.clone() }
    }
}
