//! Orphans: removes the resources of an operation that appeared after its end.
//!
//! A create whose response was lost may be carried out when everybody has stopped looking. What it
//! made carries our marker, so it can be found and removed later: all of it where the operation
//! ended with nothing left, and duplicates where its stack is live. It must not know how it was
//! found.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures::FutureExt;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::server::{
    saga::{
        context::{Context, Ports},
        failure::StepError,
        heartbeat::Heartbeat,
        outcomes,
    },
    steps::{self, advice, removal},
    store::{Lease, State, StoreError},
};
use domain::{deployment::DeploymentId, receipt::Line};

/// The number of times that a live stack is looked at again in which something is left. After that
/// it is the reconciler's.
const MAX_CHECKS: u32 = 10;

/// Removes resources that appeared after their operation had ended.
pub struct OrphanRemover {
    ports: Ports,
    owner: String,
    /// The time for which a lease lasts without a heartbeat.
    lease: Duration,
    heartbeat: Heartbeat,
}

/// The orphans of an operation were not all removed.
#[derive(Debug, thiserror::Error)]
pub enum RemoveOrphansError {
    /// It has not ended, or somebody else holds its lease.
    #[error("another worker holds its lease")]
    Busy,
    /// The portal stops.
    #[error("the portal is shutting down")]
    Stopped,
    /// It panicked: an error of the portal's own.
    #[error("the portal had an internal error, see its log")]
    Panicked,
    /// The platform would not do it.
    #[error("{}", .0.trim_end_matches('.'))]
    Platform(String),
    /// The store is out of reach, or the lease is lost.
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
    /// Makes an orphan remover called `owner`, whose leases last `lease` without a heartbeat.
    pub fn new(ports: Ports, owner: String, lease: Duration) -> Self {
        let heartbeat = Heartbeat::new(ports.clone(), lease);
        Self { ports, owner, lease, heartbeat }
    }

    /// Removes what carries the marker of the deployment `id` and should not be there, and
    /// tells what became of each resource. It can be repeated; where there is nothing to
    /// remove, nothing happens.
    ///
    /// It holds the deployment's lease meanwhile, so of several portals one does it.
    ///
    /// # Errors
    ///
    /// Returns why it could not be done to the end.
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

    /// Looks by marker once more, now that the lease is ours, and removes what is there.
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

/// Looks once more for the duplicates of a live stack: a lost call may have been carried out after
/// the end.
///
/// # Errors
///
/// Returns a [`StoreError`] when the journal is out of reach.
pub(crate) async fn remove_duplicates(cx: &Context) -> Result<(), StoreError> {
    cx.begin_undo();
    let is_done = cx.journal.is_being_removed(&cx.deployment.name).await?
        || removal::warn_of_leftovers(cx, stop_jobs_and_remove_duplicates(cx).await)?;
    let next_check = if is_done { None } else { next_check(cx.clock.now(), cx.tries) };
    cx.journal.rechecked(next_check).await
}

/// Returns when a live stack is looked at again after that many tries, if at all.
pub(crate) fn next_check(now: Timestamp, tries: u32) -> Option<Timestamp> {
    (tries < MAX_CHECKS).then(|| outcomes::due(now, tries + 1))
}

/// Removes the duplicates of a live stack.
async fn stop_jobs_and_remove_duplicates(cx: &Context) -> Result<Vec<Line>, StepError> {
    let kept = cx.journal.resources().application_id;
    stop_jobs(cx, kept.as_deref()).await?;
    removal::remove_duplicates(cx).await
}

/// Removes everything with the marker of an operation that left nothing.
async fn remove_all(cx: &Context) -> Result<Vec<Line>, StepError> {
    stop_jobs(cx, None).await?;
    let mut lines = Vec::new();
    for project in cx.marked_projects().await? {
        lines.extend(removal::remove_project(cx, &project.id, &project.name).await?);
    }
    Ok(advice::advise(cx, lines).await)
}

/// Lets no deploy job be under way for what is about to be removed, which is everything but
/// the application `kept`.
async fn stop_jobs(cx: &Context, kept: Option<&str>) -> Result<(), StepError> {
    for application in cx.marked_applications().await? {
        if kept != Some(application.id.0.as_str()) {
            steps::stop_jobs(cx, &application.id).await?;
        }
    }
    Ok(())
}
