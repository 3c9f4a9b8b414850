//! The pauses between the attempts of a call.
//!
//! It must not know why a call failed.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

/// The number of repetitions of a call.
const RETRIES: usize = 5;
/// The pause before the first repetition.
pub(super) const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Returns pauses of 1, 2, 4, 8 and 16 s, each prolonged by a random jitter up to twice its length.
/// `seed` makes the jitter reproducible.
pub(super) fn schedule(seed: u64) -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(FIRST_PAUSE)
        .with_factor(2.0)
        .with_max_delay(FIRST_PAUSE * 16)
        .with_max_times(RETRIES)
        .with_jitter()
        .with_jitter_seed(seed)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pauses_double_from_one_to_sixteen_seconds_and_then_end() {
        let pauses: Vec<u64> = schedule(7).map(|pause| pause.as_secs()).collect();
        assert_eq!(pauses.len(), RETRIES);
        for (pause, expected) in pauses.into_iter().zip([1, 2, 4, 8, 16]) {
            assert!((expected..=expected + expected).contains(&pause), "{pause} for {expected}");
        }
    }
}
