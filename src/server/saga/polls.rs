//! Polls: the calls that many operations repeat while they wait.
//!
//! The platform answers about twenty calls per second. So operations share the calls for lists that
//! are the same for all, and calls about one application are spread over time if there are many. It
//! must not know what a result means.

mod pacer;
mod single_flight;

use std::sync::atomic::{AtomicUsize, Ordering};

use self::{pacer::Pacer, single_flight::SingleFlight};
pub(crate) use single_flight::ReadCursor;

use crate::server::platform::{AppName, QueuedJob};

/// The maximum number of followed deploy jobs with which each operation reads its own list of jobs
/// at every check.
const FEW_FOLLOWERS: usize = 4;

/// The polls of the platform that all operations of a portal share.
#[derive(Debug, Default)]
pub struct Polls {
    pub(super) queue: SingleFlight<Vec<QueuedJob>>,
    pub(super) services: SingleFlight<Vec<AppName>>,
    pub(super) nodes: SingleFlight<usize>,
    pub(super) pacer: Pacer,
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
