//! The document of the real .proto files.

use std::collections::BTreeSet;

use super::*;
use crate::transcode::Tables;

fn real() -> Json {
    let pool = jingwei_proto::pool();
    let names: Vec<String> = pool.services().map(|service| service.full_name().to_owned()).collect();
    let names = names.iter().map(String::as_str).collect::<Vec<_>>();
    document(pool, &Routes::new(&Tables::new(pool), pool, &names).expect("good routes"))
}

/// Every value of `key`, wherever it is.
fn all<'a>(json: &'a Json, key: &str, found: &mut Vec<&'a Json>) {
    match json {
        Json::Object(map) => {
            found.extend(map.get(key));
            map.values().for_each(|value| all(value, key, found));
        }
        Json::Array(list) => list.iter().for_each(|value| all(value, key, found)),
        _ => (),
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_schema_is_used() {
    let document = real();
    let mut references = Vec::new();
    all(&document, "$ref", &mut references);
    let references: BTreeSet<&str> = references.into_iter().filter_map(Json::as_str).collect();
    for reference in &references {
        let target = document.pointer(reference.strip_prefix('#').expect("within the document"));
        assert!(target.is_some_and(Json::is_object), "{reference}");
    }
    for name in document["components"]["schemas"].as_object().expect("schemas").keys() {
        assert!(references.contains(format!("#/components/schemas/{name}").as_str()), "{name} is not used");
    }
}

#[test]
fn every_operation_says_what_it_does_and_who_may() {
    let document = real();
    let mut ids = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let at = format!("{method} {path}");
            assert!(ids.insert(operation["operationId"].as_str().expect("an id")), "{at}: its id is taken");
            assert!(!operation["summary"].as_str().unwrap_or_default().is_empty(), "{at}: no summary");
            assert!(
                operation["x-permission"]["name"].as_str().unwrap_or_default().contains('.'),
                "{at}: no permission"
            );
            let parameters = operation["parameters"].as_array().expect("parameters");
            let named: BTreeSet<&str> =
                path.split('{').skip(1).filter_map(|part| part.split('}').next()).collect();
            let in_path = parameters
                .iter()
                .filter(|parameter| parameter["in"] == "path")
                .map(|parameter| parameter["name"].as_str().expect("a name"));
            assert_eq!(in_path.collect::<BTreeSet<_>>(), named, "{at}");
            let lacks_text = parameters.iter().find(|parameter| {
                parameter["in"] == "query" && parameter["description"].as_str().unwrap_or_default().is_empty()
            });
            assert_eq!(lacks_text, None, "{at}");
        }
    }
    assert!(ids.len() > 50, "{}", ids.len());
}

#[test]
fn patterns_and_limits_come_from_the_rules() {
    let document = real();
    let events = &document["paths"]["/v1/districts/{district}/events/{event}"]["get"]["parameters"];
    assert_eq!(events[0]["schema"]["pattern"], "^[0-9]{6}$");
    assert_eq!(
        events[1]["schema"]["pattern"],
        "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
    );
    let area =
        &document["paths"]["/v1/districts/{district}/areas/{area}"]["patch"]["parameters"][1]["schema"];
    assert_eq!(area["pattern"], "^[0-9]{6}([0-9]{3}){0,4}$", "also where the name may be empty in a message");
    let report = &document["paths"]["/v1/districts/{district}/events"]["post"]["requestBody"]["content"]["application/json"]
        ["schema"];
    assert_eq!(report["required"], json!(["category", "description"]));
    assert_eq!(report["properties"].get("parent"), None, "the path holds it");
    assert_eq!(
        (&report["properties"]["description"]["maxLength"], &report["additionalProperties"]),
        (&json!(4000), &json!(false))
    );
    // What we answer may be outside of the limits of what we take, as masked telephone numbers are.
    let schemas = &document["components"]["schemas"];
    assert!(schemas["jingwei.grid.v1.Area.Input"]["properties"]["displayName"]["maxLength"].is_number());
    assert!(schemas["jingwei.grid.v1.Area"]["properties"]["displayName"]["maxLength"].is_null());
    assert_eq!(schemas["jingwei.grid.v1.Area"]["properties"]["version"]["type"], "string", "64 bits");
}

#[test]
fn who_may_be_anonymous_is_said() {
    let document = real();
    let card = &document["paths"]["/v1/districts/{district}/contactCards/{contactCard}"]["get"];
    assert_eq!(card["security"], json!([{}, {"bearer": []}]));
    assert_eq!(document["security"], json!([{"bearer": []}]));
}

#[test]
fn a_stream_is_lines_or_events() {
    let document = real();
    let watch = &document["paths"]["/v1/districts/{district}/events:watch"]["get"];
    let kinds = watch["responses"]["200"]["content"].as_object().expect("content").keys().collect::<Vec<_>>();
    assert_eq!(kinds, ["application/x-ndjson", "text/event-stream"]);
    let names = watch["parameters"]
        .as_array()
        .expect("parameters")
        .iter()
        .map(|parameter| parameter["name"].as_str().unwrap_or_default());
    assert!(names.collect::<Vec<_>>().contains(&"Last-Event-ID"));
}

#[test]
fn raw_bodies_are_bytes() {
    let own = protox::file::File::from_source("files.proto", include_str!("../../tests/port/files.proto"));
    let mut pool = DescriptorPool::decode(jingwei_proto::DESCRIPTORS).expect("the real ones");
    pool.add_file_descriptor_proto(own.expect("a file").file_descriptor_proto().clone()).expect("they fit");
    let routes = Routes::new(&Tables::new(&pool), &pool, &["jingwei.grid.v1.FileService"]).expect("routes");
    let document = document(&pool, &routes);
    let bytes = json!({"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"});
    let operation = |method: &str, path: &str| document["paths"][path][method].clone();
    for path in ["/v1/districts/{district}/files/{file}", "/v1/districts/{district}/files/{file}:download"] {
        let operation = operation("get", path);
        let answer = &operation["responses"]["200"];
        assert_eq!(answer["content"]["application/octet-stream"]["schema"], bytes, "{path}");
        assert_eq!(answer["content"]["*/*"]["schema"], bytes, "{path}: of whatever type it is");
        assert!(answer["headers"]["Content-Disposition"].is_object(), "{path}");
        assert_eq!(operation.get("requestBody"), None, "{path}");
    }
    let append = operation("post", "/v1/districts/{district}/files/{file}:append");
    assert_eq!(append["requestBody"]["content"], json!({"application/octet-stream": {"schema": bytes}}));
    let names = append["parameters"].as_array().expect("parameters").iter().map(|p| p["name"].clone());
    assert_eq!(names.collect::<Vec<_>>(), ["district", "file", "offset"], "the body is none");
    assert!(append["responses"]["200"]["content"]["application/json"].is_object());
    assert_eq!(append["responses"].get("415"), None, "every type is taken");
    assert!(append["responses"]["413"].is_object());
    let echo = operation("post", "/v1/files:echo");
    assert_eq!(echo["requestBody"]["content"]["application/octet-stream"]["schema"], bytes);
    assert_eq!(document["components"]["schemas"].get("google.api.HttpBody"), None, "it is never JSON");
}
