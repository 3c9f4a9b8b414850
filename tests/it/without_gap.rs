//! Visitors of a stack while it is changed: none of them gets an error, however the change ends,
//! also where its container cannot start before the former one stops.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::{Value, json};

use crate::catalogue::post;
use crate::support::platform::Platform;
use crate::support::process::{PortalDir, Running, exchange, id_in, request, try_exchange};
use crate::support::revisions::{offer, offer_with_check};

/// Offers a version of the template with an image of this tag.
type Offer = fn(&Path, &str, &str) -> std::io::Result<()>;

/// The number of requests that a change must see. The benchmark sends more.
const REQUESTS: usize = 100;
/// The pause between the beginnings of two requests.
const PAUSE: Duration = Duration::from_millis(8);

/// A portal with the live stack `alice`, on a platform of its own.
struct World {
    portal_dir: PortalDir,
    platform: Platform,
    portal: Running,
    /// The deployment of the stack.
    id: String,
    catalogue: PathBuf,
    offer: Offer,
}

impl World {
    /// Deploys the stack of the template that this offers, on a platform with these `faults`.
    fn live(offer: Offer, faults: &[&str]) -> Self {
        let portal_dir = PortalDir::new();
        let platform = Platform::answering_after(&portal_dir, "1");
        for fault in faults {
            platform.inject(fault);
        }
        let catalogue = portal_dir.path().join("catalogue");
        offer(&catalogue, "1.0.0", "1").unwrap();
        let variables = [("CATALOGUE", catalogue.to_str().unwrap()), ("STACK_CHANGE_WATCH", "1s")];
        let portal = platform.portal(&portal_dir, &variables);
        let wanted = json!({ "name": "alice", "template": "revisions" });
        let (status, answer) = post(portal_dir.port, "/api/deploy", &wanted);
        assert_eq!(status, 201, "{answer}");
        let id = id_in(&answer, "dep_");
        let events = portal_dir.events(&id);
        assert!(events.contains("event: complete"), "{events}");
        Self { portal_dir, platform, portal, id, catalogue, offer }
    }

    /// Offers version 1.1.0 of the template with an image of this tag, and changes the stack to it.
    /// Returns the events of the change, and what visitors got meanwhile.
    fn change_to(&mut self, tag: &str) -> (String, Vec<String>) {
        (self.offer)(&self.catalogue, "1.1.0", tag).unwrap();
        let process = self.portal.id().to_string();
        let sent = std::process::Command::new("kill").args(["-USR1", &process]).status().unwrap();
        assert!(sent.success());
        self.portal.wait_for("Read the catalogue again");
        let visitors = Visitors::begin(self.portal_dir.edge);
        let line = format!("PATCH /api/stacks/alice?id={}", self.id);
        let headers = "Content-Type: application/json\r\n";
        let body = json!({ "version": "1.1.0" }).to_string();
        let answer = exchange(self.portal_dir.port, &request(&line, headers, &body));
        assert!(answer.contains(" 202 "), "{answer}");
        let id = id_in(&answer, "op_");
        let events = self.portal_dir.events(id.trim_end_matches('"'));
        (events, visitors.end())
    }

    /// Returns the middlewares that the stack's domain names.
    fn middlewares(&self) -> Value {
        self.platform.state()["domains"][0]["middlewares"].clone()
    }
}

/// Sends requests, each on a connection of its own and without waiting for the one before.
struct Visitors {
    is_over: Arc<AtomicBool>,
    sender: JoinHandle<Vec<JoinHandle<String>>>,
}

impl Visitors {
    fn begin(edge: u16) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&is_over);
        let sender = thread::spawn(move || {
            let mut sent = Vec::new();
            while !told.load(Ordering::Relaxed) || sent.len() < REQUESTS {
                sent.push(thread::spawn(move || visit(edge)));
                thread::sleep(PAUSE);
            }
            sent
        });
        Self { is_over, sender }
    }

    /// Returns the first line of each answer.
    fn end(self) -> Vec<String> {
        self.is_over.store(true, Ordering::Relaxed);
        let sent = self.sender.join().unwrap();
        sent.into_iter().map(|visitor| visitor.join().unwrap()).collect()
    }
}

fn visit(edge: u16) -> String {
    let wanted = "GET / HTTP/1.1\r\nHost: alice.localhost\r\nConnection: close\r\n\r\n";
    match try_exchange(edge, wanted) {
        Ok(answer) => answer.lines().next().unwrap_or_default().to_owned(),
        Err(error) => error.to_string(),
    }
}

/// Returns the answers that are errors.
fn errors(answers: &[String]) -> Vec<&String> {
    assert!(answers.len() >= REQUESTS, "{}", answers.len());
    answers.iter().filter(|line| !line.contains(" 200 ")).collect()
}

#[test]
fn nobody_gets_an_error_while_a_stack_without_a_health_check_is_changed() {
    let mut world = World::live(offer, &[]);
    let (events, answers) = world.change_to("2");
    assert!(events.contains("event: complete"), "{events}");
    assert_eq!(world.middlewares(), json!(["default-retry@file"]));
    assert_eq!(errors(&answers), Vec::<&String>::new());
}

#[test]
fn nobody_gets_an_error_while_a_change_without_a_health_check_is_taken_back() {
    let mut world = World::live(offer, &[]);
    let (events, answers) = world.change_to("crashloop");
    assert!(events.contains("event: error"), "{events}");
    assert_eq!(errors(&answers), Vec::<&String>::new());
}

#[test]
fn nobody_gets_an_error_while_a_stack_with_a_health_check_is_changed_or_taken_back() {
    for (tag, end) in [("2", "complete"), ("crashloop", "error")] {
        // Without the middleware, whose repeated requests would hide an error.
        let mut world =
            World::live(offer_with_check, &["settings.updateTraefikFile:ignored:always"]);
        assert_eq!(world.middlewares(), json!([]));
        let (events, answers) = world.change_to(tag);
        assert!(events.contains(&format!("event: {end}")), "{events}");
        assert_eq!(errors(&answers), Vec::<&String>::new(), "{tag}");
    }
}

/// Without the file, the stack is changed all the same, and this is what the middleware prevents.
#[test]
fn where_the_platform_does_not_write_the_file_the_change_succeeds_and_visitors_get_errors() {
    let mut world = World::live(offer, &["settings.updateTraefikFile:ignored:always"]);
    let (events, answers) = world.change_to("2");
    assert!(events.contains("event: complete"), "{events}");
    assert_eq!(world.middlewares(), json!([]));
    assert!(errors(&answers).iter().all(|line| line.contains(" 502 ")), "{:?}", errors(&answers));
    assert!(!errors(&answers).is_empty());
    world.portal.wait_for("no retry middleware of the reverse proxy");
}
