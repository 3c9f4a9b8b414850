//! Random schedules: real use cases and workers in virtual time, with random actions of people,
//! faults, outages, kills and watchers.
//!
//! Each schedule has a seed. One that fails prints it, and can be repeated by `SEED=<seed>
//! SCHEDULES=1 cargo test --features ssr --test it chaos`.

mod acting;
mod actors;
mod clock;
mod expiring;
mod late;
mod load;
mod middleware;
mod outage;
mod panics;
mod portal;
mod promises;
mod simulation;
mod timely;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use ai_stack_deployer::server::store::{Kept as _, KeptFilter};
use futures::future::join_all;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use self::clock::VirtualClock;
use self::simulation::Simulation;
use test_support::seed;

/// The number of schedules, unless `SCHEDULES` is set.
const SCHEDULES: u64 = 10_000;

/// The numbers of events in all schedules, to show that the interesting ones occurred.
#[derive(Default)]
struct Totals {
    schedules: AtomicU64,
    operations: AtomicU64,
    live: AtomicU64,
    watched: AtomicU64,
    /// The number of schedules in which a portal crashed at a write at least twice.
    crashed_twice: AtomicU64,
    /// The number of schedules in which a portal crashed at a write, and a request to cancel was
    /// accepted.
    crashed_and_cancelled: AtomicU64,
    /// The number of deployments that brought data back, and of stacks whose data is kept at the end.
    brought_back: AtomicU64,
    kept: AtomicU64,
    /// The number of stops, starts, restarts and changes that ended, and of stacks that are stopped at the end.
    acted: AtomicU64,
    stopped: AtomicU64,
    /// The number of changes.
    changed: AtomicU64,
}

#[test]
fn every_deployment_ends_in_all_or_nothing_in_every_schedule() {
    let first = seed::seed("random schedules");
    let count = seed::number("SCHEDULES").unwrap_or(SCHEDULES);
    let (next, totals) = (AtomicU64::new(0), Totals::default());
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let failed = thread::scope(|scope| {
        let work = || {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= count {
                    return None;
                }
                let seed = first.wrapping_add(index);
                if catch_unwind(AssertUnwindSafe(|| run(seed, &totals))).is_err() {
                    return Some(seed);
                }
            }
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().find_map(|worker| worker.join().unwrap())
    });
    if let Some(seed) = failed {
        panic!("a schedule failed: tell it again with SEED={seed} SCHEDULES=1");
    }
    let of = |total: &AtomicU64| total.load(Ordering::Relaxed);
    println!(
        "{} random schedules: {} operations, {} of them live at the end, {} watched; {} with two \
         crashes at a write, {} with a crash at a write and a cancellation; {} deployments brought \
         data back, {} stacks' data is kept at the end; {} operations on stacks, {} of them \
         changes, {} stacks are stopped at the end",
        of(&totals.schedules),
        of(&totals.operations),
        of(&totals.live),
        of(&totals.watched),
        of(&totals.crashed_twice),
        of(&totals.crashed_and_cancelled),
        of(&totals.brought_back),
        of(&totals.kept),
        of(&totals.acted),
        of(&totals.changed),
        of(&totals.stopped),
    );
    assert_eq!(of(&totals.schedules), count);
    // A run of a few schedules need not contain every event.
    if count >= SCHEDULES {
        assert!(of(&totals.crashed_twice) >= 500, "too few with two crashes");
        assert!(
            of(&totals.crashed_and_cancelled) >= 500,
            "too few with a crash and a cancellation"
        );
        assert!(of(&totals.brought_back) >= 20, "too few that brought data back");
        assert!(of(&totals.kept) >= 50, "too few whose data is kept");
        assert!(of(&totals.acted) >= 2_000, "too few stops, starts and restarts");
        assert!(of(&totals.changed) >= 1_000, "too few changes");
        assert!(of(&totals.stopped) >= 300, "too few that are stopped");
    }
}

/// Runs one schedule.
fn run(seed: u64, totals: &Totals) {
    let clock = VirtualClock::default();
    clock.clone().block_on(async {
        let mut rng = StdRng::seed_from_u64(seed);
        let simulation = Simulation::new(clock, &mut rng);
        let result = AssertUnwindSafe(play(&simulation, &mut rng, totals));
        if let Err(panic) = futures::FutureExt::catch_unwind(result).await {
            println!("SEED={seed}\n{}", simulation.diary());
            std::panic::resume_unwind(panic);
        }
    });
}

async fn play(simulation: &Simulation, rng: &mut StdRng, totals: &Totals) {
    for portal in &simulation.portals {
        portal.start();
    }
    let mut draw = || StdRng::seed_from_u64(rng.random());
    let mut doing: Vec<futures::future::BoxFuture<'_, ()>> = Vec::new();
    let mut few = draw();
    let mut times = |most: u32| 0..few.random_range(0..=most);
    doing.push(Box::pin(simulation.person(draw())));
    for _ in times(2) {
        doing.push(Box::pin(simulation.person(draw())));
    }
    for _ in times(3) {
        doing.push(Box::pin(simulation.foreign_actor(draw())));
    }
    for _ in times(3) {
        doing.push(Box::pin(simulation.acting_person(draw())));
    }
    for _ in times(4) {
        doing.push(Box::pin(simulation.fault_injector(draw())));
    }
    for _ in times(2) {
        doing.push(Box::pin(simulation.outage(draw())));
    }
    for _ in times(4) {
        doing.push(Box::pin(simulation.killer(draw())));
    }
    let watchers: Vec<_> = times(3).map(|_| simulation.watcher(draw())).collect();
    let watching = join_all(watchers);
    let rest = async {
        join_all(doing).await;
        simulation.run_to_end().await;
    };
    let (seen, ()) = futures::join!(watching, rest);
    let seen: Vec<_> = seen.into_iter().flatten().collect();
    simulation.assert_promises(&seen).await;
    let kept = simulation.store.kept_data(&KeptFilter::All).await.unwrap().len();
    totals.kept.fetch_add(kept as u64, Ordering::Relaxed);
    let brought_back = simulation.brought_back.load(Ordering::Relaxed);
    totals.brought_back.fetch_add(brought_back, Ordering::Relaxed);
    let (acted, stopped) = simulation.acted().await;
    totals.acted.fetch_add(acted, Ordering::Relaxed);
    totals.stopped.fetch_add(stopped, Ordering::Relaxed);
    totals.changed.fetch_add(simulation.changed(), Ordering::Relaxed);
    count(simulation, seen.len(), totals);
}

fn count(simulation: &Simulation, watched: usize, totals: &Totals) {
    use ai_stack_deployer::server::store::State;
    let records = simulation.store.records();
    let live = records.iter().filter(|record| record.state == State::Live).count();
    let crashes: usize = simulation.portals.iter().map(|portal| portal.line.crashes()).sum();
    let is_cancelled = !simulation.cancelled.lock().unwrap().is_empty();
    for (total, count) in [
        (&totals.schedules, 1),
        (&totals.crashed_twice, usize::from(crashes >= 2)),
        (&totals.crashed_and_cancelled, usize::from(crashes >= 1 && is_cancelled)),
        (&totals.operations, records.len()),
        (&totals.live, live),
        (&totals.watched, watched),
    ] {
        total.fetch_add(count as u64, Ordering::Relaxed);
    }
}
