//! The history of a stack: its own events, for whoever may change it.

use tokio::sync::watch;

use super::Service;
use crate::server::auth::access::{Caller, Permission};
use crate::server::store::StoreError;
use crate::wire::{ApiError, HistoryPage};
use domain::deployment::DeploymentId;
use domain::event::Seq;
use domain::stack_event::StackEvent;
use domain::stack_id::StackId;

/// The number of events of a page.
const PAGE: u32 = 100;

impl Service {
    /// Returns the events of the live stack called `name` after `after`, oldest first, at most a
    /// page of them.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no such stack, the caller may not change it, or the store is
    /// unavailable.
    pub async fn history(
        &self,
        caller: &Caller,
        name: &str,
        of: Option<&DeploymentId>,
        after: Seq,
    ) -> Result<HistoryPage, ApiError> {
        let stack = self.own_stack_id(caller, name, of).await?;
        let mut events = self.parts.store.stack_events(stack, after, PAGE + 1).await?;
        let more = events.len() > PAGE as usize;
        events.truncate(PAGE as usize);
        Ok(HistoryPage { events: self.on_wire(events), more })
    }

    /// Returns the last events of the live stack called `name`, newest first, at most a page of
    /// them before the event `before`.
    ///
    /// # Errors
    ///
    /// Returns an error as [`Self::history`] does.
    pub async fn last_events(
        &self,
        caller: &Caller,
        name: &str,
        of: Option<&DeploymentId>,
        before: Option<Seq>,
    ) -> Result<HistoryPage, ApiError> {
        let stack = self.authorize_stack(caller, Permission::Change, name, of).await?;
        let before = before.unwrap_or(Seq::MAX).min(stack.last_event + 1);
        let after = before.saturating_sub(u64::from(PAGE) + 1);
        let events = self.parts.store.stack_events(stack.revision.stack, after, PAGE).await?;
        let mut events: Vec<_> = events.into_iter().filter(|event| event.seq < before).collect();
        events.reverse();
        Ok(HistoryPage { events: self.on_wire(events), more: after > 0 })
    }

    /// Finds the live stack called `name`, if the caller may change it.
    pub(crate) async fn own_stack_id(
        &self,
        caller: &Caller,
        name: &str,
        of: Option<&DeploymentId>,
    ) -> Result<StackId, ApiError> {
        let stack = self.authorize_stack(caller, Permission::Change, name, of).await?;
        Ok(stack.revision.stack)
    }

    /// Returns the events of a stack after `after`, for whoever was authorized before.
    pub(crate) async fn stack_events(
        &self,
        stack: StackId,
        after: Seq,
    ) -> Result<Vec<StackEvent>, StoreError> {
        let events = self.parts.store.stack_events(stack, after, PAGE).await?;
        Ok(self.on_wire(events))
    }

    /// Subscribes to notifications that some stack may have new events.
    pub(crate) fn stack_notifications(&self) -> watch::Receiver<()> {
        self.parts.notifier.stacks()
    }

    fn on_wire(&self, events: Vec<StackEvent>) -> Vec<StackEvent> {
        let kinds = self.parts.kinds;
        let named = |event: StackEvent| StackEvent { body: event.body.on_wire(kinds), ..event };
        events.into_iter().map(named).collect()
    }
}
