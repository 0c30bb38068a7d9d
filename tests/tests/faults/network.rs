//! The way between the service and its database: slow, stalled, garbled, closed, cut, forgotten.

use std::time::Duration;

use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::event_service_client::EventServiceClient;
use jingwei_proto::grid::v1::event_service_server::SERVICE_NAME;
use jingwei_tests::answer::{lacking, reason};
use jingwei_tests::{Clients, Error, Proxy, Session, Way, Weather, session};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::site::{Site, until};

/// What a call is given.
const DEADLINE: Duration = Duration::from_secs(1);
/// How much later than its deadline an answer may come: a machine with much to do is not a fault.
const LATE: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_way_is_slow_and_nothing_else() -> Result<(), Error> {
    let (proxy, site) = site().await?;
    let clients = Clients::start(&site.processes, &site.district, 4).await?;
    clients.progress(&Way::ALL, 8).await?;
    proxy.set(Weather::Slow(Duration::from_millis(20)));
    clients.progress(&Way::ALL, 16).await?;
    proxy.set(Weather::Fair);
    clients.progress(&Way::ALL, 8).await?;
    site.check(&clients.finish().await?).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_way_that_stalls_is_told_and_is_over_once_it_goes_on() -> Result<(), Error> {
    bad(&[Weather::Stalled, Weather::Stalled]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_way_that_is_closed_or_garbled_is_told_and_is_over_once_it_is_open() -> Result<(), Error> {
    bad(&[Weather::Closed, Weather::Garbled]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_cut_are_replaced() -> Result<(), Error> {
    let (proxy, site) = site().await?;
    let clients = Clients::start(&site.processes, &site.district, 4).await?;
    for _ in 0..8 {
        clients.progress(&Way::ALL, 4).await?;
        proxy.cut();
    }
    clients.progress(&Way::ALL, 8).await?;
    site.check(&clients.finish().await?).await
}

/// The service is not told by anybody, neither now nor later: it must find out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_the_network_forgot_are_replaced() -> Result<(), Error> {
    let (proxy, site) = site().await?;
    let clients = Clients::start(&site.processes, &site.district, 4).await?;
    for _ in 0..2 {
        clients.progress(&Way::ALL, 8).await?;
        proxy.forget();
        println!("forgotten: back after {:?}", clients.progress(&Way::ALL, 64).await?);
        until("health is SERVING", async || Ok(health(&site).await? == ServingStatus::Serving)).await?;
    }
    site.check(&clients.finish().await?).await
}

async fn site() -> Result<(Proxy, Site), Error> {
    let proxy = Proxy::start().await?;
    let site = Site::behind(&proxy).await?;
    Ok((proxy, site))
}

/// Under load nothing is lost, all is told, and it is over without help.
async fn bad(weathers: &[Weather]) -> Result<(), Error> {
    let (proxy, site) = site().await?;
    let clients = Clients::start(&site.processes, &site.district, 4).await?;
    for weather in weathers {
        clients.progress(&Way::ALL, 8).await?;
        proxy.set(*weather);
        is_told(&site).await?;
        proxy.set(Weather::Fair);
        println!("{weather:?}: back after {:?}", clients.progress(&Way::ALL, 64).await?);
        until("health is SERVING", async || Ok(health(&site).await? == ServingStatus::Serving)).await?;
    }
    site.check(&clients.finish().await?).await
}

/// Every call is answered in its time, with what a client needs to know; health says that it does not serve.
async fn is_told(site: &Site) -> Result<(), Error> {
    let token = site.processes.token("reader", Role::Dispatcher, &site.district.code.to_string())?;
    let session = session(&channel(site)?, &token)?;
    until("health is NOT_SERVING", async || {
        list_is_refused(&session, &site.district.name()).await?;
        Ok(health(site).await? == ServingStatus::NotServing)
    })
    .await
}

async fn list_is_refused(session: &Session, parent: &str) -> Result<(), Error> {
    let mut request = Request::new(pb::ListEventsRequest { parent: parent.to_owned(), ..Default::default() });
    request.set_timeout(DEADLINE);
    let mut events = EventServiceClient::new(session.clone());
    let answer = tokio::time::timeout(DEADLINE + LATE, events.list_events(request));
    let status = answer.await.map_err(|_| "no answer in its time")?.err().ok_or("it cannot know")?;
    assert_refused(&status);
    Ok(())
}

fn assert_refused(status: &Status) {
    let expected = match status.code() {
        Code::Unavailable => "DATABASE_UNAVAILABLE",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::ResourceExhausted => "OVERLOADED",
        _ => panic!("{status:?}"),
    };
    assert_eq!(reason(status), expected, "{status:?}");
    assert_eq!(lacking(status), None);
}

async fn health(site: &Site) -> Result<ServingStatus, Error> {
    let asked = HealthCheckRequest { service: SERVICE_NAME.to_owned() };
    Ok(HealthClient::new(channel(site)?).check(asked).await?.into_inner().status())
}

fn channel(site: &Site) -> Result<Channel, Error> {
    Ok(Endpoint::from_shared(format!("http://{}", site.processes.grids[0].address()))?.connect_lazy())
}
