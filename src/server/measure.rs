//! Measures what stacks use, while any should run: one call of the platform for all, by one replica.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::platform::{BreakerState, ContainerUsage};
use super::saga::Ports;
use super::store::{Desired, Sample, Stack};
use super::turns::Turns;
use super::watch::WatchError;
use crate::server::platform::AppName;
use domain::deployment::DeploymentId;
use domain::stack_id::StackId;

/// The name of the task: one of the portals that share a database does it for all.
const WORK: &str = "measure";
/// The time between two measurements. The platform takes two to three seconds for one.
const INTERVAL: Duration = Duration::from_secs(15);
/// A millionth of a CPU.
const MILLIONTHS: f64 = 1e6;

/// Measures what stacks use.
pub struct Measure {
    ports: Ports,
    owner: String,
    lease: Duration,
}

impl Measure {
    /// Makes one that works as `owner`, whose leases last `lease` beyond the interval.
    pub fn new(ports: Ports, owner: String, lease: Duration) -> Self {
        Self { ports, owner, lease }
    }

    /// Measures every 15 seconds until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        let turns = Turns {
            task: WORK,
            owner: self.owner.clone(),
            ttl: INTERVAL.saturating_add(self.lease),
            store: Arc::clone(&self.ports.store),
            clock: Arc::clone(&self.ports.clock),
            shutdown,
        };
        while let Some(is_ours) = turns.after(INTERVAL).await {
            if is_ours.is_ok_and(|is_ours| is_ours) {
                turns.round(self.turn()).await;
            }
        }
    }

    async fn turn(&self) {
        if let Err(error) = self.round().await {
            tracing::debug!(%error, "Could not measure what stacks use");
        }
    }

    /// Measures once, if any stack should run.
    ///
    /// # Errors
    ///
    /// Returns which side could not be read or written.
    pub async fn round(&self) -> Result<(), WatchError> {
        let mut stacks = self.ports.store.stacks(None).await?;
        stacks.retain(|stack| stack.desired == Desired::Running);
        if stacks.is_empty() || self.ports.platform.breaker().state == BreakerState::Open {
            return Ok(());
        }
        let at = self.ports.clock.now();
        let usage = self.ports.platform.usage().await?;
        let services = self.ports.store.services().await?;
        let samples: Vec<_> = samples(&stacks, &services, &usage).into_iter().collect();
        if !samples.is_empty() {
            self.ports.store.record_measured(at, &samples).await?;
        }
        Ok(())
    }
}

/// Adds up what the containers of each stack use.
fn samples(
    stacks: &[Stack],
    services: &[(AppName, DeploymentId)],
    usage: &[ContainerUsage],
) -> BTreeMap<StackId, Sample> {
    let mut samples = BTreeMap::<StackId, Sample>::new();
    for stack in stacks {
        let own = services.iter().filter(|(_, id)| *id == stack.deployment.id);
        let names: Vec<_> = own.map(|(name, _)| name).collect();
        let is_own =
            |one: &&ContainerUsage| names.iter().any(|name| name.owns_container(&one.name));
        for one in usage.iter().filter(is_own) {
            let sum = samples.entry(stack.revision.stack).or_default();
            sum.cpu += millionths(one.cpus.unwrap_or_default());
            sum.memory += one.memory.unwrap_or_default();
            sum.received += one.received.unwrap_or_default();
            sum.sent += one.sent.unwrap_or_default();
        }
    }
    samples
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is in range")]
fn millionths(cpus: f64) -> u64 {
    (cpus.clamp(0.0, 1e6) * MILLIONTHS).round() as u64
}
