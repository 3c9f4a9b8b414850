//! What is held against every answer finds an answer that the document does not have.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::contract::{Exchange, problem};

fn exchange<'a>(status: u16, kind: &str, body: &'a str) -> Exchange<'a> {
    let headers = BTreeMap::from([(String::from("content-type"), kind.to_owned())]);
    Exchange { method: "GET", target: "/api/stacks?a=b", status, headers, body }
}

/// Returns the problem of an answer, or nothing.
fn found(exchange: &Exchange<'_>) -> String {
    problem(exchange).err().unwrap_or_default()
}

#[test]
fn an_answer_that_the_document_does_not_have_is_found() {
    let json = "application/json";
    let right = r#"{"success":true,"stacks":[]}"#;
    let stack = |more: Value| {
        let mut stack = json!({
            "name": "alice", "url": "https://a.example.com", "since": "2026-11-23T09:55:24.515Z", "state": "live",
            "status": "running", "desired": "running", "revision": 1, "template": "default",
        });
        stack.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "success": true, "stacks": [stack] }).to_string()
    };
    assert_eq!(found(&exchange(200, json, right)), "");
    assert_eq!(found(&exchange(200, json, &stack(json!({})))), "");
    let error =
        |code: &str| json!({ "success": false, "error": "It is so.", "code": code }).to_string();
    assert_eq!(found(&exchange(500, json, &error("INTERNAL"))), "");
    for (exchange, problem) in [
        (exchange(202, json, right), "no status 202"),
        (exchange(200, "text/plain", right), "no content type text/plain"),
        (exchange(200, json, "{"), "no JSON"),
        (exchange(200, json, r#"{"success":true}"#), "\"stacks\" is a required property"),
        (exchange(200, json, &stack(json!({ "more": 1 }))), "'more' was unexpected"),
        (exchange(200, json, &stack(json!({ "since": "yesterday" }))), "date-time"),
        (exchange(200, json, &stack(json!({ "state": "dead" }))), "\"dead\" is not one of"),
        (exchange(500, json, &error("NAME_TAKEN")), "\"NAME_TAKEN\" is not one of"),
        (exchange(401, json, &error("TOKEN_INVALID")), "no header WWW-Authenticate"),
        (Exchange { method: "PUT", ..exchange(200, json, right) }, "is a required property"),
        (
            Exchange { method: "PUT", ..exchange(404, json, &error("METHOD_NOT_ALLOWED")) },
            "another status",
        ),
        (Exchange { target: "/api/else", ..exchange(200, json, right) }, "is a required property"),
    ] {
        assert!(found(&exchange).contains(problem), "{:?}, not {problem}", found(&exchange));
    }
}

#[test]
fn an_event_that_the_document_does_not_have_is_found() {
    let stream =
        |body| Exchange { target: "/api/status/dep_1", ..exchange(200, "text/event-stream", body) };
    let removed = "retry: 1\n\nid: 1\nevent: complete\ndata: {\"status\":\"removed\",\"receipt\":{\"clean\":true,\"lines\":[]}}\n\n";
    assert_eq!(found(&stream(removed)), "");
    assert!(
        found(&stream("event: complete\ndata: {\"status\":\"removed\"}\n\n")).contains("not valid")
    );
    assert!(found(&stream("event: other\ndata: {}\n\n")).contains("no event"));
    assert!(found(&stream("event: log\ndata: {}\n\n")).contains("is a required property"));
}
