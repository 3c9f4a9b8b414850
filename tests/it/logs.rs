//! The logs of stacks: who may read them, without which secrets, and what a stream sends.

mod hub;

use std::time::Duration;

use ai_stack_deployer::server::platform::AppName;
use ai_stack_deployer::server::store::{Cause, Fact, Journal as _, Lane, StepId, StepRecord};
use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use clock::Clock;
use domain::deployment::DeploymentId;
use domain::event::{EventBody, Failure, FailureCode, Gone, RemovalCompletion};
use domain::last_log::{LastLog, LogState};
use domain::message::MessageCode;
use domain::receipt::Receipt;
use futures::StreamExt as _;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::support::app::TestApp;
use crate::support::claim_one::ClaimOne as _;

/// The container of the stack.
const ONE: &str = "stack-alice-abc123.1.kiu8188z04i8mik5wgqast952";
const TWO: &str = "stack-alice-abc123.1.zzz8188z04i8mik5wgqast952";
/// A secret of the stack.
const SECRET: &str = "correct-horse-battery";

fn service() -> AppName {
    AppName(String::from("stack-alice-abc123"))
}

/// A portal with one live stack, whose container writes a log, and time that passes.
struct World {
    app: TestApp,
    id: DeploymentId,
    time: JoinHandle<()>,
}

