//! Real processes, killed again and again: nothing is lost, nothing is left, and no watcher
//! misses an event or sees one twice.
//!
//! The portal's binary is killed by SIGKILL at moments that chance chooses, spread over all
//! phases, and started again at once. The three tests differ in where the platform is: in a
//! process of its own, in the portal, with which it dies, or in a process that is killed as
//! well. At the end the store, the watchers and the platform must tell one story.
//!
//! `KILLS` says how many kills the first test makes, 50 without it; the others make a fifth of
//! that. The seed chooses images and moments; what meets which moment is up to the machine. For a
//! long run by hand: `KILLS=1000 cargo test --features ssr --test it -- kills --nocapture`.

mod board;
mod comparison;
mod moments;
mod starter;
mod watcher;
mod world;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use board::Known;
use clock::{Clock, SystemClock};
use comparison::Figures;
use moments::{Coverage, Moment};
use rand::RngExt;
use starter::Starter;
use world::{Platform, World};

use test_support::seed;

/// The time for which a chosen phase is waited for.
const TIMEOUT: Duration = Duration::from_millis(1_600);
/// The time that everything may take to end once the killing is over.
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
        // The portal last: after five failed calls in a row it would pause for a minute.
        if which < 2 || last {
            world.kill_portal();
        }
    });
}

/// Returns how many kills the first test makes.
fn kills() -> usize {
    seed::number("KILLS").map_or(50, |kills| usize::try_from(kills).unwrap())
}

/// Kills `kills` times while deployments come and go, lets everything end, and compares.
/// `kill` is told whether it is the last time.
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

/// Waits until `moment` has come, or will not come.
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
