//! Who may call what: every RPC, by every role, at scopes that reach it and scopes that do not.

mod common;

use std::collections::BTreeSet;

use common::raw::{call, methods, smallest};
use common::walk::action;
use common::{DISTRICT, Site, metadata};
use futures::StreamExt;
use jingwei_grid::model::action::ActionKind;
use jingwei_grid::model::actor;
use jingwei_proto::access::v1::{Permission, Reach, Role};
use jingwei_proto::pool;
use jingwei_proto::prost_reflect::{DynamicMessage, MethodDescriptor};
use tonic::{Code, Status};

/// Scopes, and what each reaches of the district 410182, its grid 410182002011001 and its department water.
#[rustfmt::skip] // a row is a line
const SCOPES: [(&str, &[&str]); 8] = [
    ("districts/-", &["inside", "district", "area", "department"]),
    ("districts/410182", &["inside", "district", "area", "department"]),
    ("districts/410183", &[]),
    ("districts/410182/areas/410182002", &["inside", "area"]),
    ("districts/410182/areas/410182002011001", &["inside", "area"]),
    ("districts/410182/areas/410182003", &["inside"]),
    ("districts/410182/departments/water", &["inside", "department"]),
    ("districts/410182/departments/garden", &["inside"]),
];

fn permission(method: &MethodDescriptor) -> Permission {
    let extension = pool().get_extension_by_name("jingwei.access.v1.permission").expect("in the descriptors");
    let options = method.options();
    options.get_extension(&extension).as_message().expect("a message").transcode_to().expect("of its type")
}

fn roles() -> impl Iterator<Item = Role> {
    (1..=9).map(|number| Role::try_from(number).expect("there are nine roles"))
}

/// Which part of the district a grant has to reach for this request.
fn needs(permission: &Permission, request: &DynamicMessage) -> &'static str {
    if permission.reach() != Reach::Resource {
        return "inside";
    }
    let named = named(request).expect("a request names what it is about");
    match named.split('/').nth(2) {
        Some("areas") => "area",
        Some("departments") => "department",
        _ => "district",
    }
}

fn named(message: &DynamicMessage) -> Option<String> {
    let text = |name| message.get_field_by_name(name)?.as_str().map(str::to_owned);
    let inside = || message.fields().find_map(|(_, value)| named(value.as_message()?));
    text("name").or_else(|| text("parent")).or_else(inside)
}

/// Whether the call came as far as its handler. A request that breaks a rule of its fields would seem to, also where no
/// grant reaches: every RPC is called so, and the test fails.
fn admitted(answer: Result<(), Status>) -> bool {
    match &answer {
        Err(status) if status.code() == Code::Unauthenticated => false,
        Err(status) if status.code() == Code::PermissionDenied => metadata(answer, "permission").is_none(),
        Err(status) => {
            assert!(![Code::Internal, Code::Unimplemented].contains(&status.code()), "{status}");
            true
        }
        Ok(()) => true,
    }
}

#[tokio::test]
async fn a_call_is_let_in_where_role_and_scope_say_so() {
    let site = Site::with_district().await;
    let methods = methods();
    let mut calls = Vec::new();
    for (role, (scope, reached)) in roles().flat_map(|role| SCOPES.map(|scope| (role, scope))) {
        let session = site.session(&format!("{}-{scope}", role.as_str_name()), &[(role, scope)]);
        for method in &methods {
            calls.push((session.clone(), role, scope, reached, method));
        }
    }
    assert!(calls.len() > 60 * 9 * SCOPES.len(), "{} calls", calls.len());
    let wrong = futures::stream::iter(calls).map(async |(session, role, scope, reached, method)| {
        let (request, permission) = (smallest(&method.input()), permission(method));
        let expected = permission.public
            || (permission.roles().any(|r| r == role) && reached.contains(&needs(&permission, &request)));
        let got = admitted(call(session, method, &request).await);
        (got != expected).then(|| format!("{} by {role:?} at {scope}: admitted = {got}", method.full_name()))
    });
    let wrong: Vec<String> = wrong.buffer_unordered(8).filter_map(std::future::ready).collect().await;
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn without_a_token_only_what_is_public() {
    let site = Site::with_district().await;
    let nobody = site.session("nobody", &[]);
    for method in methods() {
        let (request, permission) = (smallest(&method.input()), permission(&method));
        let anonymous = call(site.anonymous(), &method, &request).await;
        assert_eq!(admitted(anonymous.clone()), permission.public, "{}", method.full_name());
        if let (Err(status), false) = (anonymous, permission.public) {
            assert_eq!(status.code(), Code::Unauthenticated, "{}", method.full_name());
        }
        let granted_nothing = call(nobody.clone(), &method, &request).await;
        assert_eq!(admitted(granted_nothing), permission.public, "{}", method.full_name());
    }
}

#[tokio::test]
async fn one_grant_that_fits_is_enough_and_halves_of_two_are_not() {
    let site = Site::with_district().await;
    let method = methods().into_iter().find(|m| m.name() == "CreateArea").expect("there is one");
    let request = smallest(&method.input());
    let (whole, other) = (DISTRICT, "districts/410183");
    let fits = site.session("a", &[(Role::GridWorker, whole), (Role::Administrator, whole)]);
    assert!(admitted(call(fits, &method, &request).await));
    let halves = site.session("b", &[(Role::GridWorker, whole), (Role::Administrator, other)]);
    assert!(!admitted(call(halves, &method, &request).await));
}

fn declared(method: &MethodDescriptor) -> BTreeSet<String> {
    permission(method).roles().map(|r| r.as_str_name().trim_start_matches("ROLE_").to_lowercase()).collect()
}

fn in_the_table(action: ActionKind) -> BTreeSet<String> {
    // The system has no RPC, and the public the resident service's.
    let granted = |role: &actor::Role| !matches!(role, actor::Role::System | actor::Role::Public);
    let people = actor::Role::all().filter(|role| granted(role) && action.arc().is_for(*role));
    people.map(|role| role.code().to_owned()).collect()
}

#[test]
fn the_roles_of_each_action_are_those_of_the_state_table() {
    let events: Vec<_> =
        methods().into_iter().filter(|m| m.parent_service().name() == "EventService").collect();
    let mut found = Vec::new();
    for method in &events {
        let Some(action) = action(method.name()) else { continue };
        assert_eq!(declared(method), in_the_table(action), "{}", method.name());
        found.push(action);
    }
    let by_people: Vec<_> = ActionKind::all().filter(|action| !in_the_table(*action).is_empty()).collect();
    assert_eq!(found.len(), by_people.len(), "each action has its RPC: {found:?}");
    for name in ["GetEvent", "ListEvents", "ListEventTransitions", "WatchEvents"] {
        let method = events.iter().find(|m| m.name() == name).expect("there is one");
        assert_eq!(declared(method), in_the_table(ActionKind::Comment), "{name}: whoever reads may comment");
    }
}
