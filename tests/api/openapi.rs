//! `docs/openapi.json` matches the mounted routes and `docs/native.md`, and every server serves both.

use std::collections::BTreeSet;

use parlor::dialect::kit::Surface;
use parlor::dialect::native;
use serde_json::{Map, Value};

use crate::support::*;

const OPENAPI: &str = include_str!("../../docs/openapi.json");
const DOCUMENT: &str = include_str!("../../docs/native.md");

fn document() -> Value {
    serde_json::from_str(OPENAPI).unwrap()
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap()
}

/// Returns method, path and operation object of all operations.
fn operations(document: &Value) -> Vec<(String, &str, &Value)> {
    const METHODS: [&str; 5] = ["get", "put", "post", "patch", "delete"];
    let mut found = Vec::new();
    for (path, item) in object(&document["paths"]) {
        for (key, operation) in object(item) {
            if METHODS.contains(&key.as_str()) {
                found.push((key.to_uppercase(), path.as_str(), operation));
            }
        }
    }
    found
}

/// Returns method and path with the names of path parameters removed.
fn nameless(method: &str, path: &str) -> String {
    let plain = |segment: &str| match segment.starts_with('{') {
        true => "{}".to_owned(),
        false => segment.to_owned(),
    };
    let segments: Vec<_> = path.split('/').map(plain).collect();
    format!("{method} {}", segments.join("/"))
}

fn mounted(surface: &Surface) -> Vec<String> {
    let routes = surface.routes.iter();
    routes
        .map(|route| {
            nameless(
                route.method.as_str(),
                &format!("{}{}", surface.prefix, route.path),
            )
        })
        .collect()
}

#[test]
fn exactly_the_mounted_routes_are_described() {
    let surfaces = [native::surface(), native::files_surface()];
    let mounted: BTreeSet<_> = surfaces.iter().flat_map(mounted).collect();
    let document = document();
    let described: BTreeSet<_> = operations(&document)
        .iter()
        .map(|(method, path, _)| nameless(method, path))
        .collect();
    let undescribed: Vec<_> = mounted.difference(&described).collect();
    let unmounted: Vec<_> = described.difference(&mounted).collect();
    assert!(
        undescribed.is_empty() && unmounted.is_empty(),
        "not in docs/openapi.json: {undescribed:?}; in it, but not mounted: {unmounted:?}"
    );
}

#[test]
fn operation_ids_are_unique_and_path_parameters_are_described() {
    let document = document();
    let operations = operations(&document);
    let names: BTreeSet<_> = operations
        .iter()
        .map(|(_, _, operation)| &operation["operationId"])
        .map(Value::to_string)
        .collect();
    assert_eq!(names.len(), operations.len());
    for (method, path, operation) in operations {
        let given = [
            &document["paths"][path]["parameters"],
            &operation["parameters"],
        ];
        let given = given.into_iter().filter_map(Value::as_array).flatten();
        let given: BTreeSet<_> = given
            .map(|parameter| resolve(&document, parameter))
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        let wanted = path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        assert_eq!(given, wanted.collect(), "{method} {path}");
    }
}

#[test]
fn every_component_exists_and_is_referenced() {
    let document = document();
    let mut referred = BTreeSet::new();
    gather(&document, &mut referred);
    let kinds = ["parameters", "responses", "schemas"];
    let there = kinds.iter().flat_map(|kind| {
        let names = object(&document["components"][kind]).keys();
        names.map(move |name| format!("#/components/{kind}/{name}"))
    });
    assert_eq!(referred, there.collect());
}

fn gather(value: &Value, referred: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            referred.extend(
                fields
                    .get("$ref")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
            );
            fields.values().for_each(|value| gather(value, referred));
        }
        Value::Array(items) => items.iter().for_each(|value| gather(value, referred)),
        _ => {}
    }
}

fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let Some(place) = value["$ref"].as_str() else {
        return value;
    };
    document.pointer(place.trim_start_matches('#')).unwrap()
}

