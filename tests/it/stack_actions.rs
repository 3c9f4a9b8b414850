//! What can be done to a stack, in each of its states and with each operation on it: the whole table.

use ai_stack_deployer::server::store::{
    CancelRequest, Desired, End, Fact, Journal as _, Lane, Lease, State,
};
use axum::http::StatusCode;
use clock::Clock;
use domain::event::{Completion, EventBody, Failure, Ready, Resources};
use domain::receipt::Receipt;
use tempfile::TempDir;

use crate::catalogue::{NOTES, put};
use crate::revisions::end;
use crate::support::app::{Reply, TestApp};
use crate::support::claim_one::{CLEAN_UP, ClaimOne as _};

/// The states: what the stack should be, and the operation that is under way or stuck.
const STATES: [&str; 12] = [
    "running", "stopped", "stopping", "starting", "restarting", "changing", "removing",
    "stuck stop", "stuck start", "stuck restart", "stuck change", "stuck removal",
];

/// What each request is answered with, in the order of [`STATES`]: `begun`, `same` for the operation
/// that is under way, `unchanged`, `busy` for 409 `OPERATION_UNDER_WAY`, and `wrong` for 409
/// `WRONG_STATE`.
const TABLE: [(&str, [&str; 12]); 6] = [
    (
        "stop",
        [
            "begun", "unchanged", "same", "busy", "busy", "busy", "busy", "begun", "begun",
            "begun", "begun", "busy",
        ],
    ),
    (
        "start",
        [
            "unchanged", "begun", "busy", "same", "busy", "busy", "busy", "begun", "begun",
            "begun", "begun", "busy",
        ],
    ),
    (
        "restart",
        [
            "begun", "wrong", "busy", "busy", "same", "busy", "busy", "begun", "begun", "begun",
            "begun", "busy",
        ],
    ),
    (
        "change",
        [
            "begun", "begun", "busy", "busy", "busy", "busy", "busy", "begun", "begun", "begun",
            "begun", "busy",
        ],
    ),
    (
        "rollback",
        [
            "begun", "begun", "busy", "busy", "busy", "busy", "busy", "begun", "begun", "begun",
            "begun", "busy",
        ],
    ),
    (
        "remove",
        [
            "begun", "begun", "busy", "busy", "busy", "busy", "same", "begun", "begun", "begun",
            "begun", "same",
        ],
    ),
];

/// A portal with the stack `alice` in a state.
struct World {
    app: TestApp,
    /// The operation that is under way or stuck.
    held: Option<String>,
    _site: TempDir,
}

async fn ask(app: &TestApp, request: &str) -> Reply {
    match request {
        "remove" => app.ask("DELETE", "/api/stacks/alice", &[], "").await,
        "change" => app.ask("PATCH", "/api/stacks/alice", &[], r#"{"size":"small"}"#).await,
        "rollback" => app.ask("POST", "/api/stacks/alice/rollback", &[], r#"{"revision":1}"#).await,
        action => app.ask("POST", &format!("/api/stacks/alice/{action}"), &[], "").await,
    }
}

async fn claim(app: &TestApp, lane: Lane) -> Lease {
    let ttl = std::time::Duration::from_mins(1);
    app.store.claim_one(lane, "test", app.clock.now(), ttl).await.unwrap().unwrap()
}

/// Stops the stack.
async fn stop(app: &TestApp) {
    assert_eq!(ask(app, "stop").await.status, StatusCode::ACCEPTED);
    let lease = claim(app, Lane::Forward).await;
    let end = Some(End {
        state: State::RolledBack,
        leaves: Some(Desired::Stopped),
        at: app.clock.now(),
        cancel_request: CancelRequest::None,
        due: None,
    });
    let complete = EventBody::Complete(Completion {
        url: String::from("http://alice.localhost:8081"),
        status: Ready::Stopped,
        resources: Resources::default(),
        duration: 1.25,
    });
    let fact = Fact { events: vec![complete], end, ..Fact::default() };
    app.store.record(&lease, &fact).await.unwrap();
}

impl World {
    async fn new(state: &str) -> Self {
        let site = tempfile::tempdir().unwrap();
        put(site.path(), "notes", NOTES);
        let catalogue = [("CATALOGUE", site.path().to_str().unwrap())];
        let app = TestApp::with_pages(&catalogue, site.path()).in_one_browser();
        app.live("alice").await;
        // So that there is a revision to go back to.
        let body = r#"{"size":"large","parameters":{"pages":2}}"#;
        let changed = app.ask("PATCH", "/api/stacks/alice", &[], body).await;
        assert_eq!(changed.status, StatusCode::ACCEPTED, "{changed:?}");
        end(&app).await;
        let is_stopped = ["stopped", "starting", "stuck start"].contains(&state);
        if is_stopped {
            stop(&app).await;
        }
        let request = match state {
            "stopping" | "stuck stop" => Some("stop"),
            "starting" | "stuck start" => Some("start"),
            "restarting" | "stuck restart" => Some("restart"),
            "changing" | "stuck change" => Some("change"),
            "removing" | "stuck removal" => Some("remove"),
            _ => None,
        };
        let Some(request) = request else { return Self { app, held: None, _site: site } };
        let reply = ask(&app, request).await;
        assert_eq!(reply.status, StatusCode::ACCEPTED, "{state}: {reply:?}");
        let held = Some(reply.json()["operationId"].as_str().unwrap().to_owned());
        if state.starts_with("stuck") {
            let lane = if request == "remove" { CLEAN_UP } else { Lane::Forward };
            let lease = claim(&app, lane).await;
            let EventBody::Error(failure) = app.failure() else { panic!("no failure") };
            app.get_stuck(&lease, Failure { receipt: Receipt::default(), ..failure }).await;
        }
        Self { app, held, _site: site }
    }

    /// Sends the request, and returns what it is answered with.
    async fn answer(&self, request: &str) -> &'static str {
        let reply = ask(&self.app, request).await;
        match reply.status {
            StatusCode::ACCEPTED => {
                let id = reply.json()["operationId"].as_str().map(ToOwned::to_owned);
                if id == self.held { "same" } else { "begun" }
            }
            StatusCode::OK => "unchanged",
            StatusCode::CONFLICT => match reply.json()["code"].as_str().unwrap() {
                "OPERATION_UNDER_WAY" => "busy",
                "WRONG_STATE" => "wrong",
                other => panic!("{other}"),
            },
            _ => panic!("{reply:?}"),
        }
    }
}

#[tokio::test]
async fn each_request_is_answered_as_the_table_says() {
    let mut wrong = Vec::new();
    for (request, answers) in TABLE {
        for (state, expected) in STATES.iter().zip(answers) {
            let answer = World::new(state).await.answer(request).await;
            if answer != expected {
                wrong.push(format!("{request} when {state}: {answer}, not {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn the_page_offers_only_what_would_be_begun() {
    for (index, state) in STATES.iter().enumerate() {
        let world = World::new(state).await;
        let page = world.app.get("/stacks/alice").await.body;
        for (request, answers) in TABLE {
            let is_offered = page.contains(&format!("action=\"/stacks/alice/{request}?"));
            let is_possible = answers[index] == "begun" || *state == "stuck removal";
            assert!(is_possible || !is_offered, "{request} when {state}: {page}");
        }
        let offers_some = page.contains("action=\"/stacks/alice/");
        assert_eq!(offers_some, !state.ends_with("ing") || *state == "running", "{state}");
    }
}
