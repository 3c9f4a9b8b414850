//! The operations of a caller: the list, with its filter and its pages, and a single one.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::Value;

use crate::support::app::TestApp;

/// The kinds and the stacks of the operations of a page, and the cursor of the next one.
async fn page(app: &TestApp, query: &str) -> (Vec<(String, String)>, Option<String>) {
    let reply = app.get(&format!("/api/operations{query}")).await;
    assert_eq!(reply.status, StatusCode::OK, "{query}: {reply:?}");
    let body = reply.json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let line = |one: &Value| (text(&one["kind"]), text(&one["stackName"]));
    let lines = body["operations"].as_array().unwrap().iter().map(line).collect();
    (lines, body["next"].as_str().map(str::to_owned))
}

fn line(kind: &str, stack: &str) -> (String, String) {
    (kind.to_owned(), stack.to_owned())
}

#[tokio::test]
async fn one_s_own_operations_are_listed_newest_first_with_a_filter() {
    let app = TestApp::new().in_one_browser();
    let id = app.live("alice").await;
    app.clock.advance(Duration::from_secs(1));
    app.live("carol").await;
    app.clock.advance(Duration::from_secs(1));
    let stop = app.ask("POST", "/api/stacks/alice/stop", &[], "").await.json();
    let all = [line("stop", "alice"), line("deployment", "carol"), line("deployment", "alice")];
    assert_eq!(page(&app, "").await, (all.to_vec(), None));
    for (query, expected) in [
        ("?stack=alice", vec![0, 2]),
        ("?kind=deployment", vec![1, 2]),
        ("?status=in_progress", vec![0]),
        ("?status=stuck", vec![]),
        ("?stack=carol&kind=stop", vec![]),
        ("?stack=nobody", vec![]),
    ] {
        let expected: Vec<_> =
            expected.into_iter().map(|number: usize| all[number].clone()).collect();
        assert_eq!(page(&app, query).await.0, expected, "{query}");
    }
    let before = format!("?before={}", stop["operationId"].as_str().unwrap());
    assert_eq!(page(&app, &before).await.0, all[1..]);
    let gone = app.get(&format!("/api/operations?before=op_{}", "0".repeat(32))).await;
    assert_eq!(gone.error(), "404 NOT_FOUND", "an empty page would look like the last one");

    let one = app.get(&format!("/api/operations/{id}")).await.json()["operation"].clone();
    let listed = app.get("/api/operations?stack=alice&kind=deployment").await.json();
    assert_eq!(one, listed["operations"][0], "a single one is as the list has it");
    assert_eq!((&one["status"], &one["revision"]), (&"success".into(), &1.into()));
    assert_eq!(one["stackId"], format!("stk_{}", id.as_str().trim_start_matches("dep_")));
    let other = app.get(&format!("/api/operations/dep_{}", "0".repeat(32))).await;
    assert_eq!(other.error(), "404 NOT_FOUND");
}

#[tokio::test]
async fn pages_follow_each_other_without_a_gap() {
    let app = TestApp::new().in_one_browser();
    for number in 0..52 {
        app.live(&format!("stack-{number}")).await;
    }
    let (first, next) = page(&app, "").await;
    assert_eq!(first.len(), 50);
    let (second, end) = page(&app, &format!("?before={}", next.unwrap())).await;
    assert_eq!((second.len(), end), (2, None));
    let mut names: Vec<_> = first.into_iter().chain(second).map(|(_, name)| name).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 52);
}

#[tokio::test]
async fn nobody_else_sees_them_in_the_list() {
    let app = TestApp::new().in_one_browser();
    app.live("alice").await;
    assert_eq!(page(&app, "").await.0, [line("deployment", "alice")]);
    let other = app.with_cookie(&format!("browser={}", "b".repeat(43)));
    assert_eq!(page(&other, "").await.0, []);
}

#[tokio::test]
async fn a_field_that_cannot_be_used_is_named_with_what_to_send() {
    let app = TestApp::new().in_one_browser();
    app.live("alice").await;
    let stack = "/api/stacks/alice";
    for (path, remedy) in [
        (String::from("/api/operations?kind=x"), "`kind` of operation: send deployment, removal"),
        (String::from("/api/operations?status=done"), "`status` cannot be read: send in_progress"),
        (String::from("/api/operations?before=x"), "`before` cannot be read: send the `next`"),
        (String::from("/api/operations?before="), "`before` cannot be read"),
        (String::from("/api/operations?kind="), "`kind` of operation"),
        (format!("{stack}/logs?tail="), "`tail` cannot be read"),
        (String::from("/api/operations?stack=A_b"), "`stack` cannot be read: send the name"),
        (format!("{stack}/usage?range=2h"), "`range` cannot be read: send 1h, 7d or 90d."),
        (format!("{stack}/history?after=x"), "`after` cannot be read: send the number"),
        (format!("{stack}/logs?tail=-1"), "`tail` cannot be read: send a number of lines"),
        (format!("{stack}/logs?since=soon"), "`since` cannot be read: send a time such as"),
        (format!("{stack}/logs?download=yes"), "`download` cannot be read: send 1"),
        (format!("{stack}/logs/stream?tail=x"), "`tail` cannot be read"),
        (format!("{stack}/usage?range=1h&range=7d"), "send each field at most once"),
    ] {
        let reply = app.get(&path).await;
        assert_eq!(reply.error(), "400 INVALID_REQUEST", "{path}");
        let body = reply.json();
        assert!(body["error"].as_str().unwrap().contains(remedy), "{path}: {body}");
    }
    let kept = app.ask("DELETE", &format!("{stack}?keepData=2"), &[], "").await;
    assert!(kept.json()["error"].as_str().unwrap().contains("`keepData` cannot be read"));
}
