//! The resident service: report, follow and answer without signing in.

use jingwei_kit::status::Violations;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::resident_service_server::ResidentService;
use time::Duration;
use tonic::{Request, Response, Status};

use super::event::Events;
use super::limit::ReportLimit;
use super::report::By;
use super::wire::{name, resident as wire};
use super::write;
use crate::error::Error;
use crate::model::action::{Action, Command};
use crate::model::actor::Actor;
use crate::model::apply::{Context, MergeRoot, apply};
use crate::model::contact::Phone;
use crate::model::event::{Event, State};
use crate::model::spot;
use crate::seal;
use crate::store;
use crate::store::contact::Case;
use crate::store::event::Stored;

/// How far and how far back reports of the same kind are told of.
const SIMILAR_METRES: f64 = 250.0;
const SIMILAR_TIME: Duration = Duration::days(30);
/// How many steps of a case are shown; more than any sane case has.
const STEPS: i64 = 500;

/// The resident service.
#[derive(Clone)]
pub struct Residents {
    events: Events,
    limit: ReportLimit,
}

/// A case whose reporter has shown that it is theirs, with the event that it was merged into.
struct Shown {
    case: Case,
    root: Option<Stored>,
}

impl Shown {
    fn event(&self) -> &Event {
        &self.case.stored.event
    }
}

impl Residents {
    /// Over the events.
    pub fn new(events: Events) -> Self {
        Self { events, limit: ReportLimit::new() }
    }

    async fn submit(&self, request: pb::SubmitReportRequest) -> Result<pb::SubmitReportResponse, Error> {
        let district = name::read_district(&request.parent)?;
        let phone = reporter(&request)?;
        let report = wire::report(request);
        let grants = [Actor::public(district)];
        let by = By { subject: &grants[0].subject, grants: &grants, with_code: true, with: &[] };
        if !self.limit.allows(district, phone.as_ref()) {
            return Err(Error::TooManyAttempts);
        }
        let event = self.events.report(&by, &report).await?;
        let (_, id) = name::read_event(&event.name)?;
        let kept = store::contact::case(&self.events.pool, district, &event.case_number).await?;
        let Some(case) = kept else { return Err(Error::NotFound { name: event.name }) };
        // Of a repeat after a rotation of the keys, the one that was told then.
        let told = |code: &String| Some(seal::hash(id, code)) == case.code_hash;
        Ok(pb::SubmitReportResponse {
            case_number: event.case_number,
            tracking_code: self.events.data_keys.codes(id).find(told).unwrap_or_default(),
            similar_count: self.similar(&case.stored.event).await?,
        })
    }

    async fn similar(&self, event: &Event) -> Result<i32, Error> {
        let place = &event.place;
        let mut cells = vec![spot::area_cell(place.area)];
        cells.extend(place.point.map(|p| spot::around(p, SIMILAR_METRES)).unwrap_or_default());
        let since = event.times.reported - SIMILAR_TIME;
        let (pool, district) = (&self.events.pool, event.district);
        let count = store::spot::count_near(pool, district, &event.category, &cells, since).await?;
        Ok(i32::try_from(count - 1).unwrap_or(i32::MAX))
    }

    /// The case of that number, where the secret fits: alike NOT_FOUND where either is wrong.
    async fn shown(&self, parent: &str, case_number: &str, secret: &str) -> Result<Shown, Error> {
        let district = name::read_district(parent)?;
        let (pool, now) = (&self.events.pool, self.events.clock.now());
        let missing = || Error::NotFound { name: format!("{parent}/publicCases/{case_number}") };
        let case = store::contact::case(pool, district, case_number).await?.ok_or_else(missing)?;
        let event = &case.stored.event;
        if !store::contact::try_secret(pool, district, event.id, now).await? {
            return Err(Error::TooManyAttempts);
        }
        let fits_tail = event.reporter.phone_tail.as_deref() == Some(secret);
        if !fits_tail && case.code_hash != Some(seal::hash(event.id, secret)) {
            return Err(missing());
        }
        store::contact::forget_attempts(pool, district, event.id).await?;
        let root = match &event.merged {
            Some(merged) => store::event::get(pool, district, merged.into).await?,
            None => None,
        };
        Ok(Shown { case, root })
    }

    async fn track(&self, request: &pb::TrackCaseRequest) -> Result<pb::PublicCase, Error> {
        let shown = self.shown(&request.parent, &request.case_number, &request.secret).await?;
        self.write(&shown).await
    }

