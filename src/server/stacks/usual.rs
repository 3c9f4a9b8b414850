//! How long a deployment usually takes: in all, and of each template.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::Service;
use crate::server::store::TimeToLive;
use crate::wire::Usual;

/// The number of recent deployments that are measured.
const MEASURED: u32 = 200;
/// The number of them from which the usual duration is computed.
const SAMPLES: usize = 40;
/// The minimum number for that.
const FEWEST: usize = 5;
/// The age up to which the usual durations are shown again.
pub(super) const LIFETIME: Duration = Duration::from_secs(10);
/// The time limit for reading them.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The usual durations. There is none where there are too few successful deployments.
#[derive(Debug, Default)]
pub(super) struct Usuals {
    all: Option<Usual>,
    /// By the ids of the templates.
    by_template: BTreeMap<String, Usual>,
}

impl Service {
    /// Returns how long a deployment usually takes, as it was up to ten seconds ago.
    pub(crate) async fn usual_duration(&self) -> Option<Usual> {
        self.usuals().await.all
    }

    /// Returns how long a deployment of this template usually takes, as it was up to ten seconds ago.
    pub(crate) async fn usual_of(&self, template: &str) -> Option<Usual> {
        self.usuals().await.by_template.get(template).copied()
    }

    async fn usuals(&self) -> Arc<Usuals> {
        let (store, clock) = (&self.parts.store, &*self.parts.clock);
        let read = async {
            let measured = tokio::select! {
                measured = store.durations(MEASURED) => measured.ok(),
                () = clock.sleep(TIMEOUT) => None,
            };
            // If the store fails or is slow, pages show the last estimate, if there was one.
            let last = || self.usual.last().unwrap_or_default();
            measured.map_or_else(last, |measured| Arc::new(Usuals::of(&measured)))
        };
        self.usual.get(clock, read).await
    }
}

impl Usuals {
    /// Computes them from measurements, newest first.
    fn of(measured: &[TimeToLive]) -> Self {
        let mut by_template: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
        for one in measured {
            by_template.entry(&one.template).or_default().push(one.took);
        }
        let of = |(id, took): (&str, Vec<_>)| Some((id.to_owned(), usual(took)?));
        Self {
            all: usual(measured.iter().map(|one| one.took).collect()),
            by_template: by_template.into_iter().filter_map(of).collect(),
        }
    }
}

/// Returns the spread of the newest of these durations, without the fastest and the slowest.
fn usual(mut durations: Vec<Duration>) -> Option<Usual> {
    durations.truncate(SAMPLES);
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
    use super::*;

    #[test]
    fn what_is_usual_leaves_the_fastest_and_the_slowest_out() {
        let seconds = |list: &[u64]| list.iter().copied().map(Duration::from_secs).collect();
        assert_eq!(usual(seconds(&[20, 30, 40, 50])), None, "too few to tell");
        let durations = seconds(&[600, 20, 25, 30, 35, 40, 1, 28, 33, 38, 31]);
        assert_eq!(usual(durations), Some(Usual { low_s: 25, median_s: 31, high_s: 39 }));
    }

    #[test]
    fn each_template_has_its_own_usual_time() {
        let of = |template: &str, seconds| {
            let took = TimeToLive { template: template.into(), took: Duration::from_secs(seconds) };
            vec![took; 5]
        };
        let measured = [of("chat", 60), of("notebook", 10), of("rare", 1)[..4].to_vec()].concat();
        let usuals = Usuals::of(&measured);
        let medians: Vec<_> =
            usuals.by_template.iter().map(|(id, usual)| (id.as_str(), usual.median_s)).collect();
        assert_eq!(medians, [("chat", 60), ("notebook", 10)]);
        assert_eq!(usuals.all.unwrap().median_s, 10);
    }
}
