//! The metrics whose values are read at each request for them.

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::labels::{CodeLabels, StateLabels};
use domain::platform_problem::PlatformProblem;

/// The state of the portal at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Present {
    /// The state of the circuit breaker: closed, open or half-open.
    pub breaker: &'static str,
    /// True if the platform answered the last query.
    pub platform_reachable: bool,
    /// The problem of the whole platform, if there is one.
    pub problem: Option<PlatformProblem>,
    /// True if the database answers reads and accepts writes.
    pub store_ok: bool,
    /// The operations in the database; `None` if it does not answer.
    pub operations: Option<OperationCounts>,
    /// The number of panics since the process started.
    pub panics: u64,
}

/// The numbers of operations in the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OperationCounts {
    /// In progress, and waiting for a worker.
    pub waiting: u64,
    /// In progress under a lease.
    pub leased: u64,
    /// Ended, with resources that could not be removed.
    pub stuck: u64,
}

type Number = Gauge<f64, AtomicU64>;

/// The gauges.
#[derive(Debug, Default)]
pub(super) struct Gauges {
    operations: Family<StateLabels, Number>,
    breaker: Family<StateLabels, Gauge>,
    reachable: Gauge,
    problem: Family<CodeLabels, Gauge>,
    store_ok: Gauge,
    panics: Counter,
}

impl Gauges {
    pub(super) fn register(to: &mut Registry) -> Self {
        let gauges = Self::default();
        to.register(
            "operations",
            "Operations in the database, the same on all replicas: waiting for a worker, leased \
             to one, or stuck with resources that could not be removed; NaN while the database \
             does not answer",
            gauges.operations.clone(),
        );
        to.register(
            "breaker",
            "1 for the state of this process's circuit breaker for calls to the platform",
            gauges.breaker.clone(),
        );
        to.register(
            "platform_reachable",
            "Whether the platform answered this process's last query",
            gauges.reachable.clone(),
        );
        to.register(
            "platform_problem",
            "1 for the problem of the whole platform that this process sees",
            gauges.problem.clone(),
        );
        to.register(
            "store_ok",
            "Whether the database answers this process and accepts writes",
            gauges.store_ok.clone(),
        );
        to.register("panics", "Panics of this process since its start", gauges.panics.clone());
        gauges
    }

    pub(super) fn set(&self, present: &Present) {
        let counts = present.operations;
        for (state, count) in [
            ("waiting", counts.map(|counts| counts.waiting)),
            ("leased", counts.map(|counts| counts.leased)),
            ("stuck", counts.map(|counts| counts.stuck)),
        ] {
            self.operations.get_or_create(&StateLabels { state }).set(number(count));
        }
        for state in ["closed", "open", "half-open"] {
            let is_it = present.breaker == state;
            self.breaker.get_or_create(&StateLabels { state }).set(is_it.into());
        }
        for problem in PlatformProblem::ALL {
            let is_it = present.problem == Some(problem);
            let labels = CodeLabels { code: problem.code() };
            self.problem.get_or_create(&labels).set(is_it.into());
        }
        self.reachable.set(present.platform_reachable.into());
        self.store_ok.set(present.store_ok.into());
        self.panics.inc_by(present.panics.saturating_sub(self.panics.get()));
    }
}

#[expect(clippy::cast_precision_loss, reason = "the number of operations is small")]
fn number(count: Option<u64>) -> f64 {
    count.map_or(f64::NAN, |count| count as f64)
}
