//! The event stream: every event once, in order, byte for byte, even if the connection is lost
//! (promise P14).

use std::time::Duration;

use ai_stack_deployer::server::store::Journal;
use axum::body::{Body, BodyDataStream};
use axum::http::{Request, StatusCode};
use domain::deployment::DeploymentId;
use domain::phase::Phase;
use futures::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::app::{Reply, TestApp};

/// The interval of the keepalive comments.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// By then everything has happened that is going to, on a busy machine.
const SOON: Duration = Duration::from_secs(20);

/// A stream that is read frame by frame.
struct EventStream {
    chunks: BodyDataStream,
    text: String,
}

impl EventStream {
    async fn open(app: &TestApp, id: &DeploymentId) -> Self {
        Self::open_at(app, &format!("/api/status/{id}")).await.expect("there is a place")
    }

    /// Opens the stream at `path`; `None` if there are too many.
    async fn open_at(app: &TestApp, path: &str) -> Option<Self> {
        let response = app.open(Request::get(path).body(Body::empty()).unwrap()).await;
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            return None;
        }
        assert_eq!(response.status(), StatusCode::OK);
        Some(Self { chunks: response.into_body().into_data_stream(), text: String::new() })
    }

    /// Waits for the next frame, without the empty line at its end.
    async fn frame(&mut self) -> Option<String> {
        loop {
            if let Some((frame, rest)) = self.text.split_once("\n\n") {
                let frame = frame.to_owned();
                self.text = rest.to_owned();
                return Some(frame);
            }
            let chunk = self.chunks.next().await?.unwrap();
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// Waits for the end, and returns the frames until then.
    async fn rest(&mut self) -> String {
        let mut rest = String::new();
        while let Some(frame) = self.frame().await {
            rest.extend([&*frame, "\n\n"]);
        }
        rest
    }
}

async fn ended(app: &TestApp) -> DeploymentId {
    let id = app.begin("alice").await;
    let lease = app.claim().await;
    app.record(&lease, vec![app.progress(Phase::CREATING_PROJECT), app.log("Created")]).await;
    app.record(&lease, vec![app.progress(Phase::VERIFYING_HEALTH), TestApp::complete("alice")])
        .await;
    id
}

async fn resume(app: &TestApp, id: &DeploymentId, query: &str, last: Option<&str>) -> Reply {
    let mut request = Request::get(format!("/api/status/{id}{query}"));
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    app.send(request.body(Body::empty()).unwrap()).await
}

/// Returns the numbers of the events in a stream.
fn ids(text: &str) -> Vec<u64> {
    text.lines().filter_map(|line| line.strip_prefix("id: ")?.parse().ok()).collect()
}

#[tokio::test]
async fn a_stream_has_the_stored_events_byte_for_byte() {
    let app = TestApp::new();
    let id = ended(&app).await;
    let reply = resume(&app, &id, "", None).await;
    assert_eq!(reply.header("content-type"), Some("text/event-stream"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.header("x-accel-buffering"), Some("no"));
    assert_eq!(reply.header("content-encoding"), None);
    insta::assert_snapshot!("stream_live", reply.body);
    let events = app.store.events(&id, 0, 100).await.unwrap();
    let frames = events
        .iter()
        .map(|event| format!("id: {}\nevent: {}\ndata: {}\n\n", event.seq, event.name, event.data));
    assert_eq!(reply.body, format!("retry: 2000\n\n{}", frames.collect::<String>()));
}

#[tokio::test]
async fn a_failed_deployment_ends_with_an_error_event_that_carries_data() {
    let app = TestApp::new();
    let id = app.begin("alice").await;
    let lease = app.claim().await;
    app.record(&lease, vec![app.progress(Phase::ROLLING_BACK), app.failure()]).await;
    insta::assert_snapshot!("stream_failed", resume(&app, &id, "", None).await.body);
}

#[tokio::test]
async fn a_stream_resumes_after_the_larger_cursor_and_ignores_invalid_ones() {
    let app = TestApp::new();
    let id = ended(&app).await;
    let cases = [
        ("", None, 1),
        ("?after=0", None, 1),
        ("?after=2", None, 3),
        ("", Some("3"), 4),
        ("?after=2", Some("3"), 4),
        ("?after=4", Some("1"), 5),
        ("?after=x", Some("-7"), 1),
        ("?after=%31", Some(""), 1),
        ("?after=18446744073709551616", None, 1),
    ];
    for (query, last, first) in cases {
        let reply = resume(&app, &id, query, last).await;
        assert_eq!(reply.status, StatusCode::OK);
        assert_eq!(ids(&reply.body), (first..=5).collect::<Vec<_>>(), "{query} {last:?}");
    }
}

#[tokio::test]
async fn a_finished_cursor_gets_204_and_nothing_else() {
    let app = TestApp::new();
    let id = ended(&app).await;
    for (query, last) in
        [("?after=5", None), ("?after=99", None), ("", Some("18446744073709551615"))]
    {
        let reply = resume(&app, &id, query, last).await;
        assert_eq!((reply.status, reply.body.as_str()), (StatusCode::NO_CONTENT, ""));
    }
}

#[tokio::test]
async fn what_does_not_follow_gets_the_recorded_events_and_the_end_of_the_answer() {
    let app = TestApp::new();
    let id = app.begin("alice").await;
    let lease = app.claim().await;
    app.record(&lease, vec![app.progress(Phase::CREATING_PROJECT), app.log("Created")]).await;
    for (query, expected) in [
        ("?follow=false", vec![1, 2, 3]),
        ("?after=2&follow=false", vec![3]),
        ("?follow=false&after=3", vec![]),
        ("?after=99&follow=false", vec![]),
    ] {
        let reply = resume(&app, &id, query, None).await;
        assert_eq!(ids(&reply.body), expected, "{query}");
    }
    app.record(&lease, vec![TestApp::complete("alice")]).await;
    let reply = resume(&app, &id, "?after=4&follow=false", None).await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn what_does_not_follow_needs_no_place_among_the_streams() {
    let app = TestApp::with(&[("STREAMS_PER_ADDRESS", "1")]);
    let id = app.begin("alice").await;
    let watched = EventStream::open(&app, &id).await;
    assert_eq!(resume(&app, &id, "", None).await.error_code(), "TOO_MANY_STREAMS");
    let reply = resume(&app, &id, "?follow=false", None).await;
    assert_eq!((reply.status, ids(&reply.body)), (StatusCode::OK, vec![1]));
    // Nor does one that is not read take any.
    let request = Request::get(format!("/api/status/{id}?follow=false")).body(Body::empty());
    let unread = app.open(request.unwrap()).await;
    drop(watched);
    // The place is free as soon as the portal notices.
    let path = format!("/api/status/{id}");
    let opening = async { while EventStream::open_at(&app, &path).await.is_none() {} };
    timeout(SOON, opening).await.expect("the place is free again");
    drop(unread);
}

#[tokio::test]
async fn new_events_arrive_at_once_and_the_end_closes_the_stream() {
    let app = TestApp::new();
    let id = app.begin("alice").await;
    let mut watched = EventStream::open(&app, &id).await;
    assert_eq!(watched.frame().await.unwrap(), "retry: 2000");
    assert!(watched.frame().await.unwrap().starts_with("id: 1\nevent: progress\n"));
    let lease = app.claim().await;
    app.record(&lease, vec![app.progress(Phase::CREATING_PROJECT), app.log("Created")]).await;
    assert!(watched.frame().await.unwrap().starts_with("id: 2\nevent: progress\n"));
    assert!(watched.frame().await.unwrap().starts_with("id: 3\nevent: log\n"));
    app.record(&lease, vec![TestApp::complete("alice")]).await;
    assert!(watched.frame().await.unwrap().starts_with("id: 4\nevent: complete\n"));
    assert_eq!(watched.frame().await, None);
}

#[tokio::test]
async fn a_silent_stream_sends_a_comment_and_reads_again_every_15_seconds() {
    let app = TestApp::new();
    let id = app.begin("alice").await;
    let mut watched = EventStream::open(&app, &id).await;
    watched.frame().await.unwrap();
    watched.frame().await.unwrap();
    for _ in 0..2 {
        app.clock.advance(KEEPALIVE);
        assert_eq!(watched.frame().await.unwrap(), ": keepalive");
    }
    // A lost notification, such as from another replica, costs a moment, but no event.
    let lease = app.claim().await;
    let fact = ai_stack_deployer::server::store::Fact {
        events: vec![app.log("Created")],
        ..Default::default()
    };
    app.store.record(&lease, &fact).await.unwrap();
    app.clock.advance(KEEPALIVE);
    let frames = [watched.frame().await.unwrap(), watched.frame().await.unwrap()];
    assert!(frames.iter().any(|frame| frame.starts_with("id: 2\n")), "{frames:?}");
}

#[tokio::test]
async fn a_cursor_beyond_the_last_event_waits_for_later_ones() {
    let app = TestApp::new();
    let id = app.begin("alice").await;
    let lease = app.claim().await;
    let mut watched =
        EventStream::open_at(&app, &format!("/api/status/{id}?after=3")).await.unwrap();
    app.record(&lease, vec![app.log("2"), app.log("3"), app.log("4")]).await;
    app.record(&lease, vec![TestApp::complete("alice")]).await;
    assert_eq!(ids(&watched.rest().await), [4, 5]);
}

#[tokio::test]
async fn a_cursor_beyond_the_end_is_closed_when_the_end_comes_before_it() {
    let app = TestApp::new();
    let id = app.begin("alice").await;
    let lease = app.claim().await;
    let mut watched =
        EventStream::open_at(&app, &format!("/api/status/{id}?after=99")).await.unwrap();
    app.record(&lease, vec![app.log("2")]).await;
    app.record(&lease, vec![TestApp::complete("alice")]).await;
    assert_eq!(watched.rest().await, "retry: 2000\n\n");
}

#[tokio::test]
async fn a_long_history_is_sent_completely() {
    let app = TestApp::new();
    let id = app.begin("alice").await;
    let lease = app.claim().await;
    app.record(&lease, (0..1_300).map(|n| app.log(&n.to_string())).collect()).await;
    app.record(&lease, vec![TestApp::complete("alice")]).await;
    assert_eq!(ids(&resume(&app, &id, "", None).await.body), (1..=1_302).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_shutdown_closes_open_streams_and_the_server_ends() {
    let app = TestApp::new();
    let id = app.begin("alice").await;
    let address = app.listen().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET /api/status/{id} HTTP/1.1\r\nHost: x\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut buffer = vec![0; 4096];
    let mut text = String::new();
    while !text.contains("event: progress") {
        let length = stream.read(&mut buffer).await.unwrap();
        text.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
    }
    app.shutdown.cancel();
    stream.read_to_end(&mut buffer).await.unwrap();
}
