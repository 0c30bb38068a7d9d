//! What the .proto files must say about every service, RPC, message, field and enum value.

use jingwei_proto::pool;
use jingwei_proto::prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, Value,
};
use std::collections::{BTreeMap, BTreeSet};

/// Our own RPCs, in the order of their services.
fn methods() -> Vec<MethodDescriptor> {
    let services = pool().services().filter(|s| s.full_name().starts_with("jingwei."));
    services.flat_map(|s| s.methods().collect::<Vec<_>>()).collect()
}

fn option(method: &MethodDescriptor, extension: &str) -> Option<DynamicMessage> {
    let extension = pool().get_extension_by_name(extension).expect("declared in this folder");
    let options = method.options();
    options.has_extension(&extension).then(|| match options.get_extension(&extension).into_owned() {
        Value::Message(message) => message,
        other => panic!("{extension:?} holds {other:?}"),
    })
}

#[test]
fn every_element_has_a_comment() {
    let mut bare = Vec::new();
    for file in pool().files().filter(|f| !f.name().starts_with("google/protobuf/")) {
        let proto = file.file_descriptor_proto();
        let info = proto.source_code_info.as_ref().expect("build.rs keeps source info");
        let commented: BTreeSet<&[i32]> = info
            .location
            .iter()
            .filter(|l| l.leading_comments().trim().len() > 1)
            .map(|l| l.path.as_slice())
            .collect();
        for (path, name) in elements(proto) {
            if !commented.contains(path.as_slice()) {
                bare.push(format!("{}: {name}", file.name()));
            }
        }
    }
    assert!(bare.is_empty(), "no comment on:\n{}", bare.join("\n"));
}

/// The source paths of everything in a file that needs a comment (see descriptor.proto, SourceCodeInfo).
fn elements(file: &prost_types::FileDescriptorProto) -> Vec<(Vec<i32>, String)> {
    let mut found = Vec::new();
    for (i, message) in file.message_type.iter().enumerate() {
        message_elements(&[4, i as i32], message, &mut found);
    }
    for (i, item) in file.enum_type.iter().enumerate() {
        enum_elements(&[5, i as i32], item, &mut found);
    }
    for (i, service) in file.service.iter().enumerate() {
        let path = vec![6, i as i32];
        for (j, method) in service.method.iter().enumerate() {
            found.push(([path.as_slice(), &[2, j as i32]].concat(), method.name().to_owned()));
        }
        found.push((path, service.name().to_owned()));
    }
    for (i, extension) in file.extension.iter().enumerate() {
        found.push((vec![7, i as i32], extension.name().to_owned()));
    }
    found
}

fn message_elements(
    path: &[i32],
    message: &prost_types::DescriptorProto,
    found: &mut Vec<(Vec<i32>, String)>,
) {
    if message.options.as_ref().is_some_and(|o| o.map_entry()) {
        return;
    }
    found.push((path.to_vec(), message.name().to_owned()));
    for (i, field) in message.field.iter().enumerate() {
        found.push(([path, &[2, i as i32]].concat(), format!("{}.{}", message.name(), field.name())));
    }
    for (i, nested) in message.nested_type.iter().enumerate() {
        message_elements(&[path, &[3, i as i32]].concat(), nested, found);
    }
    for (i, nested) in message.enum_type.iter().enumerate() {
        enum_elements(&[path, &[4, i as i32]].concat(), nested, found);
    }
}

fn enum_elements(path: &[i32], item: &prost_types::EnumDescriptorProto, found: &mut Vec<(Vec<i32>, String)>) {
    found.push((path.to_vec(), item.name().to_owned()));
    for (i, value) in item.value.iter().enumerate() {
        found.push(([path, &[2, i as i32]].concat(), value.name().to_owned()));
    }
}

