//! What happens around every call, through a real server.

use std::{sync::atomic::Ordering, time::Duration};

use futures::FutureExt;
use jingwei_kit::stack::Limits;
use jingwei_proto::{
    access::v1::Role,
    google::rpc,
    grid::v1::{
        GetEventRequest, GetStaffMemberRequest, WatchEventsRequest, WatchEventsResponse,
        event_service_client::EventServiceClient, staff_service_client::StaffServiceClient,
    },
};
use tokio::time::Instant;
use tonic::{Code, Request, Status, Streaming, transport::Channel};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::site::{EVENT, Site, detail, reason};

const GRANT: [(Role, &str); 1] = [(Role::Dispatcher, "districts/-")];

impl Site {
    fn events(&self) -> EventServiceClient<Channel> {
        EventServiceClient::new(self.channel.clone())
    }

    /// GetEvent of the event with this last digit.
    fn get(&self, digit: u8) -> Request<GetEventRequest> {
        self.request(GetEventRequest { name: format!("{EVENT}{digit}") }, &GRANT)
    }

    async fn watch(&self, district: &str, timeout: Option<Duration>) -> Streaming<WatchEventsResponse> {
        let parent = format!("districts/{district}");
        let mut request = self.request(WatchEventsRequest { parent, ..Default::default() }, &GRANT);
        if let Some(timeout) = timeout {
            request.set_timeout(timeout);
        }
        self.events().watch_events(request).await.expect("a stream").into_inner()
    }
}

/// How the stream ends, and how many changes it brought.
async fn end(mut stream: Streaming<WatchEventsResponse>) -> (Status, usize) {
    let mut changes = 0;
    loop {
        match stream.message().await {
            Ok(change) => {
                changes +=
                    usize::from(change.expect("a stream ends with a status").event == "districts/410182");
            }
            Err(status) => return (status, changes),
        }
    }
}

#[tokio::test]
async fn a_panic_is_an_internal_error_and_no_outage() {
    let site = Site::start(Limits::default()).await;
    let status = site.events().get_event(site.get(1)).await.expect_err("panics");
    let info = detail::<rpc::ErrorInfo>(&status).expect("info");
    assert_eq!((status.code(), info.reason.as_str()), (Code::Internal, "INTERNAL"));
    assert!(status.message().contains(&info.metadata["id"]) && !status.message().contains("as asked"));
    site.events().get_event(site.get(0)).await.expect("the next call is answered");
    let (status, _) = end(site.watch("410183", None).await).await;
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Internal, "INTERNAL"));
}

