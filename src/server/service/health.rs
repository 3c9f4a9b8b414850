//! How the portal and what it depends on are doing.

use std::time::Duration;

use super::Service;
use crate::{
    domain::platform_problem::PlatformProblem,
    server::{
        ports::platform::{Breaker, BreakerState},
        vitals,
    },
};

/// How long the store may take to count.
const PATIENCE: Duration = Duration::from_secs(3);

/// How the portal and what it depends on are doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The breaker between the portal and the platform.
    pub breaker: Breaker,
    /// Whether the platform is the embedded sandbox.
    pub sandbox: bool,
    /// Whether the platform answered when last asked.
    pub platform_reachable: bool,
    /// What keeps all of the platform from working until an operator acts.
    pub problem: Option<PlatformProblem>,
    /// The kind of store.
    pub store_kind: &'static str,
    /// Whether the store answers and takes writes.
    pub store_ok: bool,
    /// How long ago a write was tried last, if ever.
    pub store_age: Option<Duration>,
    /// How many deployments have left something that could not be removed.
    pub stuck: u64,
    /// How many panics there were since the portal started.
    pub panics: u64,
    /// Which parts of the portal have ended: it is about to end itself.
    pub lost_parts: Vec<&'static str>,
}

impl Health {
    /// Tells whether all is as it should be; the store apart.
    pub fn is_complete(&self) -> bool {
        self.platform_reachable
            && self.problem.is_none()
            && self.breaker.state != BreakerState::Open
            && self.stuck == 0
    }
}

impl Service {
    /// Tells how the portal and what it depends on are doing.
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

    /// Tells whether requests can be served: reading and writing.
    pub async fn is_ready(&self) -> bool {
        self.vitals.are_good() && self.store_probe.current().await.ok
    }

    /// Counts what is stuck; `None` where the store does not tell in time.
    async fn stuck_count(&self) -> Option<u64> {
        tokio::select! {
            count = self.parts.store.stuck_count() => count.ok(),
            () = self.parts.clock.sleep(PATIENCE) => None,
        }
    }
}
