//! The channels of all operations that are watched.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::channel::{Channel, Operation};
use super::member::{Member, Watcher};
use crate::http::connections::ClientStream;
use crate::server::auth::authenticate::Authenticator;
use crate::server::notifier::Subscription;
use crate::server::stacks::Service;
use crate::server::store::StoredEvent;
use domain::deployment::DeploymentId;
use domain::event::Seq;

/// The channels of the operations that are watched.
pub(in crate::http) struct Channels {
    open: Mutex<HashMap<DeploymentId, Arc<Channel>>>,
    service: Arc<Service>,
    authenticator: Authenticator,
    /// The work in progress, for which a shutdown waits.
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

impl Channels {
    /// Creates them. All streams end when `shutdown` is cancelled.
    pub(in crate::http) fn new(
        service: Arc<Service>,
        authenticator: Authenticator,
        tasks: TaskTracker,
        shutdown: CancellationToken,
    ) -> Self {
        Self { open: Mutex::default(), service, authenticator, tasks, shutdown }
    }

    pub(super) fn service(&self) -> &Service {
        &self.service
    }

    pub(super) fn authenticator(&self) -> &Authenticator {
        &self.authenticator
    }

    pub(super) fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }

    pub(in crate::http) fn shutdown(&self) -> &CancellationToken {
        &self.shutdown
    }

    /// Returns an operation that is watched, without reading the store: thousands of watchers may
    /// come at once.
    pub(super) fn operation(&self, id: &DeploymentId) -> Option<Operation> {
        Some(self.open.lock().get(id)?.operation())
    }

    /// Adds a watcher of an operation, which is due for its first check at `due`. For the first one,
    /// it returns the notifications for the reader, which the caller must start.
    pub(super) fn enter(
        &self,
        operation: Operation,
        watcher: Watcher,
        stream: ClientStream,
        due: Duration,
    ) -> (Arc<Channel>, Arc<Member>, Option<Subscription>) {
        let last = operation.last;
        let mut open = self.open.lock();
        let (channel, notifications) = match open.entry(operation.id.clone()) {
            Entry::Occupied(entry) => (Arc::clone(entry.get()), None),
            Entry::Vacant(entry) => {
                // Subscribed before the first reading: an event recorded between the two would be
                // missed.
                let notifications = self.service.notifier().watch(entry.key());
                let channel = Arc::clone(entry.insert(Arc::new(Channel::new(operation))));
                (channel, Some(notifications))
            }
        };
        let member = channel.enter(watcher, stream, last, due);
        (channel, member, notifications)
    }

    /// Removes a member whose stream has ended. The last one ends the reader of the operation.
    pub(super) fn leave(&self, channel: &Arc<Channel>, member: &Member) {
        let mut open = self.open.lock();
        if channel.leave(member) {
            forget(&mut open, channel);
        }
    }

    /// Ends the streams of all members of a channel.
    pub(super) fn close(&self, channel: &Arc<Channel>) {
        forget(&mut self.open.lock(), channel);
        channel.close();
    }

    /// Reads the events of an operation after `cursor`; `None` if the store cannot be read.
    pub(super) async fn events(&self, id: &DeploymentId, cursor: Seq) -> Option<Vec<StoredEvent>> {
        let events = self.service.events(id, cursor).await;
        // The browser reconnects by itself.
        let warn = |error| {
            tracing::warn!(%error, deployment.id = %id, "An event stream was interrupted");
        };
        events.map_err(warn).ok()
    }
}

/// Removes this channel from those that are open, if it still is.
fn forget(open: &mut HashMap<DeploymentId, Arc<Channel>>, channel: &Arc<Channel>) {
    if open.get(channel.id()).is_some_and(|other| Arc::ptr_eq(other, channel)) {
        open.remove(channel.id());
    }
}
