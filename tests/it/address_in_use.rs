//! Something else answers at the addresses of stacks: the real binary with its sandbox, and another
//! server on the port of the stacks.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::support::process::{PortalDir, free_port};

/// Starts a server that answers every request: with 200 if `is_healthy` is set, otherwise with 404.
fn server(is_healthy: &Arc<AtomicBool>) -> u16 {
    let port = free_port();
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let is_healthy = Arc::clone(is_healthy);
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let head = lines.map_while(Result::ok).take_while(|line| !line.is_empty());
            let is_asked = head.count() > 0;
            let status = if is_healthy.load(Ordering::SeqCst) { "200 OK" } else { "404 Not Found" };
            let answer =
                format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
            // The client may have disconnected.
            let _written = is_asked && stream.write_all(answer.as_bytes()).is_ok();
        }
    });
    port
}

fn variables(port: &str) -> [(&str, &str); 2] {
    [("STACK_PUBLIC_PORT", port), ("STACK_IMAGE", "sandbox/crashloop")]
}

#[test]
fn if_something_answers_for_every_name_nothing_is_started_and_the_operator_is_warned() {
    let portal_dir = PortalDir::new();
    let port = server(&Arc::new(AtomicBool::new(true))).to_string();
    let mut portal = portal_dir.start(&variables(&port));
    let id = portal_dir.deploy("alice");
    let stream = portal_dir.events(&id);
    assert!(stream.contains("\"code\":\"ADDRESS_IN_USE\""), "{stream}");
    assert!(stream.contains("\"phase\":\"initializing\""), "{stream}");
    assert!(
        !stream.contains("event: complete") && !stream.contains("creating_project"),
        "{stream}"
    );
    assert!(stream.contains("\"receipt\":{\"clean\":true,\"lines\":[]}"), "{stream}");
    assert!(portal_dir.get("/api/check/alice").contains("\"available\":true"));
    portal.wait_for("something answers for every name under localhost");

    let check = portal_dir.command(&variables(&port)).arg("check").output().unwrap();
    let said = String::from_utf8(check.stdout).unwrap();
    assert!(said.contains("something answers for every name under localhost"), "{said}");
    assert!(check.status.success(), "it is a warning: {said}");
}

#[test]
fn a_stack_that_never_runs_is_not_live_because_something_else_begins_to_answer() {
    let (portal_dir, is_healthy) = (PortalDir::new(), Arc::new(AtomicBool::new(false)));
    let port = server(&is_healthy).to_string();
    let _portal = portal_dir.start(&variables(&port));
    let id = portal_dir.deploy("alice");
    while !portal_dir.get(&format!("/api/deployment/{id}")).contains("\"phase\":\"deploying\"") {
        let deployment = portal_dir.get(&format!("/api/deployment/{id}"));
        assert!(!deployment.contains("\"status\":\"failure\""), "{deployment}");
        if deployment.contains("verifying_health") {
            break;
        }
    }
    is_healthy.store(true, Ordering::SeqCst);
    let stream = portal_dir.events(&id);
    assert!(stream.contains("\"code\":\"CRASH_LOOP\""), "{stream}");
    assert!(!stream.contains("event: complete"), "{stream}");
}
