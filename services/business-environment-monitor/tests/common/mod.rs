//! A real server on loopback with a database of its own, clients of it, and what tests read from its refusals.
#![allow(dead_code, reason = "no test file needs all of it")]

pub(crate) mod batches;
pub(crate) mod cast;
pub(crate) mod information;
pub(crate) mod raw;
pub(crate) mod seal;
pub(crate) mod transfers;

use std::net::Ipv4Addr;
use std::time::Duration;

use jingwei_business_environment_monitor::api::{Calendars, Core};
use jingwei_business_environment_monitor::config::{Config, Rules};
use jingwei_business_environment_monitor::sweep::Sweep;
use jingwei_business_environment_monitor::{MIGRATIONS, Monitor};
use jingwei_kit::clock::Clock;
use jingwei_kit::outbox::Feed;
use jingwei_kit::pg::Database;
use jingwei_kit::stack::Limits;
use jingwei_kit::testing::{Issuer, database};
use jingwei_proto::access::v1::Role;
use jingwei_proto::google::rpc;
use prost::{Message, Name};
use time::OffsetDateTime;
use time::macros::datetime;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

/// The district that the tests are about: 新密市.
pub(crate) const DISTRICT: &str = "districts/410183";

/// The time at which tests begin: nine o'clock on a Monday morning.
pub(crate) const MONDAY: OffsetDateTime = datetime!(2026-03-02 09:00 +08:00);

/// A server, the clock it goes by, and who signs the tokens that it believes.
pub(crate) struct Site {
    pub(crate) channel: Channel,
    pub(crate) clock: Clock,
    pub(crate) database: Database,
    pub(crate) issuer: Issuer,
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
    /// A server on that Monday morning, whose database has the schema and nothing else.
    pub(crate) async fn start() -> Self {
        Self::start_at(MONDAY).await
    }

    /// Likewise at another time.
    pub(crate) async fn start_at(now: OffsetDateTime) -> Self {
        let clock = Clock::manual(now);
        let issuer = Issuer::new(&clock);
        Self::over(database(&MIGRATIONS).await, clock, issuer).await
    }

    /// One more replica of the service on the same database, with the same clock and issuer.
    pub(crate) async fn replica(&self) -> Self {
        Self::over(self.database.clone(), self.clock.clone(), self.issuer.clone()).await
    }

    async fn over(database: Database, clock: Clock, issuer: Issuer) -> Self {
        let config = Config {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            database: database.clone(),
            keys: issuer.key_source(),
            limits: Limits::default(),
            // Nothing happens by itself: tests run the sweep when they want it.
            rules: Rules { sweep_interval: Duration::from_secs(3600), ..Rules::default() },
        };
        let stop = CancellationToken::new();
        let monitor = Monitor::bind(config, clock.clone(), stop.clone()).await.expect("the service starts");
        let url = format!("http://{}", monitor.address());
        let channel = Endpoint::from_shared(url).expect("a URL").connect_lazy();
        tokio::spawn(monitor.run());
        Self { channel, clock, database, issuer, _stop: stop.drop_guard() }
    }

    /// The sweep of one more replica.
    pub(crate) async fn sweep(&self) -> Sweep {
        let pool = self.database.connect().await.expect("the database answers");
        // Nobody waits for its changes.
        let feed = Feed::start(pool.clone(), CancellationToken::new());
        Sweep(Core { calendars: Calendars::new(pool.clone()), clock: self.clock.clone(), pool, feed })
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
}

/// A new request id.
pub(crate) fn request_id() -> String {
    Clock::system().id().to_string()
}

/// The moment on the wire.
pub(crate) fn moment(time: OffsetDateTime) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: time.unix_timestamp(), nanos: 0 }
}

/// Code and reason of a refusal.
pub(crate) fn refusal<T: std::fmt::Debug>(result: Result<T, Status>) -> (Code, String) {
    let status = result.expect_err("refused");
    let info: rpc::ErrorInfo = detail(&status).expect("every error has a reason");
    (status.code(), info.reason)
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
