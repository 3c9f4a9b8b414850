//! The health watch: looks at every stack that should run, and records when one does not work any
//! more, and when it works again.
//!
//! It changes nothing on the platform. A result counts only if nothing has happened to the stack
//! since it was read: what an operation does is no failure. [`look`] judges one look, [`round`] a
//! whole round, and [`streak`] several looks at one stack.

mod facts;
mod look;
mod round;
mod streak;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt as _, stream};
use rand::RngExt as _;
use tokio_util::sync::CancellationToken;

pub use self::look::{Look, Looked};
use self::streak::{Streak, Verdict};
use super::metrics::{HealthTurn, LookResult};
use super::notifier::Notification;
use super::platform::{AppName, BreakerState, NodeContainer, PlatformError, Scale};
use super::saga::Ports;
use super::spec::OperationSpec;
use super::store::{Desired, LookCounts, Result, Stack, StackTurn, StoreError, Turn};
use super::turns::Turns;
use domain::deployment::DeploymentId;
use domain::stack_id::{RevisionId, StackId};
use domain::template::HealthPath;

/// The name of the task: one of the portals that share a database does it for all.
const WORK: &str = "watch";
/// The time after the start at which the first round begins.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
/// The number of stacks that are looked at concurrently.
const AT_ONCE: usize = 8;
/// The part of the interval by which a pause is longer at most, so that portals do not look in step.
const JITTER: f64 = 0.1;

/// Looks at the stacks.
pub struct Watch {
    ports: Ports,
    owner: String,
    lease: Duration,
    streaks: HashMap<StackId, Streak>,
    /// The paths of the health checks of revisions, which never change.
    paths: HashMap<RevisionId, Vec<HealthPath>>,
}

