//! Removes orphans: resources of an operation that appeared after its end.
//!
//! A create call whose response was lost may commit after the operation has ended. The resource
//! carries our marker, so it can be found and removed later: every such resource if the operation
//! left nothing, and duplicates if its stack is live. It must not know how an orphan was detected.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::server::saga::context::Context;
use crate::server::saga::failure::StepError;
use crate::server::saga::heartbeat::Heartbeat;
use crate::server::saga::outcomes;
use crate::server::saga::ports::Ports;
use crate::server::steps::{self, advice, removal};
use crate::server::store::{Lease, Result, State, StoreError};
use domain::deployment::DeploymentId;
use domain::receipt::Line;

/// Removes resources that appeared after their operation had ended.
pub struct OrphanRemover {
    ports: Ports,
    owner: String,
    /// The time after the last heartbeat when a lease expires.
    lease: Duration,
    heartbeat: Heartbeat,
}

/// The orphans of an operation were not all removed.
#[derive(Debug, thiserror::Error)]
pub enum RemoveOrphansError {
    /// The operation has not ended, or another worker holds its lease.
    #[error("another worker holds its lease")]
    Busy,
    /// The portal is shutting down.
    #[error("the portal is shutting down")]
    Stopped,
    /// The removal panicked, which is an error in the portal.
    #[error("the portal had an internal error, see its log")]
    Panicked,
    /// A call to the platform failed. Contains the message.
    #[error("{}", .0.trim_end_matches('.'))]
    Platform(String),
    /// The store is unavailable, or the lease is lost.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<StepError> for RemoveOrphansError {
    fn from(error: StepError) -> Self {
        match error {
            StepError::Failed(cause) => Self::Platform(cause.message),
            StepError::Store(error) => Self::Store(error),
        }
    }
}

impl OrphanRemover {
    /// Creates an orphan remover that claims leases as `owner`. A lease expires `lease` after its
    /// last heartbeat.
    pub fn new(ports: Ports, owner: String, lease: Duration) -> Self {
        let heartbeat = Heartbeat::new(ports.clone(), lease);
        Self { ports, owner, lease, heartbeat }
    }

    /// Removes the resources that have the marker of the deployment `id` and should not exist, and
    /// returns the receipt's lines about them. It is idempotent.
    ///
    /// It holds the deployment's lease meanwhile, so only one of several replicas does this.
    ///
    /// # Errors
    ///
    /// Returns the reason why the removal is incomplete. What is left can be removed by another
    /// call.
    pub async fn remove_orphans(
        &self,
        id: &DeploymentId,
        stop: &CancellationToken,
    ) -> Result<Vec<Line>, RemoveOrphansError> {
        let store = &self.ports.store;
        let now = self.ports.clock.now();
        let lease = store.claim_ended(id, &self.owner, now, self.lease).await?;
        let lease = lease.ok_or(RemoveOrphansError::Busy)?;
        let span = tracing::info_span!("remove_orphans", deployment.id = %id);
        let removed = AssertUnwindSafe(self.remove(lease.clone())).catch_unwind();
        let result = tokio::select! {
            biased;
            result = Box::pin(removed).instrument(span) => {
                result.unwrap_or(Err(RemoveOrphansError::Panicked))
            }
            error = self.heartbeat.keep_single(&lease) => Err(error.into()),
            () = stop.cancelled() => Err(RemoveOrphansError::Stopped),
        };
        if let Err(error) = store.release(&lease).await {
            tracing::warn!(%error, "Could not release a lease");
        }
        result
    }

    /// Searches by marker while it holds the lease, and removes the resources found.
    async fn remove(&self, lease: Lease) -> Result<Vec<Line>, RemoveOrphansError> {
        let record = self.ports.store.find(&lease.id).await?.ok_or(RemoveOrphansError::Busy)?;
        let cx = Context::open(&self.ports, lease, CancellationToken::new()).await?;
        cx.begin_undo();
        match record.state {
            State::RolledBack => Ok(remove_all(&cx).await?),
            State::Live if !cx.journal.is_being_removed(&cx.deployment.name).await? => {
                Ok(stop_jobs_and_remove_duplicates(&cx).await?)
            }
            State::Active | State::Live | State::Stuck => Err(RemoveOrphansError::Busy),
        }
    }
}

/// Searches again for duplicates of a live stack's resources, and removes them: a lost call may
/// have committed after the end.
///
/// # Errors
///
/// Returns a [`StoreError`] if the journal cannot be written.
pub(crate) async fn remove_duplicates(cx: &Context) -> Result<()> {
    cx.begin_undo();
    let is_done = cx.journal.is_being_removed(&cx.deployment.name).await?
        || removal::warn_of_leftovers(cx, stop_jobs_and_remove_duplicates(cx).await)?;
    let next_check = if is_done { None } else { outcomes::next_check(cx.clock.now(), cx.tries) };
    cx.journal.rechecked(next_check).await
}

/// Stops the deploy jobs of duplicates of a live stack, and removes the duplicates.
async fn stop_jobs_and_remove_duplicates(cx: &Context) -> Result<Vec<Line>, StepError> {
    let kept = cx.journal.resources().application_id;
    stop_jobs(cx, kept.as_deref()).await?;
    removal::remove_duplicates(cx).await
}

/// Removes everything with the marker of the operation.
async fn remove_all(cx: &Context) -> Result<Vec<Line>, StepError> {
    stop_jobs(cx, None).await?;
    let mut lines = Vec::new();
    for project in cx.marked_projects().await? {
        lines.extend(removal::remove_project(cx, &project.id, &project.name).await?);
    }
    Ok(advice::advise(cx, lines).await)
}

/// Stops the deploy jobs of the applications that are about to be removed: all with the marker,
/// except `kept`.
async fn stop_jobs(cx: &Context, kept: Option<&str>) -> Result<(), StepError> {
    for application in cx.marked_applications().await? {
        if kept != Some(application.id.0.as_str()) {
            steps::stop_jobs(cx, &application.id).await?;
        }
    }
    Ok(())
}
