//! Polls: what many operations ask the platform again and again.
//!
//! The platform answers some twenty questions a second. So a list that is the same for everybody
//! is read by one call at a time, which serves all who wait for it, and questions about one
//! application come in turns once there are many. A few at a time ask as often as they like. It
//! must not know what an answer means.

mod latest;
mod pace;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use self::{latest::Latest, pace::Pace};
pub(super) use latest::Seen;

use super::{context::Context, failure::StepError};
use crate::server::ports::platform::{AppName, QueuedJob};

/// How many deploy jobs are followed at most where each one's own list is asked for at every look.
const FEW: usize = 4;

/// What all operations of a portal ask the platform together.
#[derive(Debug, Default)]
pub struct Polls {
    queue: Latest<Vec<QueuedJob>>,
    services: Latest<Vec<AppName>>,
    nodes: Latest<usize>,
    pace: Pace,
    following: AtomicUsize,
}

/// Somebody follows a deploy job, until this is dropped.
pub(super) struct Following<'a>(&'a AtomicUsize);

impl Polls {
    /// Begins to follow a deploy job.
    pub(super) fn follow(&self) -> Following<'_> {
        self.following.fetch_add(1, Ordering::Relaxed);
        Following(&self.following)
    }

    /// Tells whether few follow deploy jobs.
    pub(super) fn are_few(&self) -> bool {
        self.following.load(Ordering::Relaxed) <= FEW
    }

    /// Returns what the queue's readings up to now are: one after that began later.
    pub(super) fn queue_so_far(&self) -> Seen {
        self.queue.so_far()
    }
}

impl Drop for Following<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Context {
    /// Reads the platform's queue as it was after `seen`, which becomes what is read.
    pub(super) async fn queue(&self, seen: &mut Seen) -> Result<Arc<Vec<QueuedJob>>, StepError> {
        let (after, queue) = (*seen, &self.polls.queue);
        let call = || {
            let platform = Arc::clone(&self.platform);
            async move { platform.queue().await }
        };
        let read = || queue.after(after, &*self.clock, call);
        let (queue, read) = self.ask("deployment.queueList", read).await?;
        *seen = read;
        Ok(queue)
    }

    /// Lists the names of all services, by a call that begins now.
    pub(super) async fn services(&self) -> Result<Arc<Vec<AppName>>, StepError> {
        let services = &self.polls.services;
        let call = || {
            let platform = Arc::clone(&self.platform);
            async move { platform.services().await }
        };
        let read = || services.after(services.so_far(), &*self.clock, call);
        Ok(self.ask("swarm.getNodeApps", read).await?.0)
    }

    /// Counts the nodes, by a call that begins now.
    pub(super) async fn node_count(&self) -> Result<usize, StepError> {
        let nodes = &self.polls.nodes;
        let call = || {
            let platform = Arc::clone(&self.platform);
            async move { platform.node_count().await }
        };
        let read = || nodes.after(nodes.so_far(), &*self.clock, call);
        Ok(*self.ask("swarm.getNodes", read).await?.0)
    }

    /// Takes a turn to ask so many `questions` about one application alone, and returns how long
    /// that is off.
    pub(super) fn fair_pause(&self, questions: u32) -> Duration {
        self.polls.pace.turn(questions, self.clock.monotonic())
    }
}
