//! Single calls by gRPC: reports, an event, pages of lists, statistics.

use std::sync::Arc;

use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::statistics_service_client::StatisticsServiceClient;
use jingwei_tests::{District, Error, session};

use crate::lifecycle::Team;
use crate::load::Load;
use crate::record::Record;
use crate::site::{Person, Site};

/// ReportEvent.
pub(crate) async fn report(site: &Site, load: &Load) -> Result<Record, Error> {
    let teams = teams(site, load)?;
    let caller = |n: usize| {
        let team = teams[n].clone();
        move || {
            let (mut events, request) = (team.worker.events.clone(), team.report());
            async move { events.report_event(request).await.map(drop) }
        }
    };
    load.run(site, "ReportEvent, gRPC", caller).await
}

/// GetEvent of any event of a district, by its dispatcher.
pub(crate) async fn get(site: &Site, load: &Load) -> Result<Record, Error> {
    let dispatchers = dispatchers(site)?;
    let caller = |n: usize| {
        let (dispatcher, mut next) = (dispatchers[n % dispatchers.len()].clone(), n);
        move || {
            let name = dispatcher.names[next % dispatcher.names.len()].clone();
            next += 1;
            let mut events = dispatcher.person.events.clone();
            async move { events.get_event(pb::GetEventRequest { name }).await.map(drop) }
        }
    };
    load.run(site, "GetEvent, gRPC", caller).await
}

/// The newest 50 events of a street.
pub(crate) async fn list(site: &Site, load: &Load) -> Result<Record, Error> {
    let teams = teams(site, load)?;
    let caller = |n: usize| {
        let team = teams[n].clone();
        move || {
            let (mut events, request) = (team.street.events.clone(), newest(&team));
            async move { events.list_events(request).await.map(drop) }
        }
    };
    load.run(site, "ListEvents, newest 50 of a street, gRPC", caller).await
}

/// The 50 open events of a district that are due next: a dispatcher's desk, whose pages are full in a small database too.
pub(crate) async fn queue(site: &Site, load: &Load) -> Result<Record, Error> {
    let dispatchers = dispatchers(site)?;
    let caller = |n: usize| {
        let (dispatcher, district) =
            (&dispatchers[n % dispatchers.len()], &site.districts[n % site.districts.len()]);
        let events = dispatcher.person.events.clone();
        let order = pb::EventOrder::Due.into();
        let request =
            pb::ListEventsRequest { parent: district.name(), order, page_size: 50, ..Default::default() };
        move || {
            let (mut events, request) = (events.clone(), request.clone());
            async move { events.list_events(request).await.map(drop) }
        }
    };
    load.run(site, "queue: ListEvents, 50 of a district by deadline, gRPC", caller).await
}

/// A district's statistics since ever.
pub(crate) async fn statistics(site: &Site, load: &Load) -> Result<Record, Error> {
    let sessions = site.districts.iter().map(|district| {
        let scope = district.code.to_string();
        let person = site.person(Role::Dispatcher, &scope)?;
        let statistics = StatisticsServiceClient::new(session(site.channel(), &person.token)?);
        Ok((statistics, district.resource("areas", &scope)))
    });
    let sessions: Vec<_> = sessions.collect::<Result<_, Error>>()?;
    let caller = |n: usize| {
        let (statistics, name) = sessions[n % sessions.len()].clone();
        move || {
            let (mut statistics, name) = (statistics.clone(), name.clone());
            let request = pb::GetStatisticsRequest { name, ..Default::default() };
            async move { statistics.get_statistics(request).await.map(drop) }
        }
    };
    load.run(site, "GetStatistics of a district, gRPC", caller).await
}

/// The request for the newest 50 events of the team's street.
pub(crate) fn newest(team: &Team) -> pb::ListEventsRequest {
    let area = team.district.resource("areas", &team.grid[..9]);
    pb::ListEventsRequest { parent: team.district.name(), area, page_size: 50, ..Default::default() }
}

/// A team for each caller.
pub(crate) fn teams(site: &Site, load: &Load) -> Result<Vec<Arc<Team>>, Error> {
    (0..load.at_once).map(|n| Ok(Arc::new(Team::of(site, n)?))).collect()
}

/// A district's dispatcher, and events of the district.
pub(crate) struct Dispatcher {
    pub(crate) person: Person,
    pub(crate) names: Arc<Vec<String>>,
}

/// A dispatcher for each district.
pub(crate) fn dispatchers(site: &Site) -> Result<Vec<Arc<Dispatcher>>, Error> {
    let of = |(district, names): (&District, &Arc<Vec<String>>)| {
        let person = site.person(Role::Dispatcher, &district.code.to_string())?;
        Ok(Arc::new(Dispatcher { person, names: names.clone() }))
    };
    site.districts.iter().zip(&site.events).map(of).collect()
}
