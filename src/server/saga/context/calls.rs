//! The calls that operations share: one answer serves all that ask meanwhile.

use std::sync::Arc;
use std::time::Duration;

use super::Context;
use crate::server::platform::{AppName, QueuedJob};
use crate::server::saga::failure::StepError;
use crate::server::saga::polls::ReadCursor;

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
