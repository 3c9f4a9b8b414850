//! Records results after the end, when there are no more events.

use jiff::Timestamp;

use super::Journal;
use crate::server::{
    notifier::Notification,
    store::{CleanupRecord, Result},
};
use domain::stack_name::StackName;

impl Journal {
    /// Records the result of a clean-up.
    pub(crate) async fn record_cleanup(&self, cleanup: &CleanupRecord) -> Result<()> {
        self.store.record_cleanup(&self.lease, cleanup).await?;
        self.notifier.notify(&Notification::Events(self.lease.id.clone()));
        Ok(())
    }

    /// Records that a live stack was searched for duplicates, and the time of the next search, if
    /// any.
    pub(crate) async fn rechecked(&self, again: Option<Timestamp>) -> Result<()> {
        self.store.rechecked(&self.lease, again).await
    }

    /// Returns whether a removal of the live stack called `name` is in progress or has ended. It
    /// removes duplicates as well.
    pub(crate) async fn is_being_removed(&self, name: &StackName) -> Result<bool> {
        let stacks = self.store.stacks(Some(name)).await?;
        let own = stacks.iter().find(|stack| stack.deployment.id == self.lease.id);
        // If the stack is not listed any more, a removal has just ended.
        Ok(own.is_none_or(|stack| stack.removal.is_some()))
    }
}