    async fn answer(&self, request: &pb::AnswerCaseRequest) -> Result<pb::PublicCase, Error> {
        let shown = self.shown(&request.parent, &request.case_number, &request.secret).await?;
        let rating = u8::try_from(request.rating).ok().filter(|rating| *rating > 0);
        let action = Action::Answer { solved: request.solved, rating };
        let command = Command { note: request.comment.clone(), ..Command::from(action) };
        if !self.write_answer(&shown, &command, request.solved).await? {
            return Err(jingwei_kit::etag::mismatch(shown.event().version + 1).into());
        }
        self.events.feed.wake(shown.event().district);
        let again = self.shown(&request.parent, &request.case_number, &request.secret).await?;
        self.write(&again).await
    }

    /// Writes the answer; with the answer "not solved" to a merged event also that its root is to be reviewed. False where one of
    /// them was changed meanwhile.
    async fn write_answer(&self, shown: &Shown, command: &Command, solved: bool) -> Result<bool, Error> {
        let event = shown.event();
        let reference = self.events.deadlines.of_event(event).await?;
        let context = Context {
            merge_root: shown.root.as_ref().map(|root| MergeRoot::of(&root.event)),
            ..self.events.context(&reference, &shown.case.stored)
        };
        let (after, transition) = apply(event, command, &[Actor::public(event.district)], &context)?;
        let mut transaction = self.events.pool.begin().await?;
        let mut done = write::update(&mut transaction, event, &after, transition).await?;
        if let Some(root) = shown.root.as_ref().filter(|_| !solved && event.state == State::Merged) {
            let review = Command::from(Action::AskReview { case: event.id });
            let system = [Actor::system(event.district)];
            let (after, transition) = apply(&root.event, &review, &system, &context)?;
            done = done && write::update(&mut transaction, &root.event, &after, transition).await?;
        }
        if done {
            transaction.commit().await?;
        }
        Ok(done)
    }

    async fn write(&self, shown: &Shown) -> Result<pb::PublicCase, Error> {
        let (pool, event) = (&self.events.pool, shown.event());
        let mut steps = store::transition::list(pool, event.district, event.id, 0, STEPS).await?;
        if let Some(root) = &shown.root {
            let merged_at = steps.last().map(|last| last.at);
            let root = store::transition::list(pool, event.district, root.event.id, 0, STEPS).await?;
            steps.extend(root.into_iter().filter(|step| Some(step.at) > merged_at));
            steps.sort_by_key(|step| step.at);
        }
        let units: Vec<_> = steps.iter().map(|step| step.unit.clone()).collect();
        let names = store::unit::names(pool, event.district, &units, self.events.clock.now()).await?;
        let root = shown.root.as_ref().map(|root| &root.event);
        let until = self.events.clock.now() - self.events.answer_window;
        Ok(wire::write(event, root, &shown.case.category_display_name, &steps, &names, until))
    }
}

/// The telephone number left; violations where there must be one and is not, or a worker reports.
fn reporter(request: &pb::SubmitReportRequest) -> Result<Option<Phone>, Error> {
    let mut violations = Violations::new();
    let reporter = request.reporter.clone().unwrap_or_default();
    if reporter.kind() == pb::ReporterKind::Worker {
        let (zh, en) = ("须为居民、企业或匿名", "must be a resident, an enterprise or anonymous");
        violations.add("reporter.kind", "public", zh, en);
    }
    let phone = Some(reporter.phone.as_str()).filter(|phone| !phone.is_empty()).map(Phone::new);
    let named = reporter.kind() != pb::ReporterKind::Anonymous;
    if named && !phone.as_ref().is_some_and(Phone::can_be_called) {
        let (zh, en) = (
            "须填写可联系的电话（7 至 15 位数字），或改为匿名",
            "must be a number that can be called, 7 to 15 digits; or report anonymously",
        );
        violations.add("reporter.phone", "required", zh, en);
    }
    violations.finish()?;
    Ok(phone)
}

#[tonic::async_trait]
impl ResidentService for Residents {
    async fn submit_report(
        &self,
        request: Request<pb::SubmitReportRequest>,
    ) -> Result<Response<pb::SubmitReportResponse>, Status> {
        Ok(Response::new(self.submit(request.into_inner()).await?))
    }

    async fn track_case(
        &self,
        request: Request<pb::TrackCaseRequest>,
    ) -> Result<Response<pb::PublicCase>, Status> {
        Ok(Response::new(self.track(request.get_ref()).await?))
    }

    async fn answer_case(
        &self,
        request: Request<pb::AnswerCaseRequest>,
    ) -> Result<Response<pb::PublicCase>, Status> {
        Ok(Response::new(self.answer(request.get_ref()).await?))
    }
}
