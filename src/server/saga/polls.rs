//! Polls: the calls that many operations repeat while they wait.
//!
//! The platform answers some twenty questions a second. So a list that is the same for everybody
//! is read by one call at a time, which serves all who wait for it, and questions about one
//! application come in turns once there are many. A few at a time ask as often as they like. It
//! must not know what an answer means.

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

/// The number of deploy jobs that are followed at most where each one's own list is asked for at
/// every look.
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

/// Somebody follows a deploy job, until this is dropped.
pub(crate) struct Following<'a>(&'a AtomicUsize);

impl Polls {
    /// Begins to follow a deploy job.
    pub(crate) fn follow(&self) -> Following<'_> {
        self.following.fetch_add(1, Ordering::Relaxed);
        Following(&self.following)
    }

    /// Returns whether few follow deploy jobs.
    pub(crate) fn has_few_followers(&self) -> bool {
        self.following.load(Ordering::Relaxed) <= FEW_FOLLOWERS
    }

    /// Returns what the queue's readings up to now are: one after that began later.
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
    /// Reads the platform's queue as it was after `cursor`, which becomes what is read.
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

    /// Takes a turn to ask so many `questions` about one application alone, and returns how long
    /// that is off.
    pub(crate) fn paced_delay(&self, questions: u32) -> Duration {
        self.polls.pacer.turn(questions, self.clock.monotonic())
    }
}