#[tokio::test]
async fn a_deadline_is_answered_by_us_and_the_handler_still_ends() {
    let site = Site::start(Limits::default()).await;
    let mut request = site.get(2);
    request.set_timeout(Duration::from_millis(200));
    let status = site.events().get_event(request).await.expect_err("too late");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::DeadlineExceeded, "DEADLINE_EXCEEDED"));
    assert_eq!(site.gate.count.load(Ordering::SeqCst), 0);
    site.gate.leave.add_permits(1);
    site.gate.left.notified().await;
    assert_eq!(site.gate.count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_call_without_a_deadline_gets_one() {
    let site = Site::start(Limits { timeout: Duration::from_millis(50), ..Limits::default() }).await;
    let status = site.events().get_event(site.get(2)).await.expect_err("too late");
    assert_eq!(status.code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn the_handler_of_a_caller_who_vanished_comes_to_its_end() {
    let site = Site::start(Limits::default()).await;
    let (mut events, request) = (site.events(), site.get(2));
    let call = tokio::spawn(async move { events.get_event(request).await });
    site.gate.entered.notified().await;
    call.abort();
    assert!(call.await.expect_err("aborted").is_cancelled());
    site.gate.leave.add_permits(1);
    site.gate.left.notified().await;
}

#[tokio::test]
async fn too_many_calls_are_shed_and_the_place_comes_free() {
    let site = Site::start(Limits { calls: 1, ..Limits::default() }).await;
    let (mut events, request) = (site.events(), site.get(2));
    let first = tokio::spawn(async move { events.get_event(request).await });
    site.gate.entered.notified().await;
    let status = site.events().get_event(site.get(0)).await.expect_err("shed");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::ResourceExhausted, "OVERLOADED"));
    assert_eq!(detail::<rpc::RetryInfo>(&status).expect("when").retry_delay.expect("set").seconds, 1);
    HealthClient::new(site.channel.clone())
        .check(HealthCheckRequest::default())
        .await
        .expect("health is not shed");
    site.gate.leave.add_permits(1);
    first.await.expect("no panic").expect("the first call is answered");
    site.events().get_event(site.get(0)).await.expect("the place is free");
}

#[tokio::test]
async fn a_stream_ends_at_its_age_or_its_readers_deadline() {
    let site = Site::start(Limits { stream_age: Duration::from_millis(100), ..Limits::default() }).await;
    let (status, changes) = end(site.watch("410182", None).await).await;
    assert_eq!(
        (status.code(), reason(&status).as_str(), changes),
        (Code::DeadlineExceeded, "DEADLINE_EXCEEDED", 1)
    );
    let site = Site::start(Limits::default()).await;
    let (status, changes) = end(site.watch("410182", Some(Duration::from_millis(100))).await).await;
    assert_eq!(
        (status.code(), reason(&status).as_str(), changes),
        (Code::DeadlineExceeded, "DEADLINE_EXCEEDED", 1)
    );
}

#[tokio::test]
async fn told_to_stop_it_ends_streams_and_waits_for_calls() {
    let site = Site::start(Limits::default()).await;
    let stream = site.watch("410182", None).await;
    let (mut events, request) = (site.events(), site.get(2));
    let call = tokio::spawn(async move { events.get_event(request).await });
    site.gate.entered.notified().await;
    let watch = HealthClient::new(site.channel.clone()).watch(HealthCheckRequest::default()).await;
    let mut health = watch.expect("known").into_inner();
    site.stop.cancel();
    while health.message().await.is_ok_and(|state| state.is_some()) {}
    let (status, changes) = end(stream).await;
    assert_eq!((status.code(), reason(&status).as_str(), changes), (Code::Unavailable, "SHUTTING_DOWN", 1));
    let mut done = site.done;
    assert!((&mut done).now_or_never().is_none(), "a call is still running");
    site.gate.leave.add_permits(1);
    call.await.expect("no panic").expect("the running call is answered");
    done.await.expect("the server ended by itself");
}

#[tokio::test]
async fn a_call_that_does_not_end_is_left_behind_after_the_grace_period() {
    let site = Site::start(Limits { grace: Duration::from_millis(50), ..Limits::default() }).await;
    let (mut events, request) = (site.events(), site.get(2));
    let call = tokio::spawn(async move { events.get_event(request).await });
    site.gate.entered.notified().await;
    let began = Instant::now();
    site.stop.cancel();
    site.done.await.expect("the server ended");
    assert!(began.elapsed() < Duration::from_secs(5));
    call.abort();
}

#[tokio::test]
async fn unknown_methods_and_services_are_unimplemented() {
    let site = Site::start(Limits::default()).await;
    let request = site.request(GetStaffMemberRequest::default(), &GRANT);
    let status = StaffServiceClient::new(site.channel.clone())
        .get_staff_member(request)
        .await
        .expect_err("not served");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unimplemented, "UNIMPLEMENTED"));
}

#[tokio::test]
async fn health_and_reflection_need_no_token() {
    let site = Site::start(Limits::default()).await;
    let mut health = HealthClient::new(site.channel.clone());
    for service in ["", "jingwei.grid.v1.AreaService"] {
        let mut states =
            health.watch(HealthCheckRequest { service: service.into() }).await.expect("known").into_inner();
        while states.message().await.expect("no error").expect("no end").status() != ServingStatus::Serving {}
    }
    let ask = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut reflection = ServerReflectionClient::new(site.channel.clone());
    let mut answers =
        reflection.server_reflection_info(futures::stream::iter([ask])).await.expect("answers").into_inner();
    let answer = answers.message().await.expect("no error").expect("one").message_response;
    let Some(MessageResponse::ListServicesResponse(list)) = answer else { panic!("{answer:?}") };
    let mut names = list.service.into_iter().map(|s| s.name).collect::<Vec<_>>();
    names.sort();
    let own =
        ["AreaService", "ContactCardService", "EventService"].map(|name| format!("jingwei.grid.v1.{name}"));
    assert!(
        own.iter().all(|name| names.contains(name)) && names.contains(&"grpc.health.v1.Health".to_owned()),
        "{names:?}"
    );
    assert!(!names.contains(&"jingwei.grid.v1.StaffService".to_owned()));
}
