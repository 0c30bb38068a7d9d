//! The same calls as JSON through the gateway.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jingwei_tests::Error;
use serde_json::json;
use tonic::{Code, Status};

use crate::load::Load;
use crate::reads::{dispatchers, teams};
use crate::record::Record;
use crate::site::Site;

/// A client of the gateway, with kept-alive HTTP/1.1 connections.
#[derive(Clone)]
pub(crate) struct Json {
    client: Client<HttpConnector, Full<Bytes>>,
    base: Arc<str>,
}

impl Json {
    fn new(site: &Site) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Self { client, base: format!("http://{}/v1/", site.processes.gateway.address()).into() }
    }

    /// Makes a call and reads the whole answer.
    async fn call(&self, method: Method, path: &str, token: &str, body: String) -> Result<(), Status> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::from(body))
            .map_err(|error| Status::internal(error.to_string()))?;
        let answer =
            self.client.request(request).await.map_err(|error| Status::unknown(error.to_string()))?;
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(|error| Status::unknown(error.to_string()))?;
        match status.as_u16() {
            200 => Ok(()),
            429 => Err(Status::new(Code::ResourceExhausted, "")),
            503 => Err(Status::new(Code::Unavailable, "")),
            _ => Err(Status::unknown(String::from_utf8_lossy(&body.to_bytes()).into_owned())),
        }
    }
}

/// ReportEvent.
pub(crate) async fn report(site: &Site, load: &Load) -> Result<Record, Error> {
    let (json, teams) = (Json::new(site), teams(site, load)?);
    let caller = |n: usize| {
        let (json, team) = (json.clone(), teams[n].clone());
        let path: Arc<str> = format!("{}/events", team.district.name()).into();
        move || {
            let (json, team, path, report) = (json.clone(), team.clone(), path.clone(), team.report());
            async move {
                let body = json!({
                    "category": report.category, "area": report.area, "description": report.description,
                    "address": report.address, "requestId": report.request_id,
                });
                json.call(Method::POST, &path, &team.worker.token, body.to_string()).await
            }
        }
    };
    load.run(site, "ReportEvent, JSON", caller).await
}

/// GetEvent of any event of a district, by its dispatcher.
pub(crate) async fn get(site: &Site, load: &Load) -> Result<Record, Error> {
    let (json, dispatchers) = (Json::new(site), dispatchers(site)?);
    let caller = |n: usize| {
        let (json, dispatcher, mut next) = (json.clone(), dispatchers[n % dispatchers.len()].clone(), n);
        move || {
            let (json, dispatcher, place) = (json.clone(), dispatcher.clone(), next % dispatcher.names.len());
            next += 1;
            async move {
                json.call(Method::GET, &dispatcher.names[place], &dispatcher.person.token, String::new())
                    .await
            }
        }
    };
    load.run(site, "GetEvent, JSON", caller).await
}

/// The newest 50 events of a street.
pub(crate) async fn list(site: &Site, load: &Load) -> Result<Record, Error> {
    let (json, teams) = (Json::new(site), teams(site, load)?);
    let caller = |n: usize| {
        let (json, team) = (json.clone(), teams[n].clone());
        let area = team.district.resource("areas", &team.grid[..9]);
        let path: Arc<str> = format!("{}/events?pageSize=50&area={area}", team.district.name()).into();
        move || {
            let (json, team, path) = (json.clone(), team.clone(), path.clone());
            async move { json.call(Method::GET, &path, &team.street.token, String::new()).await }
        }
    };
    load.run(site, "ListEvents, newest 50 of a street, JSON", caller).await
}