/// The stacks could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The platform cannot be read.
    #[error("the platform cannot be read")]
    Platform(#[from] PlatformError),
    /// The database cannot be read.
    #[error("the database cannot be read")]
    Store(#[from] StoreError),
}

/// What the platform shows of all stacks in two calls.
struct Shown {
    scales: BTreeMap<AppName, Option<Scale>>,
    containers: Vec<NodeContainer>,
}

impl Watch {
    /// Makes a watch that works as `owner`, whose leases last `lease` beyond the interval.
    pub fn new(ports: Ports, owner: String, lease: Duration) -> Self {
        let (streaks, paths) = (HashMap::new(), HashMap::new());
        Self { ports, owner, lease, streaks, paths }
    }

    /// Looks every `interval` until `shutdown`. One of the portals that share a database does this
    /// for all.
    pub async fn run(mut self, interval: Duration, shutdown: CancellationToken) {
        let turns = Turns {
            task: WORK,
            owner: self.owner.clone(),
            ttl: interval.saturating_add(self.lease),
            store: Arc::clone(&self.ports.store),
            clock: Arc::clone(&self.ports.clock),
            shutdown,
        };
        let mut pause = FIRST_PAUSE.min(interval);
        while let Some(is_ours) = turns.after(pause).await {
            turns.round(self.turn(is_ours)).await;
            pause = interval.mul_f64(1.0 + rand::rng().random_range(0.0..JITTER));
        }
    }

    async fn turn(&mut self, is_ours: Result<bool>) {
        let is_ours = is_ours.unwrap_or_else(|error| {
            tracing::warn!(%error, "Could not take the lease of the health watch");
            false
        });
        if !is_ours {
            self.streaks.clear();
        } else if let Err(error) = self.round().await {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            tracing::warn!(%error, source, "Could not look at the stacks");
        }
    }

    /// Looks once at every stack that should run, and records what has changed.
    ///
    /// # Errors
    ///
    /// Returns a [`WatchError`] if the database cannot be read, or a result cannot be recorded. If
    /// the platform cannot be read, the looks are unknown.
    pub async fn round(&mut self) -> Result<(), WatchError> {
        let stacks = self.stacks().await?;
        if stacks.is_empty() {
            self.streaks.clear();
            return Ok(());
        }
        let looked = match self.look_at(&stacks).await {
            Ok(looked) => looked,
            Err(WatchError::Platform(error)) => {
                tracing::debug!(%error, "The platform shows nothing of the stacks");
                unknown(&stacks)
            }
            Err(error @ WatchError::Store(_)) => return Err(error),
        };
        let looked = round::judge(looked);
        self.count(&stacks, &looked).await?;
        self.streaks.retain(|id, _| stacks.iter().any(|stack| stack.revision.stack == *id));
        for (stack, looked) in stacks.iter().zip(looked) {
            self.conclude(stack, &looked).await?;
        }
        Ok(())
    }

    /// Lists the stacks that should run, and on which no operation is under way.
    async fn stacks(&self) -> Result<Vec<Stack>> {
        let mut stacks = self.ports.store.stacks(None).await?;
        stacks.retain(|stack| stack.desired == Desired::Running && stack.operation.is_none());
        Ok(stacks)
    }

    /// Looks at each of `stacks`. All looks are unknown if the platform cannot be relied on.
    async fn look_at(&mut self, stacks: &[Stack]) -> Result<Vec<Looked>, WatchError> {
        if self.ports.platform.breaker().state == BreakerState::Open {
            return Ok(unknown(stacks));
        }
        let services = self.ports.store.services().await?;
        for stack in stacks {
            self.read_paths(stack.revision).await?;
        }
        let own = |shown: &Shown| -> Vec<_> {
            stacks.iter().map(|stack| service(&services, &stack.deployment.id, shown)).collect()
        };
        let mut found = own(&self.shown().await?);
        if found.iter().any(|one| one.state != look::ServiceState::Running) {
            let Some(shown) = self.shown_while_docker_answers().await? else {
                return Ok(unknown(stacks));
            };
            found = own(&shown);
        }
        let looks = stacks.iter().zip(found).map(|(stack, service)| {
            let paths = self.paths.get(&stack.revision).map_or(&[][..], Vec::as_slice);
            let streak = self.streaks.get(&stack.revision.stack);
            let before = streak.map_or(&[][..], |streak| streak.ran_since(stack.last_event));
            let service = service.after(before);
            look::look(&*self.ports.probe, &stack.deployment.url, paths, service)
        });
        let looks: Vec<_> = looks.collect();
        Ok(stream::iter(looks).buffered(AT_ONCE).collect().await)
    }

    /// Reads what the platform shows of all stacks, in two calls.
    async fn shown(&self) -> Result<Shown, PlatformError> {
        let platform = &self.ports.platform;
        let scales = platform.scales().await?.into_iter().collect();
        Ok(Shown { scales, containers: platform.node_containers().await? })
    }

    /// Does the same between two checks that Docker answers: while it does not, the platform shows
    /// nothing at all. Returns `None` if one of the checks fails.
    async fn shown_while_docker_answers(&self) -> Result<Option<Shown>, PlatformError> {
        if self.ports.platform.node_count().await? == 0 {
            return Ok(None);
        }
        let shown = self.shown().await?;
        Ok((self.ports.platform.node_count().await? > 0).then_some(shown))
    }

    /// Reads the paths of the health check of a revision, which may be one of an older version.
    async fn read_paths(&mut self, revision: RevisionId) -> Result<()> {
        if self.paths.contains_key(&revision) {
            return Ok(());
        }
        let paths = match self.ports.store.spec(revision).await {
            Ok(Some(sealed)) => sealed.spec.health.paths,
            Ok(None) | Err(StoreError::Corrupt { .. }) => {
                OperationSpec::unsealed(&self.ports.settings).stack.health.paths
            }
            Err(error) => return Err(error),
        };
        self.paths.insert(revision, paths);
        Ok(())
    }

    /// Adds the looks to those of the day.
    async fn count(&self, stacks: &[Stack], looked: &[Looked]) -> Result<()> {
        let now = self.ports.clock.now();
        let count = |(stack, looked): (&Stack, &Looked)| {
            let (result, counts) = match looked.look {
                Look::Good => (LookResult::Good, LookCounts { good: 1, ..LookCounts::default() }),
                Look::Bad(_) => (LookResult::Bad, LookCounts { bad: 1, ..LookCounts::default() }),
                Look::Unknown => {
                    (LookResult::Unknown, LookCounts { unknown: 1, ..LookCounts::default() })
                }
            };
            self.ports.metrics.looked(result);
            (stack.revision.stack, counts)
        };
        let counts: Vec<_> = stacks.iter().zip(looked).map(count).collect();
        self.ports.store.count_looks(now, &counts).await
    }

    /// Records that a stack does not work any more, or works again, if this look decides it.
    async fn conclude(&mut self, stack: &Stack, looked: &Looked) -> Result<()> {
        let id = stack.revision.stack;
        let streak = self.streaks.entry(id).or_default();
        let (turn, counted) = match streak.take(stack.last_event, stack.unhealthy.is_some(), looked)
        {
            Verdict::AsBefore => return Ok(()),
            Verdict::Unhealthy => {
                let why = facts::gather(&self.ports, stack, looked).await?;
                (Turn::Unhealthy(why), HealthTurn::Unhealthy)
            }
            Verdict::Recovered => (Turn::Recovered, HealthTurn::Recovered),
        };
        let (seen, at) = (stack.last_event, self.ports.clock.now());
        let new = StackTurn { stack: id, seen, at, turn, audit_entry: None };
        if self.ports.store.record_turn(&new).await? {
            tracing::info!(stack.name = %stack.deployment.name, turn = ?new.turn, "The health of a stack has changed");
            self.ports.metrics.turned(counted);
            self.ports.notifier.notify(&Notification::Stacks);
        }
        Ok(())
    }
}

/// Returns looks at `stacks` that found nothing out.
fn unknown(stacks: &[Stack]) -> Vec<Looked> {
    vec![Looked::UNKNOWN; stacks.len()]
}

/// Returns what the platform shows of the service of the stack that `made` created.
fn service(
    services: &[(AppName, DeploymentId)],
    made: &DeploymentId,
    shown: &Shown,
) -> look::Service {
    let own = services.iter().filter(|(_, id)| id == made).map(|(name, _)| name);
    let names: Vec<_> = own.filter(|name| shown.scales.contains_key(name)).cloned().collect();
    look::Service::of(names, &shown.scales, &shown.containers)
}
