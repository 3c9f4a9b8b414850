//! Stops, starts, restarts and removals that reach two replicas at once.

use std::thread;

use clock::{Clock, SystemClock};
use serde_json::Value;

use super::viewer::view;
use super::world::{LEASE, World};
use super::{LEEWAY, last_of};
use crate::support::process::{exchange, request};

/// Sends `line` to the portal at `port`, and returns the status and the body of the answer.
pub(super) fn send(port: u16, line: &str) -> (u16, Value) {
    let answer = exchange(port, &request(line, "", ""));
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}")))
}

/// Sends one line to each of the replicas at once.
fn send_both(world: &World, lines: [&str; 2]) -> [(u16, Value); 2] {
    let ports = world.ports;
    thread::scope(|scope| {
        let other = scope.spawn(|| send(ports[1], lines[1]));
        [send(ports[0], lines[0]), other.join().unwrap()]
    })
}

/// Returns the id in an accepting answer, after checking that it accepts.
pub(super) fn id_of((status, body): &(u16, Value)) -> String {
    assert_eq!(*status, 202, "{body}");
    body["operationId"].as_str().unwrap().to_owned()
}

pub(super) fn ends_well(port: u16, id: &str) {
    let seen = view(port, id);
    let last = &seen.last().unwrap().text;
    assert!(last.contains("event: complete"), "{last}");
}

#[test]
fn of_what_reaches_two_replicas_at_once_one_begins_and_another_replica_finishes_it() {
    let mut world = World::start();
    let deployment = world.deploy("stack-0");
    ends_well(world.ports[0], &deployment);
    let of = |action: &str| format!("POST /api/stacks/stack-0/{action}?id={deployment}");
    let (stop, start, restart) = (of("stop"), of("start"), of("restart"));

    // Two at once are one.
    let [one, other] = send_both(&world, [&stop, &stop]).map(|answer| id_of(&answer));
    assert_eq!(one, other, "two operations are under way");
    ends_well(world.ports[1], &one);
    let (status, body) = send(world.ports[1], &stop);
    assert_eq!((status, &body["changed"]), (200, &Value::Bool(false)), "{body}");

    // Of two kinds, one begins, and the other one is told of it.
    let answers = send_both(&world, [&start, &restart]);
    let begun = id_of(&answers[0]);
    let (status, body) = &answers[1];
    match body["code"].as_str().unwrap() {
        "OPERATION_UNDER_WAY" => assert_eq!(body["operationId"], *begun, "{body}"),
        // It came first, when the stack was stopped.
        "WRONG_STATE" => {}
        _ => panic!("{status} {body}"),
    }
    ends_well(world.ports[0], &begun);

    // The replica that drives it is killed, and the other one takes over.
    let id = id_of(&send(world.ports[0], &restart));
    world.kill(0);
    let killed = SystemClock.now();
    let seen = view(world.ports[1], &id);
    assert!(seen.last().unwrap().text.contains("event: complete"), "{:?}", seen.last());
    assert!(last_of(&[seen]).duration_since(killed).unsigned_abs() < LEASE + LEEWAY);
    world.start_portal(0);

    let remove = format!("DELETE /api/stacks/stack-0?id={deployment}");
    let answers = send_both(&world, [&stop, &remove]);
    let accepted: Vec<_> = answers.iter().filter(|(status, _)| *status == 202).collect();
    let refused: Vec<_> = answers.iter().filter(|(status, _)| *status == 409).collect();
    assert_eq!((accepted.len(), refused.len()), (1, 1), "{answers:?}");
    let begun = accepted[0].1["operationId"].as_str().unwrap();
    assert!(refused[0].1.to_string().contains(begun), "{answers:?}");
    view(world.ports[0], begun);
}
