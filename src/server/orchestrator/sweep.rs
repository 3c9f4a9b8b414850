//! The sweep: removes what turned up of an operation after its end.
//!
//! A create whose answer was lost may be carried out when everybody has stopped looking. What
//! it made carries our marker, so it can be found and removed later: all of it where the
//! operation ended with nothing left, and what is there twice where its stack is live. It must
//! not know how it was found.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures::FutureExt;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::{
    advice,
    context::{Context, Ports},
    ends,
    failure::StepError,
    heartbeat::Heartbeat,
    removal, steps,
};
use crate::{
    domain::{deployment::DeploymentId, receipt::Line},
    server::ports::store::{Lease, State, StoreError},
};

/// How often a live stack is looked at again in which something is left. After that it is the
/// reconciler's.
const TRIES: u32 = 10;

/// Removes what turned up of operations that have ended.
pub struct Sweeper {
    ports: Ports,
    owner: String,
    /// How long a lease lasts without a heartbeat.
    lease: Duration,
    heartbeat: Heartbeat,
}

/// An operation was not swept to the end.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// It has not ended, or somebody else is at it.
    #[error("somebody else is working on it")]
    Busy,
    /// The portal stops.
    #[error("the portal is stopping")]
    Stopped,
    /// It panicked: an error of the portal's own.
    #[error("the portal met an error of its own, see its log")]
    Panicked,
    /// The platform would not do it.
    #[error("{}", .0.trim_end_matches('.'))]
    Platform(String),
    /// The store is out of reach, or the lease is lost.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<StepError> for SweepError {
    fn from(error: StepError) -> Self {
        match error {
            StepError::Failed(cause) => Self::Platform(cause.message),
            StepError::Store(error) => Self::Store(error),
        }
    }
}

impl Sweeper {
    /// Makes a sweeper called `owner`, whose leases last `lease` without a heartbeat.
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
    pub async fn sweep(
        &self,
        id: &DeploymentId,
        stop: &CancellationToken,
    ) -> Result<Vec<Line>, SweepError> {
        let store = &self.ports.store;
        let now = self.ports.clock.now();
        let lease = store.claim_ended(id, &self.owner, now, self.lease).await?;
        let lease = lease.ok_or(SweepError::Busy)?;
        let span = tracing::info_span!("sweep", deployment.id = %id);
        let removed = AssertUnwindSafe(self.remove(lease.clone())).catch_unwind();
        let result = tokio::select! {
            biased;
            result = Box::pin(removed).instrument(span) => {
                result.unwrap_or(Err(SweepError::Panicked))
            }
            error = self.heartbeat.keep_alone(&lease) => Err(error.into()),
            () = stop.cancelled() => Err(SweepError::Stopped),
        };
        if let Err(error) = store.release(&lease).await {
            tracing::warn!(%error, "Could not hand a lease back");
        }
        result
    }

    /// Looks by marker once more, now that the lease is ours, and removes what is there.
    async fn remove(&self, lease: Lease) -> Result<Vec<Line>, SweepError> {
        let record = self.ports.store.find(&lease.id).await?.ok_or(SweepError::Busy)?;
        let cx = Context::open(&self.ports, lease, CancellationToken::new()).await?;
        cx.begin_undo();
        match record.state {
            State::RolledBack => Ok(remove_all(&cx).await?),
            State::Live if !cx.journal.is_being_removed(&cx.deployment.name).await? => {
                Ok(remove_doubles(&cx).await?)
            }
            State::Active | State::Live | State::Stuck => Err(SweepError::Busy),
        }
    }
}

/// Looks once more for what a live stack has twice: a lost call may have been carried out after
/// the end.
///
/// # Errors
///
/// Returns a [`StoreError`] when the journal is out of reach.
pub(super) async fn tidy(cx: &Context) -> Result<(), StoreError> {
    cx.begin_undo();
    let is_done = cx.journal.is_being_removed(&cx.deployment.name).await?
        || removal::warn_of_left(cx, remove_doubles(cx).await)?;
    let again = if is_done { None } else { again(cx.clock.now(), cx.tries) };
    cx.journal.tidied(again).await
}

/// Returns when a live stack is looked at again after that many tries, if at all.
pub(super) fn again(now: Timestamp, tries: u32) -> Option<Timestamp> {
    (tries < TRIES).then(|| ends::due(now, tries + 1))
}

/// Removes what a live stack has twice.
async fn remove_doubles(cx: &Context) -> Result<Vec<Line>, StepError> {
    let kept = cx.journal.resources().application_id;
    stop_jobs(cx, kept.as_deref()).await?;
    removal::doubles(cx).await
}

/// Removes everything with the marker of an operation that left nothing.
async fn remove_all(cx: &Context) -> Result<Vec<Line>, StepError> {
    stop_jobs(cx, None).await?;
    let mut lines = Vec::new();
    for project in cx.our_projects().await? {
        lines.extend(removal::remove_project(cx, &project.id, &project.name).await?);
    }
    Ok(advice::advise(cx, lines).await)
}

/// Lets no deploy job be under way for what is about to be removed, which is everything but
/// the application `kept`.
async fn stop_jobs(cx: &Context, kept: Option<&str>) -> Result<(), StepError> {
    for application in cx.our_applications().await? {
        if kept != Some(application.id.0.as_str()) {
            steps::stop_jobs(cx, &application.id).await?;
        }
    }
    Ok(())
}
