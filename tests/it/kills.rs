//! Real processes that are killed repeatedly: nothing is lost, nothing is left, and no watcher
//! misses an event or sees one twice.
//!
//! The portal's binary is killed with SIGKILL at random moments, spread over all phases, and
//! restarted at once. The three tests differ in the platform: it runs in its own process, inside of
//! the portal, or in a process that is killed as well. At the end, the store, the watchers and the
//! platform must agree.
//!
//! `KILLS` says how many kills the first test makes, 50 by default; the other tests make a fifth of
//! that. The seed chooses images and moments, but which call a kill hits depends on the machine.
//! For a long run: `KILLS=1000 cargo test --features ssr --test it -- kills --nocapture`.

mod acting;
mod board;
mod changing;
mod comparison;
mod moments;
mod starter;
mod watcher;
mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use board::Known;
use clock::{Clock, SystemClock};
use comparison::Figures;
use moments::{Coverage, Moment};
use rand::RngExt;
use starter::Starter;
use world::{Platform, World};

use test_support::seed;

/// The time limit for waiting for a chosen phase. A container must have crashed three times and its log
/// must have been read before the rollback begins.
const TIMEOUT: Duration = Duration::from_secs(6);
/// The time limit until everything has ended after the last kill.
const END: Duration = Duration::from_mins(3);

#[test]
fn a_portal_killed_at_any_moment_loses_nothing_and_leaves_nothing() {
    let kills = kills();
    let (figures, coverage) =
        run("portal", Platform::alone(), kills, |world, _| world.kill_portal());
    coverage.assert_wide();
    assert!(figures.live > 0 && figures.rolled_back > 0, "{figures}");
}

#[test]
fn a_portal_killed_together_with_its_embedded_platform_loses_nothing_and_leaves_nothing() {
    let kills = kills().div_ceil(5);
    run("embedded", Platform::Embedded, kills, |world, _| world.kill_portal());
}

#[test]
fn a_platform_killed_under_the_portal_loses_nothing_and_leaves_nothing() {
    let kills = kills().div_ceil(5);
    run("platform", Platform::alone(), kills, |world, last| {
        let pause = Duration::from_millis(world.rng.random_range(0..300));
        let which = world.rng.random_range(0..3);
        if which > 0 || last {
            world.kill_platform(pause);
        }
        // The portal comes last: after five failed calls in a row its breaker would open for a
        // minute.
        if which < 2 || last {
            world.kill_portal();
        }
    });
}

/// Returns the number of kills of the first test.
fn kills() -> usize {
    seed::number("KILLS").map_or(50, |kills| usize::try_from(kills).unwrap())
}

/// Kills `kills` times during deployments, waits until everything has ended, and compares. The
/// argument of `kill` is whether it is the last kill.
fn run(
    name: &str,
    platform: Platform,
    kills: usize,
    kill: impl Fn(&mut World, bool),
) -> (Figures, Coverage) {
    let seed = seed::seed(name);
    let began = SystemClock.now();
    let mut world = World::start(platform, &[], seed);
    let stop = Arc::new(AtomicBool::new(false));
    let starting = thread::spawn({
        let (starter, stop) =
            (Starter::new(Arc::clone(&world.board), world.portal_dir.port), Arc::clone(&stop));
        move || starter.run(|| !stop.load(Ordering::SeqCst))
    });
    let mut coverage = Coverage::default();
    for number in 1..=kills {
        wait_for(coverage.next(&mut world.rng), &mut world);
        if world.portal().is_ready() {
            coverage.note(world.board.phases());
        } else {
            coverage.note_start();
        }
        kill(&mut world, number == kills);
    }
    stop.store(true, Ordering::SeqCst);
    let starter = starting.join().unwrap();
    assert!(world.board.wait(END, Known::is_over), "{:?}", world.board);
    let story = starter.finish();
    let figures = comparison::compare(&mut world, &story);
    let seconds = SystemClock.now().duration_since(began).as_secs();
    println!("{name}: SEED={seed}, {seconds} s, {figures}\n{coverage}");
    (figures, coverage)
}

/// Waits for `moment`, or until it can no longer come.
fn wait_for(moment: Moment, world: &mut World) {
    match moment {
        Moment::AfterStart(pause) => thread::sleep(pause),
        Moment::AfterReady(pause) => {
            world.portal().wait_until_ready();
            thread::sleep(pause);
        }
        Moment::In(phase, pause) => {
            world.portal().wait_until_ready();
            world.board.wait(TIMEOUT, |known| known.phases().contains(&phase));
            thread::sleep(pause);
        }
    }
}
