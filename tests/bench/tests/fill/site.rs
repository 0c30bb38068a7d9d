//! A grid service on loopback with a database and two districts made through its API.

use std::net::Ipv4Addr;
use std::time::Duration;

use jingwei_grid::api::deadlines::Deadlines;
use jingwei_grid::api::wire::calendar;
use jingwei_grid::config::{Config, Rules};
use jingwei_grid::files::Location;
use jingwei_grid::model::actor::{Actor, Scope};
use jingwei_grid::seal::Keyring;
use jingwei_grid::sweep::Sweep;
use jingwei_grid::{Grid, MIGRATIONS};
use jingwei_kit::caller::role_of;
use jingwei_kit::clock::Clock;
use jingwei_kit::config::Secret;
use jingwei_kit::outbox::Feed;
use jingwei_kit::pg::Database;
use jingwei_kit::stack::Limits;
use jingwei_kit::testing::{Issuer, database};
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::area_service_client::AreaServiceClient;
use jingwei_proto::grid::v1::calendar_service_client::CalendarServiceClient;
use jingwei_proto::grid::v1::category_service_client::CategoryServiceClient;
use jingwei_proto::grid::v1::department_service_client::DepartmentServiceClient;
use jingwei_work_calendar::{Calendar, covered_years, parse_days, parse_shifts};
use sqlx::PgPool;
use tempfile::TempDir;
use time::OffsetDateTime;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

/// The districts of the tests.
pub(crate) const DISTRICTS: [i32; 2] = [410_182, 410_183];

/// A running service.
pub(crate) struct Site {
    pub(crate) clock: Clock,
    pub(crate) database: Database,
    pub(crate) pool: PgPool,
    channel: Channel,
    issuer: Issuer,
    _folder: TempDir,
    _stop: DropGuard,
}

/// A channel that carries a token, where there is one.
pub(crate) type Session = InterceptedService<Channel, Bearer>;

#[derive(Clone)]
pub(crate) struct Bearer(Option<MetadataValue<Ascii>>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.0 {
            request.metadata_mut().insert("authorization", token.clone());
        }
        Ok(request)
    }
}

/// What numbers are sealed with.
pub(crate) fn data_keys() -> Keyring {
    Keyring::parse(&Secret::new("test:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")).expect("a key")
}

impl Site {
    /// A service whose clock stands at `now`, with the districts and no event.
    pub(crate) async fn start(now: OffsetDateTime) -> Self {
        let clock = Clock::manual(now);
        let issuer = Issuer::new(&clock);
        let database = database(&MIGRATIONS).await;
        let folder = TempDir::new().expect("a temporary folder");
        let config = Config {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            database: database.clone(),
            keys: issuer.key_source(),
            data_keys: data_keys(),
            limits: Limits::default(),
            // Nothing happens by itself.
            rules: Rules { sweep_interval: Duration::from_secs(36_000), ..Rules::default() },
            files: Location::Folder(folder.path().to_owned()),
        };
        let stop = CancellationToken::new();
        let grid = Grid::bind(config, clock.clone(), stop.clone()).await.expect("the service starts");
        let url = format!("http://{}", grid.address());
        let channel = Endpoint::from_shared(url).expect("a URL").connect_lazy();
        tokio::spawn(grid.run());
        let pool = database.connect().await.expect("the database answers");
        let site = Self { clock, database, pool, channel, issuer, _folder: folder, _stop: stop.drop_guard() };
        for district in DISTRICTS {
            site.make_district(district).await;
        }
        site
    }

    /// Somebody with one grant; without a token where the public acts.
    pub(crate) fn session(&self, by: &Actor) -> Session {
        let Some(role) = role_of(by.role.code()) else {
            return InterceptedService::new(self.channel.clone(), Bearer(None));
        };
        let scope = match &by.scope {
            Scope::District(district) => format!("districts/{district}"),
            Scope::Area(area) => format!("districts/{}/areas/{area}", area.district()),
            Scope::Department(code) => {
                let district =
                    by.subject.split('-').nth(1).expect("a department's subject names its district");
                format!("districts/{district}/departments/{code}")
            }
        };
        self.signed(&by.subject, role, &scope)
    }

    pub(crate) fn signed(&self, subject: &str, role: Role, scope: &str) -> Session {
        let token = format!("Bearer {}", self.issuer.token(subject, &[(role, scope)]));
        let bearer = Bearer(Some(token.parse().expect("a token is ASCII")));
        InterceptedService::new(self.channel.clone(), bearer)
    }