#[test]
fn both_documents_list_the_same_error_codes() {
    // The status of a method that a path does not have; no operation can describe it.
    const NO_OPERATION: &str = "405";
    let rows = DOCUMENT.lines().filter_map(|line| line.strip_prefix("| "));
    let told: BTreeSet<_> = rows
        .filter_map(|row| row.split_once(" | `"))
        .filter(|(status, _)| status.parse::<u16>().is_ok())
        .map(|(status, rest)| (status, rest.split('`').next().unwrap()))
        .collect();
    let document = document();
    let mut described = BTreeSet::new();
    for (status, response) in object(&document["components"]["responses"]) {
        let codes = response["description"]
            .as_str()
            .unwrap()
            .split('`')
            .skip(1)
            .step_by(2);
        if status.parse::<u16>().is_ok() {
            described.extend(
                codes
                    .filter(|code| *code != "field")
                    .map(|code| (status.as_str(), code)),
            );
        }
    }
    let told_of_routes = told.iter().filter(|(status, _)| *status != NO_OPERATION);
    assert_eq!(described, told_of_routes.copied().collect());
    let listed = &document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"];
    let listed: BTreeSet<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(listed, told.iter().map(|(_, code)| *code).collect());
}

#[test]
fn both_documents_give_objects_the_same_fields() {
    let document = document();
    let schemas = &document["components"]["schemas"];
    for name in [
        "Person",
        "Room",
        "Member",
        "Message",
        "Notification",
        "File",
        "Session",
        "Invite",
        "Grant",
    ] {
        let mut fields = BTreeSet::new();
        let mut parts = vec![&schemas[name]];
        while let Some(part) = parts.pop() {
            parts.extend(
                part["allOf"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|part| resolve(&document, part)),
            );
            fields.extend(
                part["properties"]
                    .as_object()
                    .into_iter()
                    .flat_map(Map::keys)
                    .map(String::as_str),
            );
        }
        assert_eq!(fields, documented(name).into_iter().collect(), "{name}");
    }
}

#[tokio::test]
async fn the_server_serves_its_openapi_document() {
    let server = TestServer::start().await;
    assert_eq!(
        server.anybody().get("openapi.json").await.ok(200),
        document()
    );
}

#[tokio::test]
async fn the_docs_page_needs_no_script_and_has_no_dead_links() {
    let server = TestServer::start().await;
    let anybody = server.anybody();
    let page = anybody.get("/api/docs").await;
    assert_eq!(
        (page.status.as_u16(), page.header("content-type")),
        (200, "text/html; charset=utf-8")
    );
    let policy = page.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none';")
            && !policy.contains("script")
            && !policy.contains("unsafe"),
        "{policy}"
    );
    let text = String::from_utf8(page.body.to_vec()).unwrap();
    assert!(!text.contains("<script") && !text.contains("style="));
    let values = |name: &str| -> Vec<&str> {
        let attribute = format!(" {name}=\"");
        let parts: Vec<_> = text.split(&attribute).skip(1).collect();
        let parts = parts.into_iter();
        parts.map(|part| part.split('"').next().unwrap()).collect()
    };
    let names = values("id");
    assert_eq!(names.len(), names.iter().collect::<BTreeSet<_>>().len());
    assert!(names.contains(&"coming-back"), "{names:?}");
    for link in values("href") {
        match link.strip_prefix('#') {
            Some(name) => assert!(names.contains(&name), "{link}"),
            None if link.starts_with('/') => {
                assert_eq!(anybody.get(link).await.status, 200, "{link}")
            }
            None => assert!(link.starts_with("https://"), "{link}"),
        }
    }
}

#[tokio::test]
async fn the_server_serves_the_example_clients() {
    let server = TestServer::start().await;
    let client = server.anybody().get("/api/docs/clients/parlor.py").await;
    assert_eq!(client.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(client.body, include_str!("../../docs/clients/parlor.py"));
    let none = server.anybody().get("/api/docs/clients/parlor.rs").await;
    assert_eq!(none.status, 404);
}
