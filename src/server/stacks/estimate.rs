//! Computes the usual duration of successful deployments.

use std::time::Duration;

use super::Service;
use crate::wire::Usual;

/// The number of recent deployments that are considered.
const SAMPLES: u32 = 40;
/// The minimum number of deployments for an estimate.
const FEWEST: usize = 5;

impl Service {
    /// Returns how long a deployment usually takes; `None` if there are too few successful ones.
    pub(crate) async fn usual_duration(&self) -> Option<Usual> {
        // If the store fails, the page shows no estimate.
        let durations = self.parts.store.durations(SAMPLES).await.ok()?;
        usual(durations)
    }
}

fn usual(mut durations: Vec<Duration>) -> Option<Usual> {
    if durations.len() < FEWEST {
        return None;
    }
    durations.sort_unstable();
    let quantile = |percent: usize| {
        let at = (durations.len() - 1) * percent / 100;
        durations.get(at).map_or(0, Duration::as_secs)
    };
    Some(Usual { low_s: quantile(20), median_s: quantile(50), high_s: quantile(80) + 1 })
}

#[cfg(test)]
mod tests {
    use crate::server::stacks::estimate::*;

    #[test]
    fn what_is_usual_leaves_the_fastest_and_the_slowest_out() {
        let seconds = |list: &[u64]| list.iter().copied().map(Duration::from_secs).collect();
        assert_eq!(usual(seconds(&[20, 30, 40, 50])), None, "too few to tell");
        let durations = seconds(&[600, 20, 25, 30, 35, 40, 1, 28, 33, 38, 31]);
        assert_eq!(usual(durations), Some(Usual { low_s: 25, median_s: 31, high_s: 39 }));
    }
}
