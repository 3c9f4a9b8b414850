//! The logs of containers: what is refused, what is shown, and when it is silent.

use std::time::Duration;

use dokploy_sandbox::{LogAnswer, LogFollower, Request};
use serde_json::{Value, json};

use super::world::{KEY, Stack, World, observed, text};

/// Opens a log as the platform's own query does.
fn open(world: &mut World, query: &str) -> LogAnswer {
    let request = Request::get(&format!("/docker-container-logs?{query}")).with_key(KEY);
    world.core.open_log(world.now, &request)
}

fn followed(world: &mut World, query: &str) -> LogFollower {
    match open(world, query) {
        LogAnswer::Follow(follower) => follower,
        other => panic!("{query}: {other:?}"),
    }
}

fn read(world: &mut World, follower: &mut LogFollower) -> Vec<String> {
    let text = world.core.read_log(world.now, follower);
    text.split_inclusive("\r\n").map(str::to_owned).collect()
}

/// Returns the lines without their times.
fn said(lines: &[String]) -> Vec<&str> {
    lines.iter().map(|line| line.trim_end().split_once(' ').unwrap().1).collect()
}

fn container(world: &mut World, stack: &Stack) -> String {
    let label =
        format!("/api/docker.getContainersByAppLabel?appName={}&type=swarm", stack.app_name);
    text(&world.get(&label)[0]["containerId"])
}

#[test]
fn the_parameters_that_were_refused_are_refused_with_the_same_words() {
    let mut world = World::new();
    let recorded = observed("431-ws-logs-since-and-tail-values.json");
    for (query, outcome) in recorded.as_object().unwrap() {
        let query = query.replace(' ', "%20");
        let found = match open(&mut world, &format!("containerId=abcdef012345&{query}")) {
            LogAnswer::Close(Some((code, reason))) => json!([code, reason]),
            LogAnswer::Follow(_) => json!([null, null]),
            other => panic!("{query}: {other:?}"),
        };
        let close = &outcome["close"];
        assert_eq!(found, json!([close["code"], close["reason"]]), "{query}");
    }
    let bad = observed("57-ws-container-logs-badid.json");
    let LogAnswer::Close(Some((code, reason))) = open(&mut world, "containerId=%24(id)&tail=50")
    else {
        panic!("it is refused");
    };
    assert_eq!(json!([code, reason]), json!([bad["close"]["code"], bad["close"]["reason"]]));
}

#[test]
fn without_the_key_the_socket_is_closed_without_a_word() {
    let (mut world, stack) = World::with_deployed("demo", "sandbox/hello");
    let id = container(&mut world, &stack);
    let without = Request::get(&format!("/docker-container-logs?containerId={id}"));
    let answer = world.core.open_log(world.now, &without);
    assert!(matches!(answer, LogAnswer::Close(None)), "recording day-two 55: {answer:?}");
    world.core.stop_database(world.now);
    assert!(matches!(open(&mut world, &format!("containerId={id}")), LogAnswer::Close(None)));
}

#[test]
fn an_unknown_container_is_a_sentence_of_docker_and_then_silence() {
    let mut world = World::new();
    let mut follower = followed(&mut world, "containerId=abcdef012345&tail=50");
    let recorded = observed("56-ws-container-logs-unknown.json");
    let sentence = world.core.read_log(world.now, &mut follower);
    assert_eq!(json!(sentence), recorded["messages"][0]["data"]);
    assert_eq!(recorded["close"], Value::Null);
    world.advance(100);
    assert_eq!(world.core.read_log(world.now, &mut follower), "");
}

