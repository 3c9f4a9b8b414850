//! The health of the portal, of its store and of the platform.

use std::time::Duration;

use super::Service;
use crate::server::metrics::{OperationCounts, Present};
use crate::server::platform::{Breaker, BreakerState};
use crate::server::vitals;
use domain::platform_problem::PlatformProblem;

/// The time limit for counting operations in the store.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The health of the portal, of its store and of the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The circuit breaker of the calls to the platform.
    pub breaker: Breaker,
    /// True if the platform is the embedded sandbox.
    pub sandbox: bool,
    /// True if the platform answered the last query.
    pub platform_reachable: bool,
    /// The problem of the whole platform that only an operator can solve, if there is one.
    pub problem: Option<PlatformProblem>,
    /// The kind of store.
    pub store_kind: &'static str,
    /// True if the store answers reads and accepts writes.
    pub store_ok: bool,
    /// The time since the last attempt to write, if there was one.
    pub store_age: Option<Duration>,
    /// The number of operations with resources that could not be removed, as it was up to two seconds
    /// ago.
    pub stuck: u64,
    /// The number of panics since the portal started.
    pub panics: u64,
    /// The parts of the portal that ended unexpectedly. If there are any, the portal will exit.
    pub lost_parts: Vec<&'static str>,
}

impl Health {
    /// Returns whether the platform works and nothing is stuck. It does not consider the store.
    pub fn is_complete(&self) -> bool {
        self.platform_reachable
            && self.problem.is_none()
            && self.breaker.state != BreakerState::Open
            && self.stuck == 0
    }
}

impl Service {
    /// Returns the present health.
    pub async fn health(&self) -> Health {
        let (present, store, platform) =
            tokio::join!(self.present(), self.store_probe.current(), self.platform_status());
        Health {
            breaker: self.parts.platform.breaker(),
            sandbox: self.parts.sandbox,
            platform_reachable: platform.reachable,
            problem: platform.problem,
            store_kind: self.parts.store.kind(),
            store_ok: present.operations.is_some() && store.ok,
            store_age: store.age,
            stuck: present.operations.map_or(0, |operations| operations.stuck),
            panics: vitals::panics(),
            lost_parts: self.vitals.lost(),
        }
    }

    /// Returns whether the portal can serve requests, both those that read and those that write.
    pub async fn is_ready(&self) -> bool {
        self.vitals.are_good() && self.store_probe.current().await.ok
    }

    /// Returns the present state of what the metrics do not count. However many callers there are, it
    /// is read once at a time, and at most every two seconds.
    pub(crate) async fn present(&self) -> Present {
        self.present.get(&*self.parts.clock, self.read_present()).await
    }

    async fn read_present(&self) -> Present {
        let (operations, store, platform) = tokio::join!(
            self.operation_counts(),
            self.store_probe.current(),
            self.platform_status()
        );
        Present {
            breaker: self.parts.platform.breaker().state.as_str(),
            platform_reachable: platform.reachable,
            problem: platform.problem,
            store_ok: operations.is_some() && store.ok,
            operations,
            panics: vitals::panics(),
        }
    }

    /// Counts the operations in the database; `None` if the store fails or exceeds the time limit.
    async fn operation_counts(&self) -> Option<OperationCounts> {
        tokio::select! {
            counts = self.parts.store.counts(self.parts.clock.now()) => counts.ok(),
            () = self.parts.clock.sleep(TIMEOUT) => None,
        }
    }
}
