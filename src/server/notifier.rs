//! Notifications carry no data: the receiver reads the store.
//!
//! A lost notification causes a delay, but loses no event: watchers also read the store at each
//! keepalive, and workers at each tick and heartbeat. If several portals share a database, the
//! store's adapter carries notifications between them.

use std::collections::HashMap;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tokio::sync::watch;

use super::intake::Intake;
use super::name_index::NameIndex;
use domain::deployment::DeploymentId;
use domain::stack_name::StackName;

/// The subject of a notification. Its text is one line, which a store's adapter can carry to other
/// portals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notification {
    /// The events of a deployment.
    Events(DeploymentId),
    /// The cancellation of a deployment in progress was requested.
    CancelRequest(DeploymentId),
    /// The state of a name: it was reserved, or became free.
    Name(StackName),
    /// Operations that can be claimed.
    Work,
    /// The events of some stack.
    Stacks,
}

/// A text is not a notification.
#[derive(Debug, thiserror::Error)]
#[error("not a notification")]
pub struct ParseNotificationError;

impl fmt::Display for Notification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Events(id) => write!(f, "events {id}"),
            Self::CancelRequest(id) => write!(f, "wish {id}"),
            Self::Name(name) => write!(f, "name {name}"),
            Self::Work => f.write_str("work"),
            Self::Stacks => f.write_str("stacks"),
        }
    }
}

impl FromStr for Notification {
    type Err = ParseNotificationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let id = |text| DeploymentId::parse(text).map_err(|_| ParseNotificationError);
        match text.split_once(' ') {
            None if text == "work" => Ok(Self::Work),
            None if text == "stacks" => Ok(Self::Stacks),
            Some(("events", text)) => Ok(Self::Events(id(text)?)),
            Some(("wish", text)) => Ok(Self::CancelRequest(id(text)?)),
            Some(("name", text)) => {
                StackName::parse(text).map(Self::Name).map_err(|_| ParseNotificationError)
            }
            None | Some(_) => Err(ParseNotificationError),
        }
    }
}

/// Sends notifications to watchers of a deployment, to the saga that executes it, and to the
/// worker.
#[derive(Debug, Default)]
pub struct Notifier {
    events: Topics,
    cancel_requests: Topics,
    work: watch::Sender<()>,
    stacks: watch::Sender<()>,
    intake: Intake,
    names: NameIndex,
    listening: Arc<Listening>,
}

impl Notifier {
    /// Subscribes to notifications about the events of `id`. Subscribe before reading the store:
    /// otherwise an event recorded between the two is missed.
    pub fn watch(&self, id: &DeploymentId) -> Subscription {
        self.events.watch(id)
    }

    /// Subscribes to notifications about requests to cancel `id`.
    pub fn cancel_requests(&self, id: &DeploymentId) -> Subscription {
        self.cancel_requests.watch(id)
    }

    /// Subscribes to notifications about operations that can be claimed.
    pub fn work(&self) -> watch::Receiver<()> {
        self.work.subscribe()
    }

    /// Subscribes to notifications about the events of all stacks.
    pub fn stacks(&self) -> watch::Receiver<()> {
        self.stacks.subscribe()
    }

    /// Returns the intake of this process's worker.
    pub fn intake(&self) -> &Intake {
        &self.intake
    }

    /// Returns the index of names, which notifications keep up to date.
    pub fn names(&self) -> &NameIndex {
        &self.names
    }

    /// Returns whether notifications arrive.
    pub fn listening(&self) -> &Arc<Listening> {
        &self.listening
    }

    /// Sends a notification to its subscribers in this process.
    pub fn notify(&self, notification: &Notification) {
        match notification {
            Notification::Events(id) => self.events.notify(id),
            Notification::CancelRequest(id) => self.cancel_requests.notify(id),
            // Every operation's end announces its name.
            Notification::Name(name) => {
                self.names.announce(name);
                self.stacks.send_replace(());
            }
            Notification::Work => {
                self.work.send_replace(());
                self.stacks.send_replace(());
            }
            Notification::Stacks => {
                self.stacks.send_replace(());
            }
        }
    }

