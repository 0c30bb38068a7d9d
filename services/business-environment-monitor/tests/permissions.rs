//! Who may call what: every RPC, by every role, at scopes that reach it and scopes that do not.

mod common;

use std::collections::BTreeSet;

use common::raw::{call, methods, smallest};
use common::{Site, metadata};
use futures::StreamExt;
use jingwei_business_environment_monitor::model::actor::Role as ModelRole;
use jingwei_business_environment_monitor::model::info_item::arcs::ActionKind as ItemAction;
use jingwei_business_environment_monitor::model::issue::arcs::ActionKind;
use jingwei_proto::access::v1::{Permission, Reach, Role};
use jingwei_proto::pool;
use jingwei_proto::prost_reflect::MethodDescriptor;
use tonic::{Code, Status};

/// Scopes, and what each reaches of the district 410183.
const SCOPES: [(&str, &[&str]); 6] = [
    ("districts/-", &["inside", "district", "enterprise"]),
    ("districts/410183", &["inside", "district", "enterprise"]),
    ("districts/410182", &[]),
    ("districts/410183/departments/housing", &["inside"]),
    ("districts/410183/areas/410183001", &["inside"]),
    ("districts/410183/enterprises/91350100M000100Y43", &["inside", "enterprise"]),
];

/// Which role of a grant stands for which of the model's.
const ROLES: [(Role, ModelRole); 4] = [
    (Role::Monitor, ModelRole::Monitor),
    (Role::Enterprise, ModelRole::Enterprise),
    (Role::BusinessEnvironmentOffice, ModelRole::Office),
    (Role::Department, ModelRole::Department),
];

fn permission(method: &MethodDescriptor) -> Permission {
    let extension = pool().get_extension_by_name("jingwei.access.v1.permission").expect("in the descriptors");
    let options = method.options();
    options.get_extension(&extension).as_message().expect("a message").transcode_to().expect("of its type")
}

fn roles() -> impl Iterator<Item = Role> {
    (1..100).map_while(|number| Role::try_from(number).ok())
}

/// Which part of the district a grant has to reach.
fn needs(method: &MethodDescriptor, permission: &Permission) -> &'static str {
    match permission.reach() {
        Reach::Resource if method.name() == "UpdateEnterprise" => "enterprise",
        Reach::Resource => "district",
        _ => "inside",
    }
}

/// Whether the call came as far as its handler.
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
    let site = Site::with_calendar().await;
    let methods = methods();
    let mut calls = Vec::new();
    for (role, (scope, reached)) in roles().flat_map(|role| SCOPES.map(|scope| (role, scope))) {
        let session = site.session(&format!("{}-{scope}", role.as_str_name()), &[(role, scope)]);
        for method in &methods {
            calls.push((session.clone(), role, scope, reached, method));
        }
    }
    assert!(calls.len() >= 40 * 13 * SCOPES.len(), "{} calls", calls.len());
    let wrong = futures::stream::iter(calls).map(async |(session, role, scope, reached, method)| {
        let (request, permission) = (smallest(&method.input()), permission(method));
        let expected = permission.public
            || permission.roles().any(|r| r == role) && reached.contains(&needs(method, &permission));
        let got = admitted(call(session, method, &request).await);
        (got != expected).then(|| format!("{} by {role:?} at {scope}: admitted = {got}", method.full_name()))
    });
    let wrong: Vec<String> = wrong.buffer_unordered(8).filter_map(std::future::ready).collect().await;
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn without_a_token_or_a_grant_nothing() {
    let site = Site::with_calendar().await;
    let nobody = site.session("nobody", &[]);
    for method in methods() {
        let request = smallest(&method.input());
        if permission(&method).public {
            let answer = call(site.anonymous(), &method, &request).await;
            assert!(admitted(answer), "{}", method.full_name());
            continue;
        }
        let status = call(site.anonymous(), &method, &request).await.expect_err("refused");
        assert_eq!(status.code(), Code::Unauthenticated, "{}", method.full_name());
        assert!(!admitted(call(nobody.clone(), &method, &request).await), "{}", method.full_name());
    }
}

