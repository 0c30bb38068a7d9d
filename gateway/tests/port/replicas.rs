//! Two replicas behind the gateway, of which one is dead, hangs, is slow, or goes away: what callers see of it.

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use futures::future::join_all;
use http::{Request, Response, StatusCode};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;
use tonic::body::Body;

use crate::{
    backend::{Backend, backend, backend_at},
    support::{Answer, Gateway, gateway_before, nobody},
};

const AREA: &str = "/v1/districts/410182/areas/410182002011";
const AREAS: &str = "/v1/districts/410182/areas";
const WITH_ID: &str = "/v1/districts/410182/areas?requestId=0193a1b2-0000-7000-8000-000000000001";
const BODY: &str = r#"{"displayName": "x"}"#;

fn calls(backend: &Backend) -> usize {
    backend.notes.calls.load(Ordering::SeqCst)
}

/// The state of the replica at `address`, as `/health` tells it.
fn state(health: &Answer, address: SocketAddr) -> String {
    let report = health.json();
    let replicas = report["backends"][0]["replicas"].as_array().expect("replicas");
    let own = replicas.iter().find(|replica| replica["address"] == address.to_string());
    own.map_or(String::new(), |replica| replica["state"].as_str().unwrap_or_default().to_owned())
}

async fn until_state(gateway: &Gateway, address: SocketAddr, wanted: &str) {
    gateway.until("/health", |health| state(health, address) == wanted).await;
}

/// A replica that takes connections and never says a word.
struct Mute {
    address: SocketAddr,
    _task: AbortOnDropHandle<()>,
}

async fn mute() -> Mute {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    Mute { address, _task: AbortOnDropHandle::new(task) }
}

/// A replica before another: HTTP/2 and its pings work, and calls whose path has `stuck` in it are never answered.
async fn stuck(stuck: &'static str, behind: SocketAddr) -> Mute {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve_stuck(stream, stuck, behind));
        }
    });
    Mute { address, _task: AbortOnDropHandle::new(task) }
}

async fn serve_stuck(stream: TcpStream, stuck: &'static str, behind: SocketAddr) {
    let pass = hyper_util::client::legacy::Client::builder(TokioExecutor::new())
        .http2_only(true)
        .build_http::<Incoming>();
    let answer = service_fn(move |mut request: Request<Incoming>| {
        let pass = pass.clone();
        async move {
            if request.uri().path().contains(stuck) {
                std::future::pending::<()>().await;
            }
            *request.uri_mut() = format!("http://{behind}{}", request.uri().path()).parse().unwrap();
            pass.request(request).await
        }
    });
    // It ends with its client.
    hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), answer)
        .await
        .ok();
}

/// How long each of so many calls took that came one after the other by `callers` at once; all were answered well.
async fn times(gateway: &Gateway, callers: usize, each: usize) -> Vec<Duration> {
    let caller = |_| async {
        let mut times = Vec::new();
        for _ in 0..each {
            let began = Instant::now();
            let answer = gateway.get(AREA).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
            times.push(began.elapsed());
        }
        times
    };
    let mut all = join_all((0..callers).map(caller)).await.concat();
    all.sort_unstable();
    all
}

