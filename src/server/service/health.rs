//! The health of the portal and of what it depends on.

use std::time::Duration;

use super::Service;
use crate::server::{
    platform::{Breaker, BreakerState},
    vitals,
};
use domain::platform_problem::PlatformProblem;

/// The time that the store may take to count.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The health of the portal and of what it depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The breaker between the portal and the platform.
    pub breaker: Breaker,
    /// True if the platform is the embedded sandbox.
    pub sandbox: bool,
    /// True if the platform answered when last asked.
    pub platform_reachable: bool,
    /// The problem that keeps all of the platform from working until an operator acts.
    pub problem: Option<PlatformProblem>,
    /// The kind of store.
    pub store_kind: &'static str,
    /// True if the store answers and takes writes.
    pub store_ok: bool,
    /// The time since a write was tried last, if ever.
    pub store_age: Option<Duration>,
    /// The number of deployments that have left something that could not be removed.
    pub stuck: u64,
    /// The number of panics that there were since the portal started.
    pub panics: u64,
    /// The parts of the portal that have ended: it is about to end itself.
    pub lost_parts: Vec<&'static str>,
}

impl Health {
    /// Returns whether all is as it should be; the store apart.
    pub fn is_complete(&self) -> bool {
        self.platform_reachable
            && self.problem.is_none()
            && self.breaker.state != BreakerState::Open
            && self.stuck == 0
    }
}

impl Service {
    /// Returns how the portal and what it depends on are doing.
    pub async fn health(&self) -> Health {
        let (stuck, store, platform) =
            tokio::join!(self.stuck_count(), self.store_probe.current(), self.platform_status());
        Health {
            breaker: self.parts.platform.breaker(),
            sandbox: self.parts.sandbox,
            platform_reachable: platform.reachable,
            problem: platform.problem,
            store_kind: self.parts.store.kind(),
            store_ok: stuck.is_some() && store.ok,
            store_age: store.age,
            stuck: stuck.unwrap_or(0),
            panics: vitals::panics(),
            lost_parts: self.vitals.lost(),
        }
    }

    /// Returns whether requests can be served: reading and writing.
    pub async fn is_ready(&self) -> bool {
        self.vitals.are_good() && self.store_probe.current().await.ok
    }

    /// Counts what is stuck; `None` where the store does not tell in time.
    async fn stuck_count(&self) -> Option<u64> {
        tokio::select! {
            count = self.parts.store.stuck_count() => count.ok(),
            () = self.parts.clock.sleep(TIMEOUT) => None,
        }
    }
}
