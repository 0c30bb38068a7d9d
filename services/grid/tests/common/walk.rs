//! A random walk of people and time through the district of the tests: each step one RPC that somebody may well call.

use jingwei_grid::model::action::ActionKind;
use jingwei_grid::model::actor::{Actor, Role as ModelRole, Scope};
use jingwei_grid::model::event::{Event, Wish};
use jingwei_grid::model::relation::allowed_actions;
use jingwei_grid::sweep::Sweep;
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::event_service_client::EventServiceClient;
use jingwei_proto::prost_reflect::prost::Message;
use jingwei_proto::prost_reflect::{DynamicMessage, MethodDescriptor, ReflectMessage, Value};
use sqlx::PgPool;
use sqlx::types::Json;
use time::Duration;

use super::district::{COMMUNITY, GARDEN, GRID, OTHER_GRID, STREET, WATER};
use super::raw::{call, methods, smallest};
use super::{DISTRICT, Session, Site, moment};

/// Who walks: one role and scope each.
const PEOPLE: [(Role, &str); 9] = [
    (Role::GridChief, GRID),
    (Role::GridChief, OTHER_GRID),
    (Role::GridWorker, GRID),
    (Role::GridWorker, OTHER_GRID),
    (Role::Community, COMMUNITY),
    (Role::Street, STREET),
    (Role::Dispatcher, DISTRICT),
    (Role::Department, GARDEN),
    (Role::Department, WATER),
];

/// How many events are kept going at once.
const EVENTS: usize = 20;

/// Numbers that look random and are the same in every run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

/// A walk over some events.
pub(crate) struct Walk<'a> {
    pub(crate) site: &'a Site,
    pub(crate) pool: PgPool,
    pub(crate) sweep: Sweep,
    pub(crate) dice: Dice,
    /// How many calls were not refused.
    pub(crate) done: usize,
    people: Vec<(Actor, Session)>,
    methods: Vec<(ActionKind, MethodDescriptor)>,
}

impl<'a> Walk<'a> {
    pub(crate) async fn new(site: &'a Site, dice: Dice) -> Self {
        let named = |m: MethodDescriptor| action(m.name()).map(|action| (action, m));
        let methods = methods().into_iter().filter_map(named).collect();
        let (pool, sweep) = (site.pool().await, site.sweep().await);
        Self { site, pool, sweep, dice, done: 0, people: Vec::new(), methods }
    }

    /// Some time passes, and somebody does something; now and then the sweep runs.
    pub(crate) async fn step(&mut self) {
        let minutes = if self.dice.roll(25) == 0 { 1500 } else { self.dice.roll(40) as i64 };
        self.site.clock.advance(Duration::minutes(minutes));
        // Tokens hold for an hour.
        self.people = PEOPLE.iter().map(|person| self.person(person)).collect();
        let answer = match self.choose().await {
            Some((event, person, action)) => self.act(&event, person, action).await,
            None => self.report().await,
        };
        self.done += usize::from(answer.is_ok());
        if self.dice.roll(20) == 0 {
            self.sweep.once().await.expect("swept");
        }
    }

    fn person(&self, (role, scope): &(Role, &str)) -> (Actor, Session) {
        let subject = format!("{}-{scope}", role.as_str_name());
        let code = role.as_str_name().trim_start_matches("ROLE_").to_lowercase();
        let last = scope.rsplit('/').next().expect("a name has parts");
        let reach = match scope.split('/').nth(2) {
            Some("areas") => Scope::Area(last.parse().expect("a code")),
            Some(_) => Scope::Department(last.to_owned()),
            None => Scope::District(410_182),
        };
        let role_here = ModelRole::from_code(&code).expect("a role of the model");
        let session = self.site.session(&subject, &[(*role, scope)]);
        (Actor { subject, role: role_here, scope: reach }, session)
    }

    /// An event with somebody and something that the state table lets them do; `None` for a new report.
    async fn choose(&mut self) -> Option<(Event, usize, ActionKind)> {
        let sql = "select body from event order by report_time desc, id limit $1";
        let events: Vec<(Json<Event>,)> =
            sqlx::query_as(sql).bind(EVENTS as i64).fetch_all(&self.pool).await.expect("readable");
        if events.len() < EVENTS || self.dice.roll(12) == 0 {
            return None;
        }
        let event = events[self.dice.roll(events.len())].0.0.clone();
        // Something to do first, somebody who may do it then: what many may do is not done more often for that.
        let may: Vec<Vec<ActionKind>> = self
            .people
            .iter()
            .map(|(actor, _)| allowed_actions(&event, std::slice::from_ref(actor)))
            .collect();
        let possible =
            |action: &ActionKind| fits(&event, *action) && may.iter().any(|all| all.contains(action));
        let actions = ActionKind::all().filter(possible);
        let choices: Vec<_> =
            actions.flat_map(|action| std::iter::repeat_n(action, weight(action))).collect();
        let action = *choices.get(self.dice.roll(choices.len().max(1)))?;
        let people: Vec<usize> = (0..may.len()).filter(|person| may[*person].contains(&action)).collect();
        let person = people[self.dice.roll(people.len())];
        Some((event, person, action))
    }

    async fn report(&mut self) -> Result<(), tonic::Status> {
        let area = [GRID, OTHER_GRID, COMMUNITY][self.dice.roll(3)].to_owned();
        let report = pb::ReportEventRequest { area, ..self.site.new_report() };
        let (_, session) = &self.people[5];
        EventServiceClient::new(session.clone()).report_event(report).await.map(|_| ())
    }