impl World {
    async fn start() -> Self {
        let app = TestApp::with(&[("STACK_ENV_API_KEY", SECRET)]).in_one_browser();
        let id = app.begin("alice").await;
        let lease = app.claim().await;
        let services = vec![service()];
        app.store.record(&lease, &Fact { services, ..Fact::default() }).await.unwrap();
        app.record(&lease, vec![TestApp::complete("alice")]).await;
        app.platform.logs.start(ONE);
        let clock = std::sync::Arc::clone(&app.clock);
        let time = tokio::spawn(async move {
            loop {
                clock.advance(Duration::from_millis(50));
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        Self { app, id, time }
    }

    fn write(&self, container: &str, text: &str) {
        self.app.platform.logs.write(container, self.app.clock.now(), text);
    }

    /// Opens a stream, with these headers.
    async fn stream(&self, query: &str, headers: &[(&str, &str)]) -> Stream {
        let mut request = Request::get(format!("/api/stacks/alice/logs/stream{query}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.app.open(request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        Stream::of(response)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.time.abort();
    }
}

/// An event of a stream.
#[derive(Clone, Debug)]
struct Event {
    id: String,
    name: String,
    data: Value,
}

struct Stream {
    body: axum::body::BodyDataStream,
    text: String,
}

impl Stream {
    fn of(response: Response<Body>) -> Self {
        Self { body: response.into_body().into_data_stream(), text: String::new() }
    }

    /// Waits for the next event; `None` at the end.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((frame, rest)) = self.text.split_once("\n\n") {
                let frame = frame.to_owned();
                self.text = rest.to_owned();
                let field = |name: &str| {
                    let line = frame.lines().find_map(|line| line.strip_prefix(name));
                    line.unwrap_or_default().to_owned()
                };
                let name = field("event: ");
                if !name.is_empty() {
                    let data = serde_json::from_str(&field("data: ")).unwrap();
                    return Some(Event { id: field("id: "), name, data });
                }
                continue;
            }
            let chunk = self.body.next().await?.unwrap();
            self.text += std::str::from_utf8(&chunk).unwrap();
        }
    }

    /// Waits for a line with this text.
    async fn line(&mut self, text: &str) -> Event {
        loop {
            let event = self.next().await.unwrap();
            if event.data["text"] == text {
                return event;
            }
        }
    }
}

#[tokio::test]
async fn the_log_is_text_with_a_time_in_each_line_and_without_secrets() {
    let world = World::start().await;
    world.write(ONE, "listening");
    world.write(ONE, &format!("\u{1b}[31mkey={SECRET}\u{1b}[0m!"));
    world.write(ONE, "Goodbye");
    let reply = world.app.get("/api/stacks/alice/logs").await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    assert_eq!(reply.header("content-type").unwrap(), "text/plain; charset=utf-8");
    assert_eq!(reply.header("cache-control").unwrap(), "no-store");
    let lines: Vec<_> = reply.body.lines().map(|line| line.split_once(' ').unwrap()).collect();
    assert!(lines.iter().all(|(at, _)| at.parse::<Timestamp>().is_ok()), "{lines:?}");
    let texts: Vec<_> = lines.iter().map(|(_, text)| *text).collect();
    assert_eq!(texts, ["listening", "key=***!", "Goodbye"]);

    let get = async |query: &str| world.app.get(&format!("/api/stacks/alice/logs{query}")).await;
    let found = get("?search=GOOD&tail=5").await;
    assert!(found.body.ends_with(" Goodbye\n") && found.body.lines().count() == 1);
    assert_eq!(get("?tail=2").await.body.lines().count(), 2);
    assert_eq!(get("?since=2099-01-01T00:00:00Z").await.body, "");
    let file = get("?download=1").await;
    assert_eq!(file.header("content-disposition").unwrap(), "attachment; filename=\"alice.log\"");
    for query in ["?since=never", "?download=x", "?tail=x"] {
        assert_eq!(get(query).await.status, StatusCode::BAD_REQUEST, "{query}");
    }
    for (container, tail) in world.app.platform.logs.asked() {
        assert_eq!((container.as_str(), tail), (ONE, 10_000), "nothing of a caller goes there");
    }
}

#[tokio::test]
async fn without_a_container_there_is_no_log() {
    let world = World::start().await;
    world.app.platform.logs.remove_all();
    let reply = world.app.get("/api/stacks/alice/logs").await;
    assert_eq!((reply.status, &reply.json()["code"]), (StatusCode::CONFLICT, &json!("NO_LOG")));
}

#[tokio::test]
async fn a_stream_sends_what_was_there_then_what_comes_and_goes_on_after_the_last_line() {
    let world = World::start().await;
    world.write(ONE, "one");
    world.write(ONE, "two");
    let mut stream = world.stream("?tail=1", &[]).await;
    let two = stream.next().await.unwrap();
    assert_eq!((two.name.as_str(), &two.data["text"]), ("line", &json!("two")));
    assert_eq!(two.id, format!("{ONE}:{}", two.data["time"].as_str().unwrap()));
    world.write(ONE, "three");
    let three = stream.next().await.unwrap();
    assert_eq!((three.name.as_str(), &three.data["text"]), ("line", &json!("three")));
    drop(stream);
    world.write(ONE, "four");
    for (query, headers) in [
        (String::new(), vec![("last-event-id", two.id.as_str())]),
        (format!("?after={}", two.id), vec![]),
    ] {
        let mut again = world.stream(&query, &headers).await;
        for text in ["three", "four"] {
            assert_eq!(again.next().await.unwrap().data["text"], text, "{query}");
        }
    }
    assert_eq!(world.app.platform.logs.opened(), 1);
}

#[tokio::test]
async fn a_stream_tells_of_another_container() {
    let world = World::start().await;
    world.write(ONE, "one");
    let mut stream = world.stream("", &[]).await;
    stream.line("one").await;
    world.app.platform.logs.start(TWO);
    world.write(TWO, "two");
    let event = stream.next().await.unwrap();
    assert_eq!((event.name.as_str(), event.data), ("container", json!({ "container": TWO })));
    assert!(stream.line("two").await.id.starts_with(TWO));
}

#[tokio::test]
async fn nobody_else_reads_a_log_and_a_stream_ends_with_the_right() {
    let world = World::start().await;
    world.write(ONE, "private");
    let other = format!("browser={}", "b".repeat(43));
    for path in ["/api/stacks/alice/logs", "/api/stacks/alice/logs/stream"] {
        for query in [String::new(), format!("?id={}", world.id)] {
            let request = Request::get(format!("{path}{query}")).header("cookie", &other);
            let reply = world.app.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}{query}");
            assert!(!reply.body.contains("private"));
        }
    }
    let mut stream = world.stream("", &[]).await;
    stream.line("private").await;
    // It is removed: nobody may read its log any more.
    let request = Request::delete("/api/stacks/alice?keepData=0").body(Body::empty()).unwrap();
    assert_eq!(world.app.send(request).await.status, StatusCode::ACCEPTED);
    let (lane, ttl) = (Lane::CleanUp { overdue: Timestamp::UNIX_EPOCH }, Duration::from_mins(1));
    let lease = world.app.store.claim_one(lane, "test", world.app.clock.now(), ttl).await;
    let receipt = Receipt::of(vec![]);
    let end = EventBody::Removed(RemovalCompletion { status: Gone::Removed, receipt });
    world.app.record(&lease.unwrap().unwrap(), vec![end]).await;
    while let Some(event) = stream.next().await {
        assert_ne!(event.data["text"], "later");
    }
}

/// What a container of the deployment wrote last.
fn last_log() -> LastLog {
    LastLog {
        container: Some(ONE.to_owned()),
        exit_code: Some(137),
        out_of_memory: true,
        log: LogState::Read,
        lines: vec![String::from("2026-01-02T03:04:05.678901234Z private <b>")],
    }
}

/// Lets the deployment of alice fail, with what its container wrote last.
async fn failed(app: &TestApp) -> DeploymentId {
    failed_by(app, app.failure()).await
}

async fn failed_by(app: &TestApp, error: EventBody) -> DeploymentId {
    let id = app.begin("alice").await;
    let lease = app.claim().await;
    let last_log = Some(Box::new(last_log()));
    let cause = Cause { last_log, ..Cause::new(FailureCode::HealthTimeout, MessageCode::SpecLost) };
    let step = Some((StepId::HEALTH, StepRecord::Failed { cause }));
    app.store.record(&lease, &Fact { step, ..Fact::default() }).await.unwrap();
    app.record(&lease, vec![error]).await;
    id
}

#[tokio::test]
async fn an_exit_code_that_the_reason_has_is_not_said_again_with_the_last_lines() {
    let last_lines = async |exit_code: Option<&str>| {
        let app = TestApp::new().in_one_browser();
        let EventBody::Error(failure) = app.failure() else { panic!("it is one") };
        let reason = MessageCode::CrashLoop { exit_code: exit_code.map(ToOwned::to_owned) };
        let code = FailureCode::CrashLoop;
        let failure = Failure { reason: Some(reason), code, ..failure };
        let id = failed_by(&app, EventBody::Error(failure)).await;
        let page = app.get(&format!("/deployments/{id}")).await.body;
        page.split_once("class=\"account log__last\"").unwrap().1.to_owned()
    };
    let said = last_lines(Some("137")).await;
    assert!(said.contains("more memory than it may.") && !said.contains("exit code"), "{said}");
    for other in [None, Some("1")] {
        let said = last_lines(other).await;
        assert!(said.contains("exit code 137"), "{said}");
    }
}

#[tokio::test]
async fn what_crashed_is_shown_with_its_operation_to_whoever_may_change_the_stack() {
    let app = TestApp::new().in_one_browser();
    let id = failed(&app).await;
    let other = format!("browser={}", "b".repeat(43));
    let (api, page) = (format!("/api/deployment/{id}"), format!("/deployments/{id}"));
    let own = app.get(&api).await.json();
    assert_eq!(own["lastLog"], serde_json::to_value(last_log()).unwrap(), "{own}");
    let shown = app.get(&page).await.body;
    for has in [
        "private &lt;b&gt;",
        "id=\"last-log\"",
        "Why: the last lines",
        "more memory",
        "exit code 137",
        "datetime=\"2026-01-02T03:04:05.678901234Z\"",
        ">03:04:05</time>",
    ] {
        assert!(shown.contains(has), "{has}: {shown}");
    }
    assert!(!shown.contains("678901234Z private"), "the time is not in the text: {shown}");
    for path in [api, page] {
        let reply = app.ask("GET", &path, &[("cookie", &other)], Body::empty()).await;
        assert!(!reply.body.contains("private") && !reply.body.contains("lastLog"), "{path}");
    }
}

#[tokio::test]
async fn the_page_shows_the_last_lines_without_scripts_and_finds_a_text() {
    let world = World::start().await;
    for number in 0..300 {
        world.write(ONE, &format!("line {number} <b> {SECRET}"));
    }
    let page = page_of(&world, "/stacks/alice/logs").await;
    assert_eq!(page.matches("class=\"log__time\"").count(), 200);
    assert!(page.contains("line 299 &lt;b&gt; ***") && !page.contains("line 99 "), "{page}");
    assert!(!page.contains(SECRET));
    for has in ["role=\"log\"", "aria-live=\"off\"", "href=\"/api/stacks/alice/logs?download=1\""] {
        assert!(page.contains(has), "{has}: {page}");
    }
    let found = page_of(&world, "/stacks/alice/logs?search=LINE+17+").await;
    assert_eq!(found.matches("class=\"log__time\"").count(), 1, "{found}");
    let none = page_of(&world, "/stacks/alice/logs?search=%3Cnothing").await;
    assert!(none.contains("No line has the text “&lt;nothing”."), "{none}");
    world.app.platform.logs.remove_all();
}

async fn page_of(world: &World, path: &str) -> String {
    let request = Request::get(path).header("accept", "text/html").body(Body::empty()).unwrap();
    let reply = world.app.send(request).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    reply.body
}
