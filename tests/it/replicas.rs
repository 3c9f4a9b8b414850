//! Two portals on one PostgreSQL behind nginx, as in `compose.yaml`: one may be killed or end at
//! any moment, and clients behind nginx notice no more than a pause.

mod acting;
mod colliding;
mod viewer;
mod world;

use std::thread;
use std::time::Duration;

use clock::{Clock, SystemClock};
use jiff::Timestamp;
use viewer::{Seen, view};
use world::{LEASE, World, deploy_at};

/// A time limit far beyond a lease and the other portal's next query: the machine may be busy.
const LEEWAY: Duration = Duration::from_mins(1);
/// The maximum delay in milliseconds of an event that is notified. Without a notification, watchers
/// query again only after 15 seconds.
const NOTIFIED_MS: i64 = 1_000;

/// A thread that watches a deployment.
type Watching = thread::JoinHandle<Vec<Seen>>;

fn watch(port: u16, id: &str) -> Watching {
    let id = id.to_owned();
    thread::spawn(move || view(port, &id))
}

/// Waits for all watchers, and checks that each has seen the same events, once and in order.
fn seen(watching: Vec<[Watching; 2]>) -> Vec<Vec<Seen>> {
    let mut stories = Vec::new();
    for watchers in watching {
        let [one, other] = watchers.map(|watcher| watcher.join().unwrap());
        let text = |seen: &[Seen]| seen.iter().map(|s| s.text.clone()).collect::<Vec<_>>();
        assert_eq!(text(&one), text(&other));
        assert!(one.last().unwrap().text.contains("event: complete"), "{:?}", one.last());
        stories.push(one);
    }
    stories
}

#[test]
fn a_replica_that_is_killed_is_replaced_by_the_other_within_a_lease() {
    let mut world = World::start();
    let through = world.nginx.port;
    let deploy = |names: std::ops::Range<u32>, world: &World| -> Vec<[Watching; 2]> {
        let ids = names.map(|number| world.deploy(&format!("stack-{number}")));
        ids.map(|id| [watch(through, &id), watch(through, &id)]).collect()
    };
    let mut watching = deploy(0..24, &world);
    world.wait_until_both_drive();
    world.kill(0);
    let killed = SystemClock.now();
    watching.extend(deploy(24..30, &world));
    let stories = seen(watching);
    let took = last_of(&stories).duration_since(killed).unsigned_abs();
    println!("killed one of two replicas: all {} live after {took:?}", stories.len());
    assert!(took < LEASE + LEEWAY, "{took:?}");

    // The other way round, with a shutdown: leases are released, and nobody waits for them.
    world.start_portal(0);
    let watching = deploy(30..42, &world);
    world.wait_until_both_drive();
    world.end(1);
    seen(watching);
    world.assert_holds(42);
}

#[test]
fn watchers_of_one_replica_see_at_once_what_the_other_records() {
    let world = World::start();
    assert!(world.health().contains("\"store\":{\"kind\":\"postgres\",\"ok\":true,\"ageMs\":"));
    let mut behind = Vec::new();
    for number in 0..8 {
        let id = world.deploy(&format!("stack-{number}"));
        let watching = world.ports.map(|port| watch(port, &id));
        let [one, other] = watching.map(|watcher| watcher.join().unwrap());
        // The first may be older than the watchers.
        let commits = world.commits(&id).into_iter().zip(one.iter().zip(&other)).skip(1);
        // The later of the two watchers is at the replica that does not drive.
        behind.extend(commits.map(|(committed, (one, other))| {
            one.arrived.max(other.arrived).as_millisecond() - committed
        }));
    }
    behind.sort_unstable();
    let (median, worst) = (behind[behind.len() / 2], behind[behind.len() - 1]);
    println!(
        "an event is seen on the other replica {median} ms after its commit, in the median of {}; \
         at most {worst} ms",
        behind.len()
    );
    assert!(median < NOTIFIED_MS, "{median} ms");
}

fn last_of(stories: &[Vec<Seen>]) -> Timestamp {
    stories.iter().filter_map(|story| story.last()).map(|seen| seen.arrived).max().unwrap()
}

#[test]
fn an_accepted_deployment_never_waits_for_the_lease_of_a_killed_replica() {
    let mut world = World::start_with(64, &[]);
    let survivor = world.ports[1];
    let deploy = |port: u16, names: std::ops::Range<u32>| -> Vec<(String, Watching)> {
        let ids = names.map(|number| deploy_at(port, &format!("stack-{number}")));
        ids.map(|id| (id.clone(), watch(survivor, &id))).collect()
    };
    // Alternately, like a proxy: half of them for each replica.
    let mut own = Vec::new();
    let mut others = Vec::new();
    for number in (0..20).step_by(2) {
        others.extend(deploy(world.ports[0], number..number + 1));
        own.extend(deploy(survivor, number + 1..number + 2));
    }
    world.kill(0);
    let killed = SystemClock.now();
    own.extend(deploy(survivor, 20..26));
    let finish = |watching: Vec<(String, Watching)>| {
        let seen = watching.into_iter().map(|(id, watcher)| (id, watcher.join().unwrap()));
        seen.collect::<Vec<_>>()
    };
    let (own, others) = (finish(own), finish(others));
    for (id, _) in &own {
        assert_eq!(world.claims(id), 1, "{id} was not driven by who accepted it alone");
    }
    let ends = |stories: &[(String, Vec<Seen>)]| {
        stories.iter().map(|(_, story)| story.last().unwrap().arrived).max().unwrap()
    };
    let took = |stories: &[_]| ends(stories).duration_since(killed).unsigned_abs();
    let waited = others.iter().filter(|(id, _)| world.claims(id) > 1).count();
    println!(
        "killed one of two replicas: {} accepted by the other all live after {:?}, {} of its own \
         {} waited for its lease, all live after {:?}",
        own.len(),
        took(&own),
        waited,
        others.len(),
        took(&others),
    );
    assert!(took(&others) < LEASE + LEEWAY, "{:?}", took(&others));
    world.assert_holds(26);
}
