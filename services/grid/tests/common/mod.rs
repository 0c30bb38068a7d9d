//! A real server on loopback with a database of its own, clients of it, and what tests read from its refusals.
#![allow(dead_code, reason = "no test file needs all of it")]

pub(crate) mod backstage;
pub(crate) mod district;
pub(crate) mod ledger;
pub(crate) mod naive;
pub(crate) mod postings;
pub(crate) mod raw;
pub(crate) mod s3;
pub(crate) mod upload;
pub(crate) mod walk;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use jingwei_grid::config::{Config, Rules};
use jingwei_grid::files::Location;
use jingwei_grid::seal::Keyring;
use jingwei_grid::{Grid, MIGRATIONS};
use jingwei_kit::clock::Clock;
use jingwei_kit::config::Secret;
use jingwei_kit::pg::Database;
use jingwei_kit::stack::Limits;
use jingwei_kit::testing::{Issuer, database};
use jingwei_proto::access::v1::Role;
use jingwei_proto::google::rpc;
use jingwei_proto::grid::v1::area_service_client::AreaServiceClient;
use jingwei_proto::grid::v1::{Area, CreateAreaRequest};
use prost::{Message, Name};
use prost_types::FieldMask;
use tempfile::TempDir;
use time::macros::datetime;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

/// The district that the tests are about: 荥阳市.
pub(crate) const DISTRICT: &str = "districts/410182";

/// What the server seals telephone numbers with.
pub(crate) const DATA_KEY: &str = "test:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A server, the clock it goes by, and who signs the tokens that it believes.
pub(crate) struct Site {
    pub(crate) channel: Channel,
    pub(crate) clock: Clock,
    pub(crate) database: Database,
    pub(crate) issuer: Issuer,
    /// Where it keeps its files.
    pub(crate) files: Location,
    _folder: Arc<TempDir>,
    _stop: DropGuard,
}

/// A channel that carries a token.
pub(crate) type Session = InterceptedService<Channel, Bearer>;

/// Adds a token to every call, where there is one.
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

impl Site {
    /// A server at nine o'clock on a Monday morning, 2 March 2026, whose database has the schema and nothing else.
    pub(crate) async fn start() -> Self {
        let clock = Clock::manual(datetime!(2026-03-02 09:00 +08:00));
        let issuer = Issuer::new(&clock);
        let database = database(&MIGRATIONS).await;
        let folder = Arc::new(TempDir::new().expect("a temporary folder"));
        let files = Location::Folder(folder.path().to_owned());
        Self::over(database, clock, issuer, files, folder).await
    }

    /// As `start`, with files kept there.
    pub(crate) async fn with_files(files: Location) -> Self {
        Self::start().await.elsewhere(files).await
    }

    /// One more replica of the service on the same database, with the same clock and issuer.
    pub(crate) async fn replica(&self) -> Self {
        let (database, files) = (self.database.clone(), self.files.clone());
        Self::over(database, self.clock.clone(), self.issuer.clone(), files, self._folder.clone()).await
    }

    /// One more replica, that looks for its files elsewhere.
    pub(crate) async fn elsewhere(&self, files: Location) -> Self {
        let (database, clock, issuer) = (self.database.clone(), self.clock.clone(), self.issuer.clone());
        Self::over(database, clock, issuer, files, self._folder.clone()).await
    }

    async fn over(
        database: Database,
        clock: Clock,
        issuer: Issuer,
        files: Location,
        folder: Arc<TempDir>,
    ) -> Self {
        let config = Config {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            database: database.clone(),
            keys: issuer.key_source(),
            data_keys: Keyring::parse(&Secret::new(DATA_KEY)).expect("a key"),
            limits: Limits::default(),
            // Nothing happens by itself: tests run the sweep when they want it.
            rules: Rules { sweep_interval: Duration::from_secs(3600), ..Rules::default() },
            files: files.clone(),
        };
        let stop = CancellationToken::new();
        let grid = Grid::bind(config, clock.clone(), stop.clone()).await.expect("the service starts");
        let channel =
            Endpoint::from_shared(format!("http://{}", grid.address())).expect("a URL").connect_lazy();
        tokio::spawn(grid.run());
        Self { channel, clock, database, issuer, files, _folder: folder, _stop: stop.drop_guard() }
    }

