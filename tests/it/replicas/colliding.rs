//! Kinds of operation that collide: a change, a stop and a removal of one stack reach two replicas at the
//! same moment, and exactly one of them begins.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::acting::{ends_well, id_of, send};
use super::viewer::view;
use super::world::{World, deploy_at};
use crate::support::process::request;
use crate::support::revisions::offer;

/// The number of collisions.
const ROUNDS: usize = 4;
/// The time limit for an answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// By how much a kind is ahead in one round, so that not always the fastest one wins.
const AHEAD: Duration = Duration::from_millis(20);

/// A request, the replica that gets it, and how long it waits.
struct Sent {
    port: u16,
    request: String,
    pause: Duration,
}

/// Sends all at about the same moment, over connections that are open by then, and returns the answers.
fn send_at_once(all: [Sent; 3]) -> [(u16, Value); 3] {
    let barrier = Barrier::new(all.len());
    let send = |one: &Sent| {
        let mut stream = TcpStream::connect(("127.0.0.1", one.port)).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        barrier.wait();
        thread::sleep(one.pause);
        stream.write_all(one.request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}")))
    };
    let send = &send;
    thread::scope(|scope| {
        all.each_ref()
            .map(|one| scope.spawn(move || send(one)))
            .map(|sending| sending.join().unwrap())
    })
}

/// A stack, and the number of its present revision.
struct Stack {
    name: String,
    id: String,
    changes: usize,
}

impl Stack {
    fn deploy(world: &World, number: usize) -> Self {
        let name = format!("stack-{number}");
        let id = deploy_at(world.ports[number % 2], &name);
        ends_well(world.ports[0], &id);
        Self { name, id, changes: 0 }
    }

    fn line(&self, method: &str, below: &str) -> String {
        format!("{method} /api/stacks/{}{below}?id={}", self.name, self.id)
    }

    /// Returns the three requests, so that each kind reaches each replica in some round.
    fn collision(&self, world: &World, round: usize) -> [Sent; 3] {
        let size = if self.changes.is_multiple_of(2) { "large" } else { "small" };
        let change = format!("{{\"size\":\"{size}\"}}");
        let requests = [
            request(&self.line("PATCH", ""), "", &change),
            request(&self.line("POST", "/stop"), "", ""),
            request(&self.line("DELETE", ""), "", ""),
        ];
        let mut number = 0;
        requests.map(|request| {
            number += 1;
            let pause = if round == 0 || number == round { Duration::ZERO } else { AHEAD };
            Sent { port: world.ports[(number + round) % 2], request, pause }
        })
    }
}

#[test]
fn of_a_change_a_stop_and_a_removal_at_once_exactly_one_begins() {
    let folder = tempfile::tempdir().unwrap();
    offer(folder.path(), "1.0.0", "1").unwrap();
    let catalogue = folder.path().to_str().unwrap();
    let world = World::start_with(6, &[("CATALOGUE", catalogue), ("STACK_CHANGE_WATCH", "1s")]);
    let mut stack = Stack::deploy(&world, 0);
    let mut won = [0; 3];
    for round in 0..ROUNDS {
        let answers = send_at_once(stack.collision(&world, round));
        let winners: Vec<_> = (0..3).filter(|which| answers[*which].0 == 202).collect();
        let [winner] = winners[..] else { panic!("{winners:?} begin: {answers:?}") };
        won[winner] += 1;
        let begun = id_of(&answers[winner]);
        for (status, body) in answers.iter().filter(|(status, _)| *status != 202) {
            assert_eq!((*status, &body["code"]), (409, &Value::from("OPERATION_UNDER_WAY")));
            assert_eq!(body["operationId"], *begun, "{answers:?}");
        }
        // The replica that did not begin it shows its end as well.
        for port in world.ports {
            view(port, &begun);
        }
        match winner {
            0 => stack.changes += 1,
            1 => {
                let start = send(world.ports[round % 2], &stack.line("POST", "/start"));
                ends_well(world.ports[0], &id_of(&start));
            }
            _ => stack = Stack::deploy(&world, round + 1),
        }
        let (_, body) = send(world.ports[1], &stack.line("GET", ""));
        let (status, revision) = (&body["stack"]["status"], &body["stack"]["revision"]);
        assert_eq!((status, revision), (&Value::from("running"), &Value::from(1 + stack.changes)));
    }
    let [changes, stops, removals] = won;
    println!("{changes} changes, {stops} stops and {removals} removals were first");
}
