//! The logs of stacks, as their containers write them, for those who may change the stack.
//!
//! However many watch a stack, there is one connection to the platform: a [`Feed`] reads it, and
//! keeps the last lines. A watcher reads these at its own pace, and loses lines if it is too slow.
//! Bytes become lines, lose what controls a terminal, then the stack's secrets, and are cut at the
//! end. It must not know HTTP, nor who may read: nothing that a caller sends reaches the platform.

mod feed;
mod last;
mod lines;
mod mask;
mod reader;
mod ring;
mod secrets;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use self::feed::Feed;
pub use self::feed::{Status, Watching};
pub(crate) use self::last::of_containers as last_log;
pub use self::lines::{LONGEST_LINE, LineReader, LogLine};
pub use self::mask::Masks;
pub use self::ring::Item;
use super::platform::{AppName, LogEnd, PlatformLogs};
use super::secrets::Keyring;
use super::settings::StackSettings;
use super::store::Store;
use clock::Clock;
use domain::stack_id::StackId;

/// The time for which a log is still read after the last watcher has gone.
const LINGER: Duration = Duration::from_secs(30);

/// What the hub needs.
#[derive(Clone)]
pub struct LogParts {
    /// The logs of the platform.
    pub platform: Arc<dyn PlatformLogs>,
    /// The specs of stacks, with their secrets.
    pub store: Arc<dyn Store>,
    /// The key that opens them.
    pub keyring: Option<Keyring>,
    /// The settings, whose secrets may be those of a stack.
    pub settings: Arc<StackSettings>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

/// The logs that are read, one feed for each stack.
pub struct LogHub {
    parts: LogParts,
    feeds: Mutex<HashMap<StackId, Arc<Feed>>>,
}

impl LogHub {
    /// Creates a hub that reads no log yet.
    pub fn new(parts: LogParts) -> Self {
        Self { parts, feeds: Mutex::default() }
    }

    /// Watches the log of a stack, for which the platform made these services. The first watcher opens
    /// it.
    pub fn watch(self: &Arc<Self>, stack: StackId, services: Vec<AppName>) -> Watching {
        let mut feeds = self.feeds.lock();
        match feeds.entry(stack) {
            Entry::Occupied(feed) => Watching::of(feed.get()),
            Entry::Vacant(place) => {
                let feed = place.insert(Arc::new(Feed::new(stack, services)));
                let watching = Watching::of(feed);
                tokio::spawn(Arc::clone(self).run(Arc::clone(feed)));
                watching
            }
        }
    }

    /// Reads a log until nobody has watched it for a while.
    async fn run(self: Arc<Self>, feed: Arc<Feed>) {
        tokio::select! {
            () = reader::read(&self.parts, &feed) => {}
            () = self.abandoned(&feed) => {}
        }
    }

    async fn abandoned(&self, feed: &Feed) {
        loop {
            feed.watchers(|count| count == 0).await;
            tokio::select! {
                () = self.parts.clock.sleep(LINGER) => {}
                () = feed.watchers(|count| count > 0) => continue,
            }
            let mut feeds = self.feeds.lock();
            // Watchers come under this lock.
            if feed.count() == 0 {
                feeds.remove(&feed.stack());
                return;
            }
        }
    }
}

/// Returns whether a log has ended because there is no such container any more.
fn is_of_no_container(end: &LogEnd) -> bool {
    match end {
        LogEnd::UnknownContainer => true,
        LogEnd::NotAdmitted
        | LogEnd::Refused { .. }
        | LogEnd::Docker { .. }
        | LogEnd::Silent { .. }
        | LogEnd::Closed { .. }
        | LogEnd::Lost { .. } => false,
    }
}
