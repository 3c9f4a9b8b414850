//! Sampled scenarios on a store that writes to disk, each with one perturbation; the matrix runs
//! all of them in memory. The seed is printed; `SEED=… cargo test … on_disk` repeats the same
//! scenarios.

use std::sync::Arc;

use ai_stack_deployer::server::store::sqlite::SqliteStore;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::matrix;
use super::scenario::Tally;
use test_support::seed::seed;

/// The number of scenarios.
const SCENARIOS: usize = 60;

fn one_of<T: Clone>(rng: &mut StdRng, things: &[T]) -> T {
    things[rng.random_range(0..things.len())].clone()
}

#[tokio::test]
async fn sampled_scenarios_end_in_all_or_nothing_on_sqlite() {
    let mut rng = StdRng::seed_from_u64(seed("stories on SQLite"));
    let scenarios =
        [matrix::forward(), matrix::backward(), matrix::hopeless(), matrix::removals()].concat();
    let mut tally = Tally::default();
    for _ in 0..SCENARIOS {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("portal.db")).await.unwrap();
        let scenario = one_of(&mut rng, &scenarios);
        let calm = scenario.run(&[]).await;
        let mut perturbations = calm.crashes();
        if !scenario.is_removed {
            perturbations.extend(calm.cancellations());
        }
        let perturbation = one_of(&mut rng, &perturbations);
        let ended = scenario.run_in(Arc::new(store), &[perturbation]).await;
        ended.assert_perturbed(&scenario, &[perturbation]);
        tally.count(&[perturbation]);
    }
    println!("SQLite: {tally}");
}
