//! A portal that is killed while it stops, starts and restarts stacks.

use std::thread;
use std::time::Duration;

use clock::{Clock, SystemClock};
use rand::RngExt;
use rand::seq::IndexedRandom;
use serde_json::Value;

use super::END;
use super::world::{Platform, World};
use crate::support::process::{request, try_exchange};
use test_support::seed;

const NAMES: [&str; 3] = ["alice", "bobby", "carol"];
const ACTIONS: [&str; 3] = ["stop", "start", "restart"];
/// A kill comes at most this long after the request.
const LATEST_MS: u64 = 1_500;
const PAUSE: Duration = Duration::from_millis(50);

impl World {
    /// Sends `line` until there is a whole answer, and returns its status and its body.
    pub(super) fn send(&self, line: &str) -> (u16, Value) {
        self.send_body(line, "")
    }

    /// Does the same with a body.
    pub(super) fn send_body(&self, line: &str, content: &str) -> (u16, Value) {
        let began = SystemClock.now();
        loop {
            let answer = try_exchange(self.portal_dir.port, &request(line, "", content));
            let answer = answer.unwrap_or_default();
            if let Some((head, body)) = answer.split_once("\r\n\r\n")
                && let Ok(body) = serde_json::from_str(body)
                && !head.contains(" 503 ")
            {
                return (head.split(' ').nth(1).unwrap().parse().unwrap(), body);
            }
            let waited = SystemClock.now().duration_since(began).unsigned_abs();
            assert!(waited < END, "{line} is not answered: {answer}");
            thread::sleep(PAUSE);
        }
    }

    /// Waits until the operation `id` has ended, and returns it.
    pub(super) fn ended(&self, id: &str) -> Value {
        let began = SystemClock.now();
        loop {
            let (_, body) = self.send(&format!("GET /api/deployment/{id}"));
            let operation = &body["deployment"];
            if operation["timestamps"]["completed"].is_string() {
                return operation.clone();
            }
            let waited = SystemClock.now().duration_since(began).unsigned_abs();
            assert!(waited < END, "{id} does not end: {operation}");
            thread::sleep(PAUSE);
        }
    }
}

/// Returns whether the stack should run once `action` has ended well.
fn runs_after(action: &str) -> bool {
    action != "stop"
}

#[test]
fn a_portal_killed_while_it_stops_and_starts_stacks_leaves_each_as_it_was_asked_for() {
    let seed = seed::seed("acting");
    let kills = super::kills().div_ceil(5);
    // Only good images: the portal starts with one, and each kill starts it twice.
    let mut world = World::start(Platform::alone(), &[("STACK_IMAGE", "sandbox/hello")], seed);
    let ids = NAMES.map(|name| {
        world.portal().wait_until_ready();
        let id = world.portal_dir.deploy(name);
        assert_eq!(world.ended(&id)["phase"], "completed");
        id
    });
    let mut runs = [true; 3];
    for _ in 0..kills {
        let which = world.rng.random_range(0..NAMES.len());
        let action = *ACTIONS.choose(&mut world.rng).unwrap();
        let line = format!("POST /api/stacks/{}/{action}?id={}", NAMES[which], ids[which]);
        let (status, body) = world.send(&line);
        match (status, action, runs[which]) {
            (200, "stop", false) | (200, "start", true) => assert_eq!(body["changed"], false),
            (409, "restart", false) => {}
            (202, _, _) => {
                let pause = world.rng.random_range(0..LATEST_MS);
                thread::sleep(Duration::from_millis(pause));
                world.kill_portal();
                let id = body["operationId"].as_str().unwrap();
                let operation = world.ended(id);
                assert_eq!(operation["phase"], "completed", "{action}: {operation}");
                runs[which] = runs_after(action);
            }
            (_, action, runs) => panic!("{status} for {action} where {runs}: {body}"),
        }
        let (_, body) = world.send(&format!("GET /api/stacks/{}?id={}", NAMES[which], ids[which]));
        let desired = if runs[which] { "running" } else { "stopped" };
        assert_eq!(body["stack"]["desired"], desired, "{body}");
    }
    let state = world.end();
    for (name, runs) in NAMES.iter().zip(runs) {
        let find = |list: &str, key: &str, value: &Value| {
            let rows = state[list].as_array().unwrap();
            rows.iter().find(|row| row[key] == *value).unwrap().clone()
        };
        let route = find("routes", "host", &Value::from(format!("{name}.localhost")));
        let service = find("services", "appName", &route["appName"]);
        assert_eq!(service["replicas"], u64::from(runs), "{name}");
    }
}
