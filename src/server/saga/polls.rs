//! Polls: the calls that many operations repeat while they wait.
//!
//! The platform answers about twenty calls per second. So operations share the calls for lists that
//! are the same for all, and calls about one application are spread over time if there are many. It
//! must not know what a result means.

mod pacer;
mod single_flight;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use self::{pacer::Pacer, single_flight::SingleFlight};
pub(crate) use single_flight::ReadCursor;

use super::{context::Context, failure::StepError};
use crate::server::platform::{AppName, QueuedJob};

/// The maximum number of followed deploy jobs with which each operation reads its own list of jobs
/// at every check.
const FEW_FOLLOWERS: usize = 4;

/// The polls of the platform that all operations of a portal share.
#[derive(Debug, Default)]
pub struct Polls {
    queue: SingleFlight<Vec<QueuedJob>>,
    services: SingleFlight<Vec<AppName>>,
    nodes: SingleFlight<usize>,
    pacer: Pacer,
    following: AtomicUsize,
}

/// Counts as a follower of a deploy job until it is dropped.
pub(crate) struct Following<'a>(&'a AtomicUsize);

impl Polls {
    /// Registers a follower of a deploy job.
    pub(crate) fn follow(&self) -> Following<'_> {
        self.following.fetch_add(1, Ordering::Relaxed);
        Following(&self.following)
    }

    /// Returns whether at most [`FEW_FOLLOWERS`] deploy jobs are followed.
    pub(crate) fn has_few_followers(&self) -> bool {
        self.following.load(Ordering::Relaxed) <= FEW_FOLLOWERS
    }

    /// Returns the position of the queue's readings so far. A reading after it begins later than
    /// now.
    pub(crate) fn queue_cursor(&self) -> ReadCursor {
        self.queue.cursor()
    }
}

impl Drop for Following<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Context {
    /// Returns a reading of the platform's queue that began after `cursor`, and moves `cursor` to
    /// it.
    pub(crate) async fn queue(
        &self,
        cursor: &mut ReadCursor,
    ) -> Result<Arc<Vec<QueuedJob>>, StepError> {
        let (read_after, queue) = (*cursor, &self.polls.queue);
        let call = || {
            let platform = Arc::clone(&self.platform);
            async move { platform.queue().await }
        };
        let read = || queue.read_after(read_after, &*self.clock, call);
        let (queue, read) = self.query("deployment.queueList", read).await?;
        *cursor = read;
        Ok(queue)
    }

    /// Lists the names of all services, by a call that begins now.
    pub(crate) async fn services(&self) -> Result<Arc<Vec<AppName>>, StepError> {
        let services = &self.polls.services;
        let call = || {
            let platform = Arc::clone(&self.platform);
            async move { platform.services().await }
        };
        let read = || services.read_after(services.cursor(), &*self.clock, call);
        Ok(self.query("swarm.getNodeApps", read).await?.0)
    }

    /// Counts the nodes, by a call that begins now.
    pub(crate) async fn node_count(&self) -> Result<usize, StepError> {
        let nodes = &self.polls.nodes;
        let call = || {
            let platform = Arc::clone(&self.platform);
            async move { platform.node_count().await }
        };
        let read = || nodes.read_after(nodes.cursor(), &*self.clock, call);
        Ok(*self.query("swarm.getNodes", read).await?.0)
    }

    /// Reserves a turn for this many calls about one application, and returns the time until the
    /// turn.
    pub(crate) fn paced_delay(&self, questions: u32) -> Duration {
        self.polls.pacer.turn(questions, self.clock.monotonic())
    }
}
