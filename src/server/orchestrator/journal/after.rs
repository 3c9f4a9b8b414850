//! What is recorded after the end, when there are no more events.

use jiff::Timestamp;

use super::Journal;
use crate::{
    domain::stack_name::StackName,
    server::{
        notifier::Nudge,
        ports::store::{Settlement, StoreError},
    },
};

impl Journal {
    /// Records what clean-up found.
    pub(in crate::server::orchestrator) async fn settle(
        &self,
        settlement: &Settlement,
    ) -> Result<(), StoreError> {
        self.store.settle(&self.lease, settlement).await?;
        self.notifier.nudge(&Nudge::Events(self.lease.id.clone()));
        Ok(())
    }

    /// Records that what a live stack has twice was looked for, and when to look again.
    pub(in crate::server::orchestrator) async fn tidied(
        &self,
        again: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.store.tidied(&self.lease, again).await
    }

    /// Tells whether a removal is about to take the live stack called `name` down, doubles and
    /// all.
    pub(in crate::server::orchestrator) async fn is_being_removed(
        &self,
        name: &StackName,
    ) -> Result<bool, StoreError> {
        let stacks = self.store.stacks(Some(name)).await?;
        let own = stacks.iter().find(|stack| stack.deployment.id == self.lease.id);
        // Not listed any more: a removal has just ended.
        Ok(own.is_none_or(|stack| stack.removal.is_some()))
    }
}
