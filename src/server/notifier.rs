//! Nudges: "look again", carrying no data.
//!
//! Whoever is nudged reads the store. A nudge that is missed costs a moment, never an event:
//! watchers look again at each keepalive, the worker at each tick.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Notify, watch};

use crate::domain::deployment::DeploymentId;

/// Nudges watchers of a deployment, and the worker.
#[derive(Debug, Default)]
pub struct Notifier {
    watchers: Mutex<HashMap<DeploymentId, watch::Sender<()>>>,
    work: Notify,
}

impl Notifier {
    /// Subscribes to nudges about `id`. Subscribe first, read afterwards: then nothing
    /// falls in between.
    pub fn watch(&self, id: &DeploymentId) -> watch::Receiver<()> {
        let mut watchers = self.watchers();
        watchers.retain(|_, sender| sender.receiver_count() > 0);
        watchers.entry(id.clone()).or_default().subscribe()
    }

    /// Nudges the watchers of `id`, if there are any.
    pub fn nudge(&self, id: &DeploymentId) {
        if let Some(sender) = self.watchers().get(id) {
            sender.send_replace(());
        }
    }

    /// Tells the worker that a deployment can be claimed.
    pub fn nudge_worker(&self) {
        self.work.notify_one();
    }

    /// Waits until a deployment can be claimed.
    pub async fn work(&self) {
        self.work.notified().await;
    }

    fn watchers(&self) -> MutexGuard<'_, HashMap<DeploymentId, watch::Sender<()>>> {
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_nudge_between_subscribing_and_waiting_is_not_lost() {
        let notifier = Notifier::default();
        let id = DeploymentId::from_random(1);
        let mut watcher = notifier.watch(&id);
        notifier.nudge(&id);
        watcher.changed().await.unwrap();
    }

    #[test]
    fn a_deployment_that_nobody_watches_any_more_is_forgotten() {
        let notifier = Notifier::default();
        drop(notifier.watch(&DeploymentId::from_random(1)));
        let _watcher = notifier.watch(&DeploymentId::from_random(2));
        assert_eq!(notifier.watchers().len(), 1);
    }
}