    /// The sweep, at work when it is told to.
    pub(crate) fn sweep(&self) -> Sweep {
        let (pool, clock) = (self.pool.clone(), self.clock.clone());
        // Nobody waits for its changes.
        let feed = Feed::start(pool.clone(), CancellationToken::new());
        Sweep { deadlines: Deadlines::new(pool.clone()), clock, pool, feed }
    }

    async fn make_district(&self, district: i32) {
        let parent = format!("districts/{district}");
        let session = self.signed("admin", Role::Administrator, &parent);
        make_areas(AreaServiceClient::new(session.clone()), &parent).await;
        make_categories(CategoryServiceClient::new(session.clone()), &parent).await;
        make_departments(DepartmentServiceClient::new(session.clone()), &parent).await;
        let days = parse_days(include_str!("../../../../services/work-calendar/data/holidays-cn.csv"))
            .expect("read");
        let shifts = include_str!("../../../../services/work-calendar/data/default-shifts.csv");
        let years = covered_years(&days);
        let made = Calendar::new(parse_shifts(shifts).expect("read"), days, years).expect("valid");
        let calendar = pb::WorkCalendar { etag: String::new(), ..calendar::write(district, 1, &made) };
        let request = pb::UpdateWorkCalendarRequest { work_calendar: Some(calendar), ..Default::default() };
        CalendarServiceClient::new(session).update_work_calendar(request).await.expect("entered");
    }
}

/// A street with two communities of two grids each; one grid has a boundary.
async fn make_areas(mut areas: AreaServiceClient<Session>, parent: &str) {
    let district = parent.rsplit('/').next().expect("a name");
    for below in ["", "002", "002001", "002002", "002001001", "002001002", "002002001", "002002002"] {
        let boundary = r#"{"type":"Polygon","coordinates":[[[113.38,34.78],[113.39,34.78],[113.38,34.79],[113.38,34.78]]]}"#;
        let area = pb::Area {
            name: format!("{parent}/areas/{district}{below}"),
            display_name: format!("区域{below}"),
            boundary_geojson: if below == "002001001" { boundary.to_owned() } else { String::new() },
            ..Default::default()
        };
        let request =
            pb::CreateAreaRequest { parent: parent.to_owned(), area: Some(area), ..Default::default() };
        areas.create_area(request).await.expect("created");
    }
}

async fn make_categories(mut categories: CategoryServiceClient<Session>, parent: &str) {
    let limit = |unit: pb::TimeUnit, amount| Some(pb::Limit { unit: unit.into(), amount });
    let days = limit(pb::TimeUnit::WorkingDays, 2);
    let hours = limit(pb::TimeUnit::EmergencyHours, 480);
    let rows =
        [("water", "", None), ("burst-pipe", "water", hours), ("trees", "", None), ("pests", "trees", days)];
    for (code, above, handle) in rows {
        let limits = Some(pb::StepLimits { handle, ..Default::default() });
        let fenced = limit(pb::TimeUnit::EmergencyHours, 900);
        let fenced = pb::StepLimits { handle: fenced, ..Default::default() };
        let fenced =
            pb::Condition {
                code: "fenced".into(), display_name: "已设围挡".into(), limits: Some(fenced)
            };
        let category = pb::Category {
            name: format!("{parent}/categories/{code}"),
            parent_category: if above.is_empty() {
                String::new()
            } else {
                format!("{parent}/categories/{above}")
            },
            display_name: code.into(),
            limits,
            conditions: if code == "burst-pipe" { vec![fenced] } else { Vec::new() },
            ..Default::default()
        };
        let parent = parent.to_owned();
        let request = pb::CreateCategoryRequest { parent, category: Some(category), ..Default::default() };
        categories.create_category(request).await.expect("created");
    }
}

async fn make_departments(mut departments: DepartmentServiceClient<Session>, parent: &str) {
    for (code, duty) in [("garden", "trees"), ("water", "burst-pipe")] {
        let department = pb::Department {
            name: format!("{parent}/departments/{code}"),
            display_name: code.into(),
            kind: pb::DepartmentKind::PublicService.into(),
            duties: vec![format!("{parent}/categories/{duty}")],
            ..Default::default()
        };
        let parent = parent.to_owned();
        let request =
            pb::CreateDepartmentRequest { parent, department: Some(department), ..Default::default() };
        departments.create_department(request).await.expect("created");
    }
}
