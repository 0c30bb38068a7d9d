//! The demo district: 荥阳市 with its real divisions, invented people and sixty days of history; loaded through the public gRPC
//! API, once.
//!
//! Every call has an id that follows from what it creates, so that a load that was cut off goes on where it was.

pub mod history;
pub mod people;
mod places;
mod rules;

use std::fs;
use std::net::SocketAddr;

use jingwei_kit::clock::Clock;
use jingwei_proto::access::v1::Role;
use time::{Duration, OffsetDateTime};
use tokio_util::sync::CancellationToken;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status};
use uuid::Uuid;

use crate::keys::Grant;
use crate::{Error, Options, Suite};

/// 荥阳市.
const DISTRICT: i32 = 410_182;
/// What the ids of this load are made from.
const NAMESPACE: Uuid = Uuid::from_u128(0x6a69_6e67_7765_6964_656d_6f34_3130_3138);

/// The files that say which parts are loaded: the monitor's calendar, the grid's district, its history.
const MONITOR: &str = "demo-monitor-loaded";
const DISTRICT_LOADED: &str = "demo-loaded";
const HISTORY: &str = "demo-history-loaded";

/// How often a call is made before the load gives up, and the time between.
const TRIES: usize = 20;
const PAUSE: std::time::Duration = std::time::Duration::from_millis(300);

/// A channel that speaks as the district's administrator.
type Administrator = InterceptedService<Channel, Bearer>;

#[derive(Clone)]
struct Bearer(MetadataValue<Ascii>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// How much of a demo there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demo {
    /// None.
    None,
    /// The district: areas, people, departments, categories, the calendar.
    District,
    /// The district with its history.
    History,
}

/// Loads what of the demo the folder does not have yet, by a suite of its own whose clock goes through the past. Told to stop, it
/// goes on with the next start.
///
/// # Errors
/// A call was refused, or the suite does not start.
pub async fn load(options: &Options, demo: Demo, stop: &CancellationToken) -> Result<(), Error> {
    let done = |what: &str| options.dir.join(what);
    let wanted: &[&str] = match demo {
        Demo::None => &[],
        Demo::District => &[MONITOR, DISTRICT_LOADED],
        Demo::History => &[MONITOR, DISTRICT_LOADED, HISTORY],
    };
    if wanted.iter().all(|what| done(what).exists()) {
        return Ok(());
    }
    let end = options.clock.now();
    let clock = Clock::manual(end - Duration::days(history::DAYS as i64 + 1));
    let suite = Suite::start(Options { port: 0, clock: clock.clone(), ..options.clone() }).await?;
    let loaded = tokio::select! {
        loaded = load_with(&suite, options, demo, &clock, end) => loaded,
        () = stop.cancelled() => Ok(()),
    };
    let stopped = suite.stop().await;
    loaded.and(stopped)
}

async fn load_with(
    suite: &Suite,
    options: &Options,
    demo: Demo,
    clock: &Clock,
    end: OffsetDateTime,
) -> Result<(), Error> {
    println!("正在载入示范区县荥阳市…… / loading the demo district…");
    let scope = crate::keys::read_scope(&DISTRICT.to_string())?;
    let grant = Grant { role: Role::Administrator, scope };
    let token = suite.key().token("demo-loader", None, &grant, clock.now(), Duration::hours(1))?;
    let bearer = Bearer(format!("Bearer {token}").parse()?);
    let administrator = async |service: SocketAddr| {
        let channel = Endpoint::from_shared(format!("http://{service}"))?.connect().await?;
        Ok::<Administrator, Error>(InterceptedService::new(channel, bearer.clone()))
    };
    let file = |what: &str| options.dir.join(what);
    rules::load_of_monitor(&administrator(suite.monitor()).await?).await?;
    fs::write(file(MONITOR), [])?;
    if file(DISTRICT_LOADED).exists() && (demo == Demo::District || file(HISTORY).exists()) {
        return Ok(());
    }
    let administrator = administrator(suite.grid()).await?;
    rules::load(&administrator).await?;
    let grids = places::load(&administrator).await?;
    people::load(&administrator, &grids).await?;
    fs::write(file(DISTRICT_LOADED), [])?;
    if demo == Demo::History {
        println!("正在重演六十天的工作…… / living through sixty days of work…");
        history::play(suite, &options.dir, &grids, clock, end).await?;
        fs::write(file(HISTORY), [])?;
    }
    Ok(())
}

/// The id of the call that creates `what`, the same in every load.
fn id(what: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, what.as_bytes())
}

/// The name of a resource of the district.
fn name(collection: &str, id: impl std::fmt::Display) -> String {
    format!("districts/{DISTRICT}/{collection}/{id}")
}

fn parent() -> String {
    format!("districts/{DISTRICT}")
}

/// Calls until the service takes it: what it sheds under load comes again, what an earlier load has created passes.
async fn create<T>(call: impl AsyncFn() -> Result<Response<T>, Status>) -> Result<(), Error> {
    for _ in 0..TRIES {
        match call().await {
            Err(status) if status.code() == Code::AlreadyExists => return Ok(()),
            Err(status) if is_shed(&status) => tokio::time::sleep(PAUSE).await,
            Err(status) => return Err(format!("示范数据 / demo data: {}", status.message()).into()),
            Ok(_) => return Ok(()),
        }
    }
    Err("示范数据：服务一直繁忙 / demo data: the service stays busy".into())
}

/// Whether a call is to be made again, as the answer's RetryInfo says.
fn is_shed(status: &Status) -> bool {
    matches!(status.code(), Code::Unavailable | Code::ResourceExhausted | Code::DeadlineExceeded)
}

/// The fields of each line of a CSV text without quotes, but for the header.
fn lines(csv: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    csv.lines().skip(1).filter(|line| !line.is_empty()).map(|line| line.split(',').map(str::trim).collect())
}
