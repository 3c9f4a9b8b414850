//! The log of one stack: its last lines, and those who watch it.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

use super::lines::LogLine;
use super::ring::{Item, Ring};
use crate::server::platform::AppName;
use domain::stack_id::StackId;

/// The most bytes of text that a watcher takes at a time. With what waits in its connection, it
/// stays far below 256 KiB.
const AT_ONCE: usize = 64 << 10;

/// What a log is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// It is being opened.
    #[default]
    Opening,
    /// The lines that were there are read.
    Read,
    /// There is no container whose log could be read.
    NoContainer,
    /// The platform does not show it.
    Unavailable,
    /// It must not be shown, since a secret of the stack does not open.
    SecretsLost,
}

/// The log of one stack.
pub(super) struct Feed {
    stack: StackId,
    /// The services that the platform made for it. All but one are gone.
    services: Vec<AppName>,
    state: Mutex<State>,
    /// Notified after each change of the state.
    changed: watch::Sender<()>,
    watching: watch::Sender<usize>,
}

#[derive(Default)]
struct State {
    ring: Ring,
    status: Status,
}

impl Feed {
    pub(super) fn new(stack: StackId, services: Vec<AppName>) -> Self {
        let (changed, watching) = (watch::Sender::new(()), watch::Sender::new(0));
        Self { stack, services, state: Mutex::default(), changed, watching }
    }

    pub(super) fn stack(&self) -> StackId {
        self.stack
    }

    pub(super) fn services(&self) -> &[AppName] {
        &self.services
    }

    pub(super) fn count(&self) -> usize {
        *self.watching.borrow()
    }

    /// Waits until the number of watchers is right.
    pub(super) async fn watchers(&self, is_right: impl Fn(usize) -> bool) {
        // The sender is the feed's own.
        drop(self.watching.subscribe().wait_for(|count| is_right(*count)).await);
    }

    /// Adds items for all who watch.
    pub(super) fn push(&self, items: Vec<Item>) {
        if items.is_empty() {
            return;
        }
        let mut state = self.state.lock();
        for item in items {
            state.ring.push(item);
        }
        drop(state);
        self.changed.send_replace(());
    }

    /// Says what the log is now.
    pub(super) fn set(&self, status: Status) {
        let mut state = self.state.lock();
        if state.status != status {
            state.status = status;
            drop(state);
            self.changed.send_replace(());
        }
    }
}

/// Watches a log. While somebody does, the log is read.
pub struct Watching {
    feed: Arc<Feed>,
    changed: watch::Receiver<()>,
    /// The number of the next item.
    next: u64,
}

impl Watching {
    pub(super) fn of(feed: &Arc<Feed>) -> Self {
        feed.watching.send_modify(|count| *count += 1);
        Self { feed: Arc::clone(feed), changed: feed.changed.subscribe(), next: 0 }
    }

    /// Returns the stack.
    pub fn stack(&self) -> StackId {
        self.feed.stack()
    }

    /// Waits until the lines that were there are read, or it is known why not.
    pub async fn opened(&mut self) -> Status {
        loop {
            self.changed.mark_unchanged();
            let status = self.feed.state.lock().status;
            if status != Status::Opening {
                return status;
            }
            // The sender is the feed's own.
            drop(self.changed.changed().await);
        }
    }

    /// Returns all lines that are kept.
    pub fn kept(&self) -> Vec<Item> {
        self.feed.state.lock().ring.all()
    }

    /// Begins with the last `count` lines.
    pub fn begin_with_last(&mut self, count: usize) {
        self.next = self.feed.state.lock().ring.before_last(count);
    }

    /// Begins after the line for which `is_known` is true, and after all before it.
    pub fn begin_after(&mut self, is_known: impl Fn(&LogLine) -> bool) {
        self.next = self.feed.state.lock().ring.after(is_known);
    }

    /// Waits for what comes next. It is not empty. Nothing is lost if the future is dropped.
    pub async fn next(&mut self) -> Vec<Item> {
        loop {
            self.changed.mark_unchanged();
            let (items, next) = self.feed.state.lock().ring.read(self.next, AT_ONCE);
            if !items.is_empty() {
                self.next = next;
                return items;
            }
            drop(self.changed.changed().await);
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.feed.watching.send_modify(|count| *count -= 1);
    }
}