#[test]
fn the_last_lines_come_first_and_then_each_new_one_once() {
    let (mut world, stack) = World::with_deployed("demo", "sandbox/hello");
    let id = container(&mut world, &stack);
    let mut follower =
        followed(&mut world, &format!("containerId={id}&tail=2&since=all&runType=native"));
    let first = read(&mut world, &mut follower);
    assert_eq!(said(&first), ["beat 8", "beat 9"]);
    assert_eq!(read(&mut world, &mut follower), Vec::<String>::new());
    world.advance(20);
    assert_eq!(said(&read(&mut world, &mut follower)), ["beat 10", "beat 11"]);
    let lines = json!({ "service": stack.app_name, "lines": ["one", "two"] });
    assert_eq!(world.status("/sandbox/logs", lines), 200);
    let written = read(&mut world, &mut follower);
    assert_eq!(said(&written), ["one", "two"]);
    assert!(written[0] < written[1], "each has a time of its own");
    // A relative start repeats lines, which have the same times (recording day-two 432).
    let mut again = followed(&mut world, &format!("containerId={id}&since=15s"));
    let repeated = read(&mut world, &mut again);
    assert_eq!(repeated[1..], written);
    let unknown = json!({ "service": "nothing", "lines": ["one"] });
    assert_eq!(world.status("/sandbox/logs", unknown), 400);
}

#[test]
fn a_search_shows_what_it_finds_at_once_and_nothing_later() {
    let (mut world, stack) = World::with_deployed("demo", "sandbox/hello");
    let id = container(&mut world, &stack);
    let mut follower = followed(&mut world, &format!("containerId={id}&search=listening"));
    assert_eq!(said(&read(&mut world, &mut follower)), ["listening"]);
    world.core.write_lines(world.now, &stack.app_name, vec!["listening again".to_owned()]);
    world.advance(1);
    assert_eq!(world.core.read_log(world.now, &mut follower), "");
}

#[test]
fn the_log_of_a_container_that_is_replaced_becomes_silent_and_can_be_read_again() {
    let (mut world, stack) = World::with_revision(json!({ "updateConfigSwarm": null }));
    let id = container(&mut world, &stack);
    let mut follower = followed(&mut world, &format!("containerId={id}"));
    read(&mut world, &mut follower);
    world.reload(&stack);
    world.advance(100);
    let last = read(&mut world, &mut follower);
    assert!(last.len() <= 1, "{last:?}");
    world.advance(100);
    assert_eq!(world.core.read_log(world.now, &mut follower), "", "recording day-two 441");
    let mut afterwards = followed(&mut world, &format!("containerId={id}&tail=2"));
    assert_eq!(read(&mut world, &mut afterwards).len(), 2, "the exited one is still there");
    assert_ne!(container(&mut world, &stack), id);
    world.post("/api/application.delete", json!({ "applicationId": stack.application }));
    world.advance(100);
    let mut gone = followed(&mut world, &format!("containerId={id}"));
    let sentence = world.core.read_log(world.now, &mut gone);
    assert!(sentence.ends_with(&format!("No such container: {id}\r\n")), "recording day-two 442");
}

#[test]
fn a_container_that_crashed_says_why_in_its_last_line() {
    let (mut world, stack) = World::with_deployed("demo", "sandbox/crashloop");
    let name = format!("/api/docker.getContainersByAppNameMatch?appName={}", stack.app_name);
    let rows = world.get(&name);
    let exited = rows.as_array().unwrap().iter().find(|row| row["state"] == "exited").unwrap();
    let mut follower =
        followed(&mut world, &format!("containerId={}", text(&exited["containerId"])));
    let lines = read(&mut world, &mut follower);
    assert_eq!(said(&lines), ["sandbox/crashloop starting", "fatal: cannot open model file"]);
}

#[test]
fn a_fault_hits_the_opening() {
    let mut world = World::new();
    for (fault, is_expected) in [
        ("timeout", (|answer| matches!(answer, LogAnswer::Hang)) as fn(&LogAnswer) -> bool),
        ("reset", |answer| matches!(answer, LogAnswer::Reset)),
        ("unauthorized", |answer| matches!(answer, LogAnswer::Close(None))),
    ] {
        world.fault(&format!("docker-container-logs:{fault}"));
        let answer = open(&mut world, "containerId=abcdef012345");
        assert!(is_expected(&answer), "{fault}: {answer:?}");
    }
    world.core.stop_docker(world.now);
    let mut follower = followed(&mut world, "containerId=abcdef012345");
    let sentence = world.core.read_log(world.now, &mut follower);
    assert!(sentence.starts_with("Cannot connect to the Docker daemon"), "{sentence}");
    world.now += Duration::from_secs(1);
    assert_eq!(world.core.read_log(world.now, &mut follower), "");
}
