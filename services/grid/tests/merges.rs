//! Merges: whatever is merged and un-merged in whatever order, in the end everything is as it was.

mod common;

use common::district::STREET;
use common::{Session, Site};
use jingwei_proto::access::v1::Role;
use jingwei_proto::grid::v1 as pb;
use jingwei_proto::grid::v1::event_service_client::EventServiceClient;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tonic::Code;

/// So many events take part.
const EVENTS: usize = 5;

/// An event merged into another, or taken out of its merge where the two are the same.
fn steps() -> impl Strategy<Value = Vec<(usize, usize)>> {
    prop::collection::vec((0..EVENTS, 0..EVENTS), 1..40)
}

async fn get(street: &mut EventServiceClient<Session>, name: &str) -> pb::Event {
    let request = pb::GetEventRequest { name: name.into() };
    street.get_event(request).await.expect("read").into_inner()
}

async fn merge(street: &mut EventServiceClient<Session>, name: &str, root: &str) -> bool {
    let request = pb::MergeEventRequest { name: name.into(), root: root.into(), ..Default::default() };
    judged(street.merge_event(request).await)
}

async fn unmerge(street: &mut EventServiceClient<Session>, name: &str) -> bool {
    let reason = "不是同一件事".to_owned();
    let request = pb::UnmergeEventRequest { name: name.into(), reason, ..Default::default() };
    judged(street.unmerge_event(request).await)
}

/// Whether it was done; what is refused is refused by a rule.
fn judged<T>(answer: Result<T, tonic::Status>) -> bool {
    match answer {
        Ok(_) => true,
        Err(status) if status.code() == Code::FailedPrecondition => false,
        Err(status) => panic!("{status}"),
    }
}

/// The event but for the number of its changes.
fn apart_from_its_version(event: pb::Event) -> pb::Event {
    pb::Event { version: 0, etag: String::new(), ..event }
}

/// Five events: two reported, two accepted, one dispatched.
async fn events(site: &Site, street: &mut EventServiceClient<Session>) -> Vec<pb::Event> {
    let mut names = Vec::new();
    for n in 0..EVENTS {
        let name = site.report().await.name;
        let copy = || name.clone();
        if n > 1 {
            street
                .accept_event(pb::AcceptEventRequest { name: copy(), ..Default::default() })
                .await
                .expect("accepted");
        }
        if n > 3 {
            let register = pb::RegisterEventRequest { name: copy(), ..Default::default() };
            street.register_event(register).await.expect("registered");
            let lead =
                Some(pb::Unit { kind: Some(pb::unit::Kind::Department(common::district::WATER.into())) });
            let dispatch = pb::DispatchEventRequest { name: copy(), lead, ..Default::default() };
            street.dispatch_event(dispatch).await.expect("dispatched");
        }
        names.push(name);
    }
    let mut events = Vec::new();
    for name in names {
        events.push(get(street, &name).await);
    }
    events
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn merges_and_un_merges_in_any_order_restore_everything() {
    let site = Site::with_district().await;
    let handle = tokio::runtime::Handle::current();
    tokio::task::block_in_place(|| {
        let mut runner = TestRunner::new(Config::with_cases(12));
        let checked = runner.run(&steps(), |steps| {
            handle.block_on(walk(&site, &steps));
            Ok(())
        });
        checked.expect("everything is restored");
    });
}

async fn walk(site: &Site, steps: &[(usize, usize)]) {
    let mut street = site.events(Role::Street, STREET);
    let before = events(site, &mut street).await;
    let mut into: Vec<Option<usize>> = vec![None; EVENTS];
    for (event, root) in steps {
        let name = &before[*event].name;
        if event == root {
            let done = unmerge(&mut street, name).await;
            assert_eq!(done, into[*event].take().is_some());
            continue;
        }
        // Merges do not nest: neither into what is merged, nor of what others are merged into.
        let possible = into[*event].is_none() && into[*root].is_none() && !into.contains(&Some(*event));
        assert_eq!(merge(&mut street, name, &before[*root].name).await, possible);
        if possible {
            into[*event] = Some(*root);
            let merged = get(&mut street, name).await;
            assert_eq!((merged.state(), &merged.merged_into), (pb::EventState::Merged, &before[*root].name));
            assert_eq!((merged.due_time, &merged.reporter), (None, &before[*event].reporter));
        }
    }
    for (event, _) in into.iter().enumerate().filter(|(_, root)| root.is_some()) {
        assert!(unmerge(&mut street, &before[event].name).await);
    }
    for event in before {
        let after = get(&mut street, &event.name).await;
        assert_eq!(apart_from_its_version(after), apart_from_its_version(event));
    }
}