#[tokio::test]
async fn calls_are_spread() {
    let (one, two) = (backend().await, backend().await);
    let gateway = gateway_before(&[one.address, two.address], |_| ()).await;
    for _ in 0..20 {
        assert_eq!(gateway.get(AREA).await.status, StatusCode::OK);
    }
    assert_eq!((calls(&one), calls(&two)), (10, 10));
    let health = gateway.until("/health", |health| health.text().contains(r#""status":"SERVING""#)).await;
    assert_eq!(state(&health, one.address), "SERVING");
}

#[tokio::test]
async fn nobody_notices_a_dead_replica_and_a_write_without_an_id_least_of_all() {
    let (dead, well) = (nobody().await, backend().await);
    let gateway = gateway_before(&[dead, well.address], |_| ()).await;
    for _ in 0..20 {
        assert_eq!(gateway.get(AREA).await.status, StatusCode::OK);
        assert_eq!(gateway.post(AREAS, BODY).await.status, StatusCode::OK);
    }
    assert_eq!(calls(&well), 40, "nothing was sent twice");
    let health = gateway.until("/health", |health| state(health, dead) == "UNREACHABLE").await;
    assert_eq!((health.status, health.json()["status"].as_str()), (StatusCode::OK, Some("DEGRADED")));
    let back = backend_at(dead).await.expect("the port is still free");
    until_state(&gateway, dead, "SERVING").await;
    gateway.get(AREA).await;
    gateway.get(AREA).await;
    assert!(calls(&back) >= 1);
}

#[tokio::test]
async fn a_replica_that_dies_under_load_fails_no_call_that_may_be_sent_twice() {
    let (one, two) = (backend().await, backend().await);
    let gateway = gateway_before(&[one.address, two.address], |_| ()).await;
    let caller = async |n: usize| {
        for _ in 0..50 {
            let answer =
                if n.is_multiple_of(2) { gateway.get(AREA).await } else { gateway.post(WITH_ID, BODY).await };
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        }
    };
    let dies = async {
        while calls(&one) < 20 {
            tokio::task::yield_now().await;
        }
        drop(one);
    };
    tokio::join!(join_all((0..8).map(caller)), dies);
    assert!(calls(&two) > 200);
}

#[tokio::test]
async fn a_mute_replica_costs_few_calls_and_those_that_may_not_be_sent_twice_a_defined_error() {
    let (mute, well) = (mute().await, backend().await);
    let gateway = gateway_before(&[mute.address, well.address], |settings| {
        settings.timeouts =
            [("jingwei.grid.v1.AreaService/CreateArea".to_owned(), Duration::from_millis(300))].into();
    })
    .await;
    // Reads go to the other one after a second; no more than there are callers wait that long.
    let times = times(&gateway, 8, 50).await;
    assert!(times[times.len() * 95 / 100] < Duration::from_millis(500), "{times:?}");
    until_state(&gateway, mute.address, "UNREACHABLE").await;
    for _ in 0..20 {
        assert_eq!(gateway.post(AREAS, BODY).await.status, StatusCode::OK, "it is left alone");
    }
}

#[tokio::test]
async fn a_write_that_hangs_has_a_defined_answer_and_the_next_goes_elsewhere() {
    let (one, well) = (backend().await, backend().await);
    // Its health is well, and its pings are answered.
    let stuck = stuck("AreaService", one.address).await;
    let gateway = gateway_before(&[stuck.address, well.address], |settings| {
        settings.timeout = Duration::from_millis(300);
        settings.breaker_wait = Duration::from_secs(3600);
    })
    .await;
    until_state(&gateway, stuck.address, "SERVING").await;
    let answers = join_all((0..20).map(|_| gateway.post(AREAS, BODY))).await;
    let (good, late): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == StatusCode::OK);
    assert!(good.len() >= 10 && late.len() >= 5, "{} and {}", good.len(), late.len());
    for answer in late {
        assert_eq!(
            (answer.status, answer.reason().as_str()),
            (StatusCode::GATEWAY_TIMEOUT, "DEADLINE_EXCEEDED")
        );
        let text = answer.text();
        assert!(text.contains("处理超时") && text.contains("did not end within 300 ms"), "{text}");
    }
    // Five in a row opened its breaker.
    for _ in 0..20 {
        assert_eq!(gateway.post(AREAS, BODY).await.status, StatusCode::OK);
    }
    assert_eq!(calls(&one), 0);
}

#[tokio::test]
async fn reads_leave_a_replica_that_answers_health_and_nothing_else() {
    let (one, well) = (backend().await, backend().await);
    let stuck = stuck("AreaService", one.address).await;
    let gateway = gateway_before(&[stuck.address, well.address], |_| ()).await;
    until_state(&gateway, stuck.address, "SERVING").await;
    let times = times(&gateway, 8, 50).await;
    assert!(times[times.len() * 95 / 100] < Duration::from_millis(500), "{times:?}");
    assert_eq!(gateway.post(WITH_ID, BODY).await.status, StatusCode::OK, "an id makes a write repeatable");
}

#[tokio::test]
async fn a_slow_replica_gets_few_calls_and_fails_none() {
    let (slow, well) = (backend().await, backend().await);
    slow.notes.delay.store(300, Ordering::SeqCst);
    let gateway = gateway_before(&[slow.address, well.address], |_| ()).await;
    times(&gateway, 8, 50).await;
    assert!(calls(&slow) * 5 < calls(&well), "{} and {}", calls(&slow), calls(&well));
}

#[tokio::test]
async fn one_that_says_it_goes_is_left_alone_at_once_and_its_refusals_cost_nothing() {
    let (going, stays) = (backend().await, backend().await);
    let gateway = gateway_before(&[going.address, stays.address], |settings| {
        // Only the watch can tell.
        settings.check = Duration::from_secs(3600);
    })
    .await;
    until_state(&gateway, going.address, "SERVING").await;
    going.notes.refuses.store(true, Ordering::SeqCst);
    for _ in 0..20 {
        let answer = gateway.post(AREAS, BODY).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    }
    going.serving(false).await;
    until_state(&gateway, going.address, "NOT_SERVING").await;
    let before = calls(&going);
    for _ in 0..20 {
        assert_eq!(gateway.post(AREAS, BODY).await.status, StatusCode::OK);
    }
    assert_eq!((calls(&going), calls(&stays)), (before, 40));
}

#[tokio::test]
async fn what_a_server_resets_as_refused_was_not_processed() {
    let well = backend().await;
    let (refusing, count) = refusing().await;
    let gateway = gateway_before(&[refusing.address, well.address], |_| ()).await;
    for _ in 0..10 {
        let answer = gateway.post(AREAS, BODY).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    }
    assert_eq!(calls(&well), 10);
    assert!(count.load(Ordering::SeqCst) >= 1);
}

/// A replica that resets every stream with REFUSED_STREAM, and how many it did.
async fn refusing() -> (Mute, Arc<std::sync::atomic::AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::<std::sync::atomic::AtomicUsize>::default();
    let counted = Arc::clone(&count);
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let count = Arc::clone(&counted);
            let refuse = service_fn(move |_: Request<Incoming>| {
                count.fetch_add(1, Ordering::SeqCst);
                async { Err::<Response<Body>, _>(h2::Error::from(h2::Reason::REFUSED_STREAM)) }
            });
            let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            tokio::spawn(server.serve_connection(TokioIo::new(stream), refuse));
        }
    });
    (Mute { address, _task: AbortOnDropHandle::new(task) }, count)
}
