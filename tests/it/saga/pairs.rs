//! Two twists in one story: two crashes, and a crash with a wish to cancel. Sampled, with a seed
//! that is printed; `SEED=… cargo test … pairs` tells the same stories again. On real stores
//! single twists are sampled, too.

use std::sync::Arc;

use ai_stack_deployer::server::{ports::store::Store, store::sqlite::SqliteStore};
use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::{
    matrix,
    story::{Ended, Story, Tally, Twist},
};
use crate::support::seed::seed;

/// How many pairs are told.
const PAIRS: usize = 1_500;
/// How many stories are told on a store that writes to disk.
const ON_DISK: usize = 60;

fn stories() -> Vec<Story> {
    [matrix::forward(), matrix::backward(), matrix::hopeless(), matrix::removals()].concat()
}

fn one_of<T: Clone>(rng: &mut StdRng, things: &[T]) -> T {
    things[rng.random_range(0..things.len())].clone()
}

/// Picks two twists for a story: a crash, and another crash or a wish to cancel. The second
/// crash counts its write on from the first.
fn two_twists(rng: &mut StdRng, story: &Story, calm: &Ended) -> [Twist; 2] {
    let crash = one_of(rng, &calm.crashes());
    let Twist::Crash(first, _) = crash else { unreachable!("only crashes were asked for") };
    if story.is_removed || rng.random_bool(0.5) {
        // A resumed run writes at least once more.
        [crash, Twist::Crash(first + 1, one_of(rng, &[super::story::BEFORE, super::story::AFTER]))]
    } else {
        [crash, one_of(rng, &calm.cancellations())]
    }
}

#[tokio::test]
async fn two_crashes_or_a_crash_and_a_wish_to_cancel_end_in_all_or_nothing() {
    let mut rng = StdRng::seed_from_u64(seed("pairs"));
    let mut told = Vec::new();
    for story in stories() {
        let calm = story.run(&[]).await;
        told.push((story, calm));
    }
    let mut tally = Tally::default();
    for _ in 0..PAIRS {
        let (story, calm) = &told[rng.random_range(0..told.len())];
        let twists = two_twists(&mut rng, story, calm);
        let ended = story.run(&twists).await;
        ended.assert_pair(story, &twists);
        tally.count(&twists);
    }
    println!("{tally}");
}

#[tokio::test]
async fn sampled_stories_end_in_all_or_nothing_on_sqlite() {
    let mut rng = StdRng::seed_from_u64(seed("stories on SQLite"));
    let (stories, mut tally) = (stories(), Tally::default());
    for _ in 0..ON_DISK {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("portal.db");
        let store = Arc::new(SqliteStore::open(&path).await.unwrap());
        tell_one(&mut rng, &stories, store, &mut tally).await;
    }
    println!("SQLite: {tally}");
}

/// Tells one story with one twist on `store`.
pub(super) async fn tell_one(
    rng: &mut StdRng,
    stories: &[Story],
    store: Arc<dyn Store>,
    tally: &mut Tally,
) {
    let story = one_of(rng, stories);
    let calm = story.run(&[]).await;
    let mut twists = calm.crashes();
    if !story.is_removed {
        twists.extend(calm.cancellations());
    }
    let twist = one_of(rng, &twists);
    let ended = story.run_in(store, &[twist]).await;
    ended.assert_twisted(&story, &[twist]);
    tally.count(&[twist]);
}