/// The action of each RPC that takes one.
#[rustfmt::skip] // a row is a line
const ACTIONS: [(&str, ActionKind); 22] = [
    ("SubmitIssue", ActionKind::Submit),
    ("RegisterIssue", ActionKind::Register),
    ("AcceptIssue", ActionKind::Accept),
    ("ProposeRefusal", ActionKind::ProposeRefusal),
    ("RefuseIssue", ActionKind::Refuse),
    ("SignTransfer", ActionKind::Transfer),
    ("ClassifyIssue", ActionKind::Classify),
    ("AssignIssue", ActionKind::Assign),
    ("StartIssue", ActionKind::Start),
    ("RequestExtension", ActionKind::Ask),
    ("RequestPause", ActionKind::Ask),
    ("GrantRequest", ActionKind::Grant),
    ("DenyRequest", ActionKind::Deny),
    ("ResumeIssue", ActionKind::Resume),
    ("ReplyToIssue", ActionKind::Reply),
    ("VerifyIssue", ActionKind::Verify),
    ("CloseIssue", ActionKind::Close),
    ("ReturnIssue", ActionKind::Return),
    ("ReopenIssue", ActionKind::Reopen),
    ("TerminateIssue", ActionKind::Terminate),
    ("RateIssue", ActionKind::Rate),
    ("CallBackIssue", ActionKind::CallBack),
];

#[test]
fn the_roles_of_each_action_are_those_of_the_state_table() {
    for method in methods().iter().filter(|m| m.parent_service().name() == "IssueService") {
        let declared: BTreeSet<_> = permission(method).roles().map(|role| role.as_str_name()).collect();
        let action = ACTIONS.iter().find(|(name, _)| *name == method.name());
        let may = |role: ModelRole| match action {
            Some((_, action)) => action.arc().who.iter().any(|(r, _)| *r == role),
            // The feed does not know who submitted what.
            None if method.name() == "WatchIssues" => {
                matches!(role, ModelRole::Office | ModelRole::Department)
            }
            None => true,
        };
        let in_the_table: BTreeSet<_> =
            ROLES.iter().filter(|(_, role)| may(*role)).map(|(role, _)| role.as_str_name()).collect();
        assert_eq!(declared, in_the_table, "{}", method.name());
    }
    let served: BTreeSet<_> = methods().iter().map(|method| method.name().to_owned()).collect();
    for action in ActionKind::all() {
        let by_people = action.arc().who.iter().any(|(role, _)| *role != ModelRole::System);
        let rpc = ACTIONS.iter().find(|(_, a)| *a == action).map(|(name, _)| *name);
        assert_eq!(rpc.is_some_and(|name| served.contains(name)), by_people, "{action:?}");
    }
}

#[test]
fn the_roles_of_each_decision_on_an_item_are_those_of_its_state_table() {
    let methods = methods();
    for action in ItemAction::all() {
        let verb = if action == ItemAction::Collect { "CREATE" } else { action.code() };
        let rpc = |method: &&MethodDescriptor| method.name().to_uppercase() == format!("{verb}INFOITEM");
        let rpc = methods.iter().find(rpc).expect("each action has its RPC");
        let declared: Vec<_> = permission(rpc).roles().collect();
        let may: Vec<_> = ROLES.iter().filter(|row| row.1 == action.arc().who).map(|row| row.0).collect();
        assert_eq!(declared, may, "{action:?}");
    }
    let office_and_monitors = [Role::Monitor, Role::BusinessEnvironmentOffice];
    for method in methods.iter().filter(|m| m.parent_service().name() == "InformationService") {
        let declared: Vec<_> = permission(method).roles().collect();
        assert!(declared.iter().all(|role| office_and_monitors.contains(role)), "{}", method.name());
    }
}
