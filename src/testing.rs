//! What the unit tests share: where the choices of property tests come from.

use proptest::test_runner::{Config, RngSeed};

#[path = "../tests/it/support/seed.rs"]
mod seed;

/// Returns how properties are tested: with the seed that belongs to the commit, or the one in
/// `SEED`. A case that failed is met again by the seed; so nothing is written beside the sources,
/// which would be met in one place alone.
pub(crate) fn properties() -> Config {
    Config {
        rng_seed: RngSeed::Fixed(seed::seed("properties")),
        failure_persistence: None,
        ..Config::default()
    }
}
