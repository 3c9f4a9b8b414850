//! The description of the API: it is valid, it has every route, and what it says is held against every
//! answer.

mod answers;

use std::collections::BTreeSet;

use ai_stack_deployer::http::{openapi_document, routes};
use axum::http::StatusCode;
use serde_json::Value;

use crate::support::app::TestApp;

/// <https://spec.openapis.org/oas/3.1/schema/2022-10-07>, by the OpenAPI Initiative under the Apache
/// License 2.0.
const SCHEMA: &str = include_str!("openapi/oas-3.1.json");

fn document() -> Value {
    serde_json::from_str(openapi_document()).unwrap()
}

/// Returns the path, the method and the operation of each operation.
fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    document["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
        let item = item.as_object().unwrap();
        item.iter().map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}

#[test]
fn the_document_is_valid_openapi_3_1() {
    let (document, schema) = (document(), serde_json::from_str(SCHEMA).unwrap());
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let errors = validator.iter_errors(&document);
    let errors: Vec<_> =
        errors.map(|error| format!("{error}: {}", error.instance_path())).collect();
    assert_eq!(errors, [""; 0]);
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    // The schemas themselves are JSON Schema of the same dialect.
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        assert!(jsonschema::draft202012::meta::is_valid(schema), "{name}");
    }
    // The validator finds what is missing.
    let mut broken = document;
    broken["paths"]["/api/stacks"]["get"]["responses"]["200"]["description"].take();
    assert!(!validator.is_valid(&broken));
}

#[test]
fn the_document_has_every_route_of_the_api_and_no_other() {
    let document = document();
    let documented: BTreeSet<_> = operations(&document)
        .map(|(path, method, _)| format!("{} {path}", method.to_uppercase()))
        .collect();
    let is_api = |path: &str| path.starts_with("/api/") && !path.starts_with("/api/fn/");
    let own = routes().filter(|(_, path, _)| is_api(path));
    let own: BTreeSet<_> = own.map(|(method, path, _)| format!("{method} {path}")).collect();
    assert_eq!(documented, own);
    assert!(own.len() > 10);
}

#[test]
fn each_operation_says_what_a_client_needs_to_know() {
    let document = document();
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let said = |name: &str| operation[name].as_str().unwrap_or_default().to_owned();
        assert!(ids.insert(said("operationId")), "{path}: {} twice", said("operationId"));
        assert!(said("summary").len() > 5 && said("description").ends_with('.'), "{method} {path}");
        assert!(operation["security"].is_array(), "{path}");
        let places = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let (in_path, others): (Vec<_>, Vec<_>) =
            parameters.partition(|parameter| parameter["in"] == "path");
        assert!(others.iter().all(|parameter| parameter["required"] == false), "{path}");
        let in_path = in_path.iter();
        let names: Vec<_> = in_path.map(|parameter| parameter["name"].as_str().unwrap()).collect();
        assert_eq!(names, places.collect::<Vec<_>>(), "{path}");
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with('2')), "{path}");
        assert!(["400", "500"].iter().all(|status| responses.contains_key(*status)), "{path}");
        if let Some(limited) = responses.get("429") {
            assert!(limited["headers"]["Retry-After"].is_object(), "{path}");
        }
    }
}

#[test]
fn every_schema_that_is_named_exists_and_every_schema_is_named() {
    fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    match value.as_str() {
                        Some(text) if name == "$ref" => drop(found.insert(text)),
                        Some(_) | None => references(value, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let document = document();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    let named: BTreeSet<_> = found.iter().map(|name| name.rsplit('/').next().unwrap()).collect();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    // The data of events are named by sentences: a stream has no schema.
    let events = ["ProgressEvent", "LogEntry", "CompleteEvent", "ErrorEvent"];
    let known: BTreeSet<_> = schemas.keys().map(String::as_str).collect();
    assert_eq!(named.into_iter().chain(events).collect::<BTreeSet<_>>(), known);
}

#[tokio::test]
async fn the_document_is_served_and_asked_for_again_only_after_a_change() {
    let app = TestApp::with(&[
        ("AUTH", "oidc"),
        ("OIDC_ISSUER", "http://127.0.0.1:9"),
        ("OIDC_CLIENT_ID", "a"),
    ]);
    let reply = app.get("/api/openapi.json").await;
    assert_eq!((reply.status, &*reply.body), (StatusCode::OK, openapi_document()));
    assert_eq!(reply.header("cache-control"), Some("public, no-cache"));
    let tag = reply.header("etag").unwrap();
    let ask =
        async |tag: &str| app.ask("GET", "/api/openapi.json", &[("if-none-match", tag)], "").await;
    let again = ask(tag).await;
    assert_eq!((again.status, &*again.body), (StatusCode::NOT_MODIFIED, ""));
    assert_eq!(again.header("etag"), Some(tag));
    assert_eq!(ask("\"other\"").await.status, StatusCode::OK);
}

/// Returns what stands between `start` and the next quotation mark, wherever `start` is.
fn all_after<'a>(page: &'a str, start: &str) -> BTreeSet<&'a str> {
    page.split(start).skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

#[tokio::test]
async fn the_page_shows_every_operation_without_scripts_and_without_others() {
    let app = TestApp::new();
    let reply = app.get("/api/docs").await;
    assert_eq!(reply.status, StatusCode::OK);
    let page = &reply.body;
    assert!(
        !page.contains("<script") && !page.contains("style=\""),
        "{:?}",
        all_after(page, "<script")
    );
    let (ids, document) = (all_after(page, " id=\""), document());
    for (path, method, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.contains(id), "{id}");
        for text in [path, &method.to_uppercase(), operation["summary"].as_str().unwrap()] {
            assert!(page.contains(text), "{text}");
        }
    }
    for limit in ["3 to 32 characters", "0 to 100", "date-time", "1 to 255 characters"] {
        assert!(page.contains(limit), "{limit}");
    }
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(ids.contains(&*format!("schema-{name}")), "{name}");
    }
    let (anchors, others): (Vec<_>, Vec<_>) =
        all_after(page, "href=\"").into_iter().partition(|link| link.starts_with('#'));
    for anchor in anchors {
        assert!(ids.contains(&anchor[1..]), "{anchor} leads nowhere");
    }
    assert!(others.iter().all(|link| link.starts_with('/')), "{others:?}");
}