#[test]
fn every_rpc_has_a_route_and_a_permission() {
    let mut names = BTreeMap::new();
    assert!(!methods().is_empty());
    for method in methods() {
        let name = method.full_name().to_owned();
        let http = option(&method, "google.api.http").unwrap_or_else(|| panic!("{name} has no HTTP route"));
        assert!(http.fields().any(|(f, _)| f.containing_oneof().is_some()), "{name}: the route has no path");
        let permission = option(&method, "jingwei.access.v1.permission")
            .unwrap_or_else(|| panic!("{name} has no permission"));
        let text = permission.get_field_by_name("name").and_then(|v| v.as_str().map(str::to_owned));
        let text = text.unwrap_or_default();
        assert_eq!(
            text.split('.').count(),
            3,
            "{name}: the permission {text:?} is not service.resources.verb"
        );
        let public = permission.get_field_by_name("public").is_some_and(|v| v.as_bool() == Some(true));
        let roles = permission.get_field_by_name("roles").map_or(0, |v| v.as_list().map_or(0, <[_]>::len));
        assert_eq!(public, roles == 0, "{name}: either roles or public");
        let reach =
            permission.get_field_by_name("reach").and_then(|v| v.as_enum_number()).unwrap_or_default();
        assert_eq!(public, reach == 0, "{name}: a reach, unless public");
        names.entry(text).or_insert_with(Vec::new).push((roles, name));
    }
    for (permission, methods) in names {
        let roles: BTreeSet<_> = methods.iter().map(|(roles, _)| roles).collect();
        assert_eq!(roles.len(), 1, "{permission} means different roles in {methods:?}");
    }
}

/// A caller can send at most so much in each field: every text and every list of a request has a bound.
#[test]
fn every_text_and_list_of_a_request_is_bounded() {
    let mut unbounded = Vec::new();
    for method in methods() {
        collect_unbounded(&method.input(), method.name(), &mut unbounded, 0);
    }
    assert!(unbounded.is_empty(), "no bound on:\n{}", unbounded.join("\n"));
}

fn collect_unbounded(message: &MessageDescriptor, path: &str, unbounded: &mut Vec<String>, depth: usize) {
    // What a body holds is bounded by the largest request, and by who takes it.
    let is_free =
        message.full_name().starts_with("google.protobuf.") || message.full_name() == "google.api.HttpBody";
    if is_free || depth > 6 {
        return;
    }
    for field in message.fields() {
        let path = format!("{path}.{}", field.name());
        let needs = field.is_list() || matches!(field.kind(), Kind::String | Kind::Bytes);
        if needs && !is_output_only(&field) && !is_bounded(&field) {
            unbounded.push(path.clone());
        }
        if let Kind::Message(inner) = field.kind() {
            collect_unbounded(&inner, &path, unbounded, depth + 1);
        }
    }
}

fn is_bounded(field: &FieldDescriptor) -> bool {
    let rules = pool().get_extension_by_name("buf.validate.field").expect("declared in this folder");
    let options = field.options();
    let Value::Message(rules) = options.get_extension(&rules).into_owned() else { return false };
    has_rule(&rules, "string", &["max_len", "pattern", "uuid", "in"])
        || has_rule(&rules, "repeated", &["max_items"])
        || has_rule(&rules, "bytes", &["max_len"])
}

fn has_rule(rules: &DynamicMessage, kind: &str, names: &[&str]) -> bool {
    rules.has_field_by_name(kind)
        && rules
            .get_field_by_name(kind)
            .and_then(|v| v.as_message().map(|m| names.iter().any(|name| m.has_field_by_name(name))))
            .unwrap_or(false)
}

/// The comment says so, since a client reads the comment.
fn is_output_only(field: &FieldDescriptor) -> bool {
    let file = field.parent_file();
    let info = file.file_descriptor_proto().source_code_info.as_ref().expect("build.rs keeps source info");
    let comment =
        info.location.iter().find(|l| l.path == field.path()).map(|l| l.leading_comments().to_owned());
    comment.is_some_and(|c| c.to_lowercase().contains("output only"))
}
