//! The demo district: 荥阳市 with its real divisions, invented people; loaded through the public gRPC API, once.
//!
//! Every call has an id that follows from what it creates, so that a load that was cut off goes on where it was.

mod people;
mod places;
mod rules;

use std::fs;
use std::path::Path;

use jingwei_kit::clock::Clock;
use jingwei_proto::access::v1::Role;
use time::Duration;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status};
use uuid::Uuid;

use crate::keys::Grant;
use crate::{Error, Suite};

/// 荥阳市.
const DISTRICT: i32 = 410_182;
/// What the ids of this load are made from.
const NAMESPACE: Uuid = Uuid::from_u128(0x6a69_6e67_7765_6964_656d_6f34_3130_3138);

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

/// Loads the district unless the folder says that it was.
///
/// # Errors
/// A call was refused.
pub async fn load(suite: &Suite, dir: &Path) -> Result<(), Error> {
    let done = dir.join("demo-loaded");
    if done.exists() {
        return Ok(());
    }
    println!("正在载入示范区县荥阳市…… / loading the demo district…");
    let scope = crate::keys::read_scope(&DISTRICT.to_string())?;
    let grant = Grant { role: Role::Administrator, scope };
    let token = suite.key().token("demo-loader", None, &grant, Clock::system().now(), Duration::hours(1))?;
    let channel = Endpoint::from_shared(format!("http://{}", suite.grid()))?.connect().await?;
    let administrator = InterceptedService::new(channel, Bearer(format!("Bearer {token}").parse()?));
    rules::load(&administrator).await?;
    let grids = places::load(&administrator).await?;
    people::load(&administrator, &grids).await?;
    Ok(fs::write(done, [])?)
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

/// Lets pass what an earlier load has created.
fn created<T>(answer: Result<Response<T>, Status>) -> Result<(), Error> {
    match answer {
        Err(status) if status.code() == Code::AlreadyExists => Ok(()),
        Err(status) => Err(format!("示范数据 / demo data: {}", status.message()).into()),
        Ok(_) => Ok(()),
    }
}

/// The fields of each line of a CSV text without quotes, but for the header.
fn lines(csv: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    csv.lines().skip(1).filter(|line| !line.is_empty()).map(|line| line.split(',').map(str::trim).collect())
}
