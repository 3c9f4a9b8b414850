//! Two perturbations in one scenario: two crashes, and a crash with a request to cancel. Sampled,
//! with a seed that is printed; `SEED=… cargo test … pairs` runs the same scenarios again. On real
//! stores single perturbations are sampled, too.

use std::sync::Arc;

use ai_stack_deployer::server::store::{Store, sqlite::SqliteStore};
use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::{
    matrix,
    scenario::{Ended, Perturbation, Scenario, Tally},
};
use test_support::seed::seed;

/// The number of pairs that are told.
const PAIRS: usize = 1_500;
/// The number of scenarios that are told on a store that writes to disk.
const ON_DISK: usize = 60;

fn scenarios() -> Vec<Scenario> {
    [matrix::forward(), matrix::backward(), matrix::hopeless(), matrix::removals()].concat()
}

fn one_of<T: Clone>(rng: &mut StdRng, things: &[T]) -> T {
    things[rng.random_range(0..things.len())].clone()
}

/// Picks two perturbations for a scenario: a crash, and another crash or a request to cancel. The
/// second crash counts its write on from the first.
fn two_perturbations(rng: &mut StdRng, scenario: &Scenario, calm: &Ended) -> [Perturbation; 2] {
    let crash = one_of(rng, &calm.crashes());
    let Perturbation::Crash(first, _) = crash else { unreachable!("only crashes were asked for") };
    if scenario.is_removed || rng.random_bool(0.5) {
        // A resumed run writes at least once more.
        [
            crash,
            Perturbation::Crash(
                first + 1,
                one_of(rng, &[super::scenario::BEFORE, super::scenario::AFTER]),
            ),
        ]
    } else {
        [crash, one_of(rng, &calm.cancellations())]
    }
}

#[tokio::test]
async fn two_crashes_or_a_crash_and_a_cancel_request_end_in_all_or_nothing() {
    let mut rng = StdRng::seed_from_u64(seed("pairs"));
    let mut told = Vec::new();
    for scenario in scenarios() {
        let calm = scenario.run(&[]).await;
        told.push((scenario, calm));
    }
    let mut tally = Tally::default();
    for _ in 0..PAIRS {
        let (scenario, calm) = &told[rng.random_range(0..told.len())];
        let perturbations = two_perturbations(&mut rng, scenario, calm);
        let ended = scenario.run(&perturbations).await;
        ended.assert_pair(scenario, &perturbations);
        tally.count(&perturbations);
    }
    println!("{tally}");
}

#[tokio::test]
async fn sampled_stories_end_in_all_or_nothing_on_sqlite() {
    let mut rng = StdRng::seed_from_u64(seed("stories on SQLite"));
    let (scenarios, mut tally) = (scenarios(), Tally::default());
    for _ in 0..ON_DISK {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("portal.db");
        let store = Arc::new(SqliteStore::open(&path).await.unwrap());
        run_one(&mut rng, &scenarios, store, &mut tally).await;
    }
    println!("SQLite: {tally}");
}

/// Runs one scenario with one perturbation on `store`.
pub(super) async fn run_one(
    rng: &mut StdRng,
    scenarios: &[Scenario],
    store: Arc<dyn Store>,
    tally: &mut Tally,
) {
    let scenario = one_of(rng, scenarios);
    let calm = scenario.run(&[]).await;
    let mut perturbations = calm.crashes();
    if !scenario.is_removed {
        perturbations.extend(calm.cancellations());
    }
    let perturbation = one_of(rng, &perturbations);
    let ended = scenario.run_in(store, &[perturbation]).await;
    ended.assert_perturbed(&scenario, &[perturbation]);
    tally.count(&[perturbation]);
}