    /// Notifies all subscribers, because a notification may have been lost.
    pub fn notify_all(&self) {
        self.events.notify_all();
        self.cancel_requests.notify_all();
        self.names.forget();
        self.work.send_replace(());
        self.stacks.send_replace(());
    }
}

/// Whether the notifications of the other replicas arrive. A portal without replicas needs none.
#[derive(Debug)]
pub struct Listening(AtomicBool);

impl Default for Listening {
    fn default() -> Self {
        Self(AtomicBool::new(true))
    }
}

impl Listening {
    /// Returns whether they arrive.
    pub fn is_on(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Records whether they arrive from now on.
    pub fn set(&self, is_on: bool) {
        self.0.store(is_on, Ordering::Release);
    }
}

/// The subscribers, by deployment.
#[derive(Clone, Debug, Default)]
struct Topics(Arc<Mutex<HashMap<DeploymentId, watch::Sender<()>>>>);

impl Topics {
    fn watch(&self, id: &DeploymentId) -> Subscription {
        let receiver = self.0.lock().entry(id.clone()).or_default().subscribe();
        Subscription { receiver, topic: Topic { id: id.clone(), topics: self.clone() } }
    }

    fn notify(&self, id: &DeploymentId) {
        if let Some(sender) = self.0.lock().get(id) {
            sender.send_replace(());
        }
    }

    fn notify_all(&self) {
        for sender in self.0.lock().values() {
            sender.send_replace(());
        }
    }
}

/// A subscription to the notifications about one deployment.
#[derive(Debug)]
pub struct Subscription {
    receiver: watch::Receiver<()>,
    /// Dropped after the receiver.
    #[expect(dead_code, reason = "held until the subscription ends")]
    topic: Topic,
}

/// Removes the topic of a deployment when its last subscription has ended.
#[derive(Debug)]
struct Topic {
    id: DeploymentId,
    topics: Topics,
}

impl Drop for Topic {
    fn drop(&mut self) {
        let mut topics = self.topics.0.lock();
        if topics.get(&self.id).is_some_and(|sender| sender.receiver_count() == 0) {
            topics.remove(&self.id);
        }
    }
}

impl Deref for Subscription {
    type Target = watch::Receiver<()>;

    fn deref(&self) -> &Self::Target {
        &self.receiver
    }
}

impl DerefMut for Subscription {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.receiver
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_notification_between_subscribing_and_waiting_is_not_lost() {
        let notifier = Notifier::default();
        let id = DeploymentId::from_random(1);
        let (mut events, mut cancel_requests) =
            (notifier.watch(&id), notifier.cancel_requests(&id));
        notifier.notify(&Notification::Events(id.clone()));
        events.changed().await.unwrap();
        assert!(!cancel_requests.has_changed().unwrap());
        notifier.notify(&Notification::CancelRequest(id));
        cancel_requests.changed().await.unwrap();
    }

    #[test]
    fn a_deployment_that_nobody_watches_any_more_is_forgotten() {
        let topics = Topics::default();
        let watched = [1, 1, 2].map(|id| topics.watch(&DeploymentId::from_random(id)));
        let [one, other, another] = watched;
        drop(one);
        assert_eq!(topics.0.lock().len(), 2);
        drop(other);
        assert_eq!(topics.0.lock().len(), 1);
        drop(another);
        assert!(topics.0.lock().is_empty());
    }

    #[test]
    fn a_notification_parses_from_its_text() {
        let id = DeploymentId::from_random(1);
        let name = StackName::parse("alice").unwrap();
        for notification in [
            Notification::Events(id.clone()),
            Notification::CancelRequest(id),
            Notification::Name(name),
            Notification::Work,
            Notification::Stacks,
        ] {
            assert_eq!(notification.to_string().parse::<Notification>().unwrap(), notification);
        }
        for text in ["", "works", "events", "events dep_1", "other dep_1", "name A"] {
            assert!(text.parse::<Notification>().is_err(), "{text:?}");
        }
    }
}
