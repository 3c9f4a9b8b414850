//! How the portal and what it depends on are doing.

use super::Service;
use crate::{
    domain::platform_problem::PlatformProblem,
    server::{
        ports::platform::{Breaker, BreakerState},
        vitals,
    },
};

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
    /// Whether the store answers.
    pub store_ok: bool,
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
        let stuck = self.parts.store.stuck_count().await;
        let platform = self.platform_status().await;
        Health {
            breaker: self.parts.platform.breaker(),
            sandbox: self.parts.sandbox,
            platform_reachable: platform.reachable,
            problem: platform.problem,
            store_kind: self.parts.store.kind(),
            store_ok: stuck.is_ok() && self.parts.store.check().await.is_ok(),
            stuck: stuck.unwrap_or(0),
            panics: vitals::panics(),
            lost_parts: self.vitals.lost(),
        }
    }

    /// Tells whether requests can be served.
    pub async fn is_ready(&self) -> bool {
        self.vitals.are_good() && self.parts.store.check().await.is_ok()
    }
}