    /// A server with the district's areas 410182 荥阳市, 410182002 京城路街道, 410182002011 永安街社区 and
    /// 410182002011001 第一网格.
    pub(crate) async fn with_areas() -> Self {
        let site = Self::start().await;
        let areas = [("410182", "荥阳市"), ("410182002", "京城路街道"), ("410182002011", "永安街社区")];
        for (code, display_name) in areas.into_iter().chain([("410182002011001", "第一网格")]) {
            site.areas().create_area(new_area(code, display_name)).await.expect("created");
        }
        site
    }

    /// Someone with these grants.
    pub(crate) fn session(&self, subject: &str, grants: &[(Role, &str)]) -> Session {
        let token = self.issuer.token(subject, grants);
        let bearer = Bearer(Some(format!("Bearer {token}").parse().expect("a token is ASCII")));
        InterceptedService::new(self.channel.clone(), bearer)
    }

    /// Someone without a token.
    pub(crate) fn anonymous(&self) -> Session {
        InterceptedService::new(self.channel.clone(), Bearer(None))
    }

    /// The district's administrator.
    pub(crate) fn administrator(&self) -> Session {
        self.session("admin", &[(Role::Administrator, DISTRICT)])
    }

    /// The area service, called by the administrator.
    pub(crate) fn areas(&self) -> AreaServiceClient<Session> {
        AreaServiceClient::new(self.administrator())
    }
}

/// The request for a new area.
pub(crate) fn new_area(code: &str, display_name: &str) -> CreateAreaRequest {
    let area = Area { name: area(code), display_name: display_name.to_owned(), ..Area::default() };
    CreateAreaRequest { parent: DISTRICT.to_owned(), area: Some(area), ..CreateAreaRequest::default() }
}

/// The name of an area of the district.
pub(crate) fn area(code: &str) -> String {
    format!("{DISTRICT}/areas/{code}")
}

/// A mask of these fields.
pub(crate) fn mask(paths: &[&str]) -> Option<FieldMask> {
    Some(FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() })
}

/// A new request id.
pub(crate) fn request_id() -> String {
    Clock::system().id().to_string()
}

/// The moment on the wire.
pub(crate) fn moment(time: time::OffsetDateTime) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: time.unix_timestamp(), nanos: 0 }
}

/// Code and reason of a refusal.
pub(crate) fn refusal<T: std::fmt::Debug>(result: Result<T, Status>) -> (Code, String) {
    let status = result.expect_err("refused");
    let info: rpc::ErrorInfo = detail(&status).expect("every error has a reason");
    (status.code(), info.reason)
}

/// The reason of a refusal.
pub(crate) fn reason(status: &Status) -> String {
    detail::<rpc::ErrorInfo>(status).expect("every error has a reason").reason
}

/// The fields that a refusal calls wrong.
pub(crate) fn wrong_fields<T: std::fmt::Debug>(result: Result<T, Status>) -> Vec<String> {
    let status = result.expect_err("refused");
    assert_eq!(status.code(), Code::InvalidArgument, "{status}");
    let request: rpc::BadRequest = detail(&status).expect("violations");
    request.field_violations.into_iter().map(|violation| violation.field).collect()
}

/// A value that a refusal mentions.
pub(crate) fn metadata<T: std::fmt::Debug>(result: Result<T, Status>, name: &str) -> Option<String> {
    let info: rpc::ErrorInfo = detail(&result.expect_err("refused")).expect("every error has a reason");
    info.metadata.get(name).cloned()
}

fn detail<M: Message + Name + Default>(status: &Status) -> Option<M> {
    let details = rpc::Status::decode(status.details()).expect("details are google.rpc.Status").details;
    let found = details.iter().find(|any| any.type_url.ends_with(&format!("/{}", M::full_name())))?;
    Some(M::decode(found.value.as_slice()).expect("of its type"))
}