    async fn act(&mut self, event: &Event, person: usize, action: ActionKind) -> Result<(), tonic::Status> {
        let found = self.methods.iter().find(|(kind, _)| *kind == action);
        let method = found.expect("people do what has an RPC").1.clone();
        let request = self.request(&method, event, action).await;
        call(self.people[person].1.clone(), &method, &request).await
    }

    /// The smallest request of an action on the event, with what the action needs more.
    async fn request(
        &mut self,
        method: &MethodDescriptor,
        event: &Event,
        action: ActionKind,
    ) -> DynamicMessage {
        let mut request = smallest(&method.input());
        let name = |id: uuid::Uuid| Value::String(format!("{DISTRICT}/events/{id}"));
        request.set_field_by_name("name", name(event.id));
        let own = format!("{DISTRICT}/areas/{}", event.place.area);
        let area = |area: &str| pb::Unit { kind: Some(pb::unit::Kind::Area(area.into())) };
        let department = |name: &str| pb::Unit { kind: Some(pb::unit::Kind::Department(name.into())) };
        let units = [area(&own), department(GARDEN), department(WATER), area(&own)];
        match action {
            ActionKind::Merge => {
                let sql = "select id from event where id <> $1 and state <= 8 order by report_time desc, id limit 1";
                let root = sqlx::query_scalar(sql).bind(event.id).fetch_optional(&self.pool).await;
                request.set_field_by_name("root", name(root.expect("readable").unwrap_or(event.id)));
            }
            ActionKind::Dispatch | ActionKind::RuleOnReturn => {
                set(&mut request, "lead", &units[self.dice.roll(4)], false);
            }
            ActionKind::Transfer | ActionKind::Delegate => {
                set(&mut request, "target", &units[self.dice.roll(4)], false);
            }
            ActionKind::Resolve | ActionKind::Settle | ActionKind::RequestReturn => {
                let evidence = pb::Evidence { text: "照片".into(), ..Default::default() };
                set(&mut request, "evidence", &evidence, true);
            }
            ActionKind::RequestExtension => {
                let limit = event.handling_clock.as_ref().map(|handling| handling.clock.limit);
                let unit = limit.map_or(1, |limit| limit.unit as i32 + 1);
                set(&mut request, "extension", &pb::Limit { unit, amount: 1 }, false);
            }
            ActionKind::RequestSuspension => {
                let resume = moment(self.site.clock.now() + Duration::hours(30));
                set(&mut request, "resume_time", &resume, false);
            }
            _ => (),
        }
        request
    }
}

/// What the state table does not show: which request there is to decide.
fn fits(event: &Event, action: ActionKind) -> bool {
    let wish = event.pending.as_ref().map(|pending| &pending.wish);
    match action {
        ActionKind::ApproveReturn => matches!(wish, Some(Wish::Return)) && event.counts.returns < 2,
        ActionKind::RuleOnReturn => matches!(wish, Some(Wish::Return)) && event.counts.returns >= 2,
        ActionKind::ApproveExtension => matches!(wish, Some(Wish::Extension { .. })),
        ActionKind::ApproveSuspension => matches!(wish, Some(Wish::Suspension { .. })),
        ActionKind::DenyRequest | ActionKind::WithdrawRequest => wish.is_some(),
        ActionKind::RequestReturn
        | ActionKind::RequestExtension
        | ActionKind::RequestSuspension
        | ActionKind::Resolve => wish.is_none(),
        ActionKind::Uphold => event.review_since.is_some(),
        ActionKind::Reveal => event.reporter.phone_tail.is_some(),
        _ => true,
    }
}

/// The main road, and what is decided, are taken more often than the side roads: else hardly any event gets to its end.
fn weight(action: ActionKind) -> usize {
    match action {
        ActionKind::Accept | ActionKind::Register | ActionKind::Dispatch | ActionKind::SignFor => 8,
        ActionKind::Resolve | ActionKind::Pass | ActionKind::Reopen => 8,
        ActionKind::ApproveReturn | ActionKind::RuleOnReturn => 12,
        ActionKind::ApproveExtension | ActionKind::ApproveSuspension => 12,
        ActionKind::Urge | ActionKind::Supervise | ActionKind::Comment | ActionKind::Reject => 1,
        _ => 2,
    }
}

fn set(request: &mut DynamicMessage, field: &str, message: &impl Message, list: bool) {
    let kind = request.descriptor().get_field_by_name(field).expect("it has one").kind();
    let descriptor = kind.as_message().expect("a message").clone();
    let message =
        DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice()).expect("of its type");
    let value = Value::Message(message);
    request.set_field_by_name(field, if list { Value::List(vec![value]) } else { value });
}

/// The action that an RPC asks for; `None` where it asks for none.
pub(crate) fn action(method: &str) -> Option<ActionKind> {
    let code = match method {
        "CompleteCoHandling" => "CO_HANDLE".to_owned(),
        "RevealReporter" => "REVEAL".to_owned(),
        _ => {
            method.strip_suffix("Event").unwrap_or(method).chars().fold(String::new(), |mut code, letter| {
                if letter.is_ascii_uppercase() && !code.is_empty() {
                    code.push('_');
                }
                code.push(letter.to_ascii_uppercase());
                code
            })
        }
    };
    ActionKind::all().find(|action| action.code() == code)
}
